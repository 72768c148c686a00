//! What is meant, all that it needs, and in what order.

use crate::cli::BuildArgs;
use crate::component::select;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::specs::ProjectSpecs;
use crate::workspace::Workspace;
use lazuli_build::schedule::{BOOTSTRAP_HINT, Effort, Task};
use lazuli_build::workshop::{Imported, Record};
use lazuli_catalog::{BuildEffort, ComponentName, ResolvedComponent, Source};
use lazuli_component::index::SpecFacts;
use lazuli_graph::{BuildGraph, Component, Edge};
use lazuli_rpm::Dependency;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Edges of a cycle that are named.
const EDGES_MAX: usize = 20;

/// What a run is about.
pub struct Plan {
    /// What was asked for.
    pub wanted: BTreeSet<String>,
    /// That, and all that it needs.
    pub tasks: Vec<Task>,
    /// What the specs say of these.
    pub facts: BTreeMap<String, Arc<SpecFacts>>,
    /// What the project says of these.
    pub components: BTreeMap<String, ResolvedComponent>,
}

impl Plan {
    /// Reads the specs, asks who needs whom, and takes what is meant.
    pub fn new(workspace: &Workspace, arguments: &BuildArgs, imported: &Imported<'_>) -> Result<Self> {
        let specs = ProjectSpecs::read(workspace, &[])?;
        let all = built_components(workspace)?;
        let wanted = wanted(workspace, arguments, &all)?;
        for (location, error) in &specs.unreadable {
            if wanted.contains(&location.component) {
                return Err(Failure::message(
                    Kind::Project,
                    format!("{}: {error}", location.component),
                ));
            }
        }
        if let Some(name) = specs
            .unrendered
            .iter()
            .find(|name| wanted.contains(name.as_str()))
        {
            return Err(
                Failure::message(Kind::Project, format!("{name} has no rendered spec"))
                    .hint(format!("lazuli component render {name}")),
            );
        }
        let facts: BTreeMap<String, Arc<SpecFacts>> = specs
            .specs
            .iter()
            .map(|(location, facts)| (location.component.clone(), Arc::clone(facts)))
            .collect();
        let graph = graph(workspace, &all, &facts, imported)?;
        let needs = closure(&graph, &wanted)?;
        refuse_cycles(&graph, &needs)?;
        let places = super::places(workspace);
        let tasks = needs.iter().map(|(name, needs)| Task {
            name: name.clone(),
            needs: needs.clone(),
            recorded: Record::read(&places, name).took(),
            effort: all.get(name).map_or(Effort::Ordinary, effort),
        });
        Ok(Self {
            tasks: tasks.collect(),
            facts: facts
                .into_iter()
                .filter(|(name, _)| needs.contains_key(name))
                .collect(),
            components: all
                .into_iter()
                .filter(|(name, _)| needs.contains_key(name))
                .collect(),
            wanted,
        })
    }
}

/// The effort of a component's build.
pub fn effort(component: &ResolvedComponent) -> Effort {
    match component.build.effort {
        BuildEffort::Ordinary => Effort::Ordinary,
        BuildEffort::Expensive => Effort::Expensive,
    }
}

/// All components that are built from a spec, by name.
pub fn built_components(workspace: &Workspace) -> Result<BTreeMap<String, ResolvedComponent>> {
    let all = workspace
        .catalog
        .components(&workspace.distro, workspace.architecture);
    let built = all.or_fail(Kind::Project)?.into_iter();
    let built = built.filter(|component| matches!(component.source, Source::Spec(_)));
    Ok(built
        .map(|component| (component.name.to_string(), component))
        .collect())
}

/// What the command line means.
fn wanted(
    workspace: &Workspace,
    arguments: &BuildArgs,
    all: &BTreeMap<String, ResolvedComponent>,
) -> Result<BTreeSet<String>> {
    if arguments.all {
        return Ok(all.keys().cloned().collect());
    }
    if arguments.changed {
        let from = arguments.from.as_deref().unwrap_or("HEAD");
        let changed = super::changed::components(workspace, from)?;
        return Ok(changed
            .into_iter()
            .filter(|name| all.contains_key(name))
            .collect());
    }
    let meant = select(workspace, &arguments.names)?;
    let by_name = |name: &ComponentName| arguments.names.iter().any(|text| text == name.as_str());
    if let Some(name) = meant
        .iter()
        .find(|name| !all.contains_key(name.as_str()) && by_name(name))
    {
        return Err(Failure::message(
            Kind::Project,
            format!("component `{name}` has no spec: it is imported, or made from the catalog"),
        ));
    }
    let names = meant.into_iter().map(|name| name.to_string());
    Ok(names.filter(|name| all.contains_key(name)).collect())
}

