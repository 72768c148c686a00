//! Rules within one file that its shape cannot express: keys that need or exclude each other.

mod component;
mod overlay;
mod resource;

use crate::resolve::Fault;
use crate::schema::{ConfigFile, OverlayFile, Package, RepositoryUse, TestReference, TestType};

use component::{Scope, component};
use overlay::{check_metadata, overlay};

pub(crate) use component::COMPONENT_PLACEHOLDER;

pub(crate) fn config(file: &ConfigFile) -> Vec<Fault> {
    let mut faults = Vec::new();
    components(file, &mut faults);
    for (name, distro) in &file.distros {
        for (version, entry) in &distro.versions {
            let of_version = ["distros", name.as_str(), "versions", version.as_str()];
            let key = [of_version.as_slice(), &["default-component-config"]].concat();
            if let Some(default) = &entry.default_component_config {
                component(default, &key, Scope::Shared, &mut faults);
            }
            let inputs = entry.inputs.iter().flat_map(|inputs| {
                [
                    ("rpm-build", &inputs.rpm_build),
                    ("image-build", &inputs.image_build),
                ]
            });
            for (list, uses) in inputs {
                let key = [of_version.as_slice(), &["inputs", list]].concat();
                faults.extend(
                    uses.iter()
                        .enumerate()
                        .filter_map(|(index, one)| repository_use(one, &key, index)),
                );
            }
        }
    }
    if let Some(resources) = &file.resources {
        resource::resources(resources, &mut faults);
    }
    packages(file, &mut faults);
    tests(file, &mut faults);
    faults
}

/// All configurations of components but those of distributions.
fn components(file: &ConfigFile, faults: &mut Vec<Fault>) {
    for (name, one) in &file.components {
        component(one, &["components", name.as_str()], Scope::Component, faults);
    }
    if let Some(default) = &file.default_component_config {
        component(default, &["default-component-config"], Scope::Project, faults);
    }
    for (name, group) in &file.component_groups {
        let of_group = ["component-groups", name.as_str()];
        if let Some(default) = &group.default_component_config {
            let key = [of_group.as_slice(), &["default-component-config"]].concat();
            component(default, &key, Scope::Shared, faults);
        }
        if let Some(metadata) = &group.metadata {
            check_metadata(metadata, &[of_group.as_slice(), &["metadata"]].concat(), faults);
        }
    }
    for (name, template) in &file.component_templates {
        let of_template = ["component-templates", name.as_str()];
        if let Some(default) = &template.default_component_config {
            let key = [of_template.as_slice(), &["default-component-config"]].concat();
            component(default, &key, Scope::Component, faults);
        }
        for (index, axis) in template.matrix.iter().enumerate() {
            let index_text = index.to_string();
            let of_axis = [of_template.as_slice(), &["matrix", &index_text]].concat();
            if template.matrix[..index]
                .iter()
                .any(|other| other.axis == axis.axis)
            {
                let fault = Fault::new(format!("axis `{}` stands twice in template `{name}`", axis.axis));
                faults.push(
                    fault
                        .at(&of_axis)
                        .help("an axis has one entry with all its values"),
                );
            }
            for (value, one) in &axis.values {
                let key = [of_axis.as_slice(), &["values", value.as_str()]].concat();
                component(one, &key, Scope::Component, faults);
            }
        }
    }
}

/// Channels of packages, and packages that a group has twice.
fn packages(file: &ConfigFile, faults: &mut Vec<Fault>) {
    if let Some(default) = &file.default_package_config {
        package(default, &["default-package-config"], faults);
    }
    for (name, group) in &file.package_groups {
        let of_group = ["package-groups", name.as_str()];
        if let Some(default) = &group.default_package_config {
            package(
                default,
                &[of_group.as_slice(), &["default-package-config"]].concat(),
                faults,
            );
        }
        for (index, one) in group.packages.iter().enumerate() {
            if group.packages[..index].contains(one) {
                let fault = Fault::new(format!("package `{one}` stands twice in package group `{name}`"));
                faults.push(fault.at(&[of_group.as_slice(), &["packages", &index.to_string()]].concat()));
            }
        }
    }
}

fn package(one: &Package, key: &[&str], faults: &mut Vec<Fault>) {
    let Some(publish) = &one.publish else { return };
    let channels = [
        ("rpm-channel", &publish.rpm_channel),
        ("debuginfo-channel", &publish.debuginfo_channel),
        ("channel", &publish.channel),
    ];
    for (name, value) in channels {
        channel(value.as_deref(), &[key, &["publish", name]].concat(), faults);
    }
}

