//! Many files: finding the root, includes, merging, names that are defined once, names that lead nowhere.
#![allow(clippy::unwrap_used)]

mod memory;

use std::path::Path;

use expect_test::{Expect, expect};
use lazuli_catalog::value::FileGlob;
use lazuli_catalog::{Architecture, Catalog, ComponentName, DistroVersion, Error, ImageName, expand};

use memory::memory;

fn load(files: &[(&str, &str)]) -> Result<Catalog, Error> {
    Catalog::load_from(&memory(files), Path::new("/p"))
}

fn check(files: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&load(files).unwrap_err().to_string());
}

#[test]
fn root_is_the_nearest_above_and_lazuli_goes_before_azldev() {
    let files = memory(&[
        ("/p/azldev.toml", ""),
        ("/p/lazuli.toml", ""),
        ("/p/a/azldev.toml", ""),
        ("/q/x", ""),
    ]);
    let root =
        |start: &str| lazuli_catalog::find_root(&files, Path::new(start)).map_err(|error| error.to_string());
    assert_eq!(root("/p"), Ok("/p/lazuli.toml".into()));
    assert_eq!(root("/p/b/c"), Ok("/p/lazuli.toml".into()));
    assert_eq!(root("/p/a/b"), Ok("/p/a/azldev.toml".into()));
    assert_eq!(root("/p/azldev.toml"), Ok("/p/azldev.toml".into()));
    assert_eq!(
        root("/q"),
        Err("found no lazuli.toml or azldev.toml in /q or any folder above it".into())
    );
}

#[test]
fn globs_match_as_documented() {
    let names = [
        "/p/a.toml",
        "/p/b.txt",
        "/p/c/a.toml",
        "/p/c/d/a.toml",
        "/p/c/d/b.comp.toml",
        "/p/.e/a.toml",
        "/x.toml",
    ];
    let files = memory(&names.map(|name| (name, "")));
    for (glob, expected) in [
        ("*.toml", "/p/a.toml"),
        ("a.toml", "/p/a.toml"),
        ("./a.toml", "/p/a.toml"),
        ("z.toml", ""),
        ("c/*.toml", "/p/c/a.toml"),
        ("*/a.toml", "/p/.e/a.toml /p/c/a.toml"),
        ("**/a.toml", "/p/.e/a.toml /p/a.toml /p/c/a.toml /p/c/d/a.toml"),
        ("c/**/*.comp.toml", "/p/c/d/b.comp.toml"),
        ("c/**", "/p/c/a.toml /p/c/d/a.toml /p/c/d/b.comp.toml"),
        ("[ab].t?*", "/p/a.toml /p/b.txt"),
        ("{a.toml,b.txt}", "/p/a.toml /p/b.txt"),
        ("/x.toml", "/x.toml"),
        ("/nowhere/**/*.toml", ""),
    ] {
        let found = expand(&files, Path::new("/p"), &FileGlob::new(glob).unwrap()).unwrap();
        let found: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
        assert_eq!(found.join(" "), expected, "{glob}");
    }
}

#[test]
fn links_on_the_disk_do_not_lead_in_circles() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("sub")).unwrap();
    std::fs::write(at("sub/a.toml"), "[components.a]").unwrap();
    std::fs::write(at("lazuli.toml"), "includes = [\"**/[a-k]*.toml\"]").unwrap();
    std::os::unix::fs::symlink("..", at("sub/up")).unwrap();
    std::os::unix::fs::symlink("a.toml", at("sub/link.toml")).unwrap();
    let catalog = Catalog::load(&at("sub")).unwrap();
    assert_eq!(catalog.files().count(), 2);
    let glob = FileGlob::new("*/up/*.toml").unwrap();
    assert_eq!(
        expand(&lazuli_catalog::Disk, folder.path(), &glob).unwrap(),
        [at("sub/up/lazuli.toml")]
    );
}

