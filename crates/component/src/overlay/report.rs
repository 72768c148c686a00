//! What overlays did, and why one did not apply.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use lazuli_catalog::schema::OverlayAction;

/// One overlay to apply.
#[derive(Debug, Clone)]
pub struct OverlayStep<'a> {
    /// What it does.
    pub action: &'a OverlayAction,
    /// Why it is, in a line.
    pub description: Option<&'a str>,
    /// The file that it is written in, and its line there, from 1.
    pub place: Option<(PathBuf, usize)>,
}

/// Which overlay it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OverlayIdentity {
    /// Its place in the order in which they are applied, from 1.
    pub number: usize,
    /// Its kind: `spec-add-tag`.
    pub kind: &'static str,
    /// Why it is, in a line.
    pub description: Option<String>,
    /// The file that it is written in, and its line there, from 1.
    pub place: Option<(PathBuf, usize)>,
}

impl fmt::Display for OverlayIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "overlay {} ({})", self.number, self.kind)?;
        if let Some(description) = &self.description {
            write!(out, " “{description}”")?;
        }
        match &self.place {
            Some((file, line)) => write!(out, " at {}:{line}", file.display()),
            None => Ok(()),
        }
    }
}

/// What a list of overlays did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Applied {
    /// One entry an overlay, in order.
    pub overlays: Vec<AppliedOverlay>,
}

/// What one overlay did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppliedOverlay {
    /// Which one.
    pub overlay: OverlayIdentity,
    /// What it changed, by file.
    pub changes: Vec<FileChange>,
    /// What the user should look at, each a sentence.
    pub warnings: Vec<String>,
}

/// What an overlay did to a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileChange {
    /// The file among the sources.
    pub file: String,
    /// The file inside of it, where `file` is an archive.
    pub member: Option<String>,
    /// What was done.
    pub action: FileAction,
}

/// What was done to a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileAction {
    /// Lines were put in; their numbers afterwards, from 1.
    Inserted {
        /// The lines.
        lines: Vec<RangeInclusive<usize>>,
    },
    /// Lines were changed; their numbers afterwards, from 1.
    Changed {
        /// The lines.
        lines: Vec<RangeInclusive<usize>>,
        /// How many places were replaced.
        count: usize,
    },
    /// Lines were taken out; their numbers before, from 1.
    Removed {
        /// The lines.
        lines: Vec<RangeInclusive<usize>>,
    },
    /// The file is new.
    Added,
    /// The file is gone.
    Deleted,
    /// The file has another name.
    Renamed {
        /// The new one.
        to: String,
    },
}

/// A line that is there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FoundLine {
    /// Its number, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
}

/// An overlay did not apply. The tree is as it was.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OverlayFailure {
    /// Which one.
    pub overlay: OverlayIdentity,
    /// What went wrong, without a final full stop.
    pub problem: String,
    /// The file that it was to change.
    pub file: String,
    /// The file inside of it, where `file` is an archive.
    pub member: Option<String>,
    /// The section that it was to change: `%files devel`.
    pub section: Option<String>,
    /// The line, tag, name or pattern that it looked for.
    pub looked_for: Option<String>,
    /// The line that is most like it.
    pub nearest: Option<FoundLine>,
    /// What to do.
    pub hint: Option<String>,
}

impl fmt::Display for OverlayFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} does not apply to {}", self.overlay, self.file)?;
        if let Some(member) = &self.member {
            write!(out, " ({member})")?;
        }
        if let Some(section) = &self.section {
            write!(out, ", section {section}")?;
        }
        write!(out, ": {}", self.problem)?;
        if let Some(looked_for) = &self.looked_for {
            write!(out, "\n  looked for: {looked_for}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(out, "\n  nearest is: {} (line {})", nearest.text, nearest.line)?;
        }
        match &self.hint {
            Some(hint) => write!(out, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for OverlayFailure {}
