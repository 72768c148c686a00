//! Write `repodata/` for a folder of packages.

use crate::{MetadataSigner, TrustError};
use lazuli_repodata::MetadataError;
use std::path::{Path, PathBuf};

/// How to make a repository.
pub struct CreateOptions<'a> {
    /// Signs `repomd.xml`; `None` leaves the repository unsigned, which our own tools refuse by default.
    pub signer: Option<&'a dyn MetadataSigner>,
    /// Revision and timestamps, seconds since 1970: `SOURCE_DATE_EPOCH`, never the clock. Must not go down from one
    /// publication to the next.
    pub revision: u64,
    /// Threads; 0 takes one for each core.
    pub workers: usize,
    /// zstd level, 1 to 22.
    pub zstd_level: i32,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Packages in the repository.
    pub packages: usize,
    /// Packages whose record was reused, since their file is unchanged.
    pub reused: usize,
    /// The revision that was written.
    pub revision: u64,
    /// Bytes of the package files.
    pub package_bytes: u64,
    /// Bytes of the metadata files.
    pub metadata_bytes: u64,
}

/// Why a repository could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A file or folder operation failed.
    #[error("failed to {action} {path}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A package cannot be read.
    #[error("failed to read package {path}: {reason}")]
    Package {
        /// The package file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Metadata cannot be read.
    #[error("failed to read the metadata of {path}")]
    Metadata {
        /// The repository.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: MetadataError,
    },
    /// The signature could not be made.
    #[error("failed to sign {path}")]
    Sign {
        /// The file to sign.
        path: PathBuf,
        /// What the signer says.
        #[source]
        source: TrustError,
    },
}

/// Reads all `*.rpm` below `dir` and writes `dir/repodata`. A kill at any time leaves the old metadata or the new.
pub fn create(_dir: &Path, _options: &CreateOptions<'_>) -> Result<Report, ComposeError> {
    unimplemented!()
}

/// Signs the `repomd.xml` of `dir` anew.
pub fn sign(_dir: &Path, _signer: &dyn MetadataSigner) -> Result<(), ComposeError> {
    unimplemented!()
}
