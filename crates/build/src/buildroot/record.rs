//! Records of package files that are in no repository yet.

use crate::BuildError;
use crate::error::IoContext;
use lazuli_repodata::{Checksum, FileFacts, PackageRecord};
use lazuli_rpm::{Package, PackageError};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The record of a package file, for [`crate::Stock::add`]; `location` is its path below the folder that is named there.
pub fn package_record(path: &Path, location: &str) -> Result<PackageRecord, BuildError> {
    let bytes = std::fs::read(path).doing("reading", path)?;
    let fail = |source: PackageError| BuildError::Package {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let package = Package::parse(&bytes).map_err(fail)?;
    let metadata = package.metadata().map_err(fail)?;
    let range = package.header_range();
    Ok(PackageRecord::from_metadata(
        &metadata,
        FileFacts {
            checksum: Checksum::sha256(Sha256::digest(&bytes).into()),
            location: location.to_owned(),
            package_size: bytes.len() as u64,
            archive_size: 0,
            installed_size: None,
            header_range: range.start as u64..range.end as u64,
            file_time: u64::from(metadata.build_time),
        },
    ))
}
