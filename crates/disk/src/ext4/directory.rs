//! Directories: linear blocks, and hash trees over them for large ones.
//!
//! A directory is planned first (how many blocks it takes, which entry lies in which) and encoded while writing.

use std::ops::Range;

use super::format::{BLOCK, checksum, inode_seed, put16, put32};
use super::hash::half_md4;
use crate::Kind;

/// The record that holds the checksum at the end of each block.
const TAIL: usize = 12;
/// Room for entries in a leaf.
const ROOM: usize = BLOCK - TAIL;
/// The records of `.` and `..`.
const DOTS: usize = 24;
/// Where the hash tree's entries start in its root: after `.`, `..` and `dx_root_info`.
const ROOT_ENTRIES_AT: usize = 32;
/// Where they start in other nodes: after one empty record.
const NODE_ENTRIES_AT: usize = 8;
/// Entries of the root and of other nodes; 8 bytes remain for the checksum.
const ROOT_LIMIT: usize = (BLOCK - ROOT_ENTRIES_AT - 8) / 8;
const NODE_LIMIT: usize = (BLOCK - NODE_ENTRIES_AT - 8) / 8;
/// `DX_HASH_HALF_MD4`; that characters are unsigned stands in the superblock.
pub(crate) const HASH_VERSION: u8 = 1;
/// The most leaves of a tree with two levels. A larger directory has no index: slow, but right.
const MAX_LEAVES: usize = ROOT_LIMIT * NODE_LIMIT;

/// `file_type` of a directory record.
pub(crate) fn file_type(kind: &Kind) -> u8 {
    match kind {
        Kind::File(_) => 1,
        Kind::Directory => 2,
        Kind::CharDevice { .. } => 3,
        Kind::BlockDevice { .. } => 4,
        Kind::Fifo => 5,
        Kind::Socket => 6,
        Kind::Symlink(_) => 7,
        // The caller passes the target's kind; this one has none of its own.
        Kind::HardLink(_) => 0,
    }
}

/// One name in a directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'t> {
    /// The name.
    pub(crate) name: &'t [u8],
    /// Whose it is.
    pub(crate) inode: u32,
    /// What that is, see [`file_type`].
    pub(crate) file_type: u8,
}

impl Record<'_> {
    fn length(&self) -> usize {
        (8 + self.name.len()).next_multiple_of(4)
    }
}

/// A leaf: which records it has, and the hash from which on (with the lowest bit set where it continues a collision).
#[derive(Debug, Clone)]
struct Leaf {
    records: Range<usize>,
    hash: u32,
}

/// A planned directory.
#[derive(Debug)]
pub(crate) struct Directory<'t> {
    inode: u32,
    parent: u32,
    /// In the order in which they are written: as given, or by hash.
    records: Vec<Record<'t>>,
    leaves: Vec<Leaf>,
    /// Levels of the hash tree: none, the root alone, or root and nodes.
    levels: usize,
    /// Empty leaves that follow.
    spare: usize,
}

