//! Where two disks differ: in which file of which partition, or else in which structure or sector.
//!
//! First the bytes are compared, which is all that is done when they are the same. Where they are not, partitions with
//! ext4 or FAT32 are compared file by file: one file that grew moves all that follow it, and what has to be said then
//! is that it grew. Only where all files are the same are the differing blocks themselves named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use crate::gpt::{self, Table};
use crate::sparse::data_ranges;
use crate::{Error, Region, Result, ext4, fat};

/// The unit of comparison, in bytes.
const BLOCK: u64 = 4096;
/// How much is read at once.
const CHUNK: u64 = 4 << 20;
/// How many differences are listed; a last one tells how many there are beyond.
pub const MAX_DIFFERENCES: usize = 1000;
/// Ranges of sectors of one partition that are listed.
const MAX_RANGES: usize = 16;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The partition's name; `None` outside of partitions.
    pub partition: Option<String>,
    /// A file (`/etc/hostname`), a structure of the file system, or sectors of the disk.
    pub place: String,
    /// What differs.
    pub detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(partition) = &self.partition {
            write!(f, "partition {partition}: ")?;
        }
        write!(f, "{}: {}", self.place, self.detail)
    }
}

/// Compares two raw disks. The list is empty if, and only if, they are the same to the byte.
pub fn disks(a: &Path, b: &Path) -> Result<Vec<Difference>> {
    let open = |path: &Path| File::open(path).map_err(|e| Error::io("open", path, e));
    let (file_a, file_b) = (open(a)?, open(b)?);
    let (a, b) = (Region::whole(&file_a, a)?, Region::whole(&file_b, b)?);
    let mut differences = Vec::new();
    if a.length() != b.length() {
        let detail = format!("{} bytes and {} bytes", a.length(), b.length());
        differences.push(Difference {
            partition: None,
            place: "size of the disk".to_owned(),
            detail,
        });
    }
    let differing = differing_blocks(&a, &b)?;
    if differing.is_empty() {
        return Ok(differences);
    }
    let tables = (Table::read(a), Table::read(b));
    let mut left = differing.clone();
    let mut table_differs = false;
    if let (Ok(table_a), Ok(table_b)) = &tables {
        let before = differences.len();
        compare_tables(table_a, table_b, &mut differences);
        table_differs = differences.len() > before;
        for (one, other) in table_a.partitions.iter().zip(&table_b.partitions) {
            let within: BTreeSet<u64> = differing
                .range(one.start / BLOCK..(one.start + one.length).div_ceil(BLOCK))
                .copied()
                .collect();
            left.retain(|block| !within.contains(block));
            if !within.is_empty() {
                let (part_a, part_b) = (a.part(one.start, one.length)?, b.part(other.start, other.length)?);
                differences.extend(compare_partition(one, part_a, part_b, &within));
            }
        }
    }
    // Where fields of the table differ, so do its bytes, and that has been told already.
    if !table_differs {
        differences.extend(sector_ranges(None, &left));
    }
    let beyond = differences.len().saturating_sub(MAX_DIFFERENCES);
    if beyond > 0 {
        differences.truncate(MAX_DIFFERENCES);
        let detail = format!("{beyond} further differences");
        differences.push(Difference {
            partition: None,
            place: "and more".to_owned(),
            detail,
        });
    }
    Ok(differences)
}

/// The blocks (of both disks together) in which bytes differ. Holes are not read.
fn differing_blocks(a: &Region<'_>, b: &Region<'_>) -> Result<BTreeSet<u64>> {
    let common = a.length().min(b.length());
    let mut chunks = BTreeSet::new();
    for region in [a, b] {
        for range in data_ranges(region.file(), region.path(), 0..common)? {
            chunks.extend(range.start / CHUNK..range.end.div_ceil(CHUNK));
        }
    }
    let chunks: Vec<u64> = chunks.into_iter().collect();
    let parts: Vec<Vec<u64>> = chunks
        .par_iter()
        .map(|&chunk| {
            let start = chunk * CHUNK;
            let length = (common - start).min(CHUNK) as usize;
            let (mut one, mut other) = (vec![0; length], vec![0; length]);
            a.read_at(start, &mut one)?;
            b.read_at(start, &mut other)?;
            let blocks = one
                .chunks(BLOCK as usize)
                .zip(other.chunks(BLOCK as usize))
                .enumerate();
            Ok(blocks
                .filter(|(_, (x, y))| x != y)
                .map(|(index, _)| start / BLOCK + index as u64)
                .collect())
        })
        .collect::<Result<_>>()?;
    Ok(parts.into_iter().flatten().collect())
}

