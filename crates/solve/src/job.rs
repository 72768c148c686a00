//! What is wanted.

use crate::Spec;

/// What to do about `Recommends` and `Supplements`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Weak {
    /// Install what is recommended, where that is possible.
    #[default]
    Install,
    /// Leave it.
    Ignore,
}

/// Which installed packages to bring to their newest version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Upgrade {
    /// None, but for what other jobs force.
    #[default]
    None,
    /// These.
    Only(Vec<Spec>),
    /// All.
    All,
}

/// What a solution may do beyond adding packages and raising versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allow {
    /// May lower the version of an installed package that no job names.
    pub downgrade: bool,
    /// May remove installed packages that no job names and nothing obsoletes.
    pub erase: bool,
}

/// What is wanted. The parts are fulfilled together, or none is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Job {
    /// To be there afterwards, in the best version that is possible.
    pub install: Vec<Spec>,
    /// To be gone afterwards, with all that needs them.
    pub remove: Vec<Spec>,
    /// To be brought to their newest version.
    pub upgrade: Upgrade,
    /// Installed packages to be replaced by the same version from a repository.
    pub reinstall: Vec<Spec>,
    /// Installed packages to be replaced by a lower version (the highest below, or the one the spec names).
    pub downgrade: Vec<Spec>,
    /// Installed packages to be brought to exactly the versions that the repositories have (`distro-sync`).
    pub sync: bool,
    /// Remove what was installed as a dependency and is needed no more; see [`crate::Pool::add_installed`].
    pub autoremove: bool,
    /// Recommended packages.
    pub weak: Weak,
    /// Names to prefer where several packages provide the same, best first.
    pub favour: Vec<String>,
    /// Packages never to be installed.
    pub exclude: Vec<Spec>,
    /// Names of packages of which several versions may be installed side by side (kernels).
    pub install_only: Vec<String>,
    /// Names of packages that must never be removed.
    pub protected: Vec<String>,
    /// What else may happen.
    pub allow: Allow,
}
