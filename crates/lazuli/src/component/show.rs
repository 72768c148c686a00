//! `lazuli component show`: what a component is, and where each of its values comes from.

use super::listed;
use crate::failure::{Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_catalog::{ComponentName, ExplainedValue, Location};
use std::fmt::Write;

/// Prints a component.
pub fn show(workspace: &Workspace, name: &str) -> Result<()> {
    let name = ComponentName::new(name).or_fail(Kind::Project)?;
    let component = workspace
        .catalog
        .component(&name, &workspace.distro)
        .or_fail(Kind::Project)?;
    let values = workspace
        .catalog
        .explain(&name, &workspace.distro)
        .or_fail(Kind::Project)?;
    let lock = workspace.read_lock()?;
    let row = listed(workspace, &component, lock.as_ref());
    let locked = row.package.as_deref().and_then(|package| {
        let mut packages = lock.as_ref()?.all();
        packages
            .find(|(name, _)| name.as_str() == package)
            .map(|(_, locked)| locked)
    });
    let facts = serde_json::json!({
        "name": row.name, "source": row.source, "package": row.package, "version": row.version, "file": row.file,
        "sha256": locked.map(|locked| locked.sha256.to_string()),
        "size": locked.map(|locked| locked.size),
        "upstream-source": locked.map(|locked| format!("{} {}", locked.source, locked.source_version)),
        "layers": component.layers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "values": values,
        "config": component.config,
    });
    workspace.terminal.facts(&facts, || {
        let mut text = format!(
            "name      {}\nsource    {}\nfile      {}\n",
            row.name, row.source, row.file
        );
        if let Some(version) = &row.version {
            let _ = writeln!(text, "version   {version}");
        }
        if let Some(locked) = locked {
            let _ = writeln!(text, "sha256    {}\nsize      {}", locked.sha256, locked.size);
            let _ = writeln!(text, "upstream  {} {}", locked.source, locked.source_version);
        }
        if !values.is_empty() {
            text.push('\n');
        }
        values
            .iter()
            .for_each(|value| explain(workspace, &mut text, value));
        text
    })?;
    Ok(())
}

/// A value, and below it where it is written and what it overrides.
fn explain(workspace: &Workspace, text: &mut String, value: &ExplainedValue) {
    let _ = writeln!(text, "{} = {}", value.key, value.value);
    let _ = writeln!(text, "    {} {}", place(workspace, &value.location), value.layer);
    for other in &value.overridden {
        let _ = writeln!(
            text,
            "    instead of {} from {} {}",
            other.value,
            place(workspace, &other.location),
            other.layer
        );
    }
}

/// `components/bash.toml:12`, from the folder of the project.
fn place(workspace: &Workspace, location: &Location) -> String {
    let file = location
        .file
        .strip_prefix(workspace.catalog.root())
        .unwrap_or(&location.file);
    format!("{}:{}", file.display(), location.line)
}
