//! Edited specs are still specs to rpm, and say what they should.

use std::fs;
use std::process::Command;

use lazuli_spec::{Document, Edit, EditError, Scope};

use crate::SPEC;

type Change = fn(&mut Document) -> Result<Edit, EditError>;

/// An edit, and what `rpmspec -P` must show and must not show after it.
const EDITS: [(&str, Change, &[&str], &[&str]); 9] = [
    (
        "as it is",
        |_| Ok(Edit::default()),
        &["Version:        1.2.3", "%package doc"],
        &[],
    ),
    (
        "add",
        |document| document.add_tag(None, "BuildRequires", "cmake"),
        &["BuildRequires:  cmake"],
        &[],
    ),
    (
        "set",
        |document| document.set_tag(None, "Version", "9.9"),
        &["Version:        9.9"],
        &["1.2.3.tar"],
    ),
    (
        "append",
        |document| {
            document.append_lines(
                Scope::Section {
                    name: "%files",
                    package: Some("doc"),
                },
                &["/new".into()],
            )
        },
        &["/new"],
        &[],
    ),
    (
        "devel",
        |document| document.remove_subpackage("devel"),
        &["/sample/config"],
        &["%package devel", "%files devel"],
    ),
    (
        "doc",
        |document| document.remove_subpackage("doc"),
        &["%package devel"],
        &["%package doc", "%files doc"],
    ),
    (
        "python3",
        |document| document.remove_subpackage("python3-sample"),
        &[],
        &["%package -n"],
    ),
    (
        "patch",
        |document| document.add_patch(None, "z.patch").map(|(edit, _)| edit),
        &["Patch11:        z.patch"],
        &[],
    ),
    (
        "no patch",
        |document| {
            document
                .remove_patches("fix", &|name| name == "fix-build.patch")
                .map(|(edit, _)| edit)
        },
        &[],
        &["fix-build"],
    ),
];

#[test]
fn rpm_reads_what_was_edited() {
    if Command::new("rpmspec").arg("--version").output().is_err() {
        eprintln!("SKIPPED: rpmspec is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // `%patch` needs no files with this macro, and one process parses all specs.
    for (at, (_, change, ..)) in EDITS.iter().enumerate() {
        let mut document = Document::parse(SPEC.as_bytes());
        change(&mut document).unwrap();
        fs::write(folder.path().join(format!("{at}.spec")), document.to_bytes()).unwrap();
    }
    for source in [
        "fix-build.patch",
        "python-sample-fix-tests.patch",
        "CVE-2024-1.patch",
        "files.list",
    ] {
        fs::write(folder.path().join(source), "").unwrap();
    }
    let mut command = Command::new("rpmspec");
    command
        .arg("-P")
        .args(["--define", &format!("_sourcedir {}", folder.path().display())])
        .args(["--define", "_with_docs 1", "--define", "dist .t"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", folder.path());
    command.args((0..EDITS.len()).map(|at| folder.path().join(format!("{at}.spec"))));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The specs come one after the other, each beginning with the definitions' empty lines and its name.
    let shown: Vec<&str> = text.split("Name:           python-sample\n").skip(1).collect();
    assert_eq!(shown.len(), EDITS.len(), "{text}");
    for ((name, _, there, gone), shown) in EDITS.iter().zip(shown) {
        for text in *there {
            assert!(shown.contains(text), "{name}: no {text} in\n{shown}");
        }
        for text in *gone {
            assert!(!shown.contains(text), "{name}: {text} in\n{shown}");
        }
    }
}
