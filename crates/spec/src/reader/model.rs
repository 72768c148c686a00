//! What a spec file says, as values.

use std::sync::Arc;

pub use super::dependency::{Comparison, Dependency, DependencyKind, Origin, Qualifiers};
pub use super::file_list::{Attributes, ConfigPolicy, FileEntry, FileList, Verify};
pub use super::package::{DEFAULT_LANGUAGE, Package, TagValue};
pub use super::scriptlet::{ScriptExpansion, Scriptlet, ScriptletKind, TriggerCondition};

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The name of the file as it was given to the reader, or as `%include` names it.
    pub file: Arc<str>,
    /// The line, from 1; 0 is the file as a whole.
    pub line: u32,
}

/// A spec file as rpm understands it for one architecture.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The packages that are built: the main package first, then the sub-packages in the order of their `%package`.
    pub packages: Vec<Package>,
    /// What the source package needs to be built, and what must not be there: `BuildRequires`, `BuildConflicts`.
    pub build_dependencies: Vec<Dependency>,
    /// Sources and patches, in the order in which they are declared.
    pub sources: Vec<Source>,
    /// `ExclusiveArch`, `ExcludeArch`, `ExclusiveOS`, `ExcludeOS`.
    pub restrictions: Restrictions,
    /// `BuildArch` of the main package; empty if it is not given.
    pub build_architectures: Vec<String>,
    /// The architecture that was read for: `noarch`, or the target's.
    pub architecture: String,
    /// `%prep`, `%build` and the like, in the order of the file.
    pub build_sections: Vec<BuildSection>,
    /// `%changelog`, newest first as the file has it.
    pub changelog: Vec<ChangelogEntry>,
    /// Each `%if` and its branches that was met in text that counts, in the order of the file.
    pub conditionals: Vec<Conditional>,
    /// Each `%bcond`, `%bcond_with` and `%bcond_without`, in the order of the file.
    pub build_conditions: Vec<BuildCondition>,
    /// What could not be known: macros that nobody defines, commands that were not run.
    pub unknowns: Vec<Unknown>,
    /// What rpm would warn of, in the order in which it is found.
    pub warnings: Vec<Warning>,
    /// The files that `%include` read, in order.
    pub included: Vec<String>,
    pub(crate) expanded: Option<String>,
}

impl Spec {
    /// The main package; its name is the component's.
    #[must_use]
    pub fn main(&self) -> &Package {
        &self.packages[0]
    }

    /// The name of the main package.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.main().name
    }

    /// The version of the main package.
    #[must_use]
    pub fn version(&self) -> &str {
        self.main().version()
    }

    /// The release of the main package.
    #[must_use]
    pub fn release(&self) -> &str {
        self.main().release()
    }

    /// The epoch of the main package, where it has one.
    #[must_use]
    pub fn epoch(&self) -> Option<u32> {
        self.main().epoch
    }

    /// `[epoch:]version-release` of the main package.
    #[must_use]
    pub fn evr(&self) -> String {
        self.main().evr()
    }

    /// The package of that full name.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// What the source package needs to be built.
    pub fn build_requires(&self) -> impl Iterator<Item = &Dependency> {
        self.build_dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Requires)
    }

    /// What must not be there when it is built.
    pub fn build_conflicts(&self) -> impl Iterator<Item = &Dependency> {
        self.build_dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Conflicts)
    }

    /// The sources, without the patches.
    pub fn source_files(&self) -> impl Iterator<Item = &Source> {
        self.sources
            .iter()
            .filter(|source| source.kind == SourceKind::Source)
    }

    /// The patches.
    pub fn patches(&self) -> impl Iterator<Item = &Source> {
        self.sources
            .iter()
            .filter(|source| source.kind == SourceKind::Patch)
    }

    /// Whether its build has `%generate_buildrequires`: it needs more than [`Spec::build_requires`] says.
    #[must_use]
    pub fn generates_build_requires(&self) -> bool {
        self.build_sections
            .iter()
            .any(|section| section.kind == BuildSectionKind::GenerateBuildRequires)
    }

    /// The text with all macros expanded, as `rpmspec -P` prints it; there is none if only
    /// [`Depth::Query`](super::Depth::Query) was asked for.
    #[must_use]
    pub fn expanded(&self) -> Option<&str> {
        self.expanded.as_deref()
    }
}

/// Where a package may be built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// Only on these architectures, unless it is empty.
    pub exclusive_architectures: Vec<String>,
    /// Not on these architectures.
    pub excluded_architectures: Vec<String>,
    /// Only on these systems, unless it is empty.
    pub exclusive_systems: Vec<String>,
    /// Not on these systems.
    pub excluded_systems: Vec<String>,
}

/// Why [`Restrictions`] forbid an architecture or a system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// `ExcludeArch` or `ExcludeOS` names it.
    #[error("{0} is excluded")]
    Excluded(String),
    /// `ExclusiveArch` or `ExclusiveOS` does not name it.
    #[error("{0} is not among the exclusive ones")]
    NotIncluded(String),
}

