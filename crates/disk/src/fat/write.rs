//! From a layout to sectors.

use rayon::prelude::*;

use super::name::UNITS;
use super::{Layout, Node, NodeKind, RECORD, ROOT_CLUSTER, SECTOR};
use crate::disk::PartitionContent;
use crate::{Region, Result};

/// Attributes of records (6.1): directory, archive, volume label, and the four that mark a part of a long name.
const DIRECTORY: u8 = 0x10;
const ARCHIVE: u8 = 0x20;
const VOLUME: u8 = 0x08;
pub(super) const LONG_NAME: u8 = 0x0F;
/// Marks the last part of a long name, which comes first.
const LAST_LONG: u8 = 0x40;
/// Where the 13 UTF-16 units lie in a record of a long name.
pub(super) const UNIT_PLACES: [usize; UNITS] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/// The end of a chain of clusters.
const END_OF_CHAIN: u32 = 0x0FFF_FFFF;
/// The sector of the file system's information, and that of the copies of boot sector and information.
const INFORMATION_SECTOR: u64 = 1;
const BACKUP_SECTOR: u64 = 6;

impl Layout {
    /// Writes the file system into a region that reads as zeros. What is zero stays unwritten.
    pub fn write(&self, region: Region<'_>) -> Result<()> {
        let geometry = &self.geometry;
        let table = self.table();
        for copy in 0..2 {
            region.write_at(
                (geometry.reserved + copy * geometry.table_sectors) * SECTOR,
                &table,
            )?;
        }
        self.nodes
            .par_iter()
            .enumerate()
            .try_for_each(|(index, node)| match &node.kind {
                NodeKind::Directory(_) => {
                    region.write_at(geometry.position(node.first), &self.directory(index))
                }
                NodeKind::File(content) if node.clusters > 0 => {
                    let part = region.part(
                        geometry.position(node.first),
                        node.clusters * geometry.cluster_bytes(),
                    )?;
                    PartitionContent::write(content, part)
                }
                NodeKind::File(_) => Ok(()),
            })?;
        let (boot, information) = (self.boot_sector(&region), self.information());
        for first in [BACKUP_SECTOR, 0] {
            region.write_at((first + INFORMATION_SECTOR) * SECTOR, &information)?;
            region.write_at(first * SECTOR, &boot)?;
        }
        Ok(())
    }

