//! One run of a build.
//!
//! | step | what |
//! |---|---|
//! | 1 | a buildroot in which the spec's requirements hold |
//! | 2 | `inputs`: spec, sources and macros as a layer that only root of the sandbox could change |
//! | 3 | `generate`: `%generate_buildrequires`, and a buildroot with what it asked for |
//! | 4 | `rpmbuild`: the real one, in the sandbox, as nobody in particular, without network; its output goes to `log` |
//! | 5 | [`crate::check`]: what came out is read |
//! | 6 | signatures, provenance, and the folder of results, in one step |
//!
//! Inside, all is in `/builddir`, whatever is built and wherever the machine keeps it:
//!
//! | path | whose | what |
//! |---|---|---|
//! | `/builddir/SPECS`, `/builddir/SOURCES` | root's | the inputs |
//! | `/builddir/BUILD`, `BUILDROOT`, `RPMS`, `SRPMS` | the build's | what rpmbuild writes |
//! | `/builddir/home` | the build's | `$HOME`; the macros in it are root's |
//!
//! Nothing is left of a build that was stopped: all is in one work folder, which goes with the process that holds it.

mod circumstances;
mod generate;
mod inputs;
mod kept;
mod log;
mod macros;
mod results;
mod rpmbuild;
mod session;

pub(crate) use circumstances::Circumstances;
pub use generate::{REQUIREMENT_ROUNDS_MAX, generates_requirements};
pub(crate) use macros::TOP;

use crate::result::{Built, Failure, FailureReason, Kept};
use crate::{BuildError, BuildJob, Buildroot, Cancel, Observer, Phase, RootSource};
use generate::Asked;
use lazuli_rpm::Signer;
use rpmbuild::{Ended, Goal};
use session::Session;
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
    /// The folder of the results: it appears as a whole when the build succeeds, in the place of an older one. Of a
    /// build that fails it has the log. On one file system with `work`.
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
/// (`lazuli_sandbox::enter`) and has mounts of its own (`lazuli_sandbox::private_mounts`); it may have threads, and
/// several builds may run at once.
///
/// That the component does not build is the inner error.
pub fn build(
    job: &BuildJob,
    roots: &dyn RootSource,
    settings: &BuildSettings<'_>,
    observer: &dyn Observer,
    cancel: &Cancel,
) -> Result<Result<Built, Failure>, BuildError> {
    build_under(job, roots, settings, observer, cancel, &Circumstances::usual(job))
}

/// Makes the sandbox of a build, with its buildroot, its spec and its sources, and runs nothing in it: for a person to look
/// at. It stays until [`Kept::remove`].
pub fn prepare(
    job: &BuildJob,
    roots: &dyn RootSource,
    settings: &BuildSettings<'_>,
    observer: &dyn Observer,
    cancel: &Cancel,
) -> Result<Result<Kept, Failure>, BuildError> {
    let circumstances = Circumstances::usual(job);
    let settings = BuildSettings {
        keep: Keep::Always,
        ..*settings
    };
    let mut session = Session::start(job, &settings, &circumstances, observer, cancel)?;
    let root = match session.root(roots, &job.requires)? {
        Ok(root) => root,
        Err(reason) => return session.fail(reason, None).map(Err),
    };
    session.log.begin(Phase::Inputs);
    let folder = session.work.path().to_owned();
    let sandbox = session.sandbox(&folder, &root)?;
    session.log.finish()?;
    match session::keep(session.work, &sandbox, &settings)? {
        Some(kept) => Ok(Ok(kept)),
        None => Err(BuildError::BadInput {
            what: "folder for builds",
            value: settings.work.display().to_string(),
            reason: "a sandbox in memory cannot be kept",
        }),
    }
}

/// A build under circumstances that should not matter.
pub(crate) fn build_under(
    job: &BuildJob,
    roots: &dyn RootSource,
    settings: &BuildSettings<'_>,
    observer: &dyn Observer,
    cancel: &Cancel,
    circumstances: &Circumstances,
) -> Result<Result<Built, Failure>, BuildError> {
    let mut session = Session::start(job, settings, circumstances, observer, cancel)?;
    let (root, generated) = match find_root(&mut session, roots)? {
        Ok(found) => found,
        Err(reason) => return session.fail(reason, None).map(Err),
    };
    session.log.begin(Phase::Inputs);
    let folder = session.work.path().to_owned();
    let mut sandbox = session.sandbox(&folder, &root)?;
    if let Some(reason) = session.stopped() {
        return session.fail(reason, Some(sandbox)).map(Err);
    }
    let ended = sandbox.run(Goal::Packages, &mut session.log)?;
    session.memory = session.memory.max(sandbox.memory);
    let reason = match ended {
        Ended::Done => None,
        Ended::MissingRequirements => Some(FailureReason::Requirements {
            problem: "%generate_buildrequires asks for more than it did before".to_owned(),
        }),
        Ended::Failed(reason) => Some(results::unpackaged(&session, reason)),
    };
    if let Some(reason) = reason.or_else(|| session.stopped()) {
        return session.fail(reason, Some(sandbox)).map(Err);
    }
    results::finish(session, sandbox, root, generated)
}

/// The buildroot, with what the spec generates, and what that is.
fn find_root(
    session: &mut Session<'_>,
    roots: &dyn RootSource,
) -> Result<Result<(Buildroot, Vec<String>), FailureReason>, BuildError> {
    let root = match session.root(roots, &session.job.requires)? {
        Ok(root) => root,
        Err(reason) => return Ok(Err(reason)),
    };
    if !generates_requirements(session.job)? {
        return Ok(Ok((root, Vec::new())));
    }
    session.log.begin(Phase::GenerateRequirements);
    Ok(match generate::ask(session, roots, root)? {
        Asked::Known(root, generated) => Ok((root, generated)),
        Asked::Failed(reason) => Err(reason),
    })
}
