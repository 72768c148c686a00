//! Reads an ext4 file system, to compare two of them file by file and to check what was written.
//!
//! It reads what [`super::plan`] makes, and what mke2fs makes with blocks of 4096 bytes and extents. Input may be
//! damaged: every number is checked before use, and every walk has a limit.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::format::{
    BLOCK, BLOCK_U64, FLAG_EXTENTS, MAGIC, ROOT_INODE, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE, get16, get32,
    incompat,
};
use super::inode::FAST_SYMLINK;
use super::xattr;
use crate::{Error, MAX_PATH, Region, Result};

/// The most entries of a file system that is read.
const MAX_ENTRIES: usize = 1 << 24;
/// The deepest extent tree (the kernel's limit).
const MAX_EXTENT_DEPTH: u16 = 5;
/// The fewest blocks of a group, which bounds the number of groups (mke2fs makes none of fewer than 256).
const LEAST_PER_GROUP: u64 = 256;
/// The most bytes of one directory, or of one file given as bytes.
const MAX_CONTENT: u64 = 1 << 31;
/// Features which the reader understands, of those that must be understood.
const KNOWN: u32 = incompat::FILETYPE
    | incompat::EXTENTS
    | incompat::BITS_64
    | incompat::FLEX_BG
    | incompat::CSUM_SEED
    // The journal waits to be replayed: what is read may be old, but is as it stands.
    | 0x4;

/// One name in the file system, with what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The path without a leading slash; empty for the root.
    pub path: Vec<u8>,
    /// The inode's number, the same for all names of a file.
    pub inode: u32,
    /// `st_mode`.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of links.
    pub links: u16,
    /// Size in bytes.
    pub size: u64,
    /// Access, change, modification and creation times, in seconds since 1970.
    pub times: [i64; 4],
    /// Extended attributes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Target of a symbolic link; number of a device, encoded; else empty.
    pub inline: Vec<u8>,
    /// Where the content is: the first logical block, and the blocks on the disk.
    pub extents: Vec<(u32, Range<u64>)>,
}

impl Found {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & 0o170000 == 0o040000
    }
}

/// An ext4 file system that is open for reading.
#[derive(Debug, Clone)]
pub struct Reader<'f> {
    region: Region<'f>,
    superblock: Vec<u8>,
    descriptors: Vec<u8>,
    descriptor_size: usize,
    inode_size: u64,
    blocks: u64,
}

fn damaged(offset: u64, problem: impl Into<String>) -> Error {
    Error::Damaged {
        format: "ext4",
        offset,
        problem: problem.into(),
    }
}

impl<'f> Reader<'f> {
    /// Whether the region looks like an ext4 (or ext2, ext3) file system.
    pub fn detect(region: &Region<'_>) -> bool {
        let mut magic = [0; 2];
        region
            .read_at(SUPERBLOCK_OFFSET as u64 + 0x38, &mut magic)
            .is_ok()
            && u16::from_le_bytes(magic) == MAGIC
    }

    /// Reads superblock and group descriptors.
    pub fn open(region: Region<'f>) -> Result<Self> {
        let at = SUPERBLOCK_OFFSET as u64;
        let mut superblock = vec![0; SUPERBLOCK_SIZE];
        region.read_at(at, &mut superblock)?;
        if get16(&superblock, 0x38) != MAGIC {
            return Err(damaged(at, "there is no superblock"));
        }
        let features = get32(&superblock, 0x60);
        if features & !KNOWN != 0 || features & incompat::EXTENTS == 0 || get32(&superblock, 0x18) != 2 {
            return Err(damaged(
                at,
                format!("its features ({features:#x}) or block size cannot be read"),
            ));
        }
        let wide = features & incompat::BITS_64 != 0;
        let descriptor_size = if wide {
            usize::from(get16(&superblock, 0xFE))
        } else {
            32
        };
        let high = if wide {
            u64::from(get32(&superblock, 0x150)) << 32
        } else {
            0
        };
        let blocks = u64::from(get32(&superblock, 0x04)) | high;
        let per_group = u64::from(get32(&superblock, 0x20));
        let inode_size = u64::from(get16(&superblock, 0x58));
        let sane = blocks > 0
            && blocks
                .checked_mul(BLOCK_U64)
                .is_some_and(|bytes| bytes <= region.length())
            && per_group >= LEAST_PER_GROUP
            && (32..=1024).contains(&descriptor_size)
            && (128..=BLOCK_U64).contains(&inode_size)
            && get32(&superblock, 0x28) > 0;
        if !sane {
            return Err(damaged(at, "the numbers in the superblock contradict each other"));
        }
        let bytes = blocks.div_ceil(per_group) as usize * descriptor_size;
        let mut descriptors = vec![0; bytes];
        region.read_at(BLOCK_U64, &mut descriptors)?;
        Ok(Self {
            region,
            superblock,
            descriptors,
            descriptor_size,
            inode_size,
            blocks,
        })
    }

    /// The superblock's bytes.
    pub fn superblock(&self) -> &[u8] {
        &self.superblock
    }

