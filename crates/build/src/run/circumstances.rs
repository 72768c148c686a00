//! What surrounds a build and must not matter to it.

use crate::BuildJob;
use std::path::PathBuf;

/// The id of the build's user: the sandbox's.
const USER_ID: u32 = lazuli_sandbox::BUILD_ID;

/// What surrounds a build. Two builds that differ in nothing else give the same packages, or are not reproducible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// The host's name.
    pub(crate) host: String,
    /// The id of the build's user and group.
    pub(crate) id: u32,
    /// Processors.
    pub(crate) processors: u32,
    /// Mode bits that files do not get.
    pub(crate) umask: u32,
    /// Time zone, locale, and whatever else is in the environment.
    pub(crate) environment: Vec<(String, String)>,
    /// What the build writes is kept in memory, of so many bytes: folders are listed in another order there.
    pub(crate) in_memory: Option<u64>,
}

impl Circumstances {
    /// As every build has them.
    pub(crate) fn usual(job: &BuildJob) -> Self {
        Self {
            host: "localhost".to_owned(),
            id: USER_ID,
            processors: job.limits.processors.max(1),
            umask: 0o022,
            environment: Vec::new(),
            in_memory: None,
        }
    }
}

/// The folders of one run of rpmbuild, all below the work folder.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    /// The layer of inputs.
    pub(super) inputs: PathBuf,
    /// Where `upper` and `work` of the overlay are.
    pub(super) written: PathBuf,
    /// Where it is mounted.
    pub(super) merged: PathBuf,
}
