//! What is to be done.

use crate::{PackageId, Spec};

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A job names it.
    User(Spec),
    /// It is part of `Upgrade::All` or `sync`.
    Upgrade,
    /// Another package of the solution requires it.
    DependencyOf(PackageId),
    /// Another package recommends it, or it supplements that.
    WeakOf(PackageId),
    /// Another package obsoletes it.
    ObsoletedBy(PackageId),
    /// What it requires is removed (or replaced) with that package.
    Needs(PackageId),
    /// It conflicts with that package.
    ConflictsWith(PackageId),
    /// It was installed as a dependency, and nothing needs it any more.
    Unneeded,
    /// No single package is to blame.
    Other,
}

/// A package to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The package.
    pub package: PackageId,
    /// Why.
    pub reason: Reason,
}

/// An installed package that another one replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// What is installed.
    pub old: PackageId,
    /// What replaces it.
    pub new: PackageId,
    /// Why.
    pub reason: Reason,
}

/// An installed package to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The package.
    pub package: PackageId,
    /// Why.
    pub reason: Reason,
}

/// What is to be done. Each list is sorted by NEVRA.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Solution {
    /// New packages.
    pub install: Vec<Chosen>,
    /// Packages with a newer version.
    pub upgrade: Vec<Replaced>,
    /// Packages with an older version.
    pub downgrade: Vec<Replaced>,
    /// Packages with the same version.
    pub reinstall: Vec<Replaced>,
    /// Packages to remove, among them the obsoleted ones.
    pub remove: Vec<Removed>,
    /// Jobs that need nothing done, such as the installation of what is installed.
    pub nothing_to_do: Vec<Spec>,
}

impl Solution {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.incoming().next().is_none() && self.remove.is_empty()
    }

    /// All packages that are to be laid down.
    pub fn incoming(&self) -> impl Iterator<Item = PackageId> {
        let replaced = self
            .upgrade
            .iter()
            .chain(&self.downgrade)
            .chain(&self.reinstall)
            .map(|step| step.new);
        self.install.iter().map(|step| step.package).chain(replaced)
    }

    /// All installed packages that will be gone or replaced.
    pub fn outgoing(&self) -> impl Iterator<Item = PackageId> {
        let replaced = self
            .upgrade
            .iter()
            .chain(&self.downgrade)
            .chain(&self.reinstall)
            .map(|step| step.old);
        self.remove.iter().map(|step| step.package).chain(replaced)
    }
}
