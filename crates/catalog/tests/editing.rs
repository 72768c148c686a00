//! Adding components to files: the file, the place in it, and that all else stays.
#![allow(clippy::unwrap_used)]

mod memory;

use std::path::Path;

use expect_test::{Expect, expect};
use lazuli_catalog::schema::{Component, Spec, SpecType};
use lazuli_catalog::{Catalog, ComponentName, NewComponent, add_component};
use proptest::prelude::*;

use memory::memory;

fn name(text: &str) -> ComponentName {
    ComponentName::new(text).unwrap()
}

fn pinned() -> NewComponent {
    let spec = Spec {
        kind: Some(SpecType::Upstream),
        upstream_commit: Some(lazuli_catalog::CommitId::new("0123456789").unwrap()),
        ..Spec::default()
    };
    NewComponent::new(&Component {
        spec: Some(spec),
        ..Component::default()
    })
    .unwrap()
}

/// Adds `new`, with a pin if `entry` says so, and shows the file with `$` at the end of lines that end in a blank.
fn check(text: &str, new: &str, entry: &NewComponent, expected: Expect) {
    match add_component(text, &name(new), entry) {
        Ok(text) => expected.assert_eq(&text),
        Err(error) => expected.assert_eq(&error.to_string()),
    }
}

#[test]
fn a_list_of_one_liners_stays_one() {
    let text = "includes = [\"x.toml\"]\n\n# what we build\n[components.curl]\n[components.\"libstdc++\"]\n[components.zsh]\n\n[images.x]\n";
    check(
        text,
        "git",
        &NewComponent::plain(),
        expect![[r#"
        includes = ["x.toml"]

        # what we build
        [components.curl]
        [components.git]
        [components."libstdc++"]
        [components.zsh]

        [images.x]
    "#]],
    );
    check(
        text,
        "ant",
        &NewComponent::plain(),
        expect![[r#"
            includes = ["x.toml"]

            # what we build
            [components.ant]
            [components.curl]
            [components."libstdc++"]
            [components.zsh]

            [images.x]
        "#]],
    );
    check(
        text,
        "zz++",
        &NewComponent::plain(),
        expect![[r#"
        includes = ["x.toml"]

        # what we build
        [components.curl]
        [components."libstdc++"]
        [components.zsh]
        [components."zz++"]

        [images.x]
    "#]],
    );
    check(
        text,
        "git",
        &pinned(),
        expect![[r#"
        includes = ["x.toml"]

        # what we build
        [components.curl]

        [components.git]
        spec = { type = "upstream", upstream-commit = "0123456789" }

        [components."libstdc++"]
        [components.zsh]

        [images.x]
    "#]],
    );
    check(
        text,
        "zsh",
        &NewComponent::plain(),
        expect!["component `zsh` is in line 6 of the file already"],
    );
}

#[test]
fn tables_keep_their_distance_and_their_comments() {
    let text = r#"[project]
description = "x"

# About bash.
[components.bash]
build = { with = [
  "a",
] }

[[components.bash.overlays]]
type = "file-add"
lines = ["""
[components.aaa]
"""]

# About zsh,
# in two lines.
[components.zsh]
# the end
"#;
    check(
        text,
        "curl",
        &pinned(),
        expect![[r#"
        [project]
        description = "x"

        # About bash.
        [components.bash]
        build = { with = [
          "a",
        ] }

        [[components.bash.overlays]]
        type = "file-add"
        lines = ["""
        [components.aaa]
        """]

        [components.curl]
        spec = { type = "upstream", upstream-commit = "0123456789" }

        # About zsh,
        # in two lines.
        [components.zsh]
        # the end
    "#]],
    );
    check(
        text,
        "ant",
        &pinned(),
        expect![[r#"
        [project]
        description = "x"

        [components.ant]
        spec = { type = "upstream", upstream-commit = "0123456789" }

        # About bash.
        [components.bash]
        build = { with = [
          "a",
        ] }

        [[components.bash.overlays]]
        type = "file-add"
        lines = ["""
        [components.aaa]
        """]

        # About zsh,
        # in two lines.
        [components.zsh]
        # the end
    "#]],
    );
    check(
        text,
        "zz",
        &NewComponent::plain(),
        expect![[r#"
        [project]
        description = "x"

        # About bash.
        [components.bash]
        build = { with = [
          "a",
        ] }

        [[components.bash.overlays]]
        type = "file-add"
        lines = ["""
        [components.aaa]
        """]

        # About zsh,
        # in two lines.
        [components.zsh]
        # the end

        [components.zz]
    "#]],
    );
}

#[test]
fn entries_of_one_table_get_another_line() {
    check(
        "[components]\n# first\nbash = {}\nzsh = { build = { with = [\n  \"x\",\n] } }\n",
        "curl",
        &pinned(),
        expect![[r#"
            [components]
            # first
            bash = {}
            curl = { spec = { type = "upstream", upstream-commit = "0123456789" } }
            zsh = { build = { with = [
              "x",
            ] } }
        "#]],
    );
    check(
        "[components]\n  bash = {}\n  zsh = { build = { with = [\n  \"x\",\n] } }",
        "zz",
        &NewComponent::plain(),
        expect![[r#"
            [components]
              bash = {}
              zsh = { build = { with = [
              "x",
            ] } }
              zz = {}
        "#]],
    );
    check(
        "components.bash.build.with = []\ncomponents.bash.versions = []\ncomponents.zsh = {}\n",
        "curl",
        &NewComponent::plain(),
        expect![[r#"
            components.bash.build.with = []
            components.bash.versions = []
            components.curl = {}
            components.zsh = {}
        "#]],
    );
    check(
        "[components]\nb = {}\n",
        "a",
        &NewComponent::plain(),
        expect![[r#"
        [components]
        a = {}
        b = {}
    "#]],
    );
    check(
        "components = { bash = {} }\n",
        "curl",
        &NewComponent::plain(),
        expect!["failed to add component `curl`: `components` of the file is one inline table"],
    );
}

#[test]
fn files_without_components_get_the_first() {
    check(
        "",
        "curl",
        &pinned(),
        expect![[r#"
        [components.curl]
        spec = { type = "upstream", upstream-commit = "0123456789" }
    "#]],
    );
    check(
        "[project]\ndescription = \"x\"",
        "curl",
        &NewComponent::plain(),
        expect![[r#"
            [project]
            description = "x"

            [components.curl]
        "#]],
    );
    check(
        "[components]\n",
        "curl",
        &NewComponent::plain(),
        expect![[r#"
        [components]

        [components.curl]
    "#]],
    );
    check(
        "[components\n",
        "curl",
        &NewComponent::plain(),
        expect!["failed to add component `curl`: the file is not TOML: unclosed table, expected `]`"],
    );
}

#[test]
fn line_ends_stay_what_they_are() {
    let text = "[components.a]\r\n[components.c]\r\n";
    let text = add_component(text, &name("b"), &pinned()).unwrap();
    assert_eq!(
        text.matches('\n').count(),
        text.matches("\r\n").count(),
        "{text:?}"
    );
}

#[test]
fn components_belong_where_others_are() {
    let place = |files: &[(&str, &str)], new: &str, entry: &NewComponent| {
        let catalog =
            Catalog::load_from(&memory(files), Path::new("/p")).unwrap_or_else(|error| panic!("{error}"));
        let placement = catalog.place_for(&name(new), entry);
        format!(
            "{} {:?} {:?}",
            placement.file.display(),
            placement.existing,
            placement.reason
        )
    };
    let plain = NewComponent::plain();
    let lists = [
        (
            "/p/lazuli.toml",
            "includes = [\"c/list.toml\", \"c/other.toml\", \"c/**/*.comp.toml\"]",
        ),
        (
            "/p/c/list.toml",
            "[components.a]\n[components.b]\n[components.c]\n",
        ),
        ("/p/c/other.toml", "[components.x]\n[components.y]\n"),
        ("/p/c/z/zsh/zsh.comp.toml", "[components.zsh]"),
        ("/p/c/b/bash/bash.comp.toml", "[components.bash]"),
        ("/p/c/flat.comp.toml", "[components.flat]"),
    ];
    let say = |files: &[(&str, &str)]| {
        format!(
            "{}\n{}",
            place(files, "curl", &plain),
            place(files, "curl", &pinned())
        )
    };
    expect![[r#"
        /p/c/list.toml There LargestList
        /p/c/c/curl/curl.comp.toml ToBeMade OwnFile"#]]
    .assert_eq(&say(&lists));
    // Nothing there yet: an include says where it would be looked for.
    let empty = [(
        "/p/lazuli.toml",
        "includes = [\"images/*.toml\", \"components/**/*.comp.toml\"]",
    )];
    expect![[r#"
        /p/components/curl/curl.comp.toml ToBeMade OwnFile
        /p/components/curl/curl.comp.toml ToBeMade OwnFile"#]]
    .assert_eq(&say(&empty));
    let flat = [(
        "/p/lazuli.toml",
        "includes = [\"*.distro.toml\", \"components/*.toml\"]",
    )];
    expect![[r#"
        /p/components/curl.toml ToBeMade OwnFile
        /p/components/curl.toml ToBeMade OwnFile"#]]
    .assert_eq(&say(&flat));
    expect![[r#"
        /p/lazuli.toml There RootFile
        /p/lazuli.toml There RootFile"#]]
    .assert_eq(&say(&[("/p/lazuli.toml", "")]));
    let root = [("/p/lazuli.toml", "[components.a]")];
    expect![[r#"
        /p/lazuli.toml There LargestList
        /p/lazuli.toml There LargestList"#]]
    .assert_eq(&say(&root));
}

#[test]
fn a_fixture_takes_new_components() {
    let root = Path::new("tests/fixtures/azldev");
    let catalog = Catalog::load(root).unwrap();
    let placement = catalog.place_for(&name("dash"), &pinned());
    assert_eq!(placement.file, root.join("base/comps/dash/dash.comp.toml"));
    let placement = catalog.place_for(&name("dash"), &NewComponent::plain());
    assert_eq!(placement.file, root.join("base/comps/components.toml"));
    let text = std::fs::read_to_string(&placement.file).unwrap();
    let text = add_component(&text, &name("dash"), &NewComponent::plain()).unwrap();
    assert!(
        text.contains("[components.curl]\n[components.dash]\n[components.\"libstdc++\"]\n"),
        "{text}"
    );
}

/// A component in one of the forms that files have.
fn any_entry() -> impl Strategy<Value = (String, usize)> {
    ("[a-z][a-z0-9+.-]{0,6}", 0_usize..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_else_stays(entries in prop::collection::btree_map("[a-z][a-z0-9+.-]{0,6}", 0_usize..5, 0..12), (new, form) in any_entry(), shuffled in any::<bool>()) {
        let mut blocks: Vec<String> = entries
            .iter()
            .map(|(name, form)| match form {
                0 => format!("[components.\"{name}\"]\n"),
                1 => format!("\n# about {name}\n[components.\"{name}\"]\nversions = [\n  '1',\n]\n"),
                2 => format!("[components.\"{name}\".build]\nwith = [\"\"\"\n[x]\n\"\"\"]\n[components.\"{name}\".render]\n\n"),
                3 => format!("[images.\"{name}\"]\n[components.\"{name}\"]\n"),
                _ => format!("[components.\"{name}\"]\n[[components.\"{name}\".overlays]]\ntype = \"file-remove\" # x\nfile = 'a]b'\n"),
            })
            .collect();
        if shuffled {
            blocks.reverse();
        }
        let text = format!("# top\n{}", blocks.concat());
        let entry = if form == 0 { NewComponent::plain() } else { pinned() };
        let added = add_component(&text, &name(&new), &entry);
        if entries.contains_key(&new) {
            prop_assert!(added.is_err());
        } else {
            let added = added.unwrap();
            // Only lines came: without them, the text is the old one.
            let mut old = text.lines().peekable();
            for line in added.lines() {
                if old.peek() == Some(&line) {
                    old.next();
                }
            }
            prop_assert!(old.next().is_none(), "{text}\n---\n{added}");
            prop_assert!(added.len() > text.len());
        }
    }
}
