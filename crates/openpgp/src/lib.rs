//! OpenPGP signatures: verify against a keyring, sign deterministically.
//!
//! The cryptography is Sequoia's with OpenSSL below; this crate adds what a distribution decides:
//!
//! - **Verifying** ([`Keyring`]) takes an explicit reference time. A signature counts if its key is in the
//!   ring, neither the key nor the signature is expired or revoked at that time, and none of their algorithms
//!   is weak (SHA-1 and MD5 never count, however old the signature is). Of several signatures one good one
//!   suffices, as for Debian's releases, which are signed by the keys of two years.
//! - **Signing** ([`SigningKey`]) gives the same bytes for the same data, key and time. Sequoia's own builder
//!   puts a random salt into each signature, so signatures are assembled here from their subpackets (RFC
//!   9580, section 5.2.4).
//!
//! Nothing here reads the clock but the [`lazuli_rpm::Verifier`] of [`Keyring`] itself, which says so.

mod error;
mod keyring;
mod policy;
mod signing;

pub use error::KeyError;
pub use keyring::{Keyring, KeyringAt};
pub use signing::{KeyAlgorithm, PackageSigner, SigningKey};
