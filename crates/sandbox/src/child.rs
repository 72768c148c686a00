//! The new process: from `clone3` to `execve`.
//!
//! Two processes are made. The first is number 1 of a new pid namespace: it builds the mounts, starts the second,
//! reaps whatever ends, and when the second has ended reports its status and ends too, whereupon the kernel kills
//! what is left in the namespace. The second gives up capabilities and becomes the program.
//!
//! Neither may allocate or take a lock before `execve`: the caller may have threads, and what they held at the time
//! of the copy stays held. So these functions make system calls on prepared data only.
#![allow(unsafe_code)]

use crate::mounts;
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// All reports of one run are shorter than this.
pub(crate) const MAX_REPORT: usize = 4096;

/// Capabilities that installing takes: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, KILL, SETGID, SETUID,
/// SETPCAP, SYS_CHROOT, MKNOD, SETFCAP (capability.h).
const INSTALLER_CAPABILITIES: &[i32] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 18, 27, 31];

/// A bind, ready to be made.
pub(crate) struct PreparedBind {
    pub(crate) source: CString,
    pub(crate) target: CString,
    pub(crate) read_only: bool,
}

/// All that the new processes need.
pub(crate) struct Prepared {
    pub(crate) root: CString,
    candidates: Vec<CString>,
    // The pointers below point into these, which are therefore never touched again.
    _argv: Vec<CString>,
    _environment: Vec<CString>,
    argv_pointers: Vec<*const libc::c_char>,
    environment_pointers: Vec<*const libc::c_char>,
    pub(crate) working_directory: CString,
    pub(crate) binds: Vec<PreparedBind>,
    pub(crate) hostname: Vec<u8>,
    pub(crate) private_network: bool,
    pub(crate) keep_capabilities: bool,
}

impl Prepared {
    /// `None` if there is no argument.
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
            private_network: true,
            keep_capabilities: false,
        })
    }
}

/// What was being done. The number goes through the report pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    Clone = 1,
    Private,
    Root,
    Proc,
    Dev,
    Scratch,
    Bind,
    Pivot,
    Name,
    Streams,
    Capabilities,
    Directory,
    Exec,
    Worker,
}

const STEPS: &[Step] = &[
    Step::Clone,
    Step::Private,
    Step::Root,
    Step::Proc,
    Step::Dev,
    Step::Scratch,
    Step::Bind,
    Step::Pivot,
    Step::Name,
    Step::Streams,
    Step::Capabilities,
    Step::Directory,
    Step::Exec,
    Step::Worker,
];

impl Step {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Clone => "starting a process in new namespaces",
            Self::Private => "making the mounts private",
            Self::Root => "mounting the root on itself",
            Self::Proc => "mounting /proc",
            Self::Dev => "making /dev",
            Self::Scratch => "mounting the empty folders",
            Self::Bind => "binding a folder of the machine",
            Self::Pivot => "changing the root",
            Self::Name => "setting the host name",
            Self::Streams => "connecting input and output",
            Self::Capabilities => "giving up capabilities",
            Self::Directory => "changing to the working directory",
            Self::Exec => "starting the program",
            Self::Worker => "starting the second process",
        }
    }
}

/// A step that did not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) step: Step,
    pub(crate) errno: i32,
}

impl Failure {
    pub(crate) fn source(self) -> std::io::Error {
        std::io::Error::from_raw_os_error(self.errno)
    }
}

pub(crate) fn at(step: Step) -> impl Fn(Errno) -> Failure {
    move |errno| Failure {
        step,
        errno: errno.raw_os_error(),
    }
}

/// What comes through the report pipe: eight bytes each, kind, step, two zeros, value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Failed(Failure),
    Degraded(Failure),
    Ended(i32),
}

impl Message {
    fn to_bytes(self) -> [u8; 8] {
        let (kind, step, value) = match self {
            Self::Failed(f) => (0, f.step as u8, f.errno),
            Self::Degraded(f) => (1, f.step as u8, f.errno),
            Self::Ended(status) => (2, 0, status),
        };
        let [a, b, c, d] = value.to_ne_bytes();
        [kind, step, 0, 0, a, b, c, d]
    }

