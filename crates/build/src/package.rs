//! Packages get their final bytes: as rpmbuild made them, with a signature header of our own.
//!
//! The main header and the payload stay as they are. They are the same on every build, since rpmbuild is told the host,
//! the time and one thread for the compression. Its signature header is replaced: it has digests over the rest, our
//! signature, which is the same for the same bytes and key, and none of rpmbuild's reserved space.

use crate::content::content_digest;
use crate::error::IoContext;
use crate::result::BuiltPackage;
use crate::{BuildError, Digest};
use lazuli_rpm::{Nevra, Package, PackageError, Signer, Tag};
use std::path::Path;

/// Signs a package of rpmbuild into a folder.
pub(crate) fn sign(
    file: &Path,
    folder: &Path,
    signer: Option<&dyn Signer>,
) -> Result<BuiltPackage, BuildError> {
    let bytes = std::fs::read(file).doing("reading", file)?;
    let fail = |source: PackageError| BuildError::Package {
        path: file.to_owned(),
        source: Box::new(source),
    };
    let package = Package::parse(&bytes).map_err(fail)?;
    package.verify_digests().map_err(fail)?;
    let metadata = package.metadata().map_err(fail)?;
    let content = content_digest(&metadata);
    let signed = package.resigned(signer).map_err(|source| BuildError::Sign {
        package: metadata.nevra.to_string(),
        source: Box::new(source),
    })?;
    let mut nevra = metadata.nevra;
    // A source package's header has the architecture of the machine that made it.
    if metadata.source_rpm.is_none() || package.header().contains(Tag::SOURCEPACKAGE) {
        nevra.arch = "src".to_owned();
    }
    let path = folder.join(file_name(&nevra));
    lazuli_durable::write(&path, &signed).doing("writing", &path)?;
    Ok(BuiltPackage {
        nevra,
        path,
        digest: Digest::of(&signed),
        content,
        size: signed.len() as u64,
    })
}

/// `name-version-release.arch.rpm`, as rpmbuild names files: without the epoch.
fn file_name(nevra: &Nevra) -> String {
    let Nevra { name, evr, arch } = nevra;
    format!("{name}-{}-{}.{arch}.rpm", evr.version, evr.release)
}
