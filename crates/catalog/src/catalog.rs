//! The catalog: all files of a project, merged, and what they mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics, Location};
use crate::document::locate;
use crate::error::Error;
use crate::imports::Imports;
use crate::load::{Disk, Files, find_root, load_all};
use crate::resolve::{
    Fault, LayerOrigin, ResolvedComponent, ResolvedDistro, ResolvedImage, resolve_component, resolve_distro,
    resolve_image,
};
use crate::schema::{self, ConfigFile, Layer as _, ListRule, Place};
use crate::suggest::nearest;
use crate::value::{
    Architecture, ComponentName, DistroName, DistroVersion, GroupName, ImageName, PackageName,
};

/// Longest chain of images that extend one another.
const MAX_EXTENDS: usize = 16;

const DEFAULT_LOCK_DIR: &str = "locks";
const DEFAULT_OUTPUT_DIR: &str = "out";

/// What holds for a project as a whole, with absolute paths (or paths below that of the root file).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Project {
    /// What it is, in a line.
    pub description: Option<String>,
    /// Folder of lock files.
    pub lock_dir: PathBuf,
    /// Folder of results.
    pub output_dir: PathBuf,
    /// Folder of temporary work, if one is set.
    pub work_dir: Option<PathBuf>,
    /// Folder of logs, if one is set.
    pub log_dir: Option<PathBuf>,
    /// Folder of rendered specs, if one is set.
    pub rendered_specs_dir: Option<PathBuf>,
    /// Whom generated changelog entries name.
    pub default_author_email: Option<String>,
}

/// All files of a project, merged.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) root_file: PathBuf,
    /// Path and text of every file, in the order of loading.
    pub(crate) files: Vec<(PathBuf, String)>,
    pub(crate) config: ConfigFile,
    /// The file that defines a named object: section, name, index into `files`.
    pub(crate) origins: BTreeMap<(&'static str, String), usize>,
    pub(crate) groups: BTreeMap<ComponentName, Vec<GroupName>>,
}

impl Catalog {
    /// Finds and loads the project that `start` is in; see [`find_root`].
    ///
    /// # Errors
    /// There is no project, a file cannot be read, or the configuration has errors.
    pub fn load(start: &Path) -> Result<Catalog, Error> {
        Self::load_from(&Disk, start)
    }

