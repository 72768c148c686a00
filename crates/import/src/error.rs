//! Why a package cannot be imported.

use std::io;

use lazuli_deb::{DebError, Sha256Digest};
use lazuli_rpm::BuildError;

use crate::relations::RelationMappingError;
use crate::version::VersionMappingError;

/// Why a package cannot be imported.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ImportError {
    #[error(transparent)]
    Deb(#[from] DebError),
    #[error(transparent)]
    Version(#[from] VersionMappingError),
    #[error(transparent)]
    Relation(#[from] RelationMappingError),
    #[error("the package is {found}, but {expected} was expected")]
    OtherPackage { expected: String, found: String },
    #[error("its SHA-256 is {found}, but {expected} was expected")]
    Digest {
        expected: Sha256Digest,
        found: Sha256Digest,
    },
    #[error("architecture `{name}` has no name in rpm")]
    Architecture { name: String },
    #[error("failed to read `{path}`: {source}")]
    Read { path: String, source: io::Error },
    #[error("`{path}` is a hard link of `{target}`, which is no regular file before it")]
    HardLink { path: String, target: String },
    #[error("`{path}` is there twice after the move to /usr, and the two differ")]
    Merge { path: String },
    #[error("`{path}` belongs to the id {id}, which has no name")]
    NumericOwner { path: String, id: u32 },
    #[error("`{path}` is a device whose number is too large for rpm")]
    Device { path: String },
    #[error("`{path}` has capabilities that have no text form: {value}")]
    Capabilities { path: String, value: String },
    #[error("`{path}` is declared, but is no absolute path without `..`")]
    DeclaredPath { path: String },
    #[error("`{glob}` is no glob of paths: {reason}")]
    Glob { glob: String, reason: String },
    #[error("`{license}` is no SPDX expression")]
    License { license: String },
    #[error("failed to write {path}: {source}")]
    Write { path: String, source: io::Error },
    #[error(transparent)]
    Build(#[from] BuildError),
}
