//! Which archive, and where its files go.

use std::path::PathBuf;
use std::time::SystemTime;

use lazuli_catalog::value::ArchiveComponent;
use lazuli_catalog::{DebianUpstream, SuiteName};
use lazuli_deb::Architecture;

use crate::error::UpstreamError;

/// What to do with a suite whose `Valid-Until` has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Refuse it: someone may be holding back updates (a freeze attack).
    Refuse,
    /// Take it and give a [`Warning`](crate::Warning): for snapshots and machines without a network.
    Warn,
}

/// A suite of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Its name below `dists/`: `trixie`, `trixie-security`.
    pub name: SuiteName,
    /// The archive's address, without `dists/…`; `None` to find it out.
    pub mirror: Option<String>,
}

/// A Debian archive and where it is cached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The suites, the base first. Never empty.
    pub suites: Vec<Suite>,
    /// The components, `main` mostly. Never empty.
    pub components: Vec<ArchiveComponent>,
    /// The architecture whose packages are wanted, beside `all`.
    pub architecture: Architecture,
    /// The keyring of the archive, binary or armored.
    pub keyring: PathBuf,
    /// The folder for caches; it is made when it is missing.
    pub cache: PathBuf,
    /// The archive's address (`http:`, `https:`, `file:`, whatever apt knows), instead of the one that the machine's apt
    /// configuration has.
    pub mirror: Option<String>,
    /// What to do with a suite that is out of date.
    pub expiry: Expiry,
    /// The time at which signatures and validity are judged.
    pub now: SystemTime,
}

impl Settings {
    /// Settings for an upstream of the catalog. `mirror` is `LAZULI_DEBIAN_MIRROR`, which the program reads.
    pub fn for_upstream(
        upstream: &DebianUpstream,
        architecture: lazuli_catalog::Architecture,
        cache: PathBuf,
        mirror: Option<String>,
        now: SystemTime,
    ) -> Result<Self, UpstreamError> {
        Ok(Self {
            suites: upstream
                .suites
                .iter()
                .map(|name| Suite {
                    name: name.clone(),
                    mirror: None,
                })
                .collect(),
            components: upstream.components.clone(),
            architecture: Architecture::parse(architecture.debian()).map_err(|error| {
                UpstreamError::Settings {
                    reason: error.to_string(),
                }
            })?,
            keyring: upstream.keyring.clone(),
            cache,
            mirror,
            expiry: Expiry::Refuse,
            now,
        })
    }
}
