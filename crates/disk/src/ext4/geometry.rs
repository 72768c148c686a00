//! Where the fixed structures lie: superblocks, descriptors, bitmaps and inode tables; and what is free.

use std::ops::Range;

use super::Settings;
use super::format::{
    BLOCK, BLOCK_U64, BLOCKS_PER_GROUP, DESCRIPTOR_SIZE, DESCRIPTORS_PER_BLOCK, FIRST_INODE,
    INODES_PER_BLOCK, POINTERS_PER_BLOCK,
};
use crate::{Error, Result};

/// Groups whose bitmaps and tables lie together (16), unless their tables would fill more than half of a group.
const LOG_FLEX: u32 = 4;
/// The last group is left off when fewer blocks than this would remain in it for data.
const LEAST_LAST_GROUP: u64 = 50;
/// Inodes of a group: as many as one bitmap block has bits.
const MAX_INODES_PER_GROUP: u64 = 8 * BLOCK as u64;
/// The most groups: with one reserved inode table block each, inode numbers stay within 32 bits.
const MAX_GROUPS: u64 = 1 << 21;

/// The fixed structures of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Blocks of the file system.
    pub(crate) blocks: u64,
    /// Block groups.
    pub(crate) groups: u32,
    /// Inodes of each group.
    pub(crate) inodes_per_group: u32,
    /// Blocks of the descriptor table.
    pub(crate) descriptor_blocks: u32,
    /// Blocks reserved after it for growth.
    pub(crate) reserved_blocks: u32,
    /// Binary logarithm of the groups of a flexible group.
    pub(crate) log_flex: u32,
}

impl Geometry {
    /// Divides a file system of `settings.size` for at least `inodes` inodes besides the reserved ones.
    pub(crate) fn new(settings: &Settings, inodes: u64) -> Result<Self> {
        let mut blocks = settings.size / BLOCK_U64;
        loop {
            let groups = blocks.div_ceil(u64::from(BLOCKS_PER_GROUP));
            if groups == 0 {
                let needed = LEAST_LAST_GROUP * BLOCK_U64;
                return Err(Error::TooSmall {
                    what: "an ext4 file system",
                    size: settings.size,
                    needed,
                });
            }
            if groups > MAX_GROUPS {
                let problem = format!("a size of {} bytes cannot be divided into groups", settings.size);
                return Err(Error::Settings {
                    what: "ext4",
                    problem,
                });
            }
            let geometry = Self::divide(settings, blocks, groups as u32, inodes)?;
            let last = geometry.groups - 1;
            let rest = u64::from(geometry.group_blocks(last));
            if rest >= geometry.group_overhead(last) + LEAST_LAST_GROUP {
                return Ok(geometry);
            }
            if last == 0 {
                let needed = (geometry.group_overhead(0) + LEAST_LAST_GROUP) * BLOCK_U64;
                return Err(Error::TooSmall {
                    what: "an ext4 file system",
                    size: settings.size,
                    needed,
                });
            }
            blocks -= rest;
        }
    }

    fn divide(settings: &Settings, blocks: u64, groups: u32, inodes: u64) -> Result<Self> {
        let by_ratio = blocks * BLOCK_U64 / u64::from(settings.bytes_per_inode.max(1));
        let wanted = by_ratio.max(inodes + u64::from(FIRST_INODE));
        let per_group = wanted
            .div_ceil(u64::from(groups))
            .next_multiple_of(u64::from(INODES_PER_BLOCK));
        let per_group = if per_group <= MAX_INODES_PER_GROUP {
            per_group
        } else if inodes + u64::from(FIRST_INODE) <= u64::from(groups) * MAX_INODES_PER_GROUP {
            MAX_INODES_PER_GROUP
        } else {
            let needed = (inodes + u64::from(FIRST_INODE)).div_ceil(MAX_INODES_PER_GROUP)
                * u64::from(BLOCKS_PER_GROUP)
                * BLOCK_U64;
            return Err(Error::TooSmall {
                what: "an ext4 file system",
                size: settings.size,
                needed,
            });
        };
        let descriptor_blocks = groups.div_ceil(DESCRIPTORS_PER_BLOCK);
        let grown = settings
            .growth_limit
            .div_ceil(u64::from(BLOCKS_PER_GROUP) * BLOCK_U64);
        let grown = grown.div_ceil(u64::from(DESCRIPTORS_PER_BLOCK));
        // The reserved blocks hang below one double-indirect block, which bounds their number.
        let reserved = grown
            .saturating_sub(u64::from(descriptor_blocks))
            .min(u64::from(POINTERS_PER_BLOCK));
        let mut geometry = Self {
            blocks,
            groups,
            inodes_per_group: per_group as u32,
            descriptor_blocks,
            reserved_blocks: reserved as u32,
            log_flex: LOG_FLEX,
        };
        while geometry.log_flex > 0
            && u64::from(geometry.table_blocks()) << geometry.log_flex > u64::from(BLOCKS_PER_GROUP / 2)
        {
            geometry.log_flex -= 1;
        }
        Ok(geometry)
    }

    /// All inodes.
    pub(crate) fn inodes(&self) -> u32 {
        self.groups * self.inodes_per_group
    }

