//! The bills of materials hold up before the official validators, which are Python programs. They are installed once
//! into a folder of the build; where that is not possible (no network), the test says so and is skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use lazuli_image::manifest::{Kernel, Manifest, SCHEMA};
use lazuli_image::sbom;

use crate::support;

const TOOLS: &[&str] = &[
    "spdx-tools==0.8.3",
    "cyclonedx-python-lib[json-validation]==11.0.0",
];

fn manifest() -> Manifest {
    Manifest {
        capabilities: Vec::new(),
        channels: Vec::new(),
        schema: SCHEMA,
        name: "server".to_owned(),
        version: "2.0".to_owned(),
        arch: "x86_64".to_owned(),
        distribution: "Lazuli".to_owned(),
        labels: std::collections::BTreeMap::new(),
        created: "2023-11-14T22:13:20Z".to_owned(),
        epoch: 1_700_000_000,
        kernel: Kernel {
            release: support::KERNEL.to_owned(),
            command_line: String::new(),
            initrd_size: 0,
            initrd_modules: Vec::new(),
            image_size: 0,
            image_sha256: String::new(),
        },
        disk_size: 0,
        disk_uuid: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, b"disk"),
        partitions: Vec::new(),
        content_size: 0,
        artefacts: Vec::new(),
        packages: support::packages(),
    }
}

/// A Python with the validators; `None`, with a loud word, where it cannot be had.
fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sbom-validators");
    let python = folder.join("bin/python");
    let done = folder.join("complete");
    let run = |program: &Path, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !done.exists() {
        let mut install = vec!["-m", "pip", "install", "-q", "--disable-pip-version-check"];
        install.extend(TOOLS);
        let made = run(
            Path::new("python3"),
            &["-m", "venv", "--clear", folder.to_str().unwrap()],
        ) && run(&python, &install);
        if !made {
            eprintln!("SKIPPED: the validators {TOOLS:?} could not be installed");
            return None;
        }
        std::fs::write(&done, "").unwrap();
    }
    Some(python)
}

#[test]
fn both_documents_validate() {
    let folder = tempfile::tempdir().unwrap();
    let (spdx, cyclonedx) = (
        folder.path().join("image.spdx.json"),
        folder.path().join("image.cdx.json"),
    );
    std::fs::write(&spdx, sbom::spdx(&manifest()).unwrap()).unwrap();
    std::fs::write(&cyclonedx, sbom::cyclonedx(&manifest()).unwrap()).unwrap();
    let Some(python) = python() else { return };
    let script = r#"
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
document = parse_file(sys.argv[1])
messages = [m.validation_message for m in validate_full_spdx_document(document)]
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[2]).read())
print(len(document.packages), messages, error)
sys.exit(1 if messages or error else 0)
"#;
    let output = Command::new(python)
        .arg("-c")
        .arg(script)
        .args([&spdx, &cyclonedx])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert_eq!(
        text.split_whitespace().next(),
        Some("7"),
        "the image and its packages: {text}"
    );
}

#[test]
fn the_same_image_gives_the_same_documents() {
    assert_eq!(sbom::spdx(&manifest()).unwrap(), sbom::spdx(&manifest()).unwrap());
    let text = String::from_utf8(sbom::cyclonedx(&manifest()).unwrap()).unwrap();
    assert!(
        text.contains("pkg:rpm/lazuli/libstdc%2B%2B6@14.2.0-1%2Bdeb13u1?arch=x86_64"),
        "{text}"
    );
    assert!(text.contains("&epoch=1"));
}
