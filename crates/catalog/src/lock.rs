//! Lock files: exactly which bytes of an upstream a build uses.
//!
//! There is one for each version of a distribution and each architecture, `locks/VERSION/debian-ARCH.lock`, in TOML. One
//! line is one package and the lines are sorted, so that a diff reads well and two branches that update different
//! packages merge by themselves:
//!
//! ```toml
//! schema = 1
//! distro = "lazuli"
//! version = "2"
//! architecture = "x86_64"
//!
//! [suites]
//! trixie = { date = "2025-09-06T10:33:46Z", inrelease-sha256 = "…" }
//!
//! [packages]
//! bash = { version = "5.2.37-2+b5", arch = "amd64", size = 1499632, sha256 = "…", file = "pool/main/b/bash/….deb", source-version = "5.2.37-2" }
//! ```
//!
//! A second table, `[build-packages]`, has in the same form what only buildroots need: an image is built without it.
//!
//! The date and digest of each suite's signed `InRelease` say what the lock was resolved from. `source` and
//! `source-version` are left out where they are the package's own name and version.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Diagnostics, Location};
use crate::value::{
    Architecture, DebianArchitecture, DebianVersion, DistroName, DistroVersion, PackageName, PoolPath,
    Sha256Digest, SuiteName, Timestamp,
};

/// The version of the format that this crate reads and writes.
const SCHEMA: u32 = 1;

/// A lock: every input of a distribution version on one architecture, by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockFile {
    /// The distribution.
    pub distro: DistroName,
    /// Its version.
    pub version: DistroVersion,
    /// The architecture.
    pub architecture: Architecture,
    /// The suites that it was resolved from.
    pub suites: BTreeMap<SuiteName, LockedSuite>,
    /// The upstream's binary packages that the distribution is made of.
    pub packages: BTreeMap<PackageName, LockedPackage>,
    /// Those that only buildroots need; none of them is in `packages`.
    pub build_packages: BTreeMap<PackageName, LockedPackage>,
}

/// The state of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedSuite {
    /// The `Date` of its `InRelease`.
    pub date: Timestamp,
    /// The digest of its `InRelease`.
    pub inrelease_sha256: Sha256Digest,
}

/// A binary package of the upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockedPackage {
    /// Its version: `[epoch:]upstream[-revision]`.
    pub version: DebianVersion,
    /// Its architecture: `amd64`, `all`.
    pub architecture: DebianArchitecture,
    /// Size of the `.deb` in bytes.
    pub size: u64,
    /// Digest of the `.deb`.
    pub sha256: Sha256Digest,
    /// Where it is in the archive: `pool/main/b/bash/….deb`.
    pub filename: PoolPath,
    /// The source package that it was built from.
    pub source: PackageName,
    /// The version of that source package.
    pub source_version: DebianVersion,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Document {
    schema: u32,
    distro: DistroName,
    version: DistroVersion,
    architecture: Architecture,
    #[serde(default)]
    suites: BTreeMap<SuiteName, LockedSuite>,
    #[serde(default)]
    packages: BTreeMap<PackageName, Entry>,
    #[serde(default)]
    build_packages: BTreeMap<PackageName, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    version: DebianVersion,
    arch: DebianArchitecture,
    size: u64,
    sha256: Sha256Digest,
    file: PoolPath,
    source: Option<PackageName>,
    source_version: Option<DebianVersion>,
}

/// The first key of every lock, of whatever version.
#[derive(Deserialize)]
struct AnySchema {
    schema: u32,
}

impl LockFile {
    /// A lock with nothing in it.
    #[must_use]
    pub fn new(distro: DistroName, version: DistroVersion, architecture: Architecture) -> LockFile {
        LockFile {
            distro,
            version,
            architecture,
            suites: BTreeMap::new(),
            packages: BTreeMap::new(),
            build_packages: BTreeMap::new(),
        }
    }

    /// Parses a lock; `path` is for messages only.
    ///
    /// # Errors
    /// It is not TOML, of a version that is not known, or a value is missing or wrong; the place is named.
    pub fn parse_file(path: &Path, text: &str) -> Result<LockFile, Diagnostics> {
        let refuse = |error: toml::de::Error| {
            let location = Location::new(path, text, error.span().unwrap_or(0..0));
            let help =
                "lock files are written by `lazuli component update`; after a merge conflict, run it again";
            Diagnostics::from(Diagnostic::new(error.message().replace('\n', "; "), location).help(help))
        };
        // A newer format must be named as such, before its keys are called unknown.
        let AnySchema { schema } = toml::from_str(text).map_err(refuse)?;
        if schema != SCHEMA {
            let start = text.find("schema").unwrap_or(0);
            let message = format!("lock files of format {schema} are not known");
            let location = Location::new(path, text, start..start + "schema".len());
            let help = format!("this program reads format {SCHEMA}; a newer one made this file");
            return Err(Diagnostic::new(message, location).help(help).into());
        }
        let document: Document = toml::from_str(text).map_err(refuse)?;
        debug_assert_eq!(document.schema, SCHEMA);
        let both = document
            .build_packages
            .iter()
            .find(|(name, _)| document.packages.contains_key(*name));
        if let Some((name, _)) = both {
            let start = text.find("[build-packages]").unwrap_or(0);
            let message = format!("package `{name}` is locked twice: for the distribution and for builds");
            let location = Location::new(path, text, start..start + "[build-packages]".len());
            let help = "run `lazuli component update`, which writes it once";
            return Err(Diagnostic::new(message, location).help(help).into());
        }
        Ok(LockFile {
            distro: document.distro,
            version: document.version,
            architecture: document.architecture,
            suites: document.suites,
            packages: packages(document.packages),
            build_packages: packages(document.build_packages),
        })
    }

