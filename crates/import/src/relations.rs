//! Relations between packages, from Debian's terms to rpm's.
//!
//! | Debian | rpm |
//! |---|---|
//! | `Depends`, `Pre-Depends`: `a \| b (>= 1)` | Requires: `(a or b >= 1-0)` |
//! | `Recommends`, `Suggests` | the same, weak |
//! | `Enhances: a` | Enhances: `a` |
//! | `Conflicts: a`, `Breaks: a (<< 2)` | Conflicts: `a`, `a < 2-0` |
//! | `Provides: a (= 1)` | Provides: `a = 1-0` |
//! | `Provides: a` | Provides: `a` with the package's own version |
//! | `Provides`, `Replaces` and `Conflicts` or `Breaks` of one name: a new name | Obsoletes, with the bound of the conflict |
//! | `Replaces` alone: files move | nothing: rpm has no way to take over a file |
//!
//! A name that is provided without a version answers no versioned relation in Debian. In rpm it answers *every* one,
//! so that `Breaks: gnupg-agent (<< 2.1)` would hit whoever provides `gnupg-agent` today. With the package's own version
//! it does not.

use lazuli_deb::{Alternatives, Binary, Relation};
use lazuli_rpm::{Comparison, Dependency, DependencyParseError, Evr};

use crate::scripts::matches;
use crate::settings::ImportSettings;
use crate::version::{VersionMappingError, to_comparison, to_evr};

/// The relations of a package, in rpm's terms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relations {
    /// What it needs.
    pub requires: Vec<Dependency>,
    /// What it provides, but for itself.
    pub provides: Vec<Dependency>,
    /// What it cannot be installed beside.
    pub conflicts: Vec<Dependency>,
    /// What it takes the place of.
    pub obsoletes: Vec<Dependency>,
    /// What it wants.
    pub recommends: Vec<Dependency>,
    /// What it goes well with.
    pub suggests: Vec<Dependency>,
    /// What goes well with it.
    pub enhances: Vec<Dependency>,
    /// What was left out, and why: for the report.
    pub notes: Vec<String>,
}

