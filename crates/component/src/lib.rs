//! Components as they will be built: overlays, fingerprints, releases, rendered specs

mod files;
pub mod fingerprint;
pub mod git;
pub mod history;
pub mod overlay;
pub mod provider;
mod source_tree;

pub use files::ProjectFiles;
pub use fingerprint::{Environment, FieldChange, Fingerprint, FingerprintError, explain};
pub use git::{GitError, GitRepository, GitTree, Person};
pub use provider::{CommitChoice, LocalMirror, SourceProvider, UpstreamPackage};

pub use source_tree::{
    Content, FileMode, SourceFile, SourcePath, SourceTree, StoredFile, TreeChange, TreeError,
};
