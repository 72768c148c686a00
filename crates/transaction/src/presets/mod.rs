//! Presets: which units a new package's installation enables (systemd.preset(5), systemd.unit(5) section `[Install]`).
//!
//! What `systemctl preset` would do, without running it: for each unit that a transaction brings for the first time, the
//! first matching preset line says whether it is enabled; if so, the links that its `[Install]` section names are
//! made in `/etc/systemd/system`. Units that were there before keep what the administrator chose. When a package goes, links
//! to its units go too.

mod rules;
mod unit;

use crate::{Clock, Root, TransactionError};
use rules::{Rules, Verdict};
use rustix::fs::FileType;
use std::collections::{BTreeMap, BTreeSet};
use unit::Install;

/// A set of units: those of the system, or those of users' sessions.
struct Scope {
    /// Where packages put units; links to them lead here.
    units: &'static str,
    /// Where enabling makes links.
    links: &'static str,
    /// Preset folders, the first with a name counts.
    presets: &'static [&'static str],
}

const SCOPES: &[Scope] = &[
    Scope {
        units: "/usr/lib/systemd/system",
        links: "/etc/systemd/system",
        presets: &[
            "/etc/systemd/system-preset",
            "/run/systemd/system-preset",
            "/usr/local/lib/systemd/system-preset",
            "/usr/lib/systemd/system-preset",
        ],
    },
    Scope {
        units: "/usr/lib/systemd/user",
        links: "/etc/systemd/user",
        presets: &[
            "/etc/systemd/user-preset",
            "/run/systemd/user-preset",
            "/usr/local/lib/systemd/user-preset",
            "/usr/lib/systemd/user-preset",
        ],
    },
];

/// Endings of units that can be enabled.
const KINDS: &[&str] = &[
    "service",
    "socket",
    "target",
    "timer",
    "path",
    "mount",
    "automount",
    "swap",
    "device",
    "slice",
    "scope",
];

/// Most units that one `Also=` chain reaches.
const MAX_CHAIN: usize = 64;

/// Which units are new, and which are gone: real paths.
pub(crate) struct UnitChanges {
    pub(crate) new: BTreeSet<String>,
    pub(crate) gone: BTreeSet<String>,
}

/// Enables and disables units; answers the links that were made or removed.
pub(crate) fn apply(
    root: &Root,
    changes: &UnitChanges,
    clock: Clock,
) -> Result<Vec<Vec<u8>>, TransactionError> {
    let mut changed = Vec::new();
    for scope in SCOPES {
        let names = |paths: &BTreeSet<String>| -> BTreeSet<String> {
            paths
                .iter()
                .filter_map(|path| unit_name(path, scope.units))
                .map(str::to_owned)
                .collect()
        };
        let (new, gone) = (names(&changes.new), names(&changes.gone));
        if !gone.is_empty() {
            changed.extend(disable(root, scope, &gone)?);
        }
        if !new.is_empty() {
            let rules = Rules::of_root(root, scope.presets)?;
            changed.extend(preset(root, scope, &rules, &new, clock)?);
        }
    }
    Ok(changed)
}

/// The unit that a path is, if it is one of these.
fn unit_name<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let name = path.strip_prefix(folder)?.strip_prefix('/')?;
    let (stem, kind) = name.rsplit_once('.')?;
    (!stem.is_empty() && !name.contains('/') && KINDS.contains(&kind)).then_some(name)
}

