//! Source packages of a Debian archive: `Sources` lists (Debian's wiki, DebianRepository/Format, "Sources indices").

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use lazuli_catalog::SuiteName;
use lazuli_deb::{PackageName, Paragraph, Sha256Digest, Version, parse_paragraph};

use crate::apt::ListKind;
use crate::archive::{DebianArchive, Freshness};
use crate::error::UpstreamError;
use crate::index::PackagesText;
use crate::progress::{OnProgress, Progress};
use crate::settings::Settings;

/// The most files of a source package; real ones have below 20.
const MAX_FILES: usize = 1000;

/// The source packages of a Debian archive.
#[derive(Debug)]
pub struct SourceArchive {
    archive: DebianArchive,
}

/// All source packages of the configured suites, by name.
#[derive(Debug)]
pub struct SourceIndex {
    suites: Vec<SuiteName>,
    lists: Vec<PackagesText>,
    /// For each name which list, and where in it the paragraph is.
    names: HashMap<String, Vec<(usize, Range<usize>)>>,
}

/// Which files of a source package are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFiles {
    /// All.
    All,
    /// The upstream's own tarballs only; of a native package its only one. The signed list names their digests, so that the
    /// `.dsc` is not needed.
    Pristine,
}

/// One version of one source package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePackage {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// The suite whose list has it.
    pub suite: SuiteName,
    /// `Format`: `3.0 (quilt)`
    pub format: String,
    /// The `.dsc`, as the signed list names it.
    pub dsc: SourcePackageFile,
    /// All other files, as the signed list names them.
    pub others: Vec<SourcePackageFile>,
}

/// A file of a source package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePackageFile {
    /// Its name, which has no folder in it.
    pub name: String,
    /// Its digest.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl SourceArchive {
    /// Prepares the cache folder and finds the mirrors. Nothing is fetched. The architecture of the settings has no part
    /// in it.
    pub fn open(settings: Settings) -> Result<Self, UpstreamError> {
        let archive = DebianArchive::open_lists(settings, ListKind::Source)?;
        Ok(Self { archive })
    }

    /// Whether there are lists in the cache.
    pub fn is_fetched(&self) -> bool {
        self.archive.is_fetched()
    }

    /// The index of all source packages, checked from the signatures on.
    pub fn index(
        &self,
        freshness: Freshness,
        progress: OnProgress<'_>,
    ) -> Result<SourceIndex, UpstreamError> {
        if freshness == Freshness::Newest || !self.is_fetched() {
            self.archive.update(progress)?;
        }
        let suites = self.archive.settings().suites.iter();
        let suites = suites.map(|suite| suite.name.clone()).collect();
        let index = SourceIndex::new(suites, self.archive.verified_lists()?);
        progress(&Progress::Indexing {
            packages: index.names.len(),
        });
        Ok(index)
    }

    /// Fetches files of a package into a folder, by `apt-get source --download-only`. They are not checked here beyond
    /// what apt does; from a `file:` mirror they may be links to its files.
    pub fn download(
        &self,
        package: &SourcePackage,
        files: SourceFiles,
        into: &Path,
        progress: OnProgress<'_>,
    ) -> Result<(), UpstreamError> {
        let _lock = self.archive.lock()?;
        let total = package.files(files).map(|file| file.size).sum::<u64>();
        let mut report = |fraction: f32| {
            progress(&Progress::Fetching {
                packages: 1,
                done: ((total as f64 * f64::from(fraction)) as u64).min(total),
                total,
            });
        };
        let wanted = format!("{}={}", package.name, package.version);
        self.archive.apt().fetch_source(&wanted, files, into, &mut report)
    }
}

impl SourceIndex {
    fn new(suites: Vec<SuiteName>, lists: Vec<PackagesText>) -> Self {
        let mut names: HashMap<String, Vec<(usize, Range<usize>)>> = HashMap::new();
        for (number, list) in lists.iter().enumerate() {
            let mut start = 0;
            for text in list.text.split("\n\n") {
                let range = start..start + text.len();
                start = range.end + 2;
                let name = text.lines().find_map(|line| line.strip_prefix("Package:"));
                if let Some(name) = name {
                    names
                        .entry(name.trim().to_owned())
                        .or_default()
                        .push((number, range));
                }
            }
        }
        Self { suites, lists, names }
    }

    /// How many source packages there are, whatever their versions.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All versions of a package, the newest first; of the same version, the first suite's.
    pub fn versions(&self, name: &PackageName) -> Result<Vec<SourcePackage>, UpstreamError> {
        let mut versions: Vec<SourcePackage> = Vec::new();
        for (number, range) in self.names.get(name.as_str()).into_iter().flatten() {
            let list = self.lists.get(*number);
            let text = list.and_then(|list| Some((list, list.text.get(range.clone())?)));
            let Some((list, text)) = text else { continue };
            let package = self.parse(list, name, text)?;
            if !versions.iter().any(|other| other.version == package.version) {
                versions.push(package);
            }
        }
        versions.sort_by(|a, b| b.version.cmp(&a.version));
        Ok(versions)
    }

