//! Running the real rpmbuild in the sandbox.

use super::circumstances::{Circumstances, Folders};
use super::inputs;
use super::log::Log;
use super::macros::{self, TOP};
use crate::error::IoContext;
use crate::result::FailureReason;
use crate::{BuildError, BuildJob, Buildroot, Cancel};
use lazuli_sandbox::{
    LayerLimit, Options, Output, Overlay, SandboxError, Scratch, Status, User, mount_overlay, run_streaming,
};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// rpmbuild's exit code when generated requirements are not met.
const MISSING_REQUIREMENTS: i32 = 11;

/// Which part of a build rpmbuild is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// All packages, the source package too.
    Packages,
    /// `%generate_buildrequires`: a source package that names what is needed.
    Requirements,
}

/// How rpmbuild ended.
pub(super) enum Ended {
    /// It did what it should.
    Done,
    /// Generated requirements are not met yet.
    MissingRequirements,
    /// It failed.
    Failed(FailureReason),
}

/// One sandbox: folders below a work folder.
pub(super) struct Sandbox<'a> {
    pub(super) job: &'a BuildJob,
    pub(super) circumstances: &'a Circumstances,
    pub(super) cancel: &'a Cancel,
    folders: Folders,
    layers: Vec<PathBuf>,
    scratch: Option<Scratch>,
    /// The most memory that was seen.
    pub(super) memory: u64,
}

impl<'a> Sandbox<'a> {
    /// Makes the folders below `work` and puts the inputs into them.
    pub(super) fn prepare(
        work: &Path,
        job: &'a BuildJob,
        root: &Buildroot,
        circumstances: &'a Circumstances,
        cancel: &'a Cancel,
    ) -> Result<Self, BuildError> {
        let folders = Folders {
            inputs: work.join("inputs"),
            written: work.join("written"),
            merged: work.join("merged"),
        };
        for path in [&folders.inputs, &folders.written, &folders.merged] {
            std::fs::create_dir(path).doing("making the folder", path)?;
        }
        let scratch = match circumstances.in_memory {
            Some(limit) => {
                Some(Scratch::mount(&folders.written, limit).map_err(|e| failed("a folder in memory", e))?)
            }
            None => None,
        };
        for path in [folders.written.join("upper"), folders.written.join("work")] {
            std::fs::create_dir(&path).doing("making the folder", &path)?;
        }
        inputs::write(&folders.inputs, job, &root.layers, circumstances)?;
        Ok(Self {
            job,
            circumstances,
            cancel,
            folders,
            layers: root.layers.clone(),
            scratch,
            memory: 0,
        })
    }

    /// Where the build's files are, on the machine, once it ended.
    pub(super) fn written(&self) -> PathBuf {
        self.folders
            .written
            .join("upper")
            .join(TOP.trim_start_matches('/'))
    }

    /// The layers of the buildroot.
    pub(super) fn layers(&self) -> &[PathBuf] {
        &self.layers
    }

    /// Whether what was written is on a disk, and can stay.
    pub(super) fn is_on_disk(&self) -> bool {
        self.scratch.is_none()
    }

    /// The environment of rpmbuild.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![
            ("HOME".to_owned(), inputs::home()),
            ("SOURCE_DATE_EPOCH".to_owned(), self.job.epoch.0.to_string()),
        ];
        environment.extend(self.circumstances.environment.iter().cloned());
        environment
    }

    fn arguments(&self, goal: Goal) -> Result<Vec<String>, BuildError> {
        let what = match goal {
            Goal::Packages => "-ba",
            Goal::Requirements => "-br",
        };
        let mut arguments = vec!["rpmbuild".to_owned(), what.to_owned()];
        arguments.extend(macros::options(self.job)?);
        arguments.push(inputs::spec_path(self.job));
        Ok(arguments)
    }

    fn options(&self) -> Options {
        let limits = &self.job.limits;
        let mut options = Options {
            timeout: limits.timeout,
            environment: self.environment(),
            hostname: self.circumstances.host.clone(),
            working_directory: PathBuf::from(TOP),
            user: User::Unprivileged {
                uid: self.circumstances.id,
                gid: self.circumstances.id,
            },
            cpus: NonZeroU32::new(self.circumstances.processors),
            umask: self.circumstances.umask,
            cancel: Some(lazuli_sandbox::Cancel::from(self.cancel.flag())),
            ..Options::build()
        };
        options.limits.memory = limits.memory;
        options.limits.processes = Some(limits.processes);
        options.limits.layer = limits.disk.map(|bytes| LayerLimit {
            path: self.folders.written.join("upper"),
            bytes,
        });
        options
    }

    /// Runs rpmbuild.
    pub(super) fn run(&mut self, goal: Goal, log: &mut Log<'_>) -> Result<Ended, BuildError> {
        let arguments = self.arguments(goal)?;
        let mut lower = vec![self.folders.inputs.clone()];
        lower.extend(self.layers.iter().cloned());
        let overlay = Overlay {
            lower,
            upper: self.folders.written.join("upper"),
            work: self.folders.written.join("work"),
        };
        let fail = |source| failed("rpmbuild", source);
        let mounted = mount_overlay(&overlay, &self.folders.merged).map_err(fail)?;
        let output = run_streaming(&self.folders.merged, &arguments, &self.options(), &mut |line| {
            log.line(line);
        });
        let unmounted = mounted.unmount();
        let output = output.map_err(fail)?;
        unmounted.map_err(fail)?;
        for note in &output.notes {
            log.note(note);
        }
        self.memory = self.memory.max(output.usage.memory);
        Ok(self.conclude(goal, &output))
    }

    fn conclude(&self, goal: Goal, output: &Output) -> Ended {
        let status = output.status;
        let limit = || FailureReason::Limit {
            what: status.to_string(),
        };
        match status {
            Status::Exited(0) => Ended::Done,
            Status::Exited(MISSING_REQUIREMENTS) if goal == Goal::Requirements => Ended::MissingRequirements,
            Status::TimedOut => Ended::Failed(FailureReason::TimedOut {
                limit: self.job.limits.timeout,
            }),
            Status::Idle { .. }
            | Status::MemoryLimit { .. }
            | Status::ProcessLimit { .. }
            | Status::LayerLimit { .. } => Ended::Failed(limit()),
            Status::Cancelled => Ended::Failed(FailureReason::Cancelled),
            Status::Exited(_) | Status::Signalled(_) => Ended::Failed(FailureReason::Command {
                status: status.to_string(),
            }),
        }
    }
}

fn failed(program: &str, source: SandboxError) -> BuildError {
    BuildError::Sandbox {
        program: program.to_owned(),
        source: Box::new(source),
    }
}
