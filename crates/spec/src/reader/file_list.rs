//! The files of a package, as values.

use super::model::Position;

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