    /// Parses a lock that is not a file.
    ///
    /// # Errors
    /// As [`parse_file`](Self::parse_file).
    pub fn parse(text: &str) -> Result<LockFile, Diagnostics> {
        Self::parse_file(Path::new("lock"), text)
    }

    /// The newest date of the suites, in seconds since 1970: the time that builds with this lock write into files.
    #[must_use]
    pub fn newest_time(&self) -> Option<i64> {
        self.suites.values().map(|suite| suite.date.unix()).max()
    }

    /// A package, whoever it is for.
    #[must_use]
    pub fn get(&self, name: &PackageName) -> Option<&LockedPackage> {
        self.packages.get(name).or_else(|| self.build_packages.get(name))
    }

    /// All packages: first those of the distribution, then those of buildroots.
    pub fn all(&self) -> impl Iterator<Item = (&PackageName, &LockedPackage)> {
        self.packages.iter().chain(&self.build_packages)
    }

    /// What is different in `new`.
    #[must_use]
    pub fn diff(old: &LockFile, new: &LockFile) -> LockDiff {
        let mut diff = LockDiff::default();
        for (name, package) in new.all() {
            match old.get(name) {
                None => diff.added.push((name.clone(), package.clone())),
                Some(before) if before != package => {
                    diff.changed.push(LockChange {
                        name: name.clone(),
                        old: before.clone(),
                        new: package.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        let gone = old.all().filter(|(name, _)| new.get(name).is_none());
        diff.removed
            .extend(gone.map(|(name, package)| (name.clone(), package.clone())));
        diff
    }
}

/// The text of the lock: the same for the same lock, on every run.
impl fmt::Display for LockFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No value has quotation marks, backslashes or control characters in it: their types refuse them.
        writeln!(
            out,
            "# Written by `lazuli component update`. Merge line by line; never edit by hand."
        )?;
        writeln!(out, "schema = {SCHEMA}")?;
        writeln!(out, "distro = \"{}\"", self.distro)?;
        writeln!(out, "version = \"{}\"", self.version)?;
        writeln!(out, "architecture = \"{}\"", self.architecture)?;
        writeln!(out, "\n[suites]")?;
        for (name, suite) in &self.suites {
            let LockedSuite {
                date,
                inrelease_sha256,
            } = suite;
            writeln!(
                out,
                "{} = {{ date = \"{date}\", inrelease-sha256 = \"{inrelease_sha256}\" }}",
                key(name.as_str())
            )?;
        }
        writeln!(out, "\n[packages]")?;
        write_packages(out, &self.packages)?;
        if !self.build_packages.is_empty() {
            writeln!(out, "\n[build-packages]")?;
            write_packages(out, &self.build_packages)?;
        }
        Ok(())
    }
}

fn write_packages(
    out: &mut fmt::Formatter<'_>,
    packages: &BTreeMap<PackageName, LockedPackage>,
) -> fmt::Result {
    for (name, package) in packages {
        let LockedPackage {
            version,
            architecture,
            size,
            sha256,
            filename,
            source,
            source_version,
        } = package;
        write!(
            out,
            "{} = {{ version = \"{version}\", arch = \"{architecture}\", ",
            key(name.as_str())
        )?;
        write!(out, "size = {size}, sha256 = \"{sha256}\", file = \"{filename}\"")?;
        if source != name {
            write!(out, ", source = \"{source}\"")?;
        }
        if source_version != version {
            write!(out, ", source-version = \"{source_version}\"")?;
        }
        writeln!(out, " }}")?;
    }
    Ok(())
}

/// What a table of the file says, with what it leaves out filled in.
fn packages(entries: BTreeMap<PackageName, Entry>) -> BTreeMap<PackageName, LockedPackage> {
    let package = |(name, entry): (PackageName, Entry)| {
        let package = LockedPackage {
            source: entry.source.unwrap_or_else(|| name.clone()),
            source_version: entry.source_version.unwrap_or_else(|| entry.version.clone()),
            version: entry.version,
            architecture: entry.arch,
            size: entry.size,
            sha256: entry.sha256,
            filename: entry.file,
        };
        (name, package)
    };
    entries.into_iter().map(package).collect()
}

/// A TOML key, in quotation marks only where it must be.
fn key(name: &str) -> String {
    match name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    {
        true => name.to_owned(),
        false => format!("\"{name}\""),
    }
}

/// A package that two locks have differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockChange {
    /// Its name.
    pub name: PackageName,
    /// What it was.
    pub old: LockedPackage,
    /// What it is.
    pub new: LockedPackage,
}

/// The difference of two locks, each list sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockDiff {
    /// Packages that came.
    pub added: Vec<(PackageName, LockedPackage)>,
    /// Packages that went.
    pub removed: Vec<(PackageName, LockedPackage)>,
    /// Packages that changed.
    pub changed: Vec<LockChange>,
}

impl LockDiff {
    /// Whether the packages are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// One line for each package, without a final line end.
impl fmt::Display for LockDiff {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<(&PackageName, String)> = Vec::new();
        lines.extend(
            self.added
                .iter()
                .map(|(name, package)| (name, format!("+ {name} {}", package.version))),
        );
        lines.extend(
            self.removed
                .iter()
                .map(|(name, package)| (name, format!("- {name} {}", package.version))),
        );
        lines.extend(self.changed.iter().map(|LockChange { name, old, new }| {
            let what = match (old.version != new.version, old.sha256 != new.sha256) {
                (true, _) => format!("{} → {}", old.version, new.version),
                (false, true) => format!("{} (same version, other content)", new.version),
                (false, false) => format!("{} (same content, described otherwise)", new.version),
            };
            (name, format!("~ {name} {what}"))
        }));
        lines.sort();
        let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
        out.write_str(&lines.join("\n"))
    }
}
