//! Locks of components: which commit of its upstream a component is, and by what inputs it was made.
//!
//! There is one for each component, `locks/NAME.lock`, in the TOML that azldev writes:
//!
//! ```toml
//! # Written by `lazuli component update`. Do not edit by hand.
//! version = 1
//! import-commit = '0123456789abcdef0123456789abcdef01234567'
//! upstream-commit = 'fedcba9876543210fedcba9876543210fedcba98'
//! manual-bump = 1
//! input-fingerprint = 'sha256:…'
//! resolution-input-hash = 'sha256:…'
//! ```
//!
//! Only `version` is always there. What is read is written again byte for byte, if azldev or this crate wrote it: the
//! comment at the top stays, and keys that are not known here stand after those that are.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use crate::diagnostic::{Diagnostic, Diagnostics, Location};
use crate::value::{CommitId, Fingerprint};

/// The version of the format that this crate reads and writes.
const VERSION: u32 = 1;

/// What stands at the top of a new lock.
const HEADER: &str = "# Written by `lazuli component update`. Do not edit by hand.\n";

/// Most comment lines at the top that are kept.
const MAX_HEADER_LINES: usize = 64;

/// The lock of a component.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComponentLock {
    /// The commit of the upstream at which it was imported: the changelog up to there is the upstream's. Written once;
    /// none for a local spec.
    pub import_commit: Option<CommitId>,
    /// The commit of the upstream that it is now; none for a local spec.
    pub upstream_commit: Option<CommitId>,
    /// How often it was rebuilt though nothing in it changed. Part of the fingerprint.
    pub manual_bump: u32,
    /// The digest of all that can change the rendered spec.
    pub input_fingerprint: Option<Fingerprint>,
    /// The digest of what decides which commit is taken: pin, snapshot, distribution.
    pub resolution_input_hash: Option<Fingerprint>,
    /// Keys of other programs, in TOML, by name.
    #[serde(skip)]
    other: BTreeMap<String, toml::Value>,
    /// The comment at the top, each line with its end.
    #[serde(skip)]
    header: String,
}

impl Default for ComponentLock {
    fn default() -> Self {
        ComponentLock {
            import_commit: None,
            upstream_commit: None,
            manual_bump: 0,
            input_fingerprint: None,
            resolution_input_hash: None,
            other: BTreeMap::new(),
            header: HEADER.to_owned(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    version: toml::Spanned<u32>,
    import_commit: Option<CommitId>,
    upstream_commit: Option<CommitId>,
    #[serde(default)]
    manual_bump: u32,
    input_fingerprint: Option<Fingerprint>,
    resolution_input_hash: Option<Fingerprint>,
    #[serde(flatten)]
    other: BTreeMap<String, toml::Value>,
}

/// The first key of every lock, of whatever version.
#[derive(Deserialize)]
struct AnyVersion {
    version: toml::Spanned<u32>,
}

impl ComponentLock {
    /// Parses a lock; `path` is for messages only.
    ///
    /// # Errors
    /// It is not TOML, of a version that is not known, or a value is wrong; the place is named.
    pub fn parse_file(path: &Path, text: &str) -> Result<ComponentLock, Diagnostics> {
        let refuse = |error: toml::de::Error| {
            let location = Location::new(path, text, error.span().unwrap_or(0..0));
            let help = "locks are written by `lazuli component update`; after a merge conflict, run it again";
            Diagnostics::from(Diagnostic::new(error.message().replace('\n', "; "), location).help(help))
        };
        // A newer format must be named as such, before its values are called wrong.
        let AnyVersion { version } = toml::from_str(text).map_err(refuse)?;
        if *version.get_ref() != VERSION {
            let message = format!("locks of version {} are not known", version.get_ref());
            let help = format!("this program reads version {VERSION}; a newer one made this file");
            let location = Location::new(path, text, version.span());
            return Err(Diagnostic::new(message, location).help(help).into());
        }
        let document: Document = toml::from_str(text).map_err(refuse)?;
        debug_assert_eq!(*document.version.get_ref(), VERSION);
        let comments = text
            .split_inclusive('\n')
            .take_while(|line| line.starts_with('#'));
        Ok(ComponentLock {
            import_commit: document.import_commit,
            upstream_commit: document.upstream_commit,
            manual_bump: document.manual_bump,
            input_fingerprint: document.input_fingerprint,
            resolution_input_hash: document.resolution_input_hash,
            other: document.other,
            header: comments.take(MAX_HEADER_LINES).collect(),
        })
    }

    /// Parses a lock that is not a file.
    ///
    /// # Errors
    /// As [`parse_file`](Self::parse_file).
    pub fn parse(text: &str) -> Result<ComponentLock, Diagnostics> {
        Self::parse_file(Path::new("lock"), text)
    }
}

/// The text of the lock: the same for the same lock, on every run.
impl fmt::Display for ComponentLock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.header)?;
        writeln!(out, "version = {VERSION}")?;
        // No commit or fingerprint has quotation marks or control characters in it: their types refuse them.
        let mut text = |key: &str, value: Option<&str>| match value {
            Some(value) => writeln!(out, "{key} = '{value}'"),
            None => Ok(()),
        };
        text("import-commit", self.import_commit.as_ref().map(CommitId::as_str))?;
        text(
            "upstream-commit",
            self.upstream_commit.as_ref().map(CommitId::as_str),
        )?;
        if self.manual_bump != 0 {
            writeln!(out, "manual-bump = {}", self.manual_bump)?;
        }
        let mut text = |key: &str, value: Option<&str>| match value {
            Some(value) => writeln!(out, "{key} = '{value}'"),
            None => Ok(()),
        };
        text(
            "input-fingerprint",
            self.input_fingerprint.as_ref().map(Fingerprint::as_str),
        )?;
        text(
            "resolution-input-hash",
            self.resolution_input_hash.as_ref().map(Fingerprint::as_str),
        )?;
        if self.other.is_empty() {
            return Ok(());
        }
        out.write_str(&toml::to_string(&self.other).map_err(|_| fmt::Error)?)
    }
}
