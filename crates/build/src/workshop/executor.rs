//! Where builds run.

use crate::run::{BuildSettings, Keep, build};
use crate::{BuildError, BuildJob, BuildKey, Built, Cancel, Failure, Observer, RootSource};
use lazuli_rpm::Signer;
use std::path::{Path, PathBuf};

/// A build that is to run now.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// What is built.
    pub job: &'a BuildJob,
    /// What it depends on: the same key gives the same packages, wherever it runs.
    pub key: &'a BuildKey,
    /// Gives its buildroot.
    pub roots: &'a dyn RootSource,
    /// Where its results go.
    pub results: &'a Path,
    /// Packages of the previous build.
    pub previous: &'a [PathBuf],
    /// When its sandbox stays.
    pub keep: Keep,
}

/// Runs builds somewhere: on this machine, or on others.
///
/// Each call comes on a thread of its own, which waits for the end: an executor for other machines starts the build there,
/// passes on what it hears of it, and puts its results where they belong.
pub trait Executor: Sync {
    /// Runs a build to its end. That the component does not build is the inner error.
    fn execute(
        &self,
        work: &Work<'_>,
        observer: &dyn Observer,
        cancel: &Cancel,
    ) -> Result<Result<Built, Failure>, BuildError>;
}

/// Builds on this machine.
#[derive(Clone, Copy)]
pub struct Local<'a> {
    /// For unfinished work; on one file system with the results.
    pub work: &'a Path,
    /// Who signs packages.
    pub signer: Option<&'a dyn Signer>,
    /// Who builds, for the provenance: a URI.
    pub builder: &'a str,
}

impl Executor for Local<'_> {
    fn execute(
        &self,
        work: &Work<'_>,
        observer: &dyn Observer,
        cancel: &Cancel,
    ) -> Result<Result<Built, Failure>, BuildError> {
        let settings = BuildSettings {
            work: self.work,
            results: work.results,
            keep: work.keep,
            signer: self.signer,
            previous: work.previous,
            builder: self.builder,
        };
        build(work.job, work.roots, &settings, observer, cancel)
    }
}
