//! Digests of sparse files: a hole counts as the zeros it reads as, but nobody reads it.

use std::fs::File;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::{Error, Result, sparse};

/// Zeros to hash holes with: small enough to stay in the processor's first cache.
static ZEROS: [u8; 16 << 10] = [0; 16 << 10];

/// What a file is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

impl Digest {
    /// Reads a file, which must not change meanwhile, and hashes it.
    pub fn of(file: &File, path: &Path) -> Result<Self> {
        let size = file
            .metadata()
            .map_err(|e| Error::io("read the size of", path, e))?
            .len();
        let mut hasher = Hasher::default();
        sparse::for_each_data(file, path, size, |position, bytes| {
            hasher.data(position, bytes);
            Ok(())
        })?;
        hasher.zeros_to(size);
        Ok(hasher.finish())
    }
}

/// Hashes a file from its start to its end. A clone goes on from where the original stands: files that start with the
/// same bytes need those hashed only once.
#[derive(Clone, Default)]
pub(crate) struct Hasher {
    sha256: Sha256,
    size: u64,
}

impl Hasher {
    /// Hashes `bytes`, which stand at `position`, and the hole before them.
    pub(crate) fn data(&mut self, position: u64, bytes: &[u8]) {
        self.zeros_to(position);
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Hashes a hole that ends at `position`.
    pub(crate) fn zeros_to(&mut self, position: u64) {
        while self.size < position {
            let length = (position - self.size).min(ZEROS.len() as u64);
            self.sha256.update(&ZEROS[..length as usize]);
            self.size += length;
        }
    }

    /// The digest of what was hashed.
    pub(crate) fn finish(self) -> Digest {
        Digest {
            size: self.size,
            sha256: self.sha256.finalize().into(),
        }
    }
}
