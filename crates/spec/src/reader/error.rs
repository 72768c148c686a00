//! Errors of reading a spec file: where, what was wrong, what was expected.

use std::fmt;
use std::sync::Arc;

use super::model::Position;

/// Why a spec file can't be read, with the place as a compiler gives it.
///
/// `Display` is one line, `file:line:column: what`; [`SpecError::render`] adds the source line with a caret and the hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError(Box<Detail>);

/// The fields of a [`SpecError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The file and the line; for what spans lines, its first line.
    pub position: Position,
    /// The first byte of what is wrong in `source_line`, from 1; 0 if it is the file as a whole.
    pub column: usize,
    /// How many bytes are wrong from there on; at least 1 when there is a column.
    pub length: usize,
    /// The line as it stands in the file, without its line break; empty if it is the file as a whole.
    pub source_line: String,
    /// What is wrong.
    pub kind: SpecErrorKind,
    /// What to do about it, where there is something to say.
    pub hint: Option<String>,
}

/// What is wrong with a spec file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecErrorKind {
    /// A line of the preamble that is no tag.
    #[error("unknown tag `{tag}`")]
    UnknownTag {
        /// What stands before the colon, or the line.
        tag: String,
    },
    /// A tag without a value.
    #[error("the tag `{tag}` has no value")]
    EmptyTag {
        /// The tag.
        tag: String,
    },
    /// A tag that takes one word has several.
    #[error("the tag `{tag}` takes a single word, but has `{value}`")]
    SingleWord {
        /// The tag.
        tag: String,
        /// Its value.
        value: String,
    },
    /// A character that may not be in a name, version or release.
    #[error("`{character}` may not be in {what} `{value}`")]
    IllegalCharacter {
        /// The character.
        character: char,
        /// What it stands in: "the name", "the version".
        what: &'static str,
        /// The whole value.
        value: String,
    },
    /// Two dots after each other in a name, version or release.
    #[error("`..` may not be in {what} `{value}`")]
    IllegalSequence {
        /// What it stands in.
        what: &'static str,
        /// The whole value.
        value: String,
    },
    /// A number was expected.
    #[error("{what} must be a number, but is `{value}`")]
    BadNumber {
        /// Which number.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// A dependency that can't be read.
    #[error("`{dependency}` is no dependency: {reason}")]
    BadDependency {
        /// The dependency, from where it begins.
        dependency: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An unknown word in the parentheses of `Requires(…)`.
    #[error("`{qualifier}` is no qualifier of a dependency")]
    BadQualifier {
        /// The word.
        qualifier: String,
    },
    /// A prefix that ends in a slash, a documentation folder that is not absolute.
    #[error("`{path}` {reason}")]
    BadPath {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A tag that may be given once was given again.
    #[error("{tag} is given twice for {package}")]
    DuplicateTag {
        /// The tag.
        tag: &'static str,
        /// The package.
        package: String,
    },
    /// A package lacks a tag.
    #[error("{package} has no {tag}")]
    MissingTag {
        /// The tag.
        tag: &'static str,
        /// The package.
        package: String,
    },
    /// A package lacks its `%description`.
    #[error("{package} has no %description")]
    MissingDescription {
        /// The package.
        package: String,
    },
    /// Two sources or patches with the same number.
    #[error("{what} {number} is defined twice")]
    DuplicateSource {
        /// "source" or "patch".
        what: &'static str,
        /// The number.
        number: u32,
    },
    /// `NoSource`, `%setup -a`, `%patch` name a number that no tag has.
    #[error("there is no {what} {number}")]
    UnknownSource {
        /// "source" or "patch".
        what: &'static str,
        /// The number.
        number: u32,
    },
    /// A sub-package may be noarch only, and the package's own list must fit the machine.
    #[error("{reason}")]
    BadArchitecture {
        /// What is wrong.
        reason: String,
    },
    /// Arguments of a section, or of `%setup` and `%patch`.
    #[error("{what}: {reason}")]
    BadArguments {
        /// The section or macro.
        what: String,
        /// What is wrong with them.
        reason: String,
    },
    /// A section names a package that is not declared before.
    #[error("{section} names the package `{package}`, which no %package declares before it")]
    UnknownPackage {
        /// The section.
        section: &'static str,
        /// The package.
        package: String,
    },
    /// The same package is declared again.
    #[error("the package `{package}` exists already")]
    DuplicatePackage {
        /// The package.
        package: String,
    },
    /// A section that may be there once is there again.
    #[error("a second {section}")]
    SecondSection {
        /// The section, and of which package.
        section: String,
    },
    /// A trigger without conditions.
    #[error("{section} needs `--` and the packages or folders that it waits for")]
    TriggerWithoutCondition {
        /// The section.
        section: &'static str,
    },
    /// `%else`, `%elif` or `%endif` where none may be.
    #[error("{directive} {reason}")]
    MisplacedConditional {
        /// The directive.
        directive: &'static str,
        /// After what it comes.
        reason: String,
    },
    /// `%if` without `%endif`.
    #[error("{directive} has no %endif")]
    UnclosedConditional {
        /// The directive that is open.
        directive: &'static str,
    },
    /// A condition that can't be evaluated.
    #[error("bad condition of {directive}: {reason}")]
    BadCondition {
        /// The directive.
        directive: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// `%{` without `}`, or a backslash at the end of the file.
    #[error("a macro or line continuation that begins here never ends")]
    UnclosedMacro,
    /// The macro engine refused.
    #[error("{reason}")]
    Macro {
        /// What it said.
        reason: String,
    },
    /// `%include` of a file that can't be read.
    #[error("failed to include `{path}`: {reason}")]
    Include {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// `%end` with arguments, or text outside of a section after it.
    #[error("{reason}")]
    OutsideSection {
        /// What is wrong.
        reason: &'static str,
    },
    /// One of the named limits was reached.
    #[error("the {what} exceeds the limit of {limit}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl SpecError {
    pub(crate) fn new(detail: Detail) -> Self {
        Self(Box::new(detail))
    }

    /// An error of the file as a whole.
    pub(crate) fn of_file(file: &Arc<str>, kind: SpecErrorKind) -> Self {
        Self::new(Detail {
            position: Position {
                file: Arc::clone(file),
                line: 0,
            },
            column: 0,
            length: 0,
            source_line: String::new(),
            kind,
            hint: None,
        })
    }

    /// Names the line of an error that has none.
    pub(crate) fn set_line(&mut self, line: u32) {
        self.0.position.line = line;
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// All that is known of the error.
    #[must_use]
    pub fn detail(&self) -> &Detail {
        &self.0
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &SpecErrorKind {
        &self.0.kind
    }

    /// The file and the line.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.0.position
    }

    /// The message with the source line, a caret below what is wrong, and the hint, over several lines.
    #[must_use]
    pub fn render(&self) -> String {
        let detail = &self.0;
        let mut text = format!("error: {}\n", detail.kind);
        if detail.column == 0 {
            let line = Some(detail.position.line).filter(|line| *line > 0);
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            text.push_str(&format!(" --> {}{line}\n", detail.position.file));
        } else {
            let number = detail.position.line.to_string();
            let margin = " ".repeat(number.len());
            let before = detail.source_line.get(..detail.column - 1).unwrap_or("");
            let marked = detail.source_line.get(detail.column - 1..).unwrap_or("");
            let marked = marked.get(..detail.length).unwrap_or(marked);
            let blank: String = before
                .chars()
                .map(|character| if character == '\t' { '\t' } else { ' ' })
                .collect();
            let carets = "^".repeat(marked.chars().count().max(1));
            text.push_str(&format!(
                "{margin}--> {}:{number}:{}\n{margin} |\n{number} | {}\n{margin} | {blank}{carets}\n",
                detail.position.file,
                before.chars().count() + 1,
                detail.source_line,
            ));
        }
        if let Some(hint) = &detail.hint {
            text.push_str(&format!("hint: {hint}\n"));
        }
        text
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Detail {
            position,
            column,
            kind,
            ..
        } = &*self.0;
        match (position.line, column) {
            (0, _) => write!(f, "{}: {kind}", position.file),
            (line, 0) => write!(f, "{}:{line}: {kind}", position.file),
            (line, column) => write!(f, "{}:{line}:{column}: {kind}", position.file),
        }
    }
}

impl std::error::Error for SpecError {}
