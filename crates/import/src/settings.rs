//! What a distribution and a component want of an import, as plain values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lazuli_deb::ScriptKind;

use crate::declarations::Declarations;

/// How packages are imported: the distribution's settings with those of one component on top.
///
/// Names in `drop_*` may hold `*` and `?`; they are matched before anything is added. Relations to add or to put in the
/// place of others are in rpm's notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSettings {
    /// Who ships the packages.
    pub vendor: String,
    /// Who makes them; may be empty.
    pub packager: String,
    /// The distribution's name.
    pub distribution: String,
    /// A constant that stands for the building host.
    pub build_host: String,
    /// The name of the package that is made, where it is not the upstream's.
    pub name: Option<String>,
    /// Requirements to leave out: of alternatives, all go if one of them matches.
    pub drop_requires: Vec<String>,
    /// Requirements to put in.
    pub add_requires: Vec<String>,
    /// Requirements to put in the place of those on a name.
    pub replace_requires: BTreeMap<String, String>,
    /// Recommendations to leave out.
    pub drop_recommends: Vec<String>,
    /// Recommendations to put in.
    pub add_recommends: Vec<String>,
    /// Suggestions and enhancements to leave out.
    pub drop_suggests: Vec<String>,
    /// Provides to leave out.
    pub drop_provides: Vec<String>,
    /// Provides to put in.
    pub add_provides: Vec<String>,
    /// Conflicts, breaks and replacements to leave out.
    pub drop_conflicts: Vec<String>,
    /// Conflicts to put in.
    pub add_conflicts: Vec<String>,
    /// Packages that this one takes the place of.
    pub add_obsoletes: Vec<String>,
    /// Files to leave out: globs of absolute paths after the move to `/usr`. A folder goes with all that is in it.
    pub exclude_files: Vec<String>,
    /// Files to keep although `exclude_files` matches them.
    pub keep_files: Vec<String>,
    /// The licence as an SPDX expression, where it cannot be read from the package.
    pub license: Option<String>,
    /// Maintainer scripts that a person has read.
    pub reviewed: Vec<ReviewedScript>,
    /// Whether what scripts are recognised to do is declared by itself.
    pub recognised: Recognised,
    /// What is declared by hand. It comes before what is recognised.
    pub declare: Declarations,
    /// Numbers of users that packages create.
    pub user_ids: BTreeMap<String, u32>,
    /// Numbers of groups that packages create.
    pub group_ids: BTreeMap<String, u32>,
    /// Finalisers that some package of the distribution declares; `None` if that is not known.
    pub finalisers: Option<BTreeSet<String>>,
    /// Names of the upstream's real packages; `None` if they are not known. A package that is still there is not obsoleted.
    pub real_packages: Option<Arc<BTreeSet<String>>>,
    /// Directories that a base package brings: other packages do not own them, if mode and owner are the usual.
    pub base_directories: Vec<String>,
    /// How many entries of the changelog are kept.
    pub changelog_entries: usize,
    /// Zstandard level of the payload.
    pub compression_level: i32,
    /// The least and the latest time of anything in the package, in seconds since 1970: `SOURCE_DATE_EPOCH`.
    pub latest_time: Option<u32>,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            vendor: String::new(),
            packager: String::new(),
            distribution: String::new(),
            build_host: "localhost".to_owned(),
            name: None,
            drop_requires: Vec::new(),
            add_requires: Vec::new(),
            replace_requires: BTreeMap::new(),
            drop_recommends: Vec::new(),
            add_recommends: Vec::new(),
            drop_suggests: Vec::new(),
            drop_provides: Vec::new(),
            add_provides: Vec::new(),
            drop_conflicts: Vec::new(),
            add_conflicts: Vec::new(),
            add_obsoletes: Vec::new(),
            exclude_files: Vec::new(),
            keep_files: Vec::new(),
            license: None,
            reviewed: Vec::new(),
            recognised: Recognised::Declare,
            declare: Declarations::default(),
            user_ids: BTreeMap::new(),
            group_ids: BTreeMap::new(),
            finalisers: None,
            real_packages: None,
            base_directories: Vec::new(),
            changelog_entries: 10,
            compression_level: 3,
            latest_time: None,
        }
    }
}

/// What becomes of the actions that are recognised in scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// They are declared, unless something is declared by hand for the same path or name.
    Declare,
    /// They are reported only: what is declared by hand is all.
    ReportOnly,
}

/// A maintainer script that a person has read, and of which all that matters is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedScript {
    /// Which script; `None` is the file `triggers`.
    pub script: Option<ScriptKind>,
    /// SHA-256 of its bytes, in hexadecimal: whole, or its first 16 digits and more. A change asks for a new review.
    pub sha256: String,
    /// What it does, and where that is declared.
    pub note: String,
}

/// The fewest digits of a digest that identify a reviewed script.
pub const MIN_REVIEW_DIGITS: usize = 16;

impl ReviewedScript {
    /// Whether the review is of these bytes.
    pub fn covers(&self, script: ScriptKind, sha256: &str) -> bool {
        self.script == Some(script)
            && self.sha256.len() >= MIN_REVIEW_DIGITS
            && sha256.starts_with(&self.sha256.to_ascii_lowercase())
    }
}