    fn group_field(&self, group: usize, low: usize, high: usize) -> Option<u64> {
        let at = group.checked_mul(self.descriptor_size)?;
        let descriptor = self.descriptors.get(at..at + self.descriptor_size)?;
        let upper = if self.descriptor_size >= 64 {
            u64::from(get32(descriptor, high)) << 32
        } else {
            0
        };
        Some(u64::from(get32(descriptor, low)) | upper)
    }

    /// What fixed structure lies in a block, in words.
    pub fn structure(&self, block: u64) -> Option<String> {
        let per_group = u64::from(get32(&self.superblock, 0x20));
        let table_blocks = u64::from(get32(&self.superblock, 0x28)) * self.inode_size / BLOCK_U64;
        let groups = self.blocks.div_ceil(per_group);
        for group in 0..groups as usize {
            let in_group = |low, high, length: u64| {
                self.group_field(group, low, high)
                    .is_some_and(|start| (start..start + length).contains(&block))
            };
            if in_group(0x00, 0x20, 1) {
                return Some(format!("block bitmap of group {group}"));
            }
            if in_group(0x04, 0x24, 1) {
                return Some(format!("inode bitmap of group {group}"));
            }
            if in_group(0x08, 0x28, table_blocks) {
                return Some(format!("inode table of group {group}"));
            }
        }
        let reserved =
            u64::from(get16(&self.superblock, 0xCE)) + (self.descriptors.len() as u64).div_ceil(BLOCK_U64);
        match block % per_group {
            0 => Some(format!("superblock of group {}", block / per_group)),
            within if within <= reserved => Some(format!("group descriptors of group {}", block / per_group)),
            _ => None,
        }
    }