/// A channel is the name of a folder of packages.
fn channel(value: Option<&str>, key: &[&str], faults: &mut Vec<Fault>) {
    let is_bad = |name: &str| {
        matches!(name, "." | "..") || name.contains(['/', '\\']) || name.contains(char::is_control)
    };
    if let Some(name) = value.filter(|name| is_bad(name)) {
        let fault = Fault::new(format!("`{name}` is not a channel")).at(key);
        faults.push(fault.help("expected a name without `/` and `\\`, or `none` for what is not published"));
    }
}

/// Tests have the settings of their framework, and references name one thing.
fn tests(file: &ConfigFile, faults: &mut Vec<Fault>) {
    for (name, suite) in &file.test_suites {
        let there = match suite.kind {
            TestType::Pytest => suite.pytest.is_some(),
            TestType::Lisa => !suite.lisa.is_empty(),
            TestType::Tmt => false,
        };
        if !there {
            faults.push(settings_missing("test-suites", name.as_str(), suite.kind));
        }
    }
    for (name, test) in &file.tests {
        let settings = match test.r#type {
            TestType::Pytest => &test.pytest,
            TestType::Lisa => &test.lisa,
            TestType::Tmt => &test.tmt,
        };
        if settings.is_empty() {
            faults.push(settings_missing("tests", name.as_str(), test.r#type));
        }
    }
    for (name, group) in &file.test_groups {
        test_references(&group.tests, &["test-groups", name.as_str(), "tests"], faults);
    }
    for (name, image) in &file.images {
        let listed = image
            .tests
            .iter()
            .flat_map(|tests| &tests.tests)
            .cloned()
            .collect::<Vec<_>>();
        test_references(&listed, &["images", name.as_str(), "tests", "tests"], faults);
    }
}

fn settings_missing(section: &str, name: &str, kind: TestType) -> Fault {
    let framework = match kind {
        TestType::Pytest => "pytest",
        TestType::Lisa => "lisa",
        // Suites know two frameworks, single tests all three.
        TestType::Tmt if section == "test-suites" => {
            let fault = Fault::new(format!("test suite `{name}` cannot be of type `tmt`"));
            return fault
                .at(&[section, name, "type"])
                .help("a suite is of type `pytest` or `lisa`; `[tests]` know `tmt`");
        }
        TestType::Tmt => "tmt",
    };
    let fault = Fault::new(format!(
        "`{name}` is of type `{framework}` and has no settings of it"
    ));
    fault
        .at(&[section, name, "type"])
        .help(format!("add [{section}.{name}.{framework}]"))
}

fn test_references(references: &[TestReference], key: &[&str], faults: &mut Vec<Fault>) {
    for (index, one) in references.iter().enumerate() {
        let what = match (&one.name, &one.group) {
            (Some(_), Some(_)) => "both `name` and `group`",
            (None, None) => "neither `name` nor `group`",
            _ => continue,
        };
        let fault = Fault::new(format!("a reference to a test has {what}"));
        let fault = fault.at(&[key, &[&index.to_string()]].concat());
        faults.push(fault.help("name a test or a group, not both"));
    }
}

pub(crate) fn overlay_file(file: &OverlayFile) -> Vec<Fault> {
    let mut faults = Vec::new();
    match &file.metadata {
        Some(metadata) => check_metadata(metadata, &["metadata"], &mut faults),
        None => faults
            .push(Fault::new("an overlay file needs [metadata]").help("add [metadata] with `category = …`")),
    }
    if file.overlays.is_empty() {
        faults.push(Fault::new("an overlay file needs at least one [[overlays]]"));
    }
    for (index, one) in file.overlays.iter().enumerate() {
        let key = ["overlays", &index.to_string()];
        if one.metadata.is_some() {
            let fault = Fault::new("an overlay of an overlay file has no metadata of its own").at(&key);
            faults.push(fault.help("the file's [metadata] holds for all its overlays"));
        }
        overlay(one, &key, &mut faults);
    }
    faults
}

fn repository_use(one: &RepositoryUse, key: &[&str], index: usize) -> Option<Fault> {
    let fault = |what: &str| {
        let mut fault = Fault::new(format!("an input has {what}"))
            .at(key)
            .help("name a repository or a set, not both");
        fault.key.push(index.to_string());
        fault
    };
    match (&one.repo, &one.set) {
        (Some(_), Some(_)) => Some(fault("both `repo` and `set`")),
        (None, None) => Some(fault("neither `repo` nor `set`")),
        _ => None,
    }
}
