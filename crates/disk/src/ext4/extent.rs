//! Extent trees: which blocks hold a file.

use std::ops::Range;

use super::format::{BLOCK, checksum, high, inode_seed, low, put16, put32};
use super::geometry::Allocator;

const MAGIC: u16 = 0xF30A;
/// Entries of the root, which lies in the inode.
const ROOT_ENTRIES: usize = 4;
/// Entries of a block: what fits after the header of 12 bytes and before the checksum of 4.
const BLOCK_ENTRIES: usize = (BLOCK - 12 - 4) / 12;
/// Blocks of one extent (one more would mark it as not yet written).
const MAX_LENGTH: u64 = 32768;

/// An extent tree, encoded.
#[derive(Debug)]
pub(crate) struct ExtentTree {
    /// The root, for `i_block`.
    pub(crate) root: [u8; 60],
    /// Further blocks of the tree: where and what.
    pub(crate) blocks: Vec<(u64, Vec<u8>)>,
}

/// One entry of a node: the first logical block, and an extent (with its length) or a lower node.
struct Item {
    logical: u32,
    physical: u64,
    length: Option<u16>,
}

/// Builds the tree of an inode whose content lies in `ranges`, one after the other.
///
/// Blocks of the tree are taken from the allocator when the root is too small; `None` when there are none.
pub(crate) fn build(
    inode: u32,
    seed: u32,
    ranges: &[Range<u64>],
    allocator: &mut Allocator,
) -> Option<ExtentTree> {
    let mut items = Vec::new();
    let mut logical = 0u64;
    for range in ranges {
        let mut start = range.start;
        while start < range.end {
            let length = (range.end - start).min(MAX_LENGTH);
            items.push(Item {
                logical: logical as u32,
                physical: start,
                length: Some(length as u16),
            });
            logical += length;
            start += length;
        }
    }
    let seed = inode_seed(seed, inode);
    let mut blocks = Vec::new();
    let mut depth = 0;
    while items.len() > ROOT_ENTRIES {
        let mut above = Vec::new();
        for chunk in items.chunks(BLOCK_ENTRIES) {
            let mut block = vec![0; BLOCK];
            encode(&mut block, chunk, BLOCK_ENTRIES, depth);
            let tail = 12 + 12 * BLOCK_ENTRIES;
            let sum = checksum(seed, &block[..tail]);
            put32(&mut block, tail, sum);
            let physical = allocator.take_one()?;
            above.push(Item {
                logical: chunk[0].logical,
                physical,
                length: None,
            });
            blocks.push((physical, block));
        }
        items = above;
        depth += 1;
    }
    let mut root = [0; 60];
    encode(&mut root, &items, ROOT_ENTRIES, depth);
    Some(ExtentTree { root, blocks })
}

fn encode(node: &mut [u8], items: &[Item], limit: usize, depth: u16) {
    put16(node, 0, MAGIC);
    put16(node, 2, items.len() as u16);
    put16(node, 4, limit as u16);
    put16(node, 6, depth);
    for (index, item) in items.iter().enumerate() {
        let at = 12 + 12 * index;
        put32(node, at, item.logical);
        match item.length {
            Some(length) => {
                put16(node, at + 4, length);
                put16(node, at + 6, high(item.physical) as u16);
                put32(node, at + 8, low(item.physical));
            }
            None => {
                put32(node, at + 4, low(item.physical));
                put16(node, at + 8, high(item.physical) as u16);
            }
        }
    }
}