/// Who needs whom. Imported packages are not in it: they are there before anything is built, and need nothing that is.
fn graph(
    workspace: &Workspace,
    all: &BTreeMap<String, ResolvedComponent>,
    facts: &BTreeMap<String, Arc<SpecFacts>>,
    imported: &Imported<'_>,
) -> Result<BuildGraph> {
    let mut components: Vec<Component> = facts.iter().map(|(name, facts)| facts.to_graph(name)).collect();
    add_provides(&mut components, imported)?;
    let graph = BuildGraph::new(components.clone()).or_fail(Kind::Project)?;
    let mut is_changed = false;
    for component in &mut components {
        let Some(resolved) = all
            .get(&component.name)
            .filter(|one| !one.build.bootstrap.is_empty())
        else {
            continue;
        };
        let needs = graph.needs(&component.name).or_fail(Kind::Project)?;
        for entry in &resolved.build.bootstrap {
            let entry = entry.as_str();
            let meant: BTreeSet<&str> = needs
                .iter()
                .filter(|need| {
                    [&need.component, &need.package, &need.dependency]
                        .iter()
                        .any(|one| *one == entry)
                })
                .map(|need| need.dependency.as_str())
                .collect();
            if meant.is_empty() {
                workspace.terminal.warn(format!(
                    "{}: `build.bootstrap` has `{entry}`, of which the spec requires nothing that a component provides",
                    component.name
                ));
            }
            component
                .build_requires
                .retain(|one| !meant.contains(one.to_string().as_str()));
            is_changed |= !meant.is_empty();
        }
    }
    match is_changed {
        true => BuildGraph::new(components).or_fail(Kind::Project),
        false => Ok(graph),
    }
}

/// What rpm finds when packages are written is in no spec: `pkgconfig(zlib)`, sonames. The imported package of the same
/// name provides the same.
fn add_provides(components: &mut [Component], imported: &Imported<'_>) -> Result<()> {
    let records = imported.records().map_err(super::failure)?;
    let mut provides: BTreeMap<&str, Vec<&Dependency>> = BTreeMap::new();
    for record in records {
        provides
            .entry(record.nevra.name.as_str())
            .or_default()
            .extend(&record.provides);
    }
    for package in components
        .iter_mut()
        .flat_map(|component| &mut component.packages)
    {
        let more = provides.get(package.name.as_str()).into_iter().flatten();
        let more: Vec<Dependency> = more
            .filter(|one| !package.provides.iter().any(|own| own.name == one.name))
            // Of which version ours will be, the imported one does not say.
            .map(|one| Dependency::any(&one.name))
            .collect();
        package.provides.extend(more);
    }
    Ok(())
}

/// What is wanted and all that it needs, each with what it needs directly.
fn closure(graph: &BuildGraph, wanted: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<String>>> {
    let mut found = BTreeMap::new();
    let mut next: Vec<String> = wanted.iter().cloned().collect();
    while let Some(name) = next.pop() {
        if found.contains_key(&name) {
            continue;
        }
        let before = graph.builds_before(&name).or_fail(Kind::Project)?;
        let names: Vec<String> = before.into_iter().map(|(name, _)| name).collect();
        next.extend(names.iter().cloned());
        found.insert(name, names);
    }
    Ok(found)
}

/// Cycles among what is to be built are an error, with the edges that make them.
fn refuse_cycles(graph: &BuildGraph, needs: &BTreeMap<String, Vec<String>>) -> Result<()> {
    let cycle = graph
        .cycles()
        .into_iter()
        .find(|cycle| cycle.components.iter().any(|name| needs.contains_key(name)));
    let Some(cycle) = cycle else {
        return Ok(());
    };
    let edges: String = cycle
        .shortest
        .iter()
        .take(EDGES_MAX)
        .map(|edge: &Edge| format!("\n  {edge}"))
        .collect();
    let names = cycle.components.join(", ");
    let text = format!("none of these can be built first, for each needs another: {names}{edges}");
    Err(Failure::message(Kind::Project, text).hint(BOOTSTRAP_HINT))
}
