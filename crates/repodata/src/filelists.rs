//! `filelists.xml`: all paths of all packages.

use crate::{Checksum, MetadataError, PackageRecord, RecordFile};
use lazuli_rpm::Nevra;

/// All paths of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFiles {
    /// The package file's checksum, which ties this to [`PackageRecord::checksum`].
    pub pkgid: Checksum,
    /// Name, EVR, architecture.
    pub nevra: Nevra,
    /// Its paths.
    pub files: Vec<RecordFile>,
}

/// Parses `filelists.xml`.
pub fn parse(_xml: &[u8]) -> Result<Vec<PackageFiles>, MetadataError> {
    unimplemented!()
}

/// Writes `filelists.xml`.
pub fn write(_packages: &[PackageRecord]) -> Vec<u8> {
    unimplemented!()
}
