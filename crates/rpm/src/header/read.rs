//! Reading headers.

use super::{
    ENTRY_LEN, FIRST_TAG, INTRO_LEN, MAGIC, MAIN_ENTRIES_MAX, MAIN_STORE_MAX, SIGNATURE_ENTRIES_MAX,
    SIGNATURE_STORE_MAX,
};
use crate::{Tag, TagType};

/// Which header is read: they differ in limits and region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderKind {
    /// The signature header of a package. Entries outside of its region are allowed.
    Signature,
    /// The main header of a package. Nothing may lie outside of its region.
    Main,
    /// A header of the rpm database: an immutable region, and what the installation added.
    Installed,
}

/// Why bytes are no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum HeaderError {
    #[error("the header ends early: {needed} bytes are needed, {available} are there")]
    Truncated { needed: usize, available: usize },
    #[error("there are {excess} bytes behind the header")]
    TrailingBytes { excess: usize },
    #[error("the header does not start with its magic (8eade801)")]
    BadMagic,
    #[error("the header has {count} index entries, of 1 to {limit} that are allowed")]
    EntryCount { count: usize, limit: usize },
    #[error("the header's store has {size} bytes, of {limit} that are allowed")]
    StoreSize { size: usize, limit: usize },
    #[error("the header's first entry is no region tag {expected} with 16 bytes")]
    NoRegion { expected: Tag },
    #[error("the header's region is damaged: {reason}")]
    BadRegion { reason: &'static str },
    #[error("index entry {position} has the number {tag}, which no tag has")]
    BadTag { position: usize, tag: u32 },
    #[error("tag {tag} has the unknown type {number}")]
    BadType { tag: Tag, number: u32 },
    #[error("tag {tag} has the value count {count}, which its type or the store does not allow")]
    BadCount { tag: Tag, count: u32 },
    #[error("tag {tag} points past the store (offset {offset}, length {length}, store {store})")]
    OutOfRange {
        tag: Tag,
        offset: u32,
        length: u64,
        store: usize,
    },
    #[error("tag {tag} has the offset {offset}, which is no multiple of {alignment}")]
    Misaligned { tag: Tag, offset: u32, alignment: usize },
    #[error(
        "the data of tag {tag} overlaps that of an earlier tag (offset {offset}, expected at least {expected})"
    )]
    Overlap { tag: Tag, offset: u32, expected: usize },
    #[error("a string of tag {tag} does not end inside the store")]
    UnterminatedString { tag: Tag },
    #[error("tag {tag} appears twice")]
    Duplicate { tag: Tag },
    #[error("tag {tag} has the type {found:?} instead of {expected}")]
    WrongType {
        tag: Tag,
        expected: &'static str,
        found: TagType,
    },
    #[error("tag {tag} has {found} values instead of {expected}")]
    WrongCount { tag: Tag, expected: usize, found: usize },
    #[error("tag {tag} is missing")]
    Missing { tag: Tag },
    #[error("tag {tag} has an unusable value: {reason}")]
    BadValue { tag: Tag, reason: String },
}

/// One checked index entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderEntry {
    /// The tag.
    pub tag: Tag,
    /// The type of its values.
    pub kind: TagType,
    /// How many values there are; for `Binary` how many bytes.
    pub count: usize,
    /// Where the data starts in the store.
    pub(crate) offset: usize,
    /// Bytes of data.
    pub(crate) length: usize,
}

/// A parsed header, with its bytes as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Counts, index and store: the header without magic.
    blob: Box<[u8]>,
    /// Entries in index order, without the region.
    entries: Vec<HeaderEntry>,
    /// Positions in `entries`, sorted by tag; of doubled tags only the last.
    by_tag: Vec<u32>,
    /// How many of `entries` belong to the region.
    region_entries: usize,
}

impl Header {
    /// Parses a header that starts with its magic; returns it and its length in bytes, magic included.
    ///
    /// There may be bytes behind it.
    pub fn parse(bytes: &[u8], kind: HeaderKind) -> Result<(Self, usize), HeaderError> {
        let length = Self::measure(bytes, kind)?;
        let available = bytes.len();
        let header = bytes.get(..length).ok_or(HeaderError::Truncated {
            needed: length,
            available,
        })?;
        Ok((Self::from_checked_size(&header[MAGIC.len()..], kind)?, length))
    }

