//! Checksums as rpm-md names them: an algorithm and its value in hexadecimal.

use sha2::{Digest, Sha256, Sha384, Sha512};
use std::fmt;

/// The digest algorithms that are accepted. MD5 and SHA-1 are refused: nothing signed may rest on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, which Lazuli writes.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The value of the `type` attribute of rpm-md.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of a digest in bytes.
    pub fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }
}

/// A digest with its algorithm. It also is the `pkgid` that ties primary, filelists and other together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Checksum {
    algorithm: Algorithm,
    /// The digest, with zeros after the algorithm's length.
    bytes: [u8; 64],
}

/// Why a text is no checksum.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{algorithm}:{value}` is no checksum: {reason}")]
pub struct ChecksumParseError {
    /// The algorithm's name as it was given.
    pub algorithm: String,
    /// The hexadecimal value as it was given.
    pub value: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Checksum {
    /// A SHA-256 digest that is already known.
    pub fn sha256(digest: [u8; 32]) -> Self {
        Self::from_slice(Algorithm::Sha256, &digest)
    }

    /// The digest of `data`.
    pub fn of(algorithm: Algorithm, data: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::from_slice(algorithm, &Sha256::digest(data)),
            Algorithm::Sha384 => Self::from_slice(algorithm, &Sha384::digest(data)),
            Algorithm::Sha512 => Self::from_slice(algorithm, &Sha512::digest(data)),
        }
    }

    /// Parses the `type` attribute and the text of a `<checksum>` element.
    pub fn parse(algorithm: &str, value: &str) -> Result<Self, ChecksumParseError> {
        let fail = |reason| ChecksumParseError {
            algorithm: algorithm.to_owned(),
            value: value.to_owned(),
            reason,
        };
        let known = Algorithm::from_name(algorithm).ok_or_else(|| {
            fail("the algorithm is unknown or too weak (expected sha256, sha384 or sha512)")
        })?;
        let mut bytes = [0; 64];
        hex::decode_to_slice(value, &mut bytes[..known.length()])
            .map_err(|_| fail("the value is not hexadecimal of the algorithm's length"))?;
        Ok(Self {
            algorithm: known,
            bytes,
        })
    }

    fn from_slice(algorithm: Algorithm, digest: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..digest.len()].copy_from_slice(digest);
        Self { algorithm, bytes }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.length()]
    }

    /// The SHA-256 digest, if that is the algorithm.
    pub fn as_sha256(&self) -> Option<[u8; 32]> {
        if self.algorithm != Algorithm::Sha256 {
            return None;
        }
        self.bytes[..32].try_into().ok()
    }

    /// Whether `data` has this digest.
    pub fn matches(&self, data: &[u8]) -> bool {
        Self::of(self.algorithm, data) == *self
    }
}

impl fmt::Display for Checksum {
    /// Lower-case hexadecimal, without the algorithm.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.algorithm.name())
    }
}
