//! Check a repository on disk against its own metadata.

use crate::create::REPODATA;
use crate::packages;
use crate::trust::PackageVerifier;
use crate::{ComposeError, MetadataVerifier};
use lazuli_repodata::{Checksum, PackageRecord, Repomd, filelists, other, primary};
use lazuli_rpm::Package;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Something wrong with a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the repository's root.
    pub file: String,
    /// What is wrong.
    pub problem: String,
}

impl Finding {
    fn new(file: &str, problem: impl ToString) -> Self {
        Self {
            file: file.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// Verifies everything: signature, metadata, and every package's size, checksum, header, digests and signature. An
/// empty list is a clean repository; `Err` only where nothing can be checked at all.
pub fn check(dir: &Path, verifier: Option<&dyn MetadataVerifier>) -> Result<Vec<Finding>, ComposeError> {
    let index = format!("{REPODATA}/repomd.xml");
    let path = dir.join(&index);
    let repomd_xml = std::fs::read(&path).map_err(|source| ComposeError::Io {
        action: "read",
        path,
        source,
    })?;
    let mut findings = Vec::new();
    if let Some(verifier) = verifier {
        check_signature(dir, &index, &repomd_xml, verifier, &mut findings);
    }
    let repomd = match Repomd::parse(&repomd_xml) {
        Ok(repomd) => repomd,
        Err(error) => {
            findings.push(Finding::new(&index, error));
            return Ok(findings);
        }
    };
    let records = check_metadata(dir, &repomd, &mut findings);
    check_leftovers(dir, &repomd, &mut findings);
    let listed: BTreeSet<&str> = records.iter().map(|record| record.location.as_str()).collect();
    for location in packages::find(dir)? {
        if !listed.contains(location.as_str()) {
            findings.push(Finding::new(&location, "the metadata does not list it"));
        }
    }
    let wrong = records
        .par_iter()
        .flat_map_iter(|record| check_package(dir, record, verifier));
    findings.extend(wrong.collect::<Vec<_>>());
    findings.sort();
    Ok(findings)
}

fn check_signature(
    dir: &Path,
    index: &str,
    repomd_xml: &[u8],
    verifier: &dyn MetadataVerifier,
    findings: &mut Vec<Finding>,
) {
    let name = format!("{index}.asc");
    match std::fs::read(dir.join(&name)) {
        Err(error) => findings.push(Finding::new(&name, error)),
        Ok(signature) => {
            if let Err(error) = verifier.verify_detached(repomd_xml, &signature) {
                findings.push(Finding::new(&name, error));
            }
        }
    }
}

/// Opens all metadata; returns the packages, with their paths, as far as they can be read.
fn check_metadata(dir: &Path, repomd: &Repomd, findings: &mut Vec<Finding>) -> Vec<PackageRecord> {
    let mut records = Vec::new();
    let (mut lists, mut changelogs) = (None, None);
    for entry in &repomd.data {
        let location = entry.location.as_str();
        let opened = match std::fs::read(dir.join(location)) {
            Ok(packed) => entry.open(&packed),
            Err(error) => {
                findings.push(Finding::new(location, error));
                continue;
            }
        };
        let parsed = opened.and_then(|xml| {
            match entry.kind.as_str() {
                "primary" => records = primary::parse(&xml)?,
                "filelists" => lists = Some(filelists::parse(&xml)?),
                "other" => changelogs = Some(other::parse(&xml)?),
                _ => {}
            }
            Ok(())
        });
        if let Err(error) = parsed {
            findings.push(Finding::new(location, error));
        }
    }
    let index = format!("{REPODATA}/repomd.xml");
    for kind in ["primary", "filelists", "other"] {
        if repomd.get(kind).is_none() {
            findings.push(Finding::new(&index, format!("it has no `{kind}` entry")));
        }
    }
    let all: BTreeSet<Checksum> = records.iter().map(|record| record.checksum).collect();
    if lists
        .as_ref()
        .is_some_and(|lists| lists.iter().map(|list| list.pkgid).collect::<BTreeSet<_>>() != all)
    {
        findings.push(Finding::new(
            &index,
            "primary and filelists list different packages",
        ));
    }
    let of_changelogs = changelogs.map(|all| all.iter().map(|one| one.pkgid).collect::<BTreeSet<_>>());
    if of_changelogs.is_some_and(|found| found != all) {
        findings.push(Finding::new(&index, "primary and other list different packages"));
    }
    filelists::attach(&mut records, lists.unwrap_or_default());
    records
}

/// Files of `repodata` that the index does not name.
fn check_leftovers(dir: &Path, repomd: &Repomd, findings: &mut Vec<Finding>) {
    let Ok(entries) = std::fs::read_dir(dir.join(REPODATA)) else {
        return;
    };
    for entry in entries.flatten() {
        let location = format!("{REPODATA}/{}", entry.file_name().to_string_lossy());
        let is_index = ["", ".asc", ".key"]
            .iter()
            .any(|end| location == format!("{REPODATA}/repomd.xml{end}"));
        if !is_index && repomd.data.iter().all(|data| data.location != location) {
            findings.push(Finding::new(&location, "the index does not name it"));
        }
    }
}

fn check_package(
    dir: &Path,
    record: &PackageRecord,
    verifier: Option<&dyn MetadataVerifier>,
) -> Vec<Finding> {
    let location = record.location.as_str();
    let bytes = match std::fs::read(dir.join(location)) {
        Ok(bytes) => bytes,
        Err(error) => return vec![Finding::new(location, error)],
    };
    if bytes.len() as u64 != record.size.package {
        let problem = format!(
            "it has {} bytes, the metadata says {}",
            bytes.len(),
            record.size.package
        );
        return vec![Finding::new(location, problem)];
    }
    if !record.checksum.matches(&bytes) {
        return vec![Finding::new(
            location,
            format!("it does not have the checksum {}", record.checksum),
        )];
    }
    let package = match Package::parse(&bytes) {
        Ok(package) => package,
        Err(error) => return vec![Finding::new(location, error)],
    };
    let mut findings = Vec::new();
    if let Err(error) = package.verify_digests() {
        findings.push(Finding::new(location, error));
    }
    if let Some(verifier) = verifier
        && let Err(error) = package.verify_signature(&PackageVerifier(verifier))
    {
        findings.push(Finding::new(location, error));
    }
    let digest = record.checksum.as_sha256().unwrap_or_default();
    match packages::record(package.headers(), location, digest, bytes.len() as u64) {
        Ok(own) => findings.extend(difference(record, &own).map(|what| {
            Finding::new(
                location,
                format!("the metadata has other {what} than the package"),
            )
        })),
        Err(error) => findings.push(Finding::new(location, error)),
    }
    findings
}

/// What the metadata says otherwise than the package's header. Requirements are left out: other tools list them
/// abridged.
fn difference(listed: &PackageRecord, own: &PackageRecord) -> Option<&'static str> {
    let mut files = [listed.files.clone(), own.files.clone()];
    files.iter_mut().for_each(|list| list.sort_unstable());
    [
        ("name, version or architecture", listed.nevra == own.nevra),
        ("provides", listed.provides == own.provides),
        ("conflicts", listed.conflicts == own.conflicts),
        ("obsoletes", listed.obsoletes == own.obsoletes),
        ("files", files[0] == files[1]),
    ]
    .into_iter()
    .find(|(_, same)| !same)
    .map(|(what, _)| what)
}
