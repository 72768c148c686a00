//! Errors as a compiler gives them: file, line, column, the line with a caret, and what to do.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Longest source line that is shown in full.
const MAX_SHOWN_LINE: usize = 160;

/// A place in a file, with the text that stands there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Location {
    /// The file.
    pub file: PathBuf,
    /// Bytes from the start of the file.
    pub span: Range<usize>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The whole line, without its end.
    pub text: String,
    /// How many characters of the line are meant; at least 1.
    pub width: usize,
}

impl Location {
    /// The place of `span` in `source`.
    #[must_use]
    pub fn new(file: &Path, source: &str, span: Range<usize>) -> Location {
        let start = floor_boundary(source, span.start);
        let end = floor_boundary(source, span.end.max(span.start));
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let text = source[line_start..line_end].trim_end_matches('\r');
        Location {
            file: file.to_owned(),
            span,
            line: source[..line_start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            text: text.to_owned(),
            width: source[start..end.clamp(start, line_end)].chars().count().max(1),
        }
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, label: Option<&str>) -> fmt::Result {
        let gutter = self.line.to_string().len();
        writeln!(
            out,
            "{:gutter$}--> {}:{}:{}",
            "",
            self.file.display(),
            self.line,
            self.column
        )?;
        writeln!(out, "{:gutter$} |", "")?;
        // The caret must stand below its text: long lines are cut before it, and tabs count as one.
        let skip = if self.column > MAX_SHOWN_LINE {
            self.column - MAX_SHOWN_LINE / 2
        } else {
            0
        };
        let shown: String = self
            .text
            .chars()
            .skip(skip)
            .take(MAX_SHOWN_LINE)
            .collect::<String>()
            .replace('\t', " ");
        writeln!(out, "{} | {shown}", self.line)?;
        let indent = self.column - 1 - skip;
        let room = shown.chars().count().saturating_sub(indent).max(1);
        write!(
            out,
            "{:gutter$} | {:indent$}{}",
            "",
            "",
            "^".repeat(self.width.min(room))
        )?;
        match label {
            Some(label) => write!(out, " {label}"),
            None => Ok(()),
        }
    }
}

fn floor_boundary(source: &str, at: usize) -> usize {
    (0..=at.min(source.len()))
        .rev()
        .find(|&at| source.is_char_boundary(at))
        .unwrap_or(0)
}

/// One error in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnostic {
    /// What is wrong, without a final full stop.
    pub message: String,
    /// Where.
    pub location: Location,
    /// What was expected there, beside the caret.
    pub label: Option<String>,
    /// Other places that belong to it, each with what it is.
    pub related: Vec<(Location, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(message: impl Into<String>, location: Location) -> Diagnostic {
        Diagnostic {
            message: message.into(),
            location,
            label: None,
            related: Vec::new(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn related(mut self, location: Location, what: impl Into<String>) -> Diagnostic {
        self.related.push((location, what.into()));
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.message)?;
        self.location.write(out, self.label.as_deref())?;
        for (location, what) in &self.related {
            writeln!(out)?;
            location.write(out, Some(what))?;
        }
        match &self.help {
            Some(help) => write!(out, "\n  = help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// One or more errors in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Most errors that are reported at once.
    pub const MAX: usize = 100;

    /// `None` when there are no errors.
    pub(crate) fn from_vec(mut diagnostics: Vec<Diagnostic>) -> Option<Diagnostics> {
        diagnostics.truncate(Self::MAX);
        (!diagnostics.is_empty()).then_some(Diagnostics(diagnostics))
    }

    /// The errors, in the order of the files and of their lines; never empty.
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.0
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// All errors, parted by an empty line. The first has no prefix, so that a program can put its `error: ` before it.
impl fmt::Display for Diagnostics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                write!(out, "\n\nerror: ")?;
            }
            diagnostic.fmt(out)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
