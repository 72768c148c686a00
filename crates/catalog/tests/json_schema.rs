//! The JSON schema that is checked in is the one of the types. `UPDATE_EXPECT=1 cargo test` writes it anew.
#![allow(clippy::unwrap_used)]

use std::path::Path;

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
