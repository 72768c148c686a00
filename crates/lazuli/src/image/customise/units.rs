//! Units that the image enables, disables and masks, whatever the presets of packages said.

use super::{Editor, missing};
use crate::failure::{Failure, Kind, OrFail, Result};
use lazuli_catalog::{SystemSettings, nearest};
use lazuli_disk::{Kind as EntryKind, Tree, TreePath};
use lazuli_image::View;
use lazuli_transaction::{
    TransactionError, UnitError, UnitFile, UnitFiles, links_of_disabling, links_of_enabling, system_units,
};
use std::path::PathBuf;

/// Where an administrator's units and links to units are.
const UNITS: &str = "etc/systemd/system";

/// Enables, then disables, then masks.
pub(super) fn apply(tree: Tree, system: &SystemSettings, time: i64) -> Result<Tree> {
    let files = TreeUnits(View::new(&tree));
    let mut links = Vec::new();
    for unit in &system.enable_units {
        links.extend(links_of_enabling(&files, unit.as_str()).map_err(|error| explain(&files, error))?);
    }
    let mut editor = Editor::new(tree, time);
    for (path, target) in links {
        editor.link(&path, &target)?;
    }
    let tree = editor.builder.finish()?;
    let files = TreeUnits(View::new(&tree));
    let mut gone = Vec::new();
    for unit in &system.disable_units {
        gone.extend(links_of_disabling(&files, unit.as_str()).map_err(|error| explain(&files, error))?);
    }
    let mut editor = Editor::new(tree, time);
    for path in gone {
        editor.builder.remove(&TreePath::new(&path)?);
        remove_empty(&mut editor, &path)?;
    }
    for unit in &system.mask_units {
        editor.link(&format!("{UNITS}/{unit}"), "/dev/null")?;
    }
    editor.builder.finish().or_fail(Kind::Project)
}

/// Removes the folder of a link, such as `multi-user.target.wants`, if it was the last.
fn remove_empty(editor: &mut Editor, link: &str) -> Result<()> {
    let folder = link
        .trim_start_matches('/')
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    if folder == UNITS {
        return Ok(());
    }
    let folder = TreePath::new(folder)?;
    let is_empty = !editor
        .builder
        .entries_mut()
        .any(|entry| entry.path != folder && entry.path.is_within(&folder));
    if is_empty {
        editor.builder.remove(&folder);
    }
    Ok(())
}

pub(super) fn explain(files: &TreeUnits<'_>, error: UnitError) -> Failure {
    let hint = match &error {
        UnitError::Missing { name } => {
            let known = match system_units(files) {
                Ok(known) => known,
                Err(error) => return Failure::new(Kind::Environment, error),
            };
            let near = nearest(name, known.iter().map(String::as_str));
            return missing(&format!("unit `{name}`"), near);
        }
        UnitError::Link { target, .. } if target == "/dev/null" => "it is masked by a package".to_owned(),
        UnitError::Link { target, .. } => {
            format!(
                "name the unit itself: `{}`",
                target.rsplit('/').next().unwrap_or(target)
            )
        }
        UnitError::Static { name } => {
            format!(
                "to start it, add a link to it in a `.wants` folder to `symlinks`; to keep it from starting, mask it: `mask-units = [\"{name}\"]`"
            )
        }
        UnitError::Template { name } => format!("such as `{}`", name.replacen("@.", "@tty1.", 1)),
        UnitError::Read(_) => return Failure::new(Kind::Environment, error),
    };
    Failure::new(Kind::Project, error).hint(hint)
}

/// The units of a tree in memory.
pub(super) struct TreeUnits<'t>(pub(super) View<'t>);

fn reading(path: &str) -> impl Fn(lazuli_image::Error) -> TransactionError {
    move |error| TransactionError::Io {
        action: "reading",
        path: PathBuf::from(path),
        source: std::io::Error::other(error),
    }
}

impl UnitFiles for TreeUnits<'_> {
    fn unit_file(&self, path: &str) -> std::result::Result<Option<UnitFile>, TransactionError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or_default();
        let Some(folder) = self.0.find(folder).map_err(reading(path))? else {
            return Ok(None);
        };
        let path_in_tree = folder
            .path
            .join(name)
            .map_err(|error| reading(path)(error.into()))?;
        Ok(self.0.tree().get(&path_in_tree).map(|entry| match &entry.kind {
            EntryKind::File(_) | EntryKind::HardLink(_) => UnitFile::Regular,
            EntryKind::Symlink(target) => UnitFile::Link(String::from_utf8_lossy(target).into_owned()),
            _ => UnitFile::Other,
        }))
    }

    fn text(&self, path: &str) -> std::result::Result<String, TransactionError> {
        Ok(self.0.read_text(path).map_err(reading(path))?.unwrap_or_default())
    }

    fn names(&self, folder: &str) -> std::result::Result<Vec<String>, TransactionError> {
        self.0.names_in(folder).map_err(reading(folder))
    }
}
