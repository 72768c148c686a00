//! tar: ustar (POSIX.1-1988), GNU long names and sparse files, pax extended headers (POSIX.1-2001).
//!
//! The blocks of an entry, its extension headers before it among them, are one range of the unpacked bytes.

use std::io::{self, Write};
use std::ops::Range;

use super::error::ArchiveError;
use super::{Fate, MAX_MEMBERS, Member, MemberKind, member_path};

/// The unit of the format in bytes.
const BLOCK: usize = 512;
/// Archives are padded to whole records, as tar does.
const RECORD: usize = 20 * BLOCK;
/// Most bytes of an extension header.
const MAX_EXTENSION: usize = 1 << 20;
/// Most extension headers before one entry.
const MAX_EXTENSIONS: usize = 8;
/// Largest size that a header holds in octal digits.
const MAX_OCTAL_SIZE: u64 = 0o777_7777_7777;

// Fields of a header (POSIX.1-1988, ustar).
const NAME: Range<usize> = 0..100;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;
const TYPE: usize = 156;
const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..263;
const PREFIX: Range<usize> = 345..500;
/// Of GNU's old sparse files: whether more of their map follows the header, and each block of it.
const SPARSE_MORE: usize = 482;
const SPARSE_BLOCK_MORE: usize = 504;

/// A tar archive.
#[derive(Debug)]
pub(super) struct Tar {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Where the end marker begins.
    end: usize,
}

/// Ranges of the unpacked bytes.
#[derive(Debug)]
struct Entry {
    /// Everything, from the first extension header to the padding.
    whole: Range<usize>,
    /// Where its own header is.
    header: usize,
    content: Range<usize>,
    /// Its size is in an extension header.
    extended_size: bool,
}

