//! What moves a fingerprint and what does not, for every key of a component; and what is said of it.
#![allow(clippy::unwrap_used)]

mod support;

use lazuli_catalog::{Architecture, ComponentName};
use lazuli_component::fingerprint::is_ours;
use lazuli_component::{
    Change, Dependent, Environment, FieldChange, Fingerprint, ProjectState, Side, changed, explain,
};
use support::{CONFIG, Project};

/// A component that uses every key.
const FULL: &str = r#"
[components.hello]
spec = { type = "upstream", upstream-name = "hello", upstream-commit = "0123456789abcdef0123456789abcdef01234567", upstream-distro = { name = "up", version = "43" } }
release = { calculation = "static" }
render = { skip-file-filter = true }
publish = { rpm-channel = "base", srpm-channel = "base-src", debuginfo-channel = "base-debug" }
[components.hello.build]
with = ["tls"]
without = ["docs"]
defines = { vendor = "us" }
undefines = ["fedora"]
emit-upstream-provenance = true
check = { skip = true, skip_reason = "needs a screen" }
failure = { expected = true, expected-reason = "some reason" }
hints = { expensive = true }
bootstrap = ["cmake"]
allow = { setuid = ["/usr/bin/hello"] }
[components.hello.packages.hello-devel.publish]
rpm-channel = "devel"
[[components.hello.source-files]]
filename = "extra.bin"
hash = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
hash-type = "SHA256"
origin = { type = "download", uri = "https://files.example/extra.bin" }
replace-upstream = true
replace-reason = "ours is better"
[[components.hello.source-files]]
filename = "made.bin"
origin = { type = "custom", script = "make.sh", packages = ["tar"], inputs = ["extra.bin"] }
[[components.hello.overlays]]
type = "spec-set-tag"
description = "why it is"
tag = "Summary"
value = "A summary"
[components.hello.overlays.metadata]
category = "azl-pruning"
bugs = [{ url = "https://bugs.example/1" }]
[[components.hello.overlays]]
type = "patch-add"
source = "patches/one.patch"
[[components.hello.overlays]]
type = "spec-search-replace"
section = "%build"
regex = "old"
replacement = "new"
"#;

fn config() -> String {
    CONFIG.replace("[components.hello]\n", FULL)
}

fn project() -> Project {
    let project = Project::new(&config());
    project.repo.write("patches/one.patch", "a patch\n");
    project.repo.write("moved/one.patch", "a patch\n");
    project.repo.write("make.sh", "#!/bin/sh\n");
    let lock = "version = 1\nupstream-commit = '0123456789abcdef0123456789abcdef01234567'\nmanual-bump = 1\n";
    project.repo.write("locks/hello.lock", lock);
    project
}

fn fingerprint(project: &Project) -> Fingerprint {
    of(&project.state(), &Environment::default())
}

fn of(state: &ProjectState, environment: &Environment) -> Fingerprint {
    let name = ComponentName::new("hello").unwrap();
    let component = state.component(&name).unwrap();
    let lock = state.lock(&name).unwrap();
    state
        .fingerprint(&component, lock.as_ref(), None, environment)
        .unwrap()
}

