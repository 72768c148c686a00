//! The facts of earlier runs, in one file.
//!
//! ```text
//!  magic (8 bytes) │ SHA-256 of the rest (32 bytes) │ postcard: reader (text), entries (path → stamp, facts)
//! ```
//!
//! A file that is damaged, of another format or of another reader counts as empty: it is a cache, and is written again.
//! An entry counts as long as its spec, and each file that it loads, has the same size, times and inode, **and** was
//! changed before the cache was written: what changes twice within one tick of the file system's clock would look the same
//! (git calls this racy).

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::facts::SpecFacts;

/// The format; its number rises when [`SpecFacts`] changes.
const MAGIC: &[u8; 8] = b"LZSPEC\x00\x02";
const DIGEST: usize = 32;
/// Largest cache that is read, in bytes; 7,600 specs take less than 20 MB.
const SIZE_MAX: u64 = 2 << 30;

/// What tells whether a file is still the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    size: u64,
    inode: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            size: metadata.size(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    /// Of the spec, and then of each file that it loads.
    pub(super) stamps: Vec<(String, Stamp)>,
    pub(super) facts: Arc<SpecFacts>,
}

/// What is in the file: the reader, and of each spec its key, stamps and facts.
type Content<Text, Stamps, Facts> = (Text, Vec<(Text, Stamps, Facts)>);
type Stamps = Vec<(String, Stamp)>;

/// What is known from earlier.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: HashMap<String, Arc<Entry>>,
    /// When it was written.
    written: (i64, i64),
}

impl Cache {
    /// Reads the cache; what can't be used is as if it were not there.
    pub(super) fn open(path: &Path, reader: &str) -> Self {
        let Ok(metadata) = std::fs::metadata(path) else {
            return Self::default();
        };
        if metadata.size() > SIZE_MAX {
            return Self::default();
        }
        let content = std::fs::read(path).ok().and_then(|bytes| decode(&bytes));
        match content {
            Some((by, entries)) if by == reader => Self {
                entries: entries
                    .into_iter()
                    .map(|(key, stamps, facts)| {
                        let facts = Arc::new(facts);
                        (key, Arc::new(Entry { stamps, facts }))
                    })
                    .collect(),
                written: (metadata.mtime(), metadata.mtime_nsec()),
            },
            _ => Self::default(),
        }
    }

    /// The entry of a spec that is as it was.
    pub(super) fn get(&self, key: &str) -> Option<&Arc<Entry>> {
        let entry = self.entries.get(key)?;
        let same = |(path, stamp): &(String, Stamp)| {
            stamp.changed < self.written && Stamp::read(Path::new(path)).is_ok_and(|now| now == *stamp)
        };
        entry.stamps.iter().all(same).then_some(entry)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Writes a cache durably, in the place of the one before.
    pub(super) fn write(path: &Path, reader: &str, entries: &HashMap<String, Arc<Entry>>) -> io::Result<()> {
        let mut entries: Vec<(&str, &Stamps, &SpecFacts)> = entries
            .iter()
            .map(|(key, entry)| (key.as_str(), &entry.stamps, &*entry.facts))
            .collect();
        entries.sort_by_key(|(key, ..)| *key);
        let content: Content<&str, &Stamps, &SpecFacts> = (reader, entries);
        let body = postcard::to_stdvec(&content).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(MAGIC.len() + DIGEST + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&Sha256::digest(&body));
        bytes.extend_from_slice(&body);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        lazuli_durable::write(path, &bytes)
    }
}

fn decode(bytes: &[u8]) -> Option<Content<String, Stamps, SpecFacts>> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (digest, body) = rest.split_at_checked(DIGEST)?;
    if Sha256::digest(body).as_slice() != digest {
        return None;
    }
    postcard::from_bytes(body).ok()
}
