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

/// What a component may have in its packages that others may not. A path that ends with `/` stands for all below it.
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

/// Whether a set of paths has a path, or a folder above it.
pub(super) fn is_allowed(set: &BTreeSet<String>, path: &str) -> bool {
    let is_above = |entry: &String| entry.ends_with('/') && path.starts_with(entry.as_str());
    set.contains(path) || set.iter().any(is_above)
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
    /// A file looks like ELF and cannot be read as such.
    Unreadable {
        /// Why.
        reason: String,
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

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl std::fmt::Display for FindingKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outside => f.write_str("no package may have this path"),
            Self::SetId { mode } => write!(
                f,
                "setuid or setgid (mode {mode}), and the component does not allow it"
            ),
            Self::WorldWritable { mode } => {
                write!(
                    f,
                    "everybody may write to it (mode {mode}), and the component does not allow it"
                )
            }
            Self::Capabilities { text } => {
                write!(
                    f,
                    "it has the file capabilities {text}, and the component does not allow it"
                )
            }
            Self::Owner { owner } => write!(f, "its owner {owner} is a user of the build, or a number"),
            Self::NoBuildId => f.write_str("this ELF file has no build-id"),
            Self::BuildPath { text } => write!(f, "it names the folder in which it was built: {text}"),
            Self::LostSoname { soname } => {
                write!(
                    f,
                    "the previous build had the library {soname}: what needs it will not install"
                )
            }
            Self::NewSoname { soname } => write!(f, "the library {soname} is new"),
            Self::LostPackage => f.write_str("the package was expected, and did not come out"),
            Self::Name { expected } => write!(f, "its version is not {expected}, as the spec says"),
            Self::Unpackaged => f.write_str("it was installed, and is in no package"),
            Self::Scriptlet { name } => {
                write!(f, "it has the scriptlet {name}; what it does must be declared")
            }
            Self::Unreadable { reason } => write!(f, "it cannot be looked into: {reason}"),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: ", self.severity, self.package)?;
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        self.kind.fmt(f)
    }
}
