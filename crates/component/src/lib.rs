//! Components as they will be built: overlays, fingerprints, releases, rendered specs

mod add;
pub mod archive;
mod changed;
mod compose;
mod diff;
mod dist_git;
mod files;
pub mod fingerprint;
pub mod git;
pub mod history;
pub mod overlay;
pub mod provider;
mod render;
mod source_tree;
mod sources;
mod spec_reader;
mod state;
mod update;

pub use add::{AddError, AddRequest, Added, FileReason, add};
pub use changed::{Change, ChangedComponent, Changes, DependencyStep, Dependent, DirectDependents, Side, changed};
pub use compose::{ComposeError, Composed, compose, upstream_package};
pub use diff::{FileDiff, FileDiffKind, TreeDiff, diff};
pub use dist_git::DistGitProvider;
pub use files::ProjectFiles;
pub use fingerprint::{Environment, FieldChange, Fingerprint, FingerprintError, explain};
pub use git::{GitError, GitRepository, GitTree, Person};
pub use provider::{CommitChoice, LocalMirror, SourceProvider, UpstreamPackage};
pub use render::{
    Mode, OrphanFolder, Outcome, RenderError, Rendered, Renderer, StaleLock, Verdict, Written, component_folder, orphans,
    project_diff,
};
pub use source_tree::{
    Content, FileMode, SourceFile, SourcePath, SourceTree, StoredFile, TreeChange, TreeError,
};
pub use sources::SourcesError;
pub use spec_reader::{ReaderError, References, SpecReader, SpecSummary};
pub use state::{ProjectState, StateError};
pub use update::{
    Committed, Rebuild, Resolution, Update, UpdateError, UpdateOutcome, Updater, orphaned_locks,
};
