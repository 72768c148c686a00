//! Inodes.

use super::format::{BLOCK_U64, INODE_SIZE, checksum, high, inode_seed, low, put16, put32};
use crate::{Error, Kind, Result};

/// Bytes of the fields after the first 128 (`i_extra_isize`).
pub(crate) const EXTRA_SIZE: u16 = 32;
/// Where the extended attributes of the body start.
pub(crate) const BODY_AT: usize = 128 + EXTRA_SIZE as usize;
/// The longest target of a symbolic link that lies in the inode, plus one.
pub(crate) const FAST_SYMLINK: usize = 60;
/// With `dir_nlink`, a directory of more links than this counts as one of 1.
const MAX_LINKS: u32 = 65000;
/// Times: 34 bits, from 1901 to 2446.
const TIMES: std::ops::Range<i64> = -(1 << 31)..(1 << 34) - (1 << 31);

/// One inode, ready to be encoded.
#[derive(Debug)]
pub(crate) struct Inode {
    pub(crate) number: u32,
    /// `st_mode`.
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime: i64,
    pub(crate) links: u32,
    pub(crate) size: u64,
    pub(crate) flags: u32,
    /// File system blocks of content, extent tree and attributes.
    pub(crate) blocks: u64,
    /// Extent tree, target of a short link, or device number.
    pub(crate) i_block: [u8; 60],
    /// Extended attributes in the body.
    pub(crate) body: Vec<u8>,
    /// The block of further attributes; 0 if there is none.
    pub(crate) attribute_block: u64,
}

impl Inode {
    /// Encodes the inode into its place in a table, `INODE_SIZE` bytes of zeros.
    pub(crate) fn encode(&self, seed: u32, out: &mut [u8]) {
        put16(out, 0x00, self.mode);
        put16(out, 0x02, self.uid as u16);
        put32(out, 0x04, low(self.size));
        let (time, epoch) = (
            self.mtime as u32,
            (self.mtime - i64::from(self.mtime as i32)) >> 32,
        );
        for (at, extra) in [(0x08, 0x8C), (0x0C, 0x84), (0x10, 0x88), (0x90, 0x94)] {
            // Access, change, modification, creation; the second field has 2 more bits (and nanoseconds, all zero).
            put32(out, at, time);
            put32(out, extra, epoch as u32 & 3);
        }
        put16(out, 0x18, self.gid as u16);
        put16(
            out,
            0x1A,
            if self.links > MAX_LINKS {
                1
            } else {
                self.links as u16
            },
        );
        let sectors = self.blocks * (BLOCK_U64 / 512);
        put32(out, 0x1C, low(sectors));
        put32(out, 0x20, self.flags);
        out[0x28..0x64].copy_from_slice(&self.i_block);
        put32(out, 0x68, low(self.attribute_block));
        put32(out, 0x6C, high(self.size));
        put16(out, 0x74, high(sectors) as u16);
        put16(out, 0x76, high(self.attribute_block) as u16);
        put16(out, 0x78, (self.uid >> 16) as u16);
        put16(out, 0x7A, (self.gid >> 16) as u16);
        put16(out, 0x80, EXTRA_SIZE);
        out[BODY_AT..BODY_AT + self.body.len()].copy_from_slice(&self.body);
        // The two fields of the checksum are zero until now, as they have to be for the sum.
        let sum = checksum(inode_seed(seed, self.number), &out[..INODE_SIZE]);
        put16(out, 0x7C, sum as u16);
        put16(out, 0x82, (sum >> 16) as u16);
    }
}

/// Refuses a time that an inode cannot hold.
pub(crate) fn check_time(mtime: i64, path: impl Fn() -> String) -> Result<()> {
    if TIMES.contains(&mtime) {
        return Ok(());
    }
    let problem = format!("its time {mtime} is not between the years 1901 and 2446");
    Err(Error::Unrepresentable {
        path: path(),
        format: "ext4",
        problem,
    })
}

/// `i_block` of a device: the old form of the number where it fits, else the new one in the second word.
pub(crate) fn device(kind: &Kind) -> [u8; 60] {
    let mut block = [0; 60];
    if let Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } = *kind {
        if major < 256 && minor < 256 {
            put32(&mut block, 0, major << 8 | minor);
        } else {
            put32(&mut block, 4, minor & 0xFF | major << 8 | (minor & !0xFF) << 12);
        }
    }
    block
}
