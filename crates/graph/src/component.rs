//! What the graph is made of: what a reader of specs says of each component.

use lazuli_rpm::Dependency;

use crate::paths::Paths;

/// A component: one spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name in the project.
    pub name: String,
    /// `BuildRequires`.
    pub build_requires: Vec<Dependency>,
    /// The packages that come out of it.
    pub packages: Vec<Package>,
}

/// A binary package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// What it provides, its own name and version too.
    pub provides: Vec<Dependency>,
    /// What it requires to be installed.
    pub requires: Vec<Dependency>,
    /// Absolute paths and globs of its files.
    pub files: Paths,
}
