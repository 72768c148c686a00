//! Why a package is refused.

use crate::{HeaderError, VerifyError};
use std::io;

/// Why a package is refused.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum PackageError {
    #[error("the package ends inside its {what}: {needed} bytes are needed, {available} are there")]
    Truncated {
        what: &'static str,
        needed: usize,
        available: usize,
    },
    #[error("the package has a damaged lead: {reason}")]
    BadLead { reason: &'static str },
    #[error("failed to read the signature header: {0}")]
    SignatureHeader(#[source] HeaderError),
    #[error("failed to read the main header: {0}")]
    Header(#[from] HeaderError),
    #[error("the {what} does not match: the package says {expected}, its bytes have {found}")]
    DigestMismatch {
        what: &'static str,
        expected: String,
        found: String,
    },
    #[error("the package has no digest of its {what} that is strong enough")]
    NoDigest { what: &'static str },
    #[error("the digest of the {what} uses algorithm {algorithm}, which is not supported")]
    UnknownAlgorithm { what: &'static str, algorithm: u32 },
    #[error("the package's signature is refused: {0}")]
    Signature(#[from] VerifyError),
    #[error("the payload has the format `{format}`, compressed with `{compressor}`, which is not supported")]
    UnknownPayload { format: String, compressor: String },
    #[error("failed to unpack the payload: {0}")]
    Decompress(#[source] io::Error),
    #[error("the payload is damaged: {reason}")]
    BadPayload { reason: String },
    #[error("the payload holds `{path}`, which the header does not list")]
    UnknownFile { path: String },
    #[error("the payload holds `{path}` twice")]
    RepeatedFile { path: String },
    #[error("the payload lacks `{path}`, which the header lists")]
    MissingFile { path: String },
    #[error("`{path}` has {found} bytes in the payload, but {expected} in the header")]
    SizeMismatch { path: String, expected: u64, found: u64 },
    #[error("`{path}` does not match its SHA-256 in the header (expected {expected}, found {found})")]
    FileDigestMismatch {
        path: String,
        expected: String,
        found: String,
    },
    #[error("`{path}` is not in the payload what it is in the header: {reason}")]
    FileMismatch { path: String, reason: &'static str },
}

impl PackageError {
    /// As the error of a reader; [`PackageError::from_io`] gets it back.
    pub(crate) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, self)
    }

    /// The error that a reader of this crate returned.
    pub fn from_io(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Decompress)
    }
}