    fn block(&self, block: u64) -> Result<Vec<u8>> {
        if block >= self.blocks {
            return Err(damaged(0, format!("block {block} lies behind the end")));
        }
        let mut bytes = vec![0; BLOCK];
        self.region.read_at(block * BLOCK_U64, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads an inode; its path is left empty.
    pub fn inode(&self, number: u32) -> Result<Found> {
        let per_group = get32(&self.superblock, 0x28);
        let index = number
            .checked_sub(1)
            .ok_or_else(|| damaged(0, "there is no inode 0"))?;
        let (group, within) = ((index / per_group) as usize, u64::from(index % per_group));
        let table = self
            .group_field(group, 0x08, 0x28)
            .filter(|&table| table < self.blocks)
            .ok_or_else(|| damaged(0, format!("inode {number} lies in no group")))?;
        let mut raw = vec![0; self.inode_size as usize];
        self.region
            .read_at(table * BLOCK_U64 + within * self.inode_size, &mut raw)?;
        let mode = get16(&raw, 0);
        let mut found = Found {
            path: Vec::new(),
            inode: number,
            mode,
            uid: u32::from(get16(&raw, 0x02)) | u32::from(get16(&raw, 0x78)) << 16,
            gid: u32::from(get16(&raw, 0x18)) | u32::from(get16(&raw, 0x7A)) << 16,
            links: get16(&raw, 0x1A),
            size: u64::from(get32(&raw, 0x04)) | u64::from(get32(&raw, 0x6C)) << 32,
            times: times(&raw),
            xattrs: BTreeMap::new(),
            inline: Vec::new(),
            extents: Vec::new(),
        };
        self.read_xattrs(&raw, &mut found)?;
        if get32(&raw, 0x20) & FLAG_EXTENTS != 0 {
            self.extents(&raw[0x28..0x64], &mut found.extents, None)?;
        } else if mode & 0o170000 == 0o120000 {
            let length = found.size.min(FAST_SYMLINK as u64) as usize;
            found.inline = raw[0x28..0x28 + length].to_vec();
        } else if matches!(mode & 0o170000, 0o020000 | 0o060000) {
            found.inline = raw[0x28..0x30].to_vec();
        }
        Ok(found)
    }

    fn read_xattrs(&self, raw: &[u8], found: &mut Found) -> Result<()> {
        let number = found.inode;
        let bad = || {
            damaged(
                0,
                format!("the extended attributes of inode {number} are damaged"),
            )
        };
        if raw.len() >= 132 {
            let start = 128 + usize::from(get16(raw, 0x80));
            if raw
                .get(start..start + 4)
                .is_some_and(|magic| get32(magic, 0) == xattr::MAGIC)
            {
                xattr::decode(&raw[start + 4..], 0, &mut found.xattrs).ok_or_else(bad)?;
            }
        }
        let block = u64::from(get32(raw, 0x68)) | u64::from(get16(raw, 0x76)) << 32;
        if block != 0 {
            let block = self.block(block)?;
            if get32(&block, 0) != xattr::MAGIC {
                return Err(bad());
            }
            xattr::decode(&block, xattr::BLOCK_HEADER, &mut found.xattrs).ok_or_else(bad)?;
        }
        Ok(())
    }

    /// Reads a node of an extent tree. Below the root, each node must be one level lower than the one above.
    fn extents(&self, node: &[u8], into: &mut Vec<(u32, Range<u64>)>, depth: Option<u16>) -> Result<()> {
        let own = get16(node, 6);
        let count = usize::from(get16(node, 2));
        let expected = depth.is_none_or(|depth| own == depth);
        if get16(node, 0) != 0xF30A || own > MAX_EXTENT_DEPTH || !expected || 12 + 12 * count > node.len() {
            return Err(damaged(0, "a node of an extent tree is damaged"));
        }
        for entry in node[12..12 + 12 * count].chunks_exact(12) {
            if own > 0 {
                let lower = u64::from(get32(entry, 4)) | u64::from(get16(entry, 8)) << 32;
                self.extents(&self.block(lower)?, into, Some(own - 1))?;
                continue;
            }
            let start = u64::from(get32(entry, 8)) | u64::from(get16(entry, 6)) << 32;
            let length = u64::from(get16(entry, 4));
            // More than 32768 marks blocks that are reserved and read as zeros.
            if length <= 32768 {
                if start + length > self.blocks || into.len() > MAX_ENTRIES {
                    return Err(damaged(0, "an extent leaves the file system"));
                }
                into.push((get32(entry, 0), start..start + length));
            }
        }
        Ok(())
    }

    /// Reads `out.len()` bytes of a file from `offset` on. What no extent has is zero.
    pub fn read_at(&self, file: &Found, offset: u64, out: &mut [u8]) -> Result<()> {
        out.fill(0);
        let end = offset + out.len() as u64;
        for (logical, range) in &file.extents {
            let start = u64::from(*logical) * BLOCK_U64;
            let stop = start + (range.end - range.start) * BLOCK_U64;
            let (from, to) = (start.max(offset), stop.min(end));
            if from < to {
                let part = &mut out[(from - offset) as usize..(to - offset) as usize];
                self.region
                    .read_at(range.start * BLOCK_U64 + (from - start), part)?;
            }
        }
        Ok(())
    }

    /// The whole content of a file or directory, or the target of a symbolic link.
    pub fn content(&self, file: &Found) -> Result<Vec<u8>> {
        if !file.inline.is_empty() {
            return Ok(file.inline.clone());
        }
        if file.size > MAX_CONTENT {
            return Err(damaged(
                0,
                format!("inode {} has {} bytes", file.inode, file.size),
            ));
        }
        let mut bytes = vec![0; file.size as usize];
        self.read_at(file, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// All names, sorted by path; the root first.
    pub fn walk(&self) -> Result<Vec<Found>> {
        let root = self.inode(ROOT_INODE)?;
        let mut visited = BTreeSet::from([ROOT_INODE]);
        let mut pending = vec![root.clone()];
        let mut all = vec![root];
        while let Some(directory) = pending.pop() {
            for (name, number) in self.names(&directory)? {
                let mut found = self.inode(number)?;
                found.path = directory.path.clone();
                if !found.path.is_empty() {
                    found.path.push(b'/');
                }
                found.path.extend_from_slice(&name);
                if all.len() >= MAX_ENTRIES || found.path.len() > MAX_PATH {
                    return Err(damaged(0, "there are too many files, or too deep directories"));
                }
                if found.is_directory() {
                    if !visited.insert(number) {
                        return Err(damaged(
                            0,
                            format!("the directory of inode {number} has two names"),
                        ));
                    }
                    pending.push(found.clone());
                }
                all.push(found);
            }
        }
        all.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    /// The records of a directory but `.` and `..`. Nodes of a hash tree look like unused records and are passed over.
    fn names(&self, directory: &Found) -> Result<Vec<(Vec<u8>, u32)>> {
        let content = self.content(directory)?;
        let mut names = Vec::new();
        for block in content.chunks(BLOCK) {
            let mut at = 0;
            while at + 8 <= block.len() {
                let (inode, length) = (get32(block, at), usize::from(get16(block, at + 4)));
                let name = block.get(at + 8..at + 8 + usize::from(block[at + 6]));
                let (Some(name), true) = (name, length >= 8 && at + length <= block.len()) else {
                    return Err(damaged(
                        0,
                        format!("the directory of inode {} is damaged", directory.inode),
                    ));
                };
                if inode != 0 && name != b"." && name != b".." {
                    if name.is_empty() || name.contains(&b'/') {
                        return Err(damaged(
                            0,
                            format!("the directory of inode {} has a bad name", directory.inode),
                        ));
                    }
                    names.push((name.to_vec(), inode));
                }
                at += length;
            }
        }
        Ok(names)
    }
}

fn times(raw: &[u8]) -> [i64; 4] {
    let time = |at: usize, extra: usize| {
        let seconds = if at + 4 <= raw.len() {
            i64::from(get32(raw, at) as i32)
        } else {
            0
        };
        let epoch = if extra + 4 <= raw.len() {
            i64::from(get32(raw, extra) & 3)
        } else {
            0
        };
        seconds + (epoch << 32)
    };
    [
        time(0x08, 0x8C),
        time(0x0C, 0x84),
        time(0x10, 0x88),
        time(0x90, 0x94),
    ]
}
