//! Reads the files of a FAT32 file system, to compare two of them.

use std::ops::Range;

use super::write::{LONG_NAME, UNIT_PLACES};
use super::{RECORD, SECTOR};
use crate::{Error, Region, Result};

/// The deepest directories that are entered.
const MAX_DEPTH: usize = 32;
/// The most files and directories that are read.
const MAX_FOUND: usize = 1 << 20;

/// A file or directory that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path, with `/` between the components.
    pub path: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Bytes of a file.
    pub size: u32,
    /// Its record without name and place: attributes and times.
    pub record: Vec<u8>,
    /// Where its clusters lie, in bytes from the start of the file system, in the order of the content.
    pub ranges: Vec<Range<u64>>,
}

struct Volume<'f> {
    region: Region<'f>,
    cluster_bytes: u64,
    data: u64,
    table: Vec<u8>,
    clusters: u32,
}

/// All files and directories of a FAT32 file system, in the order of their records.
pub(crate) fn walk(region: Region<'_>) -> Result<Vec<Found>> {
    let (volume, root) = Volume::open(region)?;
    let mut found = Vec::new();
    volume.list(root, "", 0, &mut found)?;
    Ok(found)
}

fn damaged(offset: u64, problem: &str) -> Error {
    Error::Damaged {
        format: "FAT32",
        offset,
        problem: problem.to_owned(),
    }
}

impl<'f> Volume<'f> {
    fn open(region: Region<'f>) -> Result<(Self, u32)> {
        let mut boot = [0; SECTOR as usize];
        region.read_at(0, &mut boot)?;
        let half = |at: usize| u64::from(u16::from_le_bytes([boot[at], boot[at + 1]]));
        let word = |at: usize| half(at) | half(at + 2) << 16;
        let (cluster, tables, table_sectors) = (u64::from(boot[13]), u64::from(boot[16]), word(36));
        if half(11) != SECTOR || cluster == 0 || tables == 0 || &boot[82..87] != b"FAT32" {
            return Err(damaged(0, "this is no FAT32 file system"));
        }
        let data = half(14) + tables * table_sectors;
        let clusters = word(32).saturating_sub(data) / cluster;
        if word(32) * SECTOR > region.length() || (clusters + 2) * 4 > table_sectors * SECTOR {
            return Err(damaged(0, "the sizes in the boot sector contradict each other"));
        }
        let mut table = vec![0; (clusters as usize + 2) * 4];
        region.read_at(half(14) * SECTOR, &mut table)?;
        let volume = Self {
            region,
            cluster_bytes: cluster * SECTOR,
            data: data * SECTOR,
            table,
            clusters: clusters as u32,
        };
        Ok((volume, word(44) as u32))
    }

    /// Where the clusters of a chain lie.
    fn chain(&self, first: u32) -> Result<Vec<Range<u64>>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let mut cluster = first;
        for _ in 0..=self.clusters {
            if cluster >= 0x0FFF_FFF8 || (cluster == 0 && ranges.is_empty()) {
                return Ok(ranges);
            }
            if cluster < 2 || cluster - 2 >= self.clusters {
                return Err(damaged(0, "a chain of clusters leaves the file system"));
            }
            let start = self.data + u64::from(cluster - 2) * self.cluster_bytes;
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end += self.cluster_bytes,
                _ => ranges.push(start..start + self.cluster_bytes),
            }
            let at = cluster as usize * 4;
            let entry = [
                self.table[at],
                self.table[at + 1],
                self.table[at + 2],
                self.table[at + 3],
            ];
            cluster = u32::from_le_bytes(entry) & 0x0FFF_FFFF;
        }
        Err(damaged(0, "a chain of clusters has no end"))
    }

    fn list(&self, first: u32, parent: &str, depth: usize, found: &mut Vec<Found>) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(damaged(0, "the directories are too deep"));
        }
        let mut records = Vec::new();
        for range in self.chain(first)? {
            let at = records.len();
            records.resize(at + (range.end - range.start) as usize, 0);
            self.region.read_at(range.start, &mut records[at..])?;
        }
        let mut long: Vec<u16> = Vec::new();
        for record in records.chunks_exact(RECORD) {
            match (record[0], record[11]) {
                (0, _) => break,
                (0xE5, _) => long.clear(),
                (_, LONG_NAME) => {
                    let units = UNIT_PLACES.map(|at| u16::from_le_bytes([record[at], record[at + 1]]));
                    long.splice(0..0, units);
                }
                (b'.', _) => {}
                (_, attributes) if attributes & 0x08 != 0 => long.clear(),
                _ => {
                    let name = if long.is_empty() {
                        short_name(record)
                    } else {
                        long_name(&long)
                    };
                    long.clear();
                    self.add(record, format!("{parent}{name}"), depth, found)?;
                }
            }
        }
        Ok(())
    }

    fn add(&self, record: &[u8], path: String, depth: usize, found: &mut Vec<Found>) -> Result<()> {
        if found.len() >= MAX_FOUND {
            return Err(damaged(0, "there are too many files"));
        }
        let half = |at: usize| u32::from(u16::from_le_bytes([record[at], record[at + 1]]));
        let first = half(20) << 16 | half(26);
        let is_directory = record[11] & 0x10 != 0;
        let kept = [&record[11..20], &record[22..26]].concat();
        let size = half(28) | half(30) << 16;
        let ranges = self.chain(first)?;
        found.push(Found {
            path: path.clone(),
            is_directory,
            size,
            record: kept,
            ranges,
        });
        if is_directory {
            self.list(first, &format!("{path}/"), depth + 1, found)
        } else {
            Ok(())
        }
    }
}

fn long_name(units: &[u16]) -> String {
    let end = units.iter().position(|&unit| unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(&units[..end])
}

fn short_name(record: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let (base, extension) = (text(&record[..8]), text(&record[8..11]));
    if extension.is_empty() {
        base
    } else {
        format!("{base}.{extension}")
    }
}
