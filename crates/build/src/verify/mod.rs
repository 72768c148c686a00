//! Whether a build is reproducible: it is done again under varied circumstances, and the packages are compared.

use crate::{BuildError, BuildJob, BuildSettings, Built, Cancel, Failure, Observer, RootSource};
use std::path::PathBuf;

/// Where two builds differ.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Difference {
    /// Only one of the builds gave this package.
    OnlyIn {
        /// The package file's name.
        package: String,
        /// Which build: `first` or `second`.
        build: String,
    },
    /// A value of the package's header differs.
    Header {
        /// The package file's name.
        package: String,
        /// What differs: a tag's name.
        tag: String,
        /// In the first build.
        first: String,
        /// In the second build.
        second: String,
    },
    /// A file is in one of the builds only.
    FileOnlyIn {
        /// The package file's name.
        package: String,
        /// The file's path.
        path: String,
        /// Which build: `first` or `second`.
        build: String,
    },
    /// A file differs.
    File {
        /// The package file's name.
        package: String,
        /// The file's path.
        path: String,
        /// What differs: `mode`, `owner`, `time`, `link`, `content at offset 123`, or sections of an ELF file.
        what: Vec<String>,
    },
    /// The files of the packages differ though all that is in them is the same: compression, order.
    Bytes {
        /// The package file's name.
        package: String,
    },
}

/// What became of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// What was varied, each in words.
    pub varied: Vec<String>,
    /// Where the builds differ; empty where the component is reproducible.
    pub differences: Vec<Difference>,
    /// The second build.
    pub second: Built,
}

/// Builds again with all varied that may not matter, and compares with the packages of the first build. The results of
/// the second build stay in `settings.results`.
pub fn verify(
    _job: &BuildJob,
    _first: &[PathBuf],
    _roots: &dyn RootSource,
    _settings: &BuildSettings<'_>,
    _observer: &dyn Observer,
    _cancel: &Cancel,
) -> Result<Result<Verification, Failure>, BuildError> {
    Err(BuildError::BadInput {
        what: "builder",
        value: "verify".to_owned(),
        reason: "it is not written yet",
    })
}

/// Compares the packages of two builds.
pub fn compare(_first: &[PathBuf], _second: &[PathBuf]) -> Result<Vec<Difference>, BuildError> {
    Ok(Vec::new())
}
