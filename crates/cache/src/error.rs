//! What can go wrong.

use crate::{CacheKey, InvalidName};
use lazuli_catalog::Sha256Digest;
use std::io;
use std::path::PathBuf;

/// Why the cache cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A file of the local folder, or of the caller.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// An object is neither here nor in the remote.
    #[error("object {sha256} ({name}) is not in the cache")]
    Missing {
        /// What it is called.
        name: String,
        /// Its digest.
        sha256: Sha256Digest,
    },
    /// Bytes are not what their digest says; none of them was used.
    #[error("{place} gave wrong bytes for object {expected} ({name}): {found}")]
    Digest {
        /// Where they came from.
        place: String,
        /// What the object is called.
        name: String,
        /// What they should be.
        expected: Sha256Digest,
        /// What they are: a digest, or a size.
        found: String,
    },
    /// An entry is not what it should be; nothing of it was used.
    #[error("{place} gave an entry for build {key} that is refused: {reason}")]
    Entry {
        /// Where it came from.
        place: String,
        /// The key that was asked for.
        key: CacheKey,
        /// What is wrong with it.
        reason: String,
    },
    /// A new entry cannot be written down.
    #[error("failed to put build {key} into the cache: {reason}")]
    Unfit {
        /// The key.
        key: CacheKey,
        /// What is wrong.
        reason: String,
    },
    /// The address of a remote makes no sense.
    #[error("failed to use `{url}` as a build cache: {reason}")]
    Remote {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The remote did not answer, or not with what was asked for.
    #[error("failed to {action} the build cache {place}: {reason}")]
    Transfer {
        /// What was being done.
        action: &'static str,
        /// The remote.
        place: String,
        /// What it said.
        reason: String,
    },
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl CacheError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Whether the build should go on as if the entry were not there: the cache is well, but cannot give this.
    #[must_use]
    pub fn is_miss(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Digest { .. } | Self::Entry { .. } | Self::Transfer { .. } => true,
            Self::Io { .. } | Self::Unfit { .. } | Self::Remote { .. } | Self::Name(_) => false,
        }
    }
}