/// What is replaced in the configuration, and the fields that are different then.
const ROWS: &[(&str, &str, &[&str])] = &[
    // What changes the package.
    (
        "release-ver = \"1.0\"",
        "release-ver = \"1.1\"",
        &["distro.release-version"],
    ),
    (
        "calculation = \"static\"",
        "calculation = \"manual\"",
        &["release.calculation"],
    ),
    (
        "calculation = \"static\"",
        "calculation = \"auto\"",
        &["release.calculation"],
    ),
    (
        "skip-file-filter = true",
        "skip-file-filter = false",
        &["render.skip-file-filter"],
    ),
    ("with = [\"tls\"]", "with = [\"tls\", \"ssh\"]", &["build.with"]),
    ("without = [\"docs\"]", "", &["build.without"]),
    ("vendor = \"us\"", "vendor = \"them\"", &["build.defines.vendor"]),
    (
        "vendor = \"us\"",
        "vendor = \"us\", more = \"1\"",
        &["build.defines.more"],
    ),
    (
        "undefines = [\"fedora\"]",
        "undefines = [\"rhel\"]",
        &["build.undefines"],
    ),
    (
        "bootstrap = [\"cmake\"]",
        "bootstrap = [\"cmake\", \"doc-tool >= 2\"]",
        &["build.bootstrap"],
    ),
    (
        "emit-upstream-provenance = true",
        "",
        &["build.emit-upstream-provenance"],
    ),
    (
        "skip = true, skip_reason",
        "skip = false, skip_reason",
        &["build.check.skip"],
    ),
    (
        "filename = \"extra.bin\"",
        "filename = \"extra2.bin\"",
        &[
            "source-files.extra.bin.hash",
            "source-files.extra.bin.replace-upstream",
            "source-files.extra2.bin.hash",
            "source-files.extra2.bin.replace-upstream",
        ],
    ),
    ("aaaaaaaa\"", "aaaaaaab\"", &["source-files.extra.bin.hash"]),
    (
        "replace-upstream = true\nreplace-reason = \"ours is better\"",
        "",
        &["source-files.extra.bin.replace-upstream"],
    ),
    (
        "packages = [\"tar\"]",
        "packages = [\"tar\", \"xz\"]",
        &["source-files.made.bin.origin.packages"],
    ),
    (
        "inputs = [\"extra.bin\"]",
        "inputs = []",
        &["source-files.made.bin.origin.inputs"],
    ),
    (
        "value = \"A summary\"",
        "value = \"Another\"",
        &["overlays[0].value"],
    ),
    (
        "tag = \"Summary\"",
        "package = \"libs\"\ntag = \"Summary\"",
        &["overlays[0].package"],
    ),
    (
        "type = \"spec-set-tag\"",
        "type = \"spec-update-tag\"",
        &["overlays[0]"],
    ),
    (
        "source = \"patches/one.patch\"",
        "source = \"patches/one.patch\"\nfile = \"two.patch\"",
        &["overlays[1].file"],
    ),
    ("regex = \"old\"", "regex = \"older\"", &["overlays[2].regex"]),
    (
        "replacement = \"new\"",
        "replacement = \"new\"\nmulti-line = true",
        &["overlays[2].mode"],
    ),
    (
        "section = \"%build\"",
        "section = \"%install\"",
        &["overlays[2].target.section.name"],
    ),
    // What does not.
    (
        "description = \"why it is\"",
        "description = \"other words\"",
        &[],
    ),
    ("description = \"why it is\"", "", &[]),
    ("bugs = [{ url = \"https://bugs.example/1\" }]", "", &[]),
    (
        "category = \"azl-pruning\"",
        "category = \"azl-branding-policy\"",
        &[],
    ),
    ("rpm-channel = \"base\"", "rpm-channel = \"other\"", &[]),
    ("rpm-channel = \"devel\"", "rpm-channel = \"other\"", &[]),
    ("hints = { expensive = true }", "", &[]),
    (
        "expected-reason = \"some reason\"",
        "expected-reason = \"another\"",
        &[],
    ),
    (
        "failure = { expected = true, expected-reason = \"some reason\" }",
        "",
        &[],
    ),
    (
        "allow = { setuid = [\"/usr/bin/hello\"] }",
        "allow = { capabilities = [\"/usr/bin/hello\"] }",
        &[],
    ),
    ("skip_reason = \"needs a screen\"", "skip_reason = \"slow\"", &[]),
    (
        "replace-reason = \"ours is better\"",
        "replace-reason = \"said otherwise\"",
        &[],
    ),
    (
        "https://files.example/extra.bin",
        "https://other.example/extra.bin",
        &[],
    ),
    // Where a file is, as long as the same is in it.
    (
        "source = \"patches/one.patch\"",
        "source = \"moved/one.patch\"",
        &[],
    ),
    // The way to a commit that is locked.
    (
        "name = \"up\", version = \"43\" } }\nrelease",
        "name = \"up\", version = \"44\" } }\nrelease",
        &[],
    ),
    (
        "upstream-commit = \"0123456789abcdef0123456789abcdef01234567\"",
        "upstream-commit = \"0123456789\"",
        &[],
    ),
    (
        "upstream-commit = \"0123456789abcdef0123456789abcdef01234567\", ",
        "",
        &[],
    ),
    // A pin that the lock does not follow is a change.
    (
        "upstream-commit = \"0123456789abcdef",
        "upstream-commit = \"1123456789abcdef",
        &[
            "source.commit",
            "source.wanted.commit",
            "source.wanted.distro",
            "source.wanted.name",
            "source.wanted.version",
        ],
    ),
];

