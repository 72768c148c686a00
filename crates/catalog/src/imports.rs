//! Which component imports which package of the upstream.

use std::collections::BTreeMap;

use crate::resolve::{ResolvedComponent, Source};
use crate::value::{ComponentName, NamePattern, PackageName};

/// Which component imports which package of the upstream, in one version of a distribution.
#[derive(Debug, Clone, Default)]
pub struct Imports {
    exact: BTreeMap<PackageName, ResolvedComponent>,
    /// In the order of the components' names.
    patterns: Vec<(NamePattern, ResolvedComponent)>,
}

impl Imports {
    /// Takes in a component, if it is imported; gives it back with what it clashes with.
    pub(crate) fn add(
        &mut self,
        component: ResolvedComponent,
    ) -> Result<(), (ComponentName, PackageName, ComponentName)> {
        let Source::Import(import) = &component.source else {
            return Ok(());
        };
        match import.package.package() {
            None => self.patterns.push((import.package.clone(), component)),
            Some(package) => {
                if let Some(earlier) = self.exact.get(&package) {
                    return Err((component.name, package, earlier.name.clone()));
                }
                self.exact.insert(package, component);
            }
        }
        Ok(())
    }

    /// The component that imports `package`: the one that names it, or else the first whose pattern matches.
    #[must_use]
    pub fn get(&self, package: &PackageName) -> Option<&ResolvedComponent> {
        let by_pattern = || {
            let mut patterns = self.patterns.iter();
            patterns
                .find(|(pattern, _)| pattern.matches(package.as_str()))
                .map(|(_, component)| component)
        };
        self.exact.get(package).or_else(by_pattern)
    }

    /// The packages that are named exactly, sorted.
    pub fn packages(&self) -> impl Iterator<Item = &PackageName> {
        self.exact.keys()
    }

    /// The patterns of the others, in the order of the components' names.
    pub fn patterns(&self) -> impl Iterator<Item = &NamePattern> {
        self.patterns.iter().map(|(pattern, _)| pattern)
    }

    /// All imported components: first those that name a package, then those with patterns.
    pub fn components(&self) -> impl Iterator<Item = &ResolvedComponent> {
        self.exact
            .values()
            .chain(self.patterns.iter().map(|(_, component)| component))
    }
}
