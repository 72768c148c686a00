//! skeleton
use crate::{Header, HeaderError, Metadata, Payload, SignerInfo, Verifier, VerifyError};
use std::ops::Range;
/// A parsed package over a byte slice.
#[derive(Debug, Clone)]
pub struct Package<'a> {
    headers: PackageHeaders,
    payload: &'a [u8],
}
/// The headers of a package, without its payload.
#[derive(Debug, Clone)]
pub struct PackageHeaders {
    /// The signature header.
    pub signature: Header,
    /// The main header.
    pub header: Header,
    /// Where the main header, with its magic, lies in the file; the payload starts at its end.
    pub header_range: Range<usize>,
}
/// Parses lead and headers; `bytes` may end anywhere behind the main header.
#[allow(unused_variables)]
pub fn parse_headers(bytes: &[u8]) -> Result<PackageHeaders, PackageError> {
    unimplemented!()
}
/// Why a package is refused.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum PackageError {
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Signature(#[from] VerifyError),
    #[error("failed to read the payload: {0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Other(String),
}
#[allow(unused_variables)]
impl<'a> Package<'a> {
    /// Parses a package file.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PackageError> {
        unimplemented!()
    }
    /// The signature header.
    pub fn signature(&self) -> &Header {
        &self.headers.signature
    }
    /// The main header.
    pub fn header(&self) -> &Header {
        &self.headers.header
    }
    /// Both headers and where they lie.
    pub fn headers(&self) -> &PackageHeaders {
        &self.headers
    }
    /// Where the main header lies in the file (rpm-md's header-range).
    pub fn header_range(&self) -> Range<usize> {
        self.headers.header_range.clone()
    }
    /// The compressed payload.
    pub fn payload_bytes(&self) -> &'a [u8] {
        self.payload
    }
    /// What the package says of itself.
    pub fn metadata(&self) -> Result<Metadata, PackageError> {
        unimplemented!()
    }
    /// Checks the strongest digests of header and payload: SHA-256, else legacy ones.
    pub fn verify_digests(&self) -> Result<(), PackageError> {
        unimplemented!()
    }
    /// Checks every digest there is, the weak and the redundant ones too.
    pub fn verify_all_digests(&self) -> Result<(), PackageError> {
        unimplemented!()
    }
    /// Checks the header's signature.
    pub fn verify_signature(&self, verifier: &dyn Verifier) -> Result<SignerInfo, PackageError> {
        unimplemented!()
    }
    /// Starts to unpack. `metadata` is that of this package.
    pub fn payload<'m>(&self, metadata: &'m Metadata) -> Result<Payload<'a, 'm>, PackageError> {
        unimplemented!()
    }
}