#[test]
fn every_key_counts_or_does_not() {
    let project = project();
    let text = config();
    let before = fingerprint(&project);
    assert!(is_ours(&before.inputs()));
    for (from, to, expected) in ROWS {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        project.repo.write("lazuli.toml", text.replace(from, to));
        let after = fingerprint(&project);
        let paths: Vec<String> = explain(&before, &after)
            .into_iter()
            .map(|change| change.path)
            .collect();
        assert_eq!(paths, *expected, "{from} → {to}");
        assert_eq!(
            before.digest != after.digest,
            !expected.is_empty(),
            "{from} → {to}"
        );
        assert_eq!(
            before.inputs() != after.inputs(),
            !expected.is_empty(),
            "{from} → {to}"
        );
        // And back: the same differences, the other way round.
        let swap = |change: FieldChange| (change.new, change.old);
        let there: Vec<_> = explain(&before, &after)
            .into_iter()
            .map(|change| (change.old, change.new))
            .collect();
        let back: Vec<_> = explain(&after, &before).into_iter().map(swap).collect();
        assert_eq!(there, back, "{from}");
    }
}

#[test]
fn contents_and_locks_count() {
    let project = project();
    let before = fingerprint(&project);
    let check = |path: &str, content: &str, expected: &[&str]| {
        let old = project.repo.read(path);
        project.repo.write(path, content);
        let changes = explain(&before, &fingerprint(&project));
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, expected, "{path}");
        project.repo.write(path, old);
    };
    check("patches/one.patch", "another patch\n", &["overlays[1].sha256"]);
    check(
        "make.sh",
        "#!/bin/bash\n",
        &["source-files.made.bin.origin.script"],
    );
    let lock = project.repo.read("locks/hello.lock");
    check(
        "locks/hello.lock",
        &lock.replace("manual-bump = 1", "manual-bump = 2"),
        &["manual-bump"],
    );
    check(
        "locks/hello.lock",
        &(lock.clone() + "resolution-input-hash = 'x'\ninput-fingerprint = 'y'\n"),
        &[],
    );
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn the_environment_counts_but_is_not_in_locks() {
    let project = project();
    let state = project.state();
    let base = of(&state, &Environment::default());
    let mut environment = Environment::default();
    environment.buildroot.insert("gcc".to_owned(), "14.1".to_owned());
    environment
        .macros
        .insert("macros.dist".to_owned(), "abc".to_owned());
    environment.sandbox = Some("3".to_owned());
    let with = of(&state, &environment);
    assert_ne!(base.digest, with.digest);
    assert_eq!(base.inputs(), with.inputs());
    environment.buildroot.insert("gcc".to_owned(), "14.2".to_owned());
    let changes = explain(&with, &of(&state, &environment));
    let change = FieldChange {
        path: "environment.buildroot.gcc".to_owned(),
        old: Some("14.1".to_owned()),
        new: Some("14.2".to_owned()),
    };
    assert_eq!(changes, [change]);
}

#[test]
fn overlays_that_come_and_go_are_one_change() {
    let project = project();
    let before = fingerprint(&project);
    let overlay = "[[components.hello.overlays]]\ntype = \"spec-remove-tag\"\ntag = \"Epoch\"\n";
    let first = "[[components.hello.overlays]]\ntype = \"spec-set-tag\"";
    project.repo.write(
        "lazuli.toml",
        config().replace(first, &format!("{overlay}{first}")),
    );
    let after = fingerprint(&project);
    let change = |path: &str, old: Option<&str>, new: Option<&str>| FieldChange {
        path: path.to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    };
    let text = "spec-remove-tag tag=\"Epoch\"";
    assert_eq!(
        explain(&before, &after),
        [change("overlays[0]", None, Some(text))]
    );
    assert_eq!(
        explain(&after, &before),
        [change("overlays[0]", Some(text), None)]
    );
    assert_eq!(explain(&after, &after), []);
}

/// The computation is fixed: another one must have another version, or every lock would be stale.
#[test]
fn the_computation_does_not_move() {
    let fields = [("a", "1"), ("b.c", "[\"x\"]")].map(|(path, value)| (path.to_owned(), value.to_owned()));
    let fingerprint = Fingerprint::new(fields.into_iter().collect());
    // sha256 of: the preamble line, then 01 00 00 00 00 00 00 00 "a" 01 … "1" 03 … "b.c" 05 … "[\"x\"]".
    let token = fingerprint.inputs();
    assert_eq!(token.as_str(), format!("lazuli1:sha256:{}", fingerprint.digest));
    assert_eq!(
        fingerprint.digest.to_string(),
        "cdb5ab6b255aadf3396f02c341d1e56052909dc1ff3ff363e16510fb7d515117"
    );
}

