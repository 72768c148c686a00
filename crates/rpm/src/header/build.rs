//! Writing headers.

use super::{ENTRY_LEN, Header, HeaderError, HeaderKind, MAIN_ENTRIES_MAX, MAIN_STORE_MAX};
use crate::{Tag, TagType};
use std::collections::BTreeMap;

/// Collects entries and lays them out: region first, then by tag, each aligned to its type.
///
/// Entries without values are left out, since a header cannot hold them. Strings are cut at a zero byte,
/// which the format cannot hold either.
#[derive(Debug, Clone, Default)]
pub struct HeaderBuilder {
    entries: BTreeMap<Tag, Value>,
}

#[derive(Debug, Clone)]
struct Value {
    kind: TagType,
    count: usize,
    data: Vec<u8>,
}

impl HeaderBuilder {
    /// An empty header.
    pub fn new() -> Self {
        Self::default()
    }

    fn put(&mut self, tag: Tag, kind: TagType, count: usize, data: Vec<u8>) -> &mut Self {
        if count > 0 {
            self.entries.insert(tag, Value { kind, count, data });
        }
        self
    }

    /// Sets one string.
    pub fn string(&mut self, tag: Tag, value: impl AsRef<[u8]>) -> &mut Self {
        self.put(tag, TagType::String, 1, terminated([value]))
    }

    /// Sets one string, unless it is empty.
    pub fn string_unless_empty(&mut self, tag: Tag, value: impl AsRef<[u8]>) -> &mut Self {
        if value.as_ref().is_empty() {
            self
        } else {
            self.string(tag, value)
        }
    }

    /// Sets an array of strings.
    pub fn strings<S: AsRef<[u8]>>(&mut self, tag: Tag, values: impl IntoIterator<Item = S>) -> &mut Self {
        let mut count = 0;
        let data = terminated(values.into_iter().inspect(|_| count += 1));
        self.put(tag, TagType::StringArray, count, data)
    }

    /// Sets a string that could be translated; only the `C` locale is written.
    pub fn i18n(&mut self, tag: Tag, value: impl AsRef<[u8]>) -> &mut Self {
        self.put(tag, TagType::I18nString, 1, terminated([value]))
    }

    /// Sets bytes.
    pub fn binary(&mut self, tag: Tag, value: &[u8]) -> &mut Self {
        self.put(tag, TagType::Binary, value.len(), value.to_vec())
    }

    /// Sets single bytes (`Char`), as FILESTATES has them.
    pub fn chars(&mut self, tag: Tag, value: &[u8]) -> &mut Self {
        self.put(tag, TagType::Char, value.len(), value.to_vec())
    }

    /// Sets 16-bit numbers.
    pub fn u16s(&mut self, tag: Tag, values: impl IntoIterator<Item = u16>) -> &mut Self {
        let data: Vec<u8> = values.into_iter().flat_map(u16::to_be_bytes).collect();
        self.put(tag, TagType::Int16, data.len() / 2, data)
    }

    /// Sets 32-bit numbers.
    pub fn u32s(&mut self, tag: Tag, values: impl IntoIterator<Item = u32>) -> &mut Self {
        let data: Vec<u8> = values.into_iter().flat_map(u32::to_be_bytes).collect();
        self.put(tag, TagType::Int32, data.len() / 4, data)
    }

    /// Sets 64-bit numbers.
    pub fn u64s(&mut self, tag: Tag, values: impl IntoIterator<Item = u64>) -> &mut Self {
        let data: Vec<u8> = values.into_iter().flat_map(u64::to_be_bytes).collect();
        self.put(tag, TagType::Int64, data.len() / 8, data)
    }

    /// Copies an entry of another header, under another tag if need be.
    pub fn copy(&mut self, tag: Tag, from: &Header, source: Tag) -> &mut Self {
        match from.entry(source) {
            Some(entry) => self.put(tag, entry.kind, entry.count, from.data(entry).to_vec()),
            None => self,
        }
    }

    /// Whether there is an entry.
    pub fn contains(&self, tag: Tag) -> bool {
        self.entries.contains_key(&tag)
    }

    /// Lays the header out, with the region of its kind over all entries, and reads it back.
    ///
    /// The tags are those of `kind`; fails if there are more entries or bytes than a header may have.
    pub fn build(&self, kind: HeaderKind) -> Result<Header, HeaderError> {
        let region = match kind {
            HeaderKind::Signature => Tag::HEADERSIGNATURES,
            HeaderKind::Main | HeaderKind::Installed => Tag::HEADERIMMUTABLE,
        };
        let mut store = Vec::new();
        let mut index = Vec::new();
        self.lay_out(&mut index, &mut store)?;
        let covered = index.len() + ENTRY_LEN;
        let entry = region_entry(region, store.len());
        index.splice(0..0, entry);
        store.extend(region_trailer(region, covered));
        let bytes = [&super::MAGIC, &*assemble(&index, &store)?].concat();
        Ok(Header::parse(&bytes, kind)?.0)
    }

    /// Appends the entries to an index and a store, in order of their tags.
    pub(crate) fn lay_out(&self, index: &mut Vec<u8>, store: &mut Vec<u8>) -> Result<(), HeaderError> {
        for (&tag, value) in &self.entries {
            store.resize(store.len().next_multiple_of(value.kind.alignment()), 0);
            let too_large = || HeaderError::StoreSize {
                size: store.len(),
                limit: MAIN_STORE_MAX,
            };
            let offset = u32::try_from(store.len()).map_err(|_| too_large())?;
            let count = u32::try_from(value.count).map_err(|_| too_large())?;
            for number in [tag.0, value.kind.number(), offset, count] {
                index.extend(number.to_be_bytes());
            }
            store.extend(&value.data);
        }
        Ok(())
    }
}

/// Puts counts, index and store together: a header without magic.
pub(crate) fn assemble(index: &[u8], store: &[u8]) -> Result<Vec<u8>, HeaderError> {
    let count = index.len() / ENTRY_LEN;
    if count > MAIN_ENTRIES_MAX {
        return Err(HeaderError::EntryCount {
            count,
            limit: MAIN_ENTRIES_MAX,
        });
    }
    if store.len() > MAIN_STORE_MAX {
        return Err(HeaderError::StoreSize {
            size: store.len(),
            limit: MAIN_STORE_MAX,
        });
    }
    let (count, size) = (count as u32, store.len() as u32);
    Ok([&count.to_be_bytes(), &size.to_be_bytes(), index, store].concat())
}

fn region_entry(region: Tag, offset: usize) -> impl Iterator<Item = u8> {
    let numbers = [
        region.0,
        TagType::Binary.number(),
        offset as u32,
        ENTRY_LEN as u32,
    ];
    numbers.into_iter().flat_map(u32::to_be_bytes)
}

fn region_trailer(region: Tag, covered: usize) -> impl Iterator<Item = u8> {
    let numbers = [
        region.0,
        TagType::Binary.number(),
        (covered as u32).wrapping_neg(),
        ENTRY_LEN as u32,
    ];
    numbers.into_iter().flat_map(u32::to_be_bytes)
}

fn terminated<S: AsRef<[u8]>>(values: impl IntoIterator<Item = S>) -> Vec<u8> {
    let mut data = Vec::new();
    for value in values {
        let value = value.as_ref();
        let end = value.iter().position(|&b| b == 0).unwrap_or(value.len());
        data.extend(&value[..end]);
        data.push(0);
    }
    data
}
