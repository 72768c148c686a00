//! dist-git: commits, trees and histories of repositories, over bare partial clones in the cache.
//!
//! ```text
//!  choice ──▶ commit ──▶ which contents of its tree are missing ──▶ files
//!   │ pinned: in the clone? else the branch, all branches, the commit by its id
//!   │ snapshot: the branch, unless it was fetched after that time
//!   └ HEAD: the branch, unless the cached one is good enough
//! ```
//!
//! A clone has all commits and trees of the branches that were asked for, and only those contents of files that were
//! asked for (`--filter=blob:none`; a server that cannot do so sends all). git itself checks the hash of each object that
//! comes (`transfer.fsckObjects`), and the content of each file is hashed again when it is read. A damaged clone is
//! removed and made anew, once.

mod command;
mod line;
mod read;
mod repository;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::checkout::{Checkout, CommitRecord, FileVersion, FullCommit};
use crate::clock::Clock;
use crate::error::SourceError;
use crate::lock::Lock;
use crate::name::TreePath;
use crate::progress::{OnProgress, Origin, Progress};
use crate::request::{CommitChoice, DistGit, ResolvedCommit};
use crate::settings::{GitSettings, Network};
use crate::template::Variable;
use command::Git;
use lazuli_upstream::Freshness;
use read::ReadError;
use repository::{Repository, Wanted, is_damage};

/// Clones of repositories.
#[derive(Debug)]
pub(crate) struct Repositories {
    folder: PathBuf,
    git: Git,
    network: Network,
}