    /// Blocks of one group's inode table.
    pub(crate) fn table_blocks(&self) -> u32 {
        self.inodes_per_group / INODES_PER_BLOCK
    }

    /// The first block of a group.
    pub(crate) fn group_start(&self, group: u32) -> u64 {
        u64::from(group) * u64::from(BLOCKS_PER_GROUP)
    }

    /// Blocks of a group; the last may be short.
    pub(crate) fn group_blocks(&self, group: u32) -> u32 {
        (self.blocks - self.group_start(group)).min(u64::from(BLOCKS_PER_GROUP)) as u32
    }

    /// Whether a group has a copy of the superblock: 0, 1 and the powers of 3, 5 and 7 (`sparse_super`).
    pub(crate) fn has_superblock(group: u32) -> bool {
        let is_power = |base: u32| {
            let mut rest = group;
            while rest > 1 && rest.is_multiple_of(base) {
                rest /= base;
            }
            rest == 1
        };
        group <= 1 || is_power(3) || is_power(5) || is_power(7)
    }

    /// Blocks at the start of a group for superblock, descriptors and those reserved.
    pub(crate) fn superblock_span(&self, group: u32) -> u32 {
        if Self::has_superblock(group) {
            1 + self.descriptor_blocks + self.reserved_blocks
        } else {
            0
        }
    }

    /// The flexible group of a group: its first group and how many groups it has.
    fn flex(&self, group: u32) -> (u32, u32) {
        let first = group >> self.log_flex << self.log_flex;
        (first, (self.groups - first).min(1 << self.log_flex))
    }

    /// All fixed blocks that lie in a group.
    fn group_overhead(&self, group: u32) -> u64 {
        let (first, count) = self.flex(group);
        let tables = if first == group {
            u64::from(count) * (2 + u64::from(self.table_blocks()))
        } else {
            0
        };
        u64::from(self.superblock_span(group)) + tables
    }

    fn flex_start(&self, group: u32) -> (u64, u64, u64) {
        let (first, count) = self.flex(group);
        let start = self.group_start(first) + u64::from(self.superblock_span(first));
        (start, u64::from(group - first), u64::from(count))
    }

    /// The block of a group's block bitmap.
    pub(crate) fn block_bitmap(&self, group: u32) -> u64 {
        let (start, index, _) = self.flex_start(group);
        start + index
    }

    /// The block of a group's inode bitmap.
    pub(crate) fn inode_bitmap(&self, group: u32) -> u64 {
        let (start, index, count) = self.flex_start(group);
        start + count + index
    }

    /// The first block of a group's inode table.
    pub(crate) fn inode_table(&self, group: u32) -> u64 {
        let (start, index, count) = self.flex_start(group);
        start + 2 * count + index * u64::from(self.table_blocks())
    }

    /// The fixed blocks, as ranges in order that do not touch each other.
    pub(crate) fn fixed_ranges(&self) -> Vec<Range<u64>> {
        (0..self.groups)
            .map(|group| (group, self.group_overhead(group)))
            .filter(|&(_, overhead)| overhead > 0)
            .map(|(group, overhead)| self.group_start(group)..self.group_start(group) + overhead)
            .collect()
    }

    /// Bytes of the descriptor table, without padding.
    pub(crate) fn descriptor_bytes(&self) -> usize {
        self.groups as usize * DESCRIPTOR_SIZE
    }
}

/// Hands out free blocks from the start of the file system on, leaving no gaps but the fixed blocks.
#[derive(Debug, Clone)]
pub(crate) struct Allocator {
    fixed: Vec<Range<u64>>,
    next_fixed: usize,
    cursor: u64,
    end: u64,
    free: u64,
}

impl Allocator {
    /// An allocator of all blocks that are not fixed.
    pub(crate) fn new(geometry: &Geometry) -> Self {
        let fixed = geometry.fixed_ranges();
        let free = geometry.blocks - fixed.iter().map(|range| range.end - range.start).sum::<u64>();
        Self {
            fixed,
            next_fixed: 0,
            cursor: 0,
            end: geometry.blocks,
            free,
        }
    }

    /// Takes `count` blocks: as few ranges as possible, in order; `None` if so many are not free.
    pub(crate) fn take(&mut self, count: u64) -> Option<Vec<Range<u64>>> {
        if count > self.free {
            return None;
        }
        self.free -= count;
        let mut taken = Vec::new();
        let mut rest = count;
        while rest > 0 {
            let limit = self
                .fixed
                .get(self.next_fixed)
                .map_or(self.end, |range| range.start);
            if self.cursor == limit {
                self.cursor = self.fixed.get(self.next_fixed)?.end;
                self.next_fixed += 1;
                continue;
            }
            let length = rest.min(limit - self.cursor);
            taken.push(self.cursor..self.cursor + length);
            self.cursor += length;
            rest -= length;
        }
        Some(taken)
    }

    /// Takes one block.
    pub(crate) fn take_one(&mut self) -> Option<u64> {
        self.take(1)?.first().map(|range| range.start)
    }

    /// Blocks still free.
    pub(crate) fn free(&self) -> u64 {
        self.free
    }

    /// Every block before this one is in use; after it, only fixed ones are.
    pub(crate) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The fixed blocks.
    pub(crate) fn fixed(&self) -> &[Range<u64>] {
        &self.fixed
    }
}
