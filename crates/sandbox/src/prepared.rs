//! All that the new processes need, made before they are, since they may not allocate.

use crate::veil::Veil;
use libc::sock_filter;
use rustix::process::Resource;
use rustix::thread::CpuSet;
use std::ffi::CString;

/// A bind, ready to be made.
pub(crate) struct PreparedBind {
    pub(crate) source: CString,
    pub(crate) target: CString,
    pub(crate) read_only: bool,
}

/// Who the program becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Root with everything.
    Root,
    /// Root with what installing takes.
    Installer,
    /// A user.
    User { uid: u32, gid: u32 },
}

/// How the program stands to the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// A session of its own, without a terminal.
    Own,
    /// The caller's session; the terminal is the program's while it runs.
    Terminal,
}

/// A resource limit. What is above what the process may have is lowered to that.
#[derive(Clone, Copy)]
pub(crate) struct ResourceLimit {
    pub(crate) resource: Resource,
    pub(crate) current: u64,
    pub(crate) maximum: u64,
}

impl ResourceLimit {
    /// One that the program cannot change.
    pub(crate) const fn fixed(resource: Resource, value: u64) -> Self {
        Self {
            resource,
            current: value,
            maximum: value,
        }
    }
}

/// How much a memory file system holds, in digits.
pub(crate) struct Size {
    pub(crate) bytes: CString,
    pub(crate) files: CString,
}

/// What the two processes are given.
pub(crate) struct Prepared {
    pub(crate) root: CString,
    pub(crate) candidates: Vec<CString>,
    // The pointers below point into these, which are therefore never touched again.
    _argv: Vec<CString>,
    _environment: Vec<CString>,
    pub(crate) argv_pointers: Vec<*const libc::c_char>,
    pub(crate) environment_pointers: Vec<*const libc::c_char>,
    pub(crate) working_directory: CString,
    pub(crate) binds: Vec<PreparedBind>,
    pub(crate) hostname: Vec<u8>,
    /// Flags of clone3 for the first process.
    pub(crate) namespaces: u64,
    pub(crate) loopback: bool,
    pub(crate) identity: Identity,
    pub(crate) session: Session,
    pub(crate) umask: u32,
    /// Whether setuid bits and devices of the root's files are without effect.
    pub(crate) inert_files: bool,
    pub(crate) limits: Vec<ResourceLimit>,
    /// Whether the kernel is to take these processes first when the machine has no memory left.
    pub(crate) first_to_go: bool,
    /// The size of each memory file system.
    pub(crate) scratch: Option<Size>,
    pub(crate) cpus: Option<CpuSet>,
    pub(crate) veil: Option<Veil>,
    /// Whether the caller wants to look at the processes.
    pub(crate) watched: bool,
    pub(crate) filter: Vec<sock_filter>,
}

impl Prepared {
    /// Plain, as root with what installing takes. `None` if there is no argument.
    pub(crate) fn new(
        root: CString,
        candidates: Vec<CString>,
        argv: Vec<CString>,
        environment: Vec<CString>,
    ) -> Option<Self> {
        if argv.is_empty() {
            return None;
        }
        let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
            strings
                .iter()
                .map(|s| s.as_ptr())
                .chain([std::ptr::null()])
                .collect()
        };
        Some(Self {
            argv_pointers: pointers(&argv),
            environment_pointers: pointers(&environment),
            root,
            candidates,
            _argv: argv,
            _environment: environment,
            working_directory: c"/".to_owned(),
            binds: Vec::new(),
            hostname: Vec::new(),
            namespaces: 0,
            loopback: false,
            identity: Identity::Installer,
            session: Session::Own,
            umask: 0o022,
            inert_files: false,
            limits: Vec::new(),
            first_to_go: false,
            scratch: None,
            cpus: None,
            veil: None,
            watched: false,
            filter: Vec::new(),
        })
    }
}
