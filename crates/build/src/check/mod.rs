//! Whether what came out may be used: packages are read as a stranger's would be, and compared with what the spec said,
//! with what the component may do, and with the previous build.
//!
//! | what | finding | unless |
//! |---|---|---|
//! | paths outside the folders of packages | error; a warning for `/bin`, `/lib` and the like, which are links | `outside` |
//! | setuid and setgid files | error; a warning for folders | `setuid` |
//! | what everybody may write to | error | `world-writable` |
//! | file capabilities | error | `capabilities` |
//! | owners that are users of the build or numbers | error | |
//! | scriptlets and triggers | error: what they do is declared | |
//! | programs and libraries without a build-id | error | `without-build-id` |
//! | files that name the folder in which they were built | warning; an error for the spec's buildroot | `build-paths` |
//! | libraries that the previous build had | error | `lost-sonames` |
//! | packages that the previous build had | warning | |
//! | new libraries | note | |
//! | version other than the spec's, packages that are missing | error | |
//! | files that are in no package | error, found by rpmbuild itself | |
//!
//! Packages with debug information are not looked into: they are for debuggers, and name sources on purpose. Compressed
//! files are not opened.

mod content;
mod files;
mod finding;
mod sonames;

pub use finding::{Allowances, Finding, FindingKind, Severity};

use crate::error::IoContext;
use crate::{BuildError, BuildJob};
use lazuli_rpm::{Metadata, Package, Tag};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What is checked, and against what.
#[derive(Debug, Clone, Copy)]
pub struct CheckInputs<'a> {
    /// The build.
    pub job: &'a BuildJob,
    /// Package files that came out, the source package included.
    pub packages: &'a [PathBuf],
    /// Package files of the previous build of the component; empty where there is none.
    pub previous: &'a [PathBuf],
}

/// Reads packages and says what is wrong with them: errors first, then by package and path.
pub fn check(inputs: CheckInputs<'_>) -> Result<Vec<Finding>, BuildError> {
    let allowances = &inputs.job.allowances;
    let read: Vec<(Metadata, Vec<Finding>)> = inputs
        .packages
        .par_iter()
        .map(|path| one(path, allowances))
        .collect::<Result<_, _>>()?;
    let mut findings = Vec::new();
    let mut packages = Vec::new();
    for (metadata, found) in read {
        findings.extend(found);
        packages.push(metadata);
    }
    let previous = inputs
        .previous
        .iter()
        .map(|path| headers(path))
        .collect::<Result<Vec<Metadata>, _>>()?;
    findings.extend(expected(inputs.job, &packages));
    findings.extend(sonames::compare(inputs.job, &previous, &packages));
    findings.sort_by(|a, b| {
        (b.severity, &a.package, &a.path, &a.kind).cmp(&(a.severity, &b.package, &b.path, &b.kind))
    });
    findings.dedup();
    Ok(findings)
}

/// Whether a package is for debuggers only.
pub(crate) fn is_debug(name: &str) -> bool {
    name.ends_with("-debuginfo") || name.ends_with("-debugsource")
}

fn is_source(metadata: &Metadata) -> bool {
    metadata.source_rpm.is_none()
}

fn one(path: &Path, allowances: &Allowances) -> Result<(Metadata, Vec<Finding>), BuildError> {
    let bytes = std::fs::read(path).doing("reading", path)?;
    let fail = |source| BuildError::Package {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let package = Package::parse(&bytes).map_err(fail)?;
    let metadata = package.metadata().map_err(fail)?;
    let mut findings = Vec::new();
    if is_source(&metadata) {
        return Ok((metadata, findings));
    }
    findings.extend(files::check(&metadata, allowances));
    findings.extend(triggers(&package, &metadata));
    if !is_debug(&metadata.nevra.name) {
        findings.extend(content::check(&package, &metadata, allowances).map_err(fail)?);
    }
    Ok((metadata, findings))
}

fn headers(path: &Path) -> Result<Metadata, BuildError> {
    let bytes = std::fs::read(path).doing("reading", path)?;
    Package::parse(&bytes)
        .and_then(|package| package.metadata())
        .map_err(|source| BuildError::Package {
            path: path.to_owned(),
            source: Box::new(source),
        })
}

/// Triggers are not among a package's metadata: only whether there are some matters.
fn triggers(package: &Package<'_>, metadata: &Metadata) -> Vec<Finding> {
    let kinds = [
        (Tag::TRIGGERNAME, "trigger"),
        (Tag::FILETRIGGERNAME, "file trigger"),
        (Tag::TRANSFILETRIGGERNAME, "transaction file trigger"),
    ];
    kinds
        .into_iter()
        .filter(|(tag, _)| package.header().contains(*tag))
        .map(|(_, name)| Finding {
            severity: Severity::Error,
            package: metadata.nevra.name.clone(),
            path: None,
            kind: FindingKind::Scriptlet {
                name: name.to_owned(),
            },
        })
        .collect()
}

/// What the spec said.
fn expected(job: &BuildJob, packages: &[Metadata]) -> Vec<Finding> {
    let error = |package: &str, kind| Finding {
        severity: Severity::Error,
        package: package.to_owned(),
        path: None,
        kind,
    };
    let names: BTreeSet<&str> = packages
        .iter()
        .filter(|metadata| !is_source(metadata))
        .map(|metadata| metadata.nevra.name.as_str())
        .collect();
    let mut findings: Vec<Finding> = job
        .expected
        .packages
        .iter()
        .filter(|name| !names.contains(name.as_str()))
        .map(|name| error(name, FindingKind::LostPackage))
        .collect();
    if let Some(evr) = &job.expected.evr {
        // Sub-packages may have versions of their own; the source package has that of the spec.
        let wrong = packages
            .iter()
            .filter(|m| is_source(m) && m.nevra.evr.to_string() != *evr);
        findings.extend(wrong.map(|metadata| {
            error(
                &metadata.nevra.to_string(),
                FindingKind::Name {
                    expected: evr.clone(),
                },
            )
        }));
    }
    findings
}
