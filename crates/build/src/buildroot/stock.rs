//! Which packages a buildroot has: pure, over a pool.

use super::{Origin, PackageSet, RootPackage};
use crate::{BuildError, ContentIndex, Digest};
use lazuli_repodata::PackageRecord;
use lazuli_solve::{Job, PackageId, Pool, PoolError, Solution, Spec, Weak, install_order, solve};
use std::collections::HashSet;
use std::path::PathBuf;

/// Of two packages of one name, the one of the lower number is taken: built ones come first, whatever their version.
const PRIORITY_BUILT: i32 = 50;
const PRIORITY_IMPORTED: i32 = 99;

/// Most packages in one buildroot; more is a mistake in the requirements.
const PACKAGES_MAX: usize = 20_000;

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
    /// A package of the base is in no repository any more.
    #[error("{package} of the base is in no repository of the stock")]
    NotInStock {
        /// Which.
        package: String,
    },
    /// The pool refuses packages.
    #[error("the packages of {repository} cannot be used: {reason}")]
    Pool {
        /// Where they come from.
        repository: String,
        /// Why not.
        reason: String,
    },
    /// There are too many packages.
    #[error("the buildroot would have {count} packages, of {PACKAGES_MAX} that it may have")]
    TooMany {
        /// How many.
        count: usize,
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

/// The packages of a base: those with these names, and what they need, in the order in which they are laid down. Weak
/// dependencies are left: a buildroot has what somebody asked for.
pub fn resolve_base(pool: &Pool, names: &[String]) -> Result<Vec<PackageId>, ResolveError> {
    let solution = run(pool, names, "the packages of the base")?;
    Ok(install_order(pool, &solution))
}

/// What must be added to the installed packages of the pool (the base) for these requirements to hold.
///
/// A requirement that the base meets adds nothing, unless it names a package of which a better one exists: that one
/// replaces the base's.
pub fn resolve_layer(pool: &Pool, requires: &[String]) -> Result<LayerChange, ResolveError> {
    let solution = run(pool, requires, "the build requirements")?;
    Ok(LayerChange {
        remove: solution.outgoing().collect(),
        install: install_order(pool, &solution),
    })
}

fn run(pool: &Pool, names: &[String], what: &str) -> Result<Solution, ResolveError> {
    let spec = |text: &String| {
        Spec::parse(text).map_err(|error| ResolveError::Unreadable {
            text: error.text,
            reason: error.reason,
        })
    };
    let job = Job {
        install: names.iter().map(spec).collect::<Result<_, _>>()?,
        weak: Weak::Ignore,
        ..Job::default()
    };
    solve(pool, &job).map_err(|problem| ResolveError::Unsolvable {
        what: what.to_owned(),
        problem: problem.to_string(),
    })
}

/// All packages that may go into buildroots: imported ones and, preferred where both have a name, built ones.
#[derive(Debug)]
pub struct Stock {
    architecture: String,
    shelves: Vec<Shelf>,
}

/// Packages of one folder.
#[derive(Debug)]
struct Shelf {
    origin: Origin,
    folder: PathBuf,
    records: Vec<PackageRecord>,
}

/// A record, and where its file is.
#[derive(Clone, Copy)]
struct Stocked<'a> {
    record: &'a PackageRecord,
    shelf: &'a Shelf,
    digest: Digest,
}

impl Stock {
    /// An empty stock for a machine.
    pub fn new(architecture: &str) -> Self {
        Self {
            architecture: architecture.to_owned(),
            shelves: Vec::new(),
        }
    }

    /// Adds packages; `folder` is where their locations start. May be called as builds end: of built packages with one
    /// name and architecture, those that were added last are what there is.
    pub fn add(&mut self, origin: Origin, folder: impl Into<PathBuf>, records: Vec<PackageRecord>) {
        if origin == Origin::Built {
            let names: HashSet<(&str, &str)> = records
                .iter()
                .map(|record| (record.nevra.name.as_str(), record.nevra.arch.as_str()))
                .collect();
            for shelf in self.shelves.iter_mut().filter(|s| s.origin == Origin::Built) {
                shelf.records.retain(|record| {
                    !names.contains(&(record.nevra.name.as_str(), record.nevra.arch.as_str()))
                });
            }
        }
        self.shelves.push(Shelf {
            origin,
            folder: folder.into(),
            records,
        });
    }

