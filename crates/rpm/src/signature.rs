//! What this crate needs of OpenPGP, as traits: the `openpgp` crate implements them.

use std::time::SystemTime;

/// The algorithm family of a key: it decides under which tag a signature is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Stored as RSAHEADER (268).
    Rsa,
    /// Stored as DSAHEADER (267), as rpm does for every algorithm but RSA.
    EdDsa,
}

/// Makes OpenPGP signatures.
pub trait Signer: Send + Sync {
    /// A detached binary signature over `data`: one OpenPGP v4 signature packet, not armored.
    ///
    /// The same data must give the same bytes, or packages are not reproducible.
    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, SignError>;

    /// The kind of key that signs.
    fn key_kind(&self) -> KeyKind;
}

/// Checks OpenPGP signatures.
pub trait Verifier: Send + Sync {
    /// Checks a detached binary signature over `data`.
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<SignerInfo, VerifyError>;
}

/// Whose signature was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerInfo {
    /// Fingerprint of the certificate, upper case hexadecimal.
    pub fingerprint: String,
    /// Fingerprint of the key or subkey that signed, upper case hexadecimal.
    pub signing_key: String,
    /// Primary user id of the certificate; empty if it has none.
    pub user_id: String,
    /// When the signature says that it was made.
    pub created: SystemTime,
}

/// Why no signature could be made.
#[derive(Debug, thiserror::Error)]
#[error("failed to sign with key {key}: {reason}")]
pub struct SignError {
    /// Fingerprint of the key.
    pub key: String,
    /// What went wrong.
    pub reason: String,
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The bytes are no signature.
    #[error("the signature cannot be read: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// No signature is by a key of the keyring.
    #[error("signed by {}, of which the keyring has no key", tried.join(", "))]
    UnknownKey {
        /// Key ids or fingerprints that the signatures name.
        tried: Vec<String>,
    },
    /// There are signatures by known keys, but none is good.
    #[error("no good signature: {}", reasons.join("; "))]
    Bad {
        /// For each signature, its key and why it is refused.
        reasons: Vec<String>,
    },
    /// There is no signature at all.
    #[error("there is no signature")]
    Unsigned,
}
