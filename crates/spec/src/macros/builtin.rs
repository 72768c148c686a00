//! Built-in macros.

/// A built-in macro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builtin {
    /// `%{expand:}`.
    Expand,
}
