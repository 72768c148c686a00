//! Debian changelogs (deb-changelog(5)).

use crate::version::Version;

/// One entry of a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// The source package.
    pub source: String,
    /// The version that the entry is about.
    pub version: Version,
    /// The suites it was uploaded to.
    pub distributions: Vec<String>,
    /// `key=value` pairs of the first line, such as `urgency`.
    pub metadata: Vec<(String, String)>,
    /// What changed: the lines between, without their common indent of two blanks and without empty lines around.
    pub text: String,
    /// `Name <address>`
    pub maintainer: String,
    /// When, in seconds since 1970.
    pub time: i64,
}
