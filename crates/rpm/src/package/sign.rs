//! Signing packages that somebody else made.

use super::{LEAD_LEN, Package, SIGNATURE_ALIGNMENT};
use crate::build::build_signature;
use crate::{BuildError, Signer, Tag};

impl Package<'_> {
    /// The whole package file with another signature header: digests over header and payload, and the signature of
    /// `signer`. Lead, main header and payload stay as they are, and no signature of others remains.
    ///
    /// The same package and signer give the same bytes.
    pub fn resigned(&self, signer: Option<&dyn Signer>) -> Result<Vec<u8>, BuildError> {
        let old = self.signature();
        let size = |tag| old.u64(tag).ok().flatten();
        let archive_size = size(Tag::SIG_PAYLOADSIZE).or_else(|| size(Tag::LONGARCHIVESIZE));
        let (header, payload) = (self.header_bytes(), self.payload_bytes());
        let signature = build_signature(header, payload, archive_size, signer)?
            .map_err(|source| BuildError::Header {
                package: self.metadata().map(|m| m.nevra.to_string()).unwrap_or_default(),
                source,
            })?
            .to_bytes();
        let mut file = Vec::with_capacity(self.bytes.len() + signature.len());
        file.extend(&self.bytes[..LEAD_LEN]);
        file.extend(signature);
        file.resize(file.len().next_multiple_of(SIGNATURE_ALIGNMENT), 0);
        file.extend(header);
        file.extend(payload);
        Ok(file)
    }
}
