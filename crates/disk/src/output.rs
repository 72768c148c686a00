//! Output files that appear under their final name only when they are complete.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::{Error, Region, Result};

/// How often a name is tried again that was renamed away between opening and locking it.
const MAX_LOCK_TRIES: usize = 16;

/// A file being written as `.NAME.partial` beside its final path. Dropped without [`Self::commit`], it is removed.
///
/// The temporary name is always the same, and locked: what a killed process leaves behind is taken over by the next
/// run instead of piling up, and two processes that write the same output are told so.
#[derive(Debug)]
pub struct OutputFile {
    file: File,
    partial: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl OutputFile {
    /// Starts the output that shall be `path`. The file is empty, readable and writable.
    pub fn create(path: &Path) -> Result<Self> {
        let Some(name) = path.file_name() else {
            let source = io::Error::from(io::ErrorKind::InvalidInput);
            return Err(Error::Io {
                action: "write to",
                path: path.to_owned(),
                source,
            });
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".partial");
        let partial = path.with_file_name(hidden);
        let file = open_locked(&partial, path)?;
        let output = Self {
            file,
            partial,
            path: path.to_owned(),
            committed: false,
        };
        output.set_length(0)?;
        Ok(output)
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The final path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets the length; new bytes read as zeros and take no room.
    pub fn set_length(&self, length: u64) -> Result<()> {
        self.file
            .set_len(length)
            .map_err(|e| Error::io("set the size of", &self.path, e))
    }

    /// The first `length` bytes as a region.
    pub fn region(&self, length: u64) -> Region<'_> {
        Region::new(&self.file, &self.path, 0, length)
    }

    /// Makes it durable and gives it its final name: fsync, rename, fsync of the folder.
    pub fn commit(mut self) -> Result<()> {
        self.file
            .sync_all()
            .map_err(|e| Error::io("sync", &self.path, e))?;
        std::fs::rename(&self.partial, &self.path)
            .map_err(|e| Error::io("give its name to", &self.path, e))?;
        self.committed = true;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|f| f.sync_all())
            .map_err(|e| Error::io("sync the folder", folder, e))
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if !self.committed {
            // Best effort: the name says that it is partial, and the next run takes it over.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

/// Opens and locks the temporary file, and makes sure that the name still belongs to it: the holder of the lock before
/// us may have renamed it to its final name, and that file must not be touched.
fn open_locked(partial: &Path, path: &Path) -> Result<File> {
    for _ in 0..MAX_LOCK_TRIES {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(partial)
            .map_err(|e| Error::io("create", partial, e))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => break,
            Err(e) => return Err(Error::io("lock", partial, e)),
        }
        let ours = file
            .metadata()
            .map_err(|e| Error::io("read the attributes of", partial, e))?;
        if std::fs::symlink_metadata(partial).is_ok_and(|m| (m.dev(), m.ino()) == (ours.dev(), ours.ino())) {
            return Ok(file);
        }
    }
    Err(Error::Busy {
        path: path.to_owned(),
    })
}
