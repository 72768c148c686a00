//! How a component is built from source, with its defaults filled in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::schema::{self, CratePart, HashType, OriginType, ReleaseCalculation};
use crate::value::{AbsolutePath, DependencyText, FileName, PackageName, SourceVersion};

/// How a component is built, rendered and numbered.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuildSettings {
    /// Conditionals to turn on: `--with`.
    pub with: Vec<String>,
    /// Conditionals to turn off: `--without`.
    pub without: Vec<String>,
    /// Macros to define.
    pub defines: BTreeMap<String, String>,
    /// Macros to undefine.
    pub undefines: Vec<String>,
    /// Whether the origin of the sources is put into the package.
    pub upstream_provenance: UpstreamProvenance,
    /// The `%check` section.
    pub check: CheckPhase,
    /// How the build is expected to end. Not in the fingerprint.
    pub outcome: ExpectedOutcome,
    /// How much time and memory the build takes. Not in the fingerprint.
    pub effort: BuildEffort,
    /// What is taken from the imported packages though a component provides it: names of components, or requirements.
    pub bootstrap: Vec<DependencyText>,
    /// What may be in its packages that others may not have. Not in the fingerprint.
    pub allow: Allowed,
    /// How the release number comes about.
    pub release: ReleaseCalculation,
    /// Which files a rendered spec keeps.
    pub file_filter: FileFilter,
}

/// What may be in the packages of a component that others may not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Allowed {
    /// Files that may be setuid or setgid.
    pub setuid: Vec<AbsolutePath>,
    /// Files and folders that everybody may write to.
    pub world_writable: Vec<AbsolutePath>,
    /// Files that may have capabilities.
    pub capabilities: Vec<AbsolutePath>,
    /// Files outside the folders of packages.
    pub outside: Vec<AbsolutePath>,
    /// Names of libraries that may go though the build before had them.
    pub lost_sonames: Vec<String>,
    /// Programs and libraries without a build-id.
    pub without_build_id: Vec<AbsolutePath>,
    /// Files that may name the folder in which they were built.
    pub build_paths: Vec<AbsolutePath>,
}

/// Whether the origin of the sources is put into the package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamProvenance {
    /// It is not.
    #[default]
    Omit,
    /// It is: `emit-upstream-provenance = true`.
    Emit,
}

/// What happens with the `%check` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckPhase {
    /// It runs.
    #[default]
    Run,
    /// It ends at once: `check.skip = true`.
    Skip {
        /// Why. Not in the fingerprint.
        reason: String,
    },
}

/// How a build is expected to end.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectedOutcome {
    /// With packages.
    #[default]
    Success,
    /// With an error: `failure.expected = true`. A build that succeeds all the same is worth a word.
    Failure {
        /// Why.
        reason: String,
    },
}

/// How much time and memory a build takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildEffort {
    /// As much as most.
    #[default]
    Ordinary,
    /// Much more: `hints.expensive = true`. It is worth starting early, and alone.
    Expensive,
}

/// Which files a rendered spec keeps beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFilter {
    /// Those that a `Source` or `Patch` names.
    #[default]
    Referenced,
    /// All: `render.skip-file-filter = true`.
    All,
}

/// A source file that is declared beside the spec.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedSourceFile {
    /// Its name among the sources.
    pub filename: FileName,
    /// The digest that it must have, if one is given.
    pub digest: Option<SourceDigest>,
    /// Where it comes from. Not in the fingerprint.
    pub origin: SourceOrigin,
    /// Whether it takes the place of the upstream's file of the same name.
    pub placement: SourcePlacement,
}

/// The digest of a source file, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceDigest {
    /// SHA-256.
    Sha256(String),
    /// SHA-512.
    Sha512(String),
}

/// Where a source file comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceOrigin {
    /// The lookaside cache, by its digest: it has no `origin`.
    Lookaside,
    /// This address.
    Download {
        /// The address.
        uri: String,
    },
    /// A script of the project.
    Custom {
        /// The script.
        script: PathBuf,
        /// Packages that it needs.
        packages: Vec<String>,
        /// Names of source files that it reads.
        inputs: Vec<FileName>,
    },
    /// The overlays: they change an archive of the upstream to this file.
    Overlay,
    /// A tarball of a Debian source package, from the archive of the distribution's own version.
    DebianSource {
        /// The source package.
        package: PackageName,
        /// Its version; any that has the file if none is named.
        version: Option<SourceVersion>,
        /// The file, as the archive names it.
        file: FileName,
    },
    /// A crate of the registry.
    Crate {
        /// Its name.
        name: PackageName,
        /// Its version, whole.
        version: SourceVersion,
        /// Which file of it.
        part: CratePart,
        /// How a tarball of it is compressed.
        compression: TarballCompression,
    },
}

/// How a tarball that is made here is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TarballCompression {
    /// With zstd.
    Zstd,
    /// With gzip.
    Gzip,
}

