//! Packages that are made from the catalog: no upstream, only what is declared and the files that are given.

use std::collections::BTreeSet;

use lazuli_rpm::{Compression, Dependency, Evr, Metadata, Nevra};

use crate::automatic::automatic;
use crate::convert::{ImportReport, Imported};
use crate::emit;
use crate::error::ImportError;
use crate::settings::ImportSettings;
use crate::tree::{Node, Tree};

/// What a generated package is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedPackage {
    /// Its name.
    pub name: String,
    /// Its version and release.
    pub evr: Evr,
    /// Its architecture as rpm names it: `noarch`, `x86_64`.
    pub arch: String,
    /// One line.
    pub summary: String,
    /// Some lines.
    pub description: String,
    /// SPDX expression.
    pub license: String,
    /// Home page; may be empty.
    pub url: String,
    /// What it needs, beside what its files need.
    pub requires: Vec<Dependency>,
    /// What it recommends.
    pub recommends: Vec<Dependency>,
    /// What it provides.
    pub provides: Vec<Dependency>,
    /// What it cannot be installed beside.
    pub conflicts: Vec<Dependency>,
    /// What it takes the place of.
    pub obsoletes: Vec<Dependency>,
    /// Files with path, permission bits and content, beside those that are declared.
    pub files: Vec<(String, u16, Vec<u8>)>,
    /// Time of the package and all its files, in seconds since 1970.
    pub time: u32,
}

/// Makes a package of what is given and of what `settings.declare` says.
pub fn generate(package: &GeneratedPackage, settings: &ImportSettings) -> Result<Imported, ImportError> {
    let mut tree = Tree::default();
    let mut report = ImportReport::default();
    for (path, mode, content) in &package.files {
        tree.nodes.insert(
            path.clone().into_bytes(),
            Node::file(content.as_slice(), *mode, package.time),
        );
    }
    emit::apply(
        &settings.declare,
        &mut tree,
        &package.name,
        package.time,
        settings,
        &mut report.findings,
    )?;
    let found = automatic(&tree, &mut report.findings);
    let own: BTreeSet<String> = found
        .provides
        .iter()
        .map(|provide| provide.name.clone())
        .collect();
    let needed = found
        .requires
        .into_iter()
        .filter(|require| !own.contains(&require.name));
    let (files, contents) = tree.into_entries();
    let nevra = Nevra {
        name: package.name.clone(),
        evr: package.evr.clone(),
        arch: package.arch.clone(),
    };
    let metadata = Metadata {
        summary: package.summary.clone(),
        description: package.description.clone(),
        license: package.license.clone(),
        url: package.url.clone(),
        vendor: settings.vendor.clone(),
        packager: settings.packager.clone(),
        distribution: settings.distribution.clone(),
        build_time: package.time,
        build_host: settings.build_host.clone(),
        source_rpm: Some(format!(
            "{}-{}-{}.src.rpm",
            package.name, package.evr.version, package.evr.release
        )),
        requires: package.requires.iter().cloned().chain(needed).collect(),
        provides: package.provides.iter().cloned().chain(found.provides).collect(),
        recommends: package.recommends.clone(),
        conflicts: package.conflicts.clone(),
        obsoletes: package.obsoletes.clone(),
        files,
        ..Metadata::new(nevra)
    };
    let compression = Compression::Zstd {
        level: settings.compression_level,
    };
    Ok(Imported {
        metadata,
        contents,
        report,
        compression,
    })
}
