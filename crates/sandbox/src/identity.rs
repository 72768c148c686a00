//! Who the program becomes, what it may do, and what it may use up. Called between `clone3` and `execve`: system calls on
//! prepared data only, see `child`.
#![allow(unsafe_code)]

use crate::child::last_error;
use crate::prepared::ResourceLimit;
use libc::sock_filter;
use rustix::io::Errno;
use rustix::process::Rlimit;

/// Capabilities that installing takes: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, KILL, SETGID, SETUID,
/// SETPCAP, SYS_CHROOT, MKNOD, SETFCAP (capability.h).
const INSTALLER_CAPABILITIES: &[i32] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 18, 27, 31];

/// More than any kernel has.
const MAX_CAPABILITIES: i32 = 64;

/// The highest signal.
const MAX_SIGNAL: i32 = 64;

/// Stops the caller's signal handlers from running in a copy of it, where what they touch is not theirs.
pub(crate) fn block_signals() {
    // SAFETY: the set is plain data, initialised by sigfillset before it is read.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}

/// Signals as a new program expects them. Ignored ones would be inherited: Rust programs ignore SIGPIPE, `nohup` SIGHUP.
pub(crate) fn reset_signals() {
    // SAFETY: dispositions are set to the default, so that no handler can run any more, before signals are let through;
    // the set is plain data, initialised by sigemptyset before it is read.
    unsafe {
        for signal in 1..=MAX_SIGNAL {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Makes the terminal at descriptor 0 the program's: its process group is the one in the foreground. Signals must be
/// blocked, since who is in the background is stopped for asking.
pub(crate) fn take_terminal() -> Result<(), Errno> {
    // SAFETY: plain system calls on numbers.
    unsafe {
        if libc::setpgid(0, 0) < 0 || libc::tcsetpgrp(0, libc::getpid()) < 0 {
            return Err(last_error());
        }
    }
    Ok(())
}

/// Sets resource limits, none of them above what the process may have.
pub(crate) fn set_limits(limits: &[ResourceLimit]) -> Result<(), Errno> {
    for limit in limits {
        let highest = rustix::process::getrlimit(limit.resource).maximum;
        // Infinity is no number for the kernel's interface, and none is above it.
        let lowered = |value: u64| match highest {
            Some(highest) => Some(value.min(highest)),
            None if value == u64::MAX => None,
            None => Some(value),
        };
        let new = Rlimit {
            current: lowered(limit.current),
            maximum: lowered(limit.maximum),
        };
        rustix::process::setrlimit(limit.resource, new)?;
    }
    Ok(())
}

/// No further groups. Not the C library's function: it would wait for the threads of the caller, which this copy does
/// not have.
pub(crate) fn leave_groups() {
    // SAFETY: an empty list.
    unsafe {
        libc::syscall(libc::SYS_setgroups, 0usize, std::ptr::null::<libc::gid_t>());
    }
}

/// Root stays root, with what installing takes.
pub(crate) fn keep_installer() -> Result<(), Errno> {
    drop_bounding(INSTALLER_CAPABILITIES)?;
    no_new_privileges()
}

fn drop_bounding(keep: &[i32]) -> Result<(), Errno> {
    for capability in 0..MAX_CAPABILITIES {
        // SAFETY: prctl with plain numbers.
        if !keep.contains(&capability)
            && unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } < 0
        {
            match last_error() {
                // Past the last one that this kernel knows.
                Errno::INVAL => break,
                errno => return Err(errno),
            }
        }
    }
    Ok(())
}

pub(crate) fn no_new_privileges() -> Result<(), Errno> {
    // SAFETY: prctl with plain numbers.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } < 0 {
        return Err(last_error());
    }
    Ok(())
}

/// `struct __user_cap_header_struct` of capget(2).
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

/// Becomes a user without any capability, for good.
pub(crate) fn become_user(uid: u32, gid: u32) -> Result<(), Errno> {
    const VERSION_3: u32 = 0x2008_0522; // _LINUX_CAPABILITY_VERSION_3
    drop_bounding(&[])?;
    let header = CapabilityHeader {
        version: VERSION_3,
        pid: 0,
    };
    // Effective, permitted, inheritable, twice 32 bits each.
    let none = [0u32; 6];
    // SAFETY: plain numbers, and structures of the shape that capset(2) wants, which outlive the calls. The ids are set
    // by the bare calls, which change this thread, the only one there is; the C library's would look for others.
    unsafe {
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        if libc::syscall(libc::SYS_setresgid, gid, gid, gid) < 0
            || libc::syscall(libc::SYS_setresuid, uid, uid, uid) < 0
            || libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) < 0
        {
            return Err(last_error());
        }
    }
    no_new_privileges()
}

/// Sets the filter. The last thing before the program is started.
pub(crate) fn set_filter(program: &[sock_filter]) -> Result<(), Errno> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| Errno::INVAL)?,
        filter: program.as_ptr().cast_mut(),
    };
    const MODE_FILTER: i32 = 2; // SECCOMP_MODE_FILTER
    // SAFETY: the kernel copies the instructions, which outlive the call, and does not write to them.
    if unsafe { libc::prctl(libc::PR_SET_SECCOMP, MODE_FILTER, &raw const program, 0, 0) } < 0 {
        return Err(last_error());
    }
    Ok(())
}