#[test]
fn literal_includes_must_be_there_and_globs_need_not() {
    load(&[("/p/lazuli.toml", "includes = [\"none/*.toml\"]")]).unwrap();
    check(
        &[(
            "/p/lazuli.toml",
            "includes = [\n  \"none/*.toml\",\n  \"sub/distro.toml\",\n]\n",
        )],
        expect![[r#"
            included file `sub/distro.toml` is not there
             --> /p/lazuli.toml:3:3
              |
            3 |   "sub/distro.toml",
              |   ^^^^^^^^^^^^^^^^^
              = help: looked for /p/sub/distro.toml"#]],
    );
}

#[test]
fn circles_are_refused_and_a_file_that_two_include_is_read_once() {
    check(
        &[
            ("/p/lazuli.toml", "includes = [\"a/a.toml\"]"),
            ("/p/a/a.toml", "includes = [\"../b.toml\"]"),
            ("/p/b.toml", "includes = [\"./a/../a/*.toml\"]"),
        ],
        expect![[r#"
            included file `../b.toml` is not there
             --> /p/a/a.toml:1:13
              |
            1 | includes = ["../b.toml"]
              |             ^^^^^^^^^^^
              = help: looked for /p/b.toml"#]],
    );
    let shared = load(&[
        ("/p/lazuli.toml", "includes = [\"a.toml\", \"b.toml\"]"),
        ("/p/a.toml", "includes = [\"c.toml\"]"),
        ("/p/b.toml", "includes = [\"c.toml\"]"),
        ("/p/c.toml", "[components.bash]"),
    ]);
    assert_eq!(shared.unwrap().files().count(), 4);
}

#[test]
fn a_name_is_defined_once() {
    check(
        &[
            (
                "/p/lazuli.toml",
                "includes = [\"*.comp.toml\"]\n[components.bash]\n",
            ),
            ("/p/a.comp.toml", "# a comment\n[components.zsh]\n[images.x]\n"),
            (
                "/p/b.comp.toml",
                "[components]\nbash = { build = { with = [] } }\n[images.x]\n",
            ),
        ],
        expect![[r#"
            components `bash` is defined twice
             --> /p/b.comp.toml:2:1
              |
            2 | bash = { build = { with = [] } }
              | ^^^^ again here
             --> /p/lazuli.toml:2:13
              |
            2 | [components.bash]
              |             ^^^^ first here
              = help: a name is defined once in all files: rename one, or leave one out

            error: images `x` is defined twice
             --> /p/b.comp.toml:3:9
              |
            3 | [images.x]
              |         ^ again here
             --> /p/a.comp.toml:3:9
              |
            3 | [images.x]
              |         ^ first here
              = help: a name is defined once in all files: rename one, or leave one out"#]],
    );
}

#[test]
fn errors_of_several_files_come_together() {
    let error = load(&[
        ("/p/lazuli.toml", "includes = [\"*.toml.in\"]\n"),
        ("/p/a.toml.in", "[component.bash]\n"),
        ("/p/b.toml.in", "[projects]\n"),
    ]);
    expect![[r#"
        unknown key `component` in the file
         --> /p/a.toml.in:1:2
          |
        1 | [component.bash]
          |  ^^^^^^^^^
          = help: did you mean `components`?

        error: unknown key `projects` in the file
         --> /p/b.toml.in:1:2
          |
        1 | [projects]
          |  ^^^^^^^^
          = help: did you mean `project`?"#]]
    .assert_eq(&error.unwrap_err().to_string());
}

const BASE: &str = r#"
includes = ["later.toml"]
[project]
description = "first"
lock-dir = "a"
default-distro = { name = "lazuli" }
[distros.lazuli]
default-version = "1"
description = "first"
repos = [{ base-uri = "https://one.example" }, { base-uri = "https://two.example" }]
[distros.lazuli.versions.1]
release-ver = "1"
upstream = { type = "debian", suites = ["bookworm"] }
[resources.rpm-repos.x]
base-uri = "https://x.example"
disable-gpg-check = true
"#;

#[test]
fn later_files_override_by_the_rule_of_each_section() {
    let later = r#"
[project]
description = "second"
[distros.lazuli]
default-version = "2"
repos = [{ base-uri = "https://three.example" }]
[distros.lazuli.versions.1]
codename = "one"
[distros.lazuli.versions.2]
release-ver = "2"
[resources.rpm-repos.x]
metalink = "https://y.example"
gpg-key = "keys/y"
"#;
    let catalog = load(&[("/p/lazuli.toml", BASE), ("/p/later.toml", later)]).unwrap();
    let project = catalog.project();
    assert_eq!(project.description.as_deref(), Some("second"));
    assert_eq!(project.lock_dir, Path::new("/p/a"));
    assert_eq!(project.output_dir, Path::new("/p/out"), "the default");
    let distro = catalog.distro(None).unwrap();
    assert_eq!(
        (distro.version.as_str(), distro.description.as_deref()),
        ("2", Some("first"))
    );
    let first = catalog.distro(Some(&DistroVersion::new("1").unwrap())).unwrap();
    assert_eq!(
        (first.release_version.as_str(), first.pretty_name().as_str()),
        ("1", "lazuli 1 (one)")
    );
    let repos = &catalog.config().distros["lazuli"].repos;
    assert_eq!(repos.len(), 1, "lists are replaced");
    let repo = &catalog.config().resources.as_ref().unwrap().rpm_repos["x"];
    assert_eq!(
        (repo.base_uri.as_deref(), repo.disable_gpg_check),
        (None, None),
        "a resource is replaced as a whole"
    );
    let lock = catalog.lock_path(&first, Architecture::X86_64);
    assert_eq!(lock, Path::new("/p/a/1/debian-amd64.lock"));
}

#[test]
fn names_that_lead_nowhere_are_refused() {
    check(
        &[
            ("/p/later.toml", ""),
            (
                "/p/lazuli.toml",
                &format!(
                    "{BASE}
[components.bash]
versions = [\"1\", \"3\"]
[component-groups.shells]
components = [\"bash\", \"bsah\"]
[images.a]
extends = \"b\"
"
                ),
            ),
        ],
        expect![[r#"
            there is no component `bsah`
              --> /p/lazuli.toml:21:23
               |
            21 | components = ["bash", "bsah"]
               |                       ^^^^^^
              = help: did you mean `bash`?

            error: there is no image `b`
              --> /p/lazuli.toml:23:1
               |
            23 | extends = "b"
               | ^^^^^^^

            error: there is no distribution version `3`
              --> /p/lazuli.toml:19:18
               |
            19 | versions = ["1", "3"]
               |                  ^^^"#]],
    );
}

#[test]
fn what_is_asked_for_must_be_there() {
    let catalog = load(&[("/p/later.toml", ""), ("/p/lazuli.toml", BASE)]).unwrap();
    let distro = catalog.distro(None).unwrap();
    let say = |error: Error| format!("{error}; {}", error.help().unwrap_or_default());
    let unknown = catalog
        .distro(Some(&DistroVersion::new("11").unwrap()))
        .unwrap_err();
    assert_eq!(
        say(unknown),
        "there is no distribution version `11` in /p/lazuli.toml; did you mean `1`?"
    );
    let unknown = catalog
        .component(&ComponentName::new("bash").unwrap(), &distro)
        .unwrap_err();
    assert_eq!(say(unknown), "there is no component `bash` in /p/lazuli.toml; ");
    let unknown = catalog
        .image(&ImageName::new("x").unwrap(), &distro, Architecture::X86_64)
        .unwrap_err();
    assert_eq!(say(unknown), "there is no image `x` in /p/lazuli.toml; ");
    let empty = load(&[("/p/lazuli.toml", "")]).unwrap();
    assert!(
        say(empty.distro(None).unwrap_err())
            .starts_with("/p/lazuli.toml names no default distribution; add ")
    );
}

#[test]
fn faults_of_an_object_are_shown_where_it_is_defined() {
    let text = format!(
        "{BASE}
[components.web.declare]
users = [{{ name = \"web\" }}]
groups = [{{ name = \"keys\" }}]
files = [{{ path = \"/a\" }}, {{ path = \"/b\", content = \"\", source = \"b\" }}]
finalisers = [{{ name = \"f\", description = \"d\", watch = [\"/x\"], run = [\"true\"] }}]
[component-groups.tools]
components = [\"tool\"]
[component-groups.tools.default-component-config.declare]
files = [{{ path = \"/inherited\" }}, {{ path = \"/fine\", content = \"\" }}]
[components.tool]
declare = {{ files = [{{ path = \"/fine\", content = \"\" }}, {{ path = \"/own\" }}] }}
spec = {{ type = \"local\" }}
[images.loop]
extends = \"pool\"
[images.pool]
extends = \"loop\"
[images.disk]
formats = [\"raw\"]
capabilities = {{ machine-bootable = true }}
packages = [\"vim\"]
exclude-packages = [\"v*\"]
disk = {{ esp = {{ label = \"MUCH TOO LONG\" }} }}
[images.line]
formats = [\"raw\"]
kernel = {{ command-line = [\"quiet\"] }}
disk = {{ esp = {{ label = \"boot\" }} }}
[images.units.system]
default-target = \"ssh.service\"
enable-units = [\"ssh.service\"]
disable-units = [\"ssh.service\"]
"
    );
    let catalog = load(&[("/p/later.toml", ""), ("/p/lazuli.toml", &text)]).unwrap();
    let distro = catalog.distro(None).unwrap();
    let mut said = catalog
        .components(&distro, Architecture::X86_64)
        .unwrap_err()
        .to_string();
    for image in ["loop", "disk", "line", "units"] {
        let error = catalog
            .image(&ImageName::new(image).unwrap(), &distro, Architecture::X86_64)
            .unwrap_err();
        said.push_str(&format!("\n\nerror: {error}"));
    }
    expect_test::expect_file!["fixtures/faults.expected"].assert_eq(&format!("error: {said}\n"));
}

#[test]
fn a_package_is_imported_twice_under_two_names() {
    let text = format!(
        "{BASE}\n[components.c]\n[components.c-build]\nscope = \"build\"\nimport = {{ package = \"c\", name = \"c-build\" }}\n"
    );
    let catalog = load(&[("/p/later.toml", ""), ("/p/lazuli.toml", &text)]).unwrap();
    let imports = catalog
        .imports(&catalog.distro(None).unwrap(), Architecture::X86_64)
        .unwrap();
    let found = imports.get(&lazuli_catalog::PackageName::new("c").unwrap());
    let found: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.scope)).collect();
    let expected = [
        ("c", lazuli_catalog::ComponentScope::Distribution),
        ("c-build", lazuli_catalog::ComponentScope::Build),
    ];
    assert_eq!(found, expected);
}

#[test]
fn two_components_cannot_import_one_package() {
    let text = format!("{BASE}\n[components.a.import]\npackage = \"c\"\n[components.c]\n");
    let catalog = load(&[("/p/later.toml", ""), ("/p/lazuli.toml", &text)]).unwrap();
    let error = catalog
        .imports(&catalog.distro(None).unwrap(), Architecture::X86_64)
        .unwrap_err();
    expect![[r#"
        package `c` is imported by two components
          --> /p/lazuli.toml:20:13
           |
        20 | [components.c]
           |             ^ by this one
          --> /p/lazuli.toml:18:13
           |
        18 | [components.a.import]
           |             ^ and by this one"#]]
    .assert_eq(&error.to_string());
}