fn preset(
    root: &Root,
    scope: &Scope,
    rules: &Rules,
    names: &BTreeSet<String>,
    clock: Clock,
) -> Result<Vec<Vec<u8>>, TransactionError> {
    let mut links = BTreeMap::new();
    let mut off = BTreeSet::new();
    for name in names {
        match rules.verdict(name) {
            Verdict::Enable(instances) => {
                let instances = if instances.is_empty() {
                    vec![None]
                } else {
                    instances.into_iter().map(Some).collect()
                };
                for instance in instances {
                    enable(root, scope, name, instance.as_deref(), &mut links)?;
                }
            }
            Verdict::Disable => {
                off.insert(name.clone());
            }
            Verdict::Ignore => {}
        }
    }
    let mut changed = if off.is_empty() {
        Vec::new()
    } else {
        disable(root, scope, &off)?
    };
    for (path, target) in &links {
        for made in root.ensure_folder(crate::root::split(path.as_bytes()).0)? {
            root.set_time(&made, clock.seconds())?;
        }
        // A unit of the administrator's own, or a mask, is not overwritten.
        let stat = root
            .stat(path.as_bytes())
            .map_err(|e| root.error("reading", path.as_bytes(), e))?;
        let is_free = stat.is_none_or(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
        let current = root
            .read_link(path.as_bytes())
            .map_err(|e| root.error("reading", path.as_bytes(), e))?;
        let is_masked = current.as_deref() == Some(b"/dev/null");
        if is_free && !is_masked && root.link(path.as_bytes(), target.as_bytes(), clock.seconds())? {
            changed.push(path.clone().into_bytes());
        }
    }
    Ok(changed)
}

/// Collects the links that enabling a unit makes, and those of the units that it names with `Also=`.
fn enable(
    root: &Root,
    scope: &Scope,
    name: &str,
    instance: Option<&str>,
    links: &mut BTreeMap<String, String>,
) -> Result<(), TransactionError> {
    let mut waiting = vec![(name.to_owned(), instance.map(str::to_owned))];
    let mut seen = BTreeSet::new();
    while let Some((name, instance)) = waiting.pop() {
        if seen.len() >= MAX_CHAIN || !seen.insert(name.clone()) {
            continue;
        }
        let Some((file, install)) = read_unit(root, scope, &name)? else {
            continue;
        };
        waiting.extend(install.also.iter().map(|other| (other.clone(), None)));
        install_links(scope, &file, &name, instance.as_deref(), &install, links);
    }
    Ok(())
}

/// The unit's file and its `[Install]` section; `None` for aliases, masked units and what is not there.
fn read_unit(root: &Root, scope: &Scope, name: &str) -> Result<Option<(String, Install)>, TransactionError> {
    // An instance has its template's file.
    let template = unit::template_of(name);
    for candidate in [Some(name.to_owned()), template].into_iter().flatten() {
        let path = format!("{}/{candidate}", scope.units);
        let stat = root
            .stat(path.as_bytes())
            .map_err(|e| root.error("reading", path.as_bytes(), e))?;
        let Some(stat) = stat else { continue };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
        let mut install = Install::default();
        install.read(&root.read_text(&path)?.unwrap_or_default());
        for folder in [scope.units, scope.links] {
            let folder = format!("{folder}/{candidate}.d");
            for drop_in in root.list(folder.as_bytes())? {
                let file = format!("{folder}/{}", crate::root::text(&drop_in));
                if file.ends_with(".conf") {
                    install.read(&root.read_text(&file)?.unwrap_or_default());
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

/// Removes the links that enabling these units made.
fn disable(root: &Root, scope: &Scope, names: &BTreeSet<String>) -> Result<Vec<Vec<u8>>, TransactionError> {
    let mut removed = Vec::new();
    for entry in root.list(scope.links.as_bytes())? {
        let entry = crate::root::text(&entry);
        let path = format!("{}/{entry}", scope.links);
        if [".wants", ".requires", ".upholds"]
            .iter()
            .any(|ending| entry.ends_with(ending))
        {
            let mut left = 0;
            for link in root.list(path.as_bytes())? {
                let link = format!("{path}/{}", crate::root::text(&link));
                if leads_to(root, &link, scope, names)? && root.unlink(link.as_bytes())? {
                    removed.push(link.into_bytes());
                } else {
                    left += 1;
                }
            }
            if left == 0 {
                remove_empty(root, &path)?;
            }
        } else if leads_to(root, &path, scope, names)? && root.unlink(path.as_bytes())? {
            removed.push(path.into_bytes());
        }
    }
    Ok(removed)
}

fn remove_empty(root: &Root, path: &str) -> Result<(), TransactionError> {
    let (folder, name) = root
        .parent(path.as_bytes())
        .map_err(|e| root.error("removing", path.as_bytes(), e))?;
    match rustix::fs::unlinkat(&folder, name, rustix::fs::AtFlags::REMOVEDIR) {
        Ok(()) | Err(rustix::io::Errno::NOTEMPTY | rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
            Ok(())
        }
        Err(e) => Err(root.error("removing", path.as_bytes(), e)),
    }
}

/// Whether a link leads to one of these units (or a template's instance to its template).
fn leads_to(
    root: &Root,
    link: &str,
    scope: &Scope,
    names: &BTreeSet<String>,
) -> Result<bool, TransactionError> {
    let target = root
        .read_link(link.as_bytes())
        .map_err(|e| root.error("reading", link.as_bytes(), e))?;
    let Some(target) = target.map(|target| crate::root::text(&target)) else {
        return Ok(false);
    };
    let (folder, name) = target.rsplit_once('/').unwrap_or(("", &target));
    let is_units = folder == scope.units
        || format!("/usr{folder}") == scope.units
        || folder.ends_with("/systemd/system");
    Ok(is_units && names.contains(name))
}