    pub(crate) fn parse_all(bytes: &[u8]) -> impl Iterator<Item = Self> + '_ {
        bytes.chunks_exact(8).filter_map(|chunk| {
            let [kind, step, _, _, a, b, c, d] = *chunk else {
                return None;
            };
            let value = i32::from_ne_bytes([a, b, c, d]);
            let step = STEPS.iter().find(|s| **s as u8 == step);
            match (kind, step) {
                (0, Some(&step)) => Some(Self::Failed(Failure { step, errno: value })),
                (1, Some(&step)) => Some(Self::Degraded(Failure { step, errno: value })),
                (2, _) => Some(Self::Ended(value)),
                _ => None,
            }
        })
    }
}

/// `struct clone_args` of clone3(2), as far as it is used.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// A copy of this process. Answers 0 in the copy.
fn clone(flags: i32, pidfd: Option<&mut i32>) -> Result<libc::pid_t, Errno> {
    let mut arguments = CloneArguments {
        flags: u64::from(flags.cast_unsigned()),
        exit_signal: u64::from(libc::SIGCHLD.cast_unsigned()),
        ..CloneArguments::default()
    };
    if let Some(pidfd) = pidfd {
        arguments.flags |= u64::from(libc::CLONE_PIDFD.cast_unsigned());
        arguments.pidfd = std::ptr::from_mut(pidfd) as u64;
    }
    // SAFETY: the arguments outlive the call; without a stack the call is like fork, and the copy runs only code
    // of this module, which does not allocate, lock or unwind.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut arguments,
            std::mem::size_of::<CloneArguments>(),
        )
    };
    if result < 0 {
        Err(last_error())
    } else {
        Ok(libc::pid_t::try_from(result).unwrap_or(-1))
    }
}

pub(crate) fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

/// Starts both processes; answers the first one's id and handle. Streams that are `None` stay the caller's.
pub(crate) fn start(
    prepared: &Prepared,
    streams: [Option<&OwnedFd>; 3],
    report: &OwnedFd,
) -> Result<(libc::pid_t, OwnedFd), Failure> {
    let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    if prepared.private_network {
        flags |= libc::CLONE_NEWNET;
    }
    let mut handle = -1;
    let pid = clone(flags, Some(&mut handle)).map_err(at(Step::Clone))?;
    if pid == 0 {
        first(prepared, streams, report.as_fd());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(handle) }))
}

/// Waits for the end of a process, which has been killed or has closed its pipes.
pub(crate) fn reap(pid: libc::pid_t) {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        let result = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        if result >= 0 || last_error() != Errno::INTR {
            return;
        }
    }
}

/// Writes to a pipe whose reader may be gone, without dying of SIGPIPE. (Rust programs ignore the signal, but a
/// library cannot rely on it: MSG_NOSIGNAL is for sockets only, so the signal is blocked around the call.)
pub(crate) fn write_quietly(fd: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the sets are plain data, initialised by sigemptyset before they are read; the thread's mask is put
    // back, and a SIGPIPE that this write caused is taken out of the queue first.
    unsafe {
        let (mut pipe, mut old): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigemptyset(&raw mut pipe);
        libc::sigaddset(&raw mut pipe, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const pipe, &raw mut old);
        let result = rustix::io::write(fd, bytes);
        if result == Err(Errno::PIPE) {
            let now = libc::timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            libc::sigtimedwait(&raw const pipe, std::ptr::null_mut(), &raw const now);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const old, std::ptr::null_mut());
        result
    }
}

fn exit(code: i32) -> ! {
    // SAFETY: ends the process without running anything of the caller's.
    unsafe { libc::_exit(code) }
}

fn report(pipe: BorrowedFd<'_>, message: Message) {
    // Without a reader there is nobody to tell; the caller is gone, and so shall we be.
    let _unread = rustix::io::write(pipe, &message.to_bytes());
}

