//! What a repository says of one package.

use crate::Checksum;
use lazuli_rpm::{ChangelogEntry, Dependency, FileEntry, FileFlags, Metadata, Nevra, Sense};
use std::collections::HashSet;
use std::ops::Range;

/// How a path is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file, a link, a device.
    File,
    /// A directory.
    Dir,
    /// A path that the package owns but does not carry (`%ghost`).
    Ghost,
}

/// One path of a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordFile {
    /// Absolute path. Bytes that are not UTF-8 were replaced, since XML cannot hold them.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
}

/// Which paths [`PackageRecord::files`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileCoverage {
    /// Only those that [`is_primary_file`] picks.
    Primary,
    /// All.
    All,
}

/// Times in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordTime {
    /// Modification time of the package file in the repository.
    pub file: u64,
    /// When the package was built.
    pub build: u64,
}

/// Sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordSize {
    /// Of the package file.
    pub package: u64,
    /// Of all its content once installed.
    pub installed: u64,
    /// Of its uncompressed payload.
    pub archive: u64,
}

/// What a repository says of one package.
///
/// Dependencies keep the order of the header. A requirement that must be there before the package is laid down
/// (`pre="1"` in XML) has [`Sense::PREREQ`]; no other sense bit survives rpm-md.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRecord {
    /// Name, EVR, architecture (`src` for source packages).
    pub nevra: Nevra,
    /// Of the whole package file; for an installed package of its header.
    pub checksum: Checksum,
    /// Path of the package file, relative to the repository's root (or to `base`).
    pub location: String,
    /// `xml:base` of the location, which few repositories use.
    pub base: Option<String>,
    /// One line.
    pub summary: String,
    /// Many lines.
    pub description: String,
    /// Home page.
    pub url: String,
    /// SPDX expression.
    pub license: String,
    /// Who ships it.
    pub vendor: String,
    /// RPM group.
    pub group: String,
    /// Where it was built.
    pub build_host: String,
    /// Name of the source package file; empty for source packages.
    pub source_rpm: String,
    /// Who made it.
    pub packager: String,
    /// When.
    pub time: RecordTime,
    /// How large.
    pub size: RecordSize,
    /// Where the main header lies in the package file.
    pub header_range: Range<u64>,
    /// Provides.
    pub provides: Vec<Dependency>,
    /// Requires.
    pub requires: Vec<Dependency>,
    /// Conflicts.
    pub conflicts: Vec<Dependency>,
    /// Obsoletes.
    pub obsoletes: Vec<Dependency>,
    /// Recommends.
    pub recommends: Vec<Dependency>,
    /// Suggests.
    pub suggests: Vec<Dependency>,
    /// Supplements.
    pub supplements: Vec<Dependency>,
    /// Enhances.
    pub enhances: Vec<Dependency>,
    /// Paths, in the header's order.
    pub files: Vec<RecordFile>,
    /// Which paths `files` holds.
    pub coverage: FileCoverage,
    /// Changelog, newest first; empty unless read from a package or from `other.xml`.
    pub changelogs: Vec<ChangelogEntry>,
}

/// What a repository says of a package file that is not in the package's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Of the whole file.
    pub checksum: Checksum,
    /// Path relative to the repository's root.
    pub location: String,
    /// Size of the package file in bytes.
    pub package_size: u64,
    /// Size of the uncompressed payload in bytes; 0 if unknown.
    pub archive_size: u64,
    /// Installed size from the header; `None` to sum up the files.
    pub installed_size: Option<u64>,
    /// Byte range of the main header in the file.
    pub header_range: Range<u64>,
    /// Modification time of the file, seconds since 1970.
    pub file_time: u64,
}

/// Whether a path goes into `primary.xml`, so that file requirements on it need no filelists.
///
/// The rule of rpm-md: all below `/etc/`, everything with `bin/` in its path, and `/usr/lib/sendmail`.
pub fn is_primary_file(path: &str) -> bool {
    path.starts_with("/etc/") || path.contains("bin/") || path == "/usr/lib/sendmail"
}

impl PackageRecord {
    /// A record of which nothing else is known.
    pub fn new(nevra: Nevra, checksum: Checksum, location: impl Into<String>) -> Self {
        Self {
            nevra,
            checksum,
            location: location.into(),
            base: None,
            summary: String::new(),
            description: String::new(),
            url: String::new(),
            license: String::new(),
            vendor: String::new(),
            group: String::new(),
            build_host: String::new(),
            source_rpm: String::new(),
            packager: String::new(),
            time: RecordTime::default(),
            size: RecordSize::default(),
            header_range: 0..0,
            provides: Vec::new(),
            requires: Vec::new(),
            conflicts: Vec::new(),
            obsoletes: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            supplements: Vec::new(),
            enhances: Vec::new(),
            files: Vec::new(),
            coverage: FileCoverage::Primary,
            changelogs: Vec::new(),
        }
    }

