//! The Debian package format: versions, control files, relations, the `.deb` archive, copyright files, changelogs.
//!
//! This crate does no I/O: bytes in, values out. Everything it reads may be hostile: each parser has named limits, and
//! answers damage with an error, never a panic.

mod ar;
mod archive;
mod binary;
mod changelog;
mod compression;
mod control;
mod copyright;
mod entry;
mod license;
mod metadata;
mod names;
mod relation;
mod tarball;
mod version;

pub use archive::{Deb, DebError, Limits, VisitError};
pub use binary::{Binary, BinaryError, MultiArch, Priority, RelationKind};
pub use changelog::{Changelog, ChangelogEntry, ChangelogProblem, parse_date};
pub use control::{ControlError, MAX_FIELDS, Paragraph, Paragraphs, parse_paragraph, parse_paragraphs};
pub use copyright::{Copyright, CopyrightError, FilesParagraph, License};
pub use entry::{Entry, EntryKind, EntryPath, MAX_COMPONENT_LENGTH, MAX_PATH_LENGTH};
pub use license::{LicenseExpression, LicenseExpressionError};
pub use metadata::{Conffile, Control, ScriptKind, Trigger, TriggerDirection, TriggerWaiting};
pub use names::{Architecture, MAX_NAME_LENGTH, NameError, PackageName, Sha256Digest};
pub use relation::{
    Alternatives, ArchitectureQualifier, ArchitectureTerm, Comparison, MAX_RELATION_FIELD, ProfileTerm,
    Relation, RelationError, VersionConstraint, parse_relation, parse_relations,
};
pub use version::{MAX_VERSION_LENGTH, Version, VersionError};