fn compare_tables(a: &Table, b: &Table, differences: &mut Vec<Difference>) {
    let mut add = |partition: Option<&gpt::Partition>, field: &str, one: String, other: String| {
        if one != other {
            let partition = partition.map(|partition| partition.name.clone());
            let detail = format!("{one} and {other}");
            differences.push(Difference {
                partition,
                place: field.to_owned(),
                detail,
            });
        }
    };
    add(None, "disk GUID", a.disk.to_string(), b.disk.to_string());
    add(
        None,
        "number of partitions",
        a.partitions.len().to_string(),
        b.partitions.len().to_string(),
    );
    for (one, other) in a.partitions.iter().zip(&b.partitions) {
        let place = |p: &gpt::Partition| {
            format!(
                "{}..{}",
                p.start / gpt::SECTOR,
                (p.start + p.length) / gpt::SECTOR
            )
        };
        add(Some(one), "name", one.name.clone(), other.name.clone());
        add(Some(one), "type", one.kind.to_string(), other.kind.to_string());
        add(Some(one), "GUID", one.guid.to_string(), other.guid.to_string());
        add(
            Some(one),
            "attributes",
            format!("{:?}", one.attributes),
            format!("{:?}", other.attributes),
        );
        add(Some(one), "sectors", place(one), place(other));
    }
}

/// What differs in a partition: as files if it can be read as such, else as sectors.
fn compare_partition(
    partition: &gpt::Partition,
    a: Region<'_>,
    b: Region<'_>,
    differing: &BTreeSet<u64>,
) -> Vec<Difference> {
    let name = &partition.name;
    let compared = if ext4::Reader::detect(&a) && ext4::Reader::detect(&b) {
        compare_ext4(name, a, b, differing)
    } else {
        compare_fat(name, a, b, differing)
    };
    match compared {
        Ok(found) if !found.is_empty() => found,
        // Not a file system that can be read, or a difference outside of all that is understood.
        _ => sector_ranges(Some(name), differing),
    }
}

fn sector_ranges(partition: Option<&str>, blocks: &BTreeSet<u64>) -> Vec<Difference> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for &block in blocks {
        match ranges.last_mut() {
            Some(last) if last.end == block => last.end += 1,
            _ => ranges.push(block..block + 1),
        }
    }
    let sectors = BLOCK / gpt::SECTOR;
    let beyond = ranges.len().saturating_sub(MAX_RANGES);
    let mut differences: Vec<Difference> = ranges
        .iter()
        .take(MAX_RANGES)
        .map(|range| Difference {
            partition: partition.map(str::to_owned),
            place: format!(
                "sectors {}..{} of the disk",
                range.start * sectors,
                range.end * sectors
            ),
            detail: "the bytes differ".to_owned(),
        })
        .collect();
    if beyond > 0 {
        differences.push(Difference {
            partition: partition.map(str::to_owned),
            place: format!("{beyond} further ranges of sectors"),
            detail: "the bytes differ".to_owned(),
        });
    }
    differences
}

fn compare_ext4(
    name: &str,
    a: Region<'_>,
    b: Region<'_>,
    differing: &BTreeSet<u64>,
) -> Result<Vec<Difference>> {
    let (reader_a, reader_b) = (ext4::Reader::open(a)?, ext4::Reader::open(b)?);
    let (found_a, found_b) = (reader_a.walk()?, reader_b.walk()?);
    let by_path = |found: &[ext4::Found]| -> BTreeMap<Vec<u8>, usize> {
        found
            .iter()
            .enumerate()
            .map(|(index, found)| (found.path.clone(), index))
            .collect()
    };
    let (paths_a, paths_b) = (by_path(&found_a), by_path(&found_b));
    let difference = |path: &[u8], detail: String| Difference {
        partition: Some(name.to_owned()),
        place: format!("/{}", String::from_utf8_lossy(path)),
        detail,
    };
    let mut differences = Vec::new();
    for path in paths_a.keys().chain(paths_b.keys()).collect::<BTreeSet<_>>() {
        match (paths_a.get(path), paths_b.get(path)) {
            (Some(&one), Some(&other)) => {
                let (one, other) = (&found_a[one], &found_b[other]);
                let mut details = attribute_differences(one, other);
                details.extend(content_difference((&reader_a, one), (&reader_b, other))?);
                if !details.is_empty() {
                    differences.push(difference(path, details.join("; ")));
                }
            }
            (Some(_), None) => differences.push(difference(path, "only in the first".to_owned())),
            _ => differences.push(difference(path, "only in the second".to_owned())),
        }
    }
    if differences.is_empty() {
        differences = block_differences(name, &reader_a, &found_a, a.offset() / BLOCK, differing);
    }
    Ok(differences)
}

