//! Where packages came from: an in-toto Statement v1 with the SLSA provenance v1 predicate.
//!
//! The specifications are in-toto's `spec/v1/statement.md` and `resource_descriptor.md`, and SLSA's `provenance/v1`.
//!
//! | field | what |
//! |---|---|
//! | `subject` | each package file, the source package too, with its SHA-256 |
//! | `externalParameters` | what somebody asked for: component, version, architecture, options |
//! | `internalParameters` | what the builder decided: versions of what it does, the digest of the build's key |
//! | `resolvedDependencies` | each input by digest: spec, sources, macros, and every package of the buildroot |
//! | `runDetails.builder` | who built, and with which version |
//!
//! There is no time in it, and nothing of the machine: the same build gives the same statement.

use crate::buildroot::{Origin, PackageSet, RootPackage};
use crate::key::BuildKey;
use crate::{BuildJob, BuiltPackage, Digest, Macros, Tests};
use lazuli_rpm::Nevra;
use serde_json::{Value, json};
use std::fmt::Write as _;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://slsa.dev/provenance/v1";

/// What kind of build this is: it says what the parameters mean. They are those of this page.
const BUILD_TYPE: &str = "urn:lazuli:build:rpm:v1";

/// What a statement is made from.
#[derive(Debug, Clone, Copy)]
pub struct ProvenanceInputs<'a> {
    /// The build.
    pub job: &'a BuildJob,
    /// Its key.
    pub key: &'a BuildKey,
    /// `[EPOCH:]VERSION-RELEASE` of the component.
    pub evr: &'a str,
    /// The packages of its buildroot.
    pub buildroot: &'a PackageSet,
    /// What came out, the source package included.
    pub packages: &'a [BuiltPackage],
    /// Who built: a URI.
    pub builder: &'a str,
}

/// An in-toto statement, as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance(Value);

impl Provenance {
    /// The statement's text, with a final line end. The same inputs give the same bytes.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.0)
    }

    /// The statement as a value.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

/// States where packages came from.
pub fn provenance(inputs: ProvenanceInputs<'_>) -> Provenance {
    let job = inputs.job;
    let mut subjects: Vec<Value> = inputs
        .packages
        .iter()
        .map(|package| {
            let name = package.path.file_name().unwrap_or_default().to_string_lossy();
            json!({"name": name, "digest": sha256(package.digest)})
        })
        .collect();
    subjects.sort_by_key(|subject| subject["name"].to_string());
    Provenance(json!({
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": external(job, inputs.evr),
                "internalParameters": {
                    "key": inputs.key.digest().to_string(),
                    "sourceDateEpoch": job.epoch.0,
                },
                "resolvedDependencies": dependencies(job, inputs.buildroot),
            },
            "runDetails": {
                "builder": {
                    "id": inputs.builder,
                    "version": {
                        "lazuli-build": env!("CARGO_PKG_VERSION"),
                        "build-rules": crate::key::builder_version(),
                    },
                },
            },
        },
    }))
}

fn external(job: &BuildJob, evr: &str) -> Value {
    let options = &job.options;
    json!({
        "component": job.component,
        "version": evr,
        "architecture": job.architecture.as_str(),
        "spec": job.spec.name,
        "with": options.with,
        "without": options.without,
        "defines": options.defines,
        "undefines": options.undefines,
        "check": options.tests == Tests::Run,
    })
}

fn dependencies(job: &BuildJob, buildroot: &PackageSet) -> Vec<Value> {
    let mut found = vec![json!({
        "name": job.spec.name,
        "digest": sha256(job.spec.digest),
        "annotations": {"kind": "spec"},
    })];
    found.extend(job.sources.iter().map(|source| {
        json!({
            "name": source.name,
            "digest": sha256(source.digest),
            "annotations": {"kind": "source"},
        })
    }));
    found.push(json!({
        "name": "macros",
        "digest": sha256(digest_of_macros(&job.macros)),
        "annotations": {"kind": "macros", "macros": job.macros.0},
    }));
    found.extend(buildroot.packages().iter().map(root_package));
    found
}

fn root_package(package: &RootPackage) -> Value {
    let origin = match package.origin {
        Origin::Imported => "imported",
        Origin::Built => "built",
    };
    json!({
        "name": package.nevra.to_string(),
        "uri": package_url(&package.nevra),
        "digest": sha256(package.digest),
        "annotations": {"kind": "buildroot", "origin": origin},
    })
}

/// The digest of lines `%name value`, sorted by name.
fn digest_of_macros(macros: &Macros) -> Digest {
    let mut text = String::new();
    for (name, value) in &macros.0 {
        text.push_str(&format!("%{name} {value}\n"));
    }
    Digest::of(text.as_bytes())
}

fn sha256(digest: Digest) -> Value {
    json!({"sha256": digest.to_string()})
}

/// A package URL (ECMA-427), type `rpm`.
fn package_url(nevra: &Nevra) -> String {
    let Nevra { name, evr, arch } = nevra;
    let version = format!("{}-{}", evr.version, evr.release);
    let mut url = format!(
        "pkg:rpm/lazuli/{}@{}?arch={arch}",
        escaped(name),
        escaped(&version)
    );
    if evr.epoch != 0 {
        let _ = write!(url, "&epoch={}", evr.epoch);
    }
    url
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazuli_rpm::Evr;

    #[test]
    fn package_urls() {
        let nevra = Nevra {
            name: "libstdc++6".to_owned(),
            evr: Evr::new(2, "14.2.0", "19~x"),
            arch: "x86_64".to_owned(),
        };
        assert_eq!(
            package_url(&nevra),
            "pkg:rpm/lazuli/libstdc%2B%2B6@14.2.0-19~x?arch=x86_64&epoch=2"
        );
    }
}
