//! Digests and signatures of a package.

use super::{Package, PackageError};
use crate::header::entry_text;
use crate::payload::decompress;
use crate::{Header, HeaderError, SignerInfo, Tag, Verifier, VerifyError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::io::Read;

/// Hash algorithms of PAYLOADDIGESTALGO (RFC 4880, section 9.4).
const SHA256: u32 = 8;
const SHA512: u32 = 10;

/// Bytes that are hashed at a time.
const BLOCK: usize = 64 << 10;

/// Most signatures of one package that are tried.
const SIGNATURES_MAX: usize = 16;

pub(super) fn strongest(package: &Package<'_>) -> Result<(), PackageError> {
    let header = header_sha256(package)?;
    let payload = payload_digest(package)? || alternative_digest(package)?;
    if header && payload {
        return Ok(());
    }
    if legacy_md5(package)? {
        return Ok(());
    }
    Err(PackageError::NoDigest {
        what: if header { "payload" } else { "header" },
    })
}

pub(super) fn all(package: &Package<'_>) -> Result<(), PackageError> {
    strongest(package)?;
    header_sha1(package)?;
    alternative_digest(package)?;
    legacy_md5(package)?;
    legacy_size(package)
}

/// Compares hexadecimal digests; rpm writes them in lower case.
fn compare(what: &'static str, expected: &[u8], found: &[u8]) -> Result<(), PackageError> {
    let found = hex::encode(found);
    if expected.eq_ignore_ascii_case(found.as_bytes()) {
        return Ok(());
    }
    Err(PackageError::DigestMismatch {
        what,
        expected: entry_text(expected),
        found,
    })
}

fn signature_error(error: HeaderError) -> PackageError {
    PackageError::SignatureHeader(error)
}

fn header_sha256(package: &Package<'_>) -> Result<bool, PackageError> {
    let Some(expected) = package
        .signature()
        .bytes(Tag::SHA256HEADER)
        .map_err(signature_error)?
    else {
        return Ok(false);
    };
    compare(
        "header's SHA-256",
        expected,
        &Sha256::digest(package.header_bytes()),
    )?;
    Ok(true)
}

fn header_sha1(package: &Package<'_>) -> Result<(), PackageError> {
    match package
        .signature()
        .bytes(Tag::SHA1HEADER)
        .map_err(signature_error)?
    {
        Some(expected) => compare("header's SHA-1", expected, &Sha1::digest(package.header_bytes())),
        None => Ok(()),
    }
}

/// What PAYLOADDIGEST and PAYLOADDIGESTALT are made with.
fn payload_algorithm(header: &Header) -> Result<u32, PackageError> {
    Ok(header.u32(Tag::PAYLOADDIGESTALGO)?.unwrap_or(SHA256))
}

fn payload_digest(package: &Package<'_>) -> Result<bool, PackageError> {
    let header = package.header();
    let Some(expected) = header.bytes(Tag::PAYLOADDIGEST)? else {
        return Ok(false);
    };
    let what = "payload's digest";
    match payload_algorithm(header)? {
        SHA256 => compare(what, expected, &Sha256::digest(package.payload_bytes()))?,
        SHA512 => compare(what, expected, &Sha512::digest(package.payload_bytes()))?,
        algorithm => {
            return Err(PackageError::UnknownAlgorithm {
                what: "payload",
                algorithm,
            });
        }
    }
    Ok(true)
}

/// The digest of the uncompressed payload.
fn alternative_digest(package: &Package<'_>) -> Result<bool, PackageError> {
    let header = package.header();
    let Some(expected) = header.bytes(Tag::PAYLOADDIGESTALT)? else {
        return Ok(false);
    };
    let what = "uncompressed payload's digest";
    let payload = decompress(header, package.payload_bytes())?;
    match payload_algorithm(header)? {
        SHA256 => compare(what, expected, &hash_all::<Sha256>(payload)?)?,
        SHA512 => compare(what, expected, &hash_all::<Sha512>(payload)?)?,
        algorithm => {
            return Err(PackageError::UnknownAlgorithm {
                what: "uncompressed payload",
                algorithm,
            });
        }
    }
    Ok(true)
}

fn hash_all<D: Digest>(mut source: impl Read) -> Result<Vec<u8>, PackageError> {
    let (mut hasher, mut block) = (D::new(), vec![0; BLOCK]);
    loop {
        match source.read(&mut block).map_err(PackageError::Decompress)? {
            0 => return Ok(hasher.finalize().to_vec()),
            read => hasher.update(&block[..read]),
        }
    }
}

/// MD5 over header and payload.
fn legacy_md5(package: &Package<'_>) -> Result<bool, PackageError> {
    let Some(expected) = package
        .signature()
        .binary(Tag::SIG_MD5)
        .map_err(signature_error)?
    else {
        return Ok(false);
    };
    let mut hasher = Md5::new();
    hasher.update(package.header_bytes());
    hasher.update(package.payload_bytes());
    let found = hasher.finalize();
    compare(
        "MD5 of header and payload",
        hex::encode(expected).as_bytes(),
        &found,
    )?;
    Ok(true)
}

fn legacy_size(package: &Package<'_>) -> Result<(), PackageError> {
    let signature = package.signature();
    let tag = if signature.contains(Tag::LONGSIGSIZE) {
        Tag::LONGSIGSIZE
    } else {
        Tag::SIG_SIZE
    };
    let Some(expected) = signature.u64(tag).map_err(signature_error)? else {
        return Ok(());
    };
    let found = (package.header_bytes().len() + package.payload_bytes().len()) as u64;
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(PackageError::DigestMismatch {
        what: "size of header and payload",
        expected,
        found,
    })
}

pub(super) fn signature(package: &Package<'_>, verifier: &dyn Verifier) -> Result<SignerInfo, PackageError> {
    let signature = package.signature();
    let mut reasons = Vec::new();
    let mut unknown = Vec::new();
    let over_header = header_signatures(signature)?;
    let is_legacy = over_header.is_empty();
    let (signatures, data) = match is_legacy {
        false => (over_header, package.header_bytes()),
        true => (
            legacy_signatures(signature)?,
            &package.bytes[package.header_range().start..],
        ),
    };
    for packet in signatures.iter().take(SIGNATURES_MAX) {
        match verifier.verify(data, packet) {
            Ok(info) => return Ok(info),
            Err(VerifyError::UnknownKey { tried }) => unknown.extend(tried),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Err(match (signatures.is_empty(), reasons.is_empty()) {
        (true, _) => VerifyError::Unsigned,
        (false, true) => VerifyError::UnknownKey { tried: unknown },
        (false, false) => VerifyError::Bad { reasons },
    }
    .into())
}

/// Signatures over the main header: RSA, everything else, and from rpm 4.20 on base64 of any.
fn header_signatures(signature: &Header) -> Result<Vec<Vec<u8>>, PackageError> {
    let mut found = Vec::new();
    for tag in [Tag::RSAHEADER, Tag::DSAHEADER] {
        found.extend(
            signature
                .binary(tag)
                .map_err(signature_error)?
                .map(<[u8]>::to_vec),
        );
    }
    for encoded in signature.byte_strings(Tag::OPENPGP).map_err(signature_error)? {
        let packet = STANDARD.decode(encoded).map_err(|_| {
            let reason = "it is no base64".to_owned();
            signature_error(HeaderError::BadValue {
                tag: Tag::OPENPGP,
                reason,
            })
        })?;
        found.push(packet);
    }
    Ok(found)
}

/// Signatures over header and payload.
fn legacy_signatures(signature: &Header) -> Result<Vec<Vec<u8>>, PackageError> {
    let mut found = Vec::new();
    for tag in [Tag::SIG_PGP, Tag::SIG_GPG] {
        found.extend(
            signature
                .binary(tag)
                .map_err(signature_error)?
                .map(<[u8]>::to_vec),
        );
    }
    Ok(found)
}
