//! One package of a lock: enough to fetch it from the archive and to know that it is the right one.

use lazuli_catalog::SuiteName;
use lazuli_deb::{Architecture, PackageName, Sha256Digest, Version};

/// A binary package, by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its name.
    pub name: PackageName,
    /// Its version. Compare the text: `==` is dpkg's equality.
    pub version: Version,
    /// Its architecture: that of the archive, or `all`.
    pub architecture: Architecture,
    /// The digest of the `.deb`.
    pub sha256: Sha256Digest,
    /// The size of the `.deb` in bytes.
    pub size: u64,
    /// The source package that it was built from.
    pub source_name: PackageName,
    /// The version of that source package.
    pub source_version: Version,
    /// Where it is in the archive: `pool/main/b/bash/….deb`.
    pub filename: String,
    /// The suite that has it; `None` when it comes from a lock file, which does not say.
    pub suite: Option<SuiteName>,
}

/// Why a locked package cannot be converted to or from that of the catalog. It cannot happen with values of an index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the locked package {package} cannot be used: {reason}")]
pub struct LockConversionError {
    /// The package.
    pub package: String,
    /// What is wrong.
    pub reason: String,
}

impl LockedPackage {
    /// Takes an entry of a lock file.
    pub fn from_catalog(
        name: &lazuli_catalog::PackageName,
        locked: &lazuli_catalog::LockedPackage,
    ) -> Result<Self, LockConversionError> {
        let fail = |error: &dyn std::error::Error| LockConversionError {
            package: name.to_string(),
            reason: error.to_string(),
        };
        Ok(Self {
            name: PackageName::parse(name.as_str()).map_err(|error| fail(&error))?,
            version: Version::parse(locked.version.as_str()).map_err(|error| fail(&error))?,
            architecture: Architecture::parse(locked.architecture.as_str()).map_err(|error| fail(&error))?,
            sha256: Sha256Digest::from_bytes(locked.sha256.to_bytes()),
            size: locked.size,
            source_name: PackageName::parse(locked.source.as_str()).map_err(|error| fail(&error))?,
            source_version: Version::parse(locked.source_version.as_str()).map_err(|error| fail(&error))?,
            filename: locked.filename.to_string(),
            suite: None,
        })
    }

    /// Gives the entry of a lock file.
    pub fn to_catalog(
        &self,
    ) -> Result<(lazuli_catalog::PackageName, lazuli_catalog::LockedPackage), LockConversionError> {
        let fail = |error: lazuli_catalog::InvalidValue| LockConversionError {
            package: self.name.to_string(),
            reason: error.to_string(),
        };
        let name = lazuli_catalog::PackageName::new(self.name.as_str()).map_err(fail)?;
        let locked = lazuli_catalog::LockedPackage {
            version: lazuli_catalog::DebianVersion::new(self.version.as_str()).map_err(fail)?,
            architecture: lazuli_catalog::DebianArchitecture::new(self.architecture.as_str())
                .map_err(fail)?,
            size: self.size,
            sha256: lazuli_catalog::Sha256Digest::from_bytes(*self.sha256.as_bytes()),
            filename: lazuli_catalog::PoolPath::new(self.filename.as_str()).map_err(fail)?,
            source: lazuli_catalog::PackageName::new(self.source_name.as_str()).map_err(fail)?,
            source_version: lazuli_catalog::DebianVersion::new(self.source_version.as_str()).map_err(fail)?,
        };
        Ok((name, locked))
    }
}
