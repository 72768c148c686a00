//! What a project has beside the entries of its files: components that templates, specs and overlay folders make, and
//! the overlay files themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::catalog::{Catalog, Definition, OverlayDocument};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::parse_overlay_file;
use crate::error::Error;
use crate::files::{EntryKind, Files};
use crate::glob::{Exclusions, Globber};
use crate::resolve::{Fault, LayerOrigin};
use crate::schema::{self, Layer as _, ListRule, Local, SourceText, SpecType, normalise};
use crate::validate::COMPONENT_PLACEHOLDER;
use crate::value::{ComponentName, FileGlob, GroupName};

/// Most components that one template makes.
const MAX_COMBINATIONS: usize = 10_000;

impl Catalog {
    /// Finds what the project has beside the entries of its files.
    pub(crate) fn discover(&mut self, globber: &Globber<'_>, files: &dyn Files) -> Result<(), Error> {
        let mut found = Vec::new();
        self.expand_templates(&mut found);
        self.find_specs(globber, &mut found)?;
        self.find_groups();
        self.find_overlay_files(globber, files, &mut found)?;
        match Diagnostics::from_vec(found) {
            Some(diagnostics) => Err(diagnostics.into()),
            None => Ok(()),
        }
    }

    /// Makes a component for each combination of the values of a template's axes.
    fn expand_templates(&mut self, found: &mut Vec<Diagnostic>) {
        let templates = std::mem::take(&mut self.config.component_templates);
        for (template, entry) in &templates {
            let combinations: usize = entry
                .matrix
                .iter()
                .map(|axis| axis.values.len())
                .fold(1, usize::saturating_mul);
            if entry.matrix.is_empty() || combinations == 0 {
                let fault = Fault::new(format!("template `{template}` makes no component"));
                let help = "it needs at least one axis, and each axis a value: `matrix = [{ axis = \"…\", values = { … } }]`";
                found.push(self.diagnose("component-templates", template.as_str(), fault.help(help)));
                continue;
            }
            if combinations > MAX_COMBINATIONS {
                let message = format!(
                    "template `{template}` makes {combinations} components, more than {MAX_COMBINATIONS}"
                );
                found.push(self.diagnose(
                    "component-templates",
                    template.as_str(),
                    Fault::new(message).at(&["matrix"]),
                ));
                continue;
            }
            for combination in 0..combinations {
                self.expand_template(template, entry, combination, found);
            }
        }
        self.config.component_templates = templates;
    }

    /// Makes the component of one combination: its number, written with the counts of values as bases, has the values.
    fn expand_template(
        &mut self,
        template: &GroupName,
        entry: &schema::ComponentTemplate,
        combination: usize,
        found: &mut Vec<Diagnostic>,
    ) {
        let mut layers = vec![(
            LayerOrigin::Template(template.clone()),
            entry.default_component_config.clone().unwrap_or_default(),
        )];
        let mut name = template.to_string();
        let mut rest: usize = entry.matrix.iter().map(|axis| axis.values.len()).product();
        for axis in &entry.matrix {
            rest /= axis.values.len();
            let Some((value, layer)) = axis.values.iter().nth(combination / rest % axis.values.len()) else {
                return;
            };
            name.push('-');
            name.push_str(value.as_str());
            let origin = LayerOrigin::TemplateValue {
                template: template.clone(),
                axis: axis.axis.clone(),
                value: value.clone(),
            };
            layers.push((origin, layer.clone()));
        }
        let fault = match ComponentName::new(name) {
            Err(error) => Fault::new(error.to_string()),
            Ok(name) if self.config.components.contains_key(&name) => {
                let mut fault = Fault::new(format!(
                    "template `{template}` makes component `{name}`, which there is already"
                ));
                fault.help = Some("rename the template, a value, or the other component".to_owned());
                let diagnostic = self
                    .diagnose("component-templates", template.as_str(), fault)
                    .label("made here");
                found.push(diagnostic.related(self.locate_component(&name), "and defined here"));
                return;
            }
            Ok(name) => {
                let mut merged = schema::Component::default();
                for (_, layer) in &layers {
                    merged.absorb(layer.clone(), ListRule::Append);
                }
                self.config.components.insert(name.clone(), merged);
                self.definitions
                    .insert(name.clone(), Definition::Template(template.clone()));
                self.own_layers.insert(name, layers);
                return;
            }
        };
        found.push(self.diagnose("component-templates", template.as_str(), fault));
    }

