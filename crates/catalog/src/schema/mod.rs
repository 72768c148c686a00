//! The file schema: what may stand in `lazuli.toml`, `azldev.toml` and every file that they include.
//!
//! These types are the file and nothing more. All keys are optional where the format lets them be, values of one field
//! that exclude each other stand side by side, and nothing is inherited yet. [`Catalog`](crate::Catalog) merges the files
//! and turns them into domain types. The JSON schema that editors use, and that the
//! loader checks files against, is generated from these types and their comments.
//!
//! Keys that azldev does not have are marked **Lazuli:** in their description.

mod build;
mod component;
mod declare;
mod distro;
mod group;
mod image;
mod import;
mod json;
mod layer;
mod overlay;
mod project;
mod resource;
mod test;

pub use build::{
    Build, BuildAllow, BuildFailure, BuildHints, Check, CratePart, HashType, Origin, OriginType, Release,
    ReleaseCalculation, Render, SourceFile,
};
pub use component::{
    Component, ComponentPublish, ComponentScope, ComponentTests, Spec, SpecType, VersionAdditions,
};
pub use declare::{
    Alternative, Attributes, Declare, DeclaredCapabilities, DeclaredDirectory, DeclaredFile, DeclaredGroup,
    DeclaredMember, DeclaredUser, Finaliser, Follower, Symlink,
};
pub use distro::{
    Buildroot, Distro, DistroReference, DistroRelease, DistroVersionEntry, FixedIds, Inputs,
    PackageRepository, RepositoryUse, Upstream, UpstreamType,
};
pub use group::{ComponentGroup, ComponentTemplate, MatrixAxis, Package, PackageGroup, PackagePublish};
pub use image::{
    Disk, EfiPartition, FileSystem, Image, ImageCapabilities, ImageDefinition, ImageFormat, ImagePublish,
    ImageTests, Initrd, Kernel, RootPartition, System,
};
pub use import::{Generate, GenerateType, Import, MaintainerScript, ReviewedScript};
pub use json::{json_schema, overlay_file_schema};
pub use layer::{Layer, ListRule, Local, OverrideList, Place, Placed, SourceText, Table};
pub use overlay::{
    Bug, Commit, Overlay, OverlayAction, OverlayCategory, OverlayError, OverlayFile, OverlayMetadata,
    OverlayType, Replacement, SearchMode, SectionTarget, UpstreamStatus,
};
pub use project::{ConfigFile, ImageCustomizer, Project, Tools};
pub use resource::{
    Resources, RpmRepository, RpmRepositoryComparison, RpmRepositorySet, RpmRepositorySetTemplate,
    SubRepository, SubRepositoryKind,
};
pub use test::{
    InstallMode, Pytest, Test, TestGroup, TestKind, TestReference, TestSuite, TestSuiteReference, TestType,
};

pub(crate) use layer::{entry, normalise, record, replaced};
