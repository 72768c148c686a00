//! skeleton
use crate::{FileEntry, Metadata, SignError, Signer};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};
use std::ops::Range;
/// How the payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard, level 1 to 22.
    Zstd {
        /// The level.
        level: i32,
    },
    /// Not at all.
    None,
}
/// The content of a regular file.
pub enum Content<'a> {
    /// In memory.
    Bytes(Cow<'a, [u8]>),
    /// To be read, once.
    Reader(Box<dyn Read + 'a>),
}
/// Where the contents of regular files come from: asked once for each, in path order; once for a set of hard links.
pub trait ContentSource {
    /// The content of `file`.
    fn content(&self, file: &FileEntry) -> io::Result<Content<'_>>;
}
impl ContentSource for BTreeMap<Vec<u8>, Vec<u8>> {
    fn content(&self, _file: &FileEntry) -> io::Result<Content<'_>> {
        unimplemented!()
    }
}
impl ContentSource for HashMap<Vec<u8>, Vec<u8>> {
    fn content(&self, _file: &FileEntry) -> io::Result<Content<'_>> {
        unimplemented!()
    }
}
/// Writes a package.
pub struct PackageBuilder {
    metadata: Metadata,
    compression: Compression,
}
/// Why a package cannot be built.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum BuildError {
    #[error("{0}")]
    Other(String),
    #[error(transparent)]
    Sign(#[from] SignError),
}
/// A finished package.
#[derive(Debug, Clone)]
pub struct BuiltPackage {
    /// Lead, signature header and main header.
    pub head: Vec<u8>,
    /// The compressed payload.
    pub payload: Vec<u8>,
    /// Where the main header lies in the file.
    pub header_range: Range<usize>,
    /// The metadata as written: sorted, digests filled in, rpmlib requires added.
    pub metadata: Metadata,
}
impl BuiltPackage {
    /// Writes the package file.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.head)?;
        out.write_all(&self.payload)
    }
    /// The whole package file.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.payload].concat()
    }
    /// SHA-256 of the whole file.
    pub fn sha256(&self) -> [u8; 32] {
        unimplemented!()
    }
    /// Length of the whole file.
    pub fn len(&self) -> u64 {
        (self.head.len() + self.payload.len()) as u64
    }
    /// Never: a package has a lead at least.
    pub fn is_empty(&self) -> bool {
        false
    }
}
#[allow(unused_variables)]
impl PackageBuilder {
    /// A builder with zstd level 3. Files need not be sorted; a digest that is missing is computed, one that is given is checked.
    pub fn new(metadata: Metadata) -> Self {
        Self {
            metadata,
            compression: Compression::Zstd { level: 3 },
        }
    }
    /// Sets the compression.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }
    /// Builds the package. Contents are read once.
    pub fn build(
        self,
        contents: &dyn ContentSource,
        signer: Option<&dyn Signer>,
    ) -> Result<BuiltPackage, BuildError> {
        let _ = &self.metadata;
        unimplemented!()
    }
}
