//! All binary packages of the configured suites.
//!
//! The index is one block of bytes: the paragraphs of the packages, cut down to the fields that matter here, then the
//! names of what they provide. Tables of offsets point into it. Nothing is decoded before it is asked for, so that
//! 70,000 packages load in some ten milliseconds.

mod build;
mod format;

use lazuli_catalog::SuiteName;
use lazuli_deb::{Binary, BinaryError, PackageName, Sha256Digest, Version, parse_paragraph};

use crate::error::UpstreamError;
use crate::lock::LockedPackage;

pub(crate) use build::{PackagesText, build};
pub(crate) use format::{decode, encode};

/// What errors call the index.
const NAME: &str = "the index of the archive";

/// Where something is in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    offset: u32,
    length: u32,
}

/// One version of one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    /// The whole paragraph.
    paragraph: Span,
    name: Span,
    version: Span,
    /// Which suite, by its place in the settings.
    suite: u32,
}

/// A name that a package provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ProviderRow {
    name: Span,
    /// Which row.
    row: u32,
}

/// All binary packages of the configured suites, by name.
#[derive(Debug, Clone)]
pub struct Index {
    suites: Vec<SuiteName>,
    /// UTF-8; not checked as a whole when it is loaded, but each piece when it is used.
    text: Vec<u8>,
    /// By name, the newest version first; of the same version, the first suite's.
    rows: Vec<Row>,
    /// By name provided, then by row.
    providers: Vec<ProviderRow>,
}

/// One version of one package of an [`Index`].
#[derive(Debug, Clone, Copy)]
pub struct IndexEntry<'i> {
    index: &'i Index,
    row: u32,
}

/// A package that provides a virtual one.
#[derive(Debug, Clone)]
pub struct Provider<'i> {
    /// The package, its newest version.
    pub entry: IndexEntry<'i>,
    /// The version of the virtual package, if it says one.
    pub version: Option<Version>,
}

impl Index {
    /// How many versions of packages there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The newest version of a package.
    pub fn get(&self, name: &str) -> Option<IndexEntry<'_>> {
        self.versions(name).next()
    }

    /// All versions of a package, the newest first.
    pub fn versions(&self, name: &str) -> impl ExactSizeIterator<Item = IndexEntry<'_>> {
        let from = self
            .rows
            .partition_point(|row| self.bytes(row.name) < name.as_bytes());
        let count = self.rows[from..].partition_point(|row| self.bytes(row.name) == name.as_bytes());
        (from..from + count).map(|row| self.entry(row))
    }

    /// The package with that name and digest, whichever version it is.
    pub fn find(&self, name: &str, sha256: &Sha256Digest) -> Option<IndexEntry<'_>> {
        let digest = sha256.to_string();
        self.versions(name)
            .find(|entry| entry.field("SHA256") == Some(digest.as_str()))
    }

    /// The packages whose newest version provides a name, by name. A real package of that name is not among them.
    pub fn providers(&self, name: &str) -> Result<Vec<Provider<'_>>, UpstreamError> {
        let from = self
            .providers
            .partition_point(|row| self.bytes(row.name) < name.as_bytes());
        let count = self.providers[from..].partition_point(|row| self.bytes(row.name) == name.as_bytes());
        let mut providers = Vec::new();
        for row in &self.providers[from..from + count] {
            let entry = self.entry(row.row as usize);
            // Only newest versions provide anything: the others would not be chosen.
            if self
                .get(entry.name())
                .is_some_and(|newest| newest.row != entry.row)
            {
                continue;
            }
            let binary = entry.binary()?;
            let provided = binary
                .provides
                .iter()
                .flatten()
                .filter(|provided| provided.name.as_str() == name);
            providers.extend(provided.map(|provided| {
                Provider {
                    entry,
                    version: provided
                        .constraint
                        .as_ref()
                        .map(|constraint| constraint.version.clone()),
                }
            }));
        }
        Ok(providers)
    }

    /// The newest version of every package, by name.
    pub fn iter(&self) -> impl Iterator<Item = IndexEntry<'_>> {
        self.iter_all().filter(|entry| {
            let before = entry.row.checked_sub(1).map(|row| self.entry(row as usize));
            before.is_none_or(|before| before.name() != entry.name())
        })
    }

    /// Every version of every package, by name, the newest first.
    pub fn iter_all(&self) -> impl Iterator<Item = IndexEntry<'_>> {
        (0..self.rows.len()).map(|row| self.entry(row))
    }

    /// The packages whose name or synopsis holds a text, in any case of letters, by name.
    pub fn search(&self, text: &str) -> Vec<IndexEntry<'_>> {
        let text = text.to_lowercase();
        let holds = |entry: &IndexEntry<'_>| {
            entry.name().contains(&text) || entry.synopsis().to_lowercase().contains(&text)
        };
        self.iter().filter(holds).collect()
    }

    /// The newest versions of packages, for a lock. Names that do not exist are all in the error.
    pub fn resolve<'n>(
        &self,
        names: impl IntoIterator<Item = &'n PackageName>,
    ) -> Result<Vec<LockedPackage>, UpstreamError> {
        let (mut locked, mut unknown) = (Vec::new(), Vec::new());
        for name in names {
            match self.get(name.as_str()) {
                Some(entry) => locked.push(entry.locked()?),
                None => unknown.push(name.clone()),
            }
        }
        match unknown.is_empty() {
            true => Ok(locked),
            false => Err(UpstreamError::Unknown { names: unknown }),
        }
    }

    fn entry(&self, row: usize) -> IndexEntry<'_> {
        // Row numbers come from this very index, and `decode` checks that there are no more than fit.
        IndexEntry {
            index: self,
            row: row as u32,
        }
    }

    /// Spans were checked when the index was made or decoded; a wrong one is an empty text, not a panic.
    fn slice(&self, span: Span) -> &str {
        std::str::from_utf8(self.bytes(span)).unwrap_or("")
    }

    fn bytes(&self, span: Span) -> &[u8] {
        let from = span.offset as usize;
        self.text.get(from..from + span.length as usize).unwrap_or(&[])
    }
}

