//! What a build gave.

use crate::{CacheKey, ObjectName};
use lazuli_catalog::Sha256Digest;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A file that a build gave, by its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is called in its entry.
    pub name: ObjectName,
    /// The digest of its bytes.
    pub sha256: Sha256Digest,
    /// How many bytes it has.
    pub size: u64,
}

/// The result of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key of the build. An entry says its own, so that it cannot stand in the place of another.
    pub key: CacheKey,
    /// Its files, by name; no name is there twice.
    pub objects: Vec<Object>,
    /// What else is known of it, such as content digests: name → text.
    pub facts: BTreeMap<String, String>,
    /// When the build ended, to the second.
    pub finished: SystemTime,
    /// How long the build took, to the millisecond.
    pub took: Duration,
}

impl Entry {
    /// The object with a name.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.name.as_str() == name)
    }
}

/// What a build gave, to be put into the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The files: name and where they are. They are copied (or share their blocks), never linked: they stay the caller's.
    pub files: Vec<(ObjectName, PathBuf)>,
    /// What else is known of it: name → text.
    pub facts: BTreeMap<String, String>,
    /// When the build ended.
    pub finished: SystemTime,
    /// How long the build took.
    pub took: Duration,
}
