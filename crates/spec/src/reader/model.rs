//! What a spec file says, as values.

use std::sync::Arc;

use super::tags::TextTag;

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
        self.build_dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Requires)
    }

    /// What must not be there when it is built.
    pub fn build_conflicts(&self) -> impl Iterator<Item = &Dependency> {
        self.build_dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Conflicts)
    }

    /// The sources, without the patches.
    pub fn source_files(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.kind == SourceKind::Source)
    }

    /// The patches.
    pub fn patches(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.kind == SourceKind::Patch)
    }

    /// Whether its build has `%generate_buildrequires`: it needs more than [`Spec::build_requires`] says.
    #[must_use]
    pub fn generates_build_requires(&self) -> bool {
        self.build_sections.iter().any(|section| section.kind == BuildSectionKind::GenerateBuildRequires)
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
            (&self.excluded_architectures, &self.exclusive_architectures, architecture),
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
        self.dependencies.iter().filter(move |dependency| dependency.kind == kind)
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

/// What a package has to do with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyKind {
    /// It must be there.
    Requires,
    /// It is there with this package.
    Provides,
    /// It must not be there.
    Conflicts,
    /// This package takes its place.
    Obsoletes,
    /// It should be there.
    Recommends,
    /// It might be useful.
    Suggests,
    /// This package should be there if that one is.
    Supplements,
    /// This package might be useful if that one is there.
    Enhances,
    /// It is installed before, if it is installed at all.
    OrderWithRequires,
}

bitflags::bitflags! {
    /// When a dependency is needed: the words in the parentheses of `Requires(…)`, and what a scriptlet's interpreter is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct Qualifiers: u16 {
        /// `pre`: before the files are laid.
        const PRE = 1;
        /// `post`: after the files are laid.
        const POST = 2;
        /// `preun`: before the files are removed.
        const PREUN = 4;
        /// `postun`: after the files are removed.
        const POSTUN = 8;
        /// `pretrans`: before the transaction.
        const PRETRANS = 16;
        /// `posttrans`: after the transaction.
        const POSTTRANS = 32;
        /// `verify`: for `%verifyscript`.
        const VERIFY = 64;
        /// `interp`: it runs a scriptlet.
        const INTERP = 128;
        /// `meta`: it does not order the transaction.
        const META = 256;
        /// `rpmlib`: a feature of rpm itself.
        const RPMLIB = 512;
        /// `prereq`: the old word for what must be there before.
        const PREREQ = 1024;
        /// `preuntrans`, of newer rpm.
        const PREUNTRANS = 2048;
        /// `postuntrans`, of newer rpm.
        const POSTUNTRANS = 4096;
        /// `missingok`: it need not be there.
        const MISSING_OK = 8192;
    }
}

/// Where a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of the spec.
    Line(Position),
    /// rpm adds it: a package provides itself, needs its interpreters, and the features of rpm that it uses.
    Automatic,
}

/// One requirement, provision or the like.
///
/// Its `Display` is what rpm's `%{REQUIRENEVRS}` is: `name`, `name >= evr`, or the rich dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What it is for.
    pub kind: DependencyKind,
    /// The name; of a rich dependency, the whole of it with single blanks: `(a if b)`.
    pub name: String,
    /// The comparison and the EVR with which it compares.
    pub constraint: Option<(Comparison, String)>,
    /// When it is needed.
    pub qualifiers: Qualifiers,
    /// Where it comes from.
    pub origin: Origin,
}

impl Dependency {
    /// Whether it is a rich dependency.
    #[must_use]
    pub fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }
}

impl std::fmt::Display for Dependency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.constraint {
            None => f.write_str(&self.name),
            Some((comparison, evr)) => write!(f, "{} {} {evr}", self.name, comparison.symbol()),
        }
    }
}

/// How versions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Comparison {
    /// The operator as rpm prints it.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }

    /// The operator that a spec may use; it knows some spellings more than rpm prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" | "=<" => Self::LessOrEqual,
            "=" | "==" => Self::Equal,
            ">=" | "=>" => Self::GreaterOrEqual,
            ">" => Self::Greater,
            _ => return None,
        })
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
    /// The name of the file: what comes after the last slash.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.location.rsplit('/').next().unwrap_or(&self.location)
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
    pub taken: bool,
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

