//! Many packages at once: in parallel, with a cache, and nothing half-made under a final name.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lazuli_deb::{Deb, Limits};
use lazuli_durable::Pending;
use lazuli_rpm::Signer;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::convert::{IMPORTER_VERSION, Imported, import};
use crate::error::ImportError;
use crate::lint::Severity;
use crate::origin::Origin;
use crate::settings::ImportSettings;

/// A package is for everyone to read.
const PACKAGE_MODE: u32 = 0o644;

/// A package to import.
#[derive(Debug, Clone)]
pub struct ImportInput {
    /// The `.deb`.
    pub file: PathBuf,
    /// Where it comes from; its digest is checked.
    pub origin: Origin,
    /// How.
    pub settings: Arc<ImportSettings>,
}

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct ImportPlaces<'a> {
    /// The folder for packages. It is made if it is missing.
    pub output: &'a Path,
    /// The folder of earlier results; `None` imports everything anew.
    pub cache: Option<&'a Path>,
}

/// Who signs.
#[derive(Clone, Copy)]
pub struct ImportSigner<'a> {
    /// The signer.
    pub signer: &'a dyn Signer,
    /// What identifies its key and the time of its signatures: part of the cache's key.
    pub identity: &'a str,
}

/// What happened to one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportEvent<'a> {
    /// Its import begins.
    Started {
        /// The package.
        package: &'a str,
    },
    /// It is done.
    Finished {
        /// The package.
        package: &'a str,
        /// Whether an earlier result was taken.
        cached: bool,
    },
    /// It failed.
    Failed {
        /// The package.
        package: &'a str,
    },
}

/// An imported package, and what is worth keeping of its report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// The package's name.
    pub name: String,
    /// Name, EVR and architecture.
    pub nevra: String,
    /// The package file's name.
    pub file_name: String,
    /// SHA-256 of the package file, in hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where it comes from ([`Origin`]).
    pub origin: String,
    /// Its licence.
    pub license: String,
    /// System units to enable.
    pub enable_units: Vec<String>,
    /// System units to disable.
    pub disable_units: Vec<String>,
    /// Units of every user's manager to enable.
    pub user_units: Vec<String>,
    /// Finalisers that some package must declare.
    pub finalisers: Vec<String>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// What is wrong, or worth a look.
    pub findings: Vec<SummaryFinding>,
}

/// A finding as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryFinding {
    /// Whether the package must not be released like this.
    pub error: bool,
    /// What was found.
    pub text: String,
}