    /// How long a header is, magic included, from its first 16 bytes: for readers of streams.
    pub fn measure(bytes: &[u8], kind: HeaderKind) -> Result<usize, HeaderError> {
        let available = bytes.len();
        let intro = bytes.get(..INTRO_LEN).ok_or(HeaderError::Truncated {
            needed: INTRO_LEN,
            available,
        })?;
        if intro[..MAGIC.len()] != MAGIC {
            return Err(HeaderError::BadMagic);
        }
        let (count, size) = counts(&intro[MAGIC.len()..], kind)?;
        Ok(INTRO_LEN + count * ENTRY_LEN + size)
    }

    /// Parses a header without magic, as the rpm database has it (`Packages.blob`).
    pub fn from_blob(blob: &[u8]) -> Result<Self, HeaderError> {
        let (count, size) = counts(blob, HeaderKind::Installed)?;
        let needed = 8 + count * ENTRY_LEN + size;
        if blob.len() < needed {
            return Err(HeaderError::Truncated {
                needed,
                available: blob.len(),
            });
        }
        if blob.len() > needed {
            return Err(HeaderError::TrailingBytes {
                excess: blob.len() - needed,
            });
        }
        Self::from_checked_size(blob, HeaderKind::Installed)
    }

    /// Parses a blob whose length is what its counts say.
    fn from_checked_size(blob: &[u8], kind: HeaderKind) -> Result<Self, HeaderError> {
        let (count, _) = counts(blob, kind)?;
        let (index, store) = blob[8..].split_at(count * ENTRY_LEN);
        let region = read_region(index, store, kind)?;
        let mut entries = Vec::with_capacity(count);
        let mut end = 0;
        for (position, raw) in index.chunks_exact(ENTRY_LEN).enumerate().skip(1) {
            if position == region.entries {
                end = region.data_end;
            }
            let limit = if position < region.entries {
                region.trailer
            } else {
                store.len()
            };
            let entry = read_entry(position, raw, &store[..limit])?;
            if entry.offset < end {
                let offset = entry.offset as u32;
                return Err(HeaderError::Overlap {
                    tag: entry.tag,
                    offset,
                    expected: end,
                });
            }
            end = entry.offset + entry.length;
            entries.push(entry);
        }
        let region_entries = region.entries - 1;
        let by_tag = sort_by_tag(&entries, region_entries)?;
        Ok(Self {
            blob: blob.into(),
            entries,
            by_tag,
            region_entries,
        })
    }

