//! Components that no entry names: from specs, templates and folders of overlays; and the overlay files of all.
#![allow(clippy::unwrap_used)]

mod memory;

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use lazuli_catalog::{Architecture, Catalog, ComponentName, Error, LoadOptions};

use memory::memory;

const BASE: &str = r#"
[project]
default-distro = { name = "x", snapshot = "2026-01-01T00:00:00Z" }
[distros.x]
default-version = "1"
dist-git-base-uri = "https://src.example/$pkg"
[distros.x.versions.1]
release-ver = "1"
default-component-config = { spec = { type = "upstream", upstream-distro = { name = "x" } } }
"#;

const OVERLAY: &str =
    "metadata = { category = 'azl-pruning' }\n[[overlays]]\ntype = 'file-remove'\nfile = 'FILE'\n";

fn load(root: &str, others: &[(&str, &str)]) -> Result<Catalog, Error> {
    let root = format!("{root}\n{BASE}");
    let files: Vec<(&str, &str)> = [("/p/lazuli.toml", root.as_str())]
        .into_iter()
        .chain(others.iter().copied())
        .collect();
    Catalog::load_from(&memory(&files), Path::new("/p"))
}

/// Each component with its source and overlay files, or the error.
fn check(root: &str, others: &[(&str, &str)], expected: Expect) {
    let text = match load(root, others) {
        Err(error) => error.to_string(),
        Ok(catalog) => {
            let distro = catalog.distro(None).unwrap();
            match catalog.components(&distro, Architecture::X86_64) {
                Err(error) => error.to_string(),
                Ok(all) => all.iter().map(line).collect::<Vec<_>>().join("\n"),
            }
        }
    };
    expected.assert_eq(&text);
}

fn line(one: &lazuli_catalog::ResolvedComponent) -> String {
    let spec = match &one.source {
        lazuli_catalog::Source::Spec(lazuli_catalog::SpecSource::Local { path }) => {
            path.display().to_string()
        }
        lazuli_catalog::Source::Spec(lazuli_catalog::SpecSource::Upstream { name, .. }) => {
            format!("upstream {name}")
        }
        other => format!("{other:?}"),
    };
    let overlays: Vec<String> = one
        .overlays
        .iter()
        .map(|one| format!("{} ({})", one.place, one.layer))
        .collect();
    let layers: Vec<String> = one.layers.iter().map(ToString::to_string).collect();
    format!(
        "{}: {spec} [{}] {}",
        one.name,
        layers.join("; "),
        overlays.join(" ")
    )
    .trim_end()
    .to_owned()
}

