//! Whole projects: the annotated example of every key, and one that was written for azldev.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod keys;

use std::collections::BTreeSet;
use std::path::Path;

use expect_test::{expect, expect_file};
use lazuli_catalog::{
    Architecture, Catalog, ComponentName, DistroVersion, Error, ImageName, PackageName, Source,
};

// Tests run in the crate's folder, so that these paths, and those in messages, are the same on every machine.
const COMPLETE: &str = "tests/fixtures/complete";
const AZLDEV: &str = "tests/fixtures/azldev";

fn load(path: &str) -> Catalog {
    Catalog::load(Path::new(path)).unwrap_or_else(|error| panic!("{error}"))
}

fn version(text: &str) -> DistroVersion {
    DistroVersion::new(text).unwrap()
}

fn component(name: &str) -> ComponentName {
    ComponentName::new(name).unwrap()
}

#[test]
fn complete_project_resolves_as_documented() {
    let catalog = load(&format!("{COMPLETE}/components"));
    let distro = catalog.distro(None).unwrap();
    let mut text = format!("{:#?}\n{distro:#?}\n", catalog.project());
    for name in [
        "bash",
        "lazuli-hardening",
        "lazuli-release",
        "lz",
        "openssh-server",
    ] {
        let resolved = catalog.component(&component(name), &distro).unwrap();
        let (source, declare, layers) = (&resolved.source, &resolved.declare, &resolved.layers);
        text.push_str(&format!("{name}: {layers:?}\n{source:#?}\n{declare:#?}\n"));
    }
    let image = catalog
        .image(&ImageName::new("server").unwrap(), &distro, Architecture::X86_64)
        .unwrap();
    text.push_str(&format!("{image:#?}\n"));
    expect_file!["fixtures/complete.expected"].assert_eq(&text);
}