const WEB: &str = r#"
[components.zlib]
spec = { type = "local", path = "zlib/zlib.spec" }
[components.curl]
spec = { type = "local", path = "curl/curl.spec" }
[components.git]
spec = { type = "local", path = "git/git.spec" }
[components.other]
spec = { type = "local", path = "other/other.spec" }
[components.broken]
spec = { type = "local", path = "broken/broken.spec" }
"#;

#[test]
fn changes_reach_those_who_need_them() {
    let project = Project::new(&CONFIG.replace("[components.hello]\n", WEB));
    for name in ["zlib", "curl", "git", "other", "broken"] {
        project
            .repo
            .write(&format!("{name}/{name}.spec"), support::spec("1", "1", ""));
    }
    project.repo.commit("one", 1);
    project.repo.write("zlib/zlib.spec", support::spec("2", "1", ""));
    let config = CONFIG.replace("[components.hello]\n", WEB).replace(
        "[components.other]\nspec = { type = \"local\", path = \"other/other.spec\" }\n",
        "[components.new]\nspec = { type = \"local\", path = \"other/other.spec\" }\n",
    );
    project.repo.write("lazuli.toml", config);
    std::fs::remove_file(project.repo.folder.join("broken/broken.spec")).unwrap();
    project.repo.commit("two", 2);
    // What is on the disk does not matter.
    project.repo.write("lazuli.toml", "broken");

    let repository = project.git();
    let root = project.repo.folder.join("lazuli.toml");
    let at = |revision: &str| ProjectState::at(&repository, revision, &root, None).unwrap();
    let (from, to) = (at("HEAD~1"), at("HEAD"));
    let environment = Environment::default();
    let side = |state| Side {
        state,
        environment: &environment,
    };
    // git needs curl, curl needs zlib and, in a circle, git.
    let dependents = |name: &str| {
        let dependent = |component: &str, needs: &str| Dependent {
            component: component.to_owned(),
            needs: needs.to_owned(),
        };
        match name {
            "zlib" => vec![dependent("curl", "zlib-devel"), dependent("gone", "zlib-devel")],
            "curl" => vec![dependent("git", "curl-devel")],
            "git" => vec![dependent("curl", "git")],
            _ => Vec::new(),
        }
    };
    let changes = changed(side(&from), side(&to), Architecture::X86_64, &dependents).unwrap();
    let lines: Vec<String> = changes
        .components
        .iter()
        .map(|one| match &one.change {
            Change::Added => format!("{}: added", one.name),
            Change::Removed => format!("{}: removed", one.name),
            Change::Changed { fields } => {
                let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
                format!("{}: {}", one.name, paths.join(" "))
            }
            Change::Dependent { path } => {
                let steps: Vec<String> = path
                    .iter()
                    .map(|step| format!("{} needs {} of {}", step.component, step.needs, step.provider))
                    .collect();
                format!("{}: {}", one.name, steps.join(", "))
            }
        })
        .collect();
    assert_eq!(
        lines,
        [
            "curl: curl needs zlib-devel of zlib",
            "git: git needs curl-devel of curl, curl needs zlib-devel of zlib",
            "new: added",
            "other: removed",
            "zlib: source.files.zlib.spec",
        ]
    );
    let unknown: Vec<String> = changes.unknown.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(unknown, ["broken"]);
    // The same state twice: nothing.
    let again = at("HEAD~1");
    let same = changed(side(&from), side(&again), Architecture::X86_64, &dependents).unwrap();
    assert_eq!(same.components, []);
    // A new compiler rebuilds everything, and says so.
    let newer = Environment {
        sandbox: Some("2".to_owned()),
        ..Environment::default()
    };
    let newer = Side {
        state: &from,
        environment: &newer,
    };
    let all = changed(side(&from), newer, Architecture::X86_64, &dependents).unwrap();
    assert_eq!(all.components.len(), 5);
    assert!(all.components.iter().all(
        |one| matches!(&one.change, Change::Changed { fields } if fields[0].path == "environment.sandbox")
    ));
}
