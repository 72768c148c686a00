//! Build options in the spec, as rpm reads them.

use std::fs;
use std::process::Command;

use lazuli_catalog::{BuildSettings, CheckPhase};
use lazuli_component::overlay::prepare;
use lazuli_component::{SourcePath, SourceTree};

use crate::{contents, sample};

fn settings() -> BuildSettings {
    BuildSettings {
        with: vec!["docs".into()],
        without: vec!["tests".into()],
        defines: [
            ("colour", "blue"),
            ("empty", ""),
            ("long", "one\ntwo"),
            ("nested", "%{colour}-%{?nothing}x"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect(),
        undefines: vec!["_unwanted".into()],
        check: CheckPhase::Skip {
            reason: "needs 100 % of a network".into(),
        },
        ..BuildSettings::default()
    }
}

const HEADER: [&str; 2] = ["Rendered; 100 % generated.", ""];

#[test]
fn options_come_as_a_macros_file() {
    let mut tree = sample();
    let before = contents(&tree);
    let prepared = prepare(&mut tree, "sample", &HEADER, &settings()).unwrap();
    assert_eq!(prepared.macros.unwrap().as_str(), "sample.lazuli.macros");
    assert!(prepared.warnings.is_empty());
    let after = contents(&tree);
    assert_eq!(
        String::from_utf8_lossy(&after["sample.lazuli.macros"]),
        "%_with_docs --with-docs\n%_without_tests --without-tests\n%colour blue\n%empty %{nil}\n%long one\\\ntwo\n\
         %nested %{colour}-%{?nothing}x\n"
    );
    let spec = String::from_utf8(after["sample.spec"].clone()).unwrap();
    assert!(spec.starts_with(
        "# Rendered; 100 %% generated.\n#\n%{load:%{_sourcedir}/sample.lazuli.macros}\n%undefine _unwanted\n\nName: sample\n"
    ));
    assert!(spec.contains("Source0: sample-1.0.tar.gz\nSource9999: sample.lazuli.macros\nPatch0"));
    assert!(spec.contains("%check\n# Skipped: needs 100 %% of a network\nexit 0\nmake check\n"));
    // All that was there is there, in its order.
    let old = String::from_utf8(before["sample.spec"].clone()).unwrap();
    let mut lines = spec.lines();
    assert!(old.lines().all(|line| lines.any(|other| other == line)));
}

#[test]
fn nothing_is_added_for_nothing() {
    let mut tree = sample();
    let prepared = prepare(&mut tree, "sample", &[], &BuildSettings::default()).unwrap();
    assert!(prepared.macros.is_none() && prepared.changes.is_empty());
    assert!(sample().changes(&tree).is_empty());
    // A number that is taken is left alone; a %check that is not there is a warning.
    let spec = "Name: x\nSource9999: a\n%description\nx\n";
    let mut tree = SourceTree::new(SourcePath::new("x.spec").unwrap(), spec);
    let prepared = prepare(&mut tree, "x", &[], &settings()).unwrap();
    assert_eq!(
        prepared.warnings,
        ["`check.skip` has no effect: the spec has no %check"]
    );
    let text = contents(&tree)["x.spec"].clone();
    assert!(String::from_utf8_lossy(&text).contains("Source9999: a\nSource10000: x.lazuli.macros\n"));
    for name in ["a b", "", "x\ny", "x{"] {
        let mut settings = BuildSettings::default();
        settings.with.push(name.into());
        assert!(prepare(&mut tree, "x", &[], &settings).is_err(), "{name:?}");
        let mut settings = BuildSettings::default();
        settings.undefines.push(name.into());
        assert!(prepare(&mut tree, "x", &[], &settings).is_err(), "{name:?}");
    }
}

#[test]
fn rpm_reads_the_options() {
    if Command::new("rpmspec").arg("--version").output().is_err() {
        eprintln!("SKIPPED: rpmspec is not installed");
        return;
    }
    let spec = "%bcond_with docs\n%bcond_without tests\nName: x\nVersion: 1\nRelease: 1\nLicense: MIT\n\
                Summary: [%{with docs}%{with tests}|%{colour}|%{empty}|%{nested}|%{?_unwanted}]\n\
                %description\n%{long}\n%check\nfalse\n";
    let mut tree = SourceTree::new(SourcePath::new("x.spec").unwrap(), spec);
    prepare(&mut tree, "x", &HEADER, &settings()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in contents(&tree) {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let output = Command::new("rpmspec")
        .args(["-q", "--qf", "%{summary} %{description}\n"])
        .args(["--define", &format!("_sourcedir {}", folder.path().display())])
        .args(["--define", "_unwanted yes"])
        .arg(folder.path().join("x.spec"))
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
        "[10|blue||blue-x|] one\ntwo\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