/// Why relations cannot be mapped.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelationMappingError {
    /// A version has no rpm form.
    #[error(transparent)]
    Version(#[from] VersionMappingError),
    /// A relation of the settings is malformed.
    #[error("in the import settings: {0}")]
    Setting(#[from] DependencyParseError),
}

/// Maps the relations of a package, with what the settings leave out, replace and add.
pub fn map_relations(binary: &Binary, settings: &ImportSettings) -> Result<Relations, RelationMappingError> {
    let own = to_evr(&binary.version)?;
    let mut out = Relations::default();
    let needed = binary.pre_depends.iter().chain(&binary.depends);
    out.requires = needs(needed, &settings.drop_requires, settings, &mut out.notes)?;
    out.recommends = needs(
        binary.recommends.iter(),
        &settings.drop_recommends,
        settings,
        &mut out.notes,
    )?;
    out.suggests = needs(
        binary.suggests.iter(),
        &settings.drop_suggests,
        settings,
        &mut out.notes,
    )?;
    for relation in binary.enhances.iter().flatten() {
        if !dropped(relation, &settings.drop_suggests) {
            out.enhances.push(dependency(relation)?);
        }
    }
    for relation in binary.provides.iter().flatten() {
        if !dropped(relation, &settings.drop_provides) && relation.name != binary.name {
            let evr = match &relation.constraint {
                Some(constraint) => to_evr(&constraint.version)?,
                None => own.clone(),
            };
            out.provides.push(Dependency::versioned(
                relation.name.as_str(),
                Comparison::Equal,
                evr,
            ));
        }
    }
    for relation in binary.conflicts.iter().chain(&binary.breaks).flatten() {
        // A conflict with another version of itself is what any upgrade is.
        if !dropped(relation, &settings.drop_conflicts) && relation.name != binary.name {
            out.conflicts.push(dependency(relation)?);
        }
    }
    replaced(binary, settings, &mut out)?;
    add(&settings.add_requires, &mut out.requires)?;
    add(&settings.add_recommends, &mut out.recommends)?;
    add(&settings.add_provides, &mut out.provides)?;
    add(&settings.add_conflicts, &mut out.conflicts)?;
    add(&settings.add_obsoletes, &mut out.obsoletes)?;
    for list in [
        &mut out.requires,
        &mut out.provides,
        &mut out.conflicts,
        &mut out.obsoletes,
        &mut out.recommends,
        &mut out.suggests,
        &mut out.enhances,
    ] {
        list.sort();
        list.dedup();
    }
    Ok(out)
}

/// Relations of which one alternative is enough.
fn needs<'a>(
    groups: impl Iterator<Item = &'a Alternatives>,
    drop: &[String],
    settings: &ImportSettings,
    notes: &mut Vec<String>,
) -> Result<Vec<Dependency>, RelationMappingError> {
    let mut needs = Vec::new();
    for group in groups {
        if group.iter().any(|relation| dropped(relation, drop)) {
            notes.push(format!("not needed: {}", shown(group)));
            continue;
        }
        let replaced = group
            .iter()
            .find_map(|r| settings.replace_requires.get(r.name.as_str()));
        if let Some(text) = replaced {
            needs.push(Dependency::parse(text)?);
            continue;
        }
        let mut choices = Vec::with_capacity(group.len());
        for relation in group {
            let choice = dependency(relation)?;
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        if choices.len() > 1 {
            let texts: Vec<String> = choices.iter().map(Dependency::to_string).collect();
            needs.push(Dependency::any(format!("({})", texts.join(" or "))));
        } else {
            needs.extend(choices);
        }
    }
    Ok(needs)
}

/// A new name for a package obsoletes the old one; other replacements only move files.
fn replaced(
    binary: &Binary,
    settings: &ImportSettings,
    out: &mut Relations,
) -> Result<(), RelationMappingError> {
    for relation in binary.replaces.iter().flatten() {
        let name = &relation.name;
        if dropped(relation, &settings.drop_conflicts) || *name == binary.name {
            continue;
        }
        let provided = binary.provides.iter().flatten().any(|p| p.name == *name);
        let conflict = binary
            .conflicts
            .iter()
            .chain(&binary.breaks)
            .flatten()
            .find(|c| c.name == *name);
        let text = format!("replaces {relation}");
        let (true, Some(conflict)) = (provided, conflict) else {
            if conflict.is_none() {
                out.notes
                    .push(format!("{text}, without a conflict: files of both may collide"));
            }
            continue;
        };
        let exists = settings
            .real_packages
            .as_ref()
            .is_some_and(|real| real.contains(name.as_str()));
        let bounded = conflict.constraint.is_some();
        if exists && !bounded {
            out.notes.push(format!(
                "{text}, but that package is still there: one of several that provide it"
            ));
            continue;
        }
        if !bounded && settings.real_packages.is_none() {
            out.notes.push(format!(
                "{text}: taken for one of several that provide it, since it is not known to be gone"
            ));
            continue;
        }
        out.obsoletes.push(dependency(conflict)?);
    }
    Ok(())
}

fn dependency(relation: &Relation) -> Result<Dependency, VersionMappingError> {
    // Qualifiers (`:any`, `:amd64`) choose among architectures; a system here has one.
    Ok(match &relation.constraint {
        None => Dependency::any(relation.name.as_str()),
        Some(constraint) => {
            let evr: Evr = to_evr(&constraint.version)?;
            Dependency::versioned(relation.name.as_str(), to_comparison(constraint.comparison), evr)
        }
    })
}

fn dropped(relation: &Relation, patterns: &[String]) -> bool {
    let name = relation.name.as_str();
    // `perl:any` in a list means the same as `perl`.
    patterns
        .iter()
        .any(|pattern| matches(pattern.split(':').next().unwrap_or(pattern), name))
}

fn shown(group: &Alternatives) -> String {
    group
        .iter()
        .map(Relation::to_string)
        .collect::<Vec<_>>()
        .join(" | ")
}

fn add(texts: &[String], list: &mut Vec<Dependency>) -> Result<(), DependencyParseError> {
    for text in texts {
        list.push(Dependency::parse(text)?);
    }
    Ok(())
}
