//! `lazuli component …`: what the distribution is made of.

use crate::cli::{ComponentCommand, UpdateArgs};
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_catalog::{ComponentLock, ComponentName, ComponentSelector, LockFile, ResolvedComponent, Source};
use rayon::prelude::*;
use serde::Serialize;
use std::fmt::Write;

mod add;
mod changes;
mod lock;
mod project;
mod query;
mod render;
mod show;
mod update;
pub use changes::changes_since;
pub use project::SpecProject;
pub use update::{Scope, locked, update};

/// Digits of a commit in a list.
const SHORT_COMMIT: usize = 10;

/// Runs a command on components.
pub fn run(workspace: &Workspace, command: &ComponentCommand) -> Result<()> {
    match command {
        ComponentCommand::List { names } => list(workspace, names),
        ComponentCommand::Show { name } => show::show(workspace, name),
        ComponentCommand::Query(args) => query::query(workspace, args),
        ComponentCommand::Add(args) => add::add(workspace, args),
        ComponentCommand::Update(args) => update_both(workspace, args),
        ComponentCommand::Render(args) => render::render(workspace, args),
        ComponentCommand::Diff { names } => render::diff(workspace, names),
        ComponentCommand::Changed(args) => changes::print_changed(workspace, args),
        ComponentCommand::History { name } => changes::history(workspace, name),
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
    let wanted = select(workspace, names)?;
    let components = workspace
        .catalog
        .components(&workspace.distro, workspace.architecture)
        .or_fail(Kind::Project)?;
    // Each has a lock of its own to be read.
    let rows: Vec<Listed> = components
        .par_iter()
        .filter(|component| wanted.binary_search(&component.name).is_ok())
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
        .and_then(|package| lock?.get(&package.package()?));
    Listed {
        name: component.name.to_string(),
        source,
        version: match source {
            "generate" => Some(workspace.distro.release_version.clone()),
            "spec" => locked_commit(workspace, component),
            _ => locked.map(|locked| locked.version.to_string()),
        },
        package: package.map(|package| package.to_string()),
        file: component.file.display().to_string(),
    }
}

/// The commit that the lock of a component made from a spec names, or what else is locked of it.
fn locked_commit(workspace: &Workspace, component: &ResolvedComponent) -> Option<String> {
    let path = workspace.catalog.component_lock_path(&component.name);
    let text = std::fs::read_to_string(&path).ok()?;
    let lock = ComponentLock::parse_file(&path, &text).ok()?;
    match lock.upstream_commit {
        Some(commit) => Some(format!(
            "commit {}",
            commit.as_str().chars().take(SHORT_COMMIT).collect::<String>()
        )),
        None => lock.input_fingerprint.map(|_| "locked".to_owned()),
    }
}

/// Imported packages have one lock for all, components made from specs one each.
fn update_both(workspace: &Workspace, args: &UpdateArgs) -> Result<()> {
    let names = select(workspace, &args.names)?;
    let mut imports = Vec::new();
    let mut specs = false;
    for name in &names {
        match workspace
            .catalog
            .component(name, &workspace.distro)
            .or_fail(Kind::Project)?
            .source
        {
            Source::Import(_) => imports.push(name.clone()),
            Source::Spec(_) => specs = true,
            Source::Generate(_) => {}
        }
    }
    if !imports.is_empty() {
        let scope = match (args.vanished, args.names.is_empty()) {
            (true, _) => Scope::Vanished,
            (false, true) => Scope::All,
            (false, false) => Scope::Only(imports),
        };
        update(workspace, &scope, args.dry_run)?;
    }
    match specs {
        true => lock::update(workspace, args),
        false => Ok(()),
    }
}

/// The components that are meant; none if none is named.
pub fn named(workspace: &Workspace, texts: &[String]) -> Result<Vec<ComponentName>> {
    match texts {
        [] => Ok(Vec::new()),
        texts => select(workspace, texts),
    }
}

/// The components that are meant: by name, pattern, `@group` or path; all if none is named.
pub fn select(workspace: &Workspace, texts: &[String]) -> Result<Vec<ComponentName>> {
    let mut selectors = Vec::new();
    for text in texts {
        selectors.push(match ComponentSelector::parse(text).or_fail(Kind::Project)? {
            ComponentSelector::Path(path) => {
                ComponentSelector::Path(std::path::absolute(path).or_fail(Kind::Environment)?)
            }
            other => other,
        });
    }
    if selectors.is_empty() {
        selectors.push(ComponentSelector::All);
    }
    let found = workspace
        .catalog
        .select(&selectors, &workspace.distro, workspace.architecture)
        .map_err(|error| Failure::new(Kind::Project, error).hint("`lazuli component list` lists them"))?;
    Ok(found.into_iter().cloned().collect())
}
