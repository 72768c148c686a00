//! Components of a catalog: which there are, and what each is made of.

use std::path::Path;

use crate::catalog::{Catalog, Definition};
use crate::diagnostic::{Diagnostic, Diagnostics, Location};
use crate::discover::overlay_key;
use crate::error::Error;
use crate::imports::Imports;
use crate::resolve::{
    Fault, LayerOrigin, OverlaySource, ResolvedComponent, ResolvedDistro, resolve_component,
};
use crate::schema::{self, Layer as _, ListRule};
use crate::value::{Architecture, ComponentName, DistroVersion, GroupName, PackageName};

impl Catalog {
    /// The components that are in this version of the distribution, for this architecture, sorted by name.
    pub fn component_names<'c>(
        &'c self,
        distro: &'c ResolvedDistro,
        architecture: Architecture,
    ) -> impl Iterator<Item = &'c ComponentName> {
        let components = self.config.components.iter();
        components
            .filter(move |(_, one)| is_in(one, &distro.version, architecture))
            .map(|(name, _)| name)
    }

    /// A component as it is for this version of the distribution.
    ///
    /// # Errors
    /// There is no such component, it is not in this version, or it is incomplete.
    pub fn component(
        &self,
        name: &ComponentName,
        distro: &ResolvedDistro,
    ) -> Result<ResolvedComponent, Error> {
        let components = &self.config.components;
        let own = components.get(name);
        let own = own.ok_or_else(|| {
            self.unknown(
                "component",
                name.as_str(),
                components.keys().map(ComponentName::as_str),
            )
        })?;
        if own
            .versions
            .as_ref()
            .is_some_and(|versions| !versions.contains(&distro.version))
        {
            let (distro, version) = (distro.name.to_string(), distro.version.to_string());
            return Err(Error::NotInVersion {
                name: name.to_string(),
                distro,
                version,
            });
        }
        let mut layers = self.inherited(name, distro);
        match self.own_layers.get(name) {
            Some(own) => layers.extend(own.iter().cloned()),
            None => layers.push((LayerOrigin::Component, own.clone())),
        }
        self.resolve(name, distro, layers)
    }

    /// All components of this version of the distribution, sorted by name.
    ///
    /// # Errors
    /// The errors of all components that are incomplete.
    pub fn components(
        &self,
        distro: &ResolvedDistro,
        architecture: Architecture,
    ) -> Result<Vec<ResolvedComponent>, Error> {
        let mut resolved = Vec::new();
        let mut found = Vec::new();
        for name in self.component_names(distro, architecture) {
            // Each error reads its file again for its place, so there is a limit to them.
            if found.len() >= Diagnostics::MAX {
                break;
            }
            match self.component(name, distro) {
                Ok(component) => resolved.push(component),
                Err(Error::Invalid(diagnostics)) => found.extend(diagnostics.as_slice().iter().cloned()),
                Err(error) => return Err(error),
            }
        }
        match Diagnostics::from_vec(found) {
            Some(diagnostics) => Err(diagnostics.into()),
            None => Ok(resolved),
        }
    }

    /// Which component imports which package of the upstream.
    ///
    /// # Errors
    /// The errors of all components that are incomplete, or two components import the same package.
    pub fn imports(&self, distro: &ResolvedDistro, architecture: Architecture) -> Result<Imports, Error> {
        let mut imports = Imports::default();
        let mut found = Vec::new();
        for component in self.components(distro, architecture)? {
            if let Err((name, package, earlier)) = imports.add(component) {
                let message = format!("package `{package}` is imported by two components");
                let there = self.locate_component(&earlier);
                let diagnostic = Diagnostic::new(message, self.locate_component(&name));
                found.push(diagnostic.label("by this one").related(there, "and by this one"));
            }
        }
        match Diagnostics::from_vec(found) {
            Some(diagnostics) => Err(diagnostics.into()),
            None => Ok(imports),
        }
    }

    /// What a package is imported as when no component names it: with what every component inherits, and nothing else.
    ///
    /// # Errors
    /// The name cannot be a component's, or the defaults are incomplete.
    pub fn undefined_component(
        &self,
        package: &PackageName,
        distro: &ResolvedDistro,
    ) -> Result<ResolvedComponent, Error> {
        let name = ComponentName::from(package);
        self.resolve(&name, distro, self.inherited(&name, distro))
    }

    fn resolve(
        &self,
        name: &ComponentName,
        distro: &ResolvedDistro,
        layers: Vec<(LayerOrigin, schema::Component)>,
    ) -> Result<ResolvedComponent, Error> {
        let mut layers = layers;
        for (_, layer) in &mut layers {
            add_of_version(layer, &distro.version);
        }
        let overlays = self.overlay_sources(name, &layers);
        let snapshot = self.config.project.as_ref().and_then(|project| {
            let distro = project.default_distro.as_ref()?;
            distro.snapshot.clone()
        });
        resolve_component(
            name,
            self.file_of_component(name),
            distro,
            layers,
            &overlays,
            snapshot,
        )
        .map_err(|faults| {
            let diagnostics = faults
                .into_iter()
                .map(|fault| self.diagnose_component(name, fault))
                .collect();
            match Diagnostics::from_vec(diagnostics) {
                Some(diagnostics) => diagnostics.into(),
                None => self.unknown("component", name.as_str(), std::iter::empty()),
            }
        })
    }

    /// The overlay files of a component, in order, each once: those of the last layer that names some.
    fn overlay_sources<'c>(
        &'c self,
        name: &ComponentName,
        layers: &[(LayerOrigin, schema::Component)],
    ) -> Vec<OverlaySource<'c>> {
        let mut latest = layers.iter().rev();
        let Some((origin, files)) =
            latest.find_map(|(origin, layer)| Some((origin, layer.overlay_files.as_ref()?)))
        else {
            return Vec::new();
        };
        let base = match origin.is_own() {
            true => None,
            false => Some(self.folder_of_component(name)),
        };
        let mut sources: Vec<OverlaySource<'c>> = Vec::new();
        for glob in files.iter() {
            for document in self
                .overlay_lists
                .get(&overlay_key(glob, name, base))
                .into_iter()
                .flatten()
            {
                if !sources.iter().any(|source| source.path == document.path) {
                    sources.push(OverlaySource {
                        path: &document.path,
                        file: &document.file,
                        layer: origin.clone(),
                    });
                }
            }
        }
        sources
    }

    /// The file that defines a component: that of its entry, or of what makes it.
    pub(crate) fn file_of_component(&self, name: &ComponentName) -> &Path {
        match self.definitions.get(name) {
            None => self.file_of("components", name.as_str()),
            Some(Definition::Template(template)) => self.file_of("component-templates", template.as_str()),
            Some(Definition::SpecFile(group)) => self.file_of("component-groups", group.as_str()),
            Some(Definition::OverlayFolder) => &self.root_file,
        }
    }

    /// The folder that inherited overlay files of a component are relative to: that of the file that defines it, or of its
    /// spec.
    pub(crate) fn folder_of_component(&self, name: &ComponentName) -> &Path {
        let spec = match self.definitions.get(name) {
            Some(Definition::SpecFile(_)) => self.specs.get(name).map(|(path, _)| path.as_path()),
            _ => None,
        };
        spec.unwrap_or_else(|| self.file_of_component(name))
            .parent()
            .unwrap_or(Path::new(""))
    }

    /// Where a component is defined.
    #[must_use]
    pub fn locate_component(&self, name: &ComponentName) -> Location {
        self.locate_in_component(name, &[])
    }

    fn locate_in_component(&self, name: &ComponentName, key: &[String]) -> Location {
        match self.definitions.get(name) {
            None => self.locate("components", name.as_str(), key),
            Some(Definition::Template(template)) => {
                self.locate("component-templates", template.as_str(), &[])
            }
            Some(Definition::SpecFile(group)) => {
                self.locate("component-groups", group.as_str(), &["specs".to_owned()])
            }
            Some(Definition::OverlayFolder) => {
                self.locate_anywhere(&["default-component-config", "overlay-files"])
            }
        }
    }

    pub(crate) fn diagnose_component(&self, name: &ComponentName, fault: Fault) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(fault.message, self.locate_in_component(name, &fault.key));
        diagnostic.help = fault.help;
        diagnostic
    }

    /// The layers below a component's own, the earliest first.
    pub(crate) fn inherited(
        &self,
        name: &ComponentName,
        distro: &ResolvedDistro,
    ) -> Vec<(LayerOrigin, schema::Component)> {
        let mut layers = Vec::new();
        let mut lay = |origin: LayerOrigin, layer: Option<&schema::Component>| {
            layers.extend(layer.map(|layer| (origin, layer.clone())));
        };
        if let Some(file) = self.config.distros.get(&distro.name) {
            let import = file.import.clone().map(|import| schema::Component {
                import: Some(import),
                ..Default::default()
            });
            lay(LayerOrigin::DistroImport, import.as_ref());
            let version = file.versions.get(&distro.version);
            let default = version.and_then(|version| version.default_component_config.as_ref());
            lay(LayerOrigin::DistroVersion, default);
        }
        lay(
            LayerOrigin::Project,
            self.config.default_component_config.as_ref(),
        );
        for group in self.groups_of(name) {
            let default = self.config.component_groups.get(group);
            let default = default.and_then(|group| group.default_component_config.as_ref());
            lay(LayerOrigin::Group(group.clone()), default);
        }
        layers
    }

    /// The groups that a component is in, in alphabetical order.
    #[must_use]
    pub fn groups_of(&self, name: &ComponentName) -> &[GroupName] {
        self.groups.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Adds to a layer what it has for a version of the distribution, and takes out what it has for others.
fn add_of_version(layer: &mut schema::Component, version: &DistroVersion) {
    if let Some(added) = std::mem::take(&mut layer.per_version).0.remove(version) {
        layer.import.absorb(added.import, ListRule::Append);
        layer.declare.absorb(added.declare, ListRule::Append);
    }
}

/// Whether a component is in a version, for an architecture.
pub(crate) fn is_in(
    component: &schema::Component,
    version: &DistroVersion,
    architecture: Architecture,
) -> bool {
    component
        .versions
        .as_ref()
        .is_none_or(|versions| versions.contains(version))
        && component
            .architectures
            .as_ref()
            .is_none_or(|all| all.contains(&architecture))
}
