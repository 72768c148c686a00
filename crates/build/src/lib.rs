//! One build of one component: from a rendered spec and its sources to signed packages that are checked, named by what
//! went into them, and accompanied by a statement of where they came from.
//!
//! ```text
//!  repositories ──Stock──▶ PackageSet ──Buildroots──▶ Buildroot (cached layers)
//!                                                        │
//!  spec, sources, options ──▶ BuildJob ──────────build───┴──▶ rpmbuild in the sandbox ──▶ check ──▶ sign ──▶ Built
//!                                │                                                                            │
//!                                └──▶ BuildKey: is it built already, and if not, why                          └──▶ provenance
//! ```
//!
//! # The parts
//!
//! | question | answer |
//! |---|---|
//! | what is in a buildroot | [`Stock`]: [`resolve_base`] and [`resolve_layer`] over a pool, pure |
//! | where is it | [`Buildroots`]: a base and dependency layers, each made once, found by the digest of its packages |
//! | one build | [`build`], of a [`BuildJob`], told through an [`Observer`], stopped through a [`Cancel`] |
//! | may what came out be used | [`check`](check::check): [`Finding`]s with severities |
//! | is it the same as before | [`ContentDigest`]: what a package does to those who use it, and nothing else |
//! | must it be built | [`BuildKey`]: all that the result depends on, by named fields |
//! | where did it come from | [`Provenance`]: an in-toto statement with SLSA provenance |
//! | is it reproducible | [`verify`](verify::verify): built again under varied circumstances and compared |
//!
//! The crate never prints, exits or reads the environment.

mod cancel;
mod content;
mod digest;
mod error;
mod job;
mod key;
mod observe;
mod package;
mod provenance;
mod result;

pub mod buildroot;
pub mod check;
pub mod drive;
pub mod run;
pub mod schedule;
pub mod verify;
pub mod workshop;

pub use buildroot::{
    Buildroot, Buildroots, Collected, LayerChange, Origin, PackageSet, ResolveError, RootPackage, RootSource,
    Stock, Stocked, package_record, resolve_base, resolve_layer,
};
pub use cancel::Cancel;
pub use check::{Allowances, Finding, FindingKind, Severity};
pub use content::{ContentDigest, ContentIndex, content_digest};
pub use digest::Digest;
pub use error::BuildError;
pub use job::{
    Architecture, BuildJob, BuildOptions, Expected, InputContent, InputFile, Limits, Macros, SourceDateEpoch,
    Tests,
};
pub use key::{BUILDER_VERSION, BuildKey, KeyChange, KeyInputs};
pub use observe::{Event, Observer, Phase, Quiet};
pub use provenance::{Provenance, ProvenanceInputs, provenance};
pub use result::{Built, BuiltPackage, Failure, FailureReason, Kept};
pub use run::{BuildSettings, Keep, REQUIREMENT_ROUNDS_MAX, build, generates_requirements};
