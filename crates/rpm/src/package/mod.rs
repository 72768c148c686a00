//! A package file: lead, signature header, main header, payload.
//!
//! | part | bytes |
//! |---|---|
//! | lead | 96 |
//! | signature header | with magic; padded to a multiple of 8 |
//! | main header | with magic; what signatures and header digests cover |
//! | payload | the rest: a compressed cpio archive |
//!
//! Parsing borrows the payload and copies the headers. Nothing is verified by parsing: a caller that does
//! not hold the file's digest from signed metadata calls [`Package::verify_signature`] and
//! [`Package::verify_digests`] first.

mod error;
mod lead;
mod sign;
mod verify;

pub use error::PackageError;
pub use lead::PackageKind;
pub(crate) use lead::{LEAD_LEN, build as build_lead};

use crate::{Header, HeaderKind, Metadata, Payload, SignerInfo, Verifier};
use std::ops::Range;

/// Signature headers end at a multiple of this many bytes.
pub(crate) const SIGNATURE_ALIGNMENT: usize = 8;

/// The headers of a package, without its payload.
#[derive(Debug, Clone)]
pub struct PackageHeaders {
    /// Whether the lead calls the package binary or source.
    pub kind: PackageKind,
    /// The signature header.
    pub signature: Header,
    /// The main header.
    pub header: Header,
    /// Where the main header lies in the file, with its magic: `rpm:header-range` of rpm-md. The payload
    /// starts at its end.
    pub header_range: Range<usize>,
}

/// Parses lead and headers. `bytes` starts as a package does and may end anywhere behind the main header.
pub fn parse_headers(bytes: &[u8]) -> Result<PackageHeaders, PackageError> {
    let kind = lead::parse(bytes)?;
    let (signature, length) =
        Header::parse(&bytes[LEAD_LEN..], HeaderKind::Signature).map_err(PackageError::SignatureHeader)?;
    let start = LEAD_LEN + length.next_multiple_of(SIGNATURE_ALIGNMENT);
    let available = bytes.len();
    let rest = bytes.get(start..).ok_or(PackageError::Truncated {
        what: "signature header",
        needed: start,
        available,
    })?;
    let (header, length) = Header::parse(rest, HeaderKind::Main)?;
    Ok(PackageHeaders {
        kind,
        signature,
        header,
        header_range: start..start + length,
    })
}

/// A parsed package over the bytes of its file.
#[derive(Debug, Clone)]
pub struct Package<'a> {
    bytes: &'a [u8],
    headers: PackageHeaders,
}

impl<'a> Package<'a> {
    /// Parses a package file: its headers; the payload is not looked at.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PackageError> {
        Ok(Self {
            bytes,
            headers: parse_headers(bytes)?,
        })
    }

    /// Both headers and where they lie.
    pub fn headers(&self) -> &PackageHeaders {
        &self.headers
    }

    /// The signature header.
    pub fn signature(&self) -> &Header {
        &self.headers.signature
    }

    /// The main header.
    pub fn header(&self) -> &Header {
        &self.headers.header
    }

    /// Where the main header lies in the file, with its magic: `rpm:header-range` of rpm-md.
    pub fn header_range(&self) -> Range<usize> {
        self.headers.header_range.clone()
    }

    /// The main header's bytes with magic: what header digests and signatures cover.
    pub fn header_bytes(&self) -> &'a [u8] {
        &self.bytes[self.headers.header_range.clone()]
    }

    /// The compressed payload.
    pub fn payload_bytes(&self) -> &'a [u8] {
        &self.bytes[self.headers.header_range.end..]
    }

    /// What the package says of itself.
    pub fn metadata(&self) -> Result<Metadata, PackageError> {
        Ok(Metadata::from_header(self.header())?)
    }

    /// Checks header and payload against the strongest digests that the package has.
    ///
    /// The header: SHA-256. The payload: its SHA-256, of the compressed or else of the uncompressed bytes.
    /// Only where such a digest is absent (rpm before 4.14), MD5 over both. Digests protect against damage
    /// only; against malice a signature does, or a digest from signed metadata.
    pub fn verify_digests(&self) -> Result<(), PackageError> {
        verify::strongest(self)
    }

    /// Checks every digest and size there is, the weak and the redundant ones too, as `rpm -K -v` does.
    pub fn verify_all_digests(&self) -> Result<(), PackageError> {
        verify::all(self)
    }

    /// Checks the signature of the header; the header's payload digest extends it to the payload, so
    /// [`Self::verify_digests`] belongs to it.
    ///
    /// Packages of rpm before 4.0.3 have a signature over header and payload only, which is taken instead.
    pub fn verify_signature(&self, verifier: &dyn Verifier) -> Result<SignerInfo, PackageError> {
        verify::signature(self, verifier)
    }

    /// Starts to unpack. `metadata` must be that of this package.
    pub fn payload<'m>(&self, metadata: &'m Metadata) -> Result<Payload<'a, 'm>, PackageError> {
        Payload::new(self.header(), self.payload_bytes(), metadata)
    }
}
