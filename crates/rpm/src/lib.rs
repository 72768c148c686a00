//! The RPM package format: versions, dependencies, headers, payloads; reading and writing packages.
//!
//! This crate does no I/O: bytes in, values out.

mod build;
mod dependency;
mod evr;
mod header;
mod installed;
mod metadata;
mod package;
mod payload;
mod rich;
mod signature;
mod tag;

pub use build::{BuildError, BuiltPackage, Compression, Content, ContentSource, PackageBuilder};
pub use dependency::{Comparison, Dependency, DependencyParseError, Sense};
pub use evr::{Evr, EvrParseError, Nevra};
pub use header::{Header, HeaderError, HeaderKind};
pub use installed::{FileState, InstallFacts, installed_header};
pub use metadata::{ChangelogEntry, FileEntry, FileFlags, Metadata, Scriptlet, ScriptletKind};
pub use package::{Package, PackageError, PackageHeaders, parse_headers};
pub use payload::{Payload, PayloadEntry};
pub use rich::RichDependency;
pub use signature::{KeyKind, SignError, Signer, SignerInfo, Verifier, VerifyError};
pub use tag::{Tag, TagType};
