//! Open a repository that is fetched from an untrusted place.
//!
//! The signature over `repomd.xml` is checked first; from there each file by its size and checksum, before it is
//! parsed.

use crate::{MetadataVerifier, TrustError};
use lazuli_repodata::{
    MetadataError, PackageRecord, Repomd, filelists::PackageFiles, other::PackageChangelog,
};
use std::path::PathBuf;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("failed to fetch {location}: {reason}")]
pub struct FetchError {
    /// What was fetched, with the full URL or path.
    pub location: String,
    /// Why it failed.
    pub reason: String,
}

/// Gets files of a repository.
pub trait Fetcher {
    /// The content of `location` (relative to the repository's root). More than `limit` bytes are an error.
    fn fetch(&self, location: &str, limit: u64) -> Result<Vec<u8>, FetchError>;
}

/// A repository in a local folder.
#[derive(Debug, Clone)]
pub struct FolderFetcher {
    /// The folder that holds `repodata/`.
    pub root: PathBuf,
}

impl Fetcher for FolderFetcher {
    fn fetch(&self, _location: &str, _limit: u64) -> Result<Vec<u8>, FetchError> {
        unimplemented!()
    }
}

/// Whether `repomd.xml` must be signed.
#[derive(Clone, Copy)]
pub enum Signatures<'a> {
    /// By a key of this keyring.
    Required(&'a dyn MetadataVerifier),
    /// Whoever controls the way to the repository controls its content.
    Unchecked,
}

/// What was seen of this repository before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// Nothing: the first contact.
    FirstContact,
    /// The [`VerifiedRepository::freshness`] of the last contact; an older one is refused.
    NotOlderThan(u64),
}

/// Why a repository was refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The signature is missing or bad.
    #[error("the signature repodata/repomd.xml.asc is not good")]
    Signature(#[source] TrustError),
    /// The repository went back in time.
    #[error(
        "repodata/repomd.xml is older than what was seen before: revision {found}, last seen {last_seen}"
    )]
    Rollback {
        /// The revision that is served now.
        found: u64,
        /// The revision of the last contact.
        last_seen: u64,
    },
    /// Metadata is damaged, or not what was signed.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// A repository whose index is verified. Metadata files are fetched and checked on demand.
pub struct VerifiedRepository<'a> {
    fetcher: &'a dyn Fetcher,
    repomd: Repomd,
    repomd_xml: Vec<u8>,
    signed_by: Option<String>,
}

/// Fetches and verifies `repodata/repomd.xml`.
pub fn open_repository<'a>(
    _fetcher: &'a dyn Fetcher,
    _signatures: Signatures<'_>,
    _rollback: Rollback,
) -> Result<VerifiedRepository<'a>, OpenError> {
    unimplemented!()
}

impl VerifiedRepository<'_> {
    /// The index.
    pub fn repomd(&self) -> &Repomd {
        &self.repomd
    }

    /// The index's bytes, to be kept.
    pub fn repomd_xml(&self) -> &[u8] {
        &self.repomd_xml
    }

    /// Fingerprint of the key that signed it; `None` where signatures are unchecked.
    pub fn signed_by(&self) -> Option<&str> {
        self.signed_by.as_deref()
    }

    /// To be remembered for [`Rollback::NotOlderThan`].
    pub fn freshness(&self) -> u64 {
        self.repomd.freshness()
    }

    /// The verified, decompressed metadata of a kind (`primary`, `updateinfo`, …); `None` if there is no such entry.
    pub fn data(&self, _kind: &str) -> Result<Option<Vec<u8>>, OpenError> {
        let _ = self.fetcher;
        unimplemented!()
    }

    /// All packages.
    pub fn packages(&self) -> Result<Vec<PackageRecord>, OpenError> {
        unimplemented!()
    }

    /// All paths of all packages.
    pub fn filelists(&self) -> Result<Vec<PackageFiles>, OpenError> {
        unimplemented!()
    }

    /// All changelogs.
    pub fn changelogs(&self) -> Result<Vec<PackageChangelog>, OpenError> {
        unimplemented!()
    }
}