    /// The base: from imported packages alone, so that what is built never changes what it is built with.
    pub fn base(&self, names: &[String], index: &mut ContentIndex) -> Result<PackageSet, BuildError> {
        let mut pool = Pool::new(&self.architecture);
        self.fill(&mut pool, Some(Origin::Imported))?;
        let found = resolve_base(&pool, names)?;
        let records: Vec<&PackageRecord> = found.iter().map(|id| pool.record(*id)).collect();
        self.package_set(&records, index)
    }

    /// The whole set of a buildroot: the base, and what these requirements add to it or replace in it.
    pub fn with(
        &self,
        base: &PackageSet,
        requires: &[String],
        index: &mut ContentIndex,
    ) -> Result<PackageSet, BuildError> {
        if requires.is_empty() {
            return Ok(base.clone());
        }
        let mut pool = Pool::new(&self.architecture);
        let installed = base
            .packages()
            .iter()
            .map(|package| self.find(package).map(|found| found.record.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        pool.add_installed(installed, |_| false)
            .map_err(|error| refused("the base", &error))?;
        self.fill(&mut pool, None)?;
        let change = resolve_layer(&pool, requires)?;
        let gone: HashSet<Digest> = change
            .remove
            .iter()
            .filter_map(|id| pool.record(*id).checksum.as_sha256())
            .map(Digest::from)
            .collect();
        let added: Vec<&PackageRecord> = change.install.iter().map(|id| pool.record(*id)).collect();
        let mut packages = self.package_set(&added, index)?.packages().to_vec();
        packages.extend(
            base.packages()
                .iter()
                .filter(|p| !gone.contains(&p.digest))
                .cloned(),
        );
        Ok(PackageSet::new(packages))
    }

    fn fill(&self, pool: &mut Pool, only: Option<Origin>) -> Result<(), ResolveError> {
        for (position, shelf) in self.shelves.iter().enumerate() {
            if only.is_some_and(|origin| origin != shelf.origin) {
                continue;
            }
            let (name, priority) = match shelf.origin {
                Origin::Built => (format!("built-{position}"), PRIORITY_BUILT),
                Origin::Imported => (format!("imported-{position}"), PRIORITY_IMPORTED),
            };
            pool.add_repository(&name, priority, shelf.records.clone(), None)
                .map_err(|error| refused(&shelf.folder.display().to_string(), &error))?;
        }
        Ok(())
    }

    fn package_set(
        &self,
        records: &[&PackageRecord],
        index: &mut ContentIndex,
    ) -> Result<PackageSet, BuildError> {
        if records.len() > PACKAGES_MAX {
            return Err(ResolveError::TooMany { count: records.len() }.into());
        }
        let mut packages = Vec::with_capacity(records.len());
        for record in records {
            let found = self.lookup(record)?;
            let path = found.shelf.folder.join(&record.location);
            packages.push(RootPackage {
                nevra: record.nevra.clone(),
                digest: found.digest,
                content: index.of_file(&path, found.digest)?,
                path,
                origin: found.shelf.origin,
            });
        }
        Ok(PackageSet::new(packages))
    }

    /// Where a record of a pool came from.
    fn lookup(&self, record: &PackageRecord) -> Result<Stocked<'_>, ResolveError> {
        let digest = digest_of(record)?;
        self.by_digest(&record.nevra.name, digest)
            .ok_or_else(|| ResolveError::NotInStock {
                package: record.nevra.to_string(),
            })
    }

    fn find(&self, package: &RootPackage) -> Result<Stocked<'_>, ResolveError> {
        self.by_digest(&package.nevra.name, package.digest)
            .ok_or_else(|| ResolveError::NotInStock {
                package: package.nevra.to_string(),
            })
    }

    fn by_digest(&self, name: &str, digest: Digest) -> Option<Stocked<'_>> {
        let all = self
            .shelves
            .iter()
            .flat_map(|shelf| shelf.records.iter().map(move |record| (shelf, record)));
        all.filter(|(_, record)| record.nevra.name == name)
            .find(|(_, record)| digest_of(record) == Ok(digest))
            .map(|(shelf, record)| Stocked {
                record,
                shelf,
                digest,
            })
    }
}

fn digest_of(record: &PackageRecord) -> Result<Digest, ResolveError> {
    let digest = record.checksum.as_sha256();
    digest.map(Digest::from).ok_or_else(|| ResolveError::NoDigest {
        package: record.nevra.to_string(),
    })
}

fn refused(repository: &str, error: &PoolError) -> ResolveError {
    ResolveError::Pool {
        repository: repository.to_owned(),
        reason: error.to_string(),
    }
}
