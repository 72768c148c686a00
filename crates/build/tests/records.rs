//! What accompanies packages, judged by others: the statement by in-toto's own classes, the signature by rpm.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Bench, EPOCH, Tree, hello, paths, skip};
use lazuli_build::{BuildSettings, Built, Cancel, Keep, build};
use lazuli_openpgp::{KeyAlgorithm, SigningKey};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// A Python environment with the validator, made once below `target`.
fn validator() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/validators-in-toto");
    let python = folder.join("bin/python3");
    let done = folder.join("complete");
    if !done.exists() {
        succeed(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        );
        let pip = ["-m", "pip", "install", "--quiet", "in-toto-attestation==0.9.3"];
        succeed(Command::new(&python).args(pip));
        std::fs::write(done, "").unwrap();
    }
    python
}

/// Unknown fields, wrong types and missing ones are refused; a changed statement must be, or nothing was judged.
const VALIDATE: &str = r#"
import json, sys
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

def validate(document):
    statement = json_format.ParseDict(document, statement_pb2.Statement())
    Statement.copy_from_pb(statement).validate()
    if statement.predicate_type != "https://slsa.dev/provenance/v1":
        raise ValueError("predicate type")
    predicate = json_format.ParseDict(document["predicate"], provenance_pb2.Provenance())
    definition = predicate.build_definition
    for needed in (definition.build_type, definition.external_parameters.fields, predicate.run_details.builder.id):
        if not needed:
            raise ValueError("a required field is empty")
    for dependency in definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(dependency).validate()
        if len(dependency.digest["sha256"]) != 64:
            raise ValueError("digest")

document = json.load(open(sys.argv[1]))
validate(document)
for spoil in (
    lambda d: d.update(subject=[]),
    lambda d: d["predicate"].update(unknown=1),
    lambda d: d["predicate"]["runDetails"]["builder"].pop("id"),
    lambda d: d["predicate"]["buildDefinition"]["resolvedDependencies"][0].pop("digest"),
):
    spoiled = json.loads(json.dumps(document))
    spoil(spoiled)
    try:
        validate(spoiled)
    except Exception:
        continue
    sys.exit("a spoiled statement was taken for a good one")
"#;

fn signed(bench: &Bench, key: &SigningKey, name: &str) -> Built {
    let (work, results) = (bench.work(), bench.results(name));
    let signer = key.signer(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(EPOCH)));
    let settings = BuildSettings {
        work: &work,
        results: &results,
        keep: Keep::Never,
        signer: Some(&signer),
        previous: &[],
        builder: "urn:lazuli:test",
    };
    build(&hello(), &Tree, &settings, &bench.record, &Cancel::default())
        .unwrap()
        .unwrap_or_else(|failure| panic!("{}\n{}", failure.reason, bench.record.text()))
}

#[test]
fn records_and_signatures_stand_before_others() {
    if skip(&["rpmbuild", "gcc", "rpmkeys", "python3"]) {
        return;
    }
    let bench = Bench::new();
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let key = SigningKey::generate(KeyAlgorithm::Ed25519, "Test <test@localhost>", created).unwrap();
    let first = signed(&bench, &key, "first");
    let second = signed(&bench, &key, "second");

    // The same build gives the same bytes, signatures and statement included.
    for (one, other) in paths(&first).iter().zip(paths(&second)) {
        assert_eq!(
            std::fs::read(one).unwrap(),
            std::fs::read(&other).unwrap(),
            "{}",
            other.display()
        );
    }
    let text = std::fs::read_to_string(&first.provenance).unwrap();
    assert_eq!(text, std::fs::read_to_string(&second.provenance).unwrap());

    // rpm takes the signatures, with the key and only with it.
    let database = bench.dir.path().join("rpmdb");
    let certificate = bench.dir.path().join("key.asc");
    std::fs::write(&certificate, key.certificate().unwrap()).unwrap();
    let check = |path: &Path| {
        let mut command = Command::new("rpmkeys");
        command
            .arg("--dbpath")
            .arg(&database)
            .args(["--define", "_pkgverify_level all", "-Kv"])
            .arg(path);
        command.output().unwrap()
    };
    let paths = paths(&first);
    assert!(!check(&paths[0]).status.success(), "a key that nobody imported");
    succeed(
        Command::new("rpmkeys")
            .arg("--dbpath")
            .arg(&database)
            .arg("--import")
            .arg(&certificate),
    );
    for path in &paths {
        let output = check(path);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("key ID"), "{text}");
    }

    check_statement(&first, &text);
    succeed(
        Command::new(validator())
            .args(["-c", VALIDATE])
            .arg(&first.provenance),
    );
}

/// The statement names every package and every input.
fn check_statement(built: &Built, text: &str) {
    let statement: serde_json::Value = serde_json::from_str(text).unwrap();
    let subjects = statement["subject"].as_array().unwrap();
    assert_eq!(subjects.len(), 4);
    for package in built.packages.iter().chain([&built.source_package]) {
        let name = package.path.file_name().unwrap().to_str().unwrap();
        let subject = subjects.iter().find(|subject| subject["name"] == name).unwrap();
        assert_eq!(subject["digest"]["sha256"], package.digest.to_string());
    }
    let inputs = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        .as_array()
        .unwrap();
    let names: Vec<&str> = inputs
        .iter()
        .map(|input| input["name"].as_str().unwrap())
        .collect();
    let sources = ["hello.spec", "hello.c", "greet.c", "greet.h"];
    assert_eq!(names, [&sources[..], &["macros", "gcc-14.2-1.x86_64"]].concat());
}