#[test]
fn components_are_in_some_versions_and_architectures_only() {
    let catalog = load(COMPLETE);
    let names = |number: &str, architecture| {
        let distro = catalog.distro(Some(&version(number))).unwrap();
        let names: Vec<String> = catalog
            .component_names(&distro, architecture)
            .map(ToString::to_string)
            .collect();
        names
            .into_iter()
            .filter(|name| name.starts_with("libssl") || name.starts_with("grub"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("1", Architecture::X86_64),
        ["grub-efi-amd64-bin", "libssl3"]
    );
    assert_eq!(
        names("2", Architecture::X86_64),
        ["grub-efi-amd64-bin", "libssl3t64"]
    );
    assert_eq!(names("2", Architecture::Aarch64), ["libssl3t64"]);

    let previous = catalog.distro(Some(&version("1"))).unwrap();
    let image = catalog
        .image(
            &ImageName::new("server").unwrap(),
            &previous,
            Architecture::X86_64,
        )
        .unwrap();
    let packages: Vec<&str> = image.packages.iter().map(PackageName::as_str).collect();
    assert_eq!(
        packages,
        [
            "bash",
            "lazuli-release",
            "libssl3",
            "linux-image-cloud-amd64",
            "lz",
            "openssh-server"
        ],
        "what is not in the version is left out, what the image extends is in"
    );
    let error = catalog
        .component(&component("libssl3t64"), &previous)
        .unwrap_err();
    assert!(matches!(error, Error::NotInVersion { .. }), "{error}");
}

#[test]
fn a_version_adds_to_what_holds_in_all() {
    let catalog = load(COMPLETE);
    let of = |number: &str| {
        let distro = catalog.distro(Some(&version(number))).unwrap();
        let resolved = catalog.component(&component("openssh-server"), &distro).unwrap();
        let lazuli_catalog::Source::Import(import) = &resolved.source else {
            panic!("it is imported");
        };
        (import.reviewed.len(), resolved.declare.symlinks.len())
    };
    assert_eq!(of("2"), (1, 1));
    assert_eq!(of("1"), (2, 2));
}

#[test]
fn imports_are_found_by_name_and_then_by_pattern() {
    let catalog = load(COMPLETE);
    let distro = catalog.distro(None).unwrap();
    let imports = catalog.imports(&distro, Architecture::X86_64).unwrap();
    let by = |name: &str| {
        imports
            .get(&PackageName::new(name).unwrap())
            .first()
            .map(|one| one.name.to_string())
    };
    assert_eq!(by("bash").as_deref(), Some("bash"));
    assert_eq!(
        by("linux-image-6.12.48+deb13-cloud-amd64").as_deref(),
        Some("linux-image")
    );
    assert_eq!(by("zsh"), None);
    assert_eq!(by("lz"), None, "what is generated is not imported");

    // A package without a component still has what all inherit.
    let plain = catalog
        .undefined_component(&PackageName::new("zsh").unwrap(), &distro)
        .unwrap();
    let Source::Import(import) = &plain.source else {
        panic!("not imported: {plain:?}")
    };
    assert!(
        import
            .drop_requires
            .iter()
            .any(|pattern| pattern.matches("perl-base"))
    );
    let keeps = import.file_filter();
    assert!(keeps("/usr/bin/zsh"));
    assert!(!keeps("/usr/share/lintian/overrides/zsh"));
    assert!(!keeps("/usr/share/doc/zsh/README.Debian.gz"));
}

#[test]
fn azldev_project_loads_unchanged() {
    let catalog = load(&format!("{AZLDEV}/base/comps/bash"));
    assert_eq!(
        catalog.root_file(),
        Path::new("tests/fixtures/azldev/azldev.toml")
    );
    let files: Vec<String> = catalog
        .files()
        .map(|path| path.strip_prefix(AZLDEV).unwrap().display().to_string())
        .collect();
    expect![[r#"
        azldev.toml
        distro/distro.toml
        distro/examplelinux.distro.toml
        distro/upstream.distro.toml
        base/project.toml
        base/comps/components.toml
        base/comps/bash/bash.comp.toml
        base/comps/custom-tool/custom-tool.comp.toml
        base/comps/grep-classic/grep-classic.comp.toml
        base/comps/kernel/kernel.comp.toml
        base/comps/zlib-ng/zlib-ng.comp.toml
        base/images/images.toml
        base/tests/tests.toml"#]]
    .assert_eq(&files.join("\n"));

    let distro = catalog.distro(None).unwrap();
    assert_eq!(distro.release_version, "4.0");
    assert_eq!(distro.description.as_deref(), Some("Example Linux 4.0"));
    let components = catalog.components(&distro, Architecture::X86_64).unwrap();
    let mut text = String::new();
    for one in &components {
        let layers: Vec<String> = one.layers.iter().map(ToString::to_string).collect();
        text.push_str(&format!(
            "{} [{}]\n  {:?}\n  {:?}\n",
            one.name,
            layers.join("; "),
            one.source,
            one.build
        ));
        for file in &one.source_files {
            text.push_str(&format!("  {file:?}\n"));
        }
    }
    expect_file!["fixtures/azldev.expected"].assert_eq(&text);
}

#[test]
fn inheritance_appends_lists_and_overrides_values() {
    let catalog = load(AZLDEV);
    let distro = catalog.distro(None).unwrap();
    let curl = catalog.component(&component("curl"), &distro).unwrap();
    let build = curl.config.build.unwrap();
    assert_eq!(build.with, ["first"]);
    let defines: Vec<(&str, &str)> = build
        .defines
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        defines,
        [("early", "1"), ("network", "1")],
        "groups follow each other in alphabetical order"
    );

    let bash = catalog.component(&component("bash"), &distro).unwrap();
    assert_eq!(bash.config.build.unwrap().with, ["first", "as_sh"]);
    let files = bash.config.overlay_files.unwrap();
    assert_eq!(files.len(), 1, "overlay-files are replaced");
    assert_eq!(
        files[0].resolve(),
        Path::new("tests/fixtures/azldev/base/comps/bash/overlays/*.overlay.toml")
    );
    let kernel = catalog.component(&component("kernel"), &distro).unwrap();
    assert!(
        kernel.config.overlay_files.unwrap().is_empty(),
        "an empty list turns inherited ones off"
    );
    let inherited = curl.config.overlay_files.unwrap();
    assert_eq!(inherited[0].as_str(), "comps/{component}/overlays/*.overlay.toml");
}

#[test]
fn all_seventeen_overlays_have_a_typed_form() {
    let catalog = load(AZLDEV);
    let bash = &catalog.config().components["bash"];
    let kinds: BTreeSet<&str> = bash.overlays.iter().map(|one| one.kind.name()).collect();
    assert_eq!(kinds.len(), 17);
    let metadata = || bash.overlays.iter().filter_map(|one| one.metadata.as_ref());
    let categories: BTreeSet<String> = metadata().map(|one| format!("{:?}", one.category)).collect();
    assert_eq!(categories.len(), 12, "ten categories and two older names");
    let statuses: BTreeSet<String> = metadata()
        .filter_map(|one| one.upstream_status)
        .map(|one| format!("{one:?}"))
        .collect();
    assert_eq!(statuses.len(), 5);

    let distro = catalog.distro(None).unwrap();
    let mut text = String::new();
    for name in ["bash", "my-driver-6-12-gcc13", "sed", "zlib-ng"] {
        let resolved = catalog.component(&component(name), &distro).unwrap();
        text.push_str(&format!("{name}:\n"));
        for one in &resolved.overlays {
            let category = one.metadata.as_ref().and_then(|metadata| metadata.category);
            text.push_str(&format!(
                "  {} ({}) {category:?}\n    {:?}\n",
                one.place, one.layer, one.action
            ));
        }
    }
    expect_file!["fixtures/overlays.expected"].assert_eq(&text);
}

/// The commit that `zlib-ng` names is the one that a test makes of the fixture's upstream, as its README says.
#[test]
fn the_pinned_commit_is_that_of_the_upstream() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(["AUTHOR", "COMMITTER"].iter().flat_map(|role| {
                [
                    (format!("GIT_{role}_NAME"), "Upstream"),
                    (format!("GIT_{role}_EMAIL"), "upstream@example.com"),
                    (format!("GIT_{role}_DATE"), "2026-01-02T03:04:05+0000"),
                ]
            }))
            .output()?;
        Ok::<_, std::io::Error>(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    if git(&["init", "-q"]).is_err() {
        println!("SKIPPED: git is not here");
        return;
    }
    let spec = "tests/fixtures/azldev-upstream/zlib-ng/zlib-ng.spec";
    std::fs::copy(spec, folder.path().join("zlib-ng.spec")).unwrap();
    for arguments in [["add", "."].as_slice(), &["commit", "-q", "-m", "Import"]] {
        git(arguments).unwrap();
    }
    let catalog = load(AZLDEV);
    let zlib = catalog
        .component(&component("zlib-ng"), &catalog.distro(None).unwrap())
        .unwrap();
    let Source::Spec(lazuli_catalog::SpecSource::Upstream {
        commit: Some(commit), ..
    }) = zlib.source
    else {
        panic!("{zlib:?}")
    };
    assert_eq!(git(&["rev-parse", "HEAD"]).unwrap(), commit.as_str());
}

#[test]
fn every_key_of_the_schema_is_in_the_fixtures() {
    let mut used = keys::Used::default();
    for root in [COMPLETE, AZLDEV] {
        for file in load(root).files() {
            used.read(&std::fs::read_to_string(file).unwrap());
        }
    }
    // Alternatives of keys that the fixtures do have.
    let expected_missing = ["RootPartition.size"];
    assert_eq!(used.missing(), expected_missing);
}
