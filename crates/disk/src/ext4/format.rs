//! Numbers of the on-disk format, and little-endian fields.
//!
//! Specification: the kernel's `Documentation/filesystems/ext4/` ("Data Structures and Algorithms").

/// Bytes of a block. The only size that this writer makes: the page size of our machines.
pub(crate) const BLOCK: usize = 4096;
/// The same, for arithmetic on byte counts.
pub(crate) const BLOCK_U64: u64 = BLOCK as u64;
/// Blocks of a group: as many as one bitmap block has bits.
pub(crate) const BLOCKS_PER_GROUP: u32 = 8 * BLOCK as u32;
/// Bytes of an inode.
pub(crate) const INODE_SIZE: usize = 256;
/// Inodes of one block of an inode table.
pub(crate) const INODES_PER_BLOCK: u32 = (BLOCK / INODE_SIZE) as u32;
/// Bytes of a group descriptor with the 64bit feature.
pub(crate) const DESCRIPTOR_SIZE: usize = 64;
/// Group descriptors of one block.
pub(crate) const DESCRIPTORS_PER_BLOCK: u32 = (BLOCK / DESCRIPTOR_SIZE) as u32;
/// Block numbers of one indirect block.
pub(crate) const POINTERS_PER_BLOCK: u32 = (BLOCK / 4) as u32;
/// Where the superblock starts in the file system, and its length.
pub(crate) const SUPERBLOCK_OFFSET: usize = 1024;
/// Bytes of the superblock.
pub(crate) const SUPERBLOCK_SIZE: usize = 1024;
/// The superblock's magic number.
pub(crate) const MAGIC: u16 = 0xEF53;

/// The root directory.
pub(crate) const ROOT_INODE: u32 = 2;
/// The inode that owns the blocks reserved for group descriptors.
pub(crate) const RESIZE_INODE: u32 = 7;
/// The journal.
pub(crate) const JOURNAL_INODE: u32 = 8;
/// `lost+found`, by convention the first ordinary inode.
pub(crate) const LOST_FOUND_INODE: u32 = 11;
/// The first inode that is not reserved (`s_first_ino`).
pub(crate) const FIRST_INODE: u32 = 11;

/// `EXT4_INDEX_FL`: the directory has a hash tree.
pub(crate) const FLAG_INDEX: u32 = 0x1000;
/// `EXT4_EXTENTS_FL`: `i_block` is the root of an extent tree.
pub(crate) const FLAG_EXTENTS: u32 = 0x8_0000;

/// Compatible features.
pub(crate) mod compat {
    pub(crate) const HAS_JOURNAL: u32 = 0x4;
    pub(crate) const EXT_ATTR: u32 = 0x8;
    pub(crate) const RESIZE_INODE: u32 = 0x10;
    pub(crate) const DIR_INDEX: u32 = 0x20;
}

/// Incompatible features.
pub(crate) mod incompat {
    pub(crate) const FILETYPE: u32 = 0x2;
    pub(crate) const EXTENTS: u32 = 0x40;
    pub(crate) const BITS_64: u32 = 0x80;
    pub(crate) const FLEX_BG: u32 = 0x200;
    pub(crate) const CSUM_SEED: u32 = 0x2000;
}

/// Features without which a file system may be read, but not written.
pub(crate) mod ro_compat {
    pub(crate) const SPARSE_SUPER: u32 = 0x1;
    pub(crate) const LARGE_FILE: u32 = 0x2;
    pub(crate) const HUGE_FILE: u32 = 0x8;
    pub(crate) const DIR_NLINK: u32 = 0x20;
    pub(crate) const EXTRA_ISIZE: u32 = 0x40;
    pub(crate) const METADATA_CSUM: u32 = 0x400;
}

/// CRC-32C as ext4 uses it: continued from `seed`, without the usual inversion before and after.
pub(crate) fn checksum(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}

/// The seed of an inode's own checksums, and of those of its blocks: of its number and generation.
pub(crate) fn inode_seed(seed: u32, inode: u32) -> u32 {
    // Every inode that we make is of generation 0.
    checksum(checksum(seed, &inode.to_le_bytes()), &0u32.to_le_bytes())
}

/// Puts a number at an offset, little endian.
pub(crate) fn put16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

/// Puts a number at an offset, little endian.
pub(crate) fn put32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Gets a number from an offset, little endian.
pub(crate) fn get16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Gets a number from an offset, little endian.
pub(crate) fn get32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The low half of a number.
pub(crate) fn low(value: u64) -> u32 {
    value as u32
}

/// The high half of a number.
pub(crate) fn high(value: u64) -> u32 {
    (value >> 32) as u32
}
