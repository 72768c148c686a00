//! What can go wrong with a catalog.

use std::io;
use std::path::PathBuf;

use crate::diagnostic::Diagnostics;

/// What went wrong with a catalog.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no project.
    #[error("found no lazuli.toml or azldev.toml in {} or any folder above it", start.display())]
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// A file cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An include cannot be looked up.
    #[error("failed to look for `{include}`, which {} includes", file.display())]
    Include {
        /// The file with the include.
        file: PathBuf,
        /// The include.
        include: String,
        /// Why.
        source: io::Error,
    },
    /// The includes go on and on.
    #[error("the project includes more than {limit} files")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
    /// The configuration has errors.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
    /// There is no such thing in the catalog.
    #[error("there is no {kind} `{name}` in {}", root.display())]
    Unknown {
        /// What it is: "component".
        kind: &'static str,
        /// Its name.
        name: String,
        /// The closest name that there is.
        nearest: Option<String>,
        /// The root file.
        root: PathBuf,
    },
    /// The component exists, but in other versions of the distribution only.
    #[error("component `{name}` is not in version {version} of `{distro}`")]
    NotInVersion {
        /// The component.
        name: String,
        /// The distribution.
        distro: String,
        /// The version.
        version: String,
    },
    /// No distribution is named, and there is no default.
    #[error("{} names no default distribution", root.display())]
    NoDefaultDistro {
        /// The root file.
        root: PathBuf,
    },
    /// A distribution without a default version.
    #[error("distribution `{name}` has no default version")]
    NoDefaultVersion {
        /// The distribution.
        name: String,
    },
}

impl Error {
    /// What to do, as a line of its own after the message. Errors in files bring their own.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Error::NotFound { .. } => Some("go to a folder of a project, or make a lazuli.toml".to_owned()),
            Error::Unknown {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Error::NotInVersion { .. } => Some("its `versions` name those that it is in".to_owned()),
            Error::NoDefaultDistro { .. } => {
                Some("add `default-distro = { name = \"…\", version = \"…\" }` to [project]".to_owned())
            }
            Error::NoDefaultVersion { name } => {
                Some(format!("add `default-version = \"…\"` to [distros.{name}]"))
            }
            _ => None,
        }
    }
}
