//! The built repository: exactly the current results of all components.

use super::plan::built_components;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_build::Digest;
use lazuli_build::workshop::{ComponentResult, Places, Record};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What says of which packages the metadata is: only it is written after the metadata.
const STAMP: &str = ".published";

/// A package file, and the component that it is of.
struct Current {
    path: PathBuf,
    digest: Digest,
    component: String,
}

/// Fills the repository and writes its metadata, if anything is different. A repository of which nothing was ever built is
/// not made.
pub fn publish(workspace: &Workspace, places: &Places) -> Result<()> {
    let folder = workspace.built_repository();
    let wanted = current(workspace, places)?;
    if wanted.is_empty() && !folder.exists() {
        return Ok(());
    }
    let lines: String = wanted
        .iter()
        .map(|(name, file)| format!("{} {name}\n", file.digest))
        .collect();
    let stamp = folder.join(STAMP);
    let there = packages(&folder)?;
    let is_whole = std::fs::read_to_string(&stamp).is_ok_and(|known| known == lines)
        && there.iter().eq(wanted.keys())
        && folder.join("repodata").join("repomd.xml").is_file();
    if is_whole {
        return Ok(());
    }
    std::fs::create_dir_all(&folder).or_fail(Kind::Environment)?;
    // From here to the end, the metadata may be of other packages: the stamp goes first and comes last.
    match std::fs::remove_file(&stamp) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::new(Kind::Environment, error));
        }
        _ => {}
    }
    lazuli_durable::reclaim(&folder).or_fail(Kind::Environment)?;
    for name in there.iter().filter(|name| !wanted.contains_key(*name)) {
        std::fs::remove_file(folder.join(name)).or_fail(Kind::Environment)?;
    }
    for (name, file) in &wanted {
        place(&file.path, &folder.join(name))?;
    }
    lazuli_durable::sync_folder(&folder).or_fail(Kind::Environment)?;
    crate::repo::create(workspace, &folder, super::time(workspace)?)?;
    lazuli_durable::write(&stamp, lines.as_bytes()).or_fail(Kind::Environment)
}

/// The package files of all components that the project has, by name.
fn current(workspace: &Workspace, places: &Places) -> Result<BTreeMap<String, Current>> {
    let mut files: BTreeMap<String, Current> = BTreeMap::new();
    for component in built_components(workspace)?.into_keys() {
        let Some(key) = Record::read(places, &component).current else {
            continue;
        };
        let folder = places.result(&component, &key);
        let Some(result) = ComponentResult::read(&folder, &component) else {
            continue;
        };
        for package in result.packages {
            let file = Current {
                path: folder.join(&package.file),
                digest: package.digest,
                component: component.clone(),
            };
            if let Some(other) = files.insert(package.file.clone(), file) {
                return Err(Failure::message(
                    Kind::Project,
                    format!("{} and {component} both give {}", other.component, package.file),
                )
                .hint("leave the package out of one of the specs"));
            }
        }
    }
    Ok(files)
}

/// The packages in a folder that may be missing.
fn packages(folder: &Path) -> Result<BTreeSet<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(Failure::new(Kind::Environment, error)),
    };
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.ends_with(".rpm")).collect())
}

/// A hard link, or where there can be none, a copy.
fn place(source: &Path, target: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let is_same =
        |one: &std::fs::Metadata, two: &std::fs::Metadata| (one.dev(), one.ino()) == (two.dev(), two.ino());
    let source_file = std::fs::metadata(source).or_fail(Kind::Environment)?;
    if std::fs::metadata(target).is_ok_and(|there| is_same(&there, &source_file)) {
        return Ok(());
    }
    let new = lazuli_durable::temporary_beside(target);
    if std::fs::hard_link(source, &new).is_err() {
        std::fs::copy(source, &new).or_fail(Kind::Environment)?;
    }
    lazuli_durable::adopt(&new, target).or_fail(Kind::Environment)
}
