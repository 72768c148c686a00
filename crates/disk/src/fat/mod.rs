//! FAT32.
use crate::{Content, Region, Result};

/// What a FAT file system shall be like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Size in bytes.
    pub size: u64,
    /// Volume id.
    pub volume_id: u32,
    /// Label, up to 11 upper-case characters.
    pub label: String,
    /// Time of all files, in seconds since 1970 (UTC).
    pub epoch: u32,
}

/// A file: its path with `/` between components, and its content. Directories are made as needed.
#[derive(Debug, Clone)]
pub struct File {
    /// For example `EFI/BOOT/BOOTX64.EFI`.
    pub path: String,
    /// The bytes.
    pub content: Content,
}

/// A planned FAT32 file system.
#[derive(Debug)]
pub struct Layout {}

/// Lays files out.
pub fn plan(_files: &[File], _settings: &Settings) -> Result<Layout> {
    todo!()
}

impl Layout {
    /// Size in bytes.
    pub fn size(&self) -> u64 {
        todo!()
    }
    /// Writes the file system into a fresh region.
    pub fn write(&self, _region: Region<'_>) -> Result<()> {
        todo!()
    }
}
