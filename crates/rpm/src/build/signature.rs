//! The signature header of a package that is built.

use crate::{Header, HeaderBuilder, HeaderError, HeaderKind, KeyKind, SignError, Signer, Tag};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

/// Builds the signature header over the bytes of a main header (with magic) and the compressed payload, whose
/// uncompressed size is left out where it is not known.
///
/// It has no reserved space: who signs again writes the whole header again. MD5 and SHA-1 are there
/// for rpm before 4.14, which knows no other; nobody needs to trust them.
pub(crate) fn build(
    header: &[u8],
    payload: &[u8],
    archive_size: Option<u64>,
    signer: Option<&dyn Signer>,
) -> Result<Result<Header, HeaderError>, SignError> {
    let mut signature = HeaderBuilder::new();
    if let Some(signer) = signer {
        let tag = match signer.key_kind() {
            KeyKind::Rsa => Tag::RSAHEADER,
            KeyKind::EdDsa => Tag::DSAHEADER,
        };
        signature.binary(tag, &signer.sign(header)?);
    }
    signature.string(Tag::SHA1HEADER, hex::encode(Sha1::digest(header)));
    signature.string(Tag::SHA256HEADER, hex::encode(Sha256::digest(header)));
    let legacy = Md5::new().chain_update(header).chain_update(payload).finalize();
    signature.binary(Tag::SIG_MD5, &legacy);
    put_size(
        &mut signature,
        Tag::SIG_SIZE,
        Tag::LONGSIGSIZE,
        (header.len() + payload.len()) as u64,
    );
    if let Some(size) = archive_size {
        put_size(&mut signature, Tag::SIG_PAYLOADSIZE, Tag::LONGARCHIVESIZE, size);
    }
    Ok(signature.build(HeaderKind::Signature))
}

/// A size has 32 bits where it fits, else 64 and another tag.
fn put_size(signature: &mut HeaderBuilder, short: Tag, long: Tag, size: u64) {
    match u32::try_from(size) {
        Ok(size) => signature.u32s(short, [size]),
        Err(_) => signature.u64s(long, [size]),
    };
}
