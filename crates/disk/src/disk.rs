//! A whole disk: partitions one after the other in a sparse file, under its final name only when it is complete.

use std::path::Path;

use rayon::prelude::*;
use uuid::Uuid;

use crate::gpt::{self, ALIGNMENT, Attributes, Table};
use crate::sparse;
use crate::{Content, Error, OutputFile, Region, Result, ext4, fat};

/// What a partition shall be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its name (`PARTLABEL`), up to 36 UTF-16 units.
    pub name: String,
    /// Its type: [`gpt::partition_type`].
    pub kind: Uuid,
    /// Its own GUID (`PARTUUID`).
    pub guid: Uuid,
    /// Attributes.
    pub attributes: Attributes,
    /// Its size in bytes, rounded up to whole MiB.
    pub size: u64,
}

/// How large a disk shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskSize {
    /// Just as large as its partitions need.
    Fitting,
    /// So many bytes, in whole MiB; what its partitions leave stays free.
    Fixed(u64),
}

/// What can fill a partition. The region is fresh: it reads as zeros.
pub trait PartitionContent: Sync {
    /// Writes the content.
    fn write(&self, region: Region<'_>) -> Result<()>;
}

impl PartitionContent for ext4::Layout<'_> {
    fn write(&self, region: Region<'_>) -> Result<()> {
        ext4::Layout::write(self, region)
    }
}

impl PartitionContent for fat::Layout {
    fn write(&self, region: Region<'_>) -> Result<()> {
        fat::Layout::write(self, region)
    }
}

/// Bytes or a host file, as they are, from the start of the partition on.
impl PartitionContent for Content {
    fn write(&self, region: Region<'_>) -> Result<()> {
        match self {
            Self::Bytes(bytes) => sparse::write_nonzero(&region, 0, bytes),
            Self::HostFile { path, size } => {
                let file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
                let found = file
                    .metadata()
                    .map_err(|e| Error::io("read the size of", path, e))?
                    .len();
                if found != *size {
                    return Err(Error::Changed {
                        path: path.clone(),
                        expected: *size,
                        found,
                    });
                }
                sparse::copy(&file, path, *size, &region)
            }
        }
    }
}

/// A disk being written.
///
/// ```text
/// protective MBR, table │ 1 MiB: partition 1 │ partition 2 │ … │ table (second copy)
/// ```
///
/// Partitions can be written in any order, or at the same time; the table comes last, with [`Self::finish`], so that
/// GUIDs may depend on contents (those of verity partitions are the halves of the root hash).
#[derive(Debug)]
pub struct DiskWriter {
    output: OutputFile,
    table: Table,
}

impl DiskWriter {
    /// Starts the disk that shall be `path`.
    pub fn create(path: &Path, guid: Uuid, size: DiskSize, partitions: Vec<Partition>) -> Result<Self> {
        let mut start = ALIGNMENT;
        let mut placed = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let length = partition.size.checked_next_multiple_of(ALIGNMENT);
            let Some((length, end)) = length.and_then(|length| Some((length, start.checked_add(length)?)))
            else {
                let problem = format!("the partition `{}` is too large", partition.name);
                return Err(Error::Settings {
                    what: "disk",
                    problem,
                });
            };
            let Partition {
                name,
                kind,
                guid,
                attributes,
                ..
            } = partition;
            placed.push(gpt::Partition {
                name,
                kind,
                guid,
                attributes,
                start,
                length,
            });
            start = end;
        }
        let needed = Table::disk_size(start);
        let size = match size {
            DiskSize::Fitting => needed,
            DiskSize::Fixed(size) if size >= needed && size.is_multiple_of(ALIGNMENT) => size,
            DiskSize::Fixed(size) => {
                let problem = format!(
                    "its partitions and their table need {needed} bytes, and whole MiB, but it shall have {size}"
                );
                return Err(Error::Settings {
                    what: "disk",
                    problem,
                });
            }
        };
        let table = Table {
            disk: guid,
            size,
            partitions: placed,
        };
        let output = OutputFile::create(path)?;
        output.set_length(table.size)?;
        Ok(Self { output, table })
    }

    /// Bytes of the disk.
    pub fn size(&self) -> u64 {
        self.table.size
    }

    /// The table as it will be written.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Where a partition lies, by its index.
    pub fn region(&self, index: usize) -> Result<Region<'_>> {
        let partition = self
            .table
            .partitions
            .get(index)
            .ok_or_else(|| no_partition(index))?;
        self.output
            .region(self.table.size)
            .part(partition.start, partition.length)
    }

    /// Writes contents into partitions, given by their indexes, all at the same time.
    pub fn write(&self, contents: &[(usize, &dyn PartitionContent)]) -> Result<()> {
        contents
            .par_iter()
            .try_for_each(|(index, content)| content.write(self.region(*index)?))
    }

    /// Gives a partition another GUID than it was created with.
    pub fn set_guid(&mut self, index: usize, guid: Uuid) -> Result<()> {
        self.table
            .partitions
            .get_mut(index)
            .ok_or_else(|| no_partition(index))?
            .guid = guid;
        Ok(())
    }

    /// Writes the partition table, makes all durable and gives the disk its name.
    pub fn finish(self) -> Result<()> {
        self.table.write(self.output.region(self.table.size))?;
        self.output.commit()
    }
}

fn no_partition(index: usize) -> Error {
    Error::Settings {
        what: "disk",
        problem: format!("there is no partition of index {index}"),
    }
}
