//! The tar archives inside a `.deb`: ustar with GNU long names (deb(5)), and PAX extended headers (POSIX.1-2017, pax).
//!
//! The crate `tar` decodes the header blocks. The walk over them is ours, because every extension header must be
//! limited *before* it is read into memory, and an archive that stops without its end marker must be an error.

use std::io::{self, Read};

use crate::entry::MAX_PATH_LENGTH;

/// The size of tar's blocks in bytes.
const BLOCK: u64 = 512;

/// The most bytes that a PAX header may have: extended attributes are at most 64 KiB each on Linux.
const MAX_PAX_BYTES: u64 = 1 << 20;

/// The most extension headers before one entry: a long name, a long link and a PAX header.
const MAX_EXTENSIONS: usize = 3;

/// One entry, with its extension headers applied, before any check of its path.
#[derive(Debug)]
pub(crate) struct RawEntry {
    pub(crate) path: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: tar::EntryType,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) user: String,
    pub(crate) group: String,
    pub(crate) mtime: i64,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
}

/// Why a tar archive cannot be read on.
#[derive(Debug)]
pub(crate) enum TarError {
    /// The bytes below could not be read: damage in the compression, or a limit.
    Read(io::Error),
    /// The archive is malformed at that offset of the uncompressed bytes.
    Malformed { offset: u64, reason: String },
}

impl From<io::Error> for TarError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// Walks through a tar archive.
pub(crate) struct TarReader<R> {
    input: R,
    /// Where we are in the uncompressed bytes.
    offset: u64,
    /// What is left of the current entry's content.
    content_left: u64,
    /// The zeros after it.
    padding: u64,
}

/// What came in extension headers before an entry.
#[derive(Default)]
struct Extensions {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pax: Option<Vec<(String, Vec<u8>)>>,
}

