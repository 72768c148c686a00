//! Which links enabling a unit makes, and disabling it removes: found without changing anything.

use super::files::{UnitFile, UnitFiles};
use super::unit::{self, Install};
use super::{KINDS, MAX_CHAIN, SYSTEM, Scope, unit_name};
use crate::TransactionError;
use std::collections::{BTreeMap, BTreeSet};

/// Folders that links of enabled units are in end like this.
const LINK_FOLDERS: [&str; 3] = [".wants", ".requires", ".upholds"];

/// What masks a unit.
const MASK: &str = "/dev/null";

/// Why a unit that somebody named can be neither enabled nor disabled.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// It is not in the tree.
    #[error("there is no unit `{name}`")]
    Missing {
        /// The unit.
        name: String,
    },
    /// It links to another unit, or to nothing.
    #[error("unit `{name}` is a link to {target}")]
    Link {
        /// The unit.
        name: String,
        /// Where it leads; `/dev/null` for one that is masked.
        target: String,
    },
    /// Its file does not say what enabling it would do.
    #[error("unit `{name}` has no [Install] section: it is started by what needs it")]
    Static {
        /// The unit.
        name: String,
    },
    /// It is a template, and neither the name nor its file says which instance is meant.
    #[error("unit `{name}` is a template: name an instance of it")]
    Template {
        /// The unit.
        name: String,
    },
    /// Its files cannot be read.
    #[error(transparent)]
    Read(#[from] TransactionError),
}

/// The links that `systemctl enable` makes for a system unit, and for those that it names with `Also=`: path and target.
///
/// Links that are there already are among them. What is at such a path and is no link, or is a mask, is left out: it is
/// somebody's own choice.
///
/// # Errors
/// The unit is not there, or cannot be enabled.
pub fn links_of_enabling(files: &dyn UnitFiles, name: &str) -> Result<BTreeMap<String, String>, UnitError> {
    let scope = &SYSTEM;
    let install = installable(files, scope, name)?;
    let mut links = BTreeMap::new();
    enable(files, scope, name, None, &mut links)?;
    if links.is_empty() && install.also.is_empty() {
        return Err(UnitError::Template {
            name: name.to_owned(),
        });
    }
    let mut free = BTreeMap::new();
    for (path, target) in links {
        if is_free(files.unit_file(&path)?.as_ref()) {
            free.insert(path, target);
        }
    }
    Ok(free)
}

/// The links that `systemctl disable` removes for a system unit, and for those that it names with `Also=`.
///
/// # Errors
/// The unit is not there, or is not one that can be enabled.
pub fn links_of_disabling(files: &dyn UnitFiles, name: &str) -> Result<BTreeSet<String>, UnitError> {
    let scope = &SYSTEM;
    installable(files, scope, name)?;
    let chain = chain(files, scope, name)?.into_iter().map(|(name, ..)| name);
    Ok(disable(files, scope, &chain.collect())?)
}

/// The names of all system units that are there, for messages: sorted, each once.
///
/// # Errors
/// The folders cannot be read.
pub fn system_units(files: &dyn UnitFiles) -> Result<Vec<String>, TransactionError> {
    let scope = &SYSTEM;
    let mut names = BTreeSet::new();
    for folder in [scope.links, scope.units] {
        names.extend(files.names(folder)?.into_iter().filter(|name| {
            let path = format!("{folder}/{name}");
            unit_name(&path, folder).is_some()
        }));
    }
    Ok(names.into_iter().collect())
}

/// Whether enabling may put a link here.
pub(super) fn is_free(there: Option<&UnitFile>) -> bool {
    match there {
        None => true,
        Some(UnitFile::Link(target)) => target != MASK,
        Some(_) => false,
    }
}

/// The `[Install]` section of a unit that can be enabled by name.
fn installable(files: &dyn UnitFiles, scope: &Scope, name: &str) -> Result<Install, UnitError> {
    let owned = || name.to_owned();
    let is_unit = name
        .rsplit_once('.')
        .is_some_and(|(stem, kind)| !stem.is_empty() && !name.contains('/') && KINDS.contains(&kind));
    if !is_unit {
        return Err(UnitError::Missing { name: owned() });
    }
    // A mask is a link of the unit's own name.
    if let Some(UnitFile::Link(target)) = files.unit_file(&format!("{}/{name}", scope.links))?
        && target == MASK
    {
        return Err(UnitError::Link {
            name: owned(),
            target,
        });
    }
    if let Some((_, install)) = read_unit(files, scope, name)? {
        let names = [
            &install.wanted_by,
            &install.required_by,
            &install.upheld_by,
            &install.alias,
            &install.also,
        ];
        if names.iter().all(|list| list.is_empty()) {
            return Err(UnitError::Static { name: owned() });
        }
        return Ok(install);
    }
    match files.unit_file(&format!("{}/{name}", scope.units))? {
        Some(UnitFile::Link(target)) => Err(UnitError::Link {
            name: owned(),
            target,
        }),
        _ => Err(UnitError::Missing { name: owned() }),
    }
}

