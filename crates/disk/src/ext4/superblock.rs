//! The superblock, group descriptors and bitmaps.

use std::ops::Range;

use super::Layout;
use super::directory::HASH_VERSION;
use super::format::{
    BLOCK, BLOCKS_PER_GROUP, DESCRIPTOR_SIZE, FIRST_INODE, INODE_SIZE, JOURNAL_INODE, MAGIC, SUPERBLOCK_SIZE,
    checksum, compat, high, incompat, low, put16, put32, ro_compat,
};
use super::geometry::Geometry;
use super::inode::EXTRA_SIZE;

/// `EXT4_BG_INODE_ZEROED`: the table needs no clearing in the background.
const TABLE_ZEROED: u16 = 0x4;
/// `EXT4_DEFM_XATTR_USER | EXT4_DEFM_ACL`.
const MOUNT_OPTIONS: u32 = 0xC;
/// `EXT2_FLAGS_UNSIGNED_HASH`: names are hashed as unsigned characters, on every architecture.
const UNSIGNED_HASH: u32 = 0x2;
/// Log₂ of the block size in KiB.
const LOG_BLOCK_SIZE: u32 = 2;

/// Everything that is written once for the file system, computed from a layout.
pub(super) struct Summary {
    /// The block and inode bitmap of each group.
    pub(super) bitmaps: Vec<(Vec<u8>, Vec<u8>)>,
    /// The descriptor table.
    pub(super) descriptors: Vec<u8>,
    free_inodes: u32,
    free_blocks: u64,
}

/// Computes bitmaps and descriptors.
pub(super) fn summarise(layout: &Layout<'_>) -> Summary {
    let geometry = &layout.geometry;
    let mut directories = vec![0u32; geometry.groups as usize];
    for inode in layout
        .inodes
        .iter()
        .filter(|inode| inode.mode & 0o170000 == 0o040000)
    {
        directories[((inode.number - 1) / geometry.inodes_per_group) as usize] += 1;
    }
    let last = layout.last_inode();
    let mut summary = Summary {
        bitmaps: Vec::with_capacity(geometry.groups as usize),
        descriptors: vec![0; geometry.descriptor_bytes()],
        free_inodes: geometry.inodes() - last,
        free_blocks: layout.allocator.free(),
    };
    for group in 0..geometry.groups {
        let used_inodes = last
            .saturating_sub(group * geometry.inodes_per_group)
            .min(geometry.inodes_per_group);
        let blocks = block_bitmap(layout, group);
        let inodes = inode_bitmap(geometry, used_inodes);
        let descriptor = Descriptor {
            group,
            free_blocks: blocks.iter().map(|byte| byte.count_zeros()).sum(),
            free_inodes: geometry.inodes_per_group - used_inodes,
            directories: directories[group as usize],
        };
        let at = group as usize * DESCRIPTOR_SIZE;
        descriptor.encode(
            layout,
            &blocks,
            &inodes,
            &mut summary.descriptors[at..at + DESCRIPTOR_SIZE],
        );
        summary.bitmaps.push((blocks, inodes));
    }
    summary
}

fn set(bitmap: &mut [u8], range: Range<u64>) {
    for bit in range {
        bitmap[(bit / 8) as usize] |= 1 << (bit % 8);
    }
}

fn block_bitmap(layout: &Layout<'_>, group: u32) -> Vec<u8> {
    let geometry = &layout.geometry;
    let start = geometry.group_start(group);
    let end = start + u64::from(geometry.group_blocks(group));
    let mut bitmap = vec![0; BLOCK];
    let mut mark = |range: Range<u64>| {
        let range = range.start.max(start)..range.end.min(end);
        if !range.is_empty() {
            set(&mut bitmap, range.start - start..range.end - start);
        }
    };
    mark(0..layout.allocator.cursor());
    for range in layout.allocator.fixed() {
        mark(range.clone());
    }
    // Bits behind the end of a short last group count as used.
    set(&mut bitmap, end - start..u64::from(BLOCKS_PER_GROUP));
    bitmap
}

fn inode_bitmap(geometry: &Geometry, used: u32) -> Vec<u8> {
    let mut bitmap = vec![0; BLOCK];
    set(&mut bitmap, 0..u64::from(used));
    set(
        &mut bitmap,
        u64::from(geometry.inodes_per_group)..8 * BLOCK as u64,
    );
    bitmap
}

struct Descriptor {
    group: u32,
    free_blocks: u32,
    free_inodes: u32,
    directories: u32,
}