    fn table(&self) -> Vec<u8> {
        let mut entries = vec![0u32; self.free as usize];
        // The first two entries are no clusters: the medium's type, and marks of a clean file system.
        (entries[0], entries[1]) = (0x0FFF_FFF8, END_OF_CHAIN);
        for node in self.nodes.iter().filter(|node| node.clusters > 0) {
            let last = node.first + node.clusters as u32 - 1;
            for cluster in node.first..last {
                entries[cluster as usize] = cluster + 1;
            }
            entries[last as usize] = END_OF_CHAIN;
        }
        entries.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    fn directory(&self, index: usize) -> Vec<u8> {
        let node = &self.nodes[index];
        let (date, time) = dos_time(self.settings.epoch);
        let record =
            |name: &[u8; 11], attributes, first, size| record(name, attributes, first, size, (date, time));
        let mut records = Vec::new();
        if index == 0 {
            records.extend(record(&self.label, VOLUME, 0, 0));
        } else {
            // The root is cluster 0 here (6.5).
            let parent = if node.parent == 0 {
                0
            } else {
                self.nodes[node.parent].first
            };
            records.extend(record(b".          ", DIRECTORY, node.first, 0));
            records.extend(record(b"..         ", DIRECTORY, parent, 0));
        }
        for child in self.children(index) {
            let child = &self.nodes[child];
            if !child.short.is_whole() {
                records.extend(long_name(child));
            }
            let (attributes, size) = match &child.kind {
                NodeKind::Directory(_) => (DIRECTORY, 0),
                NodeKind::File(content) => (ARCHIVE, content.size() as u32),
            };
            records.extend(record(&child.short.bytes, attributes, child.first, size));
        }
        records
    }

    fn boot_sector(&self, region: &Region<'_>) -> Vec<u8> {
        let geometry = &self.geometry;
        let mut boot = vec![0; SECTOR as usize];
        // A jump over the parameters, to code that is not there: firmware of UEFI never runs it.
        boot[0..3].copy_from_slice(&[0xEB, 0x58, 0x90]);
        boot[3..11].copy_from_slice(b"LAZULI  ");
        let halves = [
            (11, SECTOR as u16),
            (14, geometry.reserved as u16),
            // A geometry for tools that ask for one: sectors of a track, heads.
            (24, 63),
            (26, 255),
            (48, INFORMATION_SECTOR as u16),
            (50, BACKUP_SECTOR as u16),
            (510, 0xAA55),
        ];
        for (at, value) in halves {
            boot[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        let hidden = u32::try_from(region.offset() / SECTOR).unwrap_or(0);
        let words = [
            (28, hidden),
            (32, geometry.sectors as u32),
            (36, geometry.table_sectors as u32),
            (44, ROOT_CLUSTER),
            (67, self.settings.volume_id),
        ];
        for (at, value) in words {
            boot[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        // Sectors of a cluster, two tables, a fixed disk; drive 0x80; the extended signature.
        for (at, value) in [
            (13, geometry.cluster_sectors as u8),
            (16, 2),
            (21, 0xF8),
            (64, 0x80),
            (66, 0x29),
        ] {
            boot[at] = value;
        }
        boot[71..82].copy_from_slice(&self.label);
        boot[82..90].copy_from_slice(b"FAT32   ");
        boot
    }

    fn information(&self) -> Vec<u8> {
        let mut sector = vec![0; SECTOR as usize];
        let free = self.geometry.clusters as u32 - (self.free - ROOT_CLUSTER);
        let next = if free == 0 { u32::MAX } else { self.free };
        for (at, value) in [
            (0, 0x4161_5252),
            (484, 0x6141_7272),
            (488, free),
            (492, next),
            (508, 0xAA55_0000),
        ] {
            sector[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        }
        sector
    }
}

fn record(name: &[u8; 11], attributes: u8, first: u32, size: u32, (date, time): (u16, u16)) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..11].copy_from_slice(name);
    record[11] = attributes;
    // Created (time, date), last used (date), cluster (high half), changed (time, date), cluster (low half).
    let fields = [time, date, date, (first >> 16) as u16, time, date, first as u16];
    for (value, place) in fields.iter().zip(record[14..28].chunks_exact_mut(2)) {
        place.copy_from_slice(&value.to_le_bytes());
    }
    record[28..32].copy_from_slice(&size.to_le_bytes());
    record
}

/// The records of a long name, the last part first (7.1).
fn long_name(node: &Node) -> Vec<u8> {
    let units: Vec<u16> = node.name.encode_utf16().collect();
    let checksum = node.short.checksum();
    let mut records = Vec::new();
    for (index, part) in units.chunks(UNITS).enumerate().rev() {
        let mut record = [0; RECORD];
        let is_last = (index + 1) * UNITS >= units.len();
        record[0] = (index + 1) as u8 | if is_last { LAST_LONG } else { 0 };
        record[11] = LONG_NAME;
        record[13] = checksum;
        for (unit, &place) in UNIT_PLACES.iter().enumerate() {
            // One zero ends the name where there is room, and ones fill the rest.
            let value = part
                .get(unit)
                .copied()
                .unwrap_or(if unit == part.len() { 0 } else { 0xFFFF });
            record[place..place + 2].copy_from_slice(&value.to_le_bytes());
        }
        records.extend(record);
    }
    records
}

/// Date and time as records have them: from 1980 to 2107, in steps of two seconds.
fn dos_time(epoch: u32) -> (u16, u16) {
    let (mut days, seconds) = (epoch / 86400, epoch % 86400);
    let mut year = 1970;
    let is_leap =
        |year: u32| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u32::from(is_leap(year)) {
        days -= 365 + u32::from(is_leap(year));
        year += 1;
    }
    if year < 1980 {
        return (1 << 5 | 1, 0);
    }
    let lengths = [
        31,
        28 + u32::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let date = (year - 1980) << 9 | month << 5 | (days + 1);
    let time = (seconds / 3600) << 11 | (seconds / 60 % 60) << 5 | (seconds % 60 / 2);
    (date as u16, time as u16)
}

#[cfg(test)]
mod tests {
    use super::dos_time;

    #[test]
    fn dates() {
        // `date -u -d @N`
        let cases = [
            (0, (1980, 1, 1, 0, 0, 0)),
            (315_532_800, (1980, 1, 1, 0, 0, 0)),
            (951_782_400, (2000, 2, 29, 0, 0, 0)),
            (1_700_000_000, (2023, 11, 14, 22, 13, 20)),
            (4_294_967_295, (2106, 2, 7, 6, 28, 14)),
        ];
        for (epoch, expected) in cases {
            let (date, time) = dos_time(epoch);
            let parts = (
                1980 + (date >> 9),
                date >> 5 & 15,
                date & 31,
                time >> 11,
                time >> 5 & 63,
                (time & 31) * 2,
            );
            assert_eq!(parts, expected, "{epoch}");
        }
    }
}
