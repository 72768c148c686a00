//! The RPM package format: versions, dependencies, headers, payloads; reading and writing packages.
//!
//! This crate does no I/O: bytes in, values out.
//!
//! # Why a codec of our own
//!
//! The `rpm` crate reads and writes packages too, but not what a distribution needs of the format: the
//! database wants headers byte for byte as they were signed ([`installed_header`]), a repository wants to
//! know where they lie ([`parse_headers`]), payloads are unpacked as a stream that checks each file
//! ([`Package::payload`]), a package is written in one pass and with SOURCERPM and every `rpmlib(…)` that
//! it needs ([`PackageBuilder`]), and nothing that a stranger's package says is believed before its bounds
//! are checked ([`Header`]).
//!
//! # Where things are
//!
//! | for | see |
//! |---|---|
//! | what a package says, as values | [`Metadata`], [`FileEntry`], [`Dependency`], [`RichDependency`], [`Evr`], [`Nevra`] |
//! | a package file | [`Package`], [`Payload`], [`PackageBuilder`] |
//! | the raw header | [`Header`], [`HeaderBuilder`], [`Tag`] |
//! | signatures | [`Signer`], [`Verifier`], implemented by the `openpgp` crate |
//! | the rpm database | [`installed_header`] |
//!
//! The reference is rpm 4.18: its `docs/manual/format.md`, `lib/header.c`, `lib/cpio.c` and `build/pack.c`.

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
pub use header::{Header, HeaderBuilder, HeaderEntry, HeaderError, HeaderKind};
pub use installed::{FileState, InstallFacts, installed_header};
pub use metadata::{ChangelogEntry, FileEntry, FileFlags, Metadata, Scriptlet, ScriptletKind};
pub use package::{Package, PackageError, PackageHeaders, PackageKind, parse_headers};
pub use payload::{Payload, PayloadEntry};
pub use rich::{RichContext, RichDependency};
pub use signature::{KeyKind, SignError, Signer, SignerInfo, Verifier, VerifyError};
pub use tag::{Tag, TagType};
