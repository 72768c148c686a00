//! How a program is run: what the caller may choose.

use crate::cancel::Cancel;
use crate::limits::Limits;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// How long a program may run where the caller says nothing.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// How many bytes of each output stream are kept where the caller says nothing; what is beyond is read and dropped.
pub const DEFAULT_OUTPUT_LIMIT: usize = 1 << 20;

/// How many bytes of a build's log are handed on; what is beyond is read and dropped.
pub const BUILD_OUTPUT_LIMIT: usize = 256 << 20;

/// How many CPUs a build sees where the caller says nothing.
pub const BUILD_CPUS: NonZeroU32 = NonZeroU32::MIN;

/// The id that builds run with: the first one that distributions give to people, so that it is nobody's in a root
/// that was made of packages.
pub const BUILD_ID: u32 = 1000;

/// Whether the program reaches the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It has none, not even a loopback that is up.
    None,
    /// It has a loopback of its own (127.0.0.1, and ::1 where the kernel has IPv6), and nothing else.
    Loopback,
    /// It has the caller's.
    Host,
}

/// How a bound folder or file may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    ReadOnly,
    /// Reading and writing.
    ReadWrite,
}

/// A folder or file of the machine that is seen inside.
///
/// Its contents are seen, and one thing more: `/proc/self/mountinfo` names the path that it has in its file system.
/// What a build shall not know the path of is copied in, or lies in a layer of an [`crate::Overlay`].
#[derive(Debug, Clone)]
pub struct Bind {
    /// Where it is on the machine.
    pub source: PathBuf,
    /// Where it is seen: an absolute path inside the root. Made if missing, and removed afterwards.
    pub target: PathBuf,
    /// How it may be used.
    pub access: Access,
}

/// What root may do inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capabilities {
    /// What installing takes: owners, modes, file capabilities, device nodes, chroot.
    Installer,
    /// All that the caller has.
    All,
}

/// Who the program is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// Root of the namespace, with [`Options::capabilities`].
    Root,
    /// Nobody in particular: no capability, none to be had (the bounding set is empty, `no_new_privs` is set, the root
    /// is mounted `nosuid` and `nodev`), no further groups. It may write what is its own, and nothing else. `USER`,
    /// `LOGNAME` and `HOME` are set to what the root's `/etc/passwd` has for the id, if it has it.
    ///
    /// The run gets a user namespace of its own, with the same ids, so that the kernel counts its processes alone.
    Unprivileged {
        /// The user.
        uid: u32,
        /// Its only group.
        gid: u32,
    },
}

/// Which system calls the program may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// All that its capabilities allow.
    None,
    /// Those that builds and their tests need: see [the list](crate#the-filter).
    Build,
}

/// How much of the machine is seen inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A fresh `/proc`, a minimal `/dev`, empty `/tmp`, `/run`, `/sys`.
    Plain,
    /// And nothing that tells one machine from another: `/proc` shows the program's own processes, fixed texts for
    /// CPUs, memory and load, `/proc/sys` for reading; what is not known to be harmless is empty. `/dev` has terminals
    /// of its own, `/etc/machine-id` is fixed, `TZ` is UTC, time since boot counts from the start of the run, control
    /// groups are named from the sandbox's own.
    ///
    /// What stays visible: the kernel's release (`uname`), what the CPU says of itself (`cpuid`), and the clock:
    /// nothing fakes the time here. Set `SOURCE_DATE_EPOCH` in [`Options::environment`].
    ///
    /// It takes a `/proc` of its own; where the kernel refuses that, since parts of the caller's are covered (in a
    /// container that is not run with `--security-opt systempaths=unconfined` or `procMount: Unmasked`), nothing runs.
    Sealed,
}

/// What the program reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing.
    Null,
    /// These bytes.
    Bytes(Vec<u8>),
    /// What the caller would read.
    Inherit,
}

/// Where the program's output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// To the caller, up to so many bytes a stream.
    Capture {
        /// How many bytes are kept of each.
        limit: usize,
    },
    /// Output and errors through one pipe, in the order in which they were written, line by line as they come: to the
    /// sink of [`crate::run_streaming`], or, with [`crate::run_in_root`], into [`crate::Output::stdout`].
    Lines {
        /// How many bytes are handed on; what is beyond is read and dropped, and a note says so.
        limit: usize,
    },
    /// To the caller's own streams.
    Inherit,
    /// All three are the caller's, which are a terminal, and it is the program's to control: a shell has job control.
    /// The caller has it back at the end. [`Options::stdin`] is not looked at.
    Terminal,
}

/// How a program is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether it reaches the network.
    pub network: Network,
    /// When it is killed. `Duration::MAX`: never.
    pub timeout: Duration,
    /// Environment beside `PATH`, `HOME` and `LC_ALL`, which are always set; these win over them.
    pub environment: Vec<(String, String)>,
    /// Folders and files of the machine that are seen inside.
    pub binds: Vec<Bind>,
    /// What it reads.
    pub stdin: Stdin,
    /// Where its output goes.
    pub streams: Streams,
    /// What root may do inside.
    pub capabilities: Capabilities,
    /// The host name inside.
    pub hostname: String,
    /// Where it starts, an absolute path inside.
    pub working_directory: PathBuf,
    /// Who it is.
    pub user: User,
    /// What it may use up.
    pub limits: Limits,
    /// Which system calls it may make.
    pub filter: Filter,
    /// How much of the machine it sees.
    pub view: View,
    /// On how many CPUs it runs, which is also how many `nproc` counts. `None`: all that the caller has. More than the
    /// caller has: a note, and those that there are.
    pub cpus: Option<NonZeroU32>,
    /// The mode bits that files made inside do not get.
    pub umask: u32,
    /// Ends it early.
    pub cancel: Option<Cancel>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            network: Network::None,
            timeout: DEFAULT_TIMEOUT,
            environment: Vec::new(),
            binds: Vec::new(),
            stdin: Stdin::Null,
            streams: Streams::Capture {
                limit: DEFAULT_OUTPUT_LIMIT,
            },
            capabilities: Capabilities::Installer,
            hostname: "lazuli".to_owned(),
            working_directory: PathBuf::from("/"),
            user: User::Root,
            limits: Limits::default(),
            filter: Filter::None,
            view: View::Plain,
            cpus: None,
            umask: 0o022,
            cancel: None,
        }
    }
}

impl Options {
    /// What a stranger's build is run with: everything shut that can be shut, [`Limits::build`], one CPU, output as
    /// lines. Change what is to be different.
    pub fn build() -> Self {
        Self {
            network: Network::Loopback,
            timeout: Duration::from_secs(4 * 60 * 60),
            streams: Streams::Lines {
                limit: BUILD_OUTPUT_LIMIT,
            },
            hostname: "localhost".to_owned(),
            user: User::Unprivileged {
                uid: BUILD_ID,
                gid: BUILD_ID,
            },
            limits: Limits::build(),
            filter: Filter::Build,
            view: View::Sealed,
            cpus: Some(BUILD_CPUS),
            ..Self::default()
        }
    }
}
