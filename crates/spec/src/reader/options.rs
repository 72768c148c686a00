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
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { file: Arc::from("spec"), depth: Depth::default(), with: Vec::new(), without: Vec::new() }
    }
}

impl ReadOptions {
    /// Options for a file of that name, all else by default.
    #[must_use]
    pub fn for_file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// The same, to read everything.
    #[must_use]
    pub fn full(self) -> Self {
        Self { depth: Depth::Full, ..self }
    }
}