impl TarballCompression {
    /// What the end of a file's name says.
    #[must_use]
    pub fn of_name(name: &FileName) -> Option<TarballCompression> {
        let ends = |ends: &[&str]| ends.iter().any(|end| name.as_str().ends_with(end));
        match () {
            () if ends(&[".tar.zst"]) => Some(TarballCompression::Zstd),
            () if ends(&[".tar.gz", ".tgz", ".crate"]) => Some(TarballCompression::Gzip),
            () => None,
        }
    }
}

/// Whether a source file is new among the sources.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourcePlacement {
    /// It is.
    Add,
    /// It takes the place of the upstream's: `replace-upstream = true`.
    Replace {
        /// Why. Not in the fingerprint.
        reason: String,
    },
}

pub(crate) fn resolve_build(config: &schema::Component) -> BuildSettings {
    let build = config.build.clone().unwrap_or_default();
    let check = build.check.unwrap_or_default();
    let failure = build.failure.unwrap_or_default();
    let expensive = build.hints.is_some_and(|hints| hints.expensive == Some(true));
    BuildSettings {
        with: build.with,
        without: build.without,
        defines: build.defines.0,
        undefines: build.undefines,
        upstream_provenance: match build.emit_upstream_provenance {
            Some(true) => UpstreamProvenance::Emit,
            _ => UpstreamProvenance::Omit,
        },
        check: match check.skip {
            Some(true) => CheckPhase::Skip {
                reason: check.skip_reason.unwrap_or_default(),
            },
            _ => CheckPhase::Run,
        },
        outcome: match failure.expected {
            Some(true) => ExpectedOutcome::Failure {
                reason: failure.expected_reason.unwrap_or_default(),
            },
            _ => ExpectedOutcome::Success,
        },
        effort: match expensive {
            true => BuildEffort::Expensive,
            false => BuildEffort::Ordinary,
        },
        bootstrap: build.bootstrap,
        allow: resolve_allow(build.allow.unwrap_or_default()),
        release: config
            .release
            .as_ref()
            .and_then(|release| release.calculation)
            .unwrap_or_default(),
        file_filter: match config.render.as_ref().and_then(|render| render.skip_file_filter) {
            Some(true) => FileFilter::All,
            _ => FileFilter::Referenced,
        },
    }
}

fn resolve_allow(allow: schema::BuildAllow) -> Allowed {
    Allowed {
        setuid: allow.setuid,
        world_writable: allow.world_writable,
        capabilities: allow.capabilities,
        outside: allow.outside,
        lost_sonames: allow.lost_sonames,
        without_build_id: allow.without_build_id,
        build_paths: allow.build_paths,
    }
}

pub(crate) fn resolve_source_file(file: &schema::SourceFile) -> ResolvedSourceFile {
    let digest = file
        .hash
        .as_ref()
        .zip(file.hash_type)
        .map(|(hash, kind)| match kind {
            HashType::Sha256 => SourceDigest::Sha256(hash.as_str().to_ascii_lowercase()),
            HashType::Sha512 => SourceDigest::Sha512(hash.as_str().to_ascii_lowercase()),
        });
    let origin = match &file.origin {
        None => SourceOrigin::Lookaside,
        Some(origin) => resolve_origin(&file.filename, origin),
    };
    ResolvedSourceFile {
        filename: file.filename.clone(),
        digest,
        origin,
        placement: match file.replace_upstream {
            Some(true) => SourcePlacement::Replace {
                reason: file.replace_reason.clone().unwrap_or_default(),
            },
            _ => SourcePlacement::Add,
        },
    }
}

fn resolve_origin(filename: &FileName, origin: &schema::Origin) -> SourceOrigin {
    match (origin.kind, &origin.package, &origin.name, &origin.version) {
        (OriginType::DebianSource, Some(package), ..) => SourceOrigin::DebianSource {
            package: package.clone(),
            version: origin.version.clone(),
            file: origin
                .archive_filename
                .clone()
                .unwrap_or_else(|| filename.clone()),
        },
        (OriginType::Crate, _, Some(name), Some(version)) => SourceOrigin::Crate {
            name: name.clone(),
            version: version.clone(),
            part: origin.part.unwrap_or_default(),
            compression: TarballCompression::of_name(filename).unwrap_or(TarballCompression::Gzip),
        },
        (OriginType::Custom, ..) => SourceOrigin::Custom {
            script: origin
                .script
                .as_ref()
                .map(schema::Local::resolve)
                .unwrap_or_default(),
            packages: [origin.packages.clone(), origin.mock_packages.clone()].concat(),
            inputs: origin.inputs.clone(),
        },
        (OriginType::Overlay, ..) => SourceOrigin::Overlay,
        // The loader has refused a Debian source or a crate without its keys.
        (OriginType::Download | OriginType::DebianSource | OriginType::Crate, ..) => SourceOrigin::Download {
            uri: origin.uri.clone().unwrap_or_default(),
        },
    }
}