    /// The header without magic: counts, index, store.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The header with its magic, as a package file has it.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&MAGIC, &*self.blob].concat()
    }

    /// The entries in index order, without the region tag.
    pub fn entries(&self) -> &[HeaderEntry] {
        &self.entries
    }

    /// How many of the entries the region covers: all, but for signature headers and installed packages.
    pub fn region_entries(&self) -> usize {
        self.region_entries
    }

    /// The entry of a tag.
    pub fn entry(&self, tag: Tag) -> Option<&HeaderEntry> {
        let found = self
            .by_tag
            .binary_search_by_key(&tag, |&p| self.entries[p as usize].tag)
            .ok()?;
        Some(&self.entries[self.by_tag[found] as usize])
    }

    /// Whether there is an entry.
    pub fn contains(&self, tag: Tag) -> bool {
        self.entry(tag).is_some()
    }

    /// The bytes of an entry, as they lie in the store.
    pub fn data(&self, entry: &HeaderEntry) -> &[u8] {
        &self.store()[entry.offset..entry.offset + entry.length]
    }

    fn store(&self) -> &[u8] {
        let count = be32(&self.blob[0..4]) as usize;
        &self.blob[8 + count * ENTRY_LEN..]
    }

    /// A string; of an array the first, of translations that of the `C` locale.
    pub fn bytes(&self, tag: Tag) -> Result<Option<&[u8]>, HeaderError> {
        Ok(self.string_iter(tag)?.and_then(|mut strings| strings.next()))
    }

    /// A string as [`Self::bytes`] gives it; what is no UTF-8 is replaced by U+FFFD.
    pub fn string(&self, tag: Tag) -> Result<Option<String>, HeaderError> {
        Ok(self.bytes(tag)?.map(entry_text))
    }

    /// All strings; none if the tag is absent.
    pub fn byte_strings(&self, tag: Tag) -> Result<Vec<&[u8]>, HeaderError> {
        Ok(self.string_iter(tag)?.map(Iterator::collect).unwrap_or_default())
    }

    /// All strings; none if the tag is absent; what is no UTF-8 is replaced by U+FFFD.
    pub fn strings(&self, tag: Tag) -> Result<Vec<String>, HeaderError> {
        Ok(self
            .string_iter(tag)?
            .map(|strings| strings.map(entry_text).collect())
            .unwrap_or_default())
    }

    fn string_iter(&self, tag: Tag) -> Result<Option<impl Iterator<Item = &[u8]>>, HeaderError> {
        let Some(entry) = self.entry(tag) else {
            return Ok(None);
        };
        match entry.kind {
            TagType::String | TagType::StringArray | TagType::I18nString => {
                Ok(Some(self.data(entry).split(|&b| b == 0).take(entry.count)))
            }
            found => Err(HeaderError::WrongType {
                tag,
                expected: "a string",
                found,
            }),
        }
    }

    /// 16-bit numbers; none if the tag is absent.
    pub fn u16s(&self, tag: Tag) -> Result<Vec<u16>, HeaderError> {
        self.numbers(tag, TagType::Int16, "16-bit numbers", u16::from_be_bytes)
    }

    /// 32-bit numbers; none if the tag is absent.
    pub fn u32s(&self, tag: Tag) -> Result<Vec<u32>, HeaderError> {
        self.numbers(tag, TagType::Int32, "32-bit numbers", u32::from_be_bytes)
    }

    /// 64-bit numbers; none if the tag is absent.
    pub fn u64s(&self, tag: Tag) -> Result<Vec<u64>, HeaderError> {
        self.numbers(tag, TagType::Int64, "64-bit numbers", u64::from_be_bytes)
    }

    /// One 32-bit number: the first.
    pub fn u32(&self, tag: Tag) -> Result<Option<u32>, HeaderError> {
        Ok(self.u32s(tag)?.first().copied())
    }

    /// One number of 32 or 64 bits: the first.
    pub fn u64(&self, tag: Tag) -> Result<Option<u64>, HeaderError> {
        match self.entry(tag).map(|e| e.kind) {
            Some(TagType::Int32) => Ok(self.u32(tag)?.map(u64::from)),
            _ => Ok(self.u64s(tag)?.first().copied()),
        }
    }

    /// The bytes of a `Binary` entry.
    pub fn binary(&self, tag: Tag) -> Result<Option<&[u8]>, HeaderError> {
        match self.entry(tag) {
            None => Ok(None),
            Some(entry) if entry.kind == TagType::Binary => Ok(Some(self.data(entry))),
            Some(entry) => Err(HeaderError::WrongType {
                tag,
                expected: "bytes",
                found: entry.kind,
            }),
        }
    }

    fn numbers<const N: usize, T>(
        &self,
        tag: Tag,
        kind: TagType,
        expected: &'static str,
        decode: fn([u8; N]) -> T,
    ) -> Result<Vec<T>, HeaderError> {
        let Some(entry) = self.entry(tag) else {
            return Ok(Vec::new());
        };
        if entry.kind != kind {
            return Err(HeaderError::WrongType {
                tag,
                expected,
                found: entry.kind,
            });
        }
        let (chunks, _) = self.data(entry).as_chunks::<N>();
        Ok(chunks.iter().map(|&chunk| decode(chunk)).collect())
    }
}

/// A string of a header for people: invalid UTF-8 becomes U+FFFD.
pub(crate) fn entry_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads and limits the number of entries and the size of the store.
fn counts(intro: &[u8], kind: HeaderKind) -> Result<(usize, usize), HeaderError> {
    if intro.len() < 8 {
        return Err(HeaderError::Truncated {
            needed: 8,
            available: intro.len(),
        });
    }
    let (count, size) = (be32(&intro[0..4]) as usize, be32(&intro[4..8]) as usize);
    let (count_limit, size_limit) = match kind {
        HeaderKind::Signature => (SIGNATURE_ENTRIES_MAX, SIGNATURE_STORE_MAX),
        HeaderKind::Main | HeaderKind::Installed => (MAIN_ENTRIES_MAX, MAIN_STORE_MAX),
    };
    if count == 0 || count > count_limit {
        return Err(HeaderError::EntryCount {
            count,
            limit: count_limit,
        });
    }
    if size > size_limit {
        return Err(HeaderError::StoreSize {
            size,
            limit: size_limit,
        });
    }
    Ok((count, size))
}

/// Where a region ends.
struct Region {
    /// Index entries which it covers, its own included.
    entries: usize,
    /// Where its 16 bytes of data start: the end of its entries' data.
    trailer: usize,
    /// Where they end.
    data_end: usize,
}

