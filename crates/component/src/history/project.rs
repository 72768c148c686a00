//! Changes that nobody recorded: read from the project's git history, as azldev counts them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::{RecordError, RecordedChange};
use crate::git::{CommitInfo, GitError, GitRepository, Objects};

/// The history of a project can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file of changes.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// The commits that changed locks, of all components: one walk through the history, however many components there are.
#[derive(Debug)]
pub struct ProjectHistory {
    repository: GitRepository,
    objects: Objects,
    /// For each component the states of its lock, the oldest first.
    locks: BTreeMap<String, Vec<LockState>>,
}

#[derive(Debug)]
struct LockState {
    commit: Arc<CommitInfo>,
    blob: Option<String>,
}

/// A change that a commit made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedChange {
    /// The project's commit.
    pub commit: String,
    /// The change; without its version, which is in the spec.
    pub change: RecordedChange,
}

/// What is read of a lock as it once was. Its other keys may be those of any version of any tool.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct OldLock {
    upstream_commit: Option<String>,
    input_fingerprint: String,
}

impl ProjectHistory {
    /// Walks the history that leads to a revision, for locks in `lock_dir`.
    ///
    /// # Errors
    /// Git can't answer.
    pub fn read(
        repository: &GitRepository,
        revision: &str,
        lock_dir: &Path,
    ) -> Result<ProjectHistory, HistoryError> {
        let mut locks: BTreeMap<String, Vec<LockState>> = BTreeMap::new();
        for change in repository.changes_below(revision, lock_dir)? {
            if let Some(name) = change
                .path
                .strip_suffix(".lock")
                .filter(|name| !name.contains('/'))
            {
                locks.entry(name.to_owned()).or_default().push(LockState {
                    commit: change.commit,
                    blob: change.blob,
                });
            }
        }
        locks.values_mut().for_each(|states| states.reverse());
        Ok(ProjectHistory {
            repository: repository.clone(),
            objects: repository.objects()?,
            locks,
        })
    }

    /// The commits that changed the fingerprint of a component, the oldest first; the one that brought its first lock is
    /// the first. A lock that was removed for a while and came back the same is no change.
    ///
    /// # Errors
    /// An object can't be read.
    pub fn changes(&self, component: &str) -> Result<Vec<CommittedChange>, HistoryError> {
        let mut changes = Vec::new();
        let mut fingerprint = String::new();
        for state in self.locks.get(component).into_iter().flatten() {
            let Some(blob) = &state.blob else { continue };
            let content = self.objects.read(blob)?.unwrap_or_default();
            // A lock that was once committed with a conflict in it is no reason to fail today.
            let lock: OldLock = toml::from_str(&String::from_utf8_lossy(&content)).unwrap_or_default();
            if lock.input_fingerprint.is_empty() || lock.input_fingerprint == fingerprint {
                continue;
            }
            fingerprint.clone_from(&lock.input_fingerprint);
            changes.push(CommittedChange {
                commit: state.commit.id.clone(),
                change: RecordedChange {
                    time: state.commit.time,
                    author: state.commit.author.clone(),
                    text: state.commit.message.clone(),
                    fingerprint: lock.input_fingerprint,
                    upstream_commit: lock.upstream_commit.filter(|commit| !commit.is_empty()),
                    version: None,
                },
            });
        }
        Ok(changes)
    }

    /// A file of the project as it was at a commit; nothing if it was not there.
    ///
    /// # Errors
    /// Git can't answer.
    pub fn file_at(&self, commit: &str, path: &Path) -> Result<Option<Vec<u8>>, HistoryError> {
        let Some(path) = self.repository.tree_path(path) else {
            return Ok(None);
        };
        Ok(self.objects.read(&format!("{commit}:{path}"))?)
    }
}
