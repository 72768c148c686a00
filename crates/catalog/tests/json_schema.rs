//! The JSON schema that is checked in is the one of the types. `UPDATE_EXPECT=1 cargo test` writes it anew.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lazuli_catalog::Catalog;
use lazuli_catalog::schema::{json_schema, overlay_file_schema};

fn check(schema: &serde_json::Value, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(file);
    let text = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    expect_test::expect_file![path].assert_eq(&text);
}

#[test]
fn schemas_are_those_of_the_types() {
    check(&json_schema(), "lazuli.schema.json");
    check(&overlay_file_schema(), "overlay-file.schema.json");
}

/// What another implementation of JSON Schema says of our files is what we say.
#[test]
fn another_validator_agrees() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let available = Command::new("python3")
        .args(["-c", "import tomllib, jsonschema"])
        .stderr(Stdio::null())
        .status();
    if !available.is_ok_and(|status| status.success()) {
        println!("SKIPPED: python3 with tomllib and jsonschema is not here; install python3-jsonschema");
        return;
    }
    let say = |schema: &str, files: &[PathBuf]| -> Vec<String> {
        let schema = root.join("schema").join(schema);
        let output = Command::new("python3")
            .arg(root.join("tests/oracle.py"))
            .arg(schema)
            .args(files)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let mut good = Vec::new();
    for project in ["tests/fixtures/complete", "tests/fixtures/azldev", "../../distro"] {
        good.extend(
            Catalog::load(&root.join(project))
                .unwrap()
                .files()
                .map(Path::to_owned),
        );
    }
    assert!(good.len() > 20);
    for (file, verdict) in good.iter().zip(say("lazuli.schema.json", &good)) {
        assert_eq!(verdict, "ok", "{}", file.display());
    }
    let bad = ["unknown-keys", "wrong-types", "bad-values", "missing-keys"];
    let bad = bad.map(|name| root.join("tests/fixtures/bad").join(name).with_extension("toml"));
    assert_eq!(say("lazuli.schema.json", &bad), ["bad"; 4]);
    let overlay = root.join("tests/fixtures/azldev/base/comps/bash/overlays/0001-backport.overlay.toml");
    assert_eq!(say("overlay-file.schema.json", &[overlay]), ["ok"]);
}
