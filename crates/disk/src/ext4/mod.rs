//! An ext4 file system from a [`Tree`](crate::Tree), written into a region of a disk image.
//!
//! `mke2fs -d` would do nearly the same. The reasons for a writer of our own: it takes owners, modes and times from the
//! tree instead of from a staged folder, so no root is needed; it is the same to the bit each time (mke2fs takes
//! directory order and times from the host); and it knows all sizes beforehand, so that it can lay out every file in
//! one piece and write in parallel.
//!
//! # The way
//!
//! [`plan`] is pure: it numbers the inodes, packs the directories and gives out the blocks. What it returns is a
//! [`Layout`] that leaves no choices; [`Layout::write`] then only encodes and copies.
//!
//! ```text
//! group 0: superblock │ descriptors │ reserved │ bitmaps and inode tables of 16 groups │ directories │ attributes │ journal │ files …
//! ```
//!
//! Features: those of a present-day mke2fs for a root file system (64bit, extents, flex_bg, sparse_super, metadata_csum
//! with its own seed, dir_index, has_journal, resize_inode …). Blocks have 4096 bytes, inodes 256.
//!
//! Deliberately absent: inline data, encryption, quota, case folding, attribute inodes, bigalloc.
//!
//! Specification: the kernel's `Documentation/filesystems/ext4/`.

mod directory;
mod extent;
pub(crate) mod format;
mod geometry;
mod hash;
mod inode;
mod plan;
mod read;
mod special;
mod superblock;
mod write;
mod xattr;

use uuid::Uuid;

use self::directory::Directory;
use self::geometry::{Allocator, Geometry};
use self::inode::Inode;
use self::plan::Piece;
pub use self::plan::{minimum_size, plan};
pub use self::read::{Found, Reader};

/// What a file system shall be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Size in bytes. A remainder that makes no block, or a last group too short to be of use, is left over.
    pub size: u64,
    /// The file system's UUID.
    pub uuid: Uuid,
    /// Seed of the hash of names in directories.
    pub hash_seed: Uuid,
    /// Label, at most 16 bytes.
    pub label: String,
    /// The time of creation, in seconds since 1970; also of what the file system has by itself (`lost+found`).
    pub epoch: u32,
    /// There is one inode for so many bytes, and at least as many as the tree needs.
    pub bytes_per_inode: u32,
    /// The journal.
    pub journal: Journal,
    /// Share of the blocks that only root can use, in percent (at most 50).
    pub reserved_percent: u8,
    /// Up to this size in bytes the file system can grow with the classical layout; the blocks for the group
    /// descriptors are reserved. (Beyond, the kernel goes over to `meta_bg` by itself.)
    pub growth_limit: u64,
}

/// The size of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// By the size of the file system: 16 MiB from 128 MiB on, 64 MiB from 2 GiB on.
    Auto,
    /// So many bytes, at least 4 MiB.
    Bytes(u64),
    /// None: for what is mounted read-only.
    None,
}

impl Settings {
    /// Settings of a root file system: 16 KiB for each inode, 1 % reserved, room to grow to 1 TiB.
    ///
    /// The seed of the directory hash is derived from the UUID.
    pub fn new(size: u64, uuid: Uuid, epoch: u32) -> Self {
        Self {
            size,
            uuid,
            hash_seed: Uuid::new_v5(&uuid, b"ext4 directory hash seed"),
            label: String::new(),
            epoch,
            bytes_per_inode: 16384,
            journal: Journal::Auto,
            reserved_percent: 1,
            growth_limit: 1 << 40,
        }
    }
}

/// A planned file system: where everything goes. It borrows names and contents from the tree.
#[derive(Debug)]
pub struct Layout<'t> {
    settings: Settings,
    geometry: Geometry,
    /// Seed of all checksums, from the UUID.
    seed: u32,
    /// What is free, after all was given out.
    allocator: Allocator,
    /// In the order of their numbers. Reserved ones that are not in use are left out.
    inodes: Vec<Inode>,
    /// Index of the journal's inode.
    journal: Option<usize>,
    directories: Vec<Directory<'t>>,
    /// All contents, in the order of their blocks.
    pieces: Vec<Piece<'t>>,
}

impl Layout<'_> {
    /// The size of the file system in bytes; it may be a little less than that of its settings.
    pub fn size(&self) -> u64 {
        self.geometry.blocks * format::BLOCK_U64
    }

    /// How many bytes are free.
    pub fn free(&self) -> u64 {
        self.allocator.free() * format::BLOCK_U64
    }

    /// How many inodes there are, and how many of them are in use.
    pub fn inodes(&self) -> (u32, u32) {
        (self.geometry.inodes(), self.last_inode())
    }

    /// All inodes up to this one are in use.
    fn last_inode(&self) -> u32 {
        self.inodes
            .last()
            .map_or(format::FIRST_INODE, |inode| inode.number)
    }
}
