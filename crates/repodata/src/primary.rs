//! `primary.xml`: what is needed to resolve dependencies.

use crate::{MetadataError, PackageRecord};

/// Parses `primary.xml`; on several cores where it is large.
pub fn parse(_xml: &[u8]) -> Result<Vec<PackageRecord>, MetadataError> {
    unimplemented!()
}

/// Writes `primary.xml`. Of each record's files only those of the primary rule are written.
pub fn write(_packages: &[PackageRecord]) -> Vec<u8> {
    unimplemented!()
}
