//! ext4.
use crate::{Region, Result, Tree};
use uuid::Uuid;

/// What a file system shall be like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Size in bytes; rounded down to blocks of 4096.
    pub size: u64,
    /// The file system's UUID.
    pub uuid: Uuid,
    /// Seed of the directory hash.
    pub hash_seed: Uuid,
    /// Label, up to 16 bytes.
    pub label: String,
    /// The time of creation, in seconds since 1970.
    pub epoch: u32,
    /// One inode for so many bytes (16384).
    pub bytes_per_inode: u32,
    /// Size of the journal in bytes.
    pub journal: Journal,
    /// Share of blocks kept for root, in hundredths of a percent.
    pub reserved_percent: u8,
    /// Up to which size (bytes) the file system can be grown by the reserved descriptor blocks.
    pub growth_limit: u64,
}

/// The size of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// By the file system's size, as mke2fs has it.
    Auto,
    /// So many bytes.
    Bytes(u64),
    /// None.
    None,
}

impl Settings {
    /// Settings of a root file system of `size` bytes.
    pub fn new(size: u64, uuid: Uuid, epoch: u32) -> Self {
        Self {
            size,
            uuid,
            hash_seed: uuid,
            label: String::new(),
            epoch,
            bytes_per_inode: 16384,
            journal: Journal::Auto,
            reserved_percent: 0,
            growth_limit: 0,
        }
    }
}

/// A planned file system.
#[derive(Debug)]
pub struct Layout<'t> {
    tree: &'t Tree,
}

/// Lays a tree out.
pub fn plan<'t>(_tree: &'t Tree, _settings: &Settings) -> Result<Layout<'t>> {
    todo!()
}

/// The least size in bytes (whole MiB) of a file system for a tree; `settings.size` is ignored.
pub fn minimum_size(_tree: &Tree, _settings: &Settings) -> Result<u64> {
    todo!()
}

impl Layout<'_> {
    /// Size in bytes.
    pub fn size(&self) -> u64 {
        let _ = self.tree;
        todo!()
    }
    /// Free bytes.
    pub fn free(&self) -> u64 {
        todo!()
    }
    /// Writes the file system into a fresh region, in parallel.
    pub fn write(&self, _region: Region<'_>) -> Result<()> {
        todo!()
    }
}
