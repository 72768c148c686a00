//! Configuration files: whose version wins, the administrator's or the package's.
//!
//! The rules are rpm's (`rpmfilesDecideFate`): what the administrator did not touch follows the package; what the package
//! did not change stays as the administrator has it; where both changed, `%config(noreplace)` lays the new one
//! beside (`.rpmnew`), and `%config` moves the old one aside (`.rpmsave`).

use super::{Action, ByPath, Fate};
use crate::{Aliases, InstalledPackage, Root, TransactionError};
use lazuli_rpm::{FileEntry, FileFlags};
use rustix::fs::FileType;
use sha2::{Digest, Sha256};
use std::io::Read;

/// What is at a path of a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnDisk {
    /// Nothing.
    Absent,
    /// A regular file with this SHA-256.
    Regular([u8; 32]),
    /// A link with this target.
    Link(Vec<u8>),
    /// Something else.
    Other,
}

/// Tells what is at a path. Asked for configuration files only.
pub trait Disk {
    /// What is at `path`, itself and not what it links to.
    fn look(&self, path: &[u8]) -> Result<OnDisk, TransactionError>;
}

/// A root with nothing in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyDisk;

impl Disk for EmptyDisk {
    fn look(&self, _path: &[u8]) -> Result<OnDisk, TransactionError> {
        Ok(OnDisk::Absent)
    }
}

/// How much is hashed at once.
const BLOCK: usize = 64 << 10;

impl Disk for Root {
    fn look(&self, path: &[u8]) -> Result<OnDisk, TransactionError> {
        let stat = self.stat(path).map_err(|e| self.error("reading", path, e))?;
        let Some(stat) = stat else {
            return Ok(OnDisk::Absent);
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(OnDisk::Regular(hash(self, path)?)),
            FileType::Symlink => {
                let target = self.read_link(path).map_err(|e| self.error("reading", path, e))?;
                Ok(target.map_or(OnDisk::Absent, OnDisk::Link))
            }
            _ => Ok(OnDisk::Other),
        }
    }
}

/// SHA-256 of a file of a root.
pub(crate) fn hash(root: &Root, path: &[u8]) -> Result<[u8; 32], TransactionError> {
    let mut file = root.open_file(path).map_err(|e| root.error("opening", path, e))?;
    let (mut hasher, mut block) = (Sha256::new(), vec![0; BLOCK]);
    loop {
        match file
            .read(&mut block)
            .map_err(|e| root.error("reading", path, e))?
        {
            0 => return Ok(hasher.finalize().into()),
            count => hasher.update(block.get(..count).unwrap_or_default()),
        }
    }
}

/// The files of packages that go, by real path: what the package's file was when it was laid.
pub(super) struct OldFiles<'a> {
    files: ByPath<'a, &'a FileEntry>,
}

