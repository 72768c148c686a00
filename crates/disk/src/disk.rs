//! A whole disk.
use crate::gpt::Attributes;
use crate::{Region, Result};
use std::path::Path;
use uuid::Uuid;

/// What fills a partition.
pub trait PartitionContent: Sync {
    /// Writes into the fresh region of the partition.
    fn write(&self, region: Region<'_>) -> Result<()>;
}

/// A partition.
#[derive(Debug, Clone)]
pub struct Partition {
    /// Name (`PARTLABEL`), up to 36 UTF-16 units.
    pub name: String,
    /// Type GUID.
    pub kind: Uuid,
    /// `PARTUUID`.
    pub guid: Uuid,
    /// Attributes.
    pub attributes: Attributes,
    /// Size in bytes, rounded up to whole MiB.
    pub size: u64,
}

/// A disk being written.
#[derive(Debug)]
pub struct DiskWriter {}

impl DiskWriter {
    /// Starts a disk that shall be `path`: partitions in order, 1 MiB aligned; the disk as large as they need.
    pub fn create(_path: &Path, _guid: Uuid, _partitions: Vec<Partition>) -> Result<Self> {
        todo!()
    }
    /// Where partition `index` lies.
    pub fn region(&self, _index: usize) -> Result<Region<'_>> {
        todo!()
    }
    /// Changes a partition's GUID before the table is written (roothash-derived ones).
    pub fn set_guid(&mut self, _index: usize, _guid: Uuid) -> Result<()> {
        todo!()
    }
    /// Writes the table, makes it durable, gives it its name.
    pub fn finish(self) -> Result<()> {
        todo!()
    }
}
