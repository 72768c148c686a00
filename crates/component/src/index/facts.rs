//! What lists and the build graph need of a spec.

use lazuli_graph::Paths;
use lazuli_rpm::Dependency;
use lazuli_spec::{DependencyKind, FileList, Package, Spec, UnknownKind};
use serde::{Deserialize, Serialize};

/// What a spec says, as far as lists and the build graph ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SpecFacts {
    /// The name of the main package.
    pub name: String,
    /// `[epoch:]version-release` of the main package.
    pub evr: String,
    /// The summary of the main package.
    pub summary: String,
    /// The licence of the main package.
    pub license: String,
    /// What the build needs: `name`, `name >= evr`, or a rich dependency.
    pub build_requires: Vec<String>,
    /// Whether the build finds out what more it needs (`%generate_buildrequires`).
    pub generates_build_requires: bool,
    /// The packages that are built.
    pub packages: Vec<PackageFacts>,
    /// Sources and patches as the spec gives them.
    pub sources: Vec<String>,
    /// Switches, `name` if they are on by default, else `!name`.
    pub build_conditions: Vec<String>,
    /// What could not be known: macros that nobody defines, and commands that were not run.
    pub unknown: Vec<String>,
}

/// A binary package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackageFacts {
    /// Its name.
    pub name: String,
    /// `[epoch:]version-release`.
    pub evr: String,
    /// Its architecture.
    pub architecture: String,
    /// What it provides.
    pub provides: Vec<String>,
    /// What it requires.
    pub requires: Vec<String>,
    /// What it conflicts with.
    pub conflicts: Vec<String>,
    /// What it takes the place of.
    pub obsoletes: Vec<String>,
    /// Absolute paths and globs of its files.
    pub files: Paths,
}

impl SpecFacts {
    /// The facts of a spec that was read.
    #[must_use]
    pub fn of(spec: &Spec) -> Self {
        let main = spec.main();
        // A package without `%files` is not built.
        let built = spec.packages.iter().filter(|package| package.files.is_some());
        let switch = |one: &lazuli_spec::BuildCondition| match one.default {
            true => one.name.clone(),
            false => format!("!{}", one.name),
        };
        let mut unknown: Vec<String> = spec.unknowns.iter().map(|one| unknown_text(&one.kind)).collect();
        unknown.sort();
        unknown.dedup();
        Self {
            name: spec.name().to_owned(),
            evr: spec.evr(),
            summary: main.summary().to_owned(),
            license: main.license().to_owned(),
            build_requires: spec.build_requires().map(ToString::to_string).collect(),
            generates_build_requires: spec.generates_build_requires(),
            packages: built.map(PackageFacts::of).collect(),
            sources: spec
                .sources
                .iter()
                .map(|source| source.location.clone())
                .collect(),
            build_conditions: spec.build_conditions.iter().map(switch).collect(),
            unknown,
        }
    }

    /// The component for the build graph. A dependency that can't be read is left out; the spec's reader refuses these.
    #[must_use]
    pub fn to_graph(&self, component: &str) -> lazuli_graph::Component {
        lazuli_graph::Component {
            name: component.to_owned(),
            build_requires: parsed(&self.build_requires),
            packages: self.packages.iter().map(PackageFacts::to_graph).collect(),
        }
    }
}

impl PackageFacts {
    fn of(package: &Package) -> Self {
        let of = |kind| package.dependencies_of(kind).map(ToString::to_string).collect();
        Self {
            name: package.name.clone(),
            evr: package.evr(),
            architecture: package.architecture.clone(),
            provides: of(DependencyKind::Provides),
            requires: of(DependencyKind::Requires),
            conflicts: of(DependencyKind::Conflicts),
            obsoletes: of(DependencyKind::Obsoletes),
            files: package.files.as_ref().map(paths).unwrap_or_default(),
        }
    }

    fn to_graph(&self) -> lazuli_graph::Package {
        lazuli_graph::Package {
            name: self.name.clone(),
            provides: parsed(&self.provides),
            // What rpm itself must be able to do is no package.
            requires: parsed(self.requires.iter().filter(|one| !one.starts_with("rpmlib("))),
            files: self.files.clone(),
        }
    }
}

/// As the spec has it.
fn unknown_text(kind: &UnknownKind) -> String {
    match kind {
        UnknownKind::Macro(name) => format!("%{{{name}}}"),
        UnknownKind::Command(command) => format!("%({command})"),
    }
}

/// The paths of `%files` that others may name: absolute, there when the package is, and no documentation.
fn paths(files: &FileList) -> Paths {
    let present = files
        .entries
        .iter()
        .filter(|entry| !entry.exclude && !entry.folder_only);
    let named = present.filter(|entry| !entry.documentation && !entry.license);
    named
        .flat_map(|entry| &entry.paths)
        .filter(|path| path.starts_with('/'))
        .collect()
}

fn parsed<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<Dependency> {
    texts
        .into_iter()
        .filter_map(|text| Dependency::parse(text).ok())
        .collect()
}
