//! From what rpmbuild wrote to the folder of results.

use super::generate::packages_below;
use super::rpmbuild::Sandbox;
use super::session::{LOG, RESULTS, Session, keep};
use super::{BuildSettings, Keep};
use crate::check::{CheckInputs, Finding, FindingKind, Severity, check};
use crate::error::IoContext;
use crate::package::sign;
use crate::provenance::{ProvenanceInputs, provenance};
use crate::result::{Built, BuiltPackage, Failure, FailureReason};
use crate::{BuildError, BuildKey, Buildroot, KeyInputs, Phase};
use std::path::{Path, PathBuf};

/// The statement's name in the folder of results.
const PROVENANCE: &str = "provenance.json";

/// Files that are in no package are findings, as those that the check finds.
pub(super) fn unpackaged(session: &Session<'_>, reason: FailureReason) -> FailureReason {
    let paths = session.log.unpackaged();
    let is_it = matches!(reason, FailureReason::Command { .. }) && !paths.is_empty();
    if !is_it {
        return reason;
    }
    let findings = paths.iter().map(|path| Finding {
        severity: Severity::Error,
        package: session.job.component.clone(),
        path: Some(path.clone()),
        kind: FindingKind::Unpackaged,
    });
    FailureReason::Findings(findings.collect())
}

/// Checks, signs, states, and gives the folder its name.
pub(super) fn finish(
    mut session: Session<'_>,
    sandbox: Sandbox<'_>,
    root: Buildroot,
    generated: Vec<String>,
) -> Result<Result<Built, Failure>, BuildError> {
    session.log.begin(Phase::Findings);
    let mut files = packages_below(&sandbox.written().join("RPMS"))?;
    files.extend(packages_below(&sandbox.written().join("SRPMS"))?);
    let findings = check(CheckInputs {
        job: session.job,
        packages: &files,
        previous: session.settings.previous,
    })?;
    for finding in &findings {
        session.log.note(&finding.to_string());
    }
    if findings.iter().any(Finding::is_error) {
        return session
            .fail(FailureReason::Findings(findings), Some(sandbox))
            .map(Err);
    }
    session.log.begin(Phase::Finish);
    let folder = session.work.path().join(RESULTS);
    let signed = Signed::write(&session, &files, &folder)?;
    let key = BuildKey::new(KeyInputs {
        job: session.job,
        buildroot: &root.packages,
        generated: &generated,
    });
    signed.state(&session, &key, &root, &folder)?;
    let finished = session.log.finish()?;
    publish(&folder, session.settings)?;
    let results = session.settings.results;
    let kept = match session.settings.keep {
        Keep::Always => keep(session.work, &sandbox, session.settings)?,
        Keep::Never | Keep::Failed => {
            drop(sandbox);
            session
                .work
                .close()
                .doing("removing the work folder below", session.settings.work)?;
            None
        }
    };
    let binary = signed.packages.into_iter().filter(|package| !is_source(package));
    Ok(Ok(Built {
        packages: binary.map(|package| moved(package, results)).collect(),
        source_package: moved(signed.source, results),
        folder: results.to_owned(),
        findings,
        key,
        generated,
        buildroot: root.packages,
        log: results.join(LOG),
        provenance: results.join(PROVENANCE),
        elapsed: session.start.elapsed(),
        phases: finished.phases,
        peak_memory: (session.memory > 0).then_some(session.memory),
        kept,
    }))
}

/// Packages in the folder of results.
struct Signed {
    /// All, by name.
    packages: Vec<BuiltPackage>,
    source: BuiltPackage,
}

impl Signed {
    fn write(session: &Session<'_>, files: &[PathBuf], folder: &Path) -> Result<Self, BuildError> {
        let mut packages = Vec::with_capacity(files.len());
        for file in files {
            packages.push(sign(file, folder, session.settings.signer)?);
        }
        packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
        let source = packages.iter().find(|package| is_source(package)).cloned();
        let source = source.ok_or_else(|| BuildError::Damaged {
            path: folder.to_owned(),
            what: "the results of rpmbuild",
            reason: "there is no source package".to_owned(),
        })?;
        Ok(Self { packages, source })
    }

    /// Writes the statement.
    fn state(
        &self,
        session: &Session<'_>,
        key: &BuildKey,
        root: &Buildroot,
        folder: &Path,
    ) -> Result<(), BuildError> {
        let statement = provenance(ProvenanceInputs {
            job: session.job,
            key,
            evr: &self.source.nevra.evr.to_string(),
            buildroot: &root.packages,
            packages: &self.packages,
            builder: session.settings.builder,
        });
        let path = folder.join(PROVENANCE);
        lazuli_durable::write(&path, statement.to_json().as_bytes()).doing("writing", &path)
    }
}

fn is_source(package: &BuiltPackage) -> bool {
    package.nevra.arch == "src"
}

/// Gives the results their name, in the place of older ones.
fn publish(folder: &Path, settings: &BuildSettings<'_>) -> Result<(), BuildError> {
    let results = settings.results;
    let parent = results.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).doing("making the folder", parent)?;
    lazuli_durable::replace_folder(folder, results).doing("naming the results", results)
}

fn moved(package: BuiltPackage, folder: &Path) -> BuiltPackage {
    let name: PathBuf = package.path.file_name().map(PathBuf::from).unwrap_or_default();
    BuiltPackage {
        path: folder.join(name),
        ..package
    }
}
