//! `lazuli component update`: resolve components against the upstream as it is now, and write the lock.

use crate::failure::{Failure, Kind, OrFail, Result};
use crate::import::Reach;
use crate::upstream::{archive, failure};
use crate::workspace::Workspace;
use lazuli_catalog::{
    ComponentName, ComponentScope, LockDiff, LockFile, LockedSuite, PackageName, Source, Timestamp,
};
use lazuli_deb::PackageName as DebianName;
use lazuli_upstream::{ClosureOptions, DebianArchive, Freshness, Index, LockedPackage, Recommends};
use std::collections::{BTreeMap, BTreeSet};

/// What to update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every package.
    All,
    /// The packages of these components, and what they newly need.
    Only(Vec<ComponentName>),
    /// What the upstream no longer serves, and what is not locked yet.
    Vanished,
}

/// Resolves, reports what changes, and writes the lock unless it is a dry run.
pub fn update(workspace: &Workspace, scope: &Scope, dry_run: bool) -> Result<LockDiff> {
    let archive = archive(workspace)?;
    let spinner = workspace.terminal.spinner("reading the upstream archive");
    let index = archive.index(Freshness::Newest, &|_| {}).map_err(failure)?;
    spinner.finish_and_clear();
    for warning in archive.warnings().map_err(failure)? {
        let lazuli_upstream::Warning::Expired { suite, until } = warning;
        workspace
            .terminal
            .warn(format!("the suite {suite} was valid only until {until}"));
    }
    let distribution = closure(workspace, &index, Reach::Distribution)?;
    let everything = closure(workspace, &index, Reach::Everything)?;
    let old = workspace.read_lock()?;
    let old = old.unwrap_or_else(|| empty(workspace));
    let mut lock = empty(workspace);
    lock.suites = suites(&archive)?;
    let for_builds: Vec<_> = everything
        .into_iter()
        .filter(|(name, _)| !distribution.contains_key(name))
        .collect();
    for (into, new) in [
        (&mut lock.packages, distribution.into_iter().collect()),
        (&mut lock.build_packages, for_builds),
    ] {
        for (name, package) in new {
            let before = old.get(&name);
            let chosen = match (scope, before) {
                (Scope::Only(names), Some(before)) if !covers(workspace, names, &name)? => before.clone(),
                (Scope::Vanished, Some(before)) if serves(&index, &name, before) => before.clone(),
                _ => package,
            };
            into.insert(name, chosen);
        }
    }
    let diff = LockFile::diff(&old, &lock);
    report(workspace, &diff)?;
    // A lock with the same packages keeps its time: nothing that is built from it changes.
    let same = old.packages == lock.packages && old.build_packages == lock.build_packages;
    if dry_run || same {
        return Ok(diff);
    }
    let path = workspace.lock_path();
    lazuli_durable::write(&path, lock.to_string().as_bytes()).or_fail(Kind::Environment)?;
    workspace.terminal.note(format!("wrote {}", path.display()));
    Ok(diff)
}

fn report(workspace: &Workspace, diff: &LockDiff) -> Result<()> {
    let facts = serde_json::json!({
        "added": diff.added.iter().map(|(name, package)| (name.to_string(), package.version.to_string())).collect::<BTreeMap<_, _>>(),
        "removed": diff.removed.iter().map(|(name, package)| (name.to_string(), package.version.to_string())).collect::<BTreeMap<_, _>>(),
        "changed": diff.changed.iter().map(|change| {
            (change.name.to_string(), [change.old.version.to_string(), change.new.version.to_string()])
        }).collect::<BTreeMap<_, _>>(),
    });
    workspace.terminal.facts(&facts, || diff.to_string())?;
    Ok(())
}

