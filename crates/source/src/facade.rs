//! All sources behind one door.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::checkout::{Checkout, CommitRecord, FileVersion, FullCommit};
use crate::crates;
use crate::debian;
use crate::digest::Digest;
use crate::error::SourceError;
use crate::git::Repositories;
use crate::http::Downloader;
use crate::lookaside;
use crate::name::TreePath;
use crate::progress::OnProgress;
use crate::request::{
    CommitChoice, CrateRequest, CrateSource, DebianFileRequest, DebianRequest, DebianSource, DistGit,
    Fetched, FileRequest, LookasideRequest, NamedFile, Request, ResolvedCommit, StoredFile,
};
use crate::settings::{Settings, WeakDigests};
use crate::store::Store;
use crate::template::UrlTemplate;

/// The most requests that are worked on at once, whatever the settings say.
const MAX_PARALLEL: usize = 64;

/// All sources, with one cache. Shared between threads; the cache is shared between processes.
#[derive(Debug)]
pub struct Sources {
    settings: Settings,
    store: Store,
    downloader: Downloader,
    repositories: Repositories,
}

impl Sources {
    /// Prepares the cache folder. Nothing is fetched.
    pub fn open(settings: Settings) -> Result<Self, SourceError> {
        let cache = settings.cache.join("sources");
        let clock = settings.clock.clone();
        Ok(Self {
            store: Store::open(&cache)?,
            downloader: Downloader::new(settings.http.clone(), clock.clone())?,
            repositories: Repositories::new(
                &cache.join("git"),
                settings.git.clone(),
                settings.network,
                clock,
            )?,
            settings,
        })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store that files come into.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Finds the commit that is meant. The network is asked only for what the cache cannot know: see [`CommitChoice`].
    pub fn resolve_commit(
        &self,
        repository: &DistGit,
        choice: &CommitChoice,
        progress: OnProgress<'_>,
    ) -> Result<ResolvedCommit, SourceError> {
        self.repositories.resolve(repository, choice, progress)
    }

    /// The files of a commit. What is in the cache needs no network.
    pub fn checkout(
        &self,
        repository: &DistGit,
        commit: &FullCommit,
        progress: OnProgress<'_>,
    ) -> Result<Checkout, SourceError> {
        self.repositories.checkout(repository, commit, progress)
    }

    /// The commits from `commit` back, the newest first, as one line: where a commit has several parents, the one that has
    /// the same content of the file `followed` (the spec) goes on, or else the first.
    pub fn history(
        &self,
        repository: &DistGit,
        commit: &FullCommit,
        followed: &TreePath,
        progress: OnProgress<'_>,
    ) -> Result<Vec<CommitRecord>, SourceError> {
        self.repositories.history(repository, commit, followed, progress)
    }

    /// What each commit of the line that follows a file made of a file that it touched, the newest first.
    pub fn file_versions(
        &self,
        repository: &DistGit,
        commit: &FullCommit,
        (followed, path): (&TreePath, &TreePath),
        progress: OnProgress<'_>,
    ) -> Result<Vec<FileVersion>, SourceError> {
        self.repositories
            .file_versions(repository, commit, (followed, path), progress)
    }

    /// A file by its digest: from the store, or else from the first address that has it.
    pub fn file(&self, request: &FileRequest, progress: OnProgress<'_>) -> Result<StoredFile, SourceError> {
        if self.settings.weak_digests == WeakDigests::Refuse && request.digest.algorithm().is_weak() {
            return Err(SourceError::WeakDigest {
                file: request.name.to_string(),
                digest: request.digest.clone(),
            });
        }
        self.downloader
            .fetch(&self.store, request, self.settings.network, progress)
    }

    /// A file of a lookaside cache.
    pub fn lookaside(
        &self,
        request: &LookasideRequest,
        progress: OnProgress<'_>,
    ) -> Result<StoredFile, SourceError> {
        self.file(&lookaside::request(request)?, progress)
    }

    /// The content of a stored file, hashed once more. An error if it was damaged meanwhile.
    pub fn read(&self, file: &StoredFile) -> Result<Vec<u8>, SourceError> {
        let content = self.store.read(&(&file.sha256).into(), file.size)?;
        content.ok_or_else(|| {
            let damage =
                std::io::Error::new(std::io::ErrorKind::InvalidData, "it was damaged, and is removed");
            SourceError::io("read", &file.path)(damage)
        })
    }

    /// A Debian source package.
    pub fn debian(
        &self,
        request: &DebianRequest,
        progress: OnProgress<'_>,
    ) -> Result<DebianSource, SourceError> {
        debian::fetch(&self.store, request, self.settings.network, progress)
    }

    /// One tarball of a Debian source package, by its digest, or if that is not known by what the signed list says.
    pub fn debian_file(
        &self,
        request: &DebianFileRequest,
        progress: OnProgress<'_>,
    ) -> Result<StoredFile, SourceError> {
        debian::fetch_file(&self.store, request, self.settings.network, progress)
    }

    /// A file that is in the store already, hashed once more.
    pub fn stored(&self, digest: &Digest) -> Result<Option<StoredFile>, SourceError> {
        self.store.find(digest)
    }

    /// Crates with their dependencies.
    pub fn crates(
        &self,
        request: &CrateRequest,
        progress: OnProgress<'_>,
    ) -> Result<CrateSource, SourceError> {
        crates::fetch(&self.store, &self.settings, request, progress)
    }

    /// Works on many requests in parallel; the results are in the order of the requests.
    pub fn fetch_all(
        &self,
        requests: &[Request],
        progress: OnProgress<'_>,
    ) -> Vec<Result<Fetched, SourceError>> {
        self.in_parallel(requests, |request| self.fetch(request, progress))
    }

    fn fetch(&self, request: &Request, progress: OnProgress<'_>) -> Result<Fetched, SourceError> {
        match request {
            Request::File(request) => {
                let (name, file) = (request.name.clone(), self.file(request, progress)?);
                Ok(Fetched::File(NamedFile { name, file }))
            }
            Request::Lookaside(request) => {
                let (name, file) = (request.entry.name.clone(), self.lookaside(request, progress)?);
                Ok(Fetched::File(NamedFile { name, file }))
            }
            Request::Checkout { repository, commit } => {
                let commit = self.resolve_commit(repository, commit, progress)?.commit;
                let checkout = self.checkout(repository, &commit, progress)?;
                let sources = Vec::new();
                Ok(Fetched::Checkout { checkout, sources })
            }
            Request::DistGit {
                repository,
                commit,
                lookaside,
            } => {
                let commit = self.resolve_commit(repository, commit, progress)?.commit;
                let checkout = self.checkout(repository, &commit, progress)?;
                let sources = self.sources_of(repository, &checkout, lookaside, progress)?;
                Ok(Fetched::Checkout { checkout, sources })
            }
            Request::Debian(request) => Ok(Fetched::Debian(self.debian(request, progress)?)),
            Request::Crate(request) => Ok(Fetched::Crate(self.crates(request, progress)?)),
        }
    }

    /// What the file `sources` of a commit names, in its order, from a lookaside cache.
    pub fn sources_of(
        &self,
        repository: &DistGit,
        checkout: &Checkout,
        templates: &[UrlTemplate],
        progress: OnProgress<'_>,
    ) -> Result<Vec<NamedFile>, SourceError> {
        let entries = checkout.sources().map_err(|source| SourceError::SourcesFile {
            repository: repository.package.clone(),
            commit: checkout.commit.clone(),
            source,
        })?;
        let fetched = self.in_parallel(&entries, |entry| {
            let request = LookasideRequest {
                templates: templates.to_vec(),
                package: repository.package.clone(),
                entry: entry.clone(),
            };
            let (name, file) = (entry.name.clone(), self.lookaside(&request, progress)?);
            Ok(NamedFile { name, file })
        });
        fetched.into_iter().collect()
    }

    /// Works on items by several threads; the results are in the order of the items.
    fn in_parallel<I: Sync, T: Send>(
        &self,
        items: &[I],
        work: impl Fn(&I) -> Result<T, SourceError> + Sync,
    ) -> Vec<Result<T, SourceError>> {
        let threads = self.settings.parallel.clamp(1, MAX_PARALLEL).min(items.len());
        if threads <= 1 {
            return items.iter().map(work).collect();
        }
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(items.len()));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some((number, item)) = {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        items.get(number).map(|item| (number, item))
                    } {
                        let result = work(item);
                        done.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push((number, result));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, result)| result).collect()
    }
}
