//! Locks between threads and processes, each on one thing.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::SourceError;

/// How often a lock is taken anew because its file was removed meanwhile by the one who held it before.
const MAX_ATTEMPTS: usize = 10_000;

/// How long is waited between two tries to take a lock.
const POLL: Duration = Duration::from_millis(25);

/// What a lock's file becomes when it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leftover {
    /// It goes: there may be very many.
    Remove,
    /// It stays.
    Keep,
}

/// A lock that is held until it is dropped. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
    leftover: Leftover,
}

impl Lock {
    /// Waits for the lock whose file is `path`, for as long as another thread or process holds it.
    pub(crate) fn take(path: &Path, leftover: Leftover) -> Result<Self, SourceError> {
        Self::acquire(path, leftover, &|file| {
            file.lock().map_err(SourceError::io("lock", path))
        })
    }

    /// The same, but for so long only: programs that we start may hold such a lock even when we are gone.
    pub(crate) fn take_within(
        path: &Path,
        leftover: Leftover,
        limit: Duration,
        clock: &dyn Clock,
    ) -> Result<Self, SourceError> {
        let start = clock.elapsed();
        Self::acquire(path, leftover, &|file| {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::Error(error)) => return Err(SourceError::io("lock", path)(error)),
                    Err(TryLockError::WouldBlock) if clock.elapsed().saturating_sub(start) >= limit => {
                        let path = path.to_owned();
                        return Err(SourceError::Busy { path, limit });
                    }
                    Err(TryLockError::WouldBlock) => std::thread::sleep(POLL),
                }
            }
        })
    }

    fn acquire(
        path: &Path,
        leftover: Leftover,
        lock: &dyn Fn(&File) -> Result<(), SourceError>,
    ) -> Result<Self, SourceError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(SourceError::io("make the folder", folder))?;
        }
        for _ in 0..MAX_ATTEMPTS {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(SourceError::io("open", path))?;
            lock(&file)?;
            // Whoever held it may have removed the file: then others lock a new one.
            let ours = file.metadata().map_err(SourceError::io("look at", path))?;
            let named = std::fs::metadata(path);
            if named.is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())) {
                return Ok(Self {
                    file,
                    path: path.to_owned(),
                    leftover,
                });
            }
        }
        let error = std::io::Error::other("others keep removing it");
        Err(SourceError::io("lock", path)(error))
    }

    /// The file that carries the lock. A program that has a copy of it holds the lock until it ends.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.leftover == Leftover::Remove {
            // Still locked: no one else can have taken it. If it cannot be removed, it is taken again all the same.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