#[test]
fn specs_make_components_of_their_group() {
    let root = r#"
[component-groups.local]
specs = ["specs/**/*.spec", "single.spec", "specs/a/a.spec"]
excluded-paths = ["specs/old/**", "specs/**/skip-?.spec"]
default-component-config = { build = { with = ["x"] } }
[component-groups.other]
specs = ["specs/b/*"]
components = ["a"]
[components.b]
build = { without = ["y"] }
"#;
    let specs = [
        ("/p/specs/a/a.spec", ""),
        ("/p/specs/b/b.spec", ""),
        ("/p/specs/b/notes.txt", ""),
        ("/p/specs/old/deep/c.spec", ""),
        ("/p/specs/d/skip-1.spec", ""),
        ("/p/single.spec", ""),
    ];
    check(
        root,
        &specs,
        expect![[r#"
        a: /p/specs/a/a.spec [distribution version; group local; spec of group local]
        b: /p/specs/b/b.spec [distribution version; group local; spec of group local; component]
        single: /p/single.spec [distribution version; group local; spec of group local]"#]],
    );
    let catalog = load(root, &specs).unwrap();
    let groups = |name: &str| {
        let groups = catalog.groups_of(&ComponentName::new(name).unwrap());
        groups
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        (groups("a"), groups("b"), groups("single")),
        ("local other".into(), "local other".into(), "local".into())
    );
}

#[test]
fn specs_that_cannot_be_components_are_refused() {
    let root = "component-groups.local.specs = [\"**/*.spec\", \"none.spec\"]";
    check(
        root,
        &[("/p/a/x.spec", ""), ("/p/b/x.spec", ""), ("/p/c/-.spec", "")],
        expect![[r#"
            two specs make component `x`
             --> /p/lazuli.toml:1:33
              |
            1 | component-groups.local.specs = ["**/*.spec", "none.spec"]
              |                                 ^^^^^^^^^^^
              = help: /p/a/x.spec and /p/b/x.spec: rename one, or add it to `excluded-paths`

            error: `-` is not a component name: expected letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`
             --> /p/lazuli.toml:1:33
              |
            1 | component-groups.local.specs = ["**/*.spec", "none.spec"]
              |                                 ^^^^^^^^^^^
              = help: rename /p/c/-.spec, or add it to `excluded-paths`

            error: spec `none.spec` is not there
             --> /p/lazuli.toml:1:46
              |
            1 | component-groups.local.specs = ["**/*.spec", "none.spec"]
              |                                              ^^^^^^^^^^^
              = help: looked for /p/none.spec"#]],
    );
}

#[test]
fn templates_make_every_combination() {
    let root = r#"
[component-templates.t.default-component-config]
spec = { type = "local", path = "t.spec" }
build = { with = ["all"] }
[[component-templates.t.matrix]]
axis = "one"
values = { a = { build = { with = ["a"] } }, b = {} }
[[component-templates.t.matrix]]
axis = "two"
values = { c = {}, d = { overlay-files = ["d.toml"] } }
"#;
    let overlay = OVERLAY.replace("FILE", "x");
    check(
        root,
        &[("/p/d.toml", &overlay)],
        expect![[r#"
        t-a-c: /p/t.spec [distribution version; template t; template t, one a; template t, two c]
        t-a-d: /p/t.spec [distribution version; template t; template t, one a; template t, two d] /p/d.toml:2 (template t, two d)
        t-b-c: /p/t.spec [distribution version; template t; template t, one b; template t, two c]
        t-b-d: /p/t.spec [distribution version; template t; template t, one b; template t, two d] /p/d.toml:2 (template t, two d)"#]],
    );
    let catalog = load(root, &[("/p/d.toml", &overlay)]).unwrap();
    let distro = catalog.distro(None).unwrap();
    let one = catalog
        .component(&ComponentName::new("t-a-d").unwrap(), &distro)
        .unwrap();
    assert_eq!(one.build.with, ["all", "a"]);
}

#[test]
fn templates_that_cannot_be_are_refused() {
    let root = r#"
components.t-a = {}
[component-templates.empty]
[component-templates.t]
matrix = [{ axis = "one", values = { a = {}, b = {} } }]
[component-templates.t-]
matrix = [{ axis = "one", values = { a = {} } }, { axis = "two", values = {} }]
"#;
    check(
        root,
        &[],
        expect![[r#"
        template `empty` makes no component
         --> /p/lazuli.toml:3:22
          |
        3 | [component-templates.empty]
          |                      ^^^^^
          = help: it needs at least one axis, and each axis a value: `matrix = [{ axis = "…", values = { … } }]`

        error: template `t` makes component `t-a`, which there is already
         --> /p/lazuli.toml:4:22
          |
        4 | [component-templates.t]
          |                      ^ made here
         --> /p/lazuli.toml:2:12
          |
        2 | components.t-a = {}
          |            ^^^ and defined here
          = help: rename the template, a value, or the other component

        error: template `t-` makes no component
         --> /p/lazuli.toml:6:22
          |
        6 | [component-templates.t-]
          |                      ^^
          = help: it needs at least one axis, and each axis a value: `matrix = [{ axis = "…", values = { … } }]`"#]],
    );
}

#[test]
fn overlay_files_come_in_the_order_of_their_names() {
    let file = |name: &str| OVERLAY.replace("FILE", name);
    let texts = ["1", "2", "3", "4"].map(file);
    let root = r#"
[components.a]
overlay-files = ["z/*.overlay.toml", "**/*.overlay.toml"]
overlays = [{ type = "file-remove", file = "inline" }]
"#;
    let files = [
        ("/p/z/2.overlay.toml", texts[0].as_str()),
        ("/p/a/3.overlay.toml", texts[1].as_str()),
        ("/p/b/1.overlay.toml", texts[2].as_str()),
        ("/p/a/1.overlay.toml", texts[3].as_str()),
    ];
    check(
        root,
        &files,
        expect![
            "a: upstream a [distribution version; component] /p/lazuli.toml:4 (component) /p/z/2.overlay.toml:2 (component) /p/a/1.overlay.toml:2 (component) /p/b/1.overlay.toml:2 (component) /p/a/3.overlay.toml:2 (component)"
        ],
    );
}

#[test]
fn overlay_files_are_inherited_and_replaced() {
    let file = |name: &str| OVERLAY.replace("FILE", name);
    let texts = ["1", "2", "3", "4"].map(file);
    // `a` inherits the project's folders, `b` has its own list, `c` has none, `d` is made by its folder, `e` inherits from
    // its group, relative to the file that defines it.
    let root = r#"
includes = ["sub/e.toml"]
[default-component-config]
overlay-files = ["c/{component}/*.toml"]
[components.a]
[components.b]
overlay-files = ["own.toml"]
[components.c]
overlay-files = []
[component-groups.g]
components = ["e"]
default-component-config = { overlay-files = ["o/*.toml"] }
"#;
    let files = [
        ("/p/sub/e.toml", "[components.e]"),
        ("/p/sub/o/x.toml", texts[0].as_str()),
        ("/p/c/a/x.toml", texts[1].as_str()),
        ("/p/c/b/x.toml", texts[1].as_str()),
        ("/p/c/c/x.toml", texts[1].as_str()),
        ("/p/c/d/x.toml", texts[2].as_str()),
        ("/p/c/-/x.toml", texts[2].as_str()),
        ("/p/c/empty/x.txt", ""),
        ("/p/own.toml", texts[3].as_str()),
    ];
    check(
        root,
        &files,
        expect![[r#"
        a: upstream a [distribution version; project; component] /p/c/a/x.toml:2 (project)
        b: upstream b [distribution version; project; component] /p/own.toml:2 (component)
        c: upstream c [distribution version; project; component]
        d: upstream d [distribution version; project] /p/c/d/x.toml:2 (project)
        e: upstream e [distribution version; project; group g; component] /p/sub/o/x.toml:2 (group g)"#]],
    );
    let catalog = load(root, &files).unwrap();
    let files: Vec<String> = catalog
        .overlay_files()
        .map(|path| path.display().to_string())
        .collect();
    assert!(
        files.contains(&"/p/own.toml".to_owned()) && files.contains(&"/p/c/d/x.toml".to_owned()),
        "{files:?}"
    );
}

#[test]
fn overlay_files_with_errors_are_refused() {
    let root = "components.a.overlay-files = [\"bad.toml\", \"none.toml\", \"nowhere/*.toml\"]";
    let bad = "[metadata]\ncategory = 'azl-prunning'\n[[overlays]]\ntype = 'file-remove'\n";
    check(
        root,
        &[("/p/bad.toml", bad)],
        expect![[r#"
        overlay file `none.toml` is not there
         --> /p/lazuli.toml:1:43
          |
        1 | components.a.overlay-files = ["bad.toml", "none.toml", "nowhere/*.toml"]
          |                                           ^^^^^^^^^^^
          = help: looked for /p/none.toml; an empty list turns inherited files off

        error: overlay file `nowhere/*.toml` is not there
         --> /p/lazuli.toml:1:56
          |
        1 | components.a.overlay-files = ["bad.toml", "none.toml", "nowhere/*.toml"]
          |                                                        ^^^^^^^^^^^^^^^^
          = help: looked for /p/nowhere/*.toml; an empty list turns inherited files off

        error: unknown value `azl-prunning` of `category`
         --> /p/bad.toml:2:12
          |
        2 | category = 'azl-prunning'
          |            ^^^^^^^^^^^^^^
          = help: did you mean `azl-pruning`?"#]],
    );
}

#[test]
fn a_snapshot_is_inherited_and_a_version_belongs_to_its_distribution() {
    let root = r#"
includes = ["y.toml"]
[components.a]
[components.b]
spec = { type = "upstream", upstream-distro = { name = "y" } }
[components.c]
spec = { type = "upstream", upstream-distro = { name = "x", version = "1" }, upstream-commit = "0123456789" }
[component-groups.g]
components = ["c"]
default-component-config = { spec = { type = "upstream", upstream-distro = { name = "y", version = "9", snapshot = "2026-02-02T00:00:00Z" } } }
"#;
    let catalog = load(root, &[("/p/y.toml", "distros.y.versions.9.release-ver = \"9\"")]).unwrap();
    let distro = catalog.distro(None).unwrap();
    let all = catalog.components(&distro, Architecture::X86_64).unwrap();
    let sources: Vec<String> = all.iter().map(|one| format!("{:?}", one.source)).collect();
    expect![[r#"
        Spec(Upstream { distro: "x", version: None, name: "a", commit: None, snapshot: Some("2026-01-01T00:00:00Z") })
        Spec(Upstream { distro: "y", version: None, name: "b", commit: None, snapshot: Some("2026-01-01T00:00:00Z") })
        Spec(Upstream { distro: "x", version: Some("1"), name: "c", commit: Some("0123456789"), snapshot: Some("2026-02-02T00:00:00Z") })"#]].assert_eq(&sources.join("\n"));
}

#[test]
fn layers_follow_the_project() {
    let root = format!("{BASE}\n[components.a]\n[distros.x.versions.2]\nrelease-ver = \"2\"\n");
    let files = memory(&[
        ("/p/lazuli.toml", &root),
        (
            "/home/config.toml",
            "includes = [\"more.toml\"]\nproject.output-dir = \"user\"\nproject.work-dir = \"work\"",
        ),
        ("/home/more.toml", "distros.x.default-version = \"2\""),
        (
            "/etc/extra.toml",
            "project.output-dir = \"/extra\"\ndistros.x.dist-git-base-uri = \"file:///git/$pkg\"",
        ),
    ]);
    let options = LoadOptions {
        user_config: Some(PathBuf::from("/home/config.toml")),
        config_files: vec![PathBuf::from("/etc/extra.toml")],
    };
    let catalog = Catalog::load_with(&files, Path::new("/p/a/b"), &options).unwrap();
    let project = catalog.project();
    assert_eq!(
        project.output_dir,
        Path::new("/extra"),
        "the command line's goes last"
    );
    assert_eq!(project.work_dir.as_deref(), Some(Path::new("/home/work")));
    let distro = catalog.distro(None).unwrap();
    assert_eq!(
        (distro.version.as_str(), distro.dist_git_base_uri.as_deref()),
        ("2", Some("file:///git/$pkg"))
    );
    let names: Vec<String> = catalog.files().map(|path| path.display().to_string()).collect();
    assert_eq!(
        names,
        [
            "/p/lazuli.toml",
            "/home/config.toml",
            "/home/more.toml",
            "/etc/extra.toml"
        ]
    );

    let missing = |options: LoadOptions| Catalog::load_with(&files, Path::new("/p"), &options);
    let nowhere = PathBuf::from("/nowhere.toml");
    missing(LoadOptions {
        user_config: Some(nowhere.clone()),
        config_files: vec![],
    })
    .unwrap();
    let error = missing(LoadOptions {
        user_config: None,
        config_files: vec![nowhere],
    })
    .unwrap_err();
    assert_eq!(error.to_string(), "failed to read /nowhere.toml");
}
