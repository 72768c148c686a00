//! Names that one part of a catalog has for another: they must lead somewhere.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Definition};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::resolve::Fault;
use crate::schema::{Component, DistroReference, RepositoryUse, TestReference};
use crate::suggest::nearest;
use crate::value::{ComponentName, DistroName, DistroVersion, ImageName, ResourceName, TestSuiteName};

impl Catalog {
    /// Names that lead nowhere.
    pub(crate) fn check_references(&mut self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        self.check_members(&mut found);
        self.check_images(&mut found);
        self.check_versions(&mut found);
        self.check_distros(&mut found);
        self.check_tests(&mut found);
        self.check_repositories(&mut found);
        self.check_package_groups(&mut found);
        found.truncate(Diagnostics::MAX);
        found
    }

    fn check_members(&self, found: &mut Vec<Diagnostic>) {
        let components = &self.config.components;
        for (group, entry) in &self.config.component_groups {
            let members = entry.components.iter().enumerate();
            for (index, member) in members.filter(|(_, one)| !components.contains_key(*one)) {
                let near = nearest(member.as_str(), components.keys().map(ComponentName::as_str));
                let fault =
                    no_such("component", member.as_str(), near).at(&["components", &index.to_string()]);
                found.push(self.diagnose("component-groups", group.as_str(), fault));
            }
        }
    }

    fn check_images(&self, found: &mut Vec<Diagnostic>) {
        let images = &self.config.images;
        for (name, image) in images {
            if let Some(base) = image.extends.as_ref().filter(|base| !images.contains_key(*base)) {
                let near = nearest(base.as_str(), images.keys().map(ImageName::as_str));
                let fault = no_such("image", base.as_str(), near).at(&["extends"]);
                found.push(self.diagnose("images", name.as_str(), fault));
            }
        }
    }

    fn check_versions(&self, found: &mut Vec<Diagnostic>) {
        let versions: std::collections::BTreeSet<&DistroVersion> = self
            .config
            .distros
            .values()
            .flat_map(|distro| distro.versions.keys())
            .collect();
        for (name, component) in &self.config.components {
            if found.len() >= Diagnostics::MAX {
                return;
            }
            let named = component.versions.iter().flat_map(|list| list.iter().enumerate());
            for (index, version) in named.filter(|(_, version)| !versions.contains(version)) {
                let near = nearest(version.as_str(), versions.iter().map(|version| version.as_str()));
                let fault = no_such("distribution version", version.as_str(), near);
                found.push(self.diagnose_component(name, fault.at(&["versions", &index.to_string()])));
            }
        }
    }

    /// Distributions that components take their specs from, and the project's own.
    fn check_distros(&self, found: &mut Vec<Diagnostic>) {
        let mut check = |reference: &DistroReference, place: &dyn Fn(Fault) -> Diagnostic| {
            // Each error reads its file again for its place, so there is a limit to them.
            if found.len() < Diagnostics::MAX {
                found.extend(self.distro_fault(reference).map(place));
            }
        };
        let upstream = |one: &Component| one.spec.as_ref().and_then(|spec| spec.upstream_distro.clone());
        let at_top = |keys: Vec<&str>, fault: Fault| {
            let keys: Vec<&str> = keys
                .into_iter()
                .chain(fault.key.iter().map(String::as_str))
                .collect();
            let mut diagnostic = Diagnostic::new(fault.message.clone(), self.locate_anywhere(&keys));
            diagnostic.help = fault.help;
            diagnostic
        };
        if let Some(default) = self
            .config
            .project
            .as_ref()
            .and_then(|project| project.default_distro.as_ref())
        {
            check(default, &|fault| at_top(vec!["project", "default-distro"], fault));
        }
        let spec = |mut fault: Fault| {
            fault
                .key
                .splice(0..0, ["spec".to_owned(), "upstream-distro".to_owned()]);
            fault
        };
        if let Some(reference) = self.config.default_component_config.as_ref().and_then(upstream) {
            check(&reference, &|fault| {
                at_top(vec!["default-component-config"], spec(fault))
            });
        }
        for (group, entry) in &self.config.component_groups {
            if let Some(reference) = entry.default_component_config.as_ref().and_then(upstream) {
                let key = ["default-component-config".to_owned()];
                check(&reference, &|fault| {
                    let mut fault = spec(fault);
                    fault.key.splice(0..0, key.clone());
                    self.diagnose("component-groups", group.as_str(), fault)
                });
            }
        }
        for (name, distro) in &self.config.distros {
            for (version, entry) in &distro.versions {
                if let Some(reference) = entry.default_component_config.as_ref().and_then(upstream) {
                    let keys = vec![
                        "distros",
                        name.as_str(),
                        "versions",
                        version.as_str(),
                        "default-component-config",
                    ];
                    check(&reference, &|fault| at_top(keys.clone(), spec(fault)));
                }
            }
        }
        for (name, component) in &self.config.components {
            if let Some(reference) = component
                .spec
                .as_ref()
                .and_then(|spec| spec.upstream_distro.as_ref())
            {
                check(reference, &|fault| self.diagnose_component(name, spec(fault)));
            }
        }
    }

