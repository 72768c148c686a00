//! Package files on the way into a root: read, checked, and from then on trusted.

use crate::{Progress, Step, TransactionError};
use lazuli_rpm::{Header, Metadata, Package, PackageError, SignerInfo, Tag, Verifier};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whose packages are taken.
#[derive(Clone, Copy)]
pub enum Trust<'a> {
    /// Those with a good signature by a key of this ring.
    Keyring(&'a dyn Verifier),
    /// Anyone's, as long as they are not damaged. Right only where the files' digests come from signed metadata, or
    /// were just made here.
    Unchecked,
}

/// Why a package is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The user asked for it.
    ByUser,
    /// Another package needs it.
    AsDependency,
}

/// A package file to install.
#[derive(Debug, Clone)]
pub struct PackageFile {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of the file in the repository's metadata, if it comes from one.
    pub sha256: Option<[u8; 32]>,
    /// Why it is wanted.
    pub wanted: Wanted,
}

/// A package whose digests and signature were found good. Its payload is read again when it is laid; each file is then
/// checked against the header that is held here.
#[derive(Debug, Clone)]
pub struct VerifiedPackage {
    pub(crate) path: PathBuf,
    pub(crate) signature: Header,
    pub(crate) header: Header,
    pub(crate) metadata: Metadata,
    pub(crate) signer: Option<SignerInfo>,
    pub(crate) wanted: Wanted,
    pub(crate) file_size: u64,
}

impl VerifiedPackage {
    /// What it says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its main header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Who signed it; `None` where signatures are not checked.
    pub fn signer(&self) -> Option<&SignerInfo> {
        self.signer.as_ref()
    }

    /// Its name for messages.
    pub(crate) fn name(&self) -> String {
        self.metadata.nevra.to_string()
    }
}

/// Reads and checks package files, in parallel; answers them in the same order. The first bad one is the error.
pub fn open_packages(
    files: &[PackageFile],
    trust: Trust<'_>,
    progress: &dyn Progress,
) -> Result<Vec<VerifiedPackage>, TransactionError> {
    let done = AtomicUsize::new(0);
    let results: Vec<Result<VerifiedPackage, TransactionError>> = files
        .par_iter()
        .map(|file| {
            let package = open_package(file, trust);
            progress.advanced(
                Step::Verify,
                done.fetch_add(1, Ordering::Relaxed) + 1,
                files.len(),
            );
            package
        })
        .collect();
    // The first in order, so that the same damage gives the same message on every run.
    results.into_iter().collect()
}

fn open_package(file: &PackageFile, trust: Trust<'_>) -> Result<VerifiedPackage, TransactionError> {
    let bytes = read(&file.path)?;
    if let Some(expected) = file.sha256 {
        let found: [u8; 32] = Sha256::digest(&bytes).into();
        if found != expected {
            let (expected, found) = (hex::encode(expected), hex::encode(found));
            return Err(TransactionError::WrongChecksum {
                file: file.path.clone(),
                expected,
                found,
            });
        }
    }
    let refuse = |source: PackageError| TransactionError::Package {
        file: file.path.clone(),
        source,
    };
    let package = Package::parse(&bytes).map_err(refuse)?;
    let signer = match trust {
        Trust::Keyring(ring) => Some(package.verify_signature(ring).map_err(refuse)?),
        Trust::Unchecked => None,
    };
    package.verify_digests().map_err(refuse)?;
    let metadata = package.metadata().map_err(refuse)?;
    if metadata.source_rpm.is_none() || package.header().contains(Tag::SOURCEPACKAGE) {
        return Err(TransactionError::SourcePackage {
            file: file.path.clone(),
        });
    }
    Ok(VerifiedPackage {
        path: file.path.clone(),
        signature: package.signature().clone(),
        header: package.header().clone(),
        metadata,
        signer,
        wanted: file.wanted,
        file_size: bytes.len() as u64,
    })
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TransactionError> {
    std::fs::read(path).map_err(|e| TransactionError::io("reading", path, e))
}
