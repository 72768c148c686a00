//! Repositories as they are used: their keys, their metadata, kept in a cache, and what was last seen of them.
//!
//! ```text
//! CACHE/REPO-HASH/repodata/…        metadata, as fetched; checked again whenever it is read
//! CACHE/REPO-HASH/packages/…        packages on their way into a root
//! CACHE/trust/REPO-HASH             the newest revision that was seen: `clean` leaves it, or a rollback would be possible
//! ```

use crate::config::{Check, RepositoryConfig};
use crate::failure::{Failure, Kind, Result};
use crate::fetch::Source;
use lazuli_compose::{
    FetchError, Fetcher, FolderFetcher, OpenError, Rollback, Signatures, VerifiedRepository, open_repository,
};
use lazuli_openpgp::Keyring;
use lazuli_repodata::PackageRecord;
use lazuli_repodata::filelists::PackageFiles;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Limit of a package whose size the metadata does not say, in bytes.
pub(crate) const MAX_PACKAGE: u64 = 8 << 30;

const INDEX: &str = "repodata/repomd.xml";
const SIGNATURE: &str = "repodata/repomd.xml.asc";

/// Whether metadata is fetched anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// If it is older than the repository's `metadata_expire`.
    IfStale,
    /// In any case.
    Always,
    /// Never: what is in the cache has to do.
    Never,
}

/// A repository.
#[derive(Debug)]
pub struct Repository {
    /// As configured.
    pub config: RepositoryConfig,
    source: Source,
    keyring: Option<Keyring>,
    folder: PathBuf,
    seen: PathBuf,
}

impl Repository {
    /// Reads the repository's keys; nothing is fetched yet.
    pub fn open(config: RepositoryConfig, cache: &Path) -> Result<Self> {
        let mut keyring: Option<Keyring> = None;
        for path in &config.keys {
            let fail = |reason: String| {
                let text = format!(
                    "the key {} of repository `{}`: {reason}",
                    path.display(),
                    config.id
                );
                Failure::new(Kind::Configuration, text)
            };
            let bytes = std::fs::read(path).map_err(|e| fail(e.to_string()))?;
            let ring = Keyring::from_bytes(&bytes).map_err(|e| fail(e.to_string()))?;
            match &mut keyring {
                Some(all) => all.merge(ring),
                None => keyring = Some(ring),
            }
        }
        if keyring.is_none() && (config.metadata == Check::Required || config.packages == Check::Required) {
            let text = format!(
                "the repository `{}` is to be checked, but has no `gpgkey`",
                config.id
            );
            let hint = "name its key, or switch off gpgcheck and repo_gpgcheck if you trust the way to it";
            return Err(Failure::new(Kind::Configuration, text).hint(hint));
        }
        let address = config.base_urls.first().map(String::as_str).unwrap_or_default();
        let digest = hex::encode(Sha256::digest(address));
        let key = format!("{}-{}", config.id, digest.get(..16).unwrap_or(&digest));
        Ok(Self {
            source: Source::of(&config.base_urls),
            keyring,
            folder: cache.join(&key),
            seen: cache.join("trust").join(&key),
            config,
        })
    }

    /// Its keys.
    pub fn keyring(&self) -> Option<&Keyring> {
        self.keyring.as_ref()
    }

    /// Where it is fetched from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Where packages go that are fetched from it.
    pub fn package_folder(&self) -> PathBuf {
        self.folder.join("packages")
    }