/// Which scriptlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScriptletKind {
    /// `%pre`
    Pre,
    /// `%post`
    Post,
    /// `%preun`
    Preun,
    /// `%postun`
    Postun,
    /// `%pretrans`
    Pretrans,
    /// `%posttrans`
    Posttrans,
    /// `%preuntrans`, of newer rpm.
    Preuntrans,
    /// `%postuntrans`, of newer rpm.
    Postuntrans,
    /// `%verifyscript`
    Verify,
    /// `%triggerprein`
    TriggerPrein,
    /// `%triggerin`, `%trigger`
    TriggerIn,
    /// `%triggerun`
    TriggerUn,
    /// `%triggerpostun`
    TriggerPostun,
    /// `%filetriggerin`, `%filetrigger`
    FileTriggerIn,
    /// `%filetriggerun`
    FileTriggerUn,
    /// `%filetriggerpostun`
    FileTriggerPostun,
    /// `%transfiletriggerin`, `%transfiletrigger`
    TransFileTriggerIn,
    /// `%transfiletriggerun`
    TransFileTriggerUn,
    /// `%transfiletriggerpostun`
    TransFileTriggerPostun,
}

impl ScriptletKind {
    /// Whether it waits for other packages or for files.
    #[must_use]
    pub fn is_trigger(self) -> bool {
        self >= Self::TriggerPrein
    }

    /// Whether it waits for files.
    #[must_use]
    pub fn is_file_trigger(self) -> bool {
        self >= Self::FileTriggerIn
    }
}

/// A script that a package carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlet {
    /// Which.
    pub kind: ScriptletKind,
    /// The line of its section.
    pub position: Position,
    /// The interpreter and its arguments; `<lua>` is rpm's own.
    pub interpreter: Vec<String>,
    /// The script, without blank lines after it; empty if there is an interpreter only.
    pub script: String,
    /// The file that `-f` gives: the script comes from it when the package is built.
    pub file: Option<String>,
    /// What a trigger waits for: packages, or prefixes of paths.
    pub conditions: Vec<TriggerCondition>,
    /// The priority of a file trigger, from `-P`.
    pub priority: u32,
    /// Whether the script is expanded again when it is run (`-e`), and formatted with the package's tags (`-q`).
    pub expand: ScriptExpansion,
}

/// What is done with a script before it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScriptExpansion {
    /// `-e`: its macros are expanded.
    pub macros: bool,
    /// `-q`: the package's tags are put in.
    pub query_format: bool,
}

/// A package or a prefix of paths that a trigger waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerCondition {
    /// The name of the package, or the prefix.
    pub name: String,
    /// Its version.
    pub constraint: Option<(Comparison, String)>,
}

/// The `%files` of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileList {
    /// The line of the section.
    pub position: Position,
    /// The files that `-f` names: lists that are made while building.
    pub from: Vec<String>,
    /// The entries.
    pub entries: Vec<FileEntry>,
}

/// A line of `%files`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileEntry {
    /// The line.
    pub line: u32,
    /// The paths and patterns, as they are given: several only for `%doc` and `%license`.
    pub paths: Vec<String>,
    /// `%attr`, or else the `%defattr` that is in force.
    pub attributes: Option<Attributes>,
    /// `%config` and its words.
    pub config: Option<ConfigPolicy>,
    /// `%doc`
    pub documentation: bool,
    /// `%license`
    pub license: bool,
    /// `%dir`
    pub folder_only: bool,
    /// `%ghost`
    pub ghost: bool,
    /// `%exclude`
    pub exclude: bool,
    /// `%artifact`
    pub artifact: bool,
    /// `%missingok`, or `%config(missingok)`.
    pub may_be_missing: bool,
    /// `%lang(…)`
    pub languages: Vec<String>,
    /// `%caps(…)`
    pub capabilities: Option<String>,
    /// `%verify(…)`
    pub verify: Option<Verify>,
}

/// Mode and owners of a file; none leaves what is on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// The mode's bits.
    pub mode: Option<u32>,
    /// The user.
    pub user: Option<String>,
    /// The group.
    pub group: Option<String>,
    /// The mode's bits for folders; `%defattr` has it.
    pub folder_mode: Option<u32>,
}

/// What becomes of a changed configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConfigPolicy {
    /// `noreplace`: a changed file stays.
    pub no_replace: bool,
    /// `missingok`: it may be removed.
    pub missing_ok: bool,
}

/// What is verified of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verify {
    /// `not`: all but these.
    pub negated: bool,
    /// The words: `mode`, `md5`, `size` and so on.
    pub words: Vec<String>,
}