    /// Makes a component for each spec that a group's globs match.
    fn find_specs(&mut self, globber: &Globber<'_>, found: &mut Vec<Diagnostic>) -> Result<(), Error> {
        let groups = std::mem::take(&mut self.config.component_groups);
        let result = groups
            .iter()
            .try_for_each(|(group, entry)| self.find_specs_of(group, entry, globber, found));
        self.config.component_groups = groups;
        result
    }

    fn find_specs_of(
        &mut self,
        group: &GroupName,
        entry: &schema::ComponentGroup,
        globber: &Globber<'_>,
        found: &mut Vec<Diagnostic>,
    ) -> Result<(), Error> {
        let without = Exclusions::new(&entry.excluded_paths);
        for (index, glob) in entry.specs.iter().enumerate() {
            let key = ["specs", &index.to_string()];
            let matches = globber
                .expand(glob.folder(), glob.as_str(), &without)
                .map_err(|source| Error::Include {
                    file: self.file_of("component-groups", group.as_str()).to_owned(),
                    include: glob.as_str().to_owned(),
                    source,
                })?;
            if matches.is_empty() && !glob.value().is_pattern() {
                let fault = Fault::new(format!("spec `{}` is not there", glob.as_str())).at(&key);
                let fault = fault.help(format!("looked for {}", glob.resolve().display()));
                found.push(self.diagnose("component-groups", group.as_str(), fault));
            }
            for path in matches.iter().map(|path| normalise(path)) {
                if path.extension().is_none_or(|ending| ending != "spec") {
                    continue;
                }
                let stem = path
                    .file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned())
                    .unwrap_or_default();
                match ComponentName::new(stem) {
                    Ok(name) => self.add_spec(&name, &path, group, &key, found),
                    Err(error) => {
                        let fault = Fault::new(error.to_string()).at(&key);
                        let fault = fault.help(format!(
                            "rename {}, or add it to `excluded-paths`",
                            path.display()
                        ));
                        found.push(self.diagnose("component-groups", group.as_str(), fault));
                    }
                }
            }
        }
        Ok(())
    }

    fn add_spec(
        &mut self,
        name: &ComponentName,
        path: &Path,
        group: &GroupName,
        key: &[&str],
        found: &mut Vec<Diagnostic>,
    ) {
        let other = self.specs.get(name).filter(|(other, _)| other != path);
        if let Some((other, _)) = other {
            let fault = Fault::new(format!("two specs make component `{name}`")).at(key);
            let fault = fault.help(format!(
                "{} and {}: rename one, or add it to `excluded-paths`",
                other.display(),
                path.display()
            ));
            found.push(self.diagnose("component-groups", group.as_str(), fault));
            return;
        }
        let groups = self.groups.entry(name.clone()).or_default();
        if !groups.contains(group) {
            groups.push(group.clone());
        }
        if self.specs.contains_key(name) {
            return;
        }
        self.specs.insert(name.clone(), (path.to_owned(), group.clone()));
        let layer = schema::Component {
            spec: Some(schema::Spec {
                kind: Some(SpecType::Local),
                path: Some(Local::from(path.to_string_lossy().into_owned())),
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut layers = vec![(LayerOrigin::SpecFile(group.clone()), layer)];
        match self.config.components.get(name) {
            Some(own) if !self.own_layers.contains_key(name) => {
                layers.push((LayerOrigin::Component, own.clone()))
            }
            Some(_) => layers.extend(self.own_layers.remove(name).unwrap_or_default()),
            None => {
                self.config
                    .components
                    .insert(name.clone(), schema::Component::default());
                self.definitions
                    .insert(name.clone(), Definition::SpecFile(group.clone()));
            }
        }
        self.own_layers.insert(name.clone(), layers);
    }

    /// Notes the groups of each component, in alphabetical order.
    fn find_groups(&mut self) {
        for (group, entry) in &self.config.component_groups {
            for member in &entry.components {
                let groups = self.groups.entry(member.clone()).or_default();
                if !groups.contains(group) {
                    groups.push(group.clone());
                }
            }
        }
        self.groups.values_mut().for_each(|groups| groups.sort());
    }

    /// Finds and parses the overlay files of all components, and makes components of folders that have some.
    fn find_overlay_files(
        &mut self,
        globber: &Globber<'_>,
        files: &dyn Files,
        found: &mut Vec<Diagnostic>,
    ) -> Result<(), Error> {
        let mut lists: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        self.find_overlay_folders(globber, &mut lists)?;
        for (name, own) in &self.config.components {
            let base = self.folder_of_component(name);
            let own_files = own.overlay_files.as_ref();
            let inherited = || self.inherited_overlay_files(name);
            let globs: Vec<(&Local<FileGlob>, &Path)> = match own_files {
                Some(own) => own.iter().map(|glob| (glob, glob.folder())).collect(),
                None => inherited().into_iter().map(|glob| (glob, base)).collect(),
            };
            for (index, (glob, folder)) in globs.into_iter().enumerate() {
                let key = folder.join(glob.as_str());
                if glob.as_str().contains(COMPONENT_PLACEHOLDER) || lists.contains_key(&key) {
                    continue;
                }
                let matches = overlay_matches(globber, glob, folder, glob.as_str())?;
                if matches.is_empty() && own_files.is_some() {
                    let fault = Fault::new(format!("overlay file `{}` is not there", glob.as_str()));
                    let help = format!(
                        "looked for {}; an empty list turns inherited files off",
                        normalise(&key).display()
                    );
                    let fault = fault.at(&["overlay-files", &index.to_string()]).help(help);
                    found.push(self.diagnose_component(name, fault));
                }
                lists.insert(key, matches);
            }
        }
        let paths: BTreeSet<&PathBuf> = lists.values().flatten().collect();
        let documents = read_overlay_files(files, &paths, found)?;
        self.overlay_lists = lists
            .into_iter()
            .map(|(pattern, paths)| {
                let documents = paths
                    .iter()
                    .filter_map(|path| documents.get(path).cloned())
                    .collect();
                (pattern, documents)
            })
            .collect();
        Ok(())
    }

    /// All `overlay-files` that a component may inherit, in whatever version of the distribution.
    fn inherited_overlay_files(&self, name: &ComponentName) -> Vec<&Local<FileGlob>> {
        let versions = self
            .config
            .distros
            .values()
            .flat_map(|distro| distro.versions.values());
        let of_versions = versions.filter_map(|version| version.default_component_config.as_ref());
        let of_groups = self.groups_of(name).iter().filter_map(|group| {
            let group = self.config.component_groups.get(group)?;
            group.default_component_config.as_ref()
        });
        let all = of_versions
            .chain(&self.config.default_component_config)
            .chain(of_groups);
        all.filter_map(|layer| layer.overlay_files.as_ref())
            .flat_map(|list| list.iter())
            .collect()
    }

    /// Looks where the project's `overlay-files` have `{component}`: each folder there with a match is a component.
    fn find_overlay_folders(
        &mut self,
        globber: &Globber<'_>,
        lists: &mut BTreeMap<PathBuf, Vec<PathBuf>>,
    ) -> Result<(), Error> {
        let default = self.config.default_component_config.as_ref();
        let globs: Vec<Local<FileGlob>> = default
            .and_then(|default| default.overlay_files.clone())
            .map_or_else(Vec::new, |list| list.0);
        for glob in globs {
            let Some((before, after)) = glob.as_str().split_once(COMPONENT_PLACEHOLDER) else {
                continue;
            };
            let folder = glob.folder().join(before);
            let entries = globber
                .list(&folder)
                .map_err(|source| overlay_error(&glob, source))?;
            for entry in entries
                .iter()
                .filter(|entry| matches!(entry.kind, EntryKind::Folder | EntryKind::LinkedFolder))
            {
                let Ok(name) = ComponentName::new(entry.name.as_str()) else {
                    continue;
                };
                let own = folder.join(&entry.name);
                let matches = overlay_matches(globber, &glob, &own, after.trim_start_matches('/'))?;
                if matches.is_empty() {
                    continue;
                }
                if !self.config.components.contains_key(&name) {
                    self.config
                        .components
                        .insert(name.clone(), schema::Component::default());
                    self.definitions.insert(name.clone(), Definition::OverlayFolder);
                    self.own_layers.insert(name.clone(), Vec::new());
                }
                lists.insert(
                    glob.folder()
                        .join(glob.as_str().replace(COMPONENT_PLACEHOLDER, name.as_str())),
                    matches,
                );
            }
        }
        Ok(())
    }
}

/// The files that an entry of `overlay-files` means, in the order of their names.
fn overlay_matches(
    globber: &Globber<'_>,
    glob: &Local<FileGlob>,
    folder: &Path,
    pattern: &str,
) -> Result<Vec<PathBuf>, Error> {
    let matches = globber.expand(folder, pattern, &Exclusions::default());
    let matches = matches.map_err(|source| overlay_error(glob, source))?;
    let mut matches: Vec<PathBuf> = matches.iter().map(|path| normalise(path)).collect();
    matches.sort_by(|left, right| (left.file_name(), left).cmp(&(right.file_name(), right)));
    Ok(matches)
}

fn overlay_error(glob: &Local<FileGlob>, source: std::io::Error) -> Error {
    Error::Include {
        file: glob.folder().to_owned(),
        include: glob.as_str().to_owned(),
        source,
    }
}

/// The key, in the catalog's overlay lists, of an entry of `overlay-files` as it is for a component. `base` is the folder
/// that inherited entries are relative to; a component's own are relative to the file that they stand in.
pub(crate) fn overlay_key(glob: &Local<FileGlob>, name: &ComponentName, base: Option<&Path>) -> PathBuf {
    match (glob.as_str().contains(COMPONENT_PLACEHOLDER), base) {
        (true, _) => glob
            .folder()
            .join(glob.as_str().replace(COMPONENT_PLACEHOLDER, name.as_str())),
        (false, Some(base)) => base.join(glob.as_str()),
        (false, None) => glob.folder().join(glob.as_str()),
    }
}

/// Reads and parses overlay files, several at once.
fn read_overlay_files(
    files: &dyn Files,
    paths: &BTreeSet<&PathBuf>,
    found: &mut Vec<Diagnostic>,
) -> Result<BTreeMap<PathBuf, Arc<OverlayDocument>>, Error> {
    let read = |path: &PathBuf| -> Result<Result<OverlayDocument, Diagnostics>, Error> {
        let text = files.read(path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        Ok(parse_overlay_file(path, &text).map(|mut file| {
            file.locate(&SourceText::new(path, &text));
            OverlayDocument {
                path: path.clone(),
                text,
                file,
            }
        }))
    };
    let all: Vec<Result<Result<OverlayDocument, Diagnostics>, Error>> =
        paths.par_iter().map(|path| read(path)).collect();
    let mut documents = BTreeMap::new();
    for document in all {
        match document? {
            Ok(document) => {
                documents.insert(document.path.clone(), Arc::new(document));
            }
            Err(diagnostics) => found.extend(diagnostics.as_slice().iter().cloned()),
        }
    }
    Ok(documents)
}
