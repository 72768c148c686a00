//! What a repository has at a commit, and what it says of its commits.

use std::collections::BTreeMap;
use std::fmt;

use crate::name::TreePath;
use crate::sources_file::{SourceEntry, SourcesFileError, parse_sources};

/// The name of the file that lists what lies in the lookaside cache.
pub const SOURCES_FILE: &str = "sources";

/// A whole commit id: 40 hexadecimal digits, or 64 in repositories that use SHA-256; in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FullCommit(String);

/// What is no whole commit id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no whole commit id, which has 40 hexadecimal digits")]
pub struct CommitError(pub String);

impl FullCommit {
    /// Checks length and digits.
    pub fn new(text: &str) -> Result<Self, CommitError> {
        let good = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match good {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(CommitError(text.chars().take(80).collect())),
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FullCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a file of a tree can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeMode {
    /// 0644
    Plain,
    /// 0755
    Executable,
}

impl TreeMode {
    /// The permission bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Plain => 0o644,
            Self::Executable => 0o755,
        }
    }
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// What is in it.
    pub content: Vec<u8>,
    /// Whether it can be run.
    pub mode: TreeMode,
}

/// Something in a tree that is no file, and was left out because the settings say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it is.
    pub path: TreePath,
    /// What it is: `a symbolic link`, `a submodule`.
    pub kind: &'static str,
}

/// The files of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The commit.
    pub commit: FullCommit,
    /// All files, by path.
    pub files: BTreeMap<TreePath, TreeFile>,
    /// What is no file; empty unless the settings allow it.
    pub left_out: Vec<LeftOut>,
}

impl Checkout {
    /// A file by its path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&TreeFile> {
        self.files.get(path)
    }

    /// What the file `sources` lists; nothing if there is none.
    pub fn sources(&self) -> Result<Vec<SourceEntry>, SourcesFileError> {
        match self.file(SOURCES_FILE) {
            None => Ok(Vec::new()),
            Some(file) => parse_sources(&file.content),
        }
    }
}

/// A commit, for changelogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRecord {
    /// Its id.
    pub id: FullCommit,
    /// The author's name.
    pub author_name: String,
    /// The author's mail address.
    pub author_email: String,
    /// When it was written, in seconds since 1970.
    pub author_time: i64,
    /// When it was committed, in seconds since 1970: what snapshots go by.
    pub commit_time: i64,
    /// The first paragraph of its message, on one line.
    pub subject: String,
    /// The rest of its message.
    pub body: String,
}

/// What a commit made of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// The commit.
    pub commit: FullCommit,
    /// The file's content from then on; `None` if the commit removed it.
    pub content: Option<Vec<u8>>,
}