impl<'i> IndexEntry<'i> {
    fn row(&self) -> &'i Row {
        &self.index.rows[self.row as usize]
    }

    /// The name of the package.
    pub fn name(&self) -> &'i str {
        self.index.slice(self.row().name)
    }

    /// The text of its version.
    pub fn version_text(&self) -> &'i str {
        self.index.slice(self.row().version)
    }

    /// Its version.
    pub fn version(&self) -> Result<Version, UpstreamError> {
        Version::parse(self.version_text()).map_err(|source| UpstreamError::Package {
            file: NAME.to_owned(),
            source: Box::new(BinaryError::Version {
                package: self.name().to_owned(),
                field: "Version",
                source,
            }),
        })
    }

    /// The suite that has it.
    pub fn suite(&self) -> Option<&'i SuiteName> {
        self.index.suites.get(self.row().suite as usize)
    }

    /// The text of its paragraph, with the fields that are kept.
    pub fn text(&self) -> &'i str {
        self.index.slice(self.row().paragraph)
    }

    /// A field of its paragraph, by its exact name.
    pub fn field(&self, name: &str) -> Option<&'i str> {
        self.text()
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The first line of its description.
    pub fn synopsis(&self) -> &'i str {
        self.field("Description").unwrap_or("")
    }

    /// Everything that the index says of it.
    pub fn binary(&self) -> Result<Binary, UpstreamError> {
        let paragraph = parse_paragraph(self.text()).map_err(|source| UpstreamError::Control {
            file: NAME.to_owned(),
            source,
        })?;
        Binary::from_paragraph(&paragraph).map_err(|source| UpstreamError::Package {
            file: NAME.to_owned(),
            source: Box::new(source),
        })
    }

    /// It as an entry of a lock.
    pub fn locked(&self) -> Result<LockedPackage, UpstreamError> {
        let binary = self.binary()?;
        let missing = |reason| UpstreamError::Entry {
            file: NAME.to_owned(),
            package: self.name().to_owned(),
            reason,
        };
        Ok(LockedPackage {
            sha256: binary.sha256.ok_or_else(|| missing("it has no field `SHA256`"))?,
            size: binary.size.ok_or_else(|| missing("it has no field `Size`"))?,
            filename: binary
                .filename
                .ok_or_else(|| missing("it has no field `Filename`"))?,
            name: binary.name,
            version: binary.version,
            architecture: binary.architecture,
            source_name: binary.source_name,
            source_version: binary.source_version,
            suite: self.suite().cloned(),
        })
    }
}
