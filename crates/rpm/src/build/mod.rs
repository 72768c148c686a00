//! Writing packages.
//!
//! A package is built in one pass over the contents: the payload goes into memory, compressed, while each
//! file, the archive and then the compressed payload are digested; the headers, which hold those digests,
//! are made last. The same metadata, contents, compression and key give the same bytes: nothing comes from
//! the clock, the host or the order in which files were given.

mod check;
mod header;
mod payload;
mod signature;

pub(crate) use signature::build as build_signature;

pub use check::BuildError;
pub use payload::{Compression, Content, ContentSource};

use crate::package::{SIGNATURE_ALIGNMENT, build_lead};
use crate::{HeaderError, Metadata, Signer};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::ops::Range;

/// Builds a binary package.
#[derive(Debug, Clone)]
pub struct PackageBuilder {
    metadata: Metadata,
    compression: Compression,
}

/// A finished package: head and payload, to be written one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltPackage {
    /// Lead, signature header and main header.
    pub head: Vec<u8>,
    /// The compressed payload.
    pub payload: Vec<u8>,
    /// Where the main header lies in the file, with its magic.
    pub header_range: Range<usize>,
    /// The metadata as written: files sorted, digests and inodes filled in, dependencies sorted and
    /// completed.
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
        Sha256::new()
            .chain_update(&self.head)
            .chain_update(&self.payload)
            .finalize()
            .into()
    }

    /// Length of the whole file in bytes.
    pub fn size(&self) -> u64 {
        (self.head.len() + self.payload.len()) as u64
    }
}

impl PackageBuilder {
    /// A builder with [`Compression::DEFAULT`].
    ///
    /// Files may come in any order. Of a regular file, a digest that is missing is computed and one that is
    /// there is checked; its size must be right. An inode of 0 means that a file is not linked to another.
    /// What the package provides of itself (`name = evr`, `name(isa) = evr`) and requires of rpm
    /// (`rpmlib(…)`) is added.
    pub fn new(metadata: Metadata) -> Self {
        Self {
            metadata,
            compression: Compression::DEFAULT,
        }
    }

    /// Sets how the payload is compressed.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Builds the package. Each content is asked for and read once, in the order of paths; of a set of hard
    /// links the last path is asked for.
    ///
    /// Fails if the metadata cannot make a package that rpm would take, if contents and metadata disagree,
    /// or if the signer fails.
    pub fn build(
        self,
        contents: &dyn ContentSource,
        signer: Option<&dyn Signer>,
    ) -> Result<BuiltPackage, BuildError> {
        let mut metadata = self.metadata;
        check::metadata(&metadata)?;
        check::prepare_files(&mut metadata.files)?;
        let written = payload::write(&mut metadata.files, contents, self.compression)?;
        header::complete_dependencies(&mut metadata, self.compression);
        let name = &metadata.nevra;
        let fail = |source: HeaderError| BuildError::Header {
            package: name.to_string(),
            source,
        };
        let header = header::build(&metadata, &written).map_err(fail)?.to_bytes();
        let signature = signature::build(&header, &written.compressed, Some(written.archive_size), signer)?
            .map_err(fail)?
            .to_bytes();

        let mut head = build_lead(name).to_vec();
        head.extend(signature);
        head.resize(head.len().next_multiple_of(SIGNATURE_ALIGNMENT), 0);
        let start = head.len();
        head.extend(header);
        let header_range = start..head.len();
        Ok(BuiltPackage {
            head,
            payload: written.compressed,
            header_range,
            metadata,
        })
    }
}
