//! Rules within one file that its shape cannot express: keys that need or exclude each other.

use crate::resolve::Fault;
use crate::schema::{Component, ConfigFile, Overlay, OverlayFile, OverlayMetadata, RepositoryUse};

/// Where a component's configuration stands, which decides what it may say of overlay files.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Project,
    Component,
    Shared,
}

/// The placeholder that stands for a component's name in the project's `overlay-files`.
pub(crate) const COMPONENT_PLACEHOLDER: &str = "{component}";

pub(crate) fn config(file: &ConfigFile) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, one) in &file.components {
        component(one, &["components", name.as_str()], Scope::Component, &mut faults);
    }
    if let Some(default) = &file.default_component_config {
        component(
            default,
            &["default-component-config"],
            Scope::Project,
            &mut faults,
        );
    }
    for (name, group) in &file.component_groups {
        let key = ["component-groups", name.as_str(), "default-component-config"];
        if let Some(default) = &group.default_component_config {
            component(default, &key, Scope::Shared, &mut faults);
        }
    }
    for (name, distro) in &file.distros {
        for (version, entry) in &distro.versions {
            let key = [
                "distros",
                name.as_str(),
                "versions",
                version.as_str(),
                "default-component-config",
            ];
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
                let key = [
                    "distros",
                    name.as_str(),
                    "versions",
                    version.as_str(),
                    "inputs",
                    list,
                ];
                faults.extend(
                    uses.iter()
                        .enumerate()
                        .filter_map(|(index, one)| repository_use(one, &key, index)),
                );
            }
        }
    }
    faults
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

fn component(one: &Component, key: &[&str], scope: Scope, faults: &mut Vec<Fault>) {
    let below =
        |more: &[&str]| -> Vec<String> { key.iter().chain(more).map(|&part| part.to_owned()).collect() };
    let mut fault = |message: &str, help: &str, more: &[&str]| {
        let mut fault = Fault::new(message).help(help);
        fault.key = below(more);
        faults.push(fault);
    };
    let sources = [
        ("spec", one.spec.is_some()),
        ("import", one.import.is_some()),
        ("generate", one.generate.is_some()),
    ];
    let named: Vec<&str> = sources
        .iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| *name)
        .collect();
    if let [first, second, ..] = named.as_slice() {
        let message = format!("a component has one source, and this one has `{first}` and `{second}`");
        fault(&message, "keep one of `spec`, `import` and `generate`", &[second]);
    }
    let imported = one.per_version.iter().find(|(_, added)| added.import.is_some());
    if let (Some((version, _)), Some(source)) = (imported, named.iter().find(|name| **name != "import")) {
        let message = format!("a component of which `{source}` is the source is not imported in one version");
        let key = ["per-version", version.as_str(), "import"];
        fault(&message, "only `declare` differs between its versions", &key);
    }
    let check = one.build.as_ref().and_then(|build| build.check.as_ref());
    if check.is_some_and(|check| check.skip == Some(true) && is_blank(check.skip_reason.as_deref())) {
        let key = ["build", "check", "skip"];
        fault("`check.skip` needs a reason", "add `skip_reason = \"…\"`", &key);
    }
    let failure = one.build.as_ref().and_then(|build| build.failure.as_ref());
    if failure.is_some_and(|one| one.expected == Some(true) && is_blank(one.expected_reason.as_deref())) {
        let key = ["build", "failure", "expected"];
        fault(
            "`failure.expected` needs a reason",
            "add `expected-reason = \"…\"`",
            &key,
        );
    }
    for (index, file) in one.source_files.iter().enumerate() {
        let index = index.to_string();
        if file.hash.is_some() && file.hash_type.is_none() {
            fault(
                "`hash` needs a `hash-type`",
                "add `hash-type = \"SHA512\"`",
                &["source-files", &index, "hash"],
            );
        }
        if file.replace_upstream == Some(true) && is_blank(file.replace_reason.as_deref()) {
            let key = ["source-files", &index, "replace-upstream"];
            fault(
                "`replace-upstream` needs a reason",
                "add `replace-reason = \"…\"`",
                &key,
            );
        }
    }
    for (message, help, index) in overlay_file_rules(one, scope) {
        fault(&message, help, &["overlay-files", &index.to_string()]);
    }
    for (index, one) in one.overlays.iter().enumerate() {
        let index = index.to_string();
        let key: Vec<&str> = key.iter().copied().chain(["overlays", &index]).collect();
        overlay(one, &key, faults);
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

/// azldev's rules: the project's entries hold the placeholder once, a component's never, and other scopes have none.
fn overlay_file_rules(one: &Component, scope: Scope) -> Vec<(String, &'static str, usize)> {
    let Some(files) = &one.overlay_files else {
        return Vec::new();
    };
    if scope == Scope::Shared {
        let message = "`overlay-files` cannot be set here".to_owned();
        return vec![(
            message,
            "set it in [components.X] or in the top-level [default-component-config]",
            0,
        )];
    }
    let mut found = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let segments: Vec<&str> = file.as_str().split('/').collect();
        let placeholders = file.as_str().matches(COMPONENT_PLACEHOLDER).count();
        let whole = segments
            .iter()
            .position(|segment| *segment == COMPONENT_PLACEHOLDER);
        let well_placed = placeholders == 1 && whole.is_some_and(|at| at + 1 < segments.len());
        if scope == Scope::Component && placeholders > 0 {
            let message = format!("`{COMPONENT_PLACEHOLDER}` is not for a component's own `overlay-files`");
            found.push((message, "write a path or glob relative to this file", index));
        } else if scope == Scope::Project && !well_placed {
            let message = format!(
                "`{}` does not have `{COMPONENT_PLACEHOLDER}` once, as a folder",
                file.as_str()
            );
            found.push((
                message,
                "write it as in `components/{component}/overlays/*.overlay.toml`",
                index,
            ));
        }
    }
    found
}

fn overlay(one: &Overlay, key: &[&str], faults: &mut Vec<Fault>) {
    if let Err(error) = one.action() {
        let mut fault = Fault::new(error.to_string()).at(key);
        if let Some(description) = &one.description {
            fault = fault.help(format!("the overlay is described as: {description}"));
        }
        faults.push(fault);
    }
    if let Some(metadata) = &one.metadata {
        let key: Vec<&str> = key.iter().copied().chain(["metadata"]).collect();
        check_metadata(metadata, &key, faults);
    }
}

fn check_metadata(metadata: &OverlayMetadata, key: &[&str], faults: &mut Vec<Fault>) {
    if metadata.category.is_none() {
        faults.push(
            Fault::new("overlay metadata needs a `category`")
                .at(key)
                .help("say why the overlay is: `category = …`"),
        );
    }
    let addresses = metadata
        .commits
        .iter()
        .chain(metadata.bugs.iter().map(|bug| &bug.url));
    for address in addresses.filter(|address| crate::value::Url::new(address.as_str()).is_err()) {
        let fault = Fault::new(format!("`{address}` is not a web address")).at(key);
        faults.push(fault.help("expected an address that starts with https:// or http://"));
    }
}
