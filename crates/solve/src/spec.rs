//! How a person names packages.

use crate::formula::{Formula, Owner};
use crate::glob::Glob;
use crate::{PackageId, Pool};
use lazuli_rpm::{Dependency, Nevra, RichDependency};
use std::fmt;

/// Longest spec in bytes.
const LENGTH_MAX: usize = 4096;

/// What a person wrote to name packages: `name`, `name.arch`, `name-evr`, `name-evr.arch`, `name >= 1`, a path, a
/// capability such as `libc.so.6()(64bit)`, a rich dependency, or any of the first four with `*`, `?` and `[…]`.
///
/// What it means depends on what there is (a package may be called `foo-1`), so it is matched against a pool:
/// the readings are tried in the order above, and the first one that matches counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spec(String);

/// Why a text names no packages.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` names no package: {reason}")]
pub struct SpecParseError {
    /// What was parsed.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// How a spec was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All versions of a name.
    Name,
    /// A name with a version or an architecture.
    Exact,
    /// What packages provide.
    Capability,
}

/// What a spec means in a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// These packages.
    Packages(Reading, Vec<PackageId>),
    /// A rich dependency.
    Rich(Formula),
    /// Nothing.
    Nothing,
}

impl Spec {
    /// Checks a text for what can never name a package.
    pub fn parse(text: &str) -> Result<Self, SpecParseError> {
        let fail = |reason: String| SpecParseError {
            text: text.to_owned(),
            reason,
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(fail("it is empty".to_owned()));
        }
        if trimmed.len() > LENGTH_MAX {
            return Err(fail(format!("it has more than {LENGTH_MAX} bytes")));
        }
        if trimmed.contains(char::is_control) {
            return Err(fail("it has control characters".to_owned()));
        }
        if trimmed.starts_with('(') {
            RichDependency::parse(trimmed).map_err(|error| fail(error.reason))?;
        } else if trimmed.contains(char::is_whitespace) {
            Dependency::parse(trimmed).map_err(|error| fail(error.reason))?;
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Looks it up among the packages that `is_wanted` lets through.
    pub(crate) fn find(&self, pool: &Pool, is_wanted: &dyn Fn(PackageId) -> bool) -> Target {
        let text = self.0.as_str();
        if text.starts_with('(') {
            // `parse` has checked it.
            let dependency = Dependency::any(text);
            return Formula::requirement(pool, &dependency, Owner::Nobody)
                .map_or(Target::Nothing, Target::Rich);
        }
        let wanted = |packages: Vec<PackageId>| -> Vec<PackageId> {
            packages.into_iter().filter(|id| is_wanted(*id)).collect()
        };
        let by_capability = |text: &str| match Dependency::parse(text) {
            Ok(dependency) => wanted(pool.providers(&dependency)),
            Err(_) => Vec::new(),
        };
        if text.starts_with('/') || text.contains(char::is_whitespace) {
            let found = by_capability(text);
            return if found.is_empty() {
                Target::Nothing
            } else {
                Target::Packages(Reading::Capability, found)
            };
        }
        let (reading, found) = if Glob::is_pattern(text) && pool.groups_named(text).is_empty() {
            by_pattern(pool, &Glob::new(text), &wanted)
        } else {
            by_name(pool, text, &wanted)
        };
        if !found.is_empty() {
            return Target::Packages(reading, found);
        }
        let found = by_capability(text);
        if found.is_empty() {
            Target::Nothing
        } else {
            Target::Packages(Reading::Capability, found)
        }
    }
}

fn all_named(pool: &Pool, name: &str) -> Vec<PackageId> {
    pool.groups_named(name)
        .iter()
        .flat_map(|group| pool.group(*group))
        .copied()
        .collect()
}

fn by_name(
    pool: &Pool,
    text: &str,
    wanted: &impl Fn(Vec<PackageId>) -> Vec<PackageId>,
) -> (Reading, Vec<PackageId>) {
    let found = wanted(all_named(pool, text));
    if !found.is_empty() {
        return (Reading::Name, found);
    }
    // `name.arch`
    if let Some((name, arch)) = text.rsplit_once('.') {
        let mut found = wanted(all_named(pool, name));
        found.retain(|id| pool.record(*id).nevra.arch == arch);
        if !found.is_empty() {
            return (Reading::Exact, found);
        }
    }
    // `name-version`, `name-version-release`, with or without `.arch`: the name ends at one of the last two dashes.
    for (at, _) in text.rmatch_indices('-').take(2) {
        let mut found = wanted(all_named(pool, &text[..at]));
        found.retain(|id| forms(&pool.record(*id).nevra).iter().any(|form| form == text));
        if !found.is_empty() {
            return (Reading::Exact, found);
        }
    }
    (Reading::Exact, Vec::new())
}

fn by_pattern(
    pool: &Pool,
    glob: &Glob,
    wanted: &impl Fn(Vec<PackageId>) -> Vec<PackageId>,
) -> (Reading, Vec<PackageId>) {
    let mut groups: Vec<&str> = pool.names().filter(|name| glob.matches(name)).collect();
    groups.sort_unstable();
    let found = wanted(
        groups
            .into_iter()
            .flat_map(|name| all_named(pool, name))
            .collect(),
    );
    if !found.is_empty() {
        return (Reading::Name, found);
    }
    let all = pool.packages().filter(|id| {
        forms(&pool.record(*id).nevra)
            .iter()
            .any(|form| glob.matches(form))
    });
    (Reading::Exact, wanted(all.collect()))
}

/// All ways to write a package but its bare name.
fn forms(nevra: &Nevra) -> Vec<String> {
    let Nevra { name, evr, arch } = nevra;
    let (epoch, version, release) = (evr.epoch, &evr.version, &evr.release);
    let mut forms = Vec::with_capacity(9);
    for prefix in [String::new(), format!("{epoch}:")] {
        // The epoch may be left out, but a wrong one never matches.
        forms.push(format!("{name}-{prefix}{version}"));
        forms.push(format!("{name}-{prefix}{version}-{release}"));
        forms.push(format!("{name}-{prefix}{version}.{arch}"));
        forms.push(format!("{name}-{prefix}{version}-{release}.{arch}"));
    }
    forms.push(format!("{name}.{arch}"));
    forms
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
