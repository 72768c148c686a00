//! RPM spec files: the macro engine, a reader that agrees with rpm, and lossless edits

mod base;
mod document;
mod macros;
mod reader;

pub use base::{Target, base_macros};
pub use document::{
    Document, Edit, EditContext, EditError, EditErrorKind, LineChange, LineKind, NearLine, PackageRef,
    PatchUse, Reach, Scope, Section, Substitute, Tag, TooLong, nearest_line,
};
pub use macros::{
    Definition, Dialect, Expansion, ExpressionProblem, Files, Frame, Host, Level, Limits, LuaItem, MacroBase,
    MacroError, MacroErrorKind, Macros, MemoryFiles, Message, NoFiles, Notes, Settings, Severity, Shell,
    Value, Version,
};
pub use reader::{
    Attributes, BuildCondition, BuildSection, BuildSectionKind, ChangelogEntry, Comparison, Conditional,
    ConfigPolicy, DEFAULT_LANGUAGE, Dependency, DependencyKind, Depth, Detail, FileEntry, FileList,
    Forbidden, Origin, Outcome, Package, Position, Qualifiers, ReadOptions, Restrictions, ScriptExpansion,
    Scriptlet, ScriptletKind, Source, SourceKind, Spec, SpecError, SpecErrorKind, TagValue, TextTag,
    TriggerCondition, Unknown, UnknownKind, UnknownMacros, Verify, Warning,
};
