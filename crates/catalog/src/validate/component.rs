//! Rules of a component's configuration, and of what components inherit.

use super::channel;
use super::overlay::overlay;
use crate::resolve::Fault;
use crate::resolve::TarballCompression;
use crate::schema::{Component, CratePart, HashType, Origin, OriginType, SourceFile};

/// Where a component's configuration stands, which decides what it may say.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Scope {
    /// `[default-component-config]`.
    Project,
    /// Of one component: its entry, or a template.
    Component,
    /// Of a distribution's version, or a group.
    Shared,
}

/// The placeholder that stands for a component's name in the project's `overlay-files`.
pub(crate) const COMPONENT_PLACEHOLDER: &str = "{component}";

/// Notes faults of a table with their keys.
struct Faults<'f> {
    key: &'f [&'f str],
    found: &'f mut Vec<Fault>,
}

impl Faults<'_> {
    fn find(&mut self, message: impl Into<String>, help: &str, more: &[&str]) {
        let fault = Fault::new(message).help(help).at(&[self.key, more].concat());
        self.found.push(fault);
    }
}

pub(super) fn component(one: &Component, key: &[&str], scope: Scope, found: &mut Vec<Fault>) {
    let mut faults = Faults { key, found };
    source(one, scope, &mut faults);
    reasons(one, &mut faults);
    source_files(&one.source_files, &mut faults);
    overlay_files(one, scope, &mut faults);
    publish(one, &mut faults);
    let references = one
        .tests
        .iter()
        .flat_map(|tests| &tests.tests)
        .cloned()
        .collect::<Vec<_>>();
    super::test_references(&references, &[key, &["tests", "tests"]].concat(), faults.found);
    for (index, one) in one.overlays.iter().enumerate() {
        overlay(
            one,
            &[key, &["overlays", &index.to_string()]].concat(),
            faults.found,
        );
    }
}

fn source(one: &Component, scope: Scope, faults: &mut Faults<'_>) {
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
        faults.find(message, "keep one of `spec`, `import` and `generate`", &[second]);
    }
    let imported = one.per_version.iter().find(|(_, added)| added.import.is_some());
    if let (Some((version, _)), Some(source)) = (imported, named.iter().find(|name| **name != "import")) {
        let message = format!("a component of which `{source}` is the source is not imported in one version");
        let key = ["per-version", version.as_str(), "import"];
        faults.find(message, "only `declare` differs between its versions", &key);
    }
    let distro = one.spec.as_ref().and_then(|spec| spec.upstream_distro.as_ref());
    if scope == Scope::Component && distro.is_some_and(|distro| distro.snapshot.is_some()) {
        faults.find(
            "a component has no snapshot of its own",
            "pin it by `upstream-commit`; snapshots stand in the defaults of a distribution version or a group",
            &["spec", "upstream-distro", "snapshot"],
        );
    }
}

