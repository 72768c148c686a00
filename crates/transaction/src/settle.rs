//! Times of what was made by the way: the same root is to have the same times, whenever it was made.

use crate::root::{set_time, split};
use crate::{Clock, Root, TransactionError};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// Gives everything that is newer than `newest` (seconds since 1970) the time of the transaction.
pub(crate) fn clamp(root: &Root, newest: u32, clock: Clock) -> Result<(), TransactionError> {
    let mut folders: Vec<Vec<u8>> = vec![Vec::new()];
    while let Some(path) = folders.pop() {
        let fail = |e: Errno| root.error("setting times in", &path, e);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let parent: OwnedFd = if path.is_empty() {
            root.folder(b"").map_err(fail)?
        } else {
            root.folder(split(&path).0).map_err(fail)?
        };
        let name = if path.is_empty() {
            OsStr::new(".")
        } else {
            OsStr::from_bytes(split(&path).1)
        };
        let folder = rustix::fs::openat(&parent, name, flags, Mode::empty()).map_err(fail)?;
        for entry in Dir::read_from(&folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == ".." {
                continue;
            }
            let stat = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(fail)?;
            if stat.st_mtime > i64::from(newest) {
                set_time(&folder, name, clock.seconds()).map_err(fail)?;
            }
            if name != "." && FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                folders.push([path.as_slice(), b"/", name.as_bytes()].concat());
            }
        }
    }
    Ok(())
}