impl Repositories {
    pub(crate) fn new(
        folder: &Path,
        settings: GitSettings,
        network: Network,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SourceError> {
        let folder = std::path::absolute(folder).map_err(SourceError::io("find", folder))?;
        std::fs::create_dir_all(&folder).map_err(SourceError::io("make the folder", &folder))?;
        Ok(Self {
            folder,
            git: Git { settings, clock },
            network,
        })
    }

    /// Finds the commit that is meant.
    pub(crate) fn resolve(
        &self,
        source: &DistGit,
        choice: &CommitChoice,
        progress: OnProgress<'_>,
    ) -> Result<ResolvedCommit, SourceError> {
        let repository = self.repository(source)?;
        let branch = source.branch.as_deref();
        let commit = match choice {
            CommitChoice::Pinned(id) => self.pinned(&repository, branch, id.as_str(), progress)?,
            CommitChoice::Before(time) => {
                let until = time.unix();
                let known = |repository: &Repository<'_>| {
                    repository.fetched(branch).is_some_and(|fetched| fetched >= until)
                };
                self.branch(&repository, branch, &known, progress)?;
                let reference = Repository::reference(branch);
                let found = repository.last_commit(&reference, Some(until))?;
                found.ok_or_else(|| SourceError::NoCommitBefore {
                    repository: repository.name.clone(),
                    branch: branch.unwrap_or("HEAD").to_owned(),
                    time: time.to_string(),
                })?
            }
            CommitChoice::Head(freshness) => {
                let known = |repository: &Repository<'_>| {
                    *freshness == Freshness::Cached && repository.fetched(branch).is_some()
                };
                self.branch(&repository, branch, &known, progress)?;
                let found = repository.last_commit(&Repository::reference(branch), None)?;
                found.ok_or_else(|| SourceError::NoBranch {
                    repository: repository.name.clone(),
                    branch: branch.unwrap_or("HEAD").to_owned(),
                })?
            }
        };
        let commit_time = self.reading(&repository, branch, &commit, progress, |repository| {
            repository.commit_time(&commit)
        })?;
        Ok(ResolvedCommit { commit, commit_time })
    }

    /// The files of a commit.
    pub(crate) fn checkout(
        &self,
        source: &DistGit,
        commit: &FullCommit,
        progress: OnProgress<'_>,
    ) -> Result<Checkout, SourceError> {
        let repository = self.repository(source)?;
        let branch = source.branch.as_deref();
        let mut origin = Origin::Cache;
        let mut complete = |repository: &Repository<'_>| -> Result<(), ReadError> {
            let missing = repository.missing(commit)?;
            if missing.is_empty() {
                return Ok(());
            }
            origin = Origin::Network;
            let lock = self.network_lock(repository, || format!("{} at {commit}", repository.name))?;
            let missing = repository.missing(commit)?;
            if !missing.is_empty() {
                repository.fetch(&lock, &Wanted::Objects(&missing), progress)?;
            }
            Ok(())
        };
        let checkout = self.reading(&repository, branch, commit, progress, |repository| {
            complete(repository)?;
            repository.checkout(commit)
        })?;
        progress(&Progress::Finished {
            what: repository.name.clone(),
            from: origin,
        });
        Ok(checkout)
    }

    /// The commits from `commit` back, as a line that follows a file.
    pub(crate) fn history(
        &self,
        source: &DistGit,
        commit: &FullCommit,
        followed: &TreePath,
        progress: OnProgress<'_>,
    ) -> Result<Vec<CommitRecord>, SourceError> {
        let repository = self.repository(source)?;
        let branch = source.branch.as_deref();
        self.reading(&repository, branch, commit, progress, |repository| {
            repository.history(commit, followed)
        })
    }

    /// What each commit of that line made of a file.
    pub(crate) fn file_versions(
        &self,
        source: &DistGit,
        commit: &FullCommit,
        (followed, path): (&TreePath, &TreePath),
        progress: OnProgress<'_>,
    ) -> Result<Vec<FileVersion>, SourceError> {
        let repository = self.repository(source)?;
        let branch = source.branch.as_deref();
        self.reading(&repository, branch, commit, progress, |repository| {
            let touching = repository.touching(commit, followed, path)?;
            let ids: Vec<String> = touching.iter().filter_map(|(_, id)| id.clone()).collect();
            let lacking = repository.lacking(&ids)?;
            if !lacking.is_empty() {
                let lock = self.network_lock(repository, || {
                    format!("the history of {path} in {}", repository.name)
                })?;
                repository.fetch(&lock, &Wanted::Objects(&lacking), progress)?;
            }
            repository.versions(commit, touching)
        })
    }

    fn repository(&self, source: &DistGit) -> Result<Repository<'_>, SourceError> {
        let uri = source.template.expand(|variable| match variable {
            Variable::Package => source.package.clone(),
            // The template was made with the package as its only variable, or else these are no part of an address.
            _ => String::new(),
        });
        Repository::new(&self.git, &self.folder, &uri)
    }

    /// Reads something of a commit, which is fetched if it is not there. If the clone is damaged, it is made anew, once.
    fn reading<T>(
        &self,
        repository: &Repository<'_>,
        branch: Option<&str>,
        commit: &FullCommit,
        progress: OnProgress<'_>,
        mut read: impl FnMut(&Repository<'_>) -> Result<T, ReadError>,
    ) -> Result<T, SourceError> {
        let there = self.pinned(repository, branch, commit.as_str(), progress);
        let damage = match there.map_err(ReadError::Refused).and_then(|_| read(repository)) {
            Ok(value) => return Ok(value),
            Err(ReadError::Refused(error)) if is_damage(&error) => error.to_string(),
            Err(ReadError::Refused(error)) => return Err(error),
            Err(ReadError::Damaged(message)) => message,
        };
        if self.network == Network::Off {
            return Err(repository.error("read", damage));
        }
        progress(&Progress::Retrying {
            what: repository.name.clone(),
            reason: format!("its clone is damaged, and is made anew: {damage}"),
            pause: std::time::Duration::ZERO,
        });
        repository.discard()?;
        self.pinned(repository, branch, commit.as_str(), progress)?;
        match read(repository) {
            Ok(value) => Ok(value),
            Err(ReadError::Refused(error)) => Err(error),
            Err(ReadError::Damaged(message)) => Err(repository.error("read", message)),
        }
    }

    /// Finds a commit by its id, in the clone or wherever the server has it.
    fn pinned(
        &self,
        repository: &Repository<'_>,
        branch: Option<&str>,
        id: &str,
        progress: OnProgress<'_>,
    ) -> Result<FullCommit, SourceError> {
        if let Some(found) = repository.find_commit(id)? {
            return Ok(found);
        }
        let lock = self.network_lock(repository, || format!("the commit {id} of {}", repository.name))?;
        if let Some(found) = repository.find_commit(id)? {
            return Ok(found);
        }
        let whole = FullCommit::new(id).ok();
        let mut wanted = vec![Wanted::Branch(branch), Wanted::Everything];
        wanted.extend(whole.as_ref().map(Wanted::Commit));
        let mut refusal = None;
        for wanted in wanted {
            match repository.fetch(&lock, &wanted, progress) {
                Ok(()) => {}
                // A branch that is gone need not matter, nor a server that gives no single commits.
                Err(error @ SourceError::NoBranch { .. }) => refusal = Some(error),
                Err(_) if matches!(wanted, Wanted::Commit(_)) => {}
                Err(error) => return Err(error),
            }
            if let Some(found) = repository.find_commit(id)? {
                return Ok(found);
            }
        }
        Err(refusal.unwrap_or_else(|| SourceError::NoCommit {
            repository: repository.name.clone(),
            commit: id.to_owned(),
        }))
    }

    /// Fetches a branch, unless what the clone has is good enough.
    fn branch(
        &self,
        repository: &Repository<'_>,
        branch: Option<&str>,
        known: &dyn Fn(&Repository<'_>) -> bool,
        progress: OnProgress<'_>,
    ) -> Result<(), SourceError> {
        if known(repository) {
            return Ok(());
        }
        let lock = self.network_lock(repository, || {
            format!(
                "the newest state of {} of {}",
                branch.unwrap_or("HEAD"),
                repository.name
            )
        })?;
        match known(repository) {
            true => Ok(()),
            false => repository.fetch(&lock, &Wanted::Branch(branch), progress),
        }
    }

    /// The lock for a fetch, if the network may be used at all.
    fn network_lock(
        &self,
        repository: &Repository<'_>,
        what: impl Fn() -> String,
    ) -> Result<Lock, SourceError> {
        match self.network {
            Network::Allowed => repository.lock(),
            Network::Off => Err(SourceError::Offline { what: what() }),
        }
    }
}
