//! The specs of the project, as the cache of the index has them.

use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_catalog::{ComponentName, ResolvedComponent, Source, SpecSource};
use lazuli_component::index::{IndexError, SpecFacts, SpecIndex, SpecLocation};
use lazuli_graph::{BuildGraph, Component, Package};
use lazuli_rpm::{Comparison, Dependency};
use lazuli_spec::{MacroBase, Macros, Target, base_macros};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most specs that are named one by one where something is wrong with many.
const NAMED_MAX: usize = 10;

/// The specs that could be read, and the components that have none.
pub struct ProjectSpecs {
    /// Of each component: its spec and what that says.
    pub specs: Vec<(SpecLocation, Arc<SpecFacts>)>,
    /// Components whose spec is not rendered yet.
    pub unrendered: Vec<ComponentName>,
    /// Specs that can't be read, and why.
    pub unreadable: Vec<(SpecLocation, IndexError)>,
    /// Of each imported component: its name and what its packages are known to provide, their names and versions.
    imported: Vec<(String, Vec<(String, String)>)>,
}

impl ProjectSpecs {
    /// Reads the specs of all components that have one, or of those named.
    pub fn read(workspace: &Workspace, names: &[ComponentName]) -> Result<Self> {
        let components = workspace
            .catalog
            .components(&workspace.distro, workspace.architecture)
            .or_fail(Kind::Project)?;
        let wanted = |component: &&ResolvedComponent| names.is_empty() || names.contains(&component.name);
        let lock = workspace.read_lock()?;
        let (mut locations, mut imported) = (Vec::new(), Vec::new());
        for component in components.iter().filter(wanted) {
            if let (Source::Import(import), Some(lock)) = (&component.source, &lock) {
                let ours = lock
                    .packages
                    .iter()
                    .filter(|(name, _)| import.package.matches(name.as_str()));
                let packages = ours.map(|(name, package)| (name.to_string(), package.version.to_string()));
                imported.push((component.name.to_string(), packages.collect()));
            }
            locations.extend(spec_path(workspace, component).map(|path| location(component, path)));
        }
        let (macros, reader) = macros(workspace)?;
        let cache = cache_file(workspace);
        // A part of the specs would push the others out of the cache.
        let cache = names.is_empty().then_some((cache.as_path(), reader.as_str()));
        let index = SpecIndex::read(locations, &macros, cache);
        let mut found = Self {
            specs: Vec::new(),
            unrendered: Vec::new(),
            unreadable: Vec::new(),
            imported,
        };
        for (location, facts) in index.specs {
            match facts {
                Ok(facts) => found.specs.push((location, facts)),
                Err(error) if error.is_absence() => {
                    let name = ComponentName::new(location.component).or_fail(Kind::Project)?;
                    found.unrendered.push(name);
                }
                Err(error) => found.unreadable.push((location, error)),
            }
        }
        Ok(found)
    }

    /// Says what is left out.
    pub fn warn(&self, workspace: &Workspace) {
        for (location, error) in self.unreadable.iter().take(NAMED_MAX) {
            workspace
                .terminal
                .warn(format!("{}: {error}", location.component));
        }
        let more = self.unreadable.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            workspace
                .terminal
                .warn(format!("{more} more specs can't be read"));
        }
        match self.unrendered.as_slice() {
            [] => {}
            [one] => workspace.terminal.warn(format!(
                "{one} has no rendered spec: `lazuli component render {one}`"
            )),
            [first, ..] => workspace.terminal.warn(format!(
                "{} components have no rendered spec, {first} among them: `lazuli component render`",
                self.unrendered.len()
            )),
        }
    }

    /// The build graph of what was read. Imported packages are in it with their names only: what else they provide is
    /// known when they have been converted.
    pub fn graph(&self) -> Result<BuildGraph> {
        let built = self
            .specs
            .par_iter()
            .map(|(location, facts)| facts.to_graph(&location.component));
        let mut components: Vec<Component> = built.collect();
        components.extend(self.imported.iter().map(|(name, packages)| {
            Component {
                name: name.clone(),
                build_requires: Vec::new(),
                packages: packages
                    .iter()
                    .map(|(name, version)| imported(name, version))
                    .collect(),
            }
        }));
        BuildGraph::new(components).or_fail(Kind::Project)
    }
}

fn imported(name: &str, version: &str) -> Package {
    let evr = lazuli_deb::Version::parse(version)
        .ok()
        .and_then(|version| lazuli_import::to_evr(&version).ok());
    let provide = match evr {
        Some(evr) => Dependency::versioned(name, Comparison::Equal, evr),
        None => Dependency::any(name),
    };
    Package {
        name: name.to_owned(),
        provides: vec![provide],
        ..Package::default()
    }
}

/// Where the spec of a component is, or will be when it is rendered; `None` if it is not made from a spec.
pub fn spec_path(workspace: &Workspace, component: &ResolvedComponent) -> Option<PathBuf> {
    match &component.source {
        Source::Spec(SpecSource::Local { path }) => Some(path.clone()),
        Source::Spec(SpecSource::Upstream { name, .. }) => Some(
            workspace
                .catalog
                .rendered_spec_dir(&component.name)?
                .join(format!("{name}.spec")),
        ),
        Source::Import(_) | Source::Generate(_) => None,
    }
}

fn location(component: &ResolvedComponent, path: PathBuf) -> SpecLocation {
    SpecLocation {
        component: component.name.to_string(),
        path,
        with: component.build.with.clone(),
        without: component.build.without.clone(),
    }
}

/// The macros that specs are read with, and the name of this reader: another one may read another thing.
pub fn macros(workspace: &Workspace) -> Result<(MacroBase, String)> {
    let cpu = workspace.architecture.to_string();
    let target = Target::parse(&cpu)
        .ok_or_else(|| Failure::message(Kind::Project, format!("there are no macros for {cpu}")))?;
    let text = base_macros(target);
    let mut macros = Macros::default();
    macros
        .load_text("base.macros", text.as_bytes())
        .or_fail(Kind::Failed)?;
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    Ok((macros.freeze(), format!("{} {digest}", env!("CARGO_PKG_VERSION"))))
}

/// One cache for each project and version of its distribution.
fn cache_file(workspace: &Workspace) -> PathBuf {
    let root: &Path = workspace.catalog.root_file();
    let name = format!("{}\0{}", root.display(), workspace.distro.version);
    let digest = hex::encode(Sha256::digest(name.as_bytes()));
    workspace.cache.join("specs").join(format!("{digest}.index"))
}