/// Everything that the components need, in its newest version.
fn closure(
    workspace: &Workspace,
    index: &Index,
    reach: Reach,
) -> Result<BTreeMap<PackageName, lazuli_catalog::LockedPackage>> {
    let (names, ignore) = wanted(workspace, reach)?;
    let options = ClosureOptions {
        recommends: Recommends::Ignore,
        ignore,
    };
    let architecture = lazuli_deb::Architecture::parse(workspace.architecture.debian())?;
    let packages = index.closure(&names, &options, &architecture).map_err(failure)?;
    packages.iter().map(|package| Ok(package.to_catalog()?)).collect()
}

/// The packages that components name exactly, and those that components leave out.
///
/// What one component leaves out is not followed from any other either: a lock may hold less than it could, and the
/// solver then says what is missing.
fn wanted(workspace: &Workspace, reach: Reach) -> Result<(Vec<DebianName>, BTreeSet<DebianName>)> {
    let (mut names, mut ignore) = (Vec::new(), BTreeSet::new());
    // Packages that the upstream does not have under these names.
    let mut made = BTreeSet::new();
    for component in workspace
        .catalog
        .components(&workspace.distro, workspace.architecture)
        .or_fail(Kind::Project)?
    {
        let Source::Import(import) = &component.source else {
            made.insert(component.name.to_string());
            continue;
        };
        made.extend(import.name.as_ref().map(ToString::to_string));
        if (reach, component.scope) == (Reach::Distribution, ComponentScope::Build) {
            continue;
        }
        ignore.extend(
            import
                .drop_requires
                .iter()
                .filter_map(|pattern| DebianName::parse(pattern.as_str()).ok()),
        );
        if let Ok(name) = DebianName::parse(import.package.as_str()) {
            names.push(name);
        }
    }
    if reach == Reach::Everything {
        let base = workspace
            .distro
            .buildroot
            .iter()
            .filter(|name| !made.contains(name.as_str()));
        names.extend(base.filter_map(|name| DebianName::parse(name.as_str()).ok()));
    }
    // A component that is named is wanted, whatever else leaves it out.
    for name in &names {
        ignore.remove(name);
    }
    Ok((names, ignore))
}

fn empty(workspace: &Workspace) -> LockFile {
    LockFile::new(
        workspace.distro.name.clone(),
        workspace.distro.version.clone(),
        workspace.architecture,
    )
}

fn suites(archive: &DebianArchive) -> Result<BTreeMap<lazuli_catalog::SuiteName, LockedSuite>> {
    let states = archive.suite_states().map_err(failure)?;
    Ok(states
        .into_iter()
        .map(|state| {
            let inrelease_sha256 =
                lazuli_catalog::Sha256Digest::from_bytes(*state.inrelease_sha256.as_bytes());
            (
                state.name,
                LockedSuite {
                    date: Timestamp::from_unix(state.date),
                    inrelease_sha256,
                },
            )
        })
        .collect())
}

fn serves(index: &Index, name: &PackageName, package: &lazuli_catalog::LockedPackage) -> bool {
    let digest = lazuli_deb::Sha256Digest::from_bytes(package.sha256.to_bytes());
    index.find(name.as_str(), &digest).is_some()
}

/// Whether one of the components imports the package.
fn covers(workspace: &Workspace, names: &[ComponentName], package: &PackageName) -> Result<bool> {
    for name in names {
        let component = workspace
            .catalog
            .component(name, &workspace.distro)
            .or_fail(Kind::Project)?;
        if matches!(&component.source, Source::Import(import) if import.package.matches(package.as_str())) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The locked packages as the upstream engine takes them.
pub fn locked(lock: &LockFile, reach: Reach) -> Result<Vec<LockedPackage>> {
    if lock.packages.is_empty() {
        return Err(
            Failure::message(Kind::Project, "the lock has no packages").hint("run `lazuli component update`")
        );
    }
    lock.all()
        .filter(|(name, _)| reach == Reach::Everything || lock.packages.contains_key(*name))
        .map(|(name, package)| Ok(LockedPackage::from_catalog(name, package)?))
        .collect()
}