impl<'t> Directory<'t> {
    /// Plans a directory. It has at least `least_blocks` blocks.
    pub(crate) fn plan(
        inode: u32,
        parent: u32,
        mut records: Vec<Record<'t>>,
        hash_seed: [u32; 4],
        least_blocks: usize,
    ) -> Self {
        let mut leaves = pack(&records, DOTS, |_| 0);
        let mut levels = 0;
        if leaves.len() > 1 {
            let mut hashed: Vec<(u32, Record<'t>)> = records
                .iter()
                .map(|record| (half_md4(hash_seed, record.name), *record))
                .collect();
            hashed.sort_unstable_by(|a, b| (a.0, a.1.name).cmp(&(b.0, b.1.name)));
            let by_hash: Vec<Record<'t>> = hashed.iter().map(|(_, record)| *record).collect();
            let packed = pack(&by_hash, 0, |index| {
                let continues = index > 0 && hashed[index - 1].0 == hashed[index].0;
                hashed[index].0 | u32::from(continues)
            });
            if packed.len() <= MAX_LEAVES {
                levels = if packed.len() <= ROOT_LIMIT { 1 } else { 2 };
                (leaves, records) = (packed, by_hash);
            }
        }
        let spare = if levels == 0 {
            least_blocks.saturating_sub(leaves.len())
        } else {
            0
        };
        Self {
            inode,
            parent,
            records,
            leaves,
            levels,
            spare,
        }
    }

    /// Blocks of the directory.
    pub(crate) fn blocks(&self) -> usize {
        self.node_count() + self.leaves.len() + self.spare
    }

    /// Whether it has a hash tree.
    pub(crate) fn is_indexed(&self) -> bool {
        self.levels > 0
    }

    fn node_count(&self) -> usize {
        match self.levels {
            0 => 0,
            1 => 1,
            _ => 1 + self.leaves.len().div_ceil(NODE_LIMIT),
        }
    }

    /// Encodes some of the directory's blocks into `out`, which is as long as they are.
    pub(crate) fn encode(&self, seed: u32, blocks: Range<usize>, out: &mut [u8]) {
        let seed = inode_seed(seed, self.inode);
        for (index, block) in blocks.zip(out.chunks_mut(BLOCK)) {
            match index.checked_sub(self.node_count()) {
                None if index == 0 => self.encode_root(seed, block),
                None => self.encode_node(seed, index - 1, block),
                Some(leaf) => self.encode_leaf(seed, leaf, block),
            }
        }
    }

    fn encode_leaf(&self, seed: u32, index: usize, block: &mut [u8]) {
        let mut at = 0;
        let mut last = None;
        let dots = [
            Record {
                name: b".",
                inode: self.inode,
                file_type: 2,
            },
            Record {
                name: b"..",
                inode: self.parent,
                file_type: 2,
            },
        ];
        let dots: &[Record<'_>] = if self.levels == 0 && index == 0 {
            &dots
        } else {
            &[]
        };
        let records = self
            .leaves
            .get(index)
            .map_or(&[][..], |leaf| &self.records[leaf.records.clone()]);
        for record in dots.iter().chain(records) {
            put_record(&mut block[at..], record, record.length());
            last = Some(at);
            at += record.length();
        }
        // The last record reaches to the tail; a leaf without records has one that is unused.
        match last {
            Some(last) => put16(block, last + 4, (ROOM - last) as u16),
            None => put16(block, 4, ROOM as u16),
        }
        put16(block, ROOM + 4, TAIL as u16);
        block[ROOM + 7] = 0xDE;
        let sum = checksum(seed, &block[..ROOM]);
        put32(block, ROOM + 8, sum);
    }

    fn encode_root(&self, seed: u32, block: &mut [u8]) {
        put_record(
            block,
            &Record {
                name: b".",
                inode: self.inode,
                file_type: 2,
            },
            12,
        );
        put_record(
            &mut block[12..],
            &Record {
                name: b"..",
                inode: self.parent,
                file_type: 2,
            },
            BLOCK - 12,
        );
        block[28] = HASH_VERSION;
        block[29] = 8;
        block[30] = (self.levels - 1) as u8;
        let nodes = self.node_count();
        let entries: Vec<(u32, u32)> = if self.levels == 1 {
            self.leaves
                .iter()
                .enumerate()
                .map(|(i, leaf)| (leaf.hash, (nodes + i) as u32))
                .collect()
        } else {
            let firsts = self.leaves.iter().step_by(NODE_LIMIT);
            firsts
                .enumerate()
                .map(|(i, leaf)| (leaf.hash, 1 + i as u32))
                .collect()
        };
        put_index(block, seed, ROOT_ENTRIES_AT, ROOT_LIMIT, &entries);
    }

    fn encode_node(&self, seed: u32, node: usize, block: &mut [u8]) {
        put16(block, 4, BLOCK as u16);
        let first = node * NODE_LIMIT;
        let leaves = &self.leaves[first..self.leaves.len().min(first + NODE_LIMIT)];
        let base = self.node_count() + first;
        let entries: Vec<(u32, u32)> = leaves
            .iter()
            .enumerate()
            .map(|(i, leaf)| (leaf.hash, (base + i) as u32))
            .collect();
        put_index(block, seed, NODE_ENTRIES_AT, NODE_LIMIT, &entries);
    }
}

/// Fills leaves in order. `used` bytes of the first are taken; there is always at least one leaf.
fn pack(records: &[Record<'_>], used: usize, hash: impl Fn(usize) -> u32) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let (mut start, mut used) = (0, used);
    for (index, record) in records.iter().enumerate() {
        if used + record.length() > ROOM {
            leaves.push(Leaf {
                records: start..index,
                hash: hash(start),
            });
            (start, used) = (index, 0);
        }
        used += record.length();
    }
    let hash = if records.is_empty() { 0 } else { hash(start) };
    leaves.push(Leaf {
        records: start..records.len(),
        hash,
    });
    leaves
}

fn put_record(at: &mut [u8], record: &Record<'_>, length: usize) {
    put32(at, 0, record.inode);
    put16(at, 4, length as u16);
    at[6] = record.name.len() as u8;
    at[7] = record.file_type;
    at[8..8 + record.name.len()].copy_from_slice(record.name);
}

/// Writes `dx_countlimit`, the entries and `dx_tail`. The first entry has no hash: the counts stand in its place.
fn put_index(block: &mut [u8], seed: u32, at: usize, limit: usize, entries: &[(u32, u32)]) {
    for (index, (hash, target)) in entries.iter().enumerate() {
        put32(block, at + 8 * index, *hash);
        put32(block, at + 8 * index + 4, *target);
    }
    put16(block, at, limit as u16);
    put16(block, at + 2, entries.len() as u16);
    let covered = checksum(seed, &block[..at + 8 * entries.len()]);
    // The reserved word of the tail and the checksum's own place, both zero, are part of the sum.
    let sum = checksum(covered, &[0; 8]);
    put32(block, at + 8 * limit + 4, sum);
}
