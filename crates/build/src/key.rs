//! What a build depends on, by named fields.
//!
//! Two builds with the same key give the same packages. What is not in it must not change the result: limits, the number
//! of processors, the host, the folder, the clock. The fields have names, so that "why is this rebuilt" is answered field by
//! field: [`BuildKey::changes`].

use crate::buildroot::PackageSet;
use crate::{BuildJob, Digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of what the builder does to what it builds. Raised when the same inputs would give other packages.
pub const BUILDER_VERSION: u32 = 1;

/// What a key is made from.
#[derive(Debug, Clone, Copy)]
pub struct KeyInputs<'a> {
    /// The build.
    pub job: &'a BuildJob,
    /// The packages of its buildroot, those for the generated requirements included.
    pub buildroot: &'a PackageSet,
    /// Requirements that `%generate_buildrequires` gave; empty where there is none, or where it has not run yet.
    pub generated: &'a [String],
}

/// What a build depends on. Its fields are lines of text by name:
///
/// | field | value |
/// |---|---|
/// | `component`, `architecture`, `epoch` | as in the job |
/// | `builder` | [`BUILDER_VERSION`] and the version of the buildroots' layout |
/// | `spec`, `source NAME` | digests |
/// | `macro NAME`, `define NAME`, `undefine NAME`, `with NAME`, `without NAME`, `tests` | values |
/// | `package NAME.ARCH` | the content digest of a package of the buildroot |
/// | `generated REQUIREMENT` | what `%generate_buildrequires` gave |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildKey {
    fields: BTreeMap<String, String>,
}

/// A field that differs between two keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// Its name.
    pub field: String,
    /// What it was; `None` where it was not there.
    pub old: Option<String>,
    /// What it is; `None` where it is there no more.
    pub new: Option<String>,
}

impl std::fmt::Display for KeyChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{} was {old}, is {new}", self.field),
            (None, Some(new)) => write!(f, "{} is new: {new}", self.field),
            (Some(old), None) => write!(f, "{} is gone: {old}", self.field),
            (None, None) => f.write_str(&self.field),
        }
    }
}

impl BuildKey {
    /// The key of a build.
    pub fn new(inputs: KeyInputs<'_>) -> Self {
        let job = inputs.job;
        let mut fields = BTreeMap::new();
        let mut put = |name: String, value: String| {
            fields.insert(name, value);
        };
        put("component".to_owned(), job.component.clone());
        put("architecture".to_owned(), job.architecture.as_str().to_owned());
        put("epoch".to_owned(), job.epoch.0.to_string());
        put(
            "builder".to_owned(),
            format!("{BUILDER_VERSION}.{}", crate::buildroot::LAYOUT_VERSION),
        );
        put("spec".to_owned(), job.spec.digest.to_string());
        for source in &job.sources {
            put(format!("source {}", source.name), source.digest.to_string());
        }
        for (name, value) in &job.macros.0 {
            put(format!("macro {name}"), value.clone());
        }
        let options = &job.options;
        for (name, value) in &options.defines {
            put(format!("define {name}"), value.clone());
        }
        for (kind, names) in [
            ("undefine", &options.undefines),
            ("with", &options.with),
            ("without", &options.without),
        ] {
            for name in names {
                put(format!("{kind} {name}"), "yes".to_owned());
            }
        }
        put("tests".to_owned(), format!("{:?}", options.tests).to_lowercase());
        for package in inputs.buildroot.packages() {
            let name = format!("package {}.{}", package.nevra.name, package.nevra.arch);
            put(name, package.content.to_string());
        }
        for requirement in inputs.generated {
            put(format!("generated {requirement}"), "yes".to_owned());
        }
        Self { fields }
    }

    /// Its digest: what a result is found by.
    pub fn digest(&self) -> Digest {
        let mut text = String::new();
        for (name, value) in &self.fields {
            // Lengths, so that no name or value can look like two.
            text.push_str(&format!("{} {name} {} {value}\n", name.len(), value.len()));
        }
        Digest::of(text.as_bytes())
    }

    /// The fields, by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What is different in `self` since `old`, by field.
    pub fn changes(&self, old: &Self) -> Vec<KeyChange> {
        let names: std::collections::BTreeSet<&String> =
            old.fields.keys().chain(self.fields.keys()).collect();
        names
            .into_iter()
            .filter(|name| old.fields.get(*name) != self.fields.get(*name))
            .map(|name| KeyChange {
                field: name.clone(),
                old: old.fields.get(name).cloned(),
                new: self.fields.get(name).cloned(),
            })
            .collect()
    }
}