/// A unit and those that it names with `Also=`, each with its file and section: name, file, section.
fn chain(
    files: &dyn UnitFiles,
    scope: &Scope,
    name: &str,
) -> Result<Vec<(String, String, Install)>, TransactionError> {
    let mut found = Vec::new();
    let mut waiting = vec![name.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if seen.len() >= MAX_CHAIN || !seen.insert(name.clone()) {
            continue;
        }
        if let Some((file, install)) = read_unit(files, scope, &name)? {
            waiting.extend(install.also.iter().cloned());
            found.push((name, file, install));
        }
    }
    Ok(found)
}

/// Collects the links that enabling a unit makes, and those of the units that it names with `Also=`.
pub(super) fn enable(
    files: &dyn UnitFiles,
    scope: &Scope,
    name: &str,
    instance: Option<&str>,
    links: &mut BTreeMap<String, String>,
) -> Result<(), TransactionError> {
    for (at, (name, file, install)) in chain(files, scope, name)?.into_iter().enumerate() {
        // The instance is that of the unit itself, which comes first.
        let instance = instance.filter(|_| at == 0);
        install_links(scope, &file, &name, instance, &install, links);
    }
    Ok(())
}

/// The unit's file and its `[Install]` section; `None` for aliases, masked units and what is not there.
///
/// A file of the administrator's own, where links go, comes before that of a package.
fn read_unit(
    files: &dyn UnitFiles,
    scope: &Scope,
    name: &str,
) -> Result<Option<(String, Install)>, TransactionError> {
    // An instance has its template's file.
    let template = unit::template_of(name);
    for candidate in [Some(name.to_owned()), template].into_iter().flatten() {
        let mut path = format!("{}/{candidate}", scope.links);
        if files.unit_file(&path)? != Some(UnitFile::Regular) {
            path = format!("{}/{candidate}", scope.units);
            match files.unit_file(&path)? {
                Some(UnitFile::Regular) => {}
                Some(_) => return Ok(None),
                None => continue,
            }
        }
        let mut install = Install::default();
        install.read(&files.text(&path)?);
        for folder in [scope.units, scope.links] {
            let folder = format!("{folder}/{candidate}.d");
            for drop_in in files.names(&folder)? {
                if drop_in.ends_with(".conf") {
                    install.read(&files.text(&format!("{folder}/{drop_in}"))?);
                }
            }
        }
        return Ok(Some((path, install)));
    }
    Ok(None)
}

fn install_links(
    scope: &Scope,
    file: &str,
    name: &str,
    instance: Option<&str>,
    install: &Install,
    links: &mut BTreeMap<String, String>,
) {
    let instance = instance.or(install.default_instance.as_deref());
    // A template without an instance cannot be wanted by anything, but may have aliases.
    let Some(full) = unit::instantiate(name, instance) else {
        for alias in &install.alias {
            let alias = unit::expand(alias, name);
            if is_plain(&alias) && alias != name {
                links.insert(format!("{}/{alias}", scope.links), file.to_owned());
            }
        }
        return;
    };
    for alias in &install.alias {
        let alias = unit::expand(alias, &full);
        if is_plain(&alias) && alias != full {
            links.insert(format!("{}/{alias}", scope.links), file.to_owned());
        }
    }
    for (units, ending) in [
        (&install.wanted_by, "wants"),
        (&install.required_by, "requires"),
        (&install.upheld_by, "upholds"),
    ] {
        for other in units {
            let other = unit::expand(other, &full);
            if is_plain(&other) {
                links.insert(
                    format!("{}/{other}.{ending}/{full}", scope.links),
                    file.to_owned(),
                );
            }
        }
    }
}

/// Whether a name stays in its folder.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && !name.starts_with('.')
}

/// The links that enabling these units made.
pub(super) fn disable(
    files: &dyn UnitFiles,
    scope: &Scope,
    names: &BTreeSet<String>,
) -> Result<BTreeSet<String>, TransactionError> {
    let mut found = BTreeSet::new();
    for entry in files.names(scope.links)? {
        let path = format!("{}/{entry}", scope.links);
        let links = if LINK_FOLDERS.iter().any(|ending| entry.ends_with(ending)) {
            let names = files.names(&path)?;
            names.into_iter().map(|name| format!("{path}/{name}")).collect()
        } else {
            vec![path]
        };
        for link in links {
            if let Some(UnitFile::Link(target)) = files.unit_file(&link)?
                && leads_to(&link, &target, scope, names)
            {
                found.insert(link);
            }
        }
    }
    Ok(found)
}

/// Whether a link leads to one of these units: by the unit's name, which for a template means all instances, or as the
/// link of the one instance that is named.
fn leads_to(link: &str, target: &str, scope: &Scope, names: &BTreeSet<String>) -> bool {
    let (folder, unit) = target.rsplit_once('/').unwrap_or(("", target));
    let is_units = folder == scope.units
        || format!("/usr{folder}") == scope.units
        || folder.ends_with("/systemd/system");
    let own = link.rsplit('/').next().unwrap_or_default();
    let is_instance = || names.contains(own) && unit::template_of(own).as_deref() == Some(unit);
    is_units && (names.contains(unit) || is_instance())
}