    /// Like [`load`](Self::load), with another source of files.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_from(files: &dyn Files, start: &Path) -> Result<Catalog, Error> {
        let root = find_root(files, start)?;
        let catalog = Self::merge(root.clone(), load_all(files, &root)?)?;
        match Diagnostics::from_vec(catalog.check_references()) {
            Some(diagnostics) => Err(diagnostics.into()),
            None => Ok(catalog),
        }
    }

    /// The root file.
    #[must_use]
    pub fn root_file(&self) -> &Path {
        &self.root_file
    }

    /// The folder of the root file.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root_file.parent().unwrap_or(Path::new(""))
    }

    /// Every file of the project, in the order of loading.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// The merged files, as the file schema has them.
    #[must_use]
    pub fn config(&self) -> &ConfigFile {
        &self.config
    }

    /// What holds for the project as a whole.
    #[must_use]
    pub fn project(&self) -> Project {
        let project = self.config.project.clone().unwrap_or_default();
        let path = |given: &Option<schema::Local<String>>| given.as_ref().map(schema::Local::resolve);
        Project {
            lock_dir: path(&project.lock_dir).unwrap_or_else(|| self.root().join(DEFAULT_LOCK_DIR)),
            output_dir: path(&project.output_dir).unwrap_or_else(|| self.root().join(DEFAULT_OUTPUT_DIR)),
            work_dir: path(&project.work_dir),
            log_dir: path(&project.log_dir),
            rendered_specs_dir: path(&project.rendered_specs_dir),
            description: project.description,
            default_author_email: project.default_author_email,
        }
    }

    /// Where a named object is defined: `("components", "bash")`.
    #[must_use]
    pub fn location(&self, section: &str, name: &str) -> Option<Location> {
        let key = self
            .origins
            .keys()
            .find(|(known, object)| *known == section && object == name)?;
        Some(self.locate(key.0, name, &[]))
    }

    /// The text at a place of one of the catalog's files, for messages.
    #[must_use]
    pub fn locate_place(&self, place: &Place) -> Location {
        let file = self.files.iter().find(|(path, _)| **path == *place.file);
        Location::new(&place.file, file.map_or("", |(_, text)| text), place.span.clone())
    }

    fn locate(&self, section: &'static str, name: &str, rest: &[String]) -> Location {
        let file = self
            .origins
            .get(&(section, name.to_owned()))
            .and_then(|&index| self.files.get(index));
        let keys: Vec<String> = [section.to_owned(), name.to_owned()]
            .into_iter()
            .chain(rest.iter().cloned())
            .collect();
        match file {
            Some((path, text)) => locate(path, text, &keys),
            None => Location::new(
                &self.root_file,
                self.files.first().map_or("", |(_, text)| text),
                0..0,
            ),
        }
    }

    pub(crate) fn diagnose(&self, section: &'static str, name: &str, fault: Fault) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(fault.message, self.locate(section, name, &fault.key));
        diagnostic.help = fault.help;
        diagnostic
    }

    fn refuse(&self, section: &'static str, name: &str, faults: Vec<Fault>) -> Error {
        let diagnostics = faults
            .into_iter()
            .map(|fault| self.diagnose(section, name, fault))
            .collect();
        match Diagnostics::from_vec(diagnostics) {
            Some(diagnostics) => diagnostics.into(),
            None => self.unknown("object", name, std::iter::empty()),
        }
    }

    fn unknown<'a>(&self, kind: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
        let nearest = nearest(name, known).map(str::to_owned);
        Error::Unknown {
            kind,
            name: name.to_owned(),
            nearest,
            root: self.root_file.clone(),
        }
    }

    /// The default distribution in the given version, or in its default version.
    ///
    /// # Errors
    /// There is no default distribution, or no such version, or it is incomplete.
    pub fn distro(&self, version: Option<&DistroVersion>) -> Result<ResolvedDistro, Error> {
        let default = self
            .config
            .project
            .as_ref()
            .and_then(|project| project.default_distro.as_ref());
        let default = default.ok_or_else(|| Error::NoDefaultDistro {
            root: self.root_file.clone(),
        })?;
        self.distro_named(&default.name, version.or(default.version.as_ref()))
    }

    /// A distribution in the given version, or in its default version.
    ///
    /// # Errors
    /// There is no such distribution or version, or it is incomplete.
    pub fn distro_named(
        &self,
        name: &DistroName,
        version: Option<&DistroVersion>,
    ) -> Result<ResolvedDistro, Error> {
        let distros = &self.config.distros;
        let distro = distros.get(name);
        let distro = distro.ok_or_else(|| {
            self.unknown(
                "distribution",
                name.as_str(),
                distros.keys().map(DistroName::as_str),
            )
        })?;
        let version = version.or(distro.default_version.as_ref());
        let version = version.ok_or_else(|| Error::NoDefaultVersion {
            name: name.to_string(),
        })?;
        let entry = distro.versions.get(version).ok_or_else(|| {
            let known = distro.versions.keys().map(DistroVersion::as_str);
            self.unknown("distribution version", version.as_str(), known)
        })?;
        resolve_distro(name, version, distro, entry)
            .map_err(|fault| self.refuse("distros", name.as_str(), vec![fault]))
    }

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
        layers.push((LayerOrigin::Component, in_version(own, &distro.version)));
        let index = self
            .origins
            .get(&("components", name.to_string()))
            .copied()
            .unwrap_or_default();
        let file = self
            .files
            .get(index)
            .map_or(self.root_file.as_path(), |(path, _)| path);
        resolve_component(name, file, distro, layers)
            .map_err(|faults| self.refuse("components", name.as_str(), faults))
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
                let there = self.locate("components", earlier.as_str(), &[]);
                let diagnostic = Diagnostic::new(message, self.locate("components", name.as_str(), &[]));
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
        resolve_component(&name, &self.root_file, distro, self.inherited(&name, distro))
            .map_err(|faults| self.refuse("components", name.as_str(), faults))
    }

    /// The layers below a component's own, the earliest first.
    fn inherited(
        &self,
        name: &ComponentName,
        distro: &ResolvedDistro,
    ) -> Vec<(LayerOrigin, schema::Component)> {
        let mut layers = Vec::new();
        let mut lay = |origin: LayerOrigin, layer: Option<&schema::Component>| {
            layers.extend(layer.map(|layer| (origin, in_version(layer, &distro.version))));
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

    /// The names of all images, sorted.
    pub fn image_names(&self) -> impl Iterator<Item = &ImageName> {
        self.config.images.keys()
    }

    /// An image for this version of the distribution and this architecture, with what it extends.
    ///
    /// Packages whose component says that it is not in this version, or not for this architecture, are left out.
    ///
    /// # Errors
    /// There is no such image, it extends itself, or it contradicts itself.
    pub fn image(
        &self,
        name: &ImageName,
        distro: &ResolvedDistro,
        architecture: Architecture,
    ) -> Result<ResolvedImage, Error> {
        let mut layers = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = Some(name.clone());
        while let Some(current) = next {
            let image = self.config.images.get(&current);
            let known = || self.config.images.keys().map(ImageName::as_str);
            let image = image.ok_or_else(|| self.unknown("image", current.as_str(), known()))?;
            if !seen.insert(current.clone()) || seen.len() > MAX_EXTENDS {
                let fault = Fault::new(format!("image `{current}` extends itself")).at(&["extends"]);
                return Err(self.refuse("images", current.as_str(), vec![fault]));
            }
            layers.push(image.clone());
            next = image.extends.clone();
        }
        layers.reverse();
        let index = self
            .origins
            .get(&("images", name.to_string()))
            .copied()
            .unwrap_or_default();
        let file = self
            .files
            .get(index)
            .map_or(self.root_file.as_path(), |(path, _)| path);
        let mut image = resolve_image(name, file, layers)
            .map_err(|faults| self.refuse("images", name.as_str(), faults))?;
        image.packages.retain(|package| {
            let component = self.config.components.get(&ComponentName::from(package));
            component.is_none_or(|component| is_in(component, &distro.version, architecture))
        });
        Ok(image)
    }

    /// The lock file of what is imported: one for each version of a distribution and each architecture.
    #[must_use]
    pub fn lock_path(&self, distro: &ResolvedDistro, architecture: Architecture) -> PathBuf {
        let name = format!("debian-{}.lock", architecture.debian());
        self.project().lock_dir.join(distro.version.as_str()).join(name)
    }
}

/// A layer with what it adds in a version of the distribution, and without what it adds in others.
fn in_version(layer: &schema::Component, version: &DistroVersion) -> schema::Component {
    let mut layer = layer.clone();
    if let Some(added) = std::mem::take(&mut layer.per_version).0.remove(version) {
        layer.import.absorb(added.import, ListRule::Append);
        layer.declare.absorb(added.declare, ListRule::Append);
    }
    layer
}

/// Whether a component is in a version, for an architecture.
fn is_in(component: &schema::Component, version: &DistroVersion, architecture: Architecture) -> bool {
    component
        .versions
        .as_ref()
        .is_none_or(|versions| versions.contains(version))
        && component
            .architectures
            .as_ref()
            .is_none_or(|all| all.contains(&architecture))
}
