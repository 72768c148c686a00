//! What signs `repomd.xml`, and what checks the signature.

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
pub trait MetadataVerifier {
    /// Checks `signature` (armoured or binary) over `data`; returns the signing key's fingerprint.
    fn verify_detached(&self, data: &[u8], signature: &[u8]) -> Result<String, TrustError>;
}