/// What extension headers say of the next entry.
#[derive(Debug, Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Tar {
    pub(super) fn read(text: Vec<u8>) -> Result<(Tar, Vec<Member>), ArchiveError> {
        let mut tar = Tar {
            text,
            entries: Vec::new(),
            end: 0,
        };
        if tar.text.len() < BLOCK {
            return Err(no_archive());
        }
        let mut members = Vec::new();
        let mut at = 0;
        while at < tar.text.len() {
            if tar.block(at)?.iter().all(|byte| *byte == 0) {
                break;
            }
            if let Some((entry, member)) = tar.entry(at)? {
                at = entry.whole.end;
                tar.entries.push(entry);
                members.push(member);
            } else {
                // A global header: it stays where it is, between the entries.
                at = tar.after(at, tar.size(at)?)?;
            }
            if members.len() > MAX_MEMBERS {
                return Err(ArchiveError::TooLarge {
                    limit: "500,000 members",
                });
            }
        }
        if members.is_empty() && at == 0 {
            return Err(no_archive());
        }
        tar.end = at;
        Ok((tar, members))
    }

    fn block(&self, at: usize) -> Result<&[u8], ArchiveError> {
        self.text
            .get(at..at + BLOCK)
            .ok_or(ArchiveError::malformed(at, "it ends in the middle of a header"))
    }

    fn field(&self, at: usize, field: Range<usize>) -> &[u8] {
        self.text.get(at + field.start..at + field.end).unwrap_or(&[])
    }

    /// The header's size, in octal digits or, of GNU, as a binary number.
    fn size(&self, at: usize) -> Result<u64, ArchiveError> {
        let field = self.field(at, SIZE);
        let malformed = || ArchiveError::malformed(at, "the size is no number");
        match field.split_first() {
            Some((first, rest)) if first & 0x80 != 0 => {
                let high = rest.len().saturating_sub(8);
                if first & 0x7f != 0 || rest[..high].iter().any(|byte| *byte != 0) {
                    return Err(malformed());
                }
                Ok(rest[high..]
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            _ => octal(field).ok_or_else(malformed),
        }
    }

    fn check_sum(&self, at: usize) -> Result<(), ArchiveError> {
        let header = self.block(at)?;
        let stored = octal(&header[CHECKSUM]);
        match stored == Some(u64::from(checksum(header))) {
            true => Ok(()),
            false if at == 0 => Err(no_archive()),
            false => Err(ArchiveError::malformed(at, "the checksum of a header is wrong")),
        }
    }

    /// Where the block after `size` bytes of content begins, which come after the header at `at`.
    fn after(&self, at: usize, size: u64) -> Result<usize, ArchiveError> {
        let short = || ArchiveError::malformed(at, "the content of a member is cut off");
        let size = usize::try_from(size).map_err(|_| short())?;
        let content = at
            .checked_add(BLOCK)
            .and_then(|at| at.checked_add(size))
            .ok_or_else(short)?;
        if content > self.text.len() {
            return Err(short());
        }
        // The last padding may be missing.
        Ok(content.next_multiple_of(BLOCK).min(self.text.len()))
    }

    /// The entry whose first header is at `at`; `None` for a global header.
    fn entry(&self, start: usize) -> Result<Option<(Entry, Member)>, ArchiveError> {
        let mut extensions = Extensions::default();
        let mut at = start;
        for _ in 0..=MAX_EXTENSIONS {
            self.check_sum(at)?;
            let size = self.size(at)?;
            let kind = self.block(at)?[TYPE];
            if !matches!(kind, b'x' | b'g' | b'L' | b'K' | b'X') {
                return self.own(start, at, kind, &extensions).map(Some);
            }
            if size > MAX_EXTENSION as u64 {
                return Err(ArchiveError::TooLarge {
                    limit: "1 MiB in an extension header",
                });
            }
            let next = self.after(at, size)?;
            let content = &self.text[at + BLOCK..at + BLOCK + size as usize];
            match kind {
                b'L' => extensions.path = Some(until_zero(content).to_vec()),
                b'K' => extensions.link = Some(until_zero(content).to_vec()),
                b'g' => {
                    let mut all = Extensions::default();
                    all.read_pax(content, at)?;
                    if all.path.is_some() || all.link.is_some() || all.size.is_some() {
                        return Err(ArchiveError::malformed(
                            at,
                            "a global header names or sizes members",
                        ));
                    }
                    if at == start {
                        return Ok(None);
                    }
                }
                _ => extensions.read_pax(content, at)?,
            }
            at = next;
            if at >= self.text.len() {
                return Err(ArchiveError::malformed(at, "an extension header has no entry"));
            }
        }
        Err(ArchiveError::TooLarge {
            limit: "8 extension headers before one entry",
        })
    }

    fn own(
        &self,
        start: usize,
        at: usize,
        kind: u8,
        extensions: &Extensions,
    ) -> Result<(Entry, Member), ArchiveError> {
        let name = match &extensions.path {
            Some(path) => path.clone(),
            None => self.name(at),
        };
        let path = member_path(&name)?;
        let kind = match kind {
            b'0' | 0 | b'7' if name.ends_with(b"/") => MemberKind::Folder,
            b'0' | 0 | b'7' if extensions.sparse => MemberKind::Sparse,
            b'0' | 0 | b'7' => MemberKind::File,
            b'1' => MemberKind::HardLink,
            b'2' => MemberKind::Link,
            b'5' => MemberKind::Folder,
            b'S' => MemberKind::Sparse,
            b'3' | b'4' => return Err(ArchiveError::hostile(&path, "it is a device")),
            b'6' => return Err(ArchiveError::hostile(&path, "it is a pipe")),
            _ => {
                return Err(ArchiveError::unsupported(format!(
                    "a tar archive with a member like `{path}`"
                )));
            }
        };
        // Links and folders have no content, whatever their header says of a size (POSIX pax, "linkname", "size").
        let size = match kind {
            MemberKind::File | MemberKind::Sparse => extensions.size.map_or_else(|| self.size(at), Ok)?,
            MemberKind::Folder | MemberKind::Link | MemberKind::HardLink => 0,
        };
        let mut header_end = at;
        if self.block(at)?[TYPE] == b'S' && self.block(at)?[SPARSE_MORE] != 0 {
            header_end += BLOCK;
            while self.block(header_end)?[SPARSE_BLOCK_MORE] != 0 {
                header_end += BLOCK;
            }
        }
        let end = self.after(header_end, size)?;
        let content_start = header_end + BLOCK;
        let target = match kind {
            MemberKind::HardLink => {
                let link = extensions
                    .link
                    .as_deref()
                    .unwrap_or_else(|| until_zero(self.field(at, LINK)));
                Some(member_path(link)?)
            }
            _ => None,
        };
        let entry = Entry {
            whole: start..end,
            header: at,
            content: content_start..content_start + size as usize,
            extended_size: extensions.size.is_some(),
        };
        Ok((entry, Member { path, kind, target }))
    }

    fn name(&self, at: usize) -> Vec<u8> {
        let name = until_zero(self.field(at, NAME));
        let prefix = until_zero(self.field(at, PREFIX));
        match self.field(at, MAGIC) == b"ustar\0" && !prefix.is_empty() {
            true => [prefix, b"/", name].concat(),
            false => name.to_vec(),
        }
    }

    pub(super) fn content(&self, member: usize) -> &[u8] {
        self.entries
            .get(member)
            .map_or(&[], |entry| &self.text[entry.content.clone()])
    }

    pub(super) fn check_resizable(&self, member: usize, size: u64) -> Result<(), ArchiveError> {
        match self.entries.get(member) {
            Some(entry) if entry.extended_size => Err(ArchiveError::unsupported(
                "a member whose size is in an extension header",
            )),
            _ if size > MAX_OCTAL_SIZE => Err(ArchiveError::TooLarge {
                limit: "8 GiB in a member",
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn write(&self, fates: &[Fate], out: &mut dyn Write) -> io::Result<()> {
        let mut from = 0;
        let mut written = 0;
        for (entry, fate) in self.entries.iter().zip(fates) {
            // What lies between entries stays: global headers.
            let between = &self.text[from..entry.whole.start];
            out.write_all(between)?;
            written += between.len();
            from = entry.whole.end;
            match fate {
                Fate::Stays => {
                    let whole = &self.text[entry.whole.clone()];
                    out.write_all(whole)?;
                    written += whole.len();
                    // The last padding may be missing.
                    let padding = whole.len().next_multiple_of(BLOCK) - whole.len();
                    out.write_all(&[0; BLOCK][..padding])?;
                    written += padding;
                }
                Fate::Changed(content) => {
                    out.write_all(&self.text[entry.whole.start..entry.header])?;
                    out.write_all(&self.resized(entry.header, content.len()))?;
                    out.write_all(content)?;
                    let padding = content.len().next_multiple_of(BLOCK) - content.len();
                    out.write_all(&[0; BLOCK][..padding])?;
                    written += entry.header - entry.whole.start + BLOCK + content.len() + padding;
                }
                Fate::Removed => {}
            }
        }
        let rest = &self.text[from..self.end];
        out.write_all(rest)?;
        written += rest.len();
        self.write_end(written, out)
    }

    /// The end marker, and zeros up to a whole record where the archive had them. What is behind the end marker and
    /// not zero stays.
    fn write_end(&self, written: usize, out: &mut dyn Write) -> io::Result<()> {
        let trailer = &self.text[self.end..];
        if trailer.iter().any(|byte| *byte != 0) {
            return out.write_all(trailer);
        }
        let length = match self.text.len().is_multiple_of(RECORD) {
            true => (written + 2 * BLOCK).next_multiple_of(RECORD) - written,
            false => trailer.len(),
        };
        io::copy(&mut io::Read::take(io::repeat(0), length as u64), out).map(drop)
    }

    fn resized(&self, header: usize, size: usize) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block.copy_from_slice(&self.text[header..header + BLOCK]);
        block[SIZE].copy_from_slice(format!("{size:011o}\0").as_bytes());
        let sum = checksum(&block);
        block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

impl Extensions {
    /// Records `LENGTH KEY=VALUE\n` (POSIX pax, "pax Extended Header").
    fn read_pax(&mut self, mut records: &[u8], at: usize) -> Result<(), ArchiveError> {
        let malformed = || ArchiveError::malformed(at, "a record of an extended header is malformed");
        while !records.is_empty() {
            let blank = records
                .iter()
                .position(|byte| *byte == b' ')
                .ok_or_else(malformed)?;
            let length: usize = std::str::from_utf8(&records[..blank])
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(malformed)?;
            let record = records
                .get(blank + 1..length)
                .and_then(|record| record.strip_suffix(b"\n"))
                .ok_or_else(malformed)?;
            records = &records[length..];
            let equals = record
                .iter()
                .position(|byte| *byte == b'=')
                .ok_or_else(malformed)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => {
                    let text = std::str::from_utf8(value).map_err(|_| malformed())?;
                    self.size = Some(text.parse().map_err(|_| malformed())?);
                }
                // GNU's sparse files of format 1.0: the name is here, and the content has a map before it.
                b"GNU.sparse.name" => {
                    self.path = Some(value.to_vec());
                    self.sparse = true;
                }
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}

fn no_archive() -> ArchiveError {
    ArchiveError::unsupported("a file that is neither a tar nor a zip archive")
}

fn until_zero(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// Octal digits, blanks and zero bytes around them; an empty field is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches([' ', '\0']);
    match digits.is_empty() {
        true => Some(0),
        false => u64::from_str_radix(digits, 8).ok(),
    }
}

/// The sum of a header's bytes, with blanks in the place of the sum itself.
fn checksum(header: &[u8]) -> u32 {
    let sum = |(at, byte): (usize, &u8)| match CHECKSUM.contains(&at) {
        true => u32::from(b' '),
        false => u32::from(*byte),
    };
    header.iter().enumerate().map(sum).sum()
}
