//! What goes wrong around builds.

use crate::BuildError;
use lazuli_cache::CacheError;
use std::path::PathBuf;

/// Why components can't be built here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkshopError {
    /// Another process builds there.
    #[error("another process is building in {}", .folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// A file or folder.
    #[error("failed to {action} {}", .path.display())]
    Io {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The imported packages can't be read.
    #[error("failed to read the packages of {}: {reason}", .folder.display())]
    Imported {
        /// The repository.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// The builder.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl WorkshopError {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// What to do next, where there is something to say.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Busy { .. } => Some("wait until it is done".to_owned()),
            Self::Imported { .. } => Some("run `lazuli import --buildroot`".to_owned()),
            Self::Build(error) => error.help(),
            Self::Io { .. } | Self::Cache(_) => None,
        }
    }
}