fn read_region(index: &[u8], store: &[u8], kind: HeaderKind) -> Result<Region, HeaderError> {
    let expected = match kind {
        HeaderKind::Signature => Tag::HEADERSIGNATURES,
        HeaderKind::Main | HeaderKind::Installed => Tag::HEADERIMMUTABLE,
    };
    let fail = |reason| HeaderError::BadRegion { reason };
    let [tag, number, offset, count] = words(&index[..ENTRY_LEN]);
    let binary = TagType::Binary.number();
    if tag != expected.0 || number != binary || count as usize != ENTRY_LEN {
        return Err(HeaderError::NoRegion { expected });
    }
    let trailer = offset as usize;
    let data_end = trailer.saturating_add(ENTRY_LEN);
    let data = store
        .get(trailer..data_end)
        .ok_or(fail("its data lies outside of the store"))?;
    let [tag, number, offset, count] = words(data);
    // Some old versions of rpm wrote the main header's number into the signature header's trailer.
    let known = tag == expected.0 || (kind == HeaderKind::Signature && tag == Tag::HEADERIMMUTABLE.0);
    if !known || number != binary || count as usize != ENTRY_LEN {
        return Err(fail("its data does not repeat its tag"));
    }
    let covered = (offset as i32)
        .checked_neg()
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(0);
    if covered == 0 || !covered.is_multiple_of(ENTRY_LEN) || covered > index.len() {
        return Err(fail("it covers an impossible part of the index"));
    }
    if kind == HeaderKind::Main && (covered != index.len() || data_end != store.len()) {
        return Err(fail("something lies outside of it"));
    }
    Ok(Region {
        entries: covered / ENTRY_LEN,
        trailer,
        data_end,
    })
}

/// Checks one index entry against the store.
fn read_entry(position: usize, raw: &[u8], store: &[u8]) -> Result<HeaderEntry, HeaderError> {
    let [tag, number, offset, count] = words(raw);
    if tag < FIRST_TAG {
        return Err(HeaderError::BadTag { position, tag });
    }
    let tag = Tag(tag);
    let kind = TagType::from_number(number).ok_or(HeaderError::BadType { tag, number })?;
    let alignment = kind.alignment();
    if !(offset as usize).is_multiple_of(alignment) {
        return Err(HeaderError::Misaligned {
            tag,
            offset,
            alignment,
        });
    }
    if count == 0 || (kind == TagType::String && count != 1) {
        return Err(HeaderError::BadCount { tag, count });
    }
    let size = match kind {
        TagType::Char | TagType::Int8 | TagType::Binary => 1,
        TagType::Int16 | TagType::Int32 | TagType::Int64 => alignment as u64,
        // A string has at least the byte that ends it.
        TagType::String | TagType::StringArray | TagType::I18nString => 1,
    };
    let least = u64::from(count) * size;
    if u64::from(offset) + least > store.len() as u64 {
        return Err(HeaderError::OutOfRange {
            tag,
            offset,
            length: least,
            store: store.len(),
        });
    }
    let offset = offset as usize;
    let length = match kind {
        TagType::String | TagType::StringArray | TagType::I18nString => {
            strings_length(&store[offset..], count).ok_or(HeaderError::UnterminatedString { tag })?
        }
        _ => least as usize,
    };
    Ok(HeaderEntry {
        tag,
        kind,
        count: count as usize,
        offset,
        length,
    })
}

/// Bytes of the first `count` strings, with their final zeros.
fn strings_length(data: &[u8], count: u32) -> Option<usize> {
    let mut length = 0;
    for _ in 0..count {
        length += data[length..].iter().position(|&b| b == 0)? + 1;
    }
    Some(length)
}

/// Positions of the entries, sorted by tag. Dribbles may replace what the region has; nothing else comes
/// twice.
fn sort_by_tag(entries: &[HeaderEntry], region_entries: usize) -> Result<Vec<u32>, HeaderError> {
    let mut order: Vec<u32> = (0..entries.len() as u32).collect();
    order.sort_by_key(|&p| (entries[p as usize].tag, p));
    let mut unique: Vec<u32> = Vec::with_capacity(order.len());
    for position in order {
        let tag = entries[position as usize].tag;
        match unique.last_mut() {
            Some(last) if entries[*last as usize].tag == tag => {
                let replaces = (*last as usize) < region_entries && position as usize >= region_entries;
                if !replaces {
                    return Err(HeaderError::Duplicate { tag });
                }
                *last = position;
            }
            _ => unique.push(position),
        }
    }
    Ok(unique)
}

/// The four numbers of an index entry.
fn words(raw: &[u8]) -> [u32; 4] {
    [
        be32(&raw[0..4]),
        be32(&raw[4..8]),
        be32(&raw[8..12]),
        be32(&raw[12..16]),
    ]
}

/// A big endian number of four bytes; the caller slices exactly four.
fn be32(raw: &[u8]) -> u32 {
    raw.iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
}
