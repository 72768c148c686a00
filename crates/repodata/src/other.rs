//! `other.xml`: changelogs.

use crate::{Checksum, MetadataError, PackageRecord};
use lazuli_rpm::{ChangelogEntry, Nevra};

/// The changelog of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChangelog {
    /// The package file's checksum, which ties this to [`PackageRecord::checksum`].
    pub pkgid: Checksum,
    /// Name, EVR, architecture.
    pub nevra: Nevra,
    /// Its entries, newest first.
    pub entries: Vec<ChangelogEntry>,
}

/// Parses `other.xml`.
pub fn parse(_xml: &[u8]) -> Result<Vec<PackageChangelog>, MetadataError> {
    unimplemented!()
}

/// Writes `other.xml`.
pub fn write(_packages: &[PackageRecord]) -> Vec<u8> {
    unimplemented!()
}