fn attribute_differences(a: &ext4::Found, b: &ext4::Found) -> Vec<String> {
    let mut details = Vec::new();
    let mut add = |what: &str, one: String, other: String| {
        if one != other {
            details.push(format!("{what} {one} and {other}"));
        }
    };
    add("mode", format!("{:o}", a.mode), format!("{:o}", b.mode));
    add(
        "owner",
        format!("{}:{}", a.uid, a.gid),
        format!("{}:{}", b.uid, b.gid),
    );
    add("times", format!("{:?}", a.times), format!("{:?}", b.times));
    add("links", a.links.to_string(), b.links.to_string());
    if !a.is_directory() || !b.is_directory() {
        add("size", a.size.to_string(), b.size.to_string());
    }
    for key in a.xattrs.keys().chain(b.xattrs.keys()).collect::<BTreeSet<_>>() {
        if a.xattrs.get(key) != b.xattrs.get(key) {
            details.push(format!("extended attribute {}", String::from_utf8_lossy(key)));
        }
    }
    details
}

/// The first byte in which the contents of two files differ. Directories are compared by their files.
fn content_difference(
    a: (&ext4::Reader<'_>, &ext4::Found),
    b: (&ext4::Reader<'_>, &ext4::Found),
) -> Result<Option<String>> {
    if a.1.is_directory() || b.1.is_directory() {
        return Ok(None);
    }
    if a.1.inline != b.1.inline {
        return Ok(Some("link target or device number".to_owned()));
    }
    let length = a.1.size.min(b.1.size);
    let (mut one, mut other) = (
        vec![0; CHUNK.min(length) as usize],
        vec![0; CHUNK.min(length) as usize],
    );
    let mut offset = 0;
    while offset < length {
        let count = (length - offset).min(CHUNK) as usize;
        a.0.read_at(a.1, offset, &mut one[..count])?;
        b.0.read_at(b.1, offset, &mut other[..count])?;
        if let Some(at) = one[..count].iter().zip(&other[..count]).position(|(x, y)| x != y) {
            return Ok(Some(format!(
                "the content differs from byte {} on",
                offset + at as u64
            )));
        }
        offset += count as u64;
    }
    Ok(None)
}

/// The differing blocks of a file system whose files are the same, each with what it holds.
fn block_differences(
    name: &str,
    reader: &ext4::Reader<'_>,
    found: &[ext4::Found],
    first: u64,
    differing: &BTreeSet<u64>,
) -> Vec<Difference> {
    let mut owners: BTreeMap<u64, (u64, &[u8])> = BTreeMap::new();
    for file in found {
        for (_, range) in &file.extents {
            owners.insert(range.start, (range.end, &file.path));
        }
    }
    let mut places: BTreeMap<String, u64> = BTreeMap::new();
    for block in differing.iter().map(|block| block - first) {
        let owner = owners
            .range(..=block)
            .next_back()
            .filter(|(_, (end, _))| block < *end);
        let place = match owner {
            Some((_, (_, path))) => format!("/{} (blocks)", String::from_utf8_lossy(path)),
            None => reader
                .structure(block)
                .unwrap_or_else(|| "blocks of no file".to_owned()),
        };
        *places.entry(place).or_default() += 1;
    }
    let partition = Some(name.to_owned());
    let all = places.into_iter();
    all.map(|(place, count)| Difference {
        partition: partition.clone(),
        place,
        detail: format!("{count} blocks of {BLOCK} bytes differ, though all files are the same"),
    })
    .collect()
}

fn compare_fat(
    name: &str,
    a: Region<'_>,
    b: Region<'_>,
    differing: &BTreeSet<u64>,
) -> Result<Vec<Difference>> {
    let by_path = |found: Vec<fat::Found>| -> BTreeMap<String, fat::Found> {
        found
            .into_iter()
            .map(|found| (found.path.clone(), found))
            .collect()
    };
    let (found_a, found_b) = (by_path(fat::walk(a)?), by_path(fat::walk(b)?));
    let mut differences = Vec::new();
    let mut add = |path: &str, detail: &str| {
        let (partition, place) = (Some(name.to_owned()), format!("/{path}"));
        differences.push(Difference {
            partition,
            place,
            detail: detail.to_owned(),
        });
    };
    for path in found_a.keys().chain(found_b.keys()).collect::<BTreeSet<_>>() {
        match (found_a.get(path), found_b.get(path)) {
            (Some(one), Some(other)) if one.size != other.size => {
                add(path, &format!("size {} and {}", one.size, other.size));
            }
            (Some(one), Some(other)) if one.record != other.record => add(path, "attributes or times"),
            (Some(one), Some(other))
                if !one.is_directory && fat_content(&a, one)? != fat_content(&b, other)? =>
            {
                add(path, "the content differs");
            }
            (Some(_), Some(_)) => {}
            (Some(_), None) => add(path, "only in the first"),
            _ => add(path, "only in the second"),
        }
    }
    if differences.is_empty() {
        differences = sector_ranges(Some(name), differing);
    }
    Ok(differences)
}

fn fat_content(region: &Region<'_>, file: &fat::Found) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for range in &file.ranges {
        let at = bytes.len();
        bytes.resize(at + (range.end - range.start) as usize, 0);
        region.read_at(range.start, &mut bytes[at..])?;
    }
    bytes.truncate(file.size as usize);
    Ok(bytes)
}
