//! The folders of rendered specs: `specs/b/bash/`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use lazuli_catalog::ComponentName;

use super::RenderError;
use crate::source_tree::{Content, FileMode, SourcePath, SourceTree, TreeError};

/// The folder of a component: below a folder of its first letter, so that no folder has thousands of entries.
#[must_use]
pub fn component_folder(output: &Path, name: &ComponentName) -> PathBuf {
    output.join(letter(name)).join(name.as_str())
}

/// What names in the drift of a component begin with.
pub(super) fn prefix(name: &ComponentName) -> String {
    format!("{}/{name}/", letter(name))
}

fn letter(name: &ComponentName) -> String {
    first_letter(name.as_str())
}

fn first_letter(name: &str) -> String {
    name.chars().take(1).flat_map(char::to_lowercase).collect()
}

/// What is in a component's folder; nothing if it is not there, or has no file. It need not have the spec any more.
pub(super) fn load(folder: &Path, spec: &SourcePath) -> Result<Option<SourceTree>, TreeError> {
    if folder.join(spec.as_str()).is_file() {
        return SourceTree::load(folder, spec.clone()).map(Some);
    }
    let failed = |source| TreeError::Io {
        path: folder.to_owned(),
        source,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().map_err(failed)?.is_file() && !name.starts_with('.') {
            names.insert(name);
        }
    }
    // A tree has a spec by name; for a comparison any file will do.
    match names.into_iter().next() {
        Some(name) => SourceTree::load(folder, SourcePath::new(name)?).map(Some),
        None => Ok(None),
    }
}

/// Puts a tree in the place of a component's folder, in one step.
pub(super) fn replace(folder: &Path, tree: &SourceTree) -> Result<(), RenderError> {
    let failed = |source: io::Error| RenderError::Write {
        folder: folder.to_owned(),
        source,
    };
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).map_err(failed)?;
    }
    let temporary = lazuli_durable::temporary_beside(folder);
    let written = write(&temporary, tree)
        .and_then(|()| lazuli_durable::replace_folder(&temporary, folder).map_err(failed));
    if written.is_err() {
        // It may not be there at all; what matters is the first error.
        let _ = fs::remove_dir_all(&temporary);
    }
    written
}

fn write(folder: &Path, tree: &SourceTree) -> Result<(), RenderError> {
    let mut folders = BTreeSet::new();
    for (path, file) in tree.files() {
        let target = folder.join(path.as_str());
        let failed = |source: io::Error| RenderError::Write {
            folder: target.clone(),
            source,
        };
        match &file.content {
            Content::Link(to) => {
                if let Some(above) = target.parent() {
                    fs::create_dir_all(above).map_err(failed)?;
                }
                std::os::unix::fs::symlink(&**to, &target).map_err(failed)?;
            }
            content => {
                lazuli_durable::write(&target, &content.read()?).map_err(failed)?;
                let mode = match file.mode {
                    FileMode::Plain => 0o644,
                    FileMode::Executable => 0o755,
                };
                fs::set_permissions(&target, fs::Permissions::from_mode(mode)).map_err(failed)?;
            }
        }
        let above = target
            .ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(folder));
        folders.extend(above.map(Path::to_owned));
    }
    for folder in folders {
        lazuli_durable::sync_folder(&folder).map_err(|source| RenderError::Write {
            folder: folder.clone(),
            source,
        })?;
    }
    Ok(())
}

/// A folder of a component that is no more.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OrphanFolder {
    /// The folder.
    pub path: PathBuf,
    /// The component that it was of.
    pub component: String,
}

impl OrphanFolder {
    /// Removes it.
    ///
    /// # Errors
    /// It can't be removed.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.path)?;
        match self.path.parent() {
            Some(above) => lazuli_durable::sync_folder(above),
            None => Ok(()),
        }
    }
}

/// The folders below `output` that are of no component: `x/xname` with a spec in it. All else is not ours.
///
/// # Errors
/// A folder can't be read.
pub fn orphans(output: &Path, components: &BTreeSet<ComponentName>) -> io::Result<Vec<OrphanFolder>> {
    let mut found = Vec::new();
    for letter in folders(output)? {
        for (name, path) in folders(&letter.1)? {
            let ours = letter.0 == first_letter(&name);
            let known = components.iter().any(|component| component.as_str() == name);
            if ours && !known && has_spec(&path)? {
                found.push(OrphanFolder {
                    path,
                    component: name,
                });
            }
        }
    }
    found.sort_by(|one, two| one.component.cmp(&two.component));
    Ok(found)
}

fn has_spec(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if entry?.file_name().to_string_lossy().ends_with(".spec") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn folders(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !name.starts_with('.') {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}
