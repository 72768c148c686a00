//! Why an edit was not made.

/// A line that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearLine {
    /// Its number, from 1.
    pub line: usize,
    /// Its text, without blanks around it, shortened.
    pub text: String,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditErrorKind {
    /// A section is not there.
    NoSection,
    /// A sub-package is not there.
    NoPackage,
    /// A tag is not there.
    NoTag,
    /// A tag is there already.
    TagExists,
    /// Several lines could be meant.
    Ambiguous,
    /// A pattern matches nothing.
    NoMatch,
    /// What would be put in is the same as what is there.
    NoChange,
    /// No patch is of that name.
    NoPatch,
    /// A patch is there already.
    PatchExists,
    /// Conditionals do not go together with the sections.
    Conditional,
    /// Something that cannot be in a spec, or is too much of it.
    Refused,
}

/// An edit was not made; the document is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct EditError {
    /// What kind of thing went wrong.
    pub kind: EditErrorKind,
    /// What went wrong, without a final full stop.
    pub problem: String,
    /// What helps to find out why.
    pub context: Box<EditContext>,
}

/// What helps to find out why an edit was not made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditContext {
    /// The section that was to be changed: `%files devel`.
    pub section: Option<String>,
    /// The line, tag, name or pattern that was looked for.
    pub looked_for: Option<String>,
    /// The line that is most like it.
    pub nearest: Option<NearLine>,
    /// What to do.
    pub hint: Option<String>,
}

impl EditError {
    pub(crate) fn new(kind: EditErrorKind, problem: impl Into<String>) -> EditError {
        EditError {
            kind,
            problem: problem.into(),
            context: Box::default(),
        }
    }

    pub(crate) fn section(mut self, section: impl Into<String>) -> EditError {
        self.context.section = Some(section.into());
        self
    }

    pub(crate) fn looked_for(mut self, looked_for: impl Into<String>) -> EditError {
        self.context.looked_for = Some(looked_for.into());
        self
    }

    pub(crate) fn nearest(mut self, nearest: Option<NearLine>) -> EditError {
        self.context.nearest = nearest;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> EditError {
        self.context.hint = Some(hint.into());
        self
    }
}
