//! What goes wrong in the builder itself; that a package does not build is a [`crate::Failure`].

use crate::buildroot::ResolveError;
use lazuli_rpm::PackageError;
use lazuli_sandbox::SandboxError;
use lazuli_transaction::TransactionError;
use std::path::{Path, PathBuf};

/// Why the builder could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting or an input is wrong.
    #[error("the {what} `{value}` is not usable: {reason}")]
    BadInput {
        /// What it is.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An input is not what it should be.
    #[error("the input {name} has SHA-256 {found}, but {expected} is expected")]
    WrongDigest {
        /// Its name.
        name: String,
        /// As it should be.
        expected: crate::Digest,
        /// As it is.
        found: crate::Digest,
    },
    /// Files or folders of the builder.
    #[error("failed while {doing} {path}: {source}")]
    Io {
        /// What was done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The packages of a buildroot cannot be found.
    #[error("{0}")]
    Resolve(#[from] ResolveError),
    /// A buildroot could not be made.
    #[error("failed to make the buildroot layer {layer}: {source}")]
    Transaction {
        /// Which layer.
        layer: String,
        /// Why.
        source: Box<TransactionError>,
    },
    /// The sandbox could not be set up.
    #[error("failed to run {program} in the sandbox: {source}")]
    Sandbox {
        /// What was to run.
        program: String,
        /// Why it did not.
        source: Box<SandboxError>,
    },
    /// A package could not be read.
    #[error("failed to read package {path}: {source}")]
    Package {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<PackageError>,
    },
    /// A package could not be signed.
    #[error("failed to sign {package}: {source}")]
    Sign {
        /// Which.
        package: String,
        /// Why.
        source: Box<lazuli_rpm::BuildError>,
    },
    /// A file of the cache is damaged.
    #[error("{path} cannot be read as {what}: {reason}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why not.
        reason: String,
    },
}

impl BuildError {
    pub(crate) fn io(doing: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io {
            doing,
            path: path.as_ref().to_owned(),
            source,
        }
    }

    /// What to do next, where there is something to say.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Resolve(error) => error.help(),
            Self::WrongDigest { name, .. } => Some(format!(
                "fetch {name} again, or record its new digest in the lock"
            )),
            _ => None,
        }
    }
}

/// Turns an I/O error into ours, with the words of what was done.
pub(crate) trait IoContext<T> {
    fn doing(self, doing: &'static str, path: impl AsRef<Path>) -> Result<T, BuildError>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn doing(self, doing: &'static str, path: impl AsRef<Path>) -> Result<T, BuildError> {
        self.map_err(|source| BuildError::io(doing, path, source))
    }
}