impl Restrictions {
    /// Whether the package may be built for an architecture and a system; rpm compares without regard to case.
    pub fn check(&self, architecture: &str, system: &str) -> Result<(), Forbidden> {
        let names =
            |list: &[String], name: &str| list.iter().any(|candidate| candidate.eq_ignore_ascii_case(name));
        for (excluded, exclusive, name) in [
            (
                &self.excluded_architectures,
                &self.exclusive_architectures,
                architecture,
            ),
            (&self.excluded_systems, &self.exclusive_systems, system),
        ] {
            if names(excluded, name) {
                return Err(Forbidden::Excluded(name.to_owned()));
            }
            if !exclusive.is_empty() && !names(exclusive, name) {
                return Err(Forbidden::NotIncluded(name.to_owned()));
            }
        }
        Ok(())
    }
}

/// Whether a source is a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// `Source`, `%sourcelist`.
    Source,
    /// `Patch`, `%patchlist`.
    Patch,
}

/// A source or a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Which of them.
    pub kind: SourceKind,
    /// Its number; without one it has that of the one before it and one more.
    pub number: u32,
    /// What the spec gives, macros expanded: a URL or a file name.
    pub location: String,
    /// Whether `NoSource` or `NoPatch` keeps it out of the source package.
    pub excluded: bool,
    /// Where it is given.
    pub position: Position,
}

impl Source {
    /// The name of the file: what comes after the last slash, and after an equals sign behind that, since files are
    /// asked for in URLs such as `https://example.org/get?file=name.tar.gz`.
    #[must_use]
    pub fn file_name(&self) -> &str {
        match self.location.rsplit_once('/') {
            None => &self.location,
            Some((_, name)) => name.rsplit_once('=').map_or(name, |(_, name)| name),
        }
    }
}

/// Which step of the build a section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuildSectionKind {
    /// `%prep`
    Prep,
    /// `%generate_buildrequires`
    GenerateBuildRequires,
    /// `%conf`
    Conf,
    /// `%build`
    Build,
    /// `%install`
    Install,
    /// `%check`
    Check,
    /// `%clean`
    Clean,
}

/// A step of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSection {
    /// Which step.
    pub kind: BuildSectionKind,
    /// Its line.
    pub position: Position,
    /// The script with its macros expanded; there is none if only [`Depth::Query`](super::Depth::Query) was asked for.
    pub script: Option<String>,
}

/// An entry of `%changelog`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// Seconds since 1970: that day at noon in UTC, unless the entry gives a time.
    pub time: i64,
    /// Who, and the version where it is given: the rest of the entry's first line.
    pub name: String,
    /// The text, without blank lines before and after it.
    pub text: String,
}

impl ChangelogEntry {
    /// The name and address, without the version.
    #[must_use]
    pub fn author(&self) -> &str {
        self.split().0
    }

    /// The version and release, where the entry gives them.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.split().1
    }

    fn split(&self) -> (&str, Option<&str>) {
        // `Name <address> - 1.2-3`, `Name <address> 1.2-3` and `Name <address>` are all in use.
        let Some(end) = self.name.rfind('>') else {
            return match self.name.rsplit_once(" - ") {
                Some((author, version)) if is_version(version) => (author.trim_end(), Some(version.trim())),
                _ => (&self.name, None),
            };
        };
        let (author, rest) = self.name.split_at(end + 1);
        let version = rest.trim().trim_start_matches('-').trim();
        (author, (!version.is_empty()).then_some(version))
    }
}

fn is_version(text: &str) -> bool {
    text.contains(|character: char| character.is_ascii_digit()) && !text.trim().contains(' ')
}

/// A conditional and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditional {
    /// `%if`, `%ifarch` and so on, or `%elif`, `%else`.
    pub directive: &'static str,
    /// What follows it, with its macros expanded; empty for `%else`.
    pub condition: String,
    /// Its line.
    pub position: Position,
    /// Whether the text after it counts.
    pub outcome: Outcome,
}

/// Whether the text after a conditional counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It counts.
    Taken,
    /// It does not.
    NotTaken,
    /// It can't be known, because of macros that nobody defines; the text does not count.
    Unknown,
}

/// A build condition: a switch that `--with` and `--without` set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildCondition {
    /// Its name, as `--with` takes it.
    pub name: String,
    /// Its line.
    pub position: Position,
    /// Whether it is on unless it is switched off.
    pub default: bool,
    /// Whether it is on here.
    pub enabled: bool,
}

/// Something in a spec that could not be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What it is.
    pub kind: UnknownKind,
    /// The line, or the first of the lines, in which it was met first.
    pub position: Position,
}

/// What could not be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnknownKind {
    /// A macro that nobody defines: its name. It stays in the text.
    Macro(String),
    /// A command of `%(…)` that was not run. It stays in the text.
    Command(String),
}

/// What rpm would warn of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What is doubtful.
    pub text: String,
    /// Its line.
    pub position: Position,
}
