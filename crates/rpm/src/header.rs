//! skeleton
use crate::{Tag, TagType};
/// A parsed header.
#[derive(Debug, Clone)]
pub struct Header {
    blob: Vec<u8>,
}
/// Which header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderKind {
    /// The signature header.
    Signature,
    /// The main header.
    Main,
}
/// Why bytes are no header.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct HeaderError {
    /// What.
    pub reason: String,
}
#[allow(unused_variables)]
impl Header {
    /// Parses a header that starts with its magic; returns it and its length in bytes, magic included.
    pub fn parse(bytes: &[u8], kind: HeaderKind) -> Result<(Self, usize), HeaderError> {
        unimplemented!()
    }
    /// Parses a header without magic, as the rpm database has it.
    pub fn from_blob(blob: &[u8]) -> Result<Self, HeaderError> {
        unimplemented!()
    }
    /// The header without magic.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }
    /// Whether there is an entry.
    pub fn contains(&self, tag: Tag) -> bool {
        unimplemented!()
    }
    /// Type and count.
    pub fn shape(&self, tag: Tag) -> Option<(TagType, usize)> {
        unimplemented!()
    }
    /// All tags in index order.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + '_ {
        std::iter::empty()
    }
    /// A string (the first one of an array or translations).
    pub fn bytes(&self, tag: Tag) -> Result<Option<&[u8]>, HeaderError> {
        unimplemented!()
    }
    /// A string, lossy UTF-8.
    pub fn string(&self, tag: Tag) -> Result<Option<String>, HeaderError> {
        unimplemented!()
    }
    /// All strings; empty if the tag is absent.
    pub fn byte_strings(&self, tag: Tag) -> Result<Vec<&[u8]>, HeaderError> {
        unimplemented!()
    }
    /// All strings, lossy UTF-8; empty if the tag is absent.
    pub fn strings(&self, tag: Tag) -> Result<Vec<String>, HeaderError> {
        unimplemented!()
    }
    /// 16-bit numbers.
    pub fn u16s(&self, tag: Tag) -> Result<Vec<u16>, HeaderError> {
        unimplemented!()
    }
    /// 32-bit numbers.
    pub fn u32s(&self, tag: Tag) -> Result<Vec<u32>, HeaderError> {
        unimplemented!()
    }
    /// 64-bit numbers.
    pub fn u64s(&self, tag: Tag) -> Result<Vec<u64>, HeaderError> {
        unimplemented!()
    }
    /// One 32-bit number.
    pub fn u32(&self, tag: Tag) -> Result<Option<u32>, HeaderError> {
        unimplemented!()
    }
    /// One 64-bit number; a 32-bit one is widened.
    pub fn u64(&self, tag: Tag) -> Result<Option<u64>, HeaderError> {
        unimplemented!()
    }
    /// Raw bytes.
    pub fn binary(&self, tag: Tag) -> Result<Option<&[u8]>, HeaderError> {
        unimplemented!()
    }
}
