//! From what the caller asks for to what the new processes are given.

use crate::cpus::Cpus;
use crate::error::SandboxError;
use crate::filter::build_filter;
use crate::ids;
use crate::limits::Limits;
use crate::mounts::open_inside;
use crate::options::{Access, Capabilities, Filter, Network, Options, Streams, User, View};
use crate::points::inside;
use crate::prepared::{Identity, Prepared, PreparedBind, ResourceLimit, Session, Size};
use crate::veil::Veil;
use rustix::fs::OFlags;
use rustix::process::Resource;
use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Where programs are looked for, inside the root.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The most bytes of a root's `/etc/passwd` that are read.
const MAX_PASSWD: u64 = 1 << 20;

/// What every sealed run has, whatever the machine has. No core files: a limit of one byte also keeps the kernel from
/// handing them to a program of the machine, which 0 does not (core(5)). The usual stack, which may be raised. No
/// priority over others.
const SEALED_LIMITS: &[ResourceLimit] = &[
    ResourceLimit::fixed(Resource::Core, 1),
    ResourceLimit {
        resource: Resource::Stack,
        current: 8 << 20,
        maximum: u64::MAX,
    },
    ResourceLimit::fixed(Resource::Rtprio, 0),
    ResourceLimit::fixed(Resource::Nice, 0),
    ResourceLimit::fixed(Resource::Memlock, 8 << 20),
    ResourceLimit::fixed(Resource::Msgqueue, 819_200),
    ResourceLimit::fixed(Resource::Sigpending, 16_384),
];

/// How many bytes a memory file system has for each file that it may have: a file without contents takes memory, too.
const BYTES_PER_FILE: u64 = 4096;

/// What is to be done, and what is held meanwhile.
pub(crate) struct Plan {
    pub(crate) prepared: Prepared,
    /// Held until the run is over, so that others take other ones.
    pub(crate) _cpus: Option<Cpus>,
    pub(crate) notes: Vec<String>,
}

pub(crate) fn plan(root: &Path, argv: &[String], options: &Options) -> Result<Plan, SandboxError> {
    let bad = |reason: &str| SandboxError::BadRequest {
        root: root.to_owned(),
        reason: reason.to_owned(),
    };
    let c_string = |bytes: &[u8]| CString::new(bytes).map_err(|_| bad("an argument holds a NUL byte"));
    let program = argv.first().ok_or_else(|| bad("no program is named"))?;
    let candidates = if program.contains('/') {
        vec![c_string(program.as_bytes())?]
    } else {
        SEARCH_PATH
            .split(':')
            .map(|dir| c_string(format!("{dir}/{program}").as_bytes()))
            .collect::<Result<_, _>>()?
    };
    let mut binds = Vec::new();
    for bind in &options.binds {
        binds.push(PreparedBind {
            source: c_string(bind.source.as_os_str().as_bytes())?,
            target: c_string(inside(root, &bind.target)?.as_os_str().as_bytes())?,
            read_only: bind.access == Access::ReadOnly,
        });
    }
    let mut prepared = Prepared::new(
        c_string(root.as_os_str().as_bytes())?,
        candidates,
        argv.iter()
            .map(|arg| c_string(arg.as_bytes()))
            .collect::<Result<_, _>>()?,
        environment(root, options)
            .iter()
            .map(|(n, v)| c_string(format!("{n}={v}").as_bytes()))
            .collect::<Result<_, _>>()?,
    )
    .ok_or_else(|| bad("no program is named"))?;
    prepared.working_directory = c_string(options.working_directory.as_os_str().as_bytes())?;
    prepared.binds = binds;
    prepared.hostname = options.hostname.clone().into_bytes();
    prepared.umask = options.umask;
    if let Streams::Terminal = options.streams {
        prepared.session = Session::Terminal;
    }
    if let Filter::Build = options.filter {
        prepared.filter = build_filter();
    }
    identify(&mut prepared, options).map_err(bad)?;
    limit(&mut prepared, &options.limits);
    let mut notes = Vec::new();
    let cpus = options.cpus.map(Cpus::take).transpose()?;
    if let (Some(cpus), Some(wanted)) = (&cpus, options.cpus) {
        prepared.cpus = Some(cpus.set());
        if !cpus.complete {
            notes.push(format!(
                "{wanted} CPUs are asked for, {} are there: `nproc` says so",
                cpus.count()
            ));
        }
    }
    seal(&mut prepared, options, cpus.as_ref());
    Ok(Plan {
        prepared,
        _cpus: cpus,
        notes,
    })
}

