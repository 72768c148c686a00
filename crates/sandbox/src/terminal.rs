//! The caller's terminal, lent to a program and taken back.
#![allow(unsafe_code)]

use crate::error::SandboxError;

/// A terminal that is lent out. Dropped, it is the caller's again, in the mode that it had.
pub(crate) struct Lent {
    mode: libc::termios,
}

impl Lent {
    /// Remembers how the terminal is. There must be one.
    pub(crate) fn new() -> Result<Self, SandboxError> {
        // SAFETY: `mode` is plain data, outlives the call, and is filled before it is read.
        unsafe {
            let mut mode: libc::termios = std::mem::zeroed();
            if libc::tcgetattr(0, &raw mut mode) < 0 {
                let error = std::io::Error::last_os_error();
                return Err(SandboxError::io(
                    "asking for the terminal at",
                    "standard input",
                    error,
                ));
            }
            Ok(Self { mode })
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: plain data that outlives the calls. The signal that stops who asks from the background is blocked in
        // this thread while it asks, and the thread's mask is put back.
        unsafe {
            let (mut stop, mut old): (libc::sigset_t, libc::sigset_t) =
                (std::mem::zeroed(), std::mem::zeroed());
            libc::sigemptyset(&raw mut stop);
            libc::sigaddset(&raw mut stop, libc::SIGTTOU);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const stop, &raw mut old);
            libc::tcsetpgrp(0, libc::getpgrp());
            libc::tcsetattr(0, libc::TCSADRAIN, &raw const self.mode);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const old, std::ptr::null_mut());
        }
    }
}
