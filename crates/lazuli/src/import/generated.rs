//! Packages that are made from the catalog: the release package, and programs of this project.

use super::settings::Common;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_catalog::value::DependencyText;
use lazuli_catalog::{GenerateSource, Generated, ResolvedComponent};
use lazuli_import::{GeneratedPackage, Imported, generate};
use lazuli_rpm::{Dependency, Evr};
use std::path::PathBuf;

/// Where hosts find the keys of the distribution.
const KEY_FOLDER: &str = "/etc/pki/rpm-gpg";

/// Makes the package of a component with `generate`.
pub fn make(
    workspace: &Workspace,
    component: &ResolvedComponent,
    source: &GenerateSource,
    common: &Common,
    time: u64,
) -> Result<Imported> {
    let settings = common.of(component)?;
    let (files, default_version) = match &source.kind {
        Generated::Release => (
            release_files(workspace)?,
            workspace.distro.release_version.clone(),
        ),
        Generated::Program { name, path } => {
            let file = program_file(name.as_str())?;
            let content = std::fs::read(&file).or_fail(Kind::Environment)?;
            (
                vec![(path.to_string(), 0o755, content)],
                env!("CARGO_PKG_VERSION").to_owned(),
            )
        }
        Generated::Declared => (Vec::new(), workspace.distro.release_version.clone()),
    };
    let version = source.version.clone().unwrap_or(default_version);
    let arch = match (&source.architecture, &source.kind) {
        (Some(architecture), _) => architecture.to_string(),
        (None, Generated::Program { .. }) => workspace.architecture.to_string(),
        (None, _) => "noarch".to_owned(),
    };
    let package = GeneratedPackage {
        name: component.name.to_string(),
        evr: Evr::parse(&format!("{version}-{}", source.release)).or_fail(Kind::Project)?,
        arch,
        summary: source.summary.clone(),
        description: source.description.clone(),
        license: source.license.clone(),
        url: source.url.clone().unwrap_or_default(),
        requires: dependencies(&source.requires)?,
        recommends: dependencies(&source.recommends)?,
        provides: dependencies(&source.provides)?,
        conflicts: dependencies(&source.conflicts)?,
        obsoletes: dependencies(&source.obsoletes)?,
        files,
        time: u32::try_from(time).or_fail(Kind::Project)?,
    };
    generate(&package, &settings).or_fail(Kind::Project)
}

fn dependencies(texts: &[DependencyText]) -> Result<Vec<Dependency>> {
    texts
        .iter()
        .map(|text| Dependency::parse(text.as_str()).or_fail(Kind::Project))
        .collect()
}

/// A program of this project: it is built beside this one.
fn program_file(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().or_fail(Kind::Environment)?;
    let beside = own.with_file_name(name);
    // A test runs from a folder below that of the programs.
    let above = own
        .parent()
        .and_then(|folder| folder.parent())
        .map(|folder| folder.join(name));
    [Some(beside.clone()), above]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Failure::message(
                Kind::Environment,
                format!(
                    "the program `{name}` is not built: {} is missing",
                    beside.display()
                ),
            )
            .hint("run `cargo build --release`")
        })
}

/// What is the same in no two distributions: os-release(5), the repository, the public key.
fn release_files(workspace: &Workspace) -> Result<Vec<(String, u16, Vec<u8>)>> {
    let release = &workspace.distro.release;
    let key = format!("{KEY_FOLDER}/RPM-GPG-KEY-{}", release.id);
    let mut files = vec![
        (
            "/usr/lib/os-release".to_owned(),
            0o644,
            os_release(workspace).into_bytes(),
        ),
        (
            key.clone(),
            0o644,
            workspace.signing_key()?.certificate()?.into_bytes(),
        ),
    ];
    if let Some(url) = &release.repository_url {
        let text = format!(
            "# Packages of {name}. Metadata and packages are signed; nothing else is trusted.\n\
             [{id}]\nname={name} $releasever - $basearch\nbaseurl={url}\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n\
             gpgkey=file://{key}\n",
            name = release.name,
            id = release.id
        );
        files.push((
            format!("/etc/yum.repos.d/{}.repo", release.id),
            0o644,
            text.into_bytes(),
        ));
    }
    Ok(files)
}

/// os-release(5). Values are quoted where a shell would need it.
fn os_release(workspace: &Workspace) -> String {
    let (distro, release) = (&workspace.distro, &workspace.distro.release);
    let version = &distro.release_version;
    let mut text = String::new();
    let mut put = |key: &str, value: &str| {
        let plain = value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let quoted = value.replace(['\\', '"', '$', '`'], "");
        text += &if plain {
            format!("{key}={value}\n")
        } else {
            format!("{key}=\"{quoted}\"\n")
        };
    };
    put("NAME", &release.name);
    put("ID", &release.id);
    if !release.id_like.is_empty() {
        put("ID_LIKE", &release.id_like.join(" "));
    }
    put("VERSION_ID", version);
    let codename = distro.codename.as_deref();
    put(
        "VERSION",
        &codename.map_or(version.clone(), |codename| format!("{version} ({codename})")),
    );
    put("PRETTY_NAME", &distro.pretty_name());
    let optional = [
        ("VERSION_CODENAME", codename),
        ("VENDOR_NAME", release.vendor_name.as_deref()),
        ("VENDOR_URL", release.vendor_url.as_deref()),
        ("HOME_URL", release.home_url.as_deref()),
        ("DOCUMENTATION_URL", release.documentation_url.as_deref()),
        ("SUPPORT_URL", release.support_url.as_deref()),
        ("BUG_REPORT_URL", release.bug_report_url.as_deref()),
        ("SUPPORT_END", distro.support_end.as_deref()),
        ("ANSI_COLOR", release.ansi_color.as_deref()),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            put(key, value);
        }
    }
    put("PLATFORM_ID", &format!("platform:{}{version}", release.id));
    text
}