    fn signatures(&self) -> Signatures<'_> {
        match (&self.keyring, self.config.metadata) {
            (Some(ring), Check::Required) => Signatures::Required(ring),
            _ => Signatures::Unchecked,
        }
    }

    fn rollback(&self) -> Result<Rollback> {
        let fail = |reason: String| {
            Failure::new(
                Kind::Trust,
                format!("failed to read {}: {reason}", self.seen.display()),
            )
            .hint("it protects against old metadata; remove it only if you know why it is damaged")
        };
        match std::fs::read_to_string(&self.seen) {
            Ok(text) => text
                .trim()
                .parse()
                .map(Rollback::NotOlderThan)
                .map_err(|_| fail(format!("`{}`", text.trim()))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Rollback::FirstContact),
            Err(e) => Err(fail(e.to_string())),
        }
    }

    fn remember(&self, freshness: u64) -> Result<()> {
        write(&self.seen, freshness.to_string().as_bytes())
    }

    /// All packages. Answers a note where old metadata had to do.
    pub fn packages(&self, refresh: Refresh) -> Result<(Vec<PackageRecord>, Option<String>)> {
        if let Some(folder) = self.source.folder() {
            let fetcher = FolderFetcher {
                root: folder.to_owned(),
            };
            let repository = self.verified(&fetcher)?;
            self.remember(repository.freshness())?;
            return Ok((repository.packages().map_err(|e| self.failure(e))?, None));
        }
        let note = self.refresh(refresh)?;
        let cached = Cached { repository: self };
        let read = || self.verified(&cached)?.packages().map_err(|e| self.failure(e));
        match read() {
            Ok(packages) => Ok((packages, note)),
            // A damaged cache is mended by fetching anew, once; what then does not fit is wrong at the source.
            Err(error) if error.is(Kind::Trust) && refresh != Refresh::Never => {
                self.clean_metadata()?;
                self.fetch_index()?;
                read().map(|packages| (packages, note))
            }
            Err(error) => Err(error),
        }
    }

    /// All paths of all packages; fetched when they are first needed.
    pub fn filelists(&self) -> Result<Vec<PackageFiles>> {
        let cached = Cached { repository: self };
        let folder = self.source.folder().map(|root| FolderFetcher {
            root: root.to_owned(),
        });
        let fetcher: &dyn Fetcher = match &folder {
            Some(folder) => folder,
            None => &cached,
        };
        self.verified(fetcher)?.filelists().map_err(|e| self.failure(e))
    }

    fn verified<'f>(&self, fetcher: &'f dyn Fetcher) -> Result<VerifiedRepository<'f>> {
        open_repository(fetcher, self.signatures(), self.rollback()?).map_err(|e| self.failure(e))
    }

    fn failure(&self, error: OpenError) -> Failure {
        Failure::from(error).prefixed(&format!("repository `{}`", self.config.id))
    }

    /// Brings the cached index up to date, if need be.
    fn refresh(&self, refresh: Refresh) -> Result<Option<String>> {
        let age = std::fs::metadata(self.folder.join(INDEX))
            .and_then(|meta| meta.modified())
            .ok();
        let age = age.map(|time| SystemTime::now().duration_since(time).unwrap_or(Duration::ZERO));
        match (refresh, age) {
            (Refresh::Never, None) => {
                let text = format!(
                    "there is no metadata of repository `{}` in the cache",
                    self.config.id
                );
                Err(Failure::new(Kind::Environment, text).hint("run `lz makecache` while there is a network"))
            }
            (Refresh::Never, Some(_)) => Ok(None),
            (Refresh::IfStale, Some(age)) if age <= self.config.expire => Ok(None),
            (Refresh::IfStale, Some(age)) => match self.fetch_index() {
                Ok(()) => Ok(None),
                Err(error) if error.is(Kind::Environment) => Ok(Some(format!(
                    "repository `{}` cannot be reached; its metadata is {} hours old",
                    self.config.id,
                    age.as_secs() / 3600
                ))),
                Err(error) => Err(error),
            },
            (Refresh::IfStale, None) | (Refresh::Always, _) => self.fetch_index().map(|()| None),
        }
    }

    /// Fetches the index and its signature, checks them, and only then keeps them.
    fn fetch_index(&self) -> Result<()> {
        let mut files = HashMap::new();
        let fail = |e: FetchError| self.failure(OpenError::Fetch(e));
        files.insert(
            INDEX,
            self.source
                .fetch(INDEX, lazuli_repodata::MAX_REPOMD_SIZE)
                .map_err(fail)?,
        );
        if self.config.metadata == Check::Required {
            files.insert(SIGNATURE, self.source.fetch(SIGNATURE, 1 << 20).map_err(fail)?);
        }
        let memory = Memory(files);
        let freshness = self.verified(&memory)?.freshness();
        // The signature first: an index without one would look damaged.
        for name in [SIGNATURE, INDEX] {
            if let Some(content) = memory.0.get(name) {
                write(&self.folder.join(name), content)?;
            }
        }
        self.remember(freshness)
    }

    /// Removes fetched metadata.
    pub fn clean_metadata(&self) -> Result<()> {
        remove_folder(&self.folder.join("repodata"))
    }

    /// Removes fetched packages.
    pub fn clean_packages(&self) -> Result<()> {
        remove_folder(&self.package_folder())
    }
}

fn remove_folder(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Failure::new(
            Kind::Environment,
            format!("failed to remove {}: {e}", path.display()),
        )),
        _ => Ok(()),
    }
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    lazuli_durable::write(path, content).map_err(|e| Failure::new(Kind::Environment, e))
}

/// Files in memory.
struct Memory(HashMap<&'static str, Vec<u8>>);

impl Fetcher for Memory {
    fn fetch(&self, location: &str, _limit: u64) -> Result<Vec<u8>, FetchError> {
        let missing = || FetchError {
            location: location.to_owned(),
            reason: "it was not fetched".to_owned(),
        };
        self.0.get(location).cloned().ok_or_else(missing)
    }
}

/// Metadata from the cache, or else from the source and into the cache. Whoever reads it checks it.
struct Cached<'r> {
    repository: &'r Repository,
}

impl Fetcher for Cached<'_> {
    fn fetch(&self, location: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let kept = FolderFetcher {
            root: self.repository.folder.clone(),
        };
        if self.repository.folder.join(location).exists() || location == INDEX || location == SIGNATURE {
            return kept.fetch(location, limit);
        }
        let content = self.repository.source.fetch(location, limit)?;
        let path = self.repository.folder.join(location);
        lazuli_durable::write(&path, &content).map_err(|e| FetchError {
            location: path.display().to_string(),
            reason: e.to_string(),
        })?;
        Ok(content)
    }
}