/// What is out of the ordinary says why.
fn reasons(one: &Component, faults: &mut Faults<'_>) {
    let check = one.build.as_ref().and_then(|build| build.check.as_ref());
    if check.is_some_and(|check| check.skip == Some(true) && is_blank(check.skip_reason.as_deref())) {
        let key = ["build", "check", "skip"];
        faults.find("`check.skip` needs a reason", "add `skip_reason = \"…\"`", &key);
    }
    let failure = one.build.as_ref().and_then(|build| build.failure.as_ref());
    if failure.is_some_and(|one| one.expected == Some(true) && is_blank(one.expected_reason.as_deref())) {
        let key = ["build", "failure", "expected"];
        faults.find(
            "`failure.expected` needs a reason",
            "add `expected-reason = \"…\"`",
            &key,
        );
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

fn source_files(files: &[SourceFile], faults: &mut Faults<'_>) {
    for (index, file) in files.iter().enumerate() {
        let number = index.to_string();
        let at = |part: &'static str| ["source-files", &number, part].map(str::to_owned);
        let mut find = |message: String, help: &str, part: &'static str| {
            let key = at(part);
            let key: Vec<&str> = key.iter().map(String::as_str).collect();
            faults.find(message, help, &key);
        };
        if files[..index].iter().any(|other| other.filename == file.filename) {
            let message = format!("source file `{}` stands twice", file.filename);
            find(message, "each file has one entry", "filename");
        }
        match (&file.hash, file.hash_type) {
            (Some(_), None) => find(
                "`hash` needs a `hash-type`".to_owned(),
                "add `hash-type = \"SHA512\"`",
                "hash",
            ),
            (Some(hash), Some(kind)) => {
                let (name, digits) = match kind {
                    HashType::Sha256 => ("SHA256", 64),
                    HashType::Sha512 => ("SHA512", 128),
                };
                let given = hash.as_str().len();
                if given != digits {
                    let message =
                        format!("a digest of type {name} has {digits} digits, and this one {given}");
                    find(message, "leave `hash` out to have it computed", "hash");
                }
            }
            (None, _) => {}
        }
        match (
            file.replace_upstream == Some(true),
            is_blank(file.replace_reason.as_deref()),
        ) {
            (true, true) => {
                let message = "`replace-upstream` needs a reason".to_owned();
                find(message, "add `replace-reason = \"…\"`", "replace-upstream");
            }
            (false, false) => {
                let message = "`replace-reason` is for `replace-upstream = true`".to_owned();
                find(
                    message,
                    "say that it replaces, or leave the reason out",
                    "replace-reason",
                );
            }
            _ => {}
        }
        if let Some((message, help)) = file.origin.as_ref().and_then(|one| origin(one, file)) {
            find(message.to_owned(), help, "origin");
        }
    }
}

/// What is wrong with the origin of a source file.
fn origin(one: &Origin, file: &SourceFile) -> Option<(&'static str, &'static str)> {
    foreign_key(one).or_else(|| missing_key(one, file))
}

/// A key that is for another kind of origin.
fn foreign_key(one: &Origin) -> Option<(&'static str, &'static str)> {
    use OriginType::{Crate, Custom, DebianSource, Download};
    let script = one.script.is_some()
        || !one.packages.is_empty()
        || !one.mock_packages.is_empty()
        || !one.inputs.is_empty();
    let keys: [(bool, &[OriginType], &'static str); 5] = [
        (
            script,
            &[Custom],
            "`script`, `packages` and `inputs` are for an origin of type `custom`",
        ),
        (
            one.uri.is_some(),
            &[Download],
            "`uri` is for an origin of type `download`",
        ),
        (
            one.package.is_some() || one.archive_filename.is_some(),
            &[DebianSource],
            "`package` and `archive-filename` are for an origin of type `debian-source`",
        ),
        (
            one.name.is_some() || one.part.is_some(),
            &[Crate],
            "`name` and `part` are for an origin of type `crate`",
        ),
        (
            one.version.is_some(),
            &[DebianSource, Crate],
            "`version` is for an origin of type `debian-source` or `crate`",
        ),
    ];
    let found = keys
        .into_iter()
        .find(|(given, kinds, _)| *given && !kinds.contains(&one.kind));
    found.map(|(_, _, message)| (message, "leave that out, or change the `type`"))
}

/// A key that this kind of origin needs.
fn missing_key(one: &Origin, file: &SourceFile) -> Option<(&'static str, &'static str)> {
    match one.kind {
        OriginType::Download if is_blank(one.uri.as_deref()) => Some((
            "an origin of type `download` needs a `uri`",
            "add `uri = \"https://…\"`",
        )),
        OriginType::Custom if one.script.is_none() => Some((
            "an origin of type `custom` needs a `script`",
            "add `script = \"…\"`, a path relative to this file",
        )),
        OriginType::Overlay if file.replace_upstream != Some(true) => Some((
            "an origin of type `overlay` is an archive of the upstream that overlays change",
            "add `replace-upstream = true` and `replace-reason = \"…\"`",
        )),
        OriginType::DebianSource if one.package.is_none() => Some((
            "an origin of type `debian-source` needs a `package`",
            "add `package = \"…\"`, the name of the source package in the archive",
        )),
        OriginType::Crate if one.name.is_none() || one.version.is_none() => Some((
            "an origin of type `crate` needs a `name` and a `version`",
            "add `name = \"…\", version = \"…\"`, as the registry has them",
        )),
        OriginType::Crate
            if one.part != Some(CratePart::Lock) && TarballCompression::of_name(&file.filename).is_none() =>
        {
            Some((
                "the name of this file does not say how the tarball of the crate is compressed",
                "end `filename` in `.tar.zst`, `.tar.gz`, `.tgz` or `.crate`",
            ))
        }
        _ => None,
    }
}

/// The placeholder is for the project's entries, where it stands once, as a folder, after plain folders.
fn overlay_files(one: &Component, scope: Scope, faults: &mut Faults<'_>) {
    let entries = one
        .overlay_files
        .iter()
        .flat_map(|files| files.iter().enumerate());
    for (index, file) in entries.filter(|(_, file)| file.as_str().contains(COMPONENT_PLACEHOLDER)) {
        let index = index.to_string();
        let key = ["overlay-files", &index];
        if scope != Scope::Project {
            let message = format!("`{COMPONENT_PLACEHOLDER}` is for the `overlay-files` of the project");
            let help = "write a path or glob, or move it to [default-component-config] at the top of a file";
            faults.find(message, help, &key);
            continue;
        }
        let segments: Vec<&str> = file.as_str().split('/').collect();
        let once = file.as_str().matches(COMPONENT_PLACEHOLDER).count() == 1;
        let whole = segments
            .iter()
            .position(|segment| *segment == COMPONENT_PLACEHOLDER);
        let fits =
            |at: usize| at + 1 < segments.len() && !segments[..at].concat().contains(['*', '?', '[', '{']);
        if !(once && whole.is_some_and(fits)) {
            let message = format!(
                "`{}` does not have `{COMPONENT_PLACEHOLDER}` once, as a folder after plain folders",
                file.as_str()
            );
            faults.find(
                message,
                "write it as in `components/{component}/overlays/*.overlay.toml`",
                &key,
            );
        }
    }
}

fn publish(one: &Component, faults: &mut Faults<'_>) {
    if let Some(publish) = &one.publish {
        let channels = [
            ("rpm-channel", &publish.rpm_channel),
            ("srpm-channel", &publish.srpm_channel),
            ("debuginfo-channel", &publish.debuginfo_channel),
        ];
        for (name, value) in channels {
            channel(
                value.as_deref(),
                &[faults.key, &["publish", name]].concat(),
                faults.found,
            );
        }
    }
    for (name, package) in &one.packages {
        super::package(
            package,
            &[faults.key, &["packages", name.as_str()]].concat(),
            faults.found,
        );
    }
    if let Some(default) = &one.default_package_config {
        super::package(
            default,
            &[faults.key, &["default-package-config"]].concat(),
            faults.found,
        );
    }
}
