//! OpenPGP signatures: verify against a keyring, sign deterministically.
use lazuli_rpm::{KeyKind, SignError, Signer, SignerInfo, Verifier, VerifyError};
use std::time::SystemTime;
/// Certificates that are trusted.
#[derive(Debug, Clone)]
pub struct Keyring {}
/// A keyring with the time at which signatures are judged.
#[derive(Debug, Clone, Copy)]
pub struct KeyringAt<'k> {
    keyring: &'k Keyring,
    time: SystemTime,
}
/// Why bytes are no keyring or key.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct KeyError {
    /// What is wrong.
    pub reason: String,
}
#[allow(unused_variables)]
impl Keyring {
    /// Reads certificates, binary or armored, one after the other.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        unimplemented!()
    }
    /// Both rings' certificates.
    pub fn merge(&mut self, other: Keyring) {
        unimplemented!()
    }
    /// Fingerprints of the certificates.
    pub fn fingerprints(&self) -> Vec<String> {
        unimplemented!()
    }
    /// Checks a detached signature (binary or armored); one good one suffices.
    pub fn verify_detached(
        &self,
        data: &[u8],
        signature: &[u8],
        at: SystemTime,
    ) -> Result<SignerInfo, VerifyError> {
        unimplemented!()
    }
    /// Checks a cleartext-signed message such as InRelease; returns the signed text only.
    pub fn verify_cleartext(
        &self,
        message: &[u8],
        at: SystemTime,
    ) -> Result<(Vec<u8>, SignerInfo), VerifyError> {
        unimplemented!()
    }
    /// A verifier which judges at a given time.
    pub fn at(&self, time: SystemTime) -> KeyringAt<'_> {
        KeyringAt { keyring: self, time }
    }
}
impl Verifier for KeyringAt<'_> {
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<SignerInfo, VerifyError> {
        self.keyring.verify_detached(data, signature, self.time)
    }
}
/// Judges at the system's time.
impl Verifier for Keyring {
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<SignerInfo, VerifyError> {
        self.at(SystemTime::now()).verify(data, signature)
    }
}
/// Which algorithm a new key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// Ed25519: the default.
    Ed25519,
    /// RSA with 4096 bits.
    Rsa4096,
}
/// A secret key that signs, with deterministic bytes.
pub struct SigningKey {}
#[allow(unused_variables)]
impl SigningKey {
    /// Makes a new key.
    pub fn generate(algorithm: KeyAlgorithm, user_id: &str, created: SystemTime) -> Result<Self, KeyError> {
        unimplemented!()
    }
    /// Reads an armored (or binary) secret key without a passphrase.
    pub fn from_armored(bytes: &[u8]) -> Result<Self, KeyError> {
        unimplemented!()
    }
    /// The armored secret key.
    pub fn to_armored(&self) -> Result<String, KeyError> {
        unimplemented!()
    }
    /// The armored public certificate.
    pub fn certificate(&self) -> Result<String, KeyError> {
        unimplemented!()
    }
    /// Fingerprint, upper case hexadecimal.
    pub fn fingerprint(&self) -> String {
        unimplemented!()
    }
    /// A detached armored signature (repomd.xml.asc) which says that it was made at `time`.
    pub fn sign_detached_armored(&self, data: &[u8], time: SystemTime) -> Result<String, SignError> {
        unimplemented!()
    }
    /// A signer for packages whose signatures say that they were made at `time`.
    pub fn signer(&self, time: SystemTime) -> PackageSigner<'_> {
        PackageSigner { key: self, time }
    }
}
/// Signs packages; the time in the signatures is fixed.
pub struct PackageSigner<'k> {
    key: &'k SigningKey,
    time: SystemTime,
}
#[allow(unused_variables)]
impl Signer for PackageSigner<'_> {
    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let _ = (self.key, self.time);
        unimplemented!()
    }
    fn key_kind(&self) -> KeyKind {
        unimplemented!()
    }
}
