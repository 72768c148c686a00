//! Several overlays: in order, all or nothing, the same each time, and their result is a spec.

use std::fs;
use std::process::Command;

use lazuli_component::overlay::FileAction;
use lazuli_component::{Content, FileMode, SourcePath, SourceTree, StoredFile, TreeChange};

use crate::{contents, failure, run, sample};

const ALL: &str = "
[[overlays]]
type = 'spec-add-tag'
tag = 'BuildRequires'
value = 'cmake'
[[overlays]]
type = 'spec-remove-tag'
tag = 'BuildRequires'
value = 'gcc'
[[overlays]]
type = 'patch-add'
source = 'patches/new.patch'
[[overlays]]
type = 'patch-remove'
file = 'new.patch'
[[overlays]]
type = 'patch-add'
source = 'patches/new.patch'
[[overlays]]
type = 'spec-remove-subpackage'
package = 'devel'
[[overlays]]
type = 'spec-search-replace'
section = '%build'
regex = '^make$'
replacement = 'cmake .'
[[overlays]]
type = 'file-rename'
file = 'Makefile'
replacement = 'GNUmakefile'
[[overlays]]
type = 'file-prepend-lines'
file = 'GNUmakefile'
lines = ['# first']
";

#[test]
fn later_overlays_see_what_earlier_ones_did() {
    let mut tree = sample();
    let applied = run(&mut tree, ALL).unwrap();
    assert_eq!(applied.overlays.len(), 9);
    assert_eq!(
        applied.overlays[7].changes[0].action,
        FileAction::Renamed {
            to: "GNUmakefile".into()
        }
    );
    let contents = contents(&tree);
    assert!(contents["GNUmakefile"].starts_with(b"# first\nall:"));
    assert!(contents.contains_key("new.patch"));
    let spec = String::from_utf8(contents["sample.spec"].clone()).unwrap();
    assert!(
        spec.contains("Patch2: new.patch\nBuildRequires: cmake\n\n%description"),
        "{spec}"
    );
    assert!(spec.contains("    --enable-old\ncmake .\n"));
    assert!(!spec.contains("devel"));
    // The same again is the same.
    let mut again = sample();
    run(&mut again, ALL).unwrap();
    assert!(tree.changes(&again).is_empty());
}

#[test]
fn one_that_fails_undoes_all() {
    let text = format!(
        "{ALL}\n[[overlays]]\ntype = 'spec-update-tag'\ndescription = 'Last'\ntag = 'Epoch'\nvalue = '1'\n"
    );
    let shown = failure(&sample(), &text);
    assert!(
        shown.starts_with("overlay 10 (spec-update-tag) “Last” at sample.comp.toml:100 does not apply"),
        "{shown}"
    );
    // Each of them, when it is the last.
    let tables: Vec<&str> = ALL
        .split("[[overlays]]")
        .filter(|table| !table.trim().is_empty())
        .collect();
    for count in 0..tables.len() {
        let mut text = String::new();
        for table in &tables[..count] {
            text.push_str(&format!("[[overlays]]{table}"));
        }
        text.push_str("[[overlays]]\ntype = 'file-remove'\nfile = 'nothing'\n");
        failure(&sample(), &text);
    }
}

#[test]
fn the_result_is_a_spec() {
    if Command::new("rpmspec").arg("--version").output().is_err() {
        eprintln!("SKIPPED: rpmspec is not installed");
        return;
    }
    let mut tree = sample();
    let before = contents(&tree);
    run(&mut tree, ALL).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.spec"), folder.path().join("new.spec"));
    fs::write(&old, &before["sample.spec"]).unwrap();
    fs::write(&new, &contents(&tree)["sample.spec"]).unwrap();
    for name in ["first.patch", "second.patch", "new.patch"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let output = Command::new("rpmspec")
        .args(["-q", "--qf", "%{name} [%{patch},] [%{requires},]\n"])
        .args([
            "--srpm",
            "--define",
            &format!("_sourcedir {}", folder.path().display()),
        ])
        .args([&old, &new])
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "sample second.patch,first.patch, gcc,\nsample new.patch,second.patch,first.patch, cmake,\n"
    );
}

#[test]
fn trees_are_loaded_compared_and_read_when_needed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("sub/.git")).unwrap();
    fs::write(folder.path().join("x.spec"), "Name: x\n").unwrap();
    fs::write(folder.path().join("sub/run.sh"), "#!/bin/sh\n").unwrap();
    fs::write(folder.path().join(".gitignore"), "x\n").unwrap();
    fs::write(folder.path().join("sub/.git/config"), "x\n").unwrap();
    std::os::unix::fs::symlink("run.sh", folder.path().join("sub/link")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path().join("sub/run.sh"), mode).unwrap();
    let spec = || SourcePath::new("x.spec").unwrap();
    let tree = SourceTree::load(folder.path(), spec()).unwrap();
    let names: Vec<&str> = tree.files().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["sub/link", "sub/run.sh", "x.spec"]);
    assert_eq!(tree.get("sub/run.sh").unwrap().mode, FileMode::Executable);
    assert!(SourceTree::load(folder.path(), SourcePath::new("y.spec").unwrap()).is_err());

    let mut other = tree.clone();
    assert!(other.remove("x.spec").is_none() && other.remove("sub/link").is_some());
    other.put(SourcePath::new("sub/run.sh").unwrap(), "echo\n");
    other.put(SourcePath::new("a").unwrap(), "a");
    let shown: Vec<String> = tree
        .changes(&other)
        .into_iter()
        .map(|(path, change)| {
            let kind = match change {
                TreeChange::Added { .. } => "added",
                TreeChange::Removed { .. } => "removed",
                TreeChange::Changed { .. } => "changed",
            };
            format!("{kind} {path}")
        })
        .collect();
    assert_eq!(shown, ["added a", "removed sub/link", "changed sub/run.sh"]);

    // A file of the store is the same as its bytes, and is not taken when it is damaged.
    let path = folder.path().join("stored");
    fs::write(&path, "a").unwrap();
    let bytes = Content::from("a");
    let stored = Content::Stored(std::sync::Arc::new(StoredFile {
        path: path.clone(),
        sha256: bytes.sha256(),
        size: 1,
    }));
    assert!(stored.same(&bytes));
    assert_eq!(&*stored.read().unwrap(), b"a");
    fs::write(&path, "b").unwrap();
    let error = stored.read().unwrap_err().to_string();
    assert!(error.ends_with("the store is damaged"), "{error}");
    for name in ["", "/x", "a//b", "a/../b", "./a", "a\nb"] {
        assert!(SourcePath::new(name).is_err(), "{name:?}");
    }
}
