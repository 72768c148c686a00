//! Epoch, version and release, ordered as RPM orders them.

use std::cmp::Ordering;
use std::fmt;

/// Epoch, version and release of a package. Ordered by `rpmvercmp`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Evr {
    /// The epoch; 0 where a package has none.
    pub epoch: u32,
    /// The upstream version. Never empty; that of a package holds no `-`.
    pub version: String,
    /// The release. Empty only in a dependency that leaves it open; that of a package holds no `-`.
    pub release: String,
}

/// Why a text is no `[epoch:]version[-release]`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is no [epoch:]version[-release]: {reason}")]
pub struct EvrParseError {
    /// What was parsed.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Evr {
    /// Makes an EVR of its parts.
    pub fn new(epoch: u32, version: impl Into<String>, release: impl Into<String>) -> Self {
        Self {
            epoch,
            version: version.into(),
            release: release.into(),
        }
    }

    /// Parses `[epoch:]version[-release]`.
    pub fn parse(text: &str) -> Result<Self, EvrParseError> {
        let fail = |reason| EvrParseError {
            text: text.to_owned(),
            reason,
        };
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().map_err(|_| fail("the epoch is no number"))?, rest),
            None => (0, text),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        if version.is_empty() {
            return Err(fail("the version is empty"));
        }
        Ok(Self::new(epoch, version, release))
    }

    /// Compares as RPM compares two packages (`rpmVersionCompare`): `1.0` and `1..0` are equal.
    ///
    /// Use this to decide what is newer. `Ord` refines it: it tells apart what RPM calls equal, as `Eq` does.
    pub fn compare(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(&self.version, &other.version))
            .then_with(|| compare_part(&self.release, &other.release))
    }

    /// Compares as RPM compares a dependency with what provides it: a side without a release matches any.
    pub fn compare_open(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(&self.version, &other.version))
            .then_with(|| {
                if self.release.is_empty() || other.release.is_empty() {
                    Ordering::Equal
                } else {
                    compare_part(&self.release, &other.release)
                }
            })
    }
}

fn compare_part(left: &str, right: &str) -> Ordering {
    rpm_version::Evr::new("", left, "").cmp(&rpm_version::Evr::new("", right, ""))
}

impl Ord for Evr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
            // `rpmvercmp` calls `1.0` and `1..0` equal; the order must agree with `Eq`.
            .then_with(|| (&self.version, &self.release).cmp(&(&other.version, &other.release)))
    }
}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Evr {
    /// So that [`Evr::parse`] gives the same value, even where a dependency names a version that no package can have.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 || self.version.contains(':') || self.release.contains(':') {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        if !self.release.is_empty() || self.version.contains('-') {
            write!(f, "-{}", self.release)?;
        }
        Ok(())
    }
}

/// Name, EVR and architecture: what names one package among all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nevra {
    /// The package's name.
    pub name: String,
    /// Its epoch, version and release.
    pub evr: Evr,
    /// Its architecture, such as `x86_64` or `noarch`.
    pub arch: String,
}

impl fmt::Display for Nevra {
    /// `name-[epoch:]version-release.arch`, as `rpm -q` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}
