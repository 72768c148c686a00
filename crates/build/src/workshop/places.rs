//! Folders.

use super::error::WorkshopError;
use crate::Digest;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Where things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Of one version of the distribution and one architecture.
    pub folder: PathBuf,
    /// Logs of the last builds.
    pub logs: PathBuf,
    /// Resolved buildroots: shared by all projects.
    pub resolutions: PathBuf,
}

impl Places {
    /// Builds that are going on, and kept sandboxes.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// The results of a component.
    #[must_use]
    pub fn results(&self, component: &str) -> PathBuf {
        self.folder.join("results").join(component)
    }

    /// The result of one build, by the key that is known before it.
    #[must_use]
    pub fn result(&self, component: &str, key: &Digest) -> PathBuf {
        self.results(component).join(key.short())
    }

    /// What is known of a component.
    #[must_use]
    pub fn record(&self, component: &str) -> PathBuf {
        self.folder.join("records").join(format!("{component}.json"))
    }

    /// Holds the folder for one process, as long as what is given back lives.
    pub(super) fn hold(&self) -> Result<File, WorkshopError> {
        std::fs::create_dir_all(&self.folder).map_err(WorkshopError::io("make folder", &self.folder))?;
        let folder = File::open(&self.folder).map_err(WorkshopError::io("open folder", &self.folder))?;
        match folder.try_lock() {
            Ok(()) => Ok(folder),
            Err(std::fs::TryLockError::WouldBlock) => Err(WorkshopError::Busy {
                folder: self.folder.clone(),
            }),
            Err(std::fs::TryLockError::Error(source)) => {
                Err(WorkshopError::io("lock folder", &self.folder)(source))
            }
        }
    }
}

/// Removes a folder that may not be there.
pub(super) fn remove_folder(path: &Path) -> Result<(), WorkshopError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(WorkshopError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
