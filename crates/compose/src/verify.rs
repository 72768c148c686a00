//! Open a repository that is fetched from an untrusted place.
//!
//! The signature over `repomd.xml` is checked first; from there each file by its size and checksum, before it is
//! parsed.

use crate::{MetadataVerifier, TrustError};
use lazuli_repodata::filelists::{self, PackageFiles};
use lazuli_repodata::other::{self, PackageChangelog};
use lazuli_repodata::{MAX_OPEN_SIZE, MAX_REPOMD_SIZE, MetadataError, PackageRecord, Repomd, primary};
use std::io::Read;
use std::path::PathBuf;

/// Limit of `repomd.xml.asc` in bytes. Real ones have less than 1 KiB for each signature.
const SIGNATURE_MAX: u64 = 256 << 10;

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
    fn fetch(&self, location: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let path = self.root.join(location);
        let fail = |reason: String| FetchError {
            location: path.display().to_string(),
            reason,
        };
        let file = std::fs::File::open(&path).map_err(|error| fail(error.to_string()))?;
        let mut content = Vec::new();
        // One byte more than the limit tells "exactly full" from "too much".
        let read = file.take(limit.saturating_add(1)).read_to_end(&mut content);
        read.map_err(|error| fail(error.to_string()))?;
        if content.len() as u64 > limit {
            return Err(fail(format!("it has more than {limit} bytes")));
        }
        Ok(content)
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
///
/// The order is that of trust: the signature over the bytes, then the bytes' meaning, then their age.
pub fn open_repository<'a>(
    fetcher: &'a dyn Fetcher,
    signatures: Signatures<'_>,
    rollback: Rollback,
) -> Result<VerifiedRepository<'a>, OpenError> {
    let repomd_xml = fetcher.fetch("repodata/repomd.xml", MAX_REPOMD_SIZE)?;
    let signed_by = match signatures {
        Signatures::Unchecked => None,
        Signatures::Required(verifier) => {
            let signature = fetcher.fetch("repodata/repomd.xml.asc", SIGNATURE_MAX)?;
            Some(
                verifier
                    .verify_detached(&repomd_xml, &signature)
                    .map_err(OpenError::Signature)?,
            )
        }
    };
    let repomd = Repomd::parse(&repomd_xml)?;
    if let Rollback::NotOlderThan(last_seen) = rollback
        && repomd.freshness() < last_seen
    {
        return Err(OpenError::Rollback {
            found: repomd.freshness(),
            last_seen,
        });
    }
    Ok(VerifiedRepository {
        fetcher,
        repomd,
        repomd_xml,
        signed_by,
    })
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
    pub fn data(&self, kind: &str) -> Result<Option<Vec<u8>>, OpenError> {
        let Some(entry) = self.repomd.get(kind) else {
            return Ok(None);
        };
        let packed = self
            .fetcher
            .fetch(&entry.location, entry.size.unwrap_or(MAX_OPEN_SIZE))?;
        Ok(Some(entry.open(&packed)?))
    }

    fn required(&self, kind: &str) -> Result<Vec<u8>, OpenError> {
        let missing = || {
            OpenError::Metadata(MetadataError::MissingData {
                kind: kind.to_owned(),
            })
        };
        self.data(kind)?.ok_or_else(missing)
    }

    /// All packages.
    pub fn packages(&self) -> Result<Vec<PackageRecord>, OpenError> {
        Ok(primary::parse(&self.required("primary")?)?)
    }

    /// All paths of all packages.
    pub fn filelists(&self) -> Result<Vec<PackageFiles>, OpenError> {
        Ok(filelists::parse(&self.required("filelists")?)?)
    }

    /// All changelogs.
    pub fn changelogs(&self) -> Result<Vec<PackageChangelog>, OpenError> {
        Ok(other::parse(&self.required("other")?)?)
    }
}
