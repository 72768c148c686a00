//! What is wrong with a package.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Somebody should look.
    Warning,
    /// The packages may not be used.
    Error,
}

/// What a component may have in its packages that others may not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Allowances {
    /// Paths that may be setuid or setgid.
    pub setuid: BTreeSet<String>,
    /// Paths that everybody may write to.
    pub world_writable: BTreeSet<String>,
    /// Paths that may have file capabilities.
    pub capabilities: BTreeSet<String>,
    /// Paths outside the folders of packages.
    pub outside: BTreeSet<String>,
    /// Names of libraries (`libz.so.1`) that may go.
    pub lost_sonames: BTreeSet<String>,
    /// Paths of ELF files that may have no build-id.
    pub without_build_id: BTreeSet<String>,
    /// Paths that may name the folder in which they were built.
    pub build_paths: BTreeSet<String>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A path is outside the folders of packages, or in one that belongs to the build.
    Outside,
    /// A file is setuid or setgid.
    SetId {
        /// Its mode, octal.
        mode: String,
    },
    /// Everybody may write to it.
    WorldWritable {
        /// Its mode, octal.
        mode: String,
    },
    /// It has file capabilities.
    Capabilities {
        /// Which.
        text: String,
    },
    /// Its owner or group is no usual one of packages: a user of the build, or a number.
    Owner {
        /// `USER:GROUP`.
        owner: String,
    },
    /// An ELF file has no build-id.
    NoBuildId,
    /// A file names the folder in which it was built.
    BuildPath {
        /// What it names.
        text: String,
    },
    /// A library that the previous build had is gone: what needs it will not install.
    LostSoname {
        /// Its soname.
        soname: String,
    },
    /// A library that the previous build did not have.
    NewSoname {
        /// Its soname.
        soname: String,
    },
    /// A package of the previous build did not come out.
    LostPackage,
    /// Name, EVR or architecture is not as the spec said.
    Name {
        /// As it should be.
        expected: String,
    },
    /// A file is in the buildroot of the spec, and in no package.
    Unpackaged,
    /// A package has scriptlets; ours have none.
    Scriptlet {
        /// Which.
        name: String,
    },
}

/// Something that is wrong with a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// In which package.
    pub package: String,
    /// In which file, where it is about one.
    pub path: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub kind: FindingKind,
}

impl Finding {
    /// Whether packages with it may not be used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
