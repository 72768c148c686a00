//! Domain types: what a merged configuration means once defaults are filled in and everything is inherited.

mod build;
mod component;
mod declare;
mod distro;
mod image;
mod overlay;
mod publish;

pub use build::{
    Allowed, BuildEffort, BuildSettings, CheckPhase, ExpectedOutcome, FileFilter, ResolvedSourceFile,
    SourceDigest, SourceOrigin, SourcePlacement, TarballCompression, UpstreamProvenance,
};
pub use component::{
    GenerateSource, Generated, ImportSource, LayerOrigin, ResolvedComponent, Review, Source, SpecSource,
};
pub use declare::{
    AttributeChange, CapabilityEntry, Declarations, DeclaredAlternative, DirectoryEntry, FileContent,
    FileEntry, FinaliserSpec, FollowerEntry, GroupEntry, LinkEntry, MemberEntry, UserEntry,
};
pub use distro::{DebianUpstream, OriginPolicy, ReleaseInfo, ResolvedDistro, ResolvedUpstream};
pub use image::{
    DiskLayout, EspLayout, InitrdSpec, KernelSpec, ResolvedImage, RootLayout, RootSize, SystemSettings,
};

pub use overlay::ResolvedOverlay;
pub use publish::{
    Channel, PackageKind, RepositoryAddress, ResolvedPublication, ResolvedRepository, ServerCheck,
    SignatureCheck, SigningKey,
};

pub(crate) use component::resolve_component;
pub(crate) use distro::resolve_distro;
pub(crate) use image::resolve_image;
pub(crate) use overlay::OverlaySource;

/// Why something cannot be resolved; [`Catalog`](crate::Catalog) adds where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
    /// The key that it is about, below the object's own table.
    pub(crate) key: Vec<String>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Fault {
        Fault {
            message: message.into(),
            help: None,
            key: Vec::new(),
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }

    /// The entry of the list that the key names.
    ///
    /// It is counted from the end (`-1` is the last): what an object inherits goes before its own entries, and only its
    /// own are in the file where the fault is looked up.
    pub(crate) fn entry(mut self, index: usize, count: usize) -> Fault {
        self.key.push(format!("-{}", count - index));
        self
    }

    pub(crate) fn at(mut self, key: &[&str]) -> Fault {
        self.key = key.iter().map(|&part| part.to_owned()).collect();
        self
    }
}
