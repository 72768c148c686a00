//! The records beside an image: manifest and bills of materials, judged by the official Python tools.

use crate::command::{has, image_file, project, succeed};
use std::path::PathBuf;
use std::process::Command;

/// A Python environment with the validators, made once below `target`.
fn validators() -> Option<PathBuf> {
    if !has("python3") {
        return None;
    }
    let folder = project().join("target/validators");
    let python = folder.join("bin/python3");
    if !python.exists() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let tools = [
            "spdx-tools==0.8.3",
            "cyclonedx-python-lib[json-validation]==11.0.0",
        ];
        succeed(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet"])
                .args(tools),
        );
    }
    Some(python)
}

#[test]
fn bills_of_materials_validate() {
    let (spdx, cyclonedx) = (image_file(".spdx.json"), image_file(".cdx.json"));
    let Some(python) = validators() else { return };
    let script = r#"
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.schema import SchemaVersion
import json
errors = [m.validation_message for m in validate_full_spdx_document(parse_file(sys.argv[1]))]
text = open(sys.argv[2]).read()
version = json.loads(text)["specVersion"]
fault = JsonStrictValidator(SchemaVersion.from_version(version)).validate_str(text)
if fault: errors.append(str(fault))
print("\n".join(errors[:20]))
sys.exit(1 if errors else 0)
"#;
    succeed(Command::new(python).args(["-c", script]).arg(spdx).arg(cyclonedx));
}

#[test]
fn the_manifest_names_every_package_and_its_origin() {
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(image_file(".manifest.json")).unwrap()).unwrap();
    let packages = manifest["packages"].as_array().unwrap();
    assert!(packages.len() > 200);
    for package in packages {
        assert_eq!(package["sha256"].as_str().unwrap().len(), 64, "{package}");
        let ours = ["lz", "lazuli-release"].contains(&package["name"].as_str().unwrap());
        assert!(
            ours || package["origin"].as_str().unwrap().contains("sha256"),
            "{package}"
        );
    }
    for file in ["raw", "qcow2", "vhd"] {
        assert!(
            manifest["artefacts"]
                .as_array()
                .unwrap()
                .iter()
                .any(|artefact| artefact["format"] == file),
            "{file}"
        );
    }
}
