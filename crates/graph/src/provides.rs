//! Who provides a capability.

use std::collections::HashMap;

use lazuli_rpm::{Dependency, RichDependency};

use crate::component::Component;
use crate::files::Files;

/// What all packages provide.
pub(crate) struct Provides<'a> {
    names: HashMap<&'a str, Vec<(u32, &'a Dependency)>>,
    files: Files<'a>,
    /// Of each package: its name and the number of its component.
    packages: Vec<(&'a str, u32)>,
}

impl<'a> Provides<'a> {
    pub(crate) fn new(components: &'a [Component]) -> Self {
        let mut names: HashMap<&str, Vec<(u32, &Dependency)>> = HashMap::new();
        let mut packages = Vec::new();
        for (component, owner) in components.iter().zip(0_u32..) {
            for package in &component.packages {
                let number = u32::try_from(packages.len()).unwrap_or(u32::MAX);
                packages.push((package.name.as_str(), owner));
                for provide in &package.provides {
                    names.entry(&provide.name).or_default().push((number, provide));
                }
            }
        }
        Self {
            names,
            files: Files::new(components),
            packages,
        }
    }

    /// The packages that a dependency of component `owner` pulls in; nothing if it can't be fulfilled.
    pub(crate) fn select(&self, dependency: &Dependency, owner: u32) -> Option<Vec<u32>> {
        if !dependency.is_rich() {
            return self.best(&dependency.name, owner, self.providers(dependency));
        }
        let rich = RichDependency::parse(&dependency.name).ok()?;
        self.select_rich(&rich, owner)
    }

    fn select_rich(&self, rich: &RichDependency, owner: u32) -> Option<Vec<u32>> {
        match rich {
            RichDependency::Simple(dependency) => self.select(dependency, owner),
            RichDependency::And(parts) => {
                let parts: Option<Vec<_>> = parts.iter().map(|part| self.select_rich(part, owner)).collect();
                parts.map(|parts| parts.concat())
            }
            RichDependency::Or(parts) => parts.iter().find_map(|part| self.select_rich(part, owner)),
            RichDependency::If {
                then,
                condition,
                otherwise,
            } => self.branch(condition, Some(then), otherwise.as_deref(), owner),
            RichDependency::Unless {
                then,
                condition,
                otherwise,
            } => self.branch(condition, otherwise.as_deref(), Some(then), owner),
            RichDependency::With(_) | RichDependency::Without(..) => {
                let first = rich
                    .capabilities()
                    .first()
                    .map_or("", |first| first.name.as_str());
                self.best(first, owner, self.one_package(rich))
            }
        }
    }

    fn branch(
        &self,
        condition: &RichDependency,
        fulfilled: Option<&RichDependency>,
        otherwise: Option<&RichDependency>,
        owner: u32,
    ) -> Option<Vec<u32>> {
        let chosen = if self.select_rich(condition, owner).is_some() {
            fulfilled
        } else {
            otherwise
        };
        chosen.map_or(Some(Vec::new()), |chosen| self.select_rich(chosen, owner))
    }

    /// The packages that fulfil a dependency about one package.
    fn one_package(&self, rich: &RichDependency) -> Vec<u32> {
        match rich {
            RichDependency::Simple(dependency) => self.providers(dependency),
            RichDependency::Or(parts) => parts.iter().flat_map(|part| self.one_package(part)).collect(),
            RichDependency::With(parts) | RichDependency::And(parts) => {
                let mut parts = parts.iter().map(|part| self.one_package(part));
                let mut found = parts.next().unwrap_or_default();
                parts.for_each(|part| found.retain(|package| part.contains(package)));
                found
            }
            RichDependency::Without(left, right) => {
                let refused = self.one_package(right);
                let mut found = self.one_package(left);
                found.retain(|package| !refused.contains(package));
                found
            }
            // rpm refuses conditions below `with` and `without`.
            RichDependency::If { .. } | RichDependency::Unless { .. } => Vec::new(),
        }
    }

    fn providers(&self, dependency: &Dependency) -> Vec<u32> {
        let named = self.names.get(dependency.name.as_str()).into_iter().flatten();
        let fitting = named.filter(|(_, provide)| fits(provide, dependency));
        let mut found: Vec<u32> = fitting.map(|(package, _)| *package).collect();
        if found.is_empty() && dependency.name.starts_with('/') {
            found = self.files.packages_with(&dependency.name);
        }
        found
    }

    /// One of several: the package of that name, then one of the same component, then the first by name.
    fn best(&self, name: &str, owner: u32, found: Vec<u32>) -> Option<Vec<u32>> {
        let rank = |package: &u32| {
            let (package, component) = self.packages.get(*package as usize).copied().unwrap_or_default();
            (package != name, component != owner, package)
        };
        let best = found
            .into_iter()
            .min_by(|left, right| rank(left).cmp(&rank(right)));
        best.map(|package| vec![package])
    }
}

/// What is provided without a version fulfils no bound on one (`rpmdsCompare` asks this of the caller).
fn fits(provide: &Dependency, wanted: &Dependency) -> bool {
    (provide.constraint.is_some() || wanted.constraint.is_none()) && provide.overlaps(wanted)
}
