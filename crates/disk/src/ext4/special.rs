//! Contents of the inodes that the file system itself has: the journal and the blocks reserved for growth.

use std::ops::Range;

use super::Journal;
use super::format::{BLOCK, BLOCK_U64, POINTERS_PER_BLOCK, put32};
use super::geometry::Geometry;
use crate::{Error, Result};

/// The journal's magic number; its fields are big endian.
const JOURNAL_MAGIC: u32 = 0xC03B_3998;
/// `JBD2_SUPERBLOCK_V2`.
const JOURNAL_SUPERBLOCK: u32 = 4;
/// The kernel refuses a journal of fewer blocks.
const LEAST_JOURNAL: u64 = 1024;
/// The most blocks of a journal: what its 32 bit block numbers and the tools agree on.
const MOST_JOURNAL: u64 = 10_240_000;
/// From how many blocks of file system on the journal has how many, as mke2fs has it.
const JOURNAL_SIZES: [(u64, u64); 9] = [
    (32768 << 10, 262_144),
    (16384 << 10, 131_072),
    (8192 << 10, 65536),
    (4096 << 10, 32768),
    (512 << 10, 16384),
    (256 << 10, 8192),
    (32768, 4096),
    (2048, 1024),
    (0, 0),
];

/// Blocks of the journal; 0 for none.
pub(crate) fn journal_blocks(journal: Journal, blocks: u64) -> Result<u64> {
    match journal {
        Journal::None => Ok(0),
        Journal::Auto => Ok(JOURNAL_SIZES
            .iter()
            .find(|(from, _)| blocks >= *from)
            .map_or(0, |(_, size)| *size)),
        Journal::Bytes(bytes) if (LEAST_JOURNAL..=MOST_JOURNAL).contains(&(bytes / BLOCK_U64)) => {
            Ok(bytes / BLOCK_U64)
        }
        Journal::Bytes(bytes) => {
            let problem = format!("a journal of {bytes} bytes; it must have between 4 MiB and 39 GiB");
            Err(Error::Settings {
                what: "ext4",
                problem,
            })
        }
    }
}

/// The journal's first block: a superblock that says that nothing has to be replayed.
pub(crate) fn journal_superblock(blocks: u64) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    // Magic, type, sequence; block size, blocks, first block of the log, first sequence expected, start (0: empty).
    let fields = [
        JOURNAL_MAGIC,
        JOURNAL_SUPERBLOCK,
        0,
        BLOCK as u32,
        blocks as u32,
        1,
        1,
        0,
    ];
    for (index, field) in fields.iter().enumerate() {
        block[4 * index..4 * index + 4].copy_from_slice(&field.to_be_bytes());
    }
    // `s_nr_users`: one file system uses it.
    block[0x40..0x44].copy_from_slice(&1u32.to_be_bytes());
    block
}

/// What hangs below the resize inode.
#[derive(Debug)]
pub(crate) struct Reserved {
    /// Blocks to write: where, and what.
    pub(crate) blocks: Vec<(u64, Vec<u8>)>,
    /// Blocks that count as the inode's.
    pub(crate) count: u64,
}

/// The size that the resize inode claims: all that direct, indirect and double-indirect blocks reach.
pub(crate) const RESIZE_SIZE: u64 =
    (POINTERS_PER_BLOCK as u64 * POINTERS_PER_BLOCK as u64 + POINTERS_PER_BLOCK as u64 + 12) * BLOCK_U64;

/// The reserved blocks after the descriptors: those of group 0 are the indirect blocks of the resize inode, and each
/// lists its counterparts in the groups with a backup. `double` is the double-indirect block above them.
pub(crate) fn reserved(geometry: &Geometry, double: u64) -> Reserved {
    let backups: Vec<u32> = (1..geometry.groups)
        .filter(|&group| Geometry::has_superblock(group))
        .collect();
    let first = 1 + geometry.descriptor_blocks;
    let range: Range<u32> = first..first + geometry.reserved_blocks;
    let mut top = vec![0; BLOCK];
    let mut blocks = Vec::new();
    for position in range {
        // Block 1 would be the descriptor block of index 0.
        let slot = (position - 1) % POINTERS_PER_BLOCK;
        put32(&mut top, 4 * slot as usize, position);
        let mut list = vec![0; BLOCK];
        for (index, &group) in backups.iter().enumerate() {
            put32(
                &mut list,
                4 * index,
                (geometry.group_start(group) + u64::from(position)) as u32,
            );
        }
        blocks.push((u64::from(position), list));
    }
    blocks.push((double, top));
    let count = 1 + u64::from(geometry.reserved_blocks) * (1 + backups.len() as u64);
    Reserved { blocks, count }
}
