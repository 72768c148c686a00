//! A window of a file: where one writer may put its bytes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::{Error, Result};

/// A part of a file, for example one partition of a disk.
///
/// Positions are relative to the start of the region. Every access is checked against its length, so that a fault
/// of one writer cannot damage the neighbour. All methods take `&self`: writers work in parallel.
///
/// Writers of file systems rely on a *fresh* region, one that reads as zeros: they leave what should be zero unwritten.
#[derive(Debug, Clone, Copy)]
pub struct Region<'f> {
    file: &'f File,
    path: &'f Path,
    offset: u64,
    length: u64,
}

impl<'f> Region<'f> {
    /// The `length` bytes of `file` from `offset` on; `path` is used in messages only.
    pub fn new(file: &'f File, path: &'f Path, offset: u64, length: u64) -> Self {
        Self {
            file,
            path,
            offset,
            length,
        }
    }

    /// The whole of a file, by its present size.
    pub fn whole(file: &'f File, path: &'f Path) -> Result<Self> {
        let length = file
            .metadata()
            .map_err(|e| Error::io("read the size of", path, e))?
            .len();
        Ok(Self::new(file, path, 0, length))
    }

    /// Where the region starts in the file, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The region's length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The path of the file, for messages.
    pub fn path(&self) -> &'f Path {
        self.path
    }

    /// A smaller region inside this one.
    pub fn part(&self, position: u64, length: u64) -> Result<Region<'f>> {
        self.check(position, length)?;
        Ok(Self {
            offset: self.offset + position,
            length,
            ..*self
        })
    }

    /// Writes all of `bytes` at `position`.
    pub fn write_at(&self, position: u64, bytes: &[u8]) -> Result<()> {
        self.check(position, bytes.len() as u64)?;
        self.file
            .write_all_at(bytes, self.offset + position)
            .map_err(|e| Error::io("write", self.path, e))
    }

    /// Fills `buffer` from `position`.
    pub fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        self.check(position, buffer.len() as u64)?;
        self.file
            .read_exact_at(buffer, self.offset + position)
            .map_err(|e| Error::io("read", self.path, e))
    }

    /// The underlying file, for operations on whole extents.
    pub(crate) fn file(&self) -> &'f File {
        self.file
    }

    fn check(&self, position: u64, length: u64) -> Result<()> {
        match position.checked_add(length) {
            Some(end) if end <= self.length => Ok(()),
            _ => Err(Error::OutOfRegion {
                position,
                length,
                region: self.length,
            }),
        }
    }
}
