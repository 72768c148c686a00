//! Removing the files of packages that go.

use crate::plan::{Fate, Removal};
use crate::root::split;
use crate::{Root, TransactionError};
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;
use std::collections::BTreeSet;

/// Removes a package's paths; answers those that are gone.
pub(crate) fn remove(
    root: &Root,
    removal: &Removal,
    notes: &mut BTreeSet<String>,
) -> Result<Vec<Vec<u8>>, TransactionError> {
    let mut gone = Vec::with_capacity(removal.paths.len());
    for (path, fate) in &removal.paths {
        if remove_one(root, path, *fate, notes)? {
            gone.push(path.clone());
        }
    }
    Ok(gone)
}

fn remove_one(
    root: &Root,
    path: &[u8],
    fate: Fate,
    notes: &mut BTreeSet<String>,
) -> Result<bool, TransactionError> {
    let fail = |e: Errno| root.error("removing", path, e);
    if split(path).1.is_empty() {
        return Ok(false);
    }
    let (folder, name) = match root.parent(path) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
        other => other.map_err(fail)?,
    };
    let stat = match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(false),
        other => other.map_err(fail)?,
    };
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    match fate {
        Fate::RemoveFolder if is_folder => match rustix::fs::unlinkat(&folder, name, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            // Somebody else has something in it, or it is in use.
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY | Errno::NOENT) => Ok(false),
            Err(e) => Err(fail(e)),
        },
        // What the package had is not what is there: it is somebody else's.
        Fate::RemoveFolder => Ok(false),
        Fate::Unlink | Fate::Save(_) if is_folder => Ok(false),
        Fate::Unlink => rustix::fs::unlinkat(&folder, name, AtFlags::empty())
            .map(|()| true)
            .map_err(fail),
        Fate::Save(ending) => {
            let saved = [split(path).1, ending.as_bytes()].concat();
            rustix::fs::renameat(&folder, name, &folder, saved.as_slice()).map_err(fail)?;
            let path = crate::root::text(path);
            notes.insert(format!("{path} was changed and is kept as {path}{ending}"));
            Ok(true)
        }
    }
}
