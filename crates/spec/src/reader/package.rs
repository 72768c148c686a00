//! A binary package that a spec builds.

use super::model::{Dependency, DependencyKind, FileList, Position, Scriptlet, ScriptletKind};
use super::tags::TextTag;

/// A binary package that the spec builds.
#[derive(Debug, Clone)]
pub struct Package {
    /// The full name: that of a sub-package has the main package's name before it, unless `-n` gave it.
    pub name: String,
    /// The line of its `%package`; of the main package, that of its `Name`.
    pub position: Position,
    /// Its epoch; a sub-package has the main package's unless it gives its own.
    pub epoch: Option<u32>,
    /// The architecture it is built for: `noarch` or the target's.
    pub architecture: String,
    /// The tags that hold text, in the order of the spec; what a sub-package inherits comes last.
    pub tags: Vec<TagValue>,
    /// Its `%description`s by language; [`Package::description`] is that of the default language.
    pub descriptions: Vec<(String, String)>,
    /// What it requires, provides and so on, in the order of the spec; what rpm adds by itself is
    /// [`Origin::Automatic`]. No two are the same.
    pub dependencies: Vec<Dependency>,
    /// Its `%files`; a package without is not built.
    pub files: Option<FileList>,
    /// Its scriptlets, triggers and file triggers, in the order of the spec.
    pub scriptlets: Vec<Scriptlet>,
    /// Whether requirements are searched for in its files; `AutoReq`, `AutoReqProv`.
    pub automatic_requires: bool,
    /// Whether provides are searched for in its files; `AutoProv`, `AutoReqProv`.
    pub automatic_provides: bool,
    /// The folders that it may be moved from; `Prefix`.
    pub prefixes: Vec<String>,
    /// The endings that are cut from its files' names; `RemovePathPostfixes`.
    pub remove_path_postfixes: Vec<String>,
}

impl Package {
    /// The value of a tag in the default language.
    #[must_use]
    pub fn tag(&self, tag: TextTag) -> Option<&str> {
        self.tags
            .iter()
            .find(|value| value.tag == tag && value.language == DEFAULT_LANGUAGE)
            .map(|value| value.value.as_str())
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        self.tag(TextTag::Version).unwrap_or_default()
    }

    /// Its release.
    #[must_use]
    pub fn release(&self) -> &str {
        self.tag(TextTag::Release).unwrap_or_default()
    }

    /// `[epoch:]version-release`.
    #[must_use]
    pub fn evr(&self) -> String {
        match self.epoch {
            Some(epoch) => format!("{epoch}:{}-{}", self.version(), self.release()),
            None => format!("{}-{}", self.version(), self.release()),
        }
    }

    /// Its summary.
    #[must_use]
    pub fn summary(&self) -> &str {
        self.tag(TextTag::Summary).unwrap_or_default()
    }

    /// Its licence.
    #[must_use]
    pub fn license(&self) -> &str {
        self.tag(TextTag::License).unwrap_or_default()
    }

    /// Its group; rpm says `Unspecified` where there is none.
    #[must_use]
    pub fn group(&self) -> &str {
        self.tag(TextTag::Group).unwrap_or("Unspecified")
    }

    /// The address of its project.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.tag(TextTag::Url)
    }

    /// Its description in the default language.
    #[must_use]
    pub fn description(&self) -> &str {
        self.descriptions
            .iter()
            .find(|(language, _)| language == DEFAULT_LANGUAGE)
            .map_or("", |(_, text)| text.as_str())
    }

    /// The dependencies of one kind.
    pub fn dependencies_of(&self, kind: DependencyKind) -> impl Iterator<Item = &Dependency> {
        self.dependencies
            .iter()
            .filter(move |dependency| dependency.kind == kind)
    }

    /// What it requires, of itself and for its scriptlets.
    pub fn requires(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies_of(DependencyKind::Requires)
    }

    /// What it provides, itself among it.
    pub fn provides(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies_of(DependencyKind::Provides)
    }

    /// What it conflicts with.
    pub fn conflicts(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies_of(DependencyKind::Conflicts)
    }

    /// What it takes the place of.
    pub fn obsoletes(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies_of(DependencyKind::Obsoletes)
    }

    /// The scriptlet of a kind that is no trigger: there is one at most.
    #[must_use]
    pub fn scriptlet(&self, kind: ScriptletKind) -> Option<&Scriptlet> {
        self.scriptlets.iter().find(|scriptlet| scriptlet.kind == kind)
    }
}

/// The language of text without one.
pub const DEFAULT_LANGUAGE: &str = "C";

/// The value of a tag that holds text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagValue {
    /// The tag.
    pub tag: TextTag,
    /// The language, `C` by default; only `Summary` and `Group` have others.
    pub language: String,
    /// The text.
    pub value: String,
    /// Where it is given.
    pub position: Position,
}
