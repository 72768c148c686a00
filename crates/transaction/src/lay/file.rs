//! Laying one file, link or device.

use super::Owner;
use crate::capability;
use crate::root::{Attributes, set_attributes, set_time, split, temporary_name};
use lazuli_rpm::{FileEntry, PackageError, PayloadEntry};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

/// How much is copied at once.
const BLOCK: usize = 256 << 10;

/// Where a file goes.
pub(super) struct Place {
    pub(super) folder: Rc<OwnedFd>,
    /// Its path, for the last part and for messages.
    pub(super) path: Vec<u8>,
}

impl Place {
    fn name(&self) -> &OsStr {
        OsStr::from_bytes(split(&self.path).1)
    }
}

pub(super) enum LayError {
    Package(PackageError),
    Io(std::io::Error),
}

impl From<Errno> for LayError {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Writes files; holds the buffer for it.
pub(super) struct FileWriter {
    is_fresh: bool,
    buffer: Vec<u8>,
}

impl FileWriter {
    pub(super) fn new(is_fresh: bool) -> Self {
        Self {
            is_fresh,
            buffer: vec![0; BLOCK],
        }
    }

    /// Lays what the entry is. Answers what the user should know.
    pub(super) fn lay(
        &mut self,
        place: &Place,
        file: &FileEntry,
        owner: Owner,
        entry: &mut PayloadEntry<'_>,
    ) -> Result<Option<String>, LayError> {
        match FileType::from_raw_mode(u32::from(file.mode)) {
            FileType::RegularFile => self.regular(place, file, owner, entry).map(|()| None),
            FileType::Symlink => {
                let target = OsStr::from_bytes(&file.link_target);
                self.special(place, file, owner, |folder, name| {
                    rustix::fs::symlinkat(target, folder, name)
                })?;
                Ok(None)
            }
            kind @ (FileType::CharacterDevice | FileType::BlockDevice | FileType::Fifo) => {
                let device = rustix::fs::makedev(u32::from(file.rdev >> 8), u32::from(file.rdev & 0xff));
                let mode = Mode::from_raw_mode(u32::from(file.mode) & 0o7777);
                let made = self.special(place, file, owner, |folder, name| {
                    rustix::fs::mknodat(folder, name, kind, mode, device)
                });
                match made {
                    // A user namespace may not make devices; the system makes its own at boot.
                    Err(Errno::PERM) => Ok(Some(format!(
                        "the device {} was left out",
                        crate::root::text(&place.path)
                    ))),
                    Err(e) => Err(e.into()),
                    Ok(()) => Ok(None),
                }
            }
            // Sockets cannot be packaged.
            _ => Ok(None),
        }
    }

    fn regular(
        &mut self,
        place: &Place,
        file: &FileEntry,
        owner: Owner,
        entry: &mut PayloadEntry<'_>,
    ) -> Result<(), LayError> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(0o600);
        let mut temporary = None;
        let direct = if self.is_fresh {
            rustix::fs::openat(&place.folder, place.name(), flags, mode)
        } else {
            Err(Errno::EXIST)
        };
        let opened = match direct {
            Err(Errno::EXIST) => {
                let name = temporary_name();
                let opened = rustix::fs::openat(&place.folder, name.as_str(), flags, mode)?;
                temporary = Some(name);
                opened
            }
            other => other?,
        };
        let mut out = File::from(opened);
        let name = temporary.as_deref().map_or(place.name(), OsStr::new);
        let written = self.fill(&mut out, file, owner, entry).and_then(|()| {
            if temporary.is_some() {
                rustix::fs::renameat(&place.folder, name, &place.folder, place.name())?;
            }
            Ok(())
        });
        if written.is_err() {
            // Nothing half-made stays; the first error is the one to report.
            let _left = rustix::fs::unlinkat(&place.folder, name, AtFlags::empty());
        }
        written
    }

    fn fill(
        &mut self,
        out: &mut File,
        file: &FileEntry,
        owner: Owner,
        entry: &mut PayloadEntry<'_>,
    ) -> Result<(), LayError> {
        let mut rest = entry.size();
        while rest > 0 {
            let count = match entry.read(&mut self.buffer) {
                Ok(count) => count,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(LayError::Package(PackageError::Decompress(e))),
            };
            if count == 0 {
                break;
            }
            out.write_all(self.buffer.get(..count).unwrap_or_default())
                .map_err(LayError::Io)?;
            rest -= count as u64;
        }
        let mode = u32::from(file.mode & owner.mode_mask);
        set_attributes(
            out,
            Attributes {
                mode,
                uid: owner.uid,
                gid: owner.gid,
                mtime: file.mtime,
            },
        )?;
        if !file.capabilities.is_empty() {
            let value = capability::encode(&file.capabilities).map_err(|reason| {
                LayError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, reason))
            })?;
            rustix::fs::fsetxattr(&*out, capability::ATTRIBUTE, &value, XattrFlags::empty())?;
        }
        Ok(())
    }

    /// Makes something that has no content, under a temporary name if something is there already.
    fn special(
        &self,
        place: &Place,
        file: &FileEntry,
        owner: Owner,
        make: impl Fn(&OwnedFd, &OsStr) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let finish = |name: &OsStr| {
            let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
            rustix::fs::chownat(
                &place.folder,
                name,
                Some(uid),
                Some(gid),
                AtFlags::SYMLINK_NOFOLLOW,
            )?;
            if !file.is_symlink() {
                let mode = Mode::from_raw_mode(u32::from(file.mode & owner.mode_mask & 0o7777));
                rustix::fs::chmodat(&place.folder, name, mode, AtFlags::empty())?;
            }
            set_time(&place.folder, name, file.mtime)
        };
        if self.is_fresh {
            match make(&place.folder, place.name()) {
                Ok(()) => return finish(place.name()),
                Err(Errno::EXIST) => {}
                Err(e) => return Err(e),
            }
        }
        self.replace(place, |name| {
            make(&place.folder, name)?;
            finish(name)
        })
    }

    /// Makes a hard link.
    pub(super) fn link(&self, first: &Place, place: &Place) -> Result<(), Errno> {
        let make = |name: &OsStr| {
            rustix::fs::linkat(&first.folder, first.name(), &place.folder, name, AtFlags::empty())
        };
        if self.is_fresh {
            match make(place.name()) {
                Err(Errno::EXIST) => {}
                other => return other,
            }
        }
        self.replace(place, make)
    }

    fn replace(&self, place: &Place, make: impl FnOnce(&OsStr) -> Result<(), Errno>) -> Result<(), Errno> {
        let temporary = temporary_name();
        let name = OsStr::new(&temporary);
        let made =
            make(name).and_then(|()| rustix::fs::renameat(&place.folder, name, &place.folder, place.name()));
        // After a success the name is gone, but for two links to one file, which rename(2) leaves alone.
        let _left = rustix::fs::unlinkat(&place.folder, name, AtFlags::empty());
        made
    }
}
