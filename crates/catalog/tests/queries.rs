//! Which components are meant, and where their values come from.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use expect_test::{expect, expect_file};
use lazuli_catalog::{Architecture, Catalog, ComponentName, ComponentSelector};

fn load(path: &str) -> Catalog {
    Catalog::load(Path::new(path)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn selectors_find_components() {
    let catalog = load("tests/fixtures/azldev");
    let distro = catalog.distro(None).unwrap();
    let comps = "tests/fixtures/azldev/base/comps";
    for (selectors, expected) in [
        ("bash", "bash"),
        ("*lib*", "libstdc++ zlib-ng"),
        ("sed bash sed", "bash sed"),
        ("@networking", "curl"),
        ("@an-earlier-one kernel", "bash curl kernel"),
        ("@local-packages", "greet hello"),
        ("my-driver-*gcc14", "my-driver-6-12-gcc14 my-driver-6-6-gcc14"),
        ("COMPS/custom-tool/custom-tool.spec", "custom-tool"),
        ("COMPS/bash", "bash"),
        ("COMPS/bash/bash.comp.toml", "bash"),
        ("COMPS/bash/overlays/0001-backport.overlay.toml", "bash"),
        ("COMPS/./kernel/../bash/", "bash"),
        ("COMPS/../../specs/local/hello/hello.spec", "hello"),
        ("COMPS/../specs/b/bash/bash.spec", "bash"),
        ("COMPS/../specs/s/sed", "sed"),
        (
            "COMPS",
            "there is no component of path `tests/fixtures/azldev/base/comps` in tests/fixtures/azldev/azldev.toml",
        ),
        (
            "COMPS/my-driver.spec",
            "there is no component of path `tests/fixtures/azldev/base/comps/my-driver.spec` in tests/fixtures/azldev/azldev.toml",
        ),
        (
            "bsah",
            "there is no component `bsah` in tests/fixtures/azldev/azldev.toml; did you mean `bash`?",
        ),
        (
            "x*",
            "there is no component that matches `x*` in tests/fixtures/azldev/azldev.toml",
        ),
        (
            "@networkin",
            "there is no component group `networkin` in tests/fixtures/azldev/azldev.toml; did you mean `networking`?",
        ),
    ] {
        let parsed: Vec<ComponentSelector> = selectors
            .split(' ')
            .map(|one| ComponentSelector::parse(&one.replace("COMPS", comps)).unwrap())
            .collect();
        let found = match catalog.select(&parsed, &distro, Architecture::X86_64) {
            Ok(names) => names
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => match error.help() {
                Some(help) => format!("{error}; {help}"),
                None => error.to_string(),
            },
        };
        assert_eq!(found, expected, "{selectors}");
    }
    let all = catalog
        .select(&[ComponentSelector::All], &distro, Architecture::X86_64)
        .unwrap();
    assert_eq!(
        all.len(),
        catalog.component_names(&distro, Architecture::X86_64).count()
    );
    assert!(ComponentSelector::parse("a b").is_err());
}

#[test]
fn folders_of_rendered_specs_and_locks_are_known() {
    let catalog = load("tests/fixtures/azldev");
    let name = ComponentName::new("Xorg-x11").unwrap();
    assert_eq!(
        catalog.rendered_spec_dir(&name).as_deref(),
        Some(Path::new("tests/fixtures/azldev/base/specs/x/Xorg-x11"))
    );
    assert_eq!(
        catalog.component_lock_path(&name),
        Path::new("tests/fixtures/azldev/base/locks/Xorg-x11.lock")
    );
}

#[test]
fn values_are_explained_by_file_and_line() {
    let mut text = String::new();
    for (project, names) in [
        (
            "tests/fixtures/azldev",
            vec!["bash", "curl", "greet", "my-driver-6-12-gcc13"],
        ),
        ("tests/fixtures/complete", vec!["openssh-server"]),
    ] {
        let catalog = load(project);
        let distro = catalog.distro(None).unwrap();
        for name in names {
            text.push_str(&format!("{name}\n"));
            for one in catalog
                .explain(&ComponentName::new(name).unwrap(), &distro)
                .unwrap()
            {
                let at = |location: &lazuli_catalog::Location| {
                    format!("{}:{}", location.file.display(), location.line)
                };
                text.push_str(&format!(
                    "  {} = {}\n    {} ({})\n",
                    one.key,
                    one.value,
                    at(&one.location),
                    one.layer
                ));
                for other in &one.overridden {
                    text.push_str(&format!(
                        "    instead of {} at {} ({})\n",
                        other.value,
                        at(&other.location),
                        other.layer
                    ));
                }
            }
        }
    }
    expect_file!["fixtures/explained.expected"].assert_eq(&text);
}

/// What is explained is what is in effect: put together again, the values are the merged configuration.
#[test]
fn explained_values_are_the_effective_ones() {
    let mut checked = 0;
    for project in ["tests/fixtures/azldev", "tests/fixtures/complete", "../../distro"] {
        let catalog = load(project);
        for version in catalog
            .config()
            .distros
            .values()
            .flat_map(|distro| distro.versions.keys())
            .cloned()
            .collect::<Vec<_>>()
        {
            let Ok(distro) = catalog.distro(Some(&version)) else {
                continue;
            };
            let Ok(components) = catalog.components(&distro, Architecture::X86_64) else {
                continue;
            };
            for component in components {
                let explained = catalog.explain(&component.name, &distro).unwrap();
                let inline = component.config.overlays.len();
                let mut config = component.config.clone();
                config.overlays.truncate(inline);
                let expected = clean(toml::Value::try_from(&config).unwrap());
                let mut lists: std::collections::BTreeMap<String, Vec<String>> = Default::default();
                let mut text = String::new();
                for one in &explained {
                    match one.key.rsplit_once('[').filter(|_| one.key.ends_with(']')) {
                        Some(("overlays", index))
                            if index.trim_end_matches(']').parse::<usize>().unwrap() >= inline => {}
                        Some((list, _)) => lists.entry(list.to_owned()).or_default().push(one.value.clone()),
                        None => text.push_str(&format!("{} = {}\n", one.key, one.value)),
                    }
                }
                for (list, values) in lists {
                    text.push_str(&format!("{list} = [{}]\n", values.join(", ")));
                }
                let found: toml::Table =
                    toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
                assert_eq!(
                    clean(toml::Value::Table(found)),
                    expected,
                    "{project} {}",
                    component.name
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

/// Without empty tables and lists, and with paths as they are written.
fn clean(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Table(table) => {
            let kept = table.into_iter().map(|(key, value)| (key, clean(value)));
            toml::Value::Table(kept.filter(|(_, value)| !is_empty(value)).collect())
        }
        toml::Value::Array(items) => toml::Value::Array(items.into_iter().map(clean).collect()),
        other => other,
    }
}

fn is_empty(value: &toml::Value) -> bool {
    value.as_table().is_some_and(toml::Table::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[test]
fn places_lead_to_their_text() {
    let catalog = load("tests/fixtures/azldev");
    let distro = catalog.distro(None).unwrap();
    let bash = catalog
        .component(&ComponentName::new("bash").unwrap(), &distro)
        .unwrap();
    let location = catalog.locate_place(&bash.overlays.last().unwrap().place);
    expect!["tests/fixtures/azldev/base/comps/bash/overlays/0002-branding.overlay.toml:4 [[overlays]]"]
        .assert_eq(&format!(
            "{}:{} {}",
            location.file.display(),
            location.line,
            location.text
        ));
    for overlay in &bash.overlays {
        let location = catalog.locate_place(&overlay.place);
        assert_eq!(location.line, overlay.place.line);
        assert_eq!(
            location.text.trim(),
            if location.file.ends_with("bash.comp.toml") {
                "[[components.bash.overlays]]"
            } else {
                "[[overlays]]"
            }
        );
    }
}
