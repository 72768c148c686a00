//! Objects: taken in, checked, placed.

use super::{Folder, INCOMING, remove};
use crate::cache::Placement;
use crate::failpoint::step;
use crate::folder::Lease;
use crate::{CacheError, Object};
use lazuli_catalog::Sha256Digest;
use lazuli_durable::{self as durable, Pending};
use rustix::fs::{AtFlags, CWD};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

/// The permission bits of objects: they are for reading only, and may have several names.
const MODE: u32 = 0o444;

/// How much is read at once while hashing, in bytes.
const BLOCK: usize = 256 << 10;

/// A digest in the making.
#[derive(Default)]
pub(crate) struct Hashing {
    hasher: Sha256,
    size: u64,
}

impl Hashing {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Digest and size.
    pub(crate) fn finish(self) -> (Sha256Digest, u64) {
        (Sha256Digest::from_bytes(self.hasher.finalize().into()), self.size)
    }

    /// Digest and size of what is left to read.
    pub(super) fn read(input: &mut impl Read) -> io::Result<(Sha256Digest, u64)> {
        let mut hashing = Self::default();
        let mut block = vec![0; BLOCK];
        loop {
            match input.read(&mut block) {
                Ok(0) => return Ok(hashing.finish()),
                Ok(count) => hashing.update(&block[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether an object could be placed.
#[derive(Debug)]
pub(crate) enum Placed {
    Done,
    Absent,
    /// It was damaged, and is removed.
    Refused(CacheError),
}

impl Folder {
    /// Takes a file of the caller's, which stays as it is; says what it is.
    pub(crate) fn take(&self, source: &Path, lease: &Lease) -> Result<(Sha256Digest, u64), CacheError> {
        let input = File::open(source).map_err(CacheError::io("open", source))?;
        let mut pending = self.incoming()?;
        let path = pending.temporary().to_owned();
        copy(&input, pending.file()).map_err(CacheError::io("write", &path))?;
        step("object: copied");
        // Ours is hashed, not theirs: it does not change any more.
        pending
            .file()
            .seek(SeekFrom::Start(0))
            .map_err(CacheError::io("read", &path))?;
        let (sha256, size) = Hashing::read(pending.file()).map_err(CacheError::io("read", &path))?;
        lease.hold_object(&sha256)?;
        self.adopt(pending, &sha256)?;
        Ok((sha256, size))
    }

    /// A file on its way in.
    pub(crate) fn incoming(&self) -> Result<Pending, CacheError> {
        let path = self.path.join(INCOMING).join("object");
        let pending = Pending::create(&path, MODE).map_err(CacheError::io("create a file in", &path))?;
        step("object: created");
        Ok(pending)
    }

    /// Gives a whole file with this digest its name. What has the name already stays if it is as good.
    pub(crate) fn adopt(&self, pending: Pending, sha256: &Sha256Digest) -> Result<(), CacheError> {
        let target = self.object_path(sha256);
        if File::open(&target)
            .and_then(|mut file| Hashing::read(&mut file))
            .is_ok_and(|(found, _)| found == *sha256)
        {
            return Ok(());
        }
        let folder = self.fan(&target)?;
        step("object: folder");
        durable::adopt(pending.temporary(), &target).map_err(CacheError::io("store", &target))?;
        step("object: renamed");
        durable::sync_folder(&folder).map_err(CacheError::io("sync", &folder))?;
        step("object: stored");
        // It has its name; what is left of the pending file is nothing.
        drop(pending);
        Ok(())
    }

    /// Checks an object and puts it at `target`.
    pub(crate) fn place(
        &self,
        object: &Object,
        target: &Path,
        placement: Placement,
    ) -> Result<Placed, CacheError> {
        let path = self.object_path(&object.sha256);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Placed::Absent),
            file => file.map_err(CacheError::io("open", &path))?,
        };
        // While it has a temporary name beside the target, nobody may think that its writer is gone.
        file.lock_shared().map_err(CacheError::io("lock", &path))?;
        let (sha256, size) = Hashing::read(&mut file).map_err(CacheError::io("read", &path))?;
        if sha256 != object.sha256 || size != object.size {
            remove(&path)?;
            let found = match sha256 == object.sha256 {
                true => format!("{size} bytes, not {}", object.size),
                false => sha256.to_string(),
            };
            return Ok(Placed::Refused(CacheError::Digest {
                place: path.display().to_string(),
                name: object.name.to_string(),
                expected: object.sha256.clone(),
                found,
            }));
        }
        let folder = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(CacheError::io("make folder", folder))?;
        let is_linked = placement == Placement::Link && link(&file, target)?;
        if !is_linked {
            let fail = |error| CacheError::io("write", target)(error);
            let mut pending = Pending::create(target, 0o644).map_err(fail)?;
            file.seek(SeekFrom::Start(0))
                .map_err(CacheError::io("read", &path))?;
            copy(&file, pending.file()).map_err(CacheError::io("write", target))?;
            pending.commit().map_err(CacheError::io("write", target))?;
        }
        Ok(Placed::Done)
    }
}

/// Gives the very file that was hashed another name; `false` where that cannot be.
fn link(file: &File, target: &Path) -> Result<bool, CacheError> {
    let temporary = durable::temporary_beside(target);
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    if rustix::fs::linkat(CWD, open, CWD, &temporary, AtFlags::SYMLINK_FOLLOW).is_err() {
        // Another file system, too many links, a file system without: a copy says what else may be wrong.
        return Ok(false);
    }
    let renamed = fs::rename(&temporary, target);
    // rename(2) does nothing where both names are the same file already.
    remove(&temporary)?;
    renamed.map_err(CacheError::io("rename", target))?;
    let folder = target.parent().filter(|path| !path.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    durable::sync_folder(folder).map_err(CacheError::io("sync", folder))?;
    Ok(true)
}

/// Copies a whole file, by sharing its blocks where the file system can.
fn copy(from: &File, to: &mut File) -> io::Result<()> {
    if rustix::fs::ioctl_ficlone(&*to, from).is_ok() {
        return Ok(());
    }
    io::copy(&mut &*from, to)?;
    to.flush()
}
