//! What there is: packages of repositories, and the installed ones.

use lazuli_repodata::{PackageRecord, filelists::PackageFiles};

/// A package of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(pub(crate) u32);

/// A repository of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryId(pub(crate) u32);

/// Where a package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// It is installed.
    Installed,
    /// A repository has it.
    Repository(RepositoryId),
}

/// Gets all paths of a repository's packages when a requirement names a path that `primary.xml` does not list.
pub type FileLists = Box<dyn Fn() -> Result<Vec<PackageFiles>, Box<dyn std::error::Error + Send + Sync>>>;

/// Why the pool refuses something.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// There are more packages than can be numbered.
    #[error("too many packages: the limit is {limit}")]
    TooManyPackages {
        /// The limit.
        limit: u32,
    },
}

/// What there is. Adding is cheap; indexes are made once, at the first question.
pub struct Pool {
    packages: Vec<(PackageRecord, Origin)>,
}

impl Pool {
    /// An empty pool for a machine of this architecture (`x86_64`, `aarch64`): packages of other architectures but
    /// `noarch` are left out.
    pub fn new(_arch: &str) -> Self {
        Self { packages: Vec::new() }
    }

    /// Adds a repository. The lower its priority number, the more it counts: a package of a name that a repository of
    /// a lower number has is not taken from one of a higher number. 99 by habit.
    pub fn add_repository(
        &mut self,
        _name: &str,
        _priority: i32,
        _records: Vec<PackageRecord>,
        _filelists: Option<FileLists>,
    ) -> Result<RepositoryId, PoolError> {
        unimplemented!()
    }

    /// Adds installed packages. `automatic` says which of them were installed as dependencies only, for
    /// [`crate::Job::autoremove`].
    pub fn add_installed(
        &mut self,
        _records: Vec<PackageRecord>,
        _automatic: impl Fn(&PackageRecord) -> bool,
    ) -> Result<(), PoolError> {
        unimplemented!()
    }

    /// What is known of a package.
    pub fn record(&self, id: PackageId) -> &PackageRecord {
        &self.packages[id.0 as usize].0
    }

    /// Where it comes from.
    pub fn origin(&self, id: PackageId) -> Origin {
        self.packages[id.0 as usize].1
    }

    /// The name of a repository.
    pub fn repository_name(&self, _id: RepositoryId) -> &str {
        unimplemented!()
    }

    /// All packages.
    pub fn packages(&self) -> impl Iterator<Item = PackageId> {
        (0..self.packages.len() as u32).map(PackageId)
    }
}
