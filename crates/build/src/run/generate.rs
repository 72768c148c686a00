//! `%generate_buildrequires`: what a build needs is known only once its sources are unpacked.
//!
//! rpmbuild is run with `-br` until a run asks for nothing that the last one did not ask for; each run has a buildroot
//! with what was asked for before.

use super::rpmbuild::{Ended, Goal, Sandbox};
use super::session::Session;
use crate::error::IoContext;
use crate::result::FailureReason;
use crate::{BuildError, BuildJob, Buildroot, InputContent, RootSource};
use lazuli_rpm::{Dependency, Package};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Most runs of `%generate_buildrequires`; real ones need two or three.
pub const REQUIREMENT_ROUNDS_MAX: usize = 10;

/// Largest spec that is looked at.
const SPEC_MAX: u64 = 16 << 20;

/// Whether a spec has the section.
pub fn generates_requirements(job: &BuildJob) -> Result<bool, BuildError> {
    let text = match &job.spec.content {
        InputContent::Bytes(bytes) => bytes.clone(),
        InputContent::Path(path) => {
            if std::fs::metadata(path).doing("reading", path)?.len() > SPEC_MAX {
                return Err(BuildError::BadInput {
                    what: "spec",
                    value: job.spec.name.clone(),
                    reason: "it has more than 16 MiB",
                });
            }
            std::fs::read(path).doing("reading", path)?
        }
    };
    let text = String::from_utf8_lossy(&text);
    Ok(text
        .lines()
        .any(|line| line.trim_end() == "%generate_buildrequires"))
}

/// What came of asking.
pub(super) enum Asked {
    /// A buildroot that has it all, and what was asked for beyond the spec's own words.
    Known(Buildroot, Vec<String>),
    /// It cannot be had.
    Failed(FailureReason),
}

/// Asks until nothing new is asked for.
pub(super) fn ask(
    session: &mut Session<'_>,
    roots: &dyn RootSource,
    mut root: Buildroot,
) -> Result<Asked, BuildError> {
    let stated: BTreeSet<String> = session.job.requires.iter().map(|text| normal(text)).collect();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for round in 1..=REQUIREMENT_ROUNDS_MAX {
        let folder = session.work.path().join(format!("requirements-{round}"));
        std::fs::create_dir(&folder).doing("making the folder", &folder)?;
        let mut sandbox = session.sandbox(&folder, &root)?;
        let ended = sandbox.run(Goal::Requirements, &mut session.log)?;
        session.memory = session.memory.max(sandbox.memory);
        if let Ended::Failed(reason) = ended {
            return Ok(Asked::Failed(reason));
        }
        let asked = asked(&sandbox)?;
        drop(sandbox);
        std::fs::remove_dir_all(&folder).doing("removing", &folder)?;
        let all: BTreeSet<String> = asked.difference(&stated).cloned().collect();
        if all.is_subset(&known) {
            return Ok(Asked::Known(root, known.into_iter().collect()));
        }
        known.extend(all);
        let requires: Vec<String> = session
            .job
            .requires
            .iter()
            .cloned()
            .chain(known.iter().cloned())
            .collect();
        root = match session.root(roots, &requires)? {
            Ok(root) => root,
            Err(reason) => return Ok(Asked::Failed(reason)),
        };
    }
    Ok(Asked::Failed(FailureReason::EndlessRequirements {
        rounds: REQUIREMENT_ROUNDS_MAX,
    }))
}

/// What the source package names that `-br` wrote.
fn asked(sandbox: &Sandbox<'_>) -> Result<BTreeSet<String>, BuildError> {
    let mut found = BTreeSet::new();
    for path in packages_below(&sandbox.written().join("SRPMS"))? {
        let bytes = std::fs::read(&path).doing("reading", &path)?;
        let metadata = Package::parse(&bytes)
            .and_then(|package| package.metadata())
            .map_err(|source| BuildError::Package {
                path: path.clone(),
                source: Box::new(source),
            })?;
        let requires = metadata
            .requires
            .iter()
            .filter(|dependency| !dependency.name.starts_with("rpmlib("));
        found.extend(requires.map(ToString::to_string));
    }
    Ok(found)
}

/// As rpm writes it.
fn normal(text: &str) -> String {
    Dependency::parse(text).map_or_else(|_| text.to_owned(), |dependency| dependency.to_string())
}

/// Most package files of one build.
const PACKAGES_MAX: usize = 10_000;

/// The package files below a folder, sorted.
pub(super) fn packages_below(top: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut folders = vec![top.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.doing("reading the folder", &folder)?,
        };
        for entry in entries {
            let entry = entry.doing("reading the folder", &folder)?;
            // The build wrote these folders: a link in them is not followed.
            let kind = entry.file_type().doing("reading", entry.path())?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_string_lossy().ends_with(".rpm") {
                found.push(entry.path());
            }
        }
        if found.len() > PACKAGES_MAX || folders.len() > PACKAGES_MAX {
            return Err(BuildError::BadInput {
                what: "build",
                value: top.display().to_string(),
                reason: "it gave more than 10000 packages or folders",
            });
        }
    }
    found.sort();
    Ok(found)
}
