//! zip (PKWARE APPNOTE 6.3), without encryption, ZIP64 and several volumes.
//!
//! Untouched members are copied as they are, compressed; the central directory at the end is written anew with their
//! new places.

use std::io::{Read, Write};
use std::ops::Range;

use super::error::ArchiveError;
use super::{Fate, MAX_MEMBERS, MAX_UNPACKED, Member, MemberKind, member_path};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// Sizes of the fixed parts of the records in bytes.
const LOCAL_SIZE: usize = 30;
const CENTRAL_SIZE: usize = 46;
const END_SIZE: usize = 22;
/// Longest comment behind the end record.
const MAX_COMMENT: usize = 0xffff;
/// The level of `zip`'s default.
const DEFLATE_LEVEL: u32 = 6;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Flag bits: encrypted; sizes behind the content.
const ENCRYPTED: u16 = 1;
const SIZES_BEHIND: u16 = 8;
/// The file type in the high half of the external attributes, where Unix programs put the mode.
const TYPE_MASK: u32 = 0o170_000;
const TYPE_LINK: u32 = 0o120_000;

/// A zip archive.
#[derive(Debug)]
pub(super) struct Zip {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Where the central directory is.
    directory: Range<usize>,
}

#[derive(Debug)]
struct Entry {
    /// Its record in the central directory.
    central: Range<usize>,
    /// From its local header to the next one.
    whole: Range<usize>,
    /// Its compressed content.
    content: Range<usize>,
    method: u16,
    size: u32,
    crc: u32,
}

impl Zip {
    pub(super) fn read(bytes: &[u8]) -> Result<(Zip, Vec<Member>), ArchiveError> {
        let mut zip = Zip {
            text: bytes.to_vec(),
            entries: Vec::new(),
            directory: 0..0,
        };
        let end = zip.find_end()?;
        let (count, size, start) = (zip.u16(end + 10)?, zip.u32(end + 12)?, zip.u32(end + 16)?);
        if count == 0xffff || size == u32::MAX || start == u32::MAX {
            return Err(ArchiveError::unsupported("a ZIP64 archive"));
        }
        if zip.u16(end + 4)? != 0 || zip.u16(end + 8)? != count {
            return Err(ArchiveError::unsupported("a zip archive of several volumes"));
        }
        zip.directory = start as usize..start as usize + size as usize;
        if zip.directory.end > end || count as usize > MAX_MEMBERS {
            return Err(ArchiveError::malformed(
                end,
                "the central directory reaches past the end",
            ));
        }
        let mut members = Vec::new();
        let mut at = zip.directory.start;
        for _ in 0..count {
            let (entry, member) = zip.entry(at)?;
            at = entry.central.end;
            zip.entries.push(entry);
            members.push(member);
        }
        zip.delimit()?;
        Ok((zip, members))
    }

