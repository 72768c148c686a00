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

/// The versions of all that the builder does: itself, the layout of buildroots, the sandbox.
pub(crate) fn builder_version() -> String {
    let (layout, sandbox) = (crate::buildroot::LAYOUT_VERSION, lazuli_sandbox::VERSION);
    format!("builder {BUILDER_VERSION}, buildroot {layout}, sandbox {sandbox}")
}

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
/// | `builder` | [`BUILDER_VERSION`], the versions of the buildroots' layout and of the sandbox |
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
        put("builder".to_owned(), builder_version());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::tests::job;
    use crate::{ContentDigest, InputFile, Origin, RootPackage};
    use expect_test::expect;
    use lazuli_rpm::{Evr, Nevra};

    fn package(name: &str, release: &str, content: &str) -> RootPackage {
        RootPackage {
            nevra: Nevra {
                name: name.to_owned(),
                evr: Evr::new(0, "1", release),
                arch: "x86_64".to_owned(),
            },
            digest: Digest::of(release.as_bytes()),
            content: ContentDigest(Digest::of(content.as_bytes())),
            path: "/x".into(),
            origin: Origin::Imported,
        }
    }

    fn key(job: &BuildJob, packages: Vec<RootPackage>) -> BuildKey {
        BuildKey::new(KeyInputs {
            job,
            buildroot: &PackageSet::new(packages),
            generated: &[],
        })
    }

    #[test]
    fn what_does_not_change_the_result_is_not_in_it() {
        let first = job();
        let mut second = job();
        second.limits.processors = 8;
        second.limits.memory = Some(1);
        second.expected.packages.push("x".to_owned());
        let rebuilt = key(&second, vec![package("b", "2", "same"), package("a", "1", "a")]);
        let old = key(&first, vec![package("a", "1", "a"), package("b", "1", "same")]);
        assert_eq!(old.digest(), rebuilt.digest(), "early cut-off");
    }

    #[test]
    fn changes_are_told_by_field() {
        let old = key(&job(), vec![package("gcc", "1", "one"), package("old", "1", "x")]);
        let mut job = job();
        job.sources.push(InputFile::bytes("new.patch", "x"));
        job.epoch.0 += 1;
        job.options.defines.insert("a".to_owned(), "b".to_owned());
        let new = key(&job, vec![package("gcc", "2", "two")]);
        assert_ne!(old.digest(), new.digest());
        let lines: Vec<String> = new
            .changes(&old)
            .iter()
            .map(|change| change.to_string())
            .collect();
        expect![[r#"
            define a is new: b
            epoch was 1700000000, is 1700000001
            package gcc.x86_64 was 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed, is 3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3
            package old.x86_64 is gone: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
            source new.patch is new: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"#]]
        .assert_eq(&lines.join("\n"));
    }
}