/// Imports packages in parallel (on rayon's current pool), in the order of `inputs`.
///
/// A package that fails does not stop the others. Findings do not fail an import: whoever calls decides.
pub fn import_all(
    inputs: &[ImportInput],
    signer: Option<ImportSigner<'_>>,
    places: ImportPlaces<'_>,
    progress: &(dyn Fn(ImportEvent<'_>) + Sync),
) -> Vec<Result<ImportSummary, ImportError>> {
    let one = |input: &ImportInput| {
        let package = input.origin.package.as_str();
        progress(ImportEvent::Started { package });
        let result = import_file(input, signer, places);
        progress(match &result {
            Ok((_, cached)) => ImportEvent::Finished {
                package,
                cached: *cached,
            },
            Err(_) => ImportEvent::Failed { package },
        });
        result.map(|(summary, _)| summary)
    };
    inputs.par_iter().map(one).collect()
}

fn import_file(
    input: &ImportInput,
    signer: Option<ImportSigner<'_>>,
    places: ImportPlaces<'_>,
) -> Result<(ImportSummary, bool), ImportError> {
    let read = |source| ImportError::Read {
        path: input.file.display().to_string(),
        source,
    };
    let bytes = fs::read(&input.file).map_err(read)?;
    let key = fingerprint(&bytes, input, signer)?;
    if let Some(cache) = places.cache
        && let Some((summary, package)) = cached(cache, &key)
    {
        write_durably(places.output, &summary.file_name, &[&package])?;
        return Ok((summary, true));
    }
    let imported = import(&bytes, &input.origin, &input.settings)?;
    drop(bytes);
    let built = imported.build(signer.map(|s| s.signer))?;
    let summary = summary(&imported, hex::encode(built.sha256()), built.size());
    let parts = [built.head.as_slice(), built.payload.as_slice()];
    if let Some(cache) = places.cache {
        let text = serde_json::to_vec(&summary).map_err(|e| ImportError::Write {
            path: cache.display().to_string(),
            source: e.into(),
        })?;
        // The summary comes last: it says that the package is whole.
        write_durably(cache, &format!("{key}.rpm"), &parts)?;
        write_durably(cache, &format!("{key}.json"), &[&text])?;
    }
    write_durably(places.output, &summary.file_name, &parts)?;
    Ok((summary, false))
}

/// Builds one package and writes it into a folder.
pub fn write(
    imported: &Imported,
    signer: Option<&dyn Signer>,
    folder: &Path,
) -> Result<ImportSummary, ImportError> {
    let built = imported.build(signer)?;
    let summary = summary(imported, hex::encode(built.sha256()), built.size());
    write_durably(folder, &summary.file_name, &[&built.head, &built.payload])?;
    Ok(summary)
}

/// What a result depends on: the `.deb`, its origin, the settings, the signer and the importer.
fn fingerprint(
    deb: &[u8],
    input: &ImportInput,
    signer: Option<ImportSigner<'_>>,
) -> Result<String, ImportError> {
    let settings = &input.settings;
    // Of the list of real packages, only the names that this package replaces matter.
    let parsed = Deb::parse(deb, Limits::default())?;
    let replaced: Vec<bool> = match &settings.real_packages {
        Some(real) => parsed
            .binary()
            .replaces
            .iter()
            .flatten()
            .map(|r| real.contains(r.name.as_str()))
            .collect(),
        None => Vec::new(),
    };
    let own = ImportSettings {
        real_packages: None,
        ..ImportSettings::clone(settings)
    };
    let canonical = format!(
        "{IMPORTER_VERSION}\n{}\n{}\n{:?}\n{replaced:?}\n{own:?}",
        input.origin,
        signer.map_or("unsigned", |s| s.identity),
        settings.real_packages.is_some(),
    );
    let digest = Sha256::new()
        .chain_update(Sha256::digest(deb))
        .chain_update(canonical)
        .finalize();
    Ok(hex::encode(digest))
}

/// An earlier result, if it is whole.
fn cached(cache: &Path, key: &str) -> Option<(ImportSummary, Vec<u8>)> {
    let summary: ImportSummary =
        serde_json::from_slice(&fs::read(cache.join(format!("{key}.json"))).ok()?).ok()?;
    let package = fs::read(cache.join(format!("{key}.rpm"))).ok()?;
    let whole = hex::encode(Sha256::digest(&package)) == summary.sha256;
    (whole && is_file_name(&summary.file_name)).then_some((summary, package))
}

/// A name from the cache's own file must not lead out of the output folder.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])
}

fn summary(imported: &Imported, sha256: String, size: u64) -> ImportSummary {
    let Imported { metadata, report, .. } = imported;
    let nevra = &metadata.nevra;
    let finding = |finding: &crate::lint::Finding| SummaryFinding {
        error: finding.severity() == Severity::Error,
        text: finding.to_string(),
    };
    ImportSummary {
        name: nevra.name.clone(),
        nevra: nevra.to_string(),
        // As rpm names files: without the epoch.
        file_name: format!(
            "{}-{}-{}.{}.rpm",
            nevra.name, nevra.evr.version, nevra.evr.release, nevra.arch
        ),
        sha256,
        size,
        origin: metadata.vcs.clone(),
        license: metadata.license.clone(),
        enable_units: report.enable_units.clone(),
        disable_units: report.disable_units.clone(),
        user_units: report.user_units.clone(),
        finalisers: report.finalisers.clone(),
        notes: report.notes.clone(),
        findings: report.findings.iter().map(finding).collect(),
    }
}

/// Writes a file so that it is either there and whole, or not there.
fn write_durably(folder: &Path, name: &str, parts: &[&[u8]]) -> Result<(), ImportError> {
    let path = folder.join(name);
    let write = || -> io::Result<()> {
        let mut pending = Pending::create(&path, PACKAGE_MODE)?;
        for part in parts {
            pending.file().write_all(part)?;
        }
        pending.commit()
    };
    write().map_err(|source| ImportError::Write {
        path: path.display().to_string(),
        source,
    })
}
