//! What packages need: a plain walk over dependencies, to know what to lock.
//!
//! This is no solver: conflicts and older versions are not looked at. Which packages go into a system is decided later,
//! over the imported packages, by one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lazuli_deb::{Alternatives, Architecture, Binary, PackageName, Priority, Relation, Version};

use crate::error::UpstreamError;
use crate::index::Index;
use crate::lock::LockedPackage;

/// Whether `Recommends` are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recommends {
    /// Only `Depends` and `Pre-Depends` are.
    #[default]
    Ignore,
    /// They are, where something meets them.
    Follow,
}

/// How to walk.
#[derive(Debug, Clone, Default)]
pub struct ClosureOptions {
    /// Whether `Recommends` are followed.
    pub recommends: Recommends,
    /// Packages that are taken to be there and are never added: relations to them are met.
    pub ignore: BTreeSet<PackageName>,
}

/// What has been chosen so far.
struct Chosen<'i> {
    index: &'i Index,
    packages: BTreeMap<PackageName, Binary>,
    /// What the chosen packages provide.
    provided: BTreeMap<PackageName, Vec<Option<Version>>>,
    queue: VecDeque<PackageName>,
}

impl Index {
    /// The packages and all that they need, by name, in their newest versions.
    ///
    /// Of alternatives, one that is chosen already is taken, or else the first that can be had: the real package, or
    /// else the provider of the highest priority, or else the first by name.
    pub fn closure<'n>(
        &self,
        names: impl IntoIterator<Item = &'n PackageName>,
        options: &ClosureOptions,
        architecture: &Architecture,
    ) -> Result<Vec<LockedPackage>, UpstreamError> {
        let mut chosen = Chosen {
            index: self,
            packages: BTreeMap::new(),
            provided: BTreeMap::new(),
            queue: VecDeque::new(),
        };
        let mut unknown = Vec::new();
        // What was asked for comes first, so that it answers alternatives.
        for name in names {
            if options.ignore.contains(name) {
                continue;
            }
            if !chosen.add(name.as_str())? {
                unknown.push(name.clone());
            }
        }
        if !unknown.is_empty() {
            return Err(UpstreamError::Unknown { names: unknown });
        }
        while let Some(name) = chosen.queue.pop_front() {
            let Some(package) = chosen.packages.get(&name) else {
                continue;
            };
            let hard: Vec<Alternatives> = package
                .pre_depends
                .iter()
                .chain(&package.depends)
                .cloned()
                .collect();
            let soft = match options.recommends {
                Recommends::Ignore => Vec::new(),
                Recommends::Follow => package.recommends.clone(),
            };
            for alternatives in &hard {
                if !chosen.meet(alternatives, options, architecture)? {
                    let relation: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
                    return Err(UpstreamError::Unmet {
                        package: name,
                        relation: relation.join(" | "),
                    });
                }
            }
            for alternatives in &soft {
                chosen.meet(alternatives, options, architecture)?;
            }
        }
        self.resolve(chosen.packages.keys())
    }
}

impl Chosen<'_> {
    /// Adds the newest version of a package; `false` if there is none.
    fn add(&mut self, name: &str) -> Result<bool, UpstreamError> {
        if self.packages.contains_key(name) {
            return Ok(true);
        }
        let Some(entry) = self.index.get(name) else {
            return Ok(false);
        };
        let binary = entry.binary()?;
        for provided in binary.provides.iter().flatten() {
            let version = provided
                .constraint
                .as_ref()
                .map(|constraint| constraint.version.clone());
            self.provided
                .entry(provided.name.clone())
                .or_default()
                .push(version);
        }
        self.queue.push_back(binary.name.clone());
        self.packages.insert(binary.name.clone(), binary);
        Ok(true)
    }

    /// Makes sure that one of the alternatives holds; `false` if none can.
    fn meet(
        &mut self,
        alternatives: &[Relation],
        options: &ClosureOptions,
        architecture: &Architecture,
    ) -> Result<bool, UpstreamError> {
        let relevant: Vec<&Relation> = alternatives
            .iter()
            .filter(|relation| relation.holds_on(architecture))
            .collect();
        if relevant.is_empty()
            || relevant
                .iter()
                .any(|relation| options.ignore.contains(&relation.name) || self.holds(relation))
        {
            return Ok(true);
        }
        for relation in relevant {
            if let Some(name) = self.candidate(relation, options)? {
                return self.add(&name);
            }
        }
        Ok(false)
    }

    /// Whether what is chosen meets a relation.
    fn holds(&self, relation: &Relation) -> bool {
        let real = self
            .packages
            .get(&relation.name)
            .is_some_and(|package| relation.admits(&package.version));
        real || self.provided.get(&relation.name).is_some_and(|versions| {
            versions
                .iter()
                .any(|version| admits_provided(relation, version.as_ref()))
        })
    }

    /// The name of the package that would meet a relation.
    fn candidate(
        &self,
        relation: &Relation,
        options: &ClosureOptions,
    ) -> Result<Option<String>, UpstreamError> {
        if let Some(entry) = self.index.get(relation.name.as_str())
            && relation.admits(&entry.version()?)
        {
            return Ok(Some(entry.name().to_owned()));
        }
        let mut best: Option<(Priority, &str)> = None;
        for provider in self.index.providers(relation.name.as_str())? {
            let name = provider.entry.name();
            if options.ignore.contains(name) || !admits_provided(relation, provider.version.as_ref()) {
                continue;
            }
            let priority = provider.entry.binary()?.priority.unwrap_or(Priority::Other);
            if best.is_none_or(|best| (priority, name) < best) {
                best = Some((priority, name));
            }
        }
        Ok(best.map(|(_, name)| name.to_owned()))
    }
}

/// A versioned relation is met only by a provider that says which version it provides (Policy § 7.5).
fn admits_provided(relation: &Relation, version: Option<&Version>) -> bool {
    match (&relation.constraint, version) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(constraint), Some(version)) => constraint.admits(version),
    }
}