    /// The record of a package file, with all its files and changelogs.
    pub fn from_metadata(metadata: &Metadata, facts: FileFacts) -> Self {
        let files: Vec<RecordFile> = metadata.files.iter().map(record_file).collect();
        Self {
            nevra: metadata.nevra.clone(),
            checksum: facts.checksum,
            location: facts.location,
            base: None,
            summary: metadata.summary.clone(),
            description: metadata.description.clone(),
            url: metadata.url.clone(),
            license: metadata.license.clone(),
            vendor: metadata.vendor.clone(),
            group: metadata.group.clone(),
            build_host: metadata.build_host.clone(),
            source_rpm: metadata.source_rpm.clone().unwrap_or_default(),
            packager: metadata.packager.clone(),
            time: RecordTime {
                file: facts.file_time,
                build: u64::from(metadata.build_time),
            },
            size: RecordSize {
                package: facts.package_size,
                installed: facts
                    .installed_size
                    .unwrap_or_else(|| installed_size(&metadata.files)),
                archive: facts.archive_size,
            },
            header_range: facts.header_range,
            provides: listed(&metadata.provides),
            requires: listed_requires(metadata, &files),
            conflicts: listed(&metadata.conflicts),
            obsoletes: listed(&metadata.obsoletes),
            recommends: listed(&metadata.recommends),
            suggests: listed(&metadata.suggests),
            supplements: listed(&metadata.supplements),
            enhances: listed(&metadata.enhances),
            files,
            coverage: FileCoverage::All,
            changelogs: metadata.changelog.clone(),
        }
    }

    /// The record of an installed package, which has no file in any repository. `header_digest` is the SHA-256 of
    /// its header, as the rpm database keeps it.
    pub fn installed(metadata: &Metadata, header_digest: [u8; 32]) -> Self {
        let facts = FileFacts {
            checksum: Checksum::sha256(header_digest),
            location: String::new(),
            package_size: 0,
            archive_size: 0,
            installed_size: None,
            header_range: 0..0,
            file_time: 0,
        };
        Self::from_metadata(metadata, facts)
    }

    /// The paths that belong into `primary.xml`.
    pub fn primary_files(&self) -> impl Iterator<Item = &RecordFile> {
        self.files.iter().filter(|file| is_primary_file(&file.path))
    }

    /// Whether this is a source package.
    pub fn is_source(&self) -> bool {
        matches!(self.nevra.arch.as_str(), "src" | "nosrc")
    }
}

/// Bytes of all regular files, where hard links count once.
fn installed_size(files: &[FileEntry]) -> u64 {
    let mut seen = HashSet::new();
    files
        .iter()
        .filter(|file| file.mode & S_IFMT == S_IFREG && !file.flags.contains(FileFlags::GHOST))
        .filter(|file| file.inode == 0 || seen.insert(file.inode))
        .map(|file| file.size)
        .sum()
}

/// `st_mode`: the file type bits, a regular file, a directory.
const S_IFMT: u16 = 0o170_000;
const S_IFREG: u16 = 0o100_000;
const S_IFDIR: u16 = 0o040_000;

fn record_file(entry: &FileEntry) -> RecordFile {
    let kind = if entry.mode & S_IFMT == S_IFDIR {
        FileKind::Dir
    } else if entry.flags.contains(FileFlags::GHOST) {
        FileKind::Ghost
    } else {
        FileKind::File
    };
    RecordFile {
        path: to_text(&entry.path),
        kind,
    }
}

/// As text, for XML: bytes that are not UTF-8 are taken for Latin-1, as createrepo_c does.
fn to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Without the sense bits, which rpm-md does not carry; each once.
fn listed(dependencies: &[Dependency]) -> Vec<Dependency> {
    let mut seen = HashSet::with_capacity(dependencies.len());
    let plain = dependencies.iter().map(|one| Dependency {
        sense: Sense::empty(),
        ..one.clone()
    });
    plain.filter(|one| seen.insert(one.clone())).collect()
}

/// Requirements that are needed before the package's files or scripts, in the sense of `pre="1"`.
const PRE: Sense = Sense::PREREQ.union(Sense::SCRIPT_PRE).union(Sense::SCRIPT_POST);

/// As [`listed`], with pre-requirements marked, and without what createrepo_c leaves out: `rpmlib(…)`, which only rpm
/// itself meets, and what the package provides itself.
///
/// Off-spec: createrepo_c also keeps only the highest `libc.so.6(…)`. We keep all: they are true, and cheap.
fn listed_requires(metadata: &Metadata, files: &[RecordFile]) -> Vec<Dependency> {
    let own: HashSet<(&str, Option<&_>)> = metadata
        .provides
        .iter()
        .map(|one| (one.name.as_str(), one.constraint.as_ref()))
        .collect();
    let own_files: HashSet<&str> = files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| is_primary_file(path))
        .collect();
    let mut seen = HashSet::with_capacity(metadata.requires.len());
    let mut result = Vec::with_capacity(metadata.requires.len());
    for one in &metadata.requires {
        let is_rpmlib = one.sense.contains(Sense::RPMLIB) || one.name.starts_with("rpmlib(");
        let is_own = own.contains(&(one.name.as_str(), one.constraint.as_ref()))
            || (one.constraint.is_none() && own_files.contains(one.name.as_str()));
        if is_rpmlib || is_own {
            continue;
        }
        let sense = if one.sense.intersects(PRE) {
            Sense::PREREQ
        } else {
            Sense::empty()
        };
        let plain = Dependency { sense, ..one.clone() };
        if seen.insert(plain.clone()) {
            result.push(plain);
        }
    }
    result
}
