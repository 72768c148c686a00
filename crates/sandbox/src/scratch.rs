//! Memory as a folder, for trees that are made, read once and thrown away.
//!
//! On a disk, such a tree costs its writing, and its removal, which is slower still; and whatever is synced beside it
//! waits for both.
#![allow(unsafe_code)]

use crate::error::SandboxError;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// Gives the process mounts of its own, so that what it mounts is seen by nobody else and ends with it. [`crate::enter`]
/// does so for an ordinary user; call this where the process is root already, before any thread is started.
pub fn private_mounts() -> Result<(), SandboxError> {
    // SAFETY: `CLONE_FILES` is not among the flags, so no file descriptor changes its meaning.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }.map_err(|source| {
        SandboxError::Refused {
            source: source.into(),
        }
    })?;
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|e| SandboxError::io("making private the mounts below", "/", e))
}

/// A folder in memory. Dropped, it and all that is in it are gone; so they are when the process is killed, where the
/// process has mounts of its own.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Mounts memory of at most `limit` bytes over an empty folder.
    pub fn mount(path: &Path, limit: u64) -> Result<Self, SandboxError> {
        let data = CString::new(format!("size={limit},mode=0755,nr_inodes=0")).unwrap_or_default();
        rustix::mount::mount("tmpfs", path, "tmpfs", MountFlags::NODEV, Some(data.as_c_str()))
            .map_err(|e| SandboxError::io("mounting memory over", path, e))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It ends with the process's mounts in any case.
        let _ = rustix::mount::unmount(&self.path, UnmountFlags::DETACH);
    }
}
