//! From many files to one catalog: the merge rule of each section.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::locate;
use crate::error::Error;
use crate::load::LoadedFile;
use crate::schema::{ConfigFile, Layer, ListRule, SourceText, Table};

impl Catalog {
    pub(crate) fn merge(root_file: PathBuf, loaded: Vec<LoadedFile>) -> Result<Catalog, Error> {
        let mut catalog = Catalog {
            root_file,
            files: Vec::with_capacity(loaded.len()),
            config: ConfigFile::default(),
            origins: BTreeMap::new(),
            groups: BTreeMap::new(),
            definitions: BTreeMap::new(),
            own_layers: BTreeMap::new(),
            specs: BTreeMap::new(),
            overlay_lists: BTreeMap::new(),
            includes: Vec::new(),
            package_groups: BTreeMap::new(),
        };
        let mut found = Vec::new();
        for file in loaded {
            let folder = file.path.parent().unwrap_or(Path::new("")).to_owned();
            let mut config = file.config;
            catalog.includes.extend(
                std::mem::take(&mut config.includes)
                    .into_iter()
                    .map(|include| (folder.clone(), include)),
            );
            config.locate(&SourceText::new(&file.path, &file.text));
            catalog.files.push((file.path, file.text));
            catalog.merge_file(config, &mut found);
        }
        match Diagnostics::from_vec(found) {
            Some(diagnostics) => Err(diagnostics.into()),
            None => Ok(catalog),
        }
    }

    /// Merges the last of `files`, by the rule of each section.
    fn merge_file(&mut self, file: ConfigFile, found: &mut Vec<Diagnostic>) {
        let ConfigFile {
            schema: _,
            includes: _,
            project,
            distros,
            components,
            component_groups,
            default_component_config,
            component_templates,
            package_groups,
            default_package_config,
            images,
            test_suites,
            tests,
            test_groups,
            resources,
            tools,
        } = file;
        let mut names = Names {
            files: &self.files,
            origins: &mut self.origins,
            found,
        };
        let config = &mut self.config;
        names.unite("components", &mut config.components, components);
        names.unite("component-groups", &mut config.component_groups, component_groups);
        names.unite(
            "component-templates",
            &mut config.component_templates,
            component_templates,
        );
        names.unite("package-groups", &mut config.package_groups, package_groups);
        names.unite("images", &mut config.images, images);
        names.unite("test-suites", &mut config.test_suites, test_suites);
        names.unite("tests", &mut config.tests, tests);
        names.unite("test-groups", &mut config.test_groups, test_groups);
        for name in distros.keys() {
            names.note("distros", name.as_str());
        }
        config.project.absorb(project, ListRule::Replace);
        config.distros.absorb(distros, ListRule::Replace);
        config
            .default_component_config
            .absorb(default_component_config, ListRule::Replace);
        config
            .default_package_config
            .absorb(default_package_config, ListRule::Replace);
        config.tools.absorb(tools, ListRule::Replace);
        if let Some(later) = resources {
            let all = config.resources.get_or_insert_default();
            all.rpm_repos.extend(later.rpm_repos);
            all.rpm_repo_set_templates.extend(later.rpm_repo_set_templates);
            all.rpm_repo_sets.extend(later.rpm_repo_sets);
            all.rpm_repo_comparisons.extend(later.rpm_repo_comparisons);
        }
    }
}

/// Unites sections in which a name may be defined once.
struct Names<'c> {
    /// The last one is the file at hand.
    files: &'c [(PathBuf, String)],
    origins: &'c mut BTreeMap<(&'static str, String), usize>,
    found: &'c mut Vec<Diagnostic>,
}

impl Names<'_> {
    fn current(&self) -> usize {
        self.files.len().saturating_sub(1)
    }

    /// Remembers the first file that has the name.
    fn note(&mut self, section: &'static str, name: &str) {
        let current = self.current();
        self.origins.entry((section, name.to_owned())).or_insert(current);
    }

    fn unite<K: Ord + AsRef<str>, V>(
        &mut self,
        section: &'static str,
        all: &mut Table<K, V>,
        more: Table<K, V>,
    ) {
        for (name, value) in more {
            let key = (section, name.as_ref().to_owned());
            if let Some(&earlier) = self.origins.get(&key) {
                if self.found.len() >= Diagnostics::MAX {
                    return;
                }
                let keys = [section.to_owned(), key.1.clone()];
                let place = |index: usize| {
                    self.files
                        .get(index)
                        .map(|(path, text)| locate(path, text, &keys))
                };
                if let (Some(first), Some(second)) = (place(earlier), place(self.current())) {
                    let message = format!("{section} `{}` is defined twice", key.1);
                    let diagnostic = Diagnostic::new(message, second).label("again here");
                    let help = "a name is defined once in all files: rename one, or leave one out";
                    self.found
                        .push(diagnostic.related(first, "first here").help(help));
                }
            } else {
                let current = self.current();
                self.origins.insert(key, current);
                all.insert(name, value);
            }
        }
    }
}