impl Descriptor {
    fn encode(&self, layout: &Layout<'_>, block_bitmap: &[u8], inode_bitmap: &[u8], out: &mut [u8]) {
        let geometry = &layout.geometry;
        let positions = [
            geometry.block_bitmap(self.group),
            geometry.inode_bitmap(self.group),
            geometry.inode_table(self.group),
        ];
        for (index, position) in positions.into_iter().enumerate() {
            put32(out, 4 * index, low(position));
            put32(out, 0x20 + 4 * index, high(position));
        }
        // Three counts, and the inodes at the end of the table that were never used, each in two halves.
        let counts = [
            (0x0C, 0x2C, self.free_blocks),
            (0x0E, 0x2E, self.free_inodes),
            (0x10, 0x30, self.directories),
        ];
        for (at_low, at_high, count) in counts.into_iter().chain([(0x1C, 0x32, self.free_inodes)]) {
            put16(out, at_low, count as u16);
            put16(out, at_high, (count >> 16) as u16);
        }
        put16(out, 0x12, TABLE_ZEROED);
        let blocks = checksum(layout.seed, block_bitmap);
        let inodes = checksum(
            layout.seed,
            &inode_bitmap[..geometry.inodes_per_group as usize / 8],
        );
        put16(out, 0x18, blocks as u16);
        put16(out, 0x38, (blocks >> 16) as u16);
        put16(out, 0x1A, inodes as u16);
        put16(out, 0x3A, (inodes >> 16) as u16);
        let sum = checksum(checksum(layout.seed, &self.group.to_le_bytes()), out);
        put16(out, 0x1E, sum as u16);
    }
}

/// The superblock, as it stands in `group`.
pub(super) fn superblock(layout: &Layout<'_>, summary: &Summary, group: u32) -> Vec<u8> {
    let (geometry, settings) = (&layout.geometry, &layout.settings);
    let mut out = vec![0; SUPERBLOCK_SIZE];
    let reserved = geometry.blocks * u64::from(settings.reserved_percent.min(50)) / 100;
    for (at_low, at_high, count) in [
        (0x04, 0x150, geometry.blocks),
        (0x08, 0x154, reserved),
        (0x0C, 0x158, summary.free_blocks),
    ] {
        put32(&mut out, at_low, low(count));
        put32(&mut out, at_high, high(count));
    }
    let words = [
        (0x00, geometry.inodes()),
        (0x10, summary.free_inodes),
        (0x18, LOG_BLOCK_SIZE),
        (0x1C, LOG_BLOCK_SIZE),
        (0x20, BLOCKS_PER_GROUP),
        (0x24, BLOCKS_PER_GROUP),
        (0x28, geometry.inodes_per_group),
        // Never mounted; written, checked and created at the same time.
        (0x30, settings.epoch),
        (0x40, settings.epoch),
        (0x108, settings.epoch),
        // Revision: dynamic inode sizes.
        (0x4C, 1),
        (0x54, FIRST_INODE),
        (0x100, MOUNT_OPTIONS),
        (0x160, UNSIGNED_HASH),
        (0x270, layout.seed),
    ];
    for (at, value) in words {
        put32(&mut out, at, value);
    }
    let halves = [
        // No check is forced after a number of mounts.
        (0x36, 0xFFFF),
        (0x38, MAGIC),
        // Cleanly unmounted; on errors, continue.
        (0x3A, 1),
        (0x3C, 1),
        (0x58, INODE_SIZE as u16),
        (0x5A, group as u16),
        (0xCE, geometry.reserved_blocks as u16),
        (0xFE, DESCRIPTOR_SIZE as u16),
        (0x15C, EXTRA_SIZE),
        (0x15E, EXTRA_SIZE),
    ];
    for (at, value) in halves {
        put16(&mut out, at, value);
    }
    put_features(&mut out, layout);
    out[0x68..0x78].copy_from_slice(settings.uuid.as_bytes());
    out[0x78..0x78 + settings.label.len()].copy_from_slice(settings.label.as_bytes());
    out[0xEC..0xFC].copy_from_slice(settings.hash_seed.as_bytes());
    out[0xFC] = HASH_VERSION;
    out[0x174] = geometry.log_flex as u8;
    // Checksums are CRC-32C.
    out[0x175] = 1;
    put_journal(&mut out, layout);
    let sum = checksum(u32::MAX, &out[..0x3FC]);
    put32(&mut out, 0x3FC, sum);
    out
}

fn put_features(out: &mut [u8], layout: &Layout<'_>) {
    let mut compatible = compat::EXT_ATTR | compat::DIR_INDEX;
    if layout.journal.is_some() {
        compatible |= compat::HAS_JOURNAL;
    }
    if layout.geometry.reserved_blocks > 0 {
        compatible |= compat::RESIZE_INODE;
    }
    put32(out, 0x5C, compatible);
    let incompatible =
        incompat::FILETYPE | incompat::EXTENTS | incompat::BITS_64 | incompat::FLEX_BG | incompat::CSUM_SEED;
    put32(out, 0x60, incompatible);
    let read_only = ro_compat::SPARSE_SUPER
        | ro_compat::LARGE_FILE
        | ro_compat::HUGE_FILE
        | ro_compat::DIR_NLINK
        | ro_compat::EXTRA_ISIZE
        | ro_compat::METADATA_CSUM;
    put32(out, 0x64, read_only);
}

/// The journal's inode, and a copy of where it lies for the case that its inode is lost.
fn put_journal(out: &mut [u8], layout: &Layout<'_>) {
    let Some(journal) = layout.journal.and_then(|index| layout.inodes.get(index)) else {
        return;
    };
    put32(out, 0xE0, JOURNAL_INODE);
    // `s_jnl_backup_type`: the copy is of `i_block` and the size.
    out[0xFD] = 1;
    out[0x10C..0x10C + 60].copy_from_slice(&journal.i_block);
    put32(out, 0x10C + 60, high(journal.size));
    put32(out, 0x10C + 64, low(journal.size));
}
