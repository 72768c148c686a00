//! Channels of packages, repositories of builds.
#![allow(clippy::unwrap_used)]

mod memory;

use std::path::Path;

use expect_test::{Expect, expect};
use lazuli_catalog::{Architecture, Catalog, Channel, ComponentName, PackageName, RepositoryPurpose};

use memory::memory;

fn azldev() -> Catalog {
    Catalog::load(Path::new("tests/fixtures/azldev")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn later_layers_say_where_a_package_is_published() {
    let catalog = azldev();
    let distro = catalog.distro(None).unwrap();
    let channel = |component: &str, package: &str| {
        let component = catalog
            .component(&ComponentName::new(component).unwrap(), &distro)
            .unwrap();
        let publication = catalog.publication(&component, &PackageName::new(package).unwrap());
        let show = |channel: &Channel| match channel {
            Channel::Unset => "unset".to_owned(),
            Channel::NotPublished => "not".to_owned(),
            Channel::Named(name) => name.clone(),
        };
        format!(
            "{} (source {})",
            show(publication.channel()),
            show(&publication.source)
        )
    };
    for (component, package, expected) in [
        // The project's default, the component's, the package group's, the package's own.
        ("curl", "curl", "rpm-base (source unset)"),
        ("bash", "bash", "rpm-shells (source srpm-base)"),
        ("bash", "bash-devel", "rpm-devel (source srpm-base)"),
        ("bash", "bash-static", "not (source srpm-base)"),
        // The older key counts only where nothing says `rpm-channel`.
        ("bash", "bash-doc", "rpm-shells (source srpm-base)"),
        // Of older projects: what all packages of a component have.
        ("kernel", "kernel-core", "rpm-kernel (source unset)"),
        // Debug information has channels of its own.
        ("curl", "curl-debuginfo", "rpm-debug (source unset)"),
        ("bash", "bash-debugsource", "debug-shells (source srpm-base)"),
    ] {
        assert_eq!(channel(component, package), expected, "{component} {package}");
    }
}

#[test]
fn inputs_name_repositories_and_sets() {
    let catalog = azldev();
    let distro = catalog.distro(None).unwrap();
    let mut text = String::new();
    for purpose in [RepositoryPurpose::PackageBuild, RepositoryPurpose::ImageBuild] {
        text.push_str(&format!("{purpose:?}\n"));
        for one in catalog.repositories(&distro, purpose) {
            let (here, there) = (
                one.is_for(Architecture::X86_64),
                one.is_for(Architecture::Aarch64),
            );
            text.push_str(&format!(
                "  {} {:?} {:?} {:?} {:?} {here} {there}\n",
                one.id, one.address, one.kind, one.signatures, one.server
            ));
        }
    }
    expect![[r#"
        PackageBuild
          upstream-everything BaseUri("https://mirror.example/releases/43/Everything/$basearch/os/") Binary Checked(Address("https://mirror.example/keys/primary")) Checked true true
          linux4-base BaseUri("https://packages.example/linux4/base/$basearch") Binary Checked(File("tests/fixtures/azldev/distro/keys/RPM-GPG-KEY")) Checked true false
          linux4-base-src BaseUri("https://packages.example/linux4/base/srpms") Source Checked(File("tests/fixtures/azldev/distro/keys/RPM-GPG-KEY")) Checked true false
        ImageBuild
          linux4-base BaseUri("https://packages.example/linux4/base/$basearch") Binary Checked(File("tests/fixtures/azldev/distro/keys/RPM-GPG-KEY")) Checked true false
          linux4-base-src BaseUri("https://packages.example/linux4/base/srpms") Source Checked(File("tests/fixtures/azldev/distro/keys/RPM-GPG-KEY")) Checked true false
    "#]].assert_eq(&text);
}

fn check(text: &str, expected: Expect) {
    let error = Catalog::load_from(&memory(&[("/p/lazuli.toml", text)]), Path::new("/p")).unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn repositories_that_are_not_there_are_refused() {
    check(
        r#"
[resources.rpm-repos.base]
base-uri = "https://one.example"
disable-gpg-check = true
[resources.rpm-repos.s-base]
base-uri = "https://one.example"
disable-gpg-check = true
[resources.rpm-repo-sets.s]
template = "azl-standard"
base-uri = "https://two.example"
name-prefix = "s-"
disable-gpg-check = true
subrepos = ["base", "bsae"]
[resources.rpm-repo-sets.t]
template = "azl-standart"
base-uri = "https://two.example"
gpg-key = "key"
[resources.rpm-repo-comparisons.c]
left = "s"
right = "u"
[distros.x.versions.1]
release-ver = "1"
inputs = { rpm-build = [{ repo = "bse" }, { set = "s" }, { repo = "s-base" }], image-build = [{ set = "v" }] }
"#,
        expect![[r#"
            template `azl-standard` has no repository `bsae`
              --> /p/lazuli.toml:13:21
               |
            13 | subrepos = ["base", "bsae"]
               |                     ^^^^^^
              = help: did you mean `base`?

            error: a repository of set `s` has the name `s-base`, as repository `s-base` has
             --> /p/lazuli.toml:8:26
              |
            8 | [resources.rpm-repo-sets.s]
              |                          ^
              = help: give the set another `name-prefix`

            error: there is no template of repositories `azl-standart`
              --> /p/lazuli.toml:15:1
               |
            15 | template = "azl-standart"
               | ^^^^^^^^
              = help: did you mean `azl-standard`?

            error: there is no set of repositories `u`
              --> /p/lazuli.toml:20:1
               |
            20 | right = "u"
               | ^^^^^

            error: there is no repository `bse`
              --> /p/lazuli.toml:23:25
               |
            23 | inputs = { rpm-build = [{ repo = "bse" }, { set = "s" }, { repo = "s-base" }], image-build = [{ set = "v" }] }
               |                         ^^^^^^^^^^^^^^^^
              = help: did you mean `base`?

            error: there is no set of repositories `v`
              --> /p/lazuli.toml:23:95
               |
            23 | inputs = { rpm-build = [{ repo = "bse" }, { set = "s" }, { repo = "s-base" }], image-build = [{ set = "v" }] }
               |                                                                                               ^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn names_of_tests_packages_and_distributions_lead_somewhere() {
    check(
        r#"
[project]
default-distro = { name = "xx", version = "1" }
[default-component-config]
spec = { type = "upstream", upstream-distro = { name = "y" } }
[distros.x.versions.1]
release-ver = "1"
default-component-config = { spec = { type = "upstream", upstream-distro = { name = "x", version = "3" } } }
[components.a]
spec = { type = "upstream", upstream-distro = { name = "x", version = "2" } }
tests = { tests = [{ name = "bot" }] }
[component-groups.g]
default-component-config = { spec = { upstream-distro = { name = "z" } } }
[images.i]
tests = { test-suites = [{ name = "smoke" }], tests = [{ group = "gg" }] }
[tests.boot]
type = "tmt"
tmt = { plan = "/p" }
[test-groups.g]
tests = [{ group = "h" }, { name = "boot" }]
[package-groups.one]
packages = ["p", "q"]
[package-groups.two]
packages = ["r", "q"]
"#,
        expect![[r#"
            there is no distribution `xx`
             --> /p/lazuli.toml:3:20
              |
            3 | default-distro = { name = "xx", version = "1" }
              |                    ^^^^
              = help: did you mean `x`?

            error: there is no distribution `y`
             --> /p/lazuli.toml:5:49
              |
            5 | spec = { type = "upstream", upstream-distro = { name = "y" } }
              |                                                 ^^^^

            error: there is no distribution `z`
              --> /p/lazuli.toml:13:59
               |
            13 | default-component-config = { spec = { upstream-distro = { name = "z" } } }
               |                                                           ^^^^

            error: distribution `x` has no version `3`
             --> /p/lazuli.toml:8:90
              |
            8 | default-component-config = { spec = { type = "upstream", upstream-distro = { name = "x", version = "3" } } }
              |                                                                                          ^^^^^^^

            error: distribution `x` has no version `2`
              --> /p/lazuli.toml:10:61
               |
            10 | spec = { type = "upstream", upstream-distro = { name = "x", version = "2" } }
               |                                                             ^^^^^^^

            error: there is no test suite `smoke`
              --> /p/lazuli.toml:15:28
               |
            15 | tests = { test-suites = [{ name = "smoke" }], tests = [{ group = "gg" }] }
               |                            ^^^^

            error: there is no test group `gg`
              --> /p/lazuli.toml:15:58
               |
            15 | tests = { test-suites = [{ name = "smoke" }], tests = [{ group = "gg" }] }
               |                                                          ^^^^^
              = help: did you mean `g`?

            error: there is no test group `h`
              --> /p/lazuli.toml:20:12
               |
            20 | tests = [{ group = "h" }, { name = "boot" }]
               |            ^^^^^

            error: there is no test `bot`
              --> /p/lazuli.toml:11:22
               |
            11 | tests = { tests = [{ name = "bot" }] }
               |                      ^^^^
              = help: did you mean `boot`?

            error: package `q` is in two package groups
              --> /p/lazuli.toml:24:18
               |
            24 | packages = ["r", "q"]
               |                  ^^^ in this one
              --> /p/lazuli.toml:22:18
               |
            22 | packages = ["p", "q"]
               |                  ^^^ and in this one
              = help: a package is in one group at most"#]],
    );
}
