//! `result.json`: what a build gave, beside its packages.

use super::error::WorkshopError;
use crate::{Built, BuiltPackage, ContentDigest, Digest, Finding, Phase};
use lazuli_repodata::{Checksum, FileFacts, PackageRecord};
use lazuli_rpm::{Evr, Nevra, Package};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's name.
pub(super) const FILE: &str = "result.json";
/// The version of the file.
const VERSION: u32 = 1;

/// What a build gave. It says nothing of where it is: the same file is in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComponentResult {
    version: u32,
    /// The component.
    pub component: String,
    /// The digest of the whole key, generated requirements included.
    pub key: Digest,
    /// Build requirements that the spec generated.
    pub generated: Vec<String>,
    /// The binary packages, by name.
    pub packages: Vec<ResultPackage>,
    /// The source package.
    pub source_package: ResultPackage,
    /// What the check of the packages found.
    pub findings: Vec<Finding>,
    /// How long the build took, in milliseconds.
    pub took_ms: u64,
    /// How long each phase took, in milliseconds.
    pub phases: Vec<(Phase, u64)>,
    /// The most memory that it took, in bytes, where that is known.
    pub peak_memory: Option<u64>,
}

/// A package of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResultPackage {
    /// The name of its file.
    pub file: String,
    /// Its name.
    pub name: String,
    /// `[EPOCH:]VERSION-RELEASE`.
    pub evr: String,
    /// Its architecture; `src` for a source package.
    pub arch: String,
    /// Of the file.
    pub digest: Digest,
    /// What it does to those who use it.
    pub content: ContentDigest,
    /// Bytes of the file.
    pub size: u64,
}

impl ResultPackage {
    fn of(package: &BuiltPackage) -> Self {
        let Nevra { name, evr, arch } = &package.nevra;
        Self {
            file: package
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            name: name.clone(),
            evr: evr.to_string(),
            arch: arch.clone(),
            digest: package.digest,
            content: package.content,
            size: package.size,
        }
    }

    /// What a repository says of it.
    fn record(&self, folder: &Path) -> Result<PackageRecord, String> {
        let path = folder.join(&self.file);
        let named =
            |reason: &dyn std::fmt::Display| format!("failed to read package {}: {reason}", path.display());
        let bytes = std::fs::read(&path).map_err(|error| named(&error))?;
        let package = Package::parse(&bytes).map_err(|error| named(&error))?;
        let metadata = package.metadata().map_err(|error| named(&error))?;
        let facts = FileFacts {
            checksum: Checksum::sha256(*self.digest.as_bytes()),
            location: self.file.clone(),
            package_size: self.size,
            archive_size: 0,
            installed_size: None,
            header_range: 0..0,
            file_time: 0,
        };
        Ok(PackageRecord::from_metadata(&metadata, facts))
    }

    /// Its EVR; nothing if the text is none.
    #[must_use]
    pub fn evr(&self) -> Option<Evr> {
        Evr::parse(&self.evr).ok()
    }
}

impl ComponentResult {
    /// What to write down of a build.
    pub(super) fn of(component: &str, key: Digest, built: &Built) -> Self {
        let millis = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            version: VERSION,
            component: component.to_owned(),
            key,
            generated: built.generated.clone(),
            packages: built.packages.iter().map(ResultPackage::of).collect(),
            source_package: ResultPackage::of(&built.source_package),
            findings: built.findings.clone(),
            took_ms: millis(&built.elapsed),
            phases: built
                .phases
                .iter()
                .map(|(phase, time)| (*phase, millis(time)))
                .collect(),
            peak_memory: built.peak_memory,
        }
    }

    /// Reads the result of a component; nothing if there is none, or one that is damaged or of another version.
    #[must_use]
    pub fn read(folder: &Path, component: &str) -> Option<Self> {
        let text = std::fs::read(folder.join(FILE)).ok()?;
        let result: Self = serde_json::from_slice(&text).ok()?;
        let is_whole = result.version == VERSION && result.component == component;
        let has = |package: &ResultPackage| {
            std::fs::metadata(folder.join(&package.file)).is_ok_and(|file| file.len() == package.size)
        };
        (is_whole && result.packages.iter().chain([&result.source_package]).all(has)).then_some(result)
    }

    /// Writes it beside the packages, last of all: with it, the result is whole.
    pub(super) fn write(&self, folder: &Path) -> Result<(), WorkshopError> {
        let path = folder.join(FILE);
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from);
        text.and_then(|text| lazuli_durable::write(&path, &text))
            .map_err(WorkshopError::io("write", path))
    }

    /// What a repository says of its binary packages.
    pub(super) fn records(&self, folder: &Path) -> Result<Vec<PackageRecord>, String> {
        self.packages
            .iter()
            .map(|package| package.record(folder))
            .collect()
    }

    /// The package files, the source package left out.
    #[must_use]
    pub fn files(&self, folder: &Path) -> Vec<PathBuf> {
        self.packages
            .iter()
            .map(|package| folder.join(&package.file))
            .collect()
    }

    /// How long the build took.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_millis(self.took_ms)
    }
}