/// Number 1 of the new pid namespace.
fn first(prepared: &Prepared, streams: [Option<&OwnedFd>; 3], pipe: BorrowedFd<'_>) -> ! {
    let _best = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let pipe = match keep_only(streams, pipe) {
        Ok(pipe) => pipe,
        Err(errno) => {
            report(pipe, Message::Failed(at(Step::Streams)(errno)));
            exit(125);
        }
    };
    let degraded = |failure| report(pipe, Message::Degraded(failure));
    if let Err(failure) = mounts::set_up(prepared, &degraded) {
        report(pipe, Message::Failed(failure));
        exit(125);
    }
    let worker = match clone(0, None) {
        Ok(0) => second(prepared, pipe),
        Ok(pid) => pid,
        Err(errno) => {
            report(pipe, Message::Failed(at(Step::Worker)(errno)));
            exit(125);
        }
    };
    loop {
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        let ended = unsafe { libc::waitpid(-1, &raw mut status, 0) };
        if ended == worker {
            report(pipe, Message::Ended(status));
            exit(0);
        }
        if ended < 0 && last_error() != Errno::INTR {
            exit(125);
        }
    }
}

/// Puts the streams at 0, 1 and 2, the report pipe at 3, and closes all else: a copy of the caller's end of a pipe
/// would keep that pipe open for ever.
fn keep_only<'a>(streams: [Option<&OwnedFd>; 3], pipe: BorrowedFd<'a>) -> Result<BorrowedFd<'a>, Errno> {
    const REPORT: i32 = 3;
    // SAFETY: plain system calls on numbers; descriptor 3 is the report pipe from here on, and stays open until
    // the process ends. Nothing else of this process uses a descriptor that is closed here.
    unsafe {
        for (number, stream) in (0..).zip(streams) {
            if let Some(fd) = stream
                && libc::dup2(fd.as_raw_fd(), number) < 0
            {
                return Err(last_error());
            }
        }
        if pipe.as_raw_fd() != REPORT && libc::dup3(pipe.as_raw_fd(), REPORT, libc::O_CLOEXEC) < 0 {
            return Err(last_error());
        }
        if libc::syscall(libc::SYS_close_range, REPORT + 1, u32::MAX, 0) < 0 {
            return Err(last_error());
        }
        Ok(BorrowedFd::borrow_raw(REPORT))
    }
}

/// The process that becomes the program.
fn second(prepared: &Prepared, pipe: BorrowedFd<'_>) -> ! {
    let failure = match become_program(prepared) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    report(pipe, Message::Failed(failure));
    exit(127);
}

fn become_program(prepared: &Prepared) -> Result<std::convert::Infallible, Failure> {
    // SAFETY: plain system calls on numbers, and on data that outlives them.
    unsafe {
        libc::setsid();
        libc::umask(0o022);
        // An ignored SIGPIPE, which Rust programs have, would be inherited.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        if libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) < 0 {
            return Err(at(Step::Streams)(last_error()));
        }
        // Not the C library's function: it would wait for the threads of the caller, which this copy does not have.
        libc::syscall(libc::SYS_setgroups, 0usize, std::ptr::null::<libc::gid_t>());
    }
    if !prepared.keep_capabilities {
        drop_capabilities().map_err(at(Step::Capabilities))?;
    }
    rustix::process::chdir(prepared.working_directory.as_c_str()).map_err(at(Step::Directory))?;
    let mut failure = Errno::NOENT;
    for candidate in &prepared.candidates {
        // SAFETY: both arrays end with a null pointer, and all strings outlive the call.
        unsafe {
            libc::execve(
                candidate.as_ptr(),
                prepared.argv_pointers.as_ptr(),
                prepared.environment_pointers.as_ptr(),
            );
        }
        let errno = last_error();
        if errno != Errno::NOENT {
            failure = errno;
        }
    }
    Err(at(Step::Exec)(failure))
}

fn drop_capabilities() -> Result<(), Errno> {
    // SAFETY: prctl with plain numbers.
    unsafe {
        for capability in 0..64 {
            if !INSTALLER_CAPABILITIES.contains(&capability)
                && libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) < 0
            {
                match last_error() {
                    // Past the last one that this kernel knows.
                    Errno::INVAL => break,
                    errno => return Err(errno),
                }
            }
        }
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 {
            return Err(last_error());
        }
    }
    Ok(())
}
