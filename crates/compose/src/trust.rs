//! What signs `repomd.xml`, and what checks the signature.

use lazuli_openpgp::{Keyring, KeyringAt};
use lazuli_rpm::{SignerInfo, Verifier, VerifyError};

/// Why signing or verifying failed, in the words of the OpenPGP implementation.
pub type TrustError = Box<dyn std::error::Error + Send + Sync>;

/// Makes detached signatures.
pub trait MetadataSigner {
    /// An ASCII-armoured detached signature of `data`.
    fn sign_detached(&self, data: &[u8]) -> Result<Vec<u8>, TrustError>;
    /// The ASCII-armoured certificate that verifies it.
    fn certificate(&self) -> Result<Vec<u8>, TrustError>;
}

/// Checks detached signatures.
pub trait MetadataVerifier: Sync {
    /// Checks `signature` (armoured or binary) over `data`; returns the signing key's fingerprint.
    fn verify_detached(&self, data: &[u8], signature: &[u8]) -> Result<String, TrustError>;
}

/// Judges as of the system's time, for programs that run where the packages are used.
impl MetadataVerifier for Keyring {
    fn verify_detached(&self, data: &[u8], signature: &[u8]) -> Result<String, TrustError> {
        Ok(Verifier::verify(self, data, signature)?.fingerprint)
    }
}

impl MetadataVerifier for KeyringAt<'_> {
    fn verify_detached(&self, data: &[u8], signature: &[u8]) -> Result<String, TrustError> {
        Ok(Verifier::verify(self, data, signature)?.fingerprint)
    }
}

/// Package signatures, checked by what checks the metadata.
pub(crate) struct PackageVerifier<'v>(pub(crate) &'v dyn MetadataVerifier);

impl Verifier for PackageVerifier<'_> {
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<SignerInfo, VerifyError> {
        match self.0.verify_detached(data, signature) {
            Ok(fingerprint) => Ok(SignerInfo {
                signing_key: fingerprint.clone(),
                fingerprint,
                user_id: String::new(),
                created: std::time::SystemTime::UNIX_EPOCH,
            }),
            Err(error) => Err(VerifyError::Malformed {
                reason: error.to_string(),
            }),
        }
    }
}
