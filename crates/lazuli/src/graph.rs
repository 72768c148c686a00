//! `lazuli graph …`: in what order components are built, and what depends on what.

use crate::cli::{GraphCommand, Picture};
use crate::failure::{Kind, OrFail, Result};
use crate::specs::ProjectSpecs;
use crate::workspace::Workspace;
use lazuli_graph::{BuildGraph, Selection};
use std::fmt::Write;

/// Runs a command on the build graph.
pub fn run(workspace: &Workspace, command: &GraphCommand) -> Result<()> {
    let specs = ProjectSpecs::read(workspace, &[])?;
    specs.warn(workspace);
    let graph = specs.graph()?;
    let answer = match command {
        GraphCommand::Order => order(workspace, &graph),
        GraphCommand::Cycles => cycles(workspace, &graph),
        GraphCommand::Needs { name } => needs(workspace, &graph, name),
        GraphCommand::Dependents { names } => dependents(workspace, &graph, names),
        GraphCommand::Why { name, needs } => why(workspace, &graph, name, needs),
        GraphCommand::Missing => missing(workspace, &graph),
        GraphCommand::Draw {
            names,
            distance,
            format,
        } => draw(workspace, &graph, names, *distance, *format),
    };
    // The program ends now: to free hundreds of thousands of texts one by one would take a fifth of its time.
    std::mem::forget((specs, graph));
    answer
}

fn order(workspace: &Workspace, graph: &BuildGraph) -> Result<()> {
    let order = graph.order();
    workspace.terminal.facts(&order, || {
        let mut text = String::new();
        for (stage, groups) in order.stages.iter().enumerate() {
            for group in groups {
                let together = if group.0.len() > 1 {
                    "  (they need each other)"
                } else {
                    ""
                };
                let _ = writeln!(text, "{:>4}  {}{together}", stage + 1, group.0.join(" "));
            }
        }
        text
    })?;
    Ok(())
}

fn cycles(workspace: &Workspace, graph: &BuildGraph) -> Result<()> {
    let cycles = graph.cycles();
    workspace.terminal.facts(&cycles, || {
        let mut text = String::new();
        for cycle in &cycles {
            let _ = writeln!(
                text,
                "{} components need each other: {}",
                cycle.components.len(),
                cycle.components.join(" ")
            );
            for edge in &cycle.shortest {
                let _ = writeln!(text, "    {edge}");
            }
            let _ = writeln!(text, "  all {} edges are in --json", cycle.edges.len());
        }
        text
    })?;
    Ok(())
}

fn needs(workspace: &Workspace, graph: &BuildGraph, name: &str) -> Result<()> {
    let needs = graph.needs(name).or_fail(Kind::Project)?;
    workspace.terminal.facts(&needs, || {
        let mut text = String::new();
        for need in &needs {
            let _ = writeln!(
                text,
                "{:<32} {:<32} {}",
                need.component, need.package, need.dependency
            );
        }
        text
    })?;
    Ok(())
}

fn dependents(workspace: &Workspace, graph: &BuildGraph, names: &[String]) -> Result<()> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = graph.dependents_of(&names).or_fail(Kind::Project)?;
    workspace.terminal.facts(&found, || {
        let mut text = String::new();
        for one in &found {
            let _ = writeln!(text, "{:>4}  {}", one.distance, one.component);
        }
        text
    })?;
    Ok(())
}

fn why(workspace: &Workspace, graph: &BuildGraph, name: &str, needs: &str) -> Result<()> {
    let way = graph.why(name, needs).or_fail(Kind::Project)?;
    workspace.terminal.facts(&way, || match &way {
        None => format!("{name} does not need {needs}\n"),
        Some(way) => way.iter().map(|step| format!("{step}\n")).collect(),
    })?;
    Ok(())
}

fn missing(workspace: &Workspace, graph: &BuildGraph) -> Result<()> {
    let missing = graph.missing();
    workspace.terminal.facts(&missing, || {
        let mut text = String::new();
        for one in missing {
            let count = one.builds.len() + one.packages.len();
            let first = one
                .builds
                .first()
                .or(one.packages.first())
                .map_or("", String::as_str);
            let _ = writeln!(text, "{:<48} {count:>5}  {first}", one.dependency);
        }
        text
    })?;
    Ok(())
}

fn draw(
    workspace: &Workspace,
    graph: &BuildGraph,
    names: &[String],
    distance: usize,
    format: Picture,
) -> Result<()> {
    let selection = match names {
        [] => Selection::All,
        names => Selection::Around {
            components: names.to_vec(),
            distance,
        },
    };
    let text = match format {
        Picture::Dot => graph.to_dot(&selection),
        Picture::Svg => graph.to_svg(&selection),
    };
    let text = text.or_fail(Kind::Project)?;
    workspace.terminal.facts(&text, || text.clone())?;
    Ok(())
}
