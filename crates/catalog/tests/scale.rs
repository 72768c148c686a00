//! A project as large as Azure Linux's: everything in it is found, and is where it should be.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use lazuli_catalog::{Architecture, Catalog, ComponentName, ComponentSelector};

/// One-liners in lists of several sizes, components with a file of their own, and some with overlay files.
const PLAIN: usize = 7_382;
const LISTS: usize = 200;
const OWN_FILE: usize = 201;
const OVERLAY_FILES: usize = 30;
/// Folders with overlays that no entry names.
const DISCOVERED: usize = 5;

const ROOT: &str = r#"
includes = ["base/components.toml"]
project = { default-distro = { name = "x" } }
[default-component-config]
overlay-files = ["base/{component}/overlays/*.overlay.toml"]
[distros.x]
default-version = "1"
[distros.x.versions.1]
release-ver = "1"
default-component-config = { spec = { type = "upstream", upstream-distro = { name = "x", snapshot = "2026-01-01T00:00:00Z" } } }
[component-groups.even]
components = ["plain-0", "plain-2", "own-4"]
default-component-config = { build = { with = ["even"] } }
"#;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn generate(root: &Path) {
    write(root, "lazuli.toml", ROOT);
    write(
        root,
        "base/components.toml",
        "includes = [\"**/*.comp.toml\", \"lists/*.toml\"]\n",
    );
    let mut lists = vec![String::new(); LISTS];
    for index in 0..PLAIN {
        // The square spreads them unevenly: some lists have hundreds, some a few.
        writeln!(
            lists[index * index % 7 * index % LISTS],
            "[components.plain-{index}]"
        )
        .unwrap();
    }
    for (index, list) in lists.iter().enumerate() {
        write(root, &format!("base/lists/{index}.toml"), list);
    }
    let overlay = "metadata = { category = 'azl-pruning' }\n[[overlays]]\ntype = 'spec-remove-section'\nsection = '%check'\n";
    for index in 0..OWN_FILE {
        let text = format!(
            "[components.own-{index}]\nspec = {{ type = 'upstream', upstream-name = 'other-{index}' }}\n[[components.own-{index}.overlays]]\ntype = 'spec-search-replace'\nregex = 'x{index}\\s+'\n"
        );
        write(root, &format!("base/own-{index}/own-{index}.comp.toml"), &text);
        if index < OVERLAY_FILES {
            write(
                root,
                &format!("base/own-{index}/overlays/1.overlay.toml"),
                overlay,
            );
        }
    }
    for index in 0..DISCOVERED {
        write(
            root,
            &format!("base/found-{index}/overlays/1.overlay.toml"),
            overlay,
        );
    }
}

#[test]
fn thousands_of_components_load_and_resolve() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    generate(root);
    let catalog = Catalog::load(&root.join("base/own-7/overlays")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(catalog.files().count(), 2 + LISTS + OWN_FILE);
    assert_eq!(catalog.overlay_files().count(), OVERLAY_FILES + DISCOVERED);
    let distro = catalog.distro(None).unwrap();
    let components = catalog.components(&distro, Architecture::X86_64).unwrap();
    assert_eq!(components.len(), PLAIN + OWN_FILE + DISCOVERED);
    let names: BTreeSet<&ComponentName> = components.iter().map(|one| &one.name).collect();
    assert_eq!(names.len(), components.len());
    for component in &components {
        let (kind, index) = component.name.as_str().split_once('-').unwrap();
        let index: usize = index.parse().unwrap();
        let overlays = match kind {
            "own" => 1 + usize::from(index < OVERLAY_FILES),
            "found" => 1,
            _ => 0,
        };
        assert_eq!(component.overlays.len(), overlays, "{}", component.name);
        let groups = usize::from(matches!(component.name.as_str(), "plain-0" | "plain-2" | "own-4"));
        assert_eq!(component.build.with.len(), groups);
        let folder = component.file.parent().unwrap();
        let expected = match kind {
            "own" => root.join("base").join(component.name.as_str()),
            "found" => root.to_owned(),
            _ => root.join("base/lists"),
        };
        assert_eq!(folder, expected);
    }
    let select = |text: &str| {
        let selector = ComponentSelector::parse(text).unwrap();
        catalog
            .select(&[selector], &distro, Architecture::X86_64)
            .unwrap()
            .len()
    };
    assert_eq!(select("own-*"), OWN_FILE);
    assert_eq!(select("@even"), 3);
    assert_eq!(select(&format!("{}/base/own-12", root.display())), 1);
    let explained = catalog
        .explain(&ComponentName::new("plain-77").unwrap(), &distro)
        .unwrap();
    assert_eq!(explained.len(), 4, "{explained:?}");
}
