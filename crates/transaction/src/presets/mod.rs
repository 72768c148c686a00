//! Presets: which units a new package's installation enables (systemd.preset(5), systemd.unit(5) section `[Install]`).
//!
//! What `systemctl preset` would do, without running it: for each unit that a transaction brings for the first time, the
//! first matching preset line says whether it is enabled; if so, the links that its `[Install]` section names are
//! made in `/etc/systemd/system`. Units that were there before keep what the administrator chose. When a package goes, links
//! to its units go too.

mod files;
mod links;
mod rules;
mod unit;

use crate::{Clock, Root, TransactionError};
use rules::{Rules, Verdict};
use std::collections::{BTreeMap, BTreeSet};

pub use files::{UnitFile, UnitFiles};
pub use links::{UnitError, links_of_disabling, links_of_enabling, system_units};

/// A set of units: those of the system, or those of users' sessions.
struct Scope {
    /// Where packages put units; links to them lead here.
    units: &'static str,
    /// Where enabling makes links.
    links: &'static str,
    /// Preset folders, the first with a name counts.
    presets: &'static [&'static str],
}

/// Units of the system.
static SYSTEM: Scope = Scope {
    units: "/usr/lib/systemd/system",
    links: "/etc/systemd/system",
    presets: &[
        "/etc/systemd/system-preset",
        "/run/systemd/system-preset",
        "/usr/local/lib/systemd/system-preset",
        "/usr/lib/systemd/system-preset",
    ],
};

/// Units of users' sessions.
static USER: Scope = Scope {
    units: "/usr/lib/systemd/user",
    links: "/etc/systemd/user",
    presets: &[
        "/etc/systemd/user-preset",
        "/run/systemd/user-preset",
        "/usr/local/lib/systemd/user-preset",
        "/usr/lib/systemd/user-preset",
    ],
};

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
    for scope in [&SYSTEM, &USER] {
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
                    links::enable(root, scope, name, instance.as_deref(), &mut links)?;
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
        let is_free = links::is_free(root.unit_file(path)?.as_ref());
        if is_free && root.link(path.as_bytes(), target.as_bytes(), clock.seconds())? {
            changed.push(path.clone().into_bytes());
        }
    }
    Ok(changed)
}

/// Removes the links that enabling these units made, and folders that become empty by it.
fn disable(root: &Root, scope: &Scope, names: &BTreeSet<String>) -> Result<Vec<Vec<u8>>, TransactionError> {
    let mut removed = Vec::new();
    for link in links::disable(root, scope, names)? {
        if root.unlink(link.as_bytes())? {
            removed.push(link.clone().into_bytes());
        }
        if let Some((folder, _)) = link.rsplit_once('/').filter(|(folder, _)| *folder != scope.links) {
            remove_empty(root, folder)?;
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
