//! The new process: from `clone3` to `execve`.
//!
//! Two processes are made. The first is number 1 of a new pid namespace: it builds the mounts, starts the second,
//! reaps whatever ends, and when the second has ended reports its status and ends too, whereupon the kernel kills
//! what is left in the namespace. The second gives up capabilities and becomes the program.
//!
//! Two descriptors lead to the caller: a pipe for reports, and a socket over which the caller says that the ids are
//! mapped, and the first process hands out what the caller watches the others with.
//!
//! Neither may allocate or take a lock before `execve`: the caller may have threads, and what they held at the time
//! of the copy stays held. So these functions make system calls on prepared data only.
#![allow(unsafe_code)]

use crate::prepared::{Identity, Prepared, Session};
use crate::report::{Failure, Message, Step, at};
use crate::{devices, identity, mounts};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// `struct clone_args` of clone3(2).
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
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// `CLONE_INTO_CGROUP` (sched.h); it does not fit into the type that the C library has for flags.
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// A copy of this process. Answers 0 in the copy.
fn clone(flags: u64, pidfd: Option<&mut i32>, cgroup: Option<BorrowedFd<'_>>) -> Result<libc::pid_t, Errno> {
    let mut arguments = CloneArguments {
        flags,
        exit_signal: u64::from(libc::SIGCHLD.cast_unsigned()),
        ..CloneArguments::default()
    };
    if let Some(pidfd) = pidfd {
        arguments.flags |= u64::from(libc::CLONE_PIDFD.cast_unsigned());
        arguments.pidfd = std::ptr::from_mut(pidfd) as u64;
    }
    if let Some(cgroup) = cgroup {
        arguments.flags |= INTO_CGROUP;
        arguments.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
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

/// The descriptors that the first process is given.
#[derive(Clone, Copy)]
pub(crate) struct Descriptors<'a> {
    /// Input, output, errors; what is `None` stays the caller's.
    pub(crate) streams: [Option<&'a OwnedFd>; 3],
    /// The writing end of the report pipe.
    pub(crate) report: &'a OwnedFd,
    /// The first process's end of the socket.
    pub(crate) control: &'a OwnedFd,
}

/// Starts both processes, in this control group; answers the first one's id and handle. It waits for a byte on the socket
/// if it has a user namespace of its own.
pub(crate) fn start(
    prepared: &Prepared,
    given: Descriptors<'_>,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<(libc::pid_t, OwnedFd), Failure> {
    let mut handle = -1;
    let pid = clone(prepared.namespaces, Some(&mut handle), cgroup).map_err(at(Step::Clone))?;
    if pid == 0 {
        first(prepared, given);
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

/// The exit code of a first process that could not do its work.
const SETUP_FAILED: i32 = 125;

/// Number 1 of the new pid namespace.
fn first(prepared: &Prepared, given: Descriptors<'_>) -> ! {
    identity::block_signals();
    let (pipe, control) = match keep_only(given) {
        Ok(kept) => kept,
        Err(errno) => {
            report(given.report.as_fd(), Message::Failed(at(Step::Streams)(errno)));
            exit(SETUP_FAILED);
        }
    };
    let _best = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if caller_is_gone(pipe) {
        exit(SETUP_FAILED);
    }
    if let Err(failure) = set_up(prepared, pipe, control) {
        report(pipe, Message::Failed(failure));
        exit(SETUP_FAILED);
    }
    let worker = match clone(0, None, None) {
        Ok(0) => second(prepared, pipe),
        Ok(pid) => pid,
        Err(errno) => {
            report(pipe, Message::Failed(at(Step::Worker)(errno)));
            exit(SETUP_FAILED);
        }
    };
    // Descriptors that only the program needs: kept here, they would keep its pipes and its terminal open.
    for number in 0..3 {
        // SAFETY: nothing of this process uses them.
        unsafe { libc::close(number) };
    }
    loop {
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        let ended = unsafe { libc::waitpid(-1, &raw mut status, 0) };
        if ended == worker {
            report(pipe, Message::Ended(status));
            exit(0);
        }
        if ended < 0 && last_error() != Errno::INTR {
            exit(SETUP_FAILED);
        }
    }
}

/// Whether the caller ended before this process asked for the signal that tells so.
fn caller_is_gone(pipe: BorrowedFd<'_>) -> bool {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut polled = [PollFd::from_borrowed_fd(pipe, PollFlags::empty())];
    rustix::event::poll(&mut polled, Some(&now)).is_ok()
        && polled.iter().any(|fd| fd.revents().contains(PollFlags::ERR))
}

fn set_up(prepared: &Prepared, pipe: BorrowedFd<'_>, control: BorrowedFd<'_>) -> Result<(), Failure> {
    let degraded = |failure| report(pipe, Message::Degraded(failure));
    if prepared.namespaces & u64::from(libc::CLONE_NEWUSER.cast_unsigned()) != 0 {
        let mut byte = [0u8];
        match rustix::io::retry_on_intr(|| rustix::io::read(control, &mut byte)) {
            Ok(1) => {}
            Ok(_) => return Err(at(Step::Maps)(Errno::PIPE)),
            Err(errno) => return Err(at(Step::Maps)(errno)),
        }
    }
    if prepared.first_to_go
        && let Err(errno) = mounts::write_file(c"/proc/self/oom_score_adj", b"1000")
    {
        degraded(at(Step::Limits)(errno));
    }
    mounts::set_up(prepared, &degraded)?;
    if prepared.loopback
        && let Err(errno) = devices::switch_on_loopback()
    {
        degraded(at(Step::Loopback)(errno));
    }
    if prepared.watched
        && let Err(errno) = hand_out(control)
    {
        degraded(at(Step::Watch)(errno));
    }
    // What this process holds is a copy of the caller's memory. It is nobody's to look at, not even for the
    // namespace's root.
    // SAFETY: prctl with plain numbers.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
    Ok(())
}

/// Sends the caller a view of the namespace's processes that is not the one that the program has, and one of its shared
/// memory segments.
fn hand_out(control: BorrowedFd<'_>) -> Result<(), Errno> {
    let processes = mounts::processes()?;
    let segments = mounts::shared_segments(&processes);
    let mut descriptors = [processes.as_fd(); 2];
    let mut count = 1;
    if let Ok(segments) = &segments
        && let Some(slot) = descriptors.get_mut(1)
    {
        *slot = segments.as_fd();
        count = 2;
    }
    let descriptors = descriptors.get(..count).unwrap_or_default();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::NOBUFS);
    }
    rustix::net::sendmsg(
        control,
        &[IoSlice::new(b"w")],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Puts the streams at 0, 1 and 2, the report pipe at 3, the socket at 4, and closes all else: a copy of the caller's
/// end of a pipe would keep that pipe open for ever.
fn keep_only<'a>(given: Descriptors<'_>) -> Result<(BorrowedFd<'a>, BorrowedFd<'a>), Errno> {
    const REPORT: i32 = 3;
    const CONTROL: i32 = 4;
    let [stdin, stdout, stderr] = given.streams;
    let wanted = [stdin, stdout, stderr, Some(given.report), Some(given.control)];
    let mut high = [-1; 5];
    // SAFETY: plain system calls on numbers. All are moved up first, so that none is overwritten before it is placed.
    // Descriptors 3 and 4 are the report pipe and the socket from here on, and stay open until the process ends.
    // Nothing else of this process uses a descriptor that is closed here.
    unsafe {
        for (stream, high) in wanted.iter().zip(&mut high) {
            if let Some(fd) = stream {
                *high = libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, CONTROL + 1);
                if *high < 0 {
                    return Err(last_error());
                }
            }
        }
        for (number, high) in (0..).zip(high) {
            let flags = if number < REPORT { 0 } else { libc::O_CLOEXEC };
            if high >= 0 && libc::dup3(high, number, flags) < 0 {
                return Err(last_error());
            }
        }
        if libc::syscall(libc::SYS_close_range, CONTROL + 1, u32::MAX, 0) < 0 {
            return Err(last_error());
        }
        Ok((BorrowedFd::borrow_raw(REPORT), BorrowedFd::borrow_raw(CONTROL)))
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
    match prepared.session {
        // SAFETY: a plain system call.
        Session::Own => drop(unsafe { libc::setsid() }),
        Session::Terminal => identity::take_terminal().map_err(at(Step::Terminal))?,
    }
    // SAFETY: plain system calls on numbers.
    unsafe {
        libc::umask(prepared.umask);
        if libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) < 0 {
            return Err(at(Step::Streams)(last_error()));
        }
    }
    identity::reset_signals();
    identity::set_limits(&prepared.limits).map_err(at(Step::Limits))?;
    if let Some(cpus) = &prepared.cpus {
        rustix::thread::sched_setaffinity(None, cpus).map_err(at(Step::Limits))?;
    }
    identity::leave_groups();
    match prepared.identity {
        Identity::Root if prepared.filter.is_empty() => Ok(()),
        Identity::Root => identity::no_new_privileges(),
        Identity::Installer => identity::keep_installer(),
        Identity::User { uid, gid } => identity::become_user(uid, gid),
    }
    .map_err(at(Step::User))?;
    rustix::process::chdir(prepared.working_directory.as_c_str()).map_err(at(Step::Directory))?;
    if !prepared.filter.is_empty() {
        identity::set_filter(&prepared.filter).map_err(at(Step::Filter))?;
    }
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
