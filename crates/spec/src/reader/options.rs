//! What a spec is read with.

use std::sync::Arc;

/// How much of a spec is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// What `rpmspec -q` answers: packages, tags, dependencies, sources, scriptlets' interpreters, conditionals.
    ///
    /// Texts are left out: descriptions, scripts, the entries of `%files`, the changelog, and what
    /// [`Spec::expanded`](super::Spec::expanded) gives. Lines of these are expanded only where somebody could notice:
    /// where they, or the macros that they call, may define a macro, begin a section, or run Lua or a command.
    #[default]
    Query,
    /// Everything.
    Full,
}

/// What becomes of macros that nobody defines, and of commands that were not run, where they matter.
///
/// They stay in the text and are listed in [`Spec::unknowns`](super::Spec::unknowns) in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownMacros {
    /// The rest is read: the macros of a distribution may be absent where a spec is read.
    ///
    /// A line of the preamble that begins with one is passed over. A dependency, a version and the like keep it, as one
    /// word with all that its brackets hold. A condition with one does not hold, and is marked as
    /// [`Outcome::Unknown`](super::Outcome::Unknown).
    #[default]
    Leave,
    /// It is as in rpm: such a line is no tag, such a dependency has a bad name, such a condition is an error.
    Refuse,
}

/// What a spec is read with, beside its text and the macros.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The name of the file, for messages and `%__file_name`.
    pub file: Arc<str>,
    /// How much is read.
    pub depth: Depth,
    /// Build conditions that are switched on, as `--with` does.
    pub with: Vec<String>,
    /// Build conditions that are switched off, as `--without` does.
    pub without: Vec<String>,
    /// What becomes of macros that nobody defines.
    pub unknown_macros: UnknownMacros,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            file: Arc::from("spec"),
            depth: Depth::default(),
            with: Vec::new(),
            without: Vec::new(),
            unknown_macros: UnknownMacros::default(),
        }
    }
}

impl ReadOptions {
    /// Options for a file of that name, all else by default.
    #[must_use]
    pub fn for_file(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            ..Self::default()
        }
    }

    /// The same, to refuse what rpm refuses because macros are absent.
    #[must_use]
    pub fn strict(self) -> Self {
        Self {
            unknown_macros: UnknownMacros::Refuse,
            ..self
        }
    }

    /// The same, to read everything.
    #[must_use]
    pub fn full(self) -> Self {
        Self {
            depth: Depth::Full,
            ..self
        }
    }
}
