//! The cpio formats of rpm: `newc` (cpio(5), "New ASCII Format") and rpm's own `07070X` (lib/cpio.c of rpm).
//!
//! `07070X` has only the index of a file in the header behind its magic, and no size: it exists since
//! `newc` cannot hold files of 4 GiB.

use crate::PackageError;
use std::io::{self, Read};

/// The name of the entry that ends an archive.
pub(crate) const TRAILER: &[u8] = b"TRAILER!!!";

const NEWC_MAGIC: &[u8; 6] = b"070701";
const CRC_MAGIC: &[u8; 6] = b"070702";
const STRIPPED_MAGIC: &[u8; 6] = b"07070X";

/// Bytes of a `newc` header, without the name.
const NEWC_LEN: usize = 110;

/// Bytes of a stripped header.
const STRIPPED_LEN: usize = 14;

/// Longest name, with the final zero: Linux's PATH_MAX and room for `./`.
const NAME_MAX: usize = 4096 + 2;

/// What stands in front of an entry's content.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EntryHeader {
    /// The entry has a name, a mode and a size.
    Named { name: Vec<u8>, mode: u32, size: u64 },
    /// The entry is the header's file of this index; the header has its size.
    Indexed { index: u32 },
    /// The archive ends.
    Trailer,
}

/// Bytes to the next multiple of four.
pub(crate) fn align4(length: u64) -> usize {
    (length.wrapping_neg() & 3) as usize
}

/// Reads the header of the next entry with its padding.
pub(super) fn read_header(source: &mut dyn Read) -> Result<EntryHeader, PackageError> {
    let mut raw = [0; NEWC_LEN];
    read_exact(source, &mut raw[..STRIPPED_LEN])?;
    if raw.starts_with(STRIPPED_MAGIC) {
        let index = hexadecimal(&raw[6..14])?;
        skip(source, align4(STRIPPED_LEN as u64))?;
        return Ok(EntryHeader::Indexed { index });
    }
    if !raw.starts_with(NEWC_MAGIC) && !raw.starts_with(CRC_MAGIC) {
        return Err(damaged("an entry does not start with a known magic"));
    }
    read_exact(source, &mut raw[STRIPPED_LEN..])?;
    let field = |number: usize| hexadecimal(&raw[6 + 8 * number..14 + 8 * number]);
    let (mode, size, name_length) = (field(1)?, field(6)?, field(11)? as usize);
    if !(2..=NAME_MAX).contains(&name_length) {
        return Err(damaged("an entry's name is empty or too long"));
    }
    let mut name = vec![0; name_length];
    read_exact(source, &mut name)?;
    skip(source, align4((NEWC_LEN + name_length) as u64))?;
    if name.pop() != Some(0) || name.contains(&0) {
        return Err(damaged("an entry's name does not end with a zero"));
    }
    if name == TRAILER {
        return Ok(EntryHeader::Trailer);
    }
    Ok(EntryHeader::Named {
        name,
        mode,
        size: u64::from(size),
    })
}

/// Skips at most three bytes.
pub(super) fn skip(source: &mut dyn Read, count: usize) -> Result<(), PackageError> {
    read_exact(source, &mut [0; 3][..count])
}

pub(super) fn damaged(reason: impl Into<String>) -> PackageError {
    PackageError::BadPayload {
        reason: reason.into(),
    }
}

fn read_exact(source: &mut dyn Read, into: &mut [u8]) -> Result<(), PackageError> {
    source.read_exact(into).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged("it ends early"),
        _ => PackageError::Decompress(error),
    })
}

fn hexadecimal(digits: &[u8]) -> Result<u32, PackageError> {
    digits.iter().try_fold(0, |number: u32, &digit| {
        let digit = char::from(digit)
            .to_digit(16)
            .ok_or_else(|| damaged("a number is not hexadecimal"))?;
        Ok(number << 4 | digit)
    })
}

/// The fields of a `newc` header that are not the same in all of ours.
#[derive(Debug, Default)]
pub(crate) struct Newc<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) inode: u32,
    pub(crate) mode: u16,
    pub(crate) links: u32,
    pub(crate) mtime: u32,
    pub(crate) size: u32,
    pub(crate) rdev: u16,
}

/// A `newc` header with name and padding. Owners are 0: the header's names count.
pub(crate) fn newc_header(entry: &Newc<'_>) -> Vec<u8> {
    let name_length = entry.name.len() as u32 + 1;
    let (major, minor) = (u32::from(entry.rdev >> 8), u32::from(entry.rdev & 0xff));
    let mode = u32::from(entry.mode);
    let fields = [
        entry.inode,
        mode,
        0,
        0,
        entry.links,
        entry.mtime,
        entry.size,
        0,
        0,
        major,
        minor,
        name_length,
        0,
    ];
    let mut raw = NEWC_MAGIC.to_vec();
    for field in fields {
        raw.extend(format!("{field:08x}").bytes());
    }
    raw.extend(entry.name);
    raw.push(0);
    raw.resize(raw.len() + align4(raw.len() as u64), 0);
    raw
}

/// A stripped header with padding.
pub(crate) fn stripped_header(index: u32) -> Vec<u8> {
    let mut raw = STRIPPED_MAGIC.to_vec();
    raw.extend(format!("{index:08x}").bytes());
    raw.resize(raw.len() + align4(raw.len() as u64), 0);
    raw
}
