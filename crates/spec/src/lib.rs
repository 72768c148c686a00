//! RPM spec files: the macro engine, a reader that agrees with rpm, and lossless edits

mod macros;

pub use macros::{
    Definition, Dialect, Expansion, ExpressionProblem, Files, Frame, Host, Level, Limits, MacroBase, MacroError,
    MacroErrorKind, Macros, MemoryFiles, Message, NoFiles, Notes, Settings, Severity, Shell, Value,
};