impl<R: Read> TarReader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            offset: 0,
            content_left: 0,
            padding: 0,
        }
    }

    fn malformed<T>(&self, reason: impl Into<String>) -> Result<T, TarError> {
        Err(TarError::Malformed {
            offset: self.offset,
            reason: reason.into(),
        })
    }

    /// The next entry, or `None` after the end marker; then the input has been read to its very end.
    pub(crate) fn next_entry(&mut self) -> Result<Option<RawEntry>, TarError> {
        self.skip_content()?;
        let mut extensions = Extensions::default();
        for _ in 0..=MAX_EXTENSIONS {
            let Some(header) = self.read_header()? else {
                if extensions.long_name.is_some()
                    || extensions.long_link.is_some()
                    || extensions.pax.is_some()
                {
                    return self.malformed("an extension header stands before the end");
                }
                self.finish()?;
                return Ok(None);
            };
            let size = self.decode("size", header.entry_size())?;
            match header.entry_type() {
                tar::EntryType::GNULongName if extensions.long_name.is_none() => {
                    extensions.long_name = Some(self.read_long_name(size)?);
                }
                tar::EntryType::GNULongLink if extensions.long_link.is_none() => {
                    extensions.long_link = Some(self.read_long_name(size)?);
                }
                tar::EntryType::XHeader if extensions.pax.is_none() => {
                    let bytes = self.read_extension(size, MAX_PAX_BYTES)?;
                    extensions.pax = Some(self.parse_pax(&bytes)?);
                }
                tar::EntryType::GNULongName | tar::EntryType::GNULongLink | tar::EntryType::XHeader => {
                    return self.malformed("an extension header stands twice before one entry");
                }
                _ => return self.entry(&header, size, extensions).map(Some),
            }
        }
        self.malformed("too many extension headers stand before one entry")
    }

    /// A reader of the current entry's content: exactly its bytes, or an error.
    pub(crate) fn content(&mut self) -> Content<'_, R> {
        Content { reader: self }
    }

    fn entry(
        &mut self,
        header: &tar::Header,
        size: u64,
        extensions: Extensions,
    ) -> Result<RawEntry, TarError> {
        let kind = header.entry_type();
        let device = kind.is_character_special() || kind.is_block_special();
        let number = |value: io::Result<Option<u32>>| if device { value } else { Ok(None) };
        let mut entry = RawEntry {
            path: extensions
                .long_name
                .unwrap_or_else(|| header.path_bytes().into_owned()),
            link: extensions.long_link.unwrap_or_else(|| {
                header
                    .link_name_bytes()
                    .map(|name| name.into_owned())
                    .unwrap_or_default()
            }),
            kind,
            size,
            mode: self.decode("mode", header.mode())?,
            uid: self.decode("uid", header.uid())?,
            gid: self.decode("gid", header.gid())?,
            user: text(header.username_bytes().unwrap_or_default()),
            group: text(header.groupname_bytes().unwrap_or_default()),
            mtime: i64::try_from(self.decode("mtime", header.mtime())?).unwrap_or(i64::MAX),
            major: self.decode("major", number(header.device_major()))?.unwrap_or(0),
            minor: self.decode("minor", number(header.device_minor()))?.unwrap_or(0),
            xattrs: Vec::new(),
        };
        for (key, value) in extensions.pax.unwrap_or_default() {
            self.apply_pax(&mut entry, &key, value)?;
        }
        self.content_left = entry.size;
        self.padding = padding(entry.size);
        Ok(entry)
    }

    fn apply_pax(&self, entry: &mut RawEntry, key: &str, value: Vec<u8>) -> Result<(), TarError> {
        match key {
            "path" => entry.path = value,
            "linkpath" => entry.link = value,
            "uname" => entry.user = text(&value),
            "gname" => entry.group = text(&value),
            "size" => entry.size = self.pax_number(key, &value)?,
            "uid" => entry.uid = self.pax_number(key, &value)?,
            "gid" => entry.gid = self.pax_number(key, &value)?,
            "mtime" => entry.mtime = self.pax_time(&value)?,
            _ if key.starts_with("GNU.sparse.") => return self.malformed("sparse files are not supported"),
            _ => {
                if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                    entry.xattrs.push((name.to_owned(), value));
                }
            }
        }
        Ok(())
    }

    fn pax_number(&self, key: &str, value: &[u8]) -> Result<u64, TarError> {
        let text = std::str::from_utf8(value)
            .ok()
            .filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
        match text.and_then(|text| text.parse().ok()) {
            Some(number) => Ok(number),
            None => self.malformed(format!("the PAX record `{key}` is no number")),
        }
    }

    /// Seconds with a fraction, which is cut off towards the past.
    fn pax_time(&self, value: &[u8]) -> Result<i64, TarError> {
        let text = String::from_utf8_lossy(value);
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let past = whole.starts_with('-') && fraction.bytes().any(|c| c != b'0');
        match whole.parse::<i64>() {
            Ok(seconds) => Ok(seconds.saturating_sub(i64::from(past))),
            Err(_) => self.malformed("the PAX record `mtime` is no time"),
        }
    }

    /// Records of the form `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record.
    fn parse_pax(&self, mut bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, TarError> {
        let mut records = Vec::new();
        while !bytes.is_empty() {
            let record = (|| {
                let space = bytes.iter().take(8).position(|c| *c == b' ')?;
                let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
                let (record, rest) = bytes.split_at_checked(length)?;
                let (key, value) = split_once(record.get(space + 1..)?.strip_suffix(b"\n")?, b'=')?;
                bytes = rest;
                Some((String::from_utf8(key.to_vec()).ok()?, value.to_vec()))
            })();
            match record {
                Some(record) => records.push(record),
                None => return self.malformed("a PAX header is malformed"),
            }
        }
        Ok(records)
    }

    /// Reads a header block; `None` for the block of zeros that ends an archive.
    fn read_header(&mut self) -> Result<Option<tar::Header>, TarError> {
        let mut header = tar::Header::new_old();
        self.read_exact(header.as_mut_bytes())?;
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        // The checksum counts its own eight bytes as blanks.
        let sum = |range: &[u8]| range.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let expected = sum(&bytes[..148]) + 8 * u32::from(b' ') + sum(&bytes[156..]);
        if self.decode("checksum", header.cksum())? != expected {
            return self.malformed("the checksum of a header is wrong");
        }
        Ok(Some(header))
    }

    fn decode<T>(&self, field: &str, value: io::Result<T>) -> Result<T, TarError> {
        value.or_else(|_| self.malformed(format!("the field `{field}` of a header is no number")))
    }

    fn read_long_name(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        let mut name = self.read_extension(size, MAX_PATH_LENGTH as u64 + 1)?;
        if name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    fn read_extension(&mut self, size: u64, limit: u64) -> Result<Vec<u8>, TarError> {
        if size > limit {
            return self.malformed(format!("an extension header has {size} bytes, more than {limit}"));
        }
        let mut bytes = vec![0; (size + padding(size)) as usize];
        self.read_exact(&mut bytes)?;
        bytes.truncate(size as usize);
        Ok(bytes)
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> Result<(), TarError> {
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.offset += bytes.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.malformed("the archive is cut off")
            }
            Err(error) => Err(error.into()),
        }
    }

    fn skip_content(&mut self) -> Result<(), TarError> {
        let due = self
            .content_left
            .checked_add(self.padding)
            .map_or(u64::MAX, |due| due);
        let skipped = io::copy(&mut (&mut self.input).take(due), &mut io::sink())?;
        self.offset += skipped;
        if skipped < due {
            return self.malformed("the archive is cut off");
        }
        (self.content_left, self.padding) = (0, 0);
        Ok(())
    }

    /// Reads what follows the end marker: nothing but zeros. This also makes the decompressor check its own checksums.
    fn finish(&mut self) -> Result<(), TarError> {
        let mut block = [0; 8192];
        loop {
            let count = match self.input.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if block[..count].iter().any(|byte| *byte != 0) {
                return self.malformed("something follows the end marker");
            }
            self.offset += count as u64;
        }
    }
}

/// A reader of one entry's content.
pub(crate) struct Content<'r, R> {
    reader: &'r mut TarReader<R>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.reader.content_left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.reader.input.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the archive is cut off within a file",
            ));
        }
        self.reader.offset += count as u64;
        self.reader.content_left -= count as u64;
        Ok(count)
    }
}

/// The zeros that fill a content of `size` bytes up to whole blocks.
fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
