//! RPM spec files: the macro engine, a reader that agrees with rpm, and lossless edits

mod document;
mod macros;

pub use document::{
    Document, Edit, EditContext, EditError, EditErrorKind, LineChange, LineKind, NearLine, PackageRef, PatchUse,
    Reach, Scope, Section, Substitute, Tag, TooLong, nearest_line,
};
pub use macros::{
    Definition, Dialect, Expansion, ExpressionProblem, Files, Frame, Host, Level, Limits, MacroBase, MacroError,
    MacroErrorKind, Macros, MemoryFiles, Message, NoFiles, Notes, Settings, Severity, Shell, Value,
};
