//! How much there is.

use super::Folder;
use crate::CacheError;
use std::collections::BTreeMap;
use std::fs;

/// What an object is, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A package.
    Package,
    /// The log of a build.
    Log,
    /// A statement of where something comes from.
    Provenance,
    /// Something else.
    Other,
    /// No entry names it: a build was cut off. The next collection removes it.
    Unnamed,
}

impl ObjectKind {
    /// By a name in an entry.
    fn of(name: &str) -> Self {
        let is_json = [".json", ".jsonl"].iter().any(|end| name.ends_with(end));
        match name {
            name if name.ends_with(".rpm") => Self::Package,
            name if name.ends_with(".log") || name.contains(".log.") => Self::Log,
            _ if is_json => Self::Provenance,
            _ => Self::Other,
        }
    }

    /// As a table and JSON call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Package => "packages",
            Self::Log => "logs",
            Self::Provenance => "provenance",
            Self::Other => "other",
            Self::Unnamed => "unnamed",
        }
    }
}

/// A part of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many files.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl Share {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// The entries' own files.
    pub entries: Share,
    /// Objects, each counted once.
    pub objects: BTreeMap<ObjectKind, Share>,
}

impl Usage {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Share {
        let shares = self.objects.values().chain([&self.entries]);
        shares.fold(Share::default(), |sum, share| Share {
            files: sum.files + share.files,
            bytes: sum.bytes + share.bytes,
        })
    }
}

impl Folder {
    /// Counts what is there.
    pub fn usage(&self) -> Result<Usage, CacheError> {
        let mut usage = Usage::default();
        let mut kinds = BTreeMap::new();
        for (key, path) in self.entries()? {
            let size = fs::metadata(&path).map_or(0, |file| file.len());
            usage.entries.add(size);
            if let Some(Ok(entry)) = self.peek(&key)? {
                for object in entry.objects {
                    kinds.insert(object.sha256, ObjectKind::of(object.name.as_str()));
                }
            }
        }
        for (sha256, path) in self.objects()? {
            let kind = kinds.get(&sha256).copied().unwrap_or(ObjectKind::Unnamed);
            let size = fs::metadata(&path).map_or(0, |file| file.len());
            usage.objects.entry(kind).or_default().add(size);
        }
        Ok(usage)
    }
}
