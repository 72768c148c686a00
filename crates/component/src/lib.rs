//! Components as they will be built: overlays, fingerprints, releases, rendered specs.
//!
//! ```text
//!  project at a commit, or on the disk ──▶ ProjectState ──▶ ResolvedComponent, lock, recorded changes
//!                                                              │
//!  upstream (SourceProvider) ──▶ SourceTree ──compose──▶ SourceTree ──Renderer──▶ specs/b/bash/
//!                                               │                    release, changelog: history
//!                                               └──Updater──▶ locks/bash.lock, locks/bash.changes
//! ```
//!
//! | question | answer |
//! |---|---|
//! | what can change a package | [`fingerprint()`](fingerprint::fingerprint), [`explain`] |
//! | what must be rebuilt, and why | [`changed()`] |
//! | which release, which changelog | [`history`] |
//! | what is built | [`Renderer`] |
//! | what a build takes, with all sources | [`Renderer::build_inputs`] |
//! | what does the project change | [`project_diff`] |
//! | which commit, and what is recorded | [`Updater`] |
//! | how does a component come in | [`Adder`] |
//!
//! Nothing here reads the clock or the environment; git is run as a program; the network is behind [`SourceProvider`].

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
pub mod index;
mod inputs;
pub mod overlay;
pub mod provider;
mod render;
mod script;
mod source_tree;
mod sources;
mod spec_reader;
mod state;
mod update;

pub use add::{AddError, AddRequest, Added, Adder};
pub use changed::{
    Change, ChangedComponent, Changes, DependencyStep, Dependent, DirectDependents, Side, changed,
};
pub use compose::{ComposeError, Composed, compose, upstream_package};
pub use diff::{FileDiff, FileDiffKind, TreeDiff, diff};
pub use dist_git::DistGitProvider;
pub use files::ProjectFiles;
pub use fingerprint::{Environment, FieldChange, Fingerprint, FingerprintError, explain};
pub use git::{GitError, GitRepository, GitTree, Person};
pub use inputs::{BuildFile, BuildInputs, InputsError};
pub use provider::{CommitChoice, LocalMirror, SourceProvider, UpstreamPackage};
pub use render::{
    Mode, OrphanFolder, Outcome, RenderError, Rendered, Renderer, StaleLock, Verdict, Written,
    component_folder, orphans, project_diff,
};
pub use script::{RootRunner, ScriptError, ScriptRequest, ScriptRunner};
pub use source_tree::{
    Content, FileMode, SourceFile, SourcePath, SourceTree, StoredFile, TreeChange, TreeError,
};
pub use sources::{ExternalFile, ExternalSource, SourcesError};
pub use spec_reader::{ReaderError, References, SpecReader, SpecSummary};
pub use state::{ProjectState, StateError, has_spec};
pub use update::{
    Committed, Rebuild, Resolution, Update, UpdateError, UpdateOutcome, Updater, orphaned_locks,
};
