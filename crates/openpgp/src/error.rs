//! What can be wrong with keys.

/// Why bytes are no keyring or key, or a key cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A certificate cannot be read.
    #[error("failed to read OpenPGP certificate {position}: {reason}")]
    BadCertificate {
        /// Its place among all, from 1 on.
        position: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no certificate.
    #[error("there is no OpenPGP certificate in what should be a keyring")]
    NoCertificate,
    /// A file for a secret key has none that can sign, or it needs a passphrase.
    #[error("the OpenPGP key {fingerprint} has no secret key that can sign without a passphrase")]
    NoSigningKey {
        /// Fingerprint of the certificate.
        fingerprint: String,
    },
    /// Something failed while a key was made or written.
    #[error("failed to {action} an OpenPGP key: {reason}")]
    Failed {
        /// What was being done.
        action: &'static str,
        /// What went wrong.
        reason: String,
    },
}
