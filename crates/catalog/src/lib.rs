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
//! | layer | lists | tables | other values |
//! |---|---|---|---|
//! | a distribution, project or tool in several files | the later file's list replaces | key by key | the later file's value |
//! | components, groups and images in several files | refused: a name is defined once | | |
//! | resources in several files | the later entry replaces the whole entry of that name | | |
//! | inheritance: distribution → version → project → groups by name → component; image → what extends it | appended, but for `overlay-files`, `versions`, `architectures` and `formats`, which replace | key by key | the later layer's value |
//!
//! Only [`load`](crate::Files) touches the disk. Everything else takes text and gives values. Errors in files are
//! [`Diagnostic`]s: they say file, line and column, show the line, and name the nearest known key.
//!
//! Invariants: what is refused is refused when the project is loaded or the object is resolved, never later; a value of
//! a type of [`value`] is valid; nothing here reads the environment.

mod catalog;
mod check;
mod component_lock;
mod diagnostic;
mod document;
mod error;
mod imports;
mod load;
mod lock;
mod merge;
mod resolve;
pub mod schema;
mod suggest;
mod validate;
pub mod value;

pub use catalog::{Catalog, Project};
pub use component_lock::ComponentLock;
pub use diagnostic::{Diagnostic, Diagnostics, Location};
pub use document::{parse_config, parse_overlay_file};
pub use error::Error;
pub use imports::Imports;
pub use load::{Disk, EntryKind, Files, FolderEntry, ROOT_FILES, expand, find_root};
pub use lock::{LockChange, LockDiff, LockFile, LockedPackage, LockedSuite};
pub use resolve::{
    AttributeChange, BuildEffort, BuildSettings, CapabilityEntry, CheckPhase, DebianUpstream, Declarations,
    DeclaredAlternative, DirectoryEntry, DiskLayout, EspLayout, ExpectedOutcome, FileContent, FileEntry,
    FileFilter, FinaliserSpec, FollowerEntry, GenerateSource, Generated, GroupEntry, ImportSource,
    InitrdSpec, KernelSpec, LayerOrigin, LinkEntry, MemberEntry, ReleaseInfo, ResolvedComponent,
    ResolvedDistro, ResolvedImage, ResolvedOverlay, ResolvedSourceFile, ResolvedUpstream, Review, RootLayout,
    RootSize, Source, SourceDigest, SourceOrigin, SourcePlacement, SpecSource, SystemSettings,
    UpstreamProvenance, UserEntry,
};
pub use schema::{
    FileSystem, ImageFormat, MaintainerScript, OverlayAction, OverlayMetadata, OverlayType, Place,
    ReleaseCalculation, Replacement, SearchMode, SectionTarget,
};
pub use suggest::nearest;
pub use value::{
    AbsolutePath, AccountName, Architecture, ByteSize, CommitId, ComponentName, DebianArchitecture,
    DebianVersion, DistroName, DistroVersion, FileMode, Fingerprint, GroupName, ImageName, InvalidValue,
    NamePattern, PackageName, PathGlob, PathMatcher, PoolPath, ProgramName, Sha256Digest, SuiteName,
    Timestamp, UnitName,
};
