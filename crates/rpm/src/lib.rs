//! The RPM package format: versions, dependencies, headers, payloads; reading and writing packages.
//!
//! This crate does no I/O: bytes in, values out.

mod dependency;
mod evr;
mod metadata;

pub use dependency::{Comparison, Dependency, DependencyParseError, Sense};
pub use evr::{Evr, EvrParseError, Nevra};
pub use metadata::{ChangelogEntry, FileEntry, FileFlags, Metadata, Scriptlet, ScriptletKind};
