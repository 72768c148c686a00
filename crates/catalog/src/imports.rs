//! Which component imports which package of the upstream.

use std::collections::BTreeMap;

use crate::resolve::{ResolvedComponent, Source};
use crate::value::{ComponentName, NamePattern, PackageName};

/// Which component imports which package of the upstream, in one version of a distribution.
#[derive(Debug, Clone, Default)]
pub struct Imports {
    /// One for each name that something is made of the package under.
    exact: BTreeMap<PackageName, Vec<ResolvedComponent>>,
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
                let others = self.exact.entry(package.clone()).or_default();
                if let Some(earlier) = others.iter().find(|other| name_of(other) == name_of(&component)) {
                    return Err((component.name, package, earlier.name.clone()));
                }
                others.push(component);
            }
        }
        Ok(())
    }

    /// The components that import `package`: those that name it, or else the first whose pattern matches.
    ///
    /// There is more than one only where several packages are made of it, under names of their own.
    #[must_use]
    pub fn get(&self, package: &PackageName) -> Vec<&ResolvedComponent> {
        if let Some(components) = self.exact.get(package) {
            return components.iter().collect();
        }
        let mut patterns = self.patterns.iter();
        let found = patterns.find(|(pattern, _)| pattern.matches(package.as_str()));
        found.map(|(_, component)| component).into_iter().collect()
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
            .flatten()
            .chain(self.patterns.iter().map(|(_, component)| component))
    }
}

/// The name of what an imported component makes, where it is not the upstream's.
fn name_of(component: &ResolvedComponent) -> Option<&PackageName> {
    match &component.source {
        Source::Import(import) => import.name.as_ref(),
        Source::Spec(_) | Source::Generate(_) => None,
    }
}
