//! `lazuli component changed` and `history`: what is different, and why.

use crate::cli::ChangedArgs;
use crate::component::project::SpecProject;
use crate::component::render::failure;
use crate::failure::{Kind, OrFail, Result};
use crate::specs::ProjectSpecs;
use crate::workspace::Workspace;
use lazuli_component::history::{Entry, Origin};
use lazuli_component::{
    Change, ChangedComponent, Changes, Dependent, Environment, Renderer, Side, StaleLock, changed,
};
use lazuli_graph::{BuildGraph, Edge};
use serde::Serialize;
use std::fmt::Write;

/// Prints which components must be rebuilt from one state of the project to another.
pub fn print_changed(workspace: &Workspace, args: &ChangedArgs) -> Result<()> {
    let changes = changes_since(workspace, &args.from, args.to.as_deref())?;
    workspace.terminal.facts(&changes.components, || {
        let mut text = String::new();
        for one in &changes.components {
            print(&mut text, one, args.explain);
        }
        text
    })?;
    for (name, error) in &changes.unknown {
        workspace
            .terminal
            .warn(format!("what {name} is can't be told: {error}"));
    }
    Ok(())
}

/// Which components must be rebuilt from one state of the project to another; `None` is what is on the disk.
pub fn changes_since(workspace: &Workspace, from: &str, to: Option<&str>) -> Result<Changes> {
    let project = SpecProject::open(workspace)?;
    let from = project.at(Some(from))?;
    let to = project.at(to)?;
    // Who needs whom is asked of the specs as they are now.
    let specs = ProjectSpecs::read(workspace, &[])?;
    let graph = specs.graph()?;
    let environment = Environment::default();
    let dependents = |name: &str| direct_dependents(&graph, name);
    let side = |state| Side {
        state,
        environment: &environment,
    };
    let changes =
        changed(side(&from), side(&to), workspace.architecture, &dependents).or_fail(Kind::Project)?;
    if !specs.unrendered.is_empty() && !changes.components.is_empty() {
        specs.warn(workspace);
    }
    Ok(changes)
}

fn print(text: &mut String, one: &ChangedComponent, explain: bool) {
    let kind = match &one.change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Changed { .. } => "changed",
        Change::Dependent { .. } => "rebuild",
    };
    let _ = writeln!(text, "{kind:<8} {}", one.name);
    if !explain {
        return;
    }
    match &one.change {
        Change::Changed { fields } => {
            for field in fields {
                let (old, new) = (
                    field.old.as_deref().unwrap_or("nothing"),
                    field.new.as_deref().unwrap_or("nothing"),
                );
                let _ = writeln!(text, "    {}: {old} -> {new}", field.path);
            }
        }
        Change::Dependent { path } => {
            for step in path {
                let _ = writeln!(
                    text,
                    "    {} needs {} ({})",
                    step.component, step.provider, step.needs
                );
            }
        }
        Change::Added | Change::Removed => {}
    }
}

fn direct_dependents(graph: &BuildGraph, name: &str) -> Vec<Dependent> {
    let Ok(found) = graph.direct_dependents(name) else {
        // A component without a spec of its own needs nothing and is needed by nobody, as far as specs say.
        return Vec::new();
    };
    found
        .into_iter()
        .map(|(component, way)| Dependent {
            component,
            needs: words(&way),
        })
        .collect()
}

/// `BuildRequires: curl`, and where it is a package in between that needs the other, that too.
fn words(way: &[Edge]) -> String {
    let step = |edge: &Edge| match edge {
        Edge::BuildRequires { dependency, .. } => format!("BuildRequires: {dependency}"),
        Edge::Requires {
            package, dependency, ..
        } => format!("{package} Requires: {dependency}"),
    };
    way.iter().map(step).collect::<Vec<_>>().join(", ")
}

/// One entry for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row<'a> {
    origin: Origin,
    time: i64,
    author: String,
    version: &'a str,
    number: u64,
    upstream_commit: Option<&'a str>,
    message: &'a str,
}

/// Prints the history that a component's release and changelog are made of, the newest entry first.
pub fn history(workspace: &Workspace, name: &str) -> Result<()> {
    let project = SpecProject::open(workspace)?;
    let renderer = Renderer {
        state: &project.state,
        provider: &project.upstreams.provider(),
        reader: &project.reader,
        history: project.history(),
        stale: StaleLock::Preview,
    };
    let mut entries: Vec<Entry> = Vec::new();
    for component in project.components(&[name.to_owned()])? {
        let found = renderer.history(&component);
        entries.extend(found.map_err(|error| failure(&component.name, &error, error.help()))?);
    }
    entries.reverse();
    let rows: Vec<Row> = entries
        .iter()
        .map(|entry| Row {
            origin: entry.origin,
            time: entry.time,
            author: entry.author.to_string(),
            version: &entry.version,
            number: entry.number,
            upstream_commit: entry.upstream_commit.as_deref(),
            message: &entry.message,
        })
        .collect();
    workspace.terminal.facts(&rows, || {
        let mut text = String::new();
        for row in &rows {
            let origin = match row.origin {
                Origin::Upstream => "upstream",
                Origin::Project => "ours",
            };
            let time = lazuli_catalog::Timestamp::from_unix(row.time).to_string();
            let day = time.get(..10).unwrap_or(&time);
            let subject = row.message.lines().next().unwrap_or_default();
            // Where the release does not count the upstream's commits, they are not numbered, and their specs not read.
            let version = match row.number {
                0 => row.version.to_owned(),
                number => format!("{}-{number}", row.version),
            };
            let _ = writeln!(text, "{day}  {origin:<8}  {version:<12} {subject}");
        }
        text
    })?;
    Ok(())
}
