//! `locks/NAME.changes`: the changes of a component that were recorded when they were made.
//!
//! TOML, one `[[change]]` each, the oldest first, so that a new one is added at the end:
//!
//! ```toml
//! schema = 1
//!
//! [[change]]
//! time = "2026-11-22T10:00:00Z"
//! author = "Ada Example <ada@example.org>"
//! fingerprint = "lazuli1:sha256:…"
//! upstream-commit = "4d5e…"
//! version = "1:2.3"
//! text = '''
//! Turn on TLS 1.3
//! '''
//! ```
//!
//! `text` is read like the message of a commit: subject, empty line, body. `upstream-commit` is missing for local specs,
//! `version` (`[EPOCH:]VERSION`) where the spec could not be read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lazuli_catalog::Timestamp;
use serde::Deserialize;

use crate::git::Person;

/// The version of the format that is read and written.
const SCHEMA: u32 = 1;
/// Most changes of one component.
const MAX_CHANGES: usize = 100_000;

/// A change of a component that is ours.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecordedChange {
    /// When it was made, in seconds since 1970.
    pub time: i64,
    /// Who made it.
    pub author: Person,
    /// What it does, as the message of a commit: subject, empty line, body.
    pub text: String,
    /// The fingerprint after it, as the lock has it.
    pub fingerprint: String,
    /// The upstream commit that was locked.
    pub upstream_commit: Option<String>,
    /// `[EPOCH:]VERSION` of the spec after it, where it could be read.
    pub version: Option<String>,
}

/// All recorded changes of a component, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangesFile {
    /// The changes.
    pub changes: Vec<RecordedChange>,
}

/// A file of changes is not understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not TOML, or a key is wrong.
    #[error("failed to read {}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        message: String,
    },
    /// A newer program made it.
    #[error("failed to read {}: format {found} is not known; this program reads format {SCHEMA}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Too many changes.
    #[error("failed to read {}: it has more than {MAX_CHANGES} changes", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Deserialize)]
struct AnySchema {
    schema: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Document {
    #[serde(rename = "schema")]
    _schema: u32,
    #[serde(default)]
    change: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Row {
    time: Timestamp,
    author: String,
    fingerprint: String,
    upstream_commit: Option<String>,
    version: Option<String>,
    text: String,
}

impl ChangesFile {
    /// The path of a component's file: beside its lock.
    #[must_use]
    pub fn path(lock_dir: &Path, component: &str) -> PathBuf {
        lock_dir.join(format!("{component}.changes"))
    }

    /// Reads a file's text; `path` is for messages.
    ///
    /// # Errors
    /// It is not understood.
    pub fn parse(path: &Path, text: &str) -> Result<ChangesFile, RecordError> {
        let syntax = |error: toml::de::Error| RecordError::Syntax {
            path: path.to_owned(),
            message: error.to_string().trim().replace('\n', "; "),
        };
        let AnySchema { schema } = toml::from_str(text).map_err(syntax)?;
        if schema != SCHEMA {
            let path = path.to_owned();
            return Err(RecordError::Schema { path, found: schema });
        }
        let document: Document = toml::from_str(text).map_err(syntax)?;
        if document.change.len() > MAX_CHANGES {
            return Err(RecordError::TooMany {
                path: path.to_owned(),
            });
        }
        let changes = document.change.into_iter().map(|row| RecordedChange {
            time: row.time.unix(),
            author: Person::parse(&row.author),
            text: row.text.trim_end().to_owned(),
            fingerprint: row.fingerprint,
            upstream_commit: row.upstream_commit,
            version: row.version,
        });
        Ok(ChangesFile {
            changes: changes.collect(),
        })
    }

    /// Adds a change. The first `committed` ones are history; a later one is not committed yet and is replaced, so that
    /// two updates before one commit are one change. If the change leads back to the fingerprint of the last committed
    /// one, nothing is added.
    pub fn record(&mut self, change: RecordedChange, committed: usize) {
        self.changes.truncate(committed);
        let back = self
            .changes
            .last()
            .is_some_and(|last| last.fingerprint == change.fingerprint);
        if !back {
            self.changes.push(change);
        }
    }
}

/// The text of the file: the same for the same changes.
impl std::fmt::Display for ChangesFile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            out,
            "# Written by `lazuli component update`: releases and changelogs count these."
        )?;
        writeln!(out, "schema = {SCHEMA}")?;
        for change in &self.changes {
            let RecordedChange {
                time,
                author,
                text,
                fingerprint,
                upstream_commit,
                version,
            } = change;
            writeln!(out, "\n[[change]]")?;
            writeln!(out, "time = \"{}\"", Timestamp::from_unix(*time))?;
            writeln!(out, "author = {}", quoted(&author.to_string()))?;
            writeln!(out, "fingerprint = {}", quoted(fingerprint))?;
            if let Some(commit) = upstream_commit {
                writeln!(out, "upstream-commit = {}", quoted(commit))?;
            }
            if let Some(version) = version {
                writeln!(out, "version = {}", quoted(version))?;
            }
            match literal(text) {
                true => writeln!(out, "text = '''\n{}\n'''", text.trim_end())?,
                false => writeln!(out, "text = {}", quoted(text))?,
            }
        }
        Ok(())
    }
}

/// Whether a text can stand in a multi-line literal string of TOML, where nothing is escaped, and come back the same.
fn literal(text: &str) -> bool {
    !text.contains("'''")
        && !text.ends_with('\'')
        && !text.starts_with('\n')
        && text
            .chars()
            .all(|one| one == '\n' || one == '\t' || !one.is_control())
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for one in text.chars() {
        match one {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            one if one.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(one));
            }
            one => quoted.push(one),
        }
    }
    quoted.push('"');
    quoted
}
