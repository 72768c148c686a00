//! What can be wrong with repository metadata.

use crate::{Checksum, ChecksumParseError};

/// Why metadata was refused. Every message names the metadata file.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The XML is malformed.
    #[error("failed to parse {file} near byte {offset}: {reason}")]
    Xml {
        /// The metadata file, such as `primary.xml`.
        file: String,
        /// Byte offset in the decompressed file.
        offset: u64,
        /// What the parser says.
        reason: String,
    },
    /// The XML is well formed, but a value is missing or makes no sense.
    #[error("bad value in {file} near byte {offset}{}: {reason}", of(package))]
    Value {
        /// The metadata file.
        file: String,
        /// Byte offset in the decompressed file.
        offset: u64,
        /// Name of the package it was found in; empty outside packages.
        package: String,
        /// What is wrong.
        reason: String,
    },
    /// A checksum is of an unknown kind or damaged.
    #[error("bad checksum in {file}")]
    ChecksumSyntax {
        /// The metadata file.
        file: String,
        /// The checksum.
        #[source]
        source: ChecksumParseError,
    },
    /// The content is not what the signed index promises.
    #[error("{file} does not have the promised checksum: expected {expected}, found {found}")]
    ChecksumMismatch {
        /// The file's location in the repository.
        file: String,
        /// From `repomd.xml`.
        expected: Box<Checksum>,
        /// Of the bytes.
        found: Box<Checksum>,
    },
    /// The size is not what the signed index promises.
    #[error("{file} does not have the promised size: expected {expected} bytes, found {found}")]
    SizeMismatch {
        /// The file's location in the repository.
        file: String,
        /// From `repomd.xml`.
        expected: u64,
        /// Of the bytes; when decompressing, how far it got before it was stopped.
        found: u64,
    },
    /// A named limit is exceeded.
    #[error("{file} exceeds the limit of {limit} {what}")]
    TooLarge {
        /// The metadata file.
        file: String,
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The compressed stream is damaged.
    #[error("failed to decompress {file}: {reason}")]
    Decompress {
        /// The file's location in the repository.
        file: String,
        /// What the decompressor says.
        reason: String,
    },
    /// The name's ending names no compression that is supported.
    #[error("{file} is compressed in an unsupported way (expected .zst, .gz, .xz or .xml)")]
    UnknownCompression {
        /// The file's location in the repository.
        file: String,
    },
    /// A data entry that is needed is not there.
    #[error("repomd.xml has no `{kind}` entry")]
    MissingData {
        /// The kind, such as `primary`.
        kind: String,
    },
    /// A location that climbs out of the repository or holds control characters.
    #[error("{file} names an unsafe location `{location}`")]
    UnsafeLocation {
        /// The metadata file.
        file: String,
        /// The location as it was given.
        location: String,
    },
}

fn of(package: &str) -> String {
    if package.is_empty() {
        String::new()
    } else {
        format!(" (package {package})")
    }
}
