//! What is to be built.

use crate::check::Allowances;
use crate::{BuildError, Digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The machine that packages are made for, as rpm names it: `x86_64`, `aarch64`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Architecture(String);

impl Architecture {
    /// Fails where a name could not be one of an architecture.
    pub fn new(name: impl Into<String>) -> Result<Self, BuildError> {
        let name = name.into();
        let is_good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if is_good {
            Ok(Self(name))
        } else {
            Err(BuildError::BadInput {
                what: "architecture",
                value: name,
                reason: "letters, digits and `_` are expected",
            })
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Architecture {
    type Error = BuildError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<Architecture> for String {
    fn from(architecture: Architecture) -> Self {
        architecture.0
    }
}

/// The time that everything gets which is made: seconds since 1970, `SOURCE_DATE_EPOCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceDateEpoch(pub u32);

/// A spec or a source, by name and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Its file name, without folders.
    pub name: String,
    /// What it must have. Checked while it is put into the buildroot.
    pub digest: Digest,
    /// Where its bytes are.
    pub content: InputContent,
}

/// Where the bytes of an input are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputContent {
    /// In a file.
    Path(PathBuf),
    /// Here.
    Bytes(Vec<u8>),
}

impl InputFile {
    /// An input that is in memory; its digest is made here.
    pub fn bytes(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        let content = content.into();
        Self {
            name: name.into(),
            digest: Digest::of(&content),
            content: InputContent::Bytes(content),
        }
    }

    /// An input in a file, with the digest that it must have.
    pub fn path(name: impl Into<String>, path: impl Into<PathBuf>, digest: Digest) -> Self {
        Self {
            name: name.into(),
            digest,
            content: InputContent::Path(path.into()),
        }
    }
}

/// What is done about `%check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tests {
    /// It runs.
    #[default]
    Run,
    /// It does not: `--nocheck`.
    Skip,
}

/// How the spec is built: what the component's `build` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BuildOptions {
    /// `--with`.
    pub with: Vec<String>,
    /// `--without`.
    pub without: Vec<String>,
    /// `--define`.
    pub defines: BTreeMap<String, String>,
    /// `--undefine`.
    pub undefines: Vec<String>,
    /// `%check`.
    pub tests: Tests,
}

/// Macros that the distribution sets, beside those of its packages: `dist`, `vendor`, …
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Macros(pub BTreeMap<String, String>);

/// What a build may take. None of it is part of its key: it changes whether a build succeeds, never what it gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Time for each run of rpmbuild.
    pub timeout: Duration,
    /// Memory in bytes; `None` for no limit.
    pub memory: Option<u64>,
    /// Processes and threads at once.
    pub processes: u32,
    /// Bytes that the build may write; `None` for no limit.
    pub disk: Option<u64>,
    /// Processors: `_smp_build_ncpus`.
    pub processors: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2 * 60 * 60),
            memory: None,
            processes: 4096,
            disk: None,
            processors: 1,
        }
    }
}

/// What must come out, as far as it is known from the spec. Not part of the key: the spec is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Expected {
    /// `[EPOCH:]VERSION-RELEASE` of the main package; `None` where it is not known.
    pub evr: Option<String>,
    /// Names of the packages that must come out; others may, such as those with debug information.
    pub packages: Vec<String>,
}

/// All that one build of one component is made from, but for its buildroot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildJob {
    /// The component.
    pub component: String,
    /// The rendered spec; its name ends with `.spec`.
    pub spec: InputFile,
    /// Sources and patches.
    pub sources: Vec<InputFile>,
    /// What the spec's `BuildRequires` are, in rpm's words, without those that it generates.
    pub requires: Vec<String>,
    /// How it is built.
    pub options: BuildOptions,
    /// Macros of the distribution.
    pub macros: Macros,
    /// For which machine.
    pub architecture: Architecture,
    /// The time of what is made.
    pub epoch: SourceDateEpoch,
    /// What may be in its packages that others may not have.
    pub allowances: Allowances,
    /// What must come out.
    pub expected: Expected,
    /// What it may take.
    pub limits: Limits,
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A job for tests.
    pub(crate) fn job() -> BuildJob {
        BuildJob {
            component: "hello".to_owned(),
            spec: InputFile::bytes("hello.spec", "Name: hello\n"),
            sources: Vec::new(),
            requires: Vec::new(),
            options: BuildOptions::default(),
            macros: Macros::default(),
            architecture: Architecture::new("x86_64").unwrap(),
            epoch: SourceDateEpoch(1_700_000_000),
            allowances: Allowances::default(),
            expected: Expected::default(),
            limits: Limits::default(),
        }
    }

    #[test]
    fn a_job_goes_through_json() {
        let job = job();
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<BuildJob>(&text).unwrap(), job);
        assert!(serde_json::from_str::<Architecture>("\"x86/64\"").is_err());
    }
}
