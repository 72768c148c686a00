//! Which packages a buildroot has: pure, over a pool.

use super::{Origin, PackageSet};
use crate::{BuildError, ContentIndex};
use lazuli_repodata::PackageRecord;
use lazuli_solve::{PackageId, Pool};
use std::path::PathBuf;

/// Why packages for a buildroot cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// A requirement is not written as rpm writes it.
    #[error("the build requirement `{text}` cannot be read: {reason}")]
    Unreadable {
        /// The requirement.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// The packages cannot be installed together.
    #[error("{what} cannot be installed: {problem}")]
    Unsolvable {
        /// What was to be installed, in words.
        what: String,
        /// The solver's explanation.
        problem: String,
    },
    /// A package of a repository has no usable digest.
    #[error("the repository gives no SHA-256 for {package}")]
    NoDigest {
        /// Which.
        package: String,
    },
}

impl ResolveError {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unsolvable { .. } => {
                Some("add the missing component, or import the package that provides it".to_owned())
            }
            _ => None,
        }
    }
}

/// What a dependency layer changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LayerChange {
    /// Packages to lay down, in the order in which they are laid down.
    pub install: Vec<PackageId>,
    /// Packages of the base that are replaced or removed.
    pub remove: Vec<PackageId>,
}

/// The packages of a base: those with these names, and what they need; weak dependencies are left.
pub fn resolve_base(_pool: &Pool, _names: &[String]) -> Result<Vec<PackageId>, ResolveError> {
    Ok(Vec::new())
}

/// What must be added to the installed packages of the pool (the base) for these requirements to hold.
pub fn resolve_layer(_pool: &Pool, _requires: &[String]) -> Result<LayerChange, ResolveError> {
    Ok(LayerChange::default())
}

/// All packages that may go into buildroots: imported ones and, preferred where both have a name, built ones.
#[derive(Debug)]
pub struct Stock {
    architecture: String,
    repositories: Vec<Shelf>,
}

/// One repository.
#[derive(Debug)]
struct Shelf {
    origin: Origin,
    folder: PathBuf,
    records: Vec<PackageRecord>,
}

impl Stock {
    /// An empty stock for a machine.
    pub fn new(architecture: &str) -> Self {
        Self {
            architecture: architecture.to_owned(),
            repositories: Vec::new(),
        }
    }

    /// Adds packages; `folder` is where their locations start. May be called as builds end.
    pub fn add(&mut self, origin: Origin, folder: impl Into<PathBuf>, records: Vec<PackageRecord>) {
        self.repositories.push(Shelf {
            origin,
            folder: folder.into(),
            records,
        });
    }

    /// The base: from imported packages alone, so that what is built never changes what it is built with.
    pub fn base(&self, _names: &[String], _index: &mut ContentIndex) -> Result<PackageSet, BuildError> {
        let _ = (
            &self.architecture,
            self.repositories
                .iter()
                .map(|s| (s.origin, &s.folder, &s.records)),
        );
        Ok(PackageSet::default())
    }

    /// The whole set of a buildroot: the base, and what these requirements add to it or replace in it.
    pub fn with(
        &self,
        base: &PackageSet,
        _requires: &[String],
        _index: &mut ContentIndex,
    ) -> Result<PackageSet, BuildError> {
        Ok(base.clone())
    }
}
