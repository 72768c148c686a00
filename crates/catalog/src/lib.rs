//! The TOML configuration: its file schema, its validated domain types, and lock files.
//!
//! A project is a folder with `lazuli.toml` (or `azldev.toml`, the files of Azure Linux's tool, which load unchanged)
//! and the files that it includes. They say which upstream packages are in the distribution, from where, with which
//! changes, and what images are made of them.
//!
//! ```text
//!  text ──parse_config──▶ schema::ConfigFile ──merge──▶ Catalog ──distro, component, image──▶ Resolved…
//!         document, check,      the file,                all files,     domain types: inherited,
//!         validate              key by key               one name once  defaults filled in, checked
//! ```
//!
//! Files are laid over each other in this order: what is built in, the project's root file and what it includes, the
//! user's own file, and those of the command line ([`LoadOptions`]).
//!
//! | layer | lists | tables | other values |
//! |---|---|---|---|
//! | a distribution, project or tool in several files | the later file's list replaces | key by key | the later file's value |
//! | components, groups and images in several files | refused: a name is defined once | | |
//! | resources in several files | the later entry replaces the whole entry of that name | | |
//! | inheritance: distribution → version → project → groups by name → spec of a group, template, component; image → what extends it | appended, but for `overlay-files`, `versions`, `architectures` and `formats`, which replace | key by key | the later layer's value |
//!
//! A component is an entry of `[components]`, a combination of a template's values, a spec that a group's glob matches, or
//! a folder of overlay files; [`Catalog::component`] makes them one type, [`Catalog::explain`] says where each value comes
//! from, [`add_component`] writes a new entry into a file's text.
//!
//! Only [`Files`] touches the disk. Everything else takes text and gives values. Errors in files are
//! [`Diagnostic`]s: they say file, line and column, show the line, and name the nearest known key.
//!
//! Invariants: what is refused is refused when the project is loaded or the object is resolved, never later; a value of
//! a type of [`value`] is valid; nothing here reads the environment.

mod catalog;
mod check;
mod component_lock;
mod components;
mod diagnostic;
mod discover;
mod document;
mod edit;
mod error;
mod explain;
mod files;
mod glob;
mod images;
mod imports;
mod load;
mod lock;
mod merge;
mod place;
mod publish;
mod query;
mod re2;
mod references;
mod resolve;
pub mod schema;
mod suggest;
mod validate;
pub mod value;

pub use catalog::{Catalog, Project};
pub use component_lock::ComponentLock;
pub use diagnostic::{Diagnostic, Diagnostics, Location};
pub use document::{parse_config, parse_overlay_file};
pub use edit::{EditError, NewComponent, add_component};
pub use error::Error;
pub use explain::{ExplainedValue, OverriddenValue};
pub use files::{Disk, EntryKind, Files, FolderEntry, ROOT_FILES, find_root};
pub use glob::expand;
pub use imports::Imports;
pub use load::LoadOptions;
pub use lock::{LockChange, LockDiff, LockFile, LockedPackage, LockedSuite};
pub use place::{ExistingFile, Placement, PlacementReason};
pub use publish::RepositoryPurpose;
pub use query::ComponentSelector;
pub use re2::translate_search;
pub use resolve::{
    Allowed, AttributeChange, BuildEffort, BuildSettings, CapabilityEntry, Channel, CheckPhase,
    DebianUpstream, Declarations, DeclaredAlternative, DirectoryEntry, DiskLayout, EspLayout,
    ExpectedOutcome, FileContent, FileEntry, FileFilter, FinaliserSpec, FollowerEntry, GenerateSource,
    Generated, GroupEntry, ImportSource, InitrdSpec, KernelSpec, LayerOrigin, LinkEntry, MemberEntry,
    OriginPolicy, PackageKind, ReleaseInfo, RepositoryAddress, ResolvedComponent, ResolvedDistro,
    ResolvedImage, ResolvedOverlay, ResolvedPublication, ResolvedRepository, ResolvedSourceFile,
    ResolvedUpstream, Review, RootLayout, RootSize, ServerCheck, SignatureCheck, SigningKey, Source,
    SourceDigest, SourceOrigin, SourcePlacement, SpecSource, SystemSettings, TarballCompression,
    UpstreamProvenance, UserEntry,
};
pub use schema::{
    ComponentScope, CratePart, FileSystem, ImageCapabilities, ImageDefinition, ImageFormat, ImageTests,
    MaintainerScript, OverlayAction, OverlayMetadata, OverlayType, Place, ReleaseCalculation, Replacement,
    SearchMode, SectionTarget,
};
pub use suggest::nearest;
pub use value::{
    AbsolutePath, AccountName, Architecture, ByteSize, CommitId, ComponentName, DebianArchitecture,
    DebianVersion, DistroName, DistroVersion, FileMode, FileName, Fingerprint, GroupName, ImageName,
    InvalidValue, NamePattern, PackageName, PathGlob, PathMatcher, PoolPath, ProgramName, Sha256Digest,
    SourceVersion, SuiteName, Timestamp, UnitName,
};