    fn parse(
        &self,
        list: &PackagesText,
        name: &PackageName,
        text: &str,
    ) -> Result<SourcePackage, UpstreamError> {
        let control = |source| UpstreamError::Control {
            file: list.file.clone(),
            source,
        };
        let entry = |reason| UpstreamError::Entry {
            file: list.file.clone(),
            package: name.to_string(),
            reason,
        };
        let paragraph = parse_paragraph(text).map_err(control)?;
        let version = paragraph.required("Version").map_err(control)?;
        let suite = self.suites.get(list.suite).cloned();
        let (dsc, others) = files(&paragraph).map_err(entry)?;
        Ok(SourcePackage {
            name: name.clone(),
            version: Version::parse(version).map_err(|_| entry("the field `Version` is no version"))?,
            suite: suite.ok_or_else(|| entry("its list belongs to no suite"))?,
            format: paragraph.get("Format").unwrap_or("1.0").to_owned(),
            dsc,
            others,
        })
    }
}

/// `Checksums-Sha256`: lines of `DIGEST SIZE NAME` (deb-src-control(5), dsc(5)).
///
/// Gives the `.dsc` and the others.
fn files(paragraph: &Paragraph<'_>) -> Result<(SourcePackageFile, Vec<SourcePackageFile>), &'static str> {
    let list = paragraph
        .get("Checksums-Sha256")
        .ok_or("it has no field `Checksums-Sha256`")?;
    let mut files: Vec<SourcePackageFile> = Vec::new();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [digest, size, name] = words[..] else {
            return Err("the field `Checksums-Sha256` has a line that is no `DIGEST SIZE NAME`");
        };
        if name.contains('/') || name.starts_with('.') {
            return Err("the field `Checksums-Sha256` names a file that leads elsewhere");
        }
        if files.len() == MAX_FILES || files.iter().any(|file| file.name == name) {
            return Err("the field `Checksums-Sha256` has too many files, or one of them twice");
        }
        files.push(SourcePackageFile {
            name: name.to_owned(),
            sha256: digest
                .parse()
                .map_err(|_| "the field `Checksums-Sha256` has no SHA-256 digest")?,
            size: size
                .parse()
                .map_err(|_| "the field `Checksums-Sha256` has a size that is no number")?,
        });
    }
    let (mut dsc, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.name.ends_with(".dsc"));
    match (dsc.pop(), dsc.is_empty()) {
        (Some(dsc), true) => Ok((dsc, others)),
        _ => Err("the field `Checksums-Sha256` does not name exactly one .dsc"),
    }
}

impl SourcePackage {
    /// The files that are wanted, the `.dsc` first.
    pub fn files(&self, wanted: SourceFiles) -> impl Iterator<Item = &SourcePackageFile> {
        let all = std::iter::once(&self.dsc).chain(&self.others);
        all.filter(move |file| wanted == SourceFiles::All || self.is_pristine(file))
    }

    /// Whether a file is a tarball of the upstream: `NAME_VERSION.orig.tar.*`, `NAME_VERSION.orig-COMPONENT.tar.*`, or the
    /// only tarball of a native package (dpkg-source(1), "Format: 3.0").
    pub fn is_pristine(&self, file: &SourcePackageFile) -> bool {
        let name = file.name.as_str();
        let native = self.format.contains("native") || self.format == "1.0" && self.others.len() == 1;
        let tarball = name.contains(".tar.") && !name.ends_with(".asc") && !name.ends_with(".sig");
        tarball && (native || name.contains(".orig.tar.") || name.contains(".orig-"))
    }

    /// Checks that a `.dsc`, whose own digest has been checked, names the same files as the signed list does. Its own
    /// signature is that of whoever uploaded it: the archive vouches for it.
    pub fn check_dsc(&self, dsc: &[u8]) -> Result<(), UpstreamError> {
        let malformed = |reason| UpstreamError::Entry {
            file: self.dsc.name.clone(),
            package: self.name.to_string(),
            reason,
        };
        let text = std::str::from_utf8(dsc).map_err(|_| malformed("it is no UTF-8"))?;
        let control = |source| UpstreamError::Control {
            file: self.dsc.name.clone(),
            source,
        };
        let paragraph = parse_paragraph(signed_text(text)).map_err(control)?;
        if paragraph.get("Source") != Some(self.name.as_str())
            || paragraph.get("Version") != Some(self.version.as_str())
        {
            return Err(malformed(
                "it is of another package or version than the list says",
            ));
        }
        let list = paragraph
            .get("Checksums-Sha256")
            .ok_or_else(|| malformed("it has no field `Checksums-Sha256`"))?;
        let mut named: Vec<Vec<&str>> = list
            .lines()
            .map(|line| line.split_ascii_whitespace().collect())
            .filter(|words: &Vec<&str>| !words.is_empty())
            .collect();
        let texts: Vec<[String; 3]> = self
            .others
            .iter()
            .map(|file| [file.sha256.to_string(), file.size.to_string(), file.name.clone()])
            .collect();
        let mut listed: Vec<Vec<&str>> = texts
            .iter()
            .map(|words| words.iter().map(String::as_str).collect())
            .collect();
        named.sort();
        listed.sort();
        match named == listed {
            true => Ok(()),
            false => Err(malformed("it names other files than the list does")),
        }
    }
}

/// What stands within a cleartext signature (RFC 9580, section 7), if there is one.
fn signed_text(text: &str) -> &str {
    let Some(message) = text.strip_prefix("-----BEGIN PGP SIGNED MESSAGE-----") else {
        return text;
    };
    let content = message.split_once("\n\n").map_or("", |(_, content)| content);
    let end = content.find("\n-----BEGIN PGP SIGNATURE-----");
    end.and_then(|end| content.get(..end)).unwrap_or(content)
}
