//! All sources behind one door.

use std::path::Path;

use crate::checkout::{Checkout, CommitRecord, FileVersion, FullCommit};
use crate::error::SourceError;
use crate::name::TreePath;
use crate::progress::OnProgress;
use crate::request::{
    CommitChoice, CrateRequest, CrateSource, DebianRequest, DebianSource, DistGit, Fetched, FileRequest,
    LookasideRequest, Request, ResolvedCommit, StoredFile,
};
use crate::settings::Settings;

/// All sources, with one cache. Shared between threads; the cache is shared between processes.
#[derive(Debug)]
pub struct Sources {
    settings: Settings,
}

impl Sources {
    /// Prepares the cache folder.
    pub fn open(settings: Settings) -> Result<Self, SourceError> {
        Ok(Self { settings })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Finds the commit that is meant. The network is asked only for what the cache cannot know: see [`CommitChoice`].
    pub fn resolve_commit(
        &self,
        repository: &DistGit,
        choice: &CommitChoice,
        progress: OnProgress<'_>,
    ) -> Result<ResolvedCommit, SourceError> {
        let _ = (repository, choice, progress);
        Err(unfinished(&self.settings.cache))
    }

    /// The files of a commit. What is in the cache needs no network.
    pub fn checkout(
        &self,
        repository: &DistGit,
        commit: &FullCommit,
        progress: OnProgress<'_>,
    ) -> Result<Checkout, SourceError> {
        let _ = (repository, commit, progress);
        Err(unfinished(&self.settings.cache))
    }

    /// The commits from `commit` back along first parents, the newest first.
    pub fn history(
        &self,
        repository: &DistGit,
        commit: &FullCommit,
        progress: OnProgress<'_>,
    ) -> Result<Vec<CommitRecord>, SourceError> {
        let _ = (repository, commit, progress);
        Err(unfinished(&self.settings.cache))
    }

    /// What each commit of the history that touched a file made of it, the newest first.
    pub fn file_versions(
        &self,
        repository: &DistGit,
        commit: &FullCommit,
        path: &TreePath,
        progress: OnProgress<'_>,
    ) -> Result<Vec<FileVersion>, SourceError> {
        let _ = (repository, commit, path, progress);
        Err(unfinished(&self.settings.cache))
    }

    /// A file by its digest: from the store, or else from the first address that has it.
    pub fn file(&self, request: &FileRequest, progress: OnProgress<'_>) -> Result<StoredFile, SourceError> {
        let _ = (request, progress);
        Err(unfinished(&self.settings.cache))
    }

    /// A file of a lookaside cache.
    pub fn lookaside(
        &self,
        request: &LookasideRequest,
        progress: OnProgress<'_>,
    ) -> Result<StoredFile, SourceError> {
        let _ = (request, progress);
        Err(unfinished(&self.settings.cache))
    }

    /// A Debian source package.
    pub fn debian(
        &self,
        request: &DebianRequest,
        progress: OnProgress<'_>,
    ) -> Result<DebianSource, SourceError> {
        let _ = (request, progress);
        Err(unfinished(&self.settings.cache))
    }

    /// Crates with their dependencies.
    pub fn crates(
        &self,
        request: &CrateRequest,
        progress: OnProgress<'_>,
    ) -> Result<CrateSource, SourceError> {
        let _ = (request, progress);
        Err(unfinished(&self.settings.cache))
    }

    /// Works on many requests in parallel; the results are in the order of the requests.
    pub fn fetch_all(
        &self,
        requests: &[Request],
        progress: OnProgress<'_>,
    ) -> Vec<Result<Fetched, SourceError>> {
        let _ = progress;
        requests
            .iter()
            .map(|_| Err(unfinished(&self.settings.cache)))
            .collect()
    }
}

fn unfinished(path: &Path) -> SourceError {
    SourceError::io("use", path)(std::io::ErrorKind::Unsupported.into())
}
