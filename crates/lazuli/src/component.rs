//! `lazuli component …`: what the distribution is made of.

use crate::cli::ComponentCommand;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_catalog::{ComponentName, LockFile, ResolvedComponent, Source};
use serde::Serialize;
use std::fmt::Write;

mod update;
pub use update::{Scope, locked, update};

/// Runs a command on components.
pub fn run(workspace: &Workspace, command: &ComponentCommand) -> Result<()> {
    match command {
        ComponentCommand::List { names } => list(workspace, names),
        ComponentCommand::Show { name } => show(workspace, name),
        ComponentCommand::Update {
            names,
            vanished,
            dry_run,
        } => {
            let scope = match (vanished, names.as_slice()) {
                (true, _) => Scope::Vanished,
                (false, []) => Scope::All,
                (false, names) => Scope::Only(parse_names(workspace, names)?),
            };
            update(workspace, &scope, *dry_run).map(|_| ())
        }
        ComponentCommand::Lint { names } => crate::import::lint(workspace, names),
    }
}

/// One line of `component list`.
#[derive(Serialize)]
struct Listed {
    name: String,
    source: &'static str,
    package: Option<String>,
    version: Option<String>,
    file: String,
}

fn list(workspace: &Workspace, names: &[String]) -> Result<()> {
    let lock = workspace.read_lock()?;
    let wanted = parse_names(workspace, names)?;
    let components = workspace
        .catalog
        .components(&workspace.distro, workspace.architecture)
        .or_fail(Kind::Project)?;
    let rows: Vec<Listed> = components
        .iter()
        .filter(|component| wanted.is_empty() || wanted.contains(&component.name))
        .map(|component| listed(workspace, component, lock.as_ref()))
        .collect();
    workspace.terminal.facts(&rows, || {
        let mut text = String::new();
        for row in &rows {
            let version = row.version.as_deref().unwrap_or("not locked");
            let _ = writeln!(text, "{:<40} {:<10} {version}", row.name, row.source);
        }
        text
    })?;
    Ok(())
}

fn listed(workspace: &Workspace, component: &ResolvedComponent, lock: Option<&LockFile>) -> Listed {
    let (source, package) = match &component.source {
        Source::Import(import) => ("import", Some(import.package.clone())),
        Source::Generate(_) => ("generate", None),
        Source::Spec(_) => ("spec", None),
    };
    let locked = package
        .as_ref()
        .and_then(|package| lock?.packages.get(&package.package()?));
    Listed {
        name: component.name.to_string(),
        source,
        version: match source {
            "generate" => Some(workspace.distro.release_version.clone()),
            _ => locked.map(|locked| locked.version.to_string()),
        },
        package: package.map(|package| package.to_string()),
        file: component.file.display().to_string(),
    }
}

fn show(workspace: &Workspace, name: &str) -> Result<()> {
    let name = ComponentName::new(name).or_fail(Kind::Project)?;
    let component = workspace
        .catalog
        .component(&name, &workspace.distro)
        .or_fail(Kind::Project)?;
    let lock = workspace.read_lock()?;
    let row = listed(workspace, &component, lock.as_ref());
    let locked = row.package.as_deref().and_then(|package| {
        lock.as_ref()?
            .packages
            .iter()
            .find(|(name, _)| name.as_str() == package)
            .map(|(_, locked)| locked)
    });
    let layers: Vec<String> = component
        .layers
        .iter()
        .map(|layer| format!("{layer:?}"))
        .collect();
    let facts = serde_json::json!({
        "name": row.name, "source": row.source, "package": row.package, "version": row.version, "file": row.file,
        "sha256": locked.map(|locked| locked.sha256.to_string()),
        "size": locked.map(|locked| locked.size),
        "upstream-source": locked.map(|locked| format!("{} {}", locked.source, locked.source_version)),
        "layers": layers,
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
        let _ = writeln!(text, "layers    {}", layers.join(", "));
        let config = toml::to_string(&component.config).unwrap_or_default();
        if !config.trim().is_empty() {
            let _ = write!(text, "\n{config}");
        }
        text
    })?;
    Ok(())
}

/// Names of components that exist; unknown ones are an error with the nearest.
pub fn parse_names(workspace: &Workspace, names: &[String]) -> Result<Vec<ComponentName>> {
    names
        .iter()
        .map(|name| {
            let name = ComponentName::new(name.as_str()).or_fail(Kind::Project)?;
            workspace
                .catalog
                .component(&name, &workspace.distro)
                .map_err(|error| {
                    Failure::new(Kind::Project, error).hint("`lazuli component list` lists them")
                })?;
            Ok(name)
        })
        .collect()
}