impl<'a> OldFiles<'a> {
    pub(super) fn new(outgoing: &[&'a InstalledPackage], aliases: &Aliases) -> Self {
        let mut files = ByPath::new();
        for package in outgoing {
            for (file, present) in package.metadata.files.iter().zip(&package.present) {
                if *present && file.flags.contains(FileFlags::CONFIG) {
                    files.insert(aliases.resolve(&file.path), file);
                }
            }
        }
        Self { files }
    }

    pub(super) fn get(&self, path: &[u8]) -> Option<&FileEntry> {
        self.files.get(path).copied()
    }
}

/// Whether what is on disk is what the package laid.
fn is_same(disk: &OnDisk, file: &FileEntry) -> bool {
    match disk {
        OnDisk::Regular(digest) => file.digest == Some(*digest),
        OnDisk::Link(target) => file.is_symlink() && file.link_target == *target,
        OnDisk::Absent | OnDisk::Other => false,
    }
}

/// Whether two packages' files have the same content.
fn is_same_content(left: &FileEntry, right: &FileEntry) -> bool {
    if left.is_symlink() || right.is_symlink() {
        return left.is_symlink() && right.is_symlink() && left.link_target == right.link_target;
    }
    left.digest.is_some() && left.digest == right.digest
}

/// What becomes of a configuration file of a package that is laid.
pub(super) fn install_action(new: &FileEntry, old: Option<&FileEntry>, disk: &OnDisk) -> Action {
    let noreplace = new.flags.contains(FileFlags::NOREPLACE);
    if *disk == OnDisk::Absent || is_same(disk, new) {
        return Action::Write;
    }
    match old {
        Some(old) if is_same(disk, old) => Action::Write,
        Some(old) if is_same_content(old, new) => Action::Keep,
        Some(_) if noreplace => Action::WriteBeside(".rpmnew"),
        Some(_) => Action::SaveAndWrite(".rpmsave"),
        None if noreplace => Action::WriteBeside(".rpmnew"),
        None => Action::SaveAndWrite(".rpmorig"),
    }
}

/// What becomes of a path whose owner goes.
pub(super) fn removal_fate(
    file: &FileEntry,
    disk: impl FnOnce() -> Result<OnDisk, TransactionError>,
) -> Result<Fate, TransactionError> {
    if file.is_directory() {
        return Ok(Fate::RemoveFolder);
    }
    if !file.flags.contains(FileFlags::CONFIG) || file.is_ghost() {
        return Ok(Fate::Unlink);
    }
    Ok(match disk()? {
        OnDisk::Absent => Fate::Unlink,
        disk if is_same(&disk, file) => Fate::Unlink,
        _ => Fate::Save(".rpmsave"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(digest: u8, flags: FileFlags) -> FileEntry {
        FileEntry {
            flags: FileFlags::CONFIG | flags,
            ..FileEntry::regular("/etc/f", 0o644, 1, Some([digest; 32]))
        }
    }

    fn check(new: u8, flags: FileFlags, old: Option<u8>, disk: Option<u8>, expected: Action) {
        let old = old.map(|digest| file(digest, FileFlags::empty()));
        let disk = disk.map_or(OnDisk::Absent, |digest| OnDisk::Regular([digest; 32]));
        let action = install_action(&file(new, flags), old.as_ref(), &disk);
        assert_eq!(action, expected, "new {new} old {old:?} disk {disk:?}");
    }

    #[test]
    fn whose_configuration_wins() {
        let (replace, keep) = (FileFlags::empty(), FileFlags::NOREPLACE);
        check(1, keep, None, None, Action::Write);
        check(1, keep, None, Some(1), Action::Write);
        check(1, keep, None, Some(9), Action::WriteBeside(".rpmnew"));
        check(1, replace, None, Some(9), Action::SaveAndWrite(".rpmorig"));
        check(2, keep, Some(1), Some(1), Action::Write);
        check(2, keep, Some(1), Some(2), Action::Write);
        check(1, keep, Some(1), Some(9), Action::Keep);
        check(1, replace, Some(1), Some(9), Action::Keep);
        check(2, keep, Some(1), Some(9), Action::WriteBeside(".rpmnew"));
        check(2, replace, Some(1), Some(9), Action::SaveAndWrite(".rpmsave"));
        check(2, keep, Some(1), None, Action::Write);
    }

    #[test]
    fn what_remains_of_a_removed_package() {
        let fate = |disk: OnDisk| removal_fate(&file(1, FileFlags::NOREPLACE), || Ok(disk)).ok();
        assert_eq!(fate(OnDisk::Regular([1; 32])), Some(Fate::Unlink));
        assert_eq!(fate(OnDisk::Regular([2; 32])), Some(Fate::Save(".rpmsave")));
        assert_eq!(fate(OnDisk::Absent), Some(Fate::Unlink));
        let folder = FileEntry::directory("/etc/d", 0o755);
        assert_eq!(
            removal_fate(&folder, || Ok(OnDisk::Other)).ok(),
            Some(Fate::RemoveFolder)
        );
    }
}
