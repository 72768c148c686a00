//! Two trees, side by side: a unified diff that `git apply` and `patch -p1` take, but for binary files.

use std::fmt;

use similar::TextDiff;

use crate::source_tree::{Content, FileMode, SourceFile, SourceTree, TreeChange, TreeError};

/// Larger files are not compared line by line.
const MAX_TEXT: u64 = 8 << 20;
/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// What is different between two trees.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TreeDiff {
    /// The files, sorted by name.
    pub files: Vec<FileDiff>,
}

/// A file that is different.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileDiff {
    /// Its name.
    pub path: String,
    /// What happened to it.
    pub kind: FileDiffKind,
    /// The diff, with its header; of a binary file, a line that says so.
    pub text: String,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileDiffKind {
    /// Only the new tree has it.
    Added,
    /// Only the old tree has it.
    Removed,
    /// Both have it.
    Changed,
}

impl TreeDiff {
    /// Whether nothing is different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl fmt::Display for TreeDiff {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| out.write_str(&file.text))
    }
}

/// Compares two trees; where there is no old one, every file is new. `prefix` goes before the names: empty, or a folder
/// with a final `/`.
///
/// # Errors
/// A file can't be read.
pub fn diff(old: Option<&SourceTree>, new: &SourceTree, prefix: &str) -> Result<TreeDiff, TreeError> {
    let mut files = Vec::new();
    let changes = match old {
        Some(old) => old.changes(new),
        None => new
            .files()
            .map(|(path, new)| (path, TreeChange::Added { new }))
            .collect(),
    };
    for (path, change) in changes {
        let name = format!("{prefix}{path}");
        let (kind, text) = match change {
            TreeChange::Added { new } => (FileDiffKind::Added, file_diff(&name, None, Some(new))?),
            TreeChange::Removed { old } => (FileDiffKind::Removed, file_diff(&name, Some(old), None)?),
            TreeChange::Changed { old, new } => {
                (FileDiffKind::Changed, file_diff(&name, Some(old), Some(new))?)
            }
        };
        files.push(FileDiff {
            path: path.to_string(),
            kind,
            text,
        });
    }
    Ok(TreeDiff { files })
}

fn file_diff(name: &str, old: Option<&SourceFile>, new: Option<&SourceFile>) -> Result<String, TreeError> {
    let mut text = format!("diff --git a/{name} b/{name}\n");
    match (old.map(mode), new.map(mode)) {
        (None, Some(mode)) => text.push_str(&format!("new file mode {mode}\n")),
        (Some(mode), None) => text.push_str(&format!("deleted file mode {mode}\n")),
        (Some(old), Some(new)) if old != new => text.push_str(&format!("old mode {old}\nnew mode {new}\n")),
        _ => {}
    }
    let same = matches!((old, new), (Some(old), Some(new)) if old.content.same(&new.content));
    if same {
        return Ok(text);
    }
    let (before, after) = (side("a/", name, old), side("b/", name, new));
    match (lines(old)?, lines(new)?) {
        (Some(old), Some(new)) if old.is_empty() && new.is_empty() => {}
        (Some(old), Some(new)) => {
            let diff = TextDiff::from_lines(old.as_str(), new.as_str());
            let mut unified = diff.unified_diff();
            unified.context_radius(CONTEXT).header(&before, &after);
            text.push_str(&unified.to_string());
        }
        _ => text.push_str(&format!("Binary files {before} and {after} differ\n")),
    }
    Ok(text)
}

fn side(letter: &str, name: &str, file: Option<&SourceFile>) -> String {
    match file {
        Some(_) => format!("{letter}{name}"),
        None => "/dev/null".to_owned(),
    }
}

/// As git names it.
fn mode(file: &SourceFile) -> &'static str {
    match (&file.content, file.mode) {
        (Content::Link(_), _) => "120000",
        (_, FileMode::Executable) => "100755",
        (_, FileMode::Plain) => "100644",
    }
}

/// The text of a file, empty for one that is not there; nothing for one that is binary, or too large.
fn lines(file: Option<&SourceFile>) -> Result<Option<String>, TreeError> {
    let Some(file) = file else {
        return Ok(Some(String::new()));
    };
    if let Content::Link(target) = &file.content {
        return Ok(Some(target.to_string()));
    }
    if file.content.size() > MAX_TEXT {
        return Ok(None);
    }
    let bytes = file.content.read()?;
    if bytes.contains(&0) {
        return Ok(None);
    }
    Ok(std::str::from_utf8(&bytes).ok().map(str::to_owned))
}