    /// What is wrong with a reference to a distribution.
    fn distro_fault(&self, reference: &DistroReference) -> Option<Fault> {
        let distros = &self.config.distros;
        let Some(distro) = distros.get(&reference.name) else {
            let near = nearest(reference.name.as_str(), distros.keys().map(DistroName::as_str));
            return Some(no_such("distribution", reference.name.as_str(), near).at(&["name"]));
        };
        let version = reference
            .version
            .as_ref()
            .filter(|version| !distro.versions.contains_key(*version))?;
        let near = nearest(
            version.as_str(),
            distro.versions.keys().map(DistroVersion::as_str),
        );
        let mut fault = Fault::new(format!(
            "distribution `{}` has no version `{version}`",
            reference.name
        ));
        fault.help = near.map(|near| format!("did you mean `{near}`?"));
        Some(fault.at(&["version"]))
    }

    fn check_tests(&self, found: &mut Vec<Diagnostic>) {
        let suites = &self.config.test_suites;
        for (name, image) in &self.config.images {
            let named = image
                .tests
                .iter()
                .flat_map(|tests| tests.test_suites.iter().enumerate());
            for (index, suite) in named.filter(|(_, suite)| !suites.contains_key(&suite.name)) {
                let near = nearest(suite.name.as_str(), suites.keys().map(TestSuiteName::as_str));
                let fault = no_such("test suite", suite.name.as_str(), near);
                let fault = fault.at(&["tests", "test-suites", &index.to_string(), "name"]);
                found.push(self.diagnose("images", name.as_str(), fault));
            }
            let named = image
                .tests
                .iter()
                .flat_map(|tests| tests.tests.iter().enumerate());
            for (index, one) in named {
                let fault = self.test_fault(one, &["tests", "tests", &index.to_string()]);
                found.extend(fault.map(|fault| self.diagnose("images", name.as_str(), fault)));
            }
        }
        for (name, group) in &self.config.test_groups {
            for (index, one) in group.tests.iter().enumerate() {
                let fault = self.test_fault(one, &["tests", &index.to_string()]);
                found.extend(fault.map(|fault| self.diagnose("test-groups", name.as_str(), fault)));
            }
        }
        for (name, component) in &self.config.components {
            let named = component
                .tests
                .iter()
                .flat_map(|tests| tests.tests.iter().enumerate());
            for (index, one) in named {
                let fault = self.test_fault(one, &["tests", "tests", &index.to_string()]);
                found.extend(fault.map(|fault| self.diagnose_component(name, fault)));
            }
        }
    }

    fn test_fault(&self, reference: &TestReference, key: &[&str]) -> Option<Fault> {
        let (tests, groups) = (&self.config.tests, &self.config.test_groups);
        if let Some(name) = reference.name.as_ref().filter(|name| !tests.contains_key(*name)) {
            let near = nearest(name.as_str(), tests.keys().map(TestSuiteName::as_str));
            return Some(no_such("test", name.as_str(), near).at(&[key, &["name"]].concat()));
        }
        let group = reference
            .group
            .as_ref()
            .filter(|group| !groups.contains_key(*group))?;
        let near = nearest(group.as_str(), groups.keys().map(TestSuiteName::as_str));
        Some(no_such("test group", group.as_str(), near).at(&[key, &["group"]].concat()))
    }

