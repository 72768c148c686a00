//! The catalog: all files of a project, merged, and what they mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Location};
use crate::document::{locate, locate_exactly};
use crate::error::Error;
use crate::files::{Disk, Files, find_root};
use crate::glob::Globber;
use crate::load::{BUILT_IN, LoadOptions, load_all};
use crate::resolve::{Fault, LayerOrigin, ResolvedDistro, resolve_distro};
use crate::schema::{self, ConfigFile, OverlayFile, Place};
use crate::suggest::nearest;
use crate::value::{
    Architecture, ComponentName, DistroName, DistroVersion, FileGlob, GroupName, PackageName,
};

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
    /// The groups of each component, in alphabetical order.
    pub(crate) groups: BTreeMap<ComponentName, Vec<GroupName>>,
    /// What makes those components that no entry of `[components]` is.
    pub(crate) definitions: BTreeMap<ComponentName, Definition>,
    /// The own layers of those components that have another number of them than one.
    pub(crate) own_layers: BTreeMap<ComponentName, Vec<(LayerOrigin, schema::Component)>>,
    /// The specs that groups make components of.
    pub(crate) specs: BTreeMap<ComponentName, (PathBuf, GroupName)>,
    /// The overlay files that an entry of `overlay-files` means, by its pattern in its folder.
    pub(crate) overlay_lists: BTreeMap<PathBuf, Vec<Arc<OverlayDocument>>>,
    /// The includes of all files, each with the folder that it is relative to.
    pub(crate) includes: Vec<(PathBuf, FileGlob)>,
    /// The group of a binary package.
    pub(crate) package_groups: BTreeMap<PackageName, GroupName>,
}

/// What makes a component that no entry of `[components]` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Definition {
    /// `[component-templates.T]`.
    Template(GroupName),
    /// A spec that `specs` of `[component-groups.G]` matches.
    SpecFile(GroupName),
    /// A folder that `overlay-files` of the project's `[default-component-config]` matches.
    OverlayFolder,
}

/// An overlay file.
#[derive(Debug)]
pub(crate) struct OverlayDocument {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) file: OverlayFile,
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
        Self::load_with(files, start, &LoadOptions::default())
    }

    /// Like [`load_from`](Self::load_from), with files that come after the project: what is built in, the project, the
    /// user's file, and those of the command line.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(files: &dyn Files, start: &Path, options: &LoadOptions) -> Result<Catalog, Error> {
        let root = find_root(files, start)?;
        let globber = Globber::new(files);
        let mut catalog = Self::merge(root.clone(), load_all(&globber, files, &root, options)?)?;
        catalog.discover(&globber, files)?;
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
        let files = self.files.iter().map(|(path, _)| path.as_path());
        files.filter(|path| *path != Path::new(BUILT_IN))
    }

    /// Every overlay file of the project, each once, by path.
    pub fn overlay_files(&self) -> impl Iterator<Item = &Path> {
        let documents = self.overlay_lists.values().flatten();
        let paths: std::collections::BTreeSet<&Path> =
            documents.map(|document| document.path.as_path()).collect();
        paths.into_iter()
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
        let config = self
            .files
            .iter()
            .find(|(path, _)| **path == *place.file)
            .map(|(_, text)| text);
        let documents = || {
            self.overlay_lists
                .values()
                .flatten()
                .find(|document| *document.path == *place.file)
        };
        let text = config.or_else(|| documents().map(|document| &document.text));
        Location::new(&place.file, text.map_or("", String::as_str), place.span.clone())
    }

    pub(crate) fn locate(&self, section: &'static str, name: &str, rest: &[String]) -> Location {
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
            None => self.locate_anywhere(&[]),
        }
    }

    /// The place of a path of keys in the last file that has all of it; that of the root file if none has.
    pub(crate) fn locate_anywhere(&self, keys: &[&str]) -> Location {
        let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        let mut files = self.files.iter().rev();
        let found = files.find_map(|(path, text)| locate_exactly(path, text, &keys));
        found.unwrap_or_else(|| {
            let root = self.files.iter().find(|(path, _)| *path == self.root_file);
            Location::new(&self.root_file, root.map_or("", |(_, text)| text), 0..0)
        })
    }

    pub(crate) fn diagnose(&self, section: &'static str, name: &str, fault: Fault) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(fault.message, self.locate(section, name, &fault.key));
        diagnostic.help = fault.help;
        diagnostic
    }

    /// The file that defines a named object; the root file if none does.
    pub(crate) fn file_of(&self, section: &'static str, name: &str) -> &Path {
        let index = self.origins.get(&(section, name.to_owned()));
        let file = index.and_then(|&index| self.files.get(index));
        file.map_or(self.root_file.as_path(), |(path, _)| path)
    }

    pub(crate) fn refuse(&self, section: &'static str, name: &str, faults: Vec<Fault>) -> Error {
        let diagnostics = faults
            .into_iter()
            .map(|fault| self.diagnose(section, name, fault))
            .collect();
        match Diagnostics::from_vec(diagnostics) {
            Some(diagnostics) => diagnostics.into(),
            None => self.unknown("object", name, std::iter::empty()),
        }
    }

    pub(crate) fn unknown<'a>(
        &self,
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Error {
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

    /// The lock file of what is imported: one for each version of a distribution and each architecture.
    #[must_use]
    pub fn lock_path(&self, distro: &ResolvedDistro, architecture: Architecture) -> PathBuf {
        let name = format!("debian-{}.lock", architecture.debian());
        self.project().lock_dir.join(distro.version.as_str()).join(name)
    }
}
