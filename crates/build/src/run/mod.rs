//! One run of a build.

use crate::result::{Built, Failure};
use crate::{BuildError, BuildJob, Cancel, Observer, RootSource};
use lazuli_rpm::Signer;
use std::path::{Path, PathBuf};

/// When the sandbox stays after a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Never.
    #[default]
    Never,
    /// When the build failed.
    Failed,
    /// Always.
    Always,
}

/// How builds are done here; none of it changes what they give.
#[derive(Clone, Copy)]
pub struct BuildSettings<'a> {
    /// Folder for unfinished work.
    pub work: &'a Path,
    /// Folder whose new sub-folder `results` becomes; it must not exist yet, and be on one file system with `work`.
    pub results: &'a Path,
    /// When the sandbox stays.
    pub keep: Keep,
    /// Who signs packages; `None` leaves them unsigned.
    pub signer: Option<&'a dyn Signer>,
    /// Packages of the previous build of the component, for changed sonames.
    pub previous: &'a [PathBuf],
    /// Who builds, for the provenance: a URI.
    pub builder: &'a str,
}

/// Builds a component: buildroot, rpmbuild, checks, signatures, provenance. The caller is root of some namespace
/// (`lazuli_sandbox::enter`); it may have threads, and several builds may run at once.
///
/// That the component does not build is the inner error.
pub fn build(
    _job: &BuildJob,
    _roots: &dyn RootSource,
    _settings: &BuildSettings<'_>,
    _observer: &dyn Observer,
    _cancel: &Cancel,
) -> Result<Result<Built, Failure>, BuildError> {
    Err(BuildError::BadInput {
        what: "builder",
        value: "build".to_owned(),
        reason: "it is not written yet",
    })
}