    /// Repositories that inputs name, layouts that sets have, and names that two repositories would have.
    fn check_repositories(&self, found: &mut Vec<Diagnostic>) {
        let resources = self.config.resources.clone().unwrap_or_default();
        let mut refuse = |keys: &[&str], fault: Fault| {
            let mut diagnostic = Diagnostic::new(fault.message, self.locate_anywhere(keys));
            diagnostic.help = fault.help;
            found.push(diagnostic);
        };
        let mut ids: BTreeMap<String, String> = resources
            .rpm_repos
            .keys()
            .map(|name| (name.to_string(), format!("repository `{name}`")))
            .collect();
        for (name, set) in &resources.rpm_repo_sets {
            let key = ["resources", "rpm-repo-sets", name.as_str()];
            let Some(template) = resources.rpm_repo_set_templates.get(&set.template) else {
                let near = nearest(
                    set.template.as_str(),
                    resources.rpm_repo_set_templates.keys().map(ResourceName::as_str),
                );
                refuse(
                    &[key.as_slice(), &["template"]].concat(),
                    no_such("template of repositories", set.template.as_str(), near),
                );
                continue;
            };
            let known = || template.subrepos.iter().map(|one| one.name.as_str());
            for (index, one) in set.subrepos.iter().enumerate() {
                if !known().any(|name| name == one.as_str()) {
                    let mut fault =
                        Fault::new(format!("template `{}` has no repository `{one}`", set.template));
                    fault.help = nearest(one.as_str(), known()).map(|near| format!("did you mean `{near}`?"));
                    refuse(
                        &[key.as_slice(), &["subrepos", &index.to_string()]].concat(),
                        fault,
                    );
                }
            }
            for id in set_ids(set, template) {
                if let Some(other) = ids.insert(id.clone(), format!("a repository of set `{name}`")) {
                    let fault = Fault::new(format!(
                        "a repository of set `{name}` has the name `{id}`, as {other} has"
                    ));
                    refuse(&key, fault.help("give the set another `name-prefix`"));
                }
            }
        }
        for (name, pair) in &resources.rpm_repo_comparisons {
            for (side, set) in [("left", &pair.left), ("right", &pair.right)] {
                if !resources.rpm_repo_sets.contains_key(set) {
                    let near = nearest(
                        set.as_str(),
                        resources.rpm_repo_sets.keys().map(ResourceName::as_str),
                    );
                    let key = ["resources", "rpm-repo-comparisons", name.as_str(), side];
                    refuse(&key, no_such("set of repositories", set.as_str(), near));
                }
            }
        }
        for (name, distro) in &self.config.distros {
            for (version, entry) in &distro.versions {
                let lists = entry.inputs.iter().flat_map(|inputs| {
                    [
                        ("rpm-build", &inputs.rpm_build),
                        ("image-build", &inputs.image_build),
                    ]
                });
                for (list, uses) in lists {
                    for (index, one) in uses.iter().enumerate() {
                        let number = index.to_string();
                        let key = [
                            "distros",
                            name.as_str(),
                            "versions",
                            version.as_str(),
                            "inputs",
                            list,
                            &number,
                        ];
                        if let Some(fault) = use_fault(one, &ids, &resources) {
                            refuse(&key, fault);
                        }
                    }
                }
            }
        }
    }

    /// Notes the group of each binary package, of which it has one at most.
    fn check_package_groups(&mut self, found: &mut Vec<Diagnostic>) {
        let mut groups = std::mem::take(&mut self.package_groups);
        for (name, group) in &self.config.package_groups {
            for (index, package) in group.packages.iter().enumerate() {
                let Some(earlier) = groups.get(package) else {
                    groups.insert(package.clone(), name.clone());
                    continue;
                };
                if earlier == name {
                    continue;
                }
                let first = self
                    .config
                    .package_groups
                    .get(earlier)
                    .and_then(|group| group.packages.iter().position(|one| one == package));
                let key = |index: usize| ["packages".to_owned(), index.to_string()];
                let place = self.locate("package-groups", name.as_str(), &key(index));
                let there = self.locate(
                    "package-groups",
                    earlier.as_str(),
                    &key(first.unwrap_or_default()),
                );
                let message = format!("package `{package}` is in two package groups");
                let diagnostic = Diagnostic::new(message, place).label("in this one");
                found.push(
                    diagnostic
                        .related(there, "and in this one")
                        .help("a package is in one group at most"),
                );
            }
        }
        self.package_groups = groups;
    }

    /// Whether a component is made by something else than its own entry.
    #[must_use]
    pub fn is_discovered(&self, name: &ComponentName) -> bool {
        matches!(
            self.definitions.get(name),
            Some(Definition::SpecFile(_) | Definition::Template(_) | Definition::OverlayFolder)
        )
    }
}

/// The names of the repositories of a set.
pub(crate) fn set_ids<'s>(
    set: &'s crate::schema::RpmRepositorySet,
    template: &'s crate::schema::RpmRepositorySetTemplate,
) -> impl Iterator<Item = String> + 's {
    let prefix = set.name_prefix.as_deref().unwrap_or_default();
    let taken =
        |one: &&crate::schema::SubRepository| set.subrepos.is_empty() || set.subrepos.contains(&one.name);
    template
        .subrepos
        .iter()
        .filter(taken)
        .map(move |one| format!("{prefix}{}", one.name))
}

fn use_fault(
    one: &RepositoryUse,
    ids: &BTreeMap<String, String>,
    resources: &crate::schema::Resources,
) -> Option<Fault> {
    if let Some(repo) = one.repo.as_ref().filter(|repo| !ids.contains_key(repo.as_str())) {
        let near = nearest(repo.as_str(), ids.keys().map(String::as_str));
        return Some(no_such("repository", repo.as_str(), near));
    }
    let sets = &resources.rpm_repo_sets;
    let set = one.set.as_ref().filter(|set| !sets.contains_key(*set))?;
    let near = nearest(set.as_str(), sets.keys().map(ResourceName::as_str));
    Some(no_such("set of repositories", set.as_str(), near))
}

fn no_such(kind: &str, name: &str, near: Option<&str>) -> Fault {
    let mut fault = Fault::new(format!("there is no {kind} `{name}`"));
    fault.help = near.map(|near| format!("did you mean `{near}`?"));
    fault
}
