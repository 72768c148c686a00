//! `repomd.xml`: the index of a repository's metadata files, and the only one that is signed.

use crate::{Checksum, MetadataError};

/// Limit of `repomd.xml` itself, in bytes. Real ones have 1 to 10 KiB.
pub const MAX_REPOMD_SIZE: u64 = 4 << 20;
/// Limit of one decompressed metadata file, in bytes. Fedora's filelists have about 1 GB.
pub const MAX_OPEN_SIZE: u64 = 4 << 30;

/// One metadata file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataEntry {
    /// `primary`, `filelists`, `other`, `updateinfo`, …
    pub kind: String,
    /// Of the file as it lies in the repository.
    pub checksum: Checksum,
    /// Of the decompressed file; `None` where it is not compressed.
    pub open_checksum: Option<Checksum>,
    /// Path relative to the repository's root.
    pub location: String,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Size in bytes, as it lies in the repository; `None` if it is not promised.
    pub size: Option<u64>,
    /// Size in bytes when decompressed; `None` if it is not promised.
    pub open_size: Option<u64>,
}

/// The index of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repomd {
    /// By habit a time in seconds since 1970; any text is allowed.
    pub revision: String,
    /// The metadata files, in the file's order.
    pub data: Vec<DataEntry>,
}

impl Repomd {
    /// Parses `repomd.xml`.
    pub fn parse(_xml: &[u8]) -> Result<Self, MetadataError> {
        unimplemented!()
    }

    /// Writes `repomd.xml`.
    pub fn to_xml(&self) -> Vec<u8> {
        unimplemented!()
    }

    /// The entry of a kind.
    pub fn get(&self, kind: &str) -> Option<&DataEntry> {
        self.data.iter().find(|entry| entry.kind == kind)
    }

    /// A number that grows with each publication, for rollback protection: the revision where it is a number, or
    /// else the newest timestamp.
    pub fn freshness(&self) -> u64 {
        let newest = || self.data.iter().map(|entry| entry.timestamp).max().unwrap_or(0);
        self.revision.trim().parse().unwrap_or_else(|_| newest())
    }
}

impl DataEntry {
    /// Checks size and checksum of the file as it lies in the repository, decompresses it (never beyond the promised
    /// size), and checks the result too.
    pub fn open(&self, _data: &[u8]) -> Result<Vec<u8>, MetadataError> {
        unimplemented!()
    }
}
