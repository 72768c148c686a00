//! The new process: from `clone3` to `execve`.
//!
//! Two processes are made. The first is number 1 of a new pid namespace: it builds the mounts, starts the second,
//! reaps whatever ends, and when the second has ended reports its status and ends too, whereupon the kernel kills
//! what is left in the namespace. The second gives up capabilities and becomes the program.
//!
//! Neither may allocate or take a lock before `execve`: the caller may have threads, and what they held at the time
//! of the copy stays held. So these functions make system calls on prepared data only.
#![allow(unsafe_code)]

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// All reports of one run are shorter than this.
pub(crate) const MAX_REPORT: usize = 4096;

/// Capabilities that installing takes: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, KILL, SETGID, SETUID,
/// SETPCAP, SYS_CHROOT, MKNOD, SETFCAP (capability.h).
const INSTALLER_CAPABILITIES: &[i32] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 18, 27, 31];

/// Devices that are seen inside.
const DEVICES: &[(&CStr, &CStr)] = &[
    (c"null", c"/dev/null"),
    (c"zero", c"/dev/zero"),
    (c"full", c"/dev/full"),
    (c"random", c"/dev/random"),
    (c"urandom", c"/dev/urandom"),
    (c"tty", c"/dev/tty"),
];

/// Links in `/dev`.
const DEVICE_LINKS: &[(&CStr, &CStr)] = &[
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
];

/// A bind, ready to be made.
pub(crate) struct PreparedBind {
    pub(crate) source: CString,
    pub(crate) target: CString,
    pub(crate) read_only: bool,
}

/// All that the new processes need.
pub(crate) struct Prepared {
    root: CString,
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

fn at(step: Step) -> impl Fn(Errno) -> Failure {
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

fn last_error() -> Errno {
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
    if let Err(failure) = set_up(prepared, pipe) {
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

/// How often a path is resolved that others change at the same time.
const MAX_TRIES: usize = 128;

/// Opens a path as if the given folder were the root, whatever links say.
pub(crate) fn open_inside(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    resolve(root, path, flags)
}

fn open_below(root: &OwnedFd, path: &CStr) -> Result<OwnedFd, Errno> {
    resolve(root.as_fd(), path, OFlags::PATH)
}

fn resolve<P: rustix::path::Arg + Copy>(
    root: BorrowedFd<'_>,
    path: P,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let mut tries = 0;
    loop {
        tries += 1;
        match rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            // Something was renamed while a `..` was followed: the kernel asks to try again (openat2(2)).
            Err(Errno::AGAIN | Errno::INTR) if tries < MAX_TRIES => {}
            other => return other,
        }
    }
}

fn attach(mount: &OwnedFd, target: &OwnedFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", target, c"", flags)
}

fn set_up(prepared: &Prepared, pipe: BorrowedFd<'_>) -> Result<(), Failure> {
    rustix::mount::mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(at(Step::Private))?;
    let root = mount_root(prepared).map_err(at(Step::Root))?;
    mount_proc(&root, pipe)?;
    mount_dev(&root).map_err(at(Step::Dev))?;
    mount_empty(&root, c"tmp", c"1777").map_err(at(Step::Scratch))?;
    mount_empty(&root, c"run", c"0755").map_err(at(Step::Scratch))?;
    match mount_empty(&root, c"sys", c"0555") {
        Ok(_) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(at(Step::Scratch)(errno)),
    }
    for bind in &prepared.binds {
        bind_into(&root, bind).map_err(at(Step::Bind))?;
    }
    pivot(&root).map_err(at(Step::Pivot))?;
    rustix::system::sethostname(&prepared.hostname).map_err(at(Step::Name))
}

/// Mounts the root on itself, since only a mount can become a root. Answers the new mount: a path would still
/// lead to the old one where the root is `/`.
fn mount_root(prepared: &Prepared) -> Result<OwnedFd, Errno> {
    let tree = clone_tree(&prepared.root)?;
    rustix::mount::move_mount(
        &tree,
        c"",
        CWD,
        prepared.root.as_c_str(),
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )?;
    Ok(tree)
}

fn clone_tree(path: &CStr) -> Result<OwnedFd, Errno> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    rustix::mount::open_tree(CWD, path, flags)
}

fn new_mount(kind: &CStr, mode: Option<&CStr>, attributes: MountAttrFlags) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    if let Some(mode) = mode {
        rustix::mount::fsconfig_set_string(&context, c"mode", mode)?;
    }
    rustix::mount::fsconfig_create(&context)?;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn mount_proc(root: &OwnedFd, pipe: BorrowedFd<'_>) -> Result<(), Failure> {
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let target = open_below(root, c"proc").map_err(at(Step::Proc))?;
    // Where parts of the machine's /proc are covered (containers do so), the kernel refuses a fresh one in a user
    // namespace: then the machine's is shown.
    let mount = match new_mount(c"proc", None, attributes) {
        Ok(mount) => mount,
        Err(errno) => {
            report(pipe, Message::Degraded(at(Step::Proc)(errno)));
            clone_tree(c"/proc").map_err(at(Step::Proc))?
        }
    };
    attach(&mount, &target).map_err(at(Step::Proc))
}

fn mount_empty(root: &OwnedFd, path: &CStr, mode: &CStr) -> Result<OwnedFd, Errno> {
    let target = open_below(root, path)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let mount = new_mount(c"tmpfs", Some(mode), attributes)?;
    attach(&mount, &target)?;
    Ok(mount)
}

fn mount_dev(root: &OwnedFd) -> Result<(), Errno> {
    let dev = mount_empty(root, c"dev", c"0755")?;
    for (name, source) in DEVICES {
        let tree = match clone_tree(source) {
            Ok(tree) => tree,
            // A machine without that device.
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        drop(rustix::fs::openat(
            &dev,
            *name,
            flags,
            Mode::from_raw_mode(0o666),
        )?);
        let point = rustix::fs::openat(&dev, *name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        attach(&tree, &point)?;
    }
    for (name, target) in DEVICE_LINKS {
        rustix::fs::symlinkat(*target, &dev, *name)?;
    }
    rustix::fs::mkdirat(&dev, c"shm", Mode::from_raw_mode(0o1777))?;
    rustix::fs::chmodat(&dev, c"shm", Mode::from_raw_mode(0o1777), AtFlags::empty())
}

fn bind_into(root: &OwnedFd, bind: &PreparedBind) -> Result<(), Errno> {
    let tree = clone_tree(&bind.source)?;
    if bind.read_only {
        make_read_only(&tree)?;
    }
    attach(&tree, &open_below(root, &bind.target)?)
}

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
#[derive(Default)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

fn make_read_only(tree: &OwnedFd) -> Result<(), Errno> {
    let attributes = MountAttributes {
        set: libc::MOUNT_ATTR_RDONLY,
        ..MountAttributes::default()
    };
    // SAFETY: the path is a C string and the attributes outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            std::mem::size_of::<MountAttributes>(),
        )
    };
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

fn pivot(root: &OwnedFd) -> Result<(), Errno> {
    rustix::process::fchdir(root)?;
    // Old root on top of the new one, then taken away: no folder for it is needed (pivot_root(2), notes).
    rustix::process::pivot_root(c".", c".")?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
}
