//! The state of one build.

use super::circumstances::Circumstances;
use super::log::Log;
use super::rpmbuild::Sandbox;
use super::{BuildSettings, Keep, kept};
use crate::buildroot::ResolveError;
use crate::error::IoContext;
use crate::result::{Failure, FailureReason, Kept};
use crate::{BuildError, BuildJob, Buildroot, Cancel, Observer, RootSource};
use lazuli_durable::WorkFolder;
use std::path::Path;
use std::time::Instant;

/// What the work folders of builds are called.
const WORK_PREFIX: &str = "build-";
/// What folders of kept sandboxes are called: not as those that the next run removes.
const KEPT_PREFIX: &str = "kept-";
/// Most sandboxes that are kept of one component.
const KEPT_MAX: usize = 100;
/// The log's name, in the work folder and in the results.
pub(super) const LOG: &str = "build.log.zst";
/// Where results are put together.
pub(super) const RESULTS: &str = "results";

/// One build that is going on.
pub(super) struct Session<'a> {
    pub(super) job: &'a BuildJob,
    pub(super) settings: &'a BuildSettings<'a>,
    pub(super) circumstances: &'a Circumstances,
    pub(super) cancel: &'a Cancel,
    pub(super) start: Instant,
    pub(super) log: Log<'a>,
    pub(super) memory: u64,
    pub(super) work: WorkFolder,
}

impl<'a> Session<'a> {
    pub(super) fn start(
        job: &'a BuildJob,
        settings: &'a BuildSettings<'a>,
        circumstances: &'a Circumstances,
        observer: &'a dyn Observer,
        cancel: &'a Cancel,
    ) -> Result<Self, BuildError> {
        let start = Instant::now();
        let work = WorkFolder::create(settings.work, WORK_PREFIX)
            .doing("making a work folder below", settings.work)?;
        let results = work.path().join(RESULTS);
        std::fs::create_dir(&results).doing("making the folder", &results)?;
        let log = Log::create(&results.join(LOG), observer, start)?;
        Ok(Self {
            job,
            settings,
            circumstances,
            cancel,
            start,
            log,
            memory: 0,
            work,
        })
    }

    /// A buildroot; that there is none is the inner error.
    pub(super) fn root(
        &mut self,
        roots: &dyn RootSource,
        requires: &[String],
    ) -> Result<Result<Buildroot, FailureReason>, BuildError> {
        match roots.root(requires) {
            Ok(root) => Ok(Ok(root)),
            Err(BuildError::Resolve(
                error @ (ResolveError::Unsolvable { .. } | ResolveError::Unreadable { .. }),
            )) => {
                self.log.note(&error.to_string());
                Ok(Err(FailureReason::Requirements {
                    problem: error.to_string(),
                }))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn sandbox(&self, folder: &Path, root: &Buildroot) -> Result<Sandbox<'a>, BuildError> {
        Sandbox::prepare(folder, self.job, root, self.circumstances, self.cancel)
    }

    /// Why the build goes no further, if somebody stopped it.
    pub(super) fn stopped(&self) -> Option<FailureReason> {
        self.cancel.is_cancelled().then_some(FailureReason::Cancelled)
    }

    /// Ends a build that gave nothing: its log goes to the results folder, its sandbox stays where that is wanted.
    pub(super) fn fail(
        self,
        reason: FailureReason,
        sandbox: Option<Sandbox<'_>>,
    ) -> Result<Failure, BuildError> {
        let phase = self.log.phase();
        let finished = self.log.finish()?;
        let results = self.settings.results;
        let target = results.join(LOG);
        lazuli_durable::adopt(&self.work.path().join(RESULTS).join(LOG), &target)
            .doing("keeping the log as", &target)?;
        let is_wanted = self.settings.keep != Keep::Never && reason != FailureReason::Cancelled;
        let kept = match sandbox.filter(|_| is_wanted) {
            Some(sandbox) => keep(self.work, &sandbox, self.settings)?,
            None => {
                self.work
                    .close()
                    .doing("removing the work folder below", self.settings.work)?;
                None
            }
        };
        Ok(Failure {
            reason,
            phase,
            last_lines: finished.last_lines.into(),
            log: Some(target),
            elapsed: self.start.elapsed(),
            kept,
        })
    }
}

/// Keeps a sandbox under a name that no later run removes; not one in memory, which cannot be kept.
pub(super) fn keep(
    work: WorkFolder,
    sandbox: &Sandbox<'_>,
    settings: &BuildSettings<'_>,
) -> Result<Option<Kept>, BuildError> {
    if !sandbox.is_on_disk() {
        return Ok(None);
    }
    let environment = sandbox.environment();
    let job = sandbox.job;
    kept::describe(
        work.path(),
        job,
        sandbox.layers(),
        sandbox.circumstances,
        &environment,
    )?;
    let target = (1..=KEPT_MAX)
        .map(|number| {
            settings
                .work
                .join(format!("{KEPT_PREFIX}{}-{number}", job.component))
        })
        .find(|target| !target.exists())
        .ok_or_else(|| BuildError::BadInput {
            what: "folder of kept sandboxes",
            value: settings.work.display().to_string(),
            reason: "100 sandboxes of this component are kept in it; remove those that nobody needs",
        })?;
    work.keep(&target).doing("keeping the sandbox as", &target)?;
    Ok(Some(Kept { folder: target }))
}