    fn u16(&self, at: usize) -> Result<u16, ArchiveError> {
        let bytes = self.slice(at, 2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&self, at: usize) -> Result<u32, ArchiveError> {
        let bytes = self.slice(at, 4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn slice(&self, at: usize, length: usize) -> Result<&[u8], ArchiveError> {
        at.checked_add(length)
            .and_then(|end| self.text.get(at..end))
            .ok_or(ArchiveError::malformed(at, "a record is cut off"))
    }

    fn find_end(&self) -> Result<usize, ArchiveError> {
        let last = self.text.len().saturating_sub(END_SIZE);
        let first = last.saturating_sub(MAX_COMMENT);
        (first..=last)
            .rev()
            .find(|at| self.text[*at..].starts_with(END))
            .ok_or(ArchiveError::malformed(last, "there is no end record"))
    }

    /// The entry of a record in the central directory (APPNOTE 4.3.12).
    fn entry(&self, at: usize) -> Result<(Entry, Member), ArchiveError> {
        if self.slice(at, 4)? != CENTRAL {
            return Err(ArchiveError::malformed(at, "no record of the central directory"));
        }
        let name_length = self.u16(at + 28)? as usize;
        let rest = self.u16(at + 30)? as usize + self.u16(at + 32)? as usize;
        let central = at..at + CENTRAL_SIZE + name_length + rest;
        if central.end > self.directory.end {
            return Err(ArchiveError::malformed(
                at,
                "a record reaches out of the central directory",
            ));
        }
        let name = self.slice(at + CENTRAL_SIZE, name_length)?;
        let path = member_path(name)?;
        if self.u16(at + 8)? & ENCRYPTED != 0 {
            return Err(ArchiveError::unsupported("an encrypted zip archive"));
        }
        let mode = self.u32(at + 38)? >> 16;
        let kind = match mode & TYPE_MASK {
            _ if name.ends_with(b"/") => MemberKind::Folder,
            TYPE_LINK => MemberKind::Link,
            _ => MemberKind::File,
        };
        let local = self.u32(at + 42)? as usize;
        if self.slice(local, 4)? != LOCAL {
            return Err(ArchiveError::malformed(local, "no header of a member"));
        }
        let start = local + LOCAL_SIZE + self.u16(local + 26)? as usize + self.u16(local + 28)? as usize;
        let packed = self.u32(at + 20)? as usize;
        if start + packed > self.directory.start {
            return Err(ArchiveError::malformed(
                local,
                "the content of a member reaches into the directory",
            ));
        }
        let entry = Entry {
            central,
            whole: local..start + packed,
            content: start..start + packed,
            method: self.u16(at + 10)?,
            size: self.u32(at + 24)?,
            crc: self.u32(at + 16)?,
        };
        let member = Member {
            path,
            kind,
            target: None,
        };
        Ok((entry, member))
    }

    /// Sizes behind a content, and gaps, belong to the member before them. Members must not overlap.
    fn delimit(&mut self) -> Result<(), ArchiveError> {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|at| self.entries[*at].whole.start);
        for pair in 0..order.len() {
            let next = order
                .get(pair + 1)
                .map_or(self.directory.start, |at| self.entries[*at].whole.start);
            let entry = &mut self.entries[order[pair]];
            if entry.whole.end > next {
                return Err(ArchiveError::malformed(entry.whole.start, "members overlap"));
            }
            entry.whole.end = next;
        }
        Ok(())
    }

    pub(super) fn content(&self, member: usize) -> Result<Vec<u8>, ArchiveError> {
        let Some(entry) = self.entries.get(member) else {
            return Err(ArchiveError::unsupported("a member that is not there"));
        };
        let packed = &self.text[entry.content.clone()];
        let mut content = Vec::new();
        match entry.method {
            STORED => content.extend_from_slice(packed),
            DEFLATED => {
                let limit = u64::from(entry.size).min(MAX_UNPACKED) + 1;
                flate2::read::DeflateDecoder::new(packed)
                    .take(limit)
                    .read_to_end(&mut content)
                    .map_err(failed)?;
            }
            method => {
                return Err(ArchiveError::unsupported(format!(
                    "a zip member of compression method {method}"
                )));
            }
        }
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        match content.len() == entry.size as usize && crc.sum() == entry.crc {
            true => Ok(content),
            false => Err(ArchiveError::malformed(
                entry.whole.start,
                "the content of a member is damaged",
            )),
        }
    }

    pub(super) fn write(&self, fates: &[Fate]) -> Result<Vec<u8>, ArchiveError> {
        let first = self.entries.iter().map(|entry| entry.whole.start).min();
        // What stands before the first member stays: programs that unpack themselves.
        let mut out = self.text[..first.unwrap_or(self.directory.start)].to_vec();
        let mut records: Vec<Option<Vec<u8>>> = vec![None; self.entries.len()];
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|at| self.entries[*at].whole.start);
        for at in order {
            let entry = &self.entries[at];
            let offset = fits(out.len())?;
            let mut central = self.text[entry.central.clone()].to_vec();
            match fates.get(at) {
                Some(Fate::Removed) => continue,
                Some(Fate::Changed(content)) => self.write_changed(entry, content, &mut out, &mut central)?,
                _ => out.extend_from_slice(&self.text[entry.whole.clone()]),
            }
            central[42..46].copy_from_slice(&offset.to_le_bytes());
            records[at] = Some(central);
        }
        let start = fits(out.len())?;
        let kept: Vec<Vec<u8>> = records.into_iter().flatten().collect();
        let count = (kept.len() as u16).to_le_bytes();
        out.extend(kept.concat());
        let size = fits(out.len())? - start;
        let mut end = self.text[self.directory.end..].to_vec();
        let at = end
            .windows(4)
            .rposition(|window| window == END)
            .ok_or(ArchiveError::malformed(
                self.directory.end,
                "there is no end record",
            ))?;
        end[at + 8..at + 10].copy_from_slice(&count);
        end[at + 10..at + 12].copy_from_slice(&count);
        end[at + 12..at + 16].copy_from_slice(&size.to_le_bytes());
        end[at + 16..at + 20].copy_from_slice(&start.to_le_bytes());
        out.extend(end);
        Ok(out)
    }

    /// A local header with the new sizes, the content, and the same in the record of the central directory.
    fn write_changed(
        &self,
        entry: &Entry,
        content: &[u8],
        out: &mut Vec<u8>,
        central: &mut [u8],
    ) -> Result<(), ArchiveError> {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let packed = match entry.method {
            STORED => content.to_vec(),
            _ => {
                let level = flate2::Compression::new(DEFLATE_LEVEL);
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(content).map_err(failed)?;
                encoder.finish().map_err(failed)?
            }
        };
        let mut local = self.text[entry.whole.start..entry.content.start].to_vec();
        let sizes = [
            crc.sum().to_le_bytes(),
            fits(packed.len())?.to_le_bytes(),
            fits(content.len())?.to_le_bytes(),
        ]
        .concat();
        for (record, flags, at) in [(&mut local[..], 6, 14), (central, 8, 16)] {
            let bits = u16::from_le_bytes([record[flags], record[flags + 1]]) & !SIZES_BEHIND;
            record[flags..flags + 2].copy_from_slice(&bits.to_le_bytes());
            record[at..at + 12].copy_from_slice(&sizes);
        }
        out.extend(local);
        out.extend(packed);
        Ok(())
    }
}

fn fits(length: usize) -> Result<u32, ArchiveError> {
    u32::try_from(length)
        .ok()
        .filter(|length| *length != u32::MAX)
        .ok_or(ArchiveError::TooLarge {
            limit: "4 GiB in a zip archive",
        })
}

fn failed(source: std::io::Error) -> ArchiveError {
    ArchiveError::Compression {
        compression: "deflate",
        source,
    }
}