/// Sorted, and each name once: the caller's word, then the user's, then ours.
fn environment(root: &Path, options: &Options) -> Vec<(String, String)> {
    let mut defaults = vec![
        ("PATH".to_owned(), SEARCH_PATH.to_owned()),
        ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
    ];
    if options.view == View::Sealed {
        defaults.push(("TZ".to_owned(), "UTC".to_owned()));
    }
    let entry = match options.user {
        User::Root => None,
        User::Unprivileged { uid, .. } => ids::user_entry(&passwd(root), uid),
    };
    match (entry, options.user) {
        (Some((name, home)), _) => {
            defaults.push(("USER".to_owned(), name.clone()));
            defaults.push(("LOGNAME".to_owned(), name));
            defaults.push(("HOME".to_owned(), home));
        }
        (None, User::Root) => defaults.push(("HOME".to_owned(), "/root".to_owned())),
        // The one place that it may write to.
        (None, User::Unprivileged { .. }) => defaults.push(("HOME".to_owned(), "/tmp".to_owned())),
    }
    defaults.retain(|(name, _)| !options.environment.iter().any(|(other, _)| other == name));
    defaults.extend(options.environment.iter().cloned());
    defaults.sort();
    defaults
}

/// The root's `/etc/passwd`; nothing where it cannot be read, or leads out of the root.
fn passwd(root: &Path) -> String {
    let mut text = Vec::new();
    let folder = File::open(root);
    let file = folder.and_then(|folder| {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        Ok(open_inside(folder.as_fd(), Path::new("etc/passwd"), flags)?)
    });
    if let Ok(file) = file {
        // A part that could be read may hold the user; an error has the same meaning as an absent entry.
        let _ = File::from(file).take(MAX_PASSWD).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn flag(flag: i32) -> u64 {
    u64::from(flag.cast_unsigned())
}

fn identify(prepared: &mut Prepared, options: &Options) -> Result<(), &'static str> {
    prepared.namespaces =
        flag(libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS);
    if options.network != Network::Host {
        prepared.namespaces |= flag(libc::CLONE_NEWNET);
    }
    prepared.loopback = options.network == Network::Loopback;
    prepared.identity = match (options.user, options.capabilities) {
        (User::Unprivileged { uid: 0, .. } | User::Unprivileged { gid: 0, .. }, _) => {
            return Err("root is no unprivileged user, and has no unprivileged group");
        }
        (User::Unprivileged { uid, gid }, _) => Identity::User { uid, gid },
        (User::Root, Capabilities::Installer) => Identity::Installer,
        (User::Root, Capabilities::All) => Identity::Root,
    };
    if let Identity::User { .. } = prepared.identity {
        prepared.namespaces |= flag(libc::CLONE_NEWUSER);
        prepared.inert_files = true;
    }
    Ok(())
}

fn limit(prepared: &mut Prepared, limits: &Limits) {
    let list = [
        (Resource::Nproc, limits.processes.map(u64::from)),
        (Resource::Nofile, limits.open_files),
        (Resource::Fsize, limits.file_size),
        (Resource::As, limits.address_space),
    ];
    prepared.limits = list
        .into_iter()
        .filter_map(|(resource, value)| Some(ResourceLimit::fixed(resource, value?)))
        .collect();
    prepared.first_to_go = limits.memory.is_some();
    prepared.watched = limits.memory.is_some() || limits.processes.is_some();
    let digits = |number: u64| CString::new(number.to_string()).unwrap_or_default();
    prepared.scratch = limits.scratch.map(|bytes| Size {
        bytes: digits(bytes),
        files: digits((bytes / BYTES_PER_FILE).max(1)),
    });
}

fn seal(prepared: &mut Prepared, options: &Options, cpus: Option<&Cpus>) {
    if options.view != View::Sealed {
        return;
    }
    prepared.namespaces |= flag(libc::CLONE_NEWCGROUP);
    prepared.limits.extend_from_slice(SEALED_LIMITS);
    let there = || std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
    let shown = cpus.map_or_else(there, Cpus::count);
    prepared.veil = Some(Veil::new(shown, options.limits.memory));
}
