//! Rendering: from a component's configuration to the spec and sources that are built, in a folder that is kept under git.
//!
//! ```text
//!  upstream ─▶ overlays ─▶ build options ─▶ sources ─▶ release, changelog ─▶ files that are needed ─▶ specs/b/bash/
//!  └──────────── compose ──────────────┘    settle      history               file filter              write, or check
//! ```
//!
//! The result depends on files only: configuration, lock, recorded changes, and the commit of the upstream. It is the same
//! on every run and every machine. A component that fails leaves its folder as it was; a folder that changes is exchanged
//! whole. Components are rendered side by side.
//!
//! A lock that does not fit the configuration is refused: what would be rendered has a release that other content has
//! had before. `lazuli component update` is what makes it fit.

mod folder;
mod scripts;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use lazuli_catalog::{
    ComponentLock, ComponentName, ExpectedOutcome, FileFilter, ReleaseCalculation, ResolvedComponent, Source,
    SpecSource,
};
use rayon::prelude::*;

use crate::compose::{ComposeError, Composed, compose, upstream_package};
use crate::diff::{TreeDiff, diff};
use crate::fingerprint::{Environment, is_ours};
use crate::history::{
    Counted, Entry, HistoryError, HistoryLine, ProjectHistory, RecordedChange, ReleaseError, ReleaseRule,
    Released, release,
};
use crate::provider::{CHANGELOG_FILE, SOURCES_FILE, SourceProvider, UpstreamCommit};
use crate::script::ScriptError;
use crate::source_tree::{SourceTree, TreeError};
use crate::sources::{ExternalFile, SourcesError, settle};
use crate::spec_reader::{ReaderError, SpecReader};
use crate::state::{ProjectState, StateError, has_spec};

pub use folder::{OrphanFolder, component_folder, orphans};

/// A component can't be rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// It can't be put together.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The project.
    #[error(transparent)]
    State(#[from] StateError),
    /// The file `sources`.
    #[error(transparent)]
    Sources(#[from] SourcesError),
    /// The spec that came of it is none.
    #[error("the spec of `{name}` can't be read after the overlays")]
    Reader {
        /// The component.
        name: ComponentName,
        /// Why not.
        source: ReaderError,
    },
    /// A script that makes a source file.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The history.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The release.
    #[error("failed to compute the release of `{name}`: {source}")]
    Release {
        /// The component.
        name: ComponentName,
        /// Why.
        source: ReleaseError,
    },
    /// The lock is of another configuration.
    #[error("the lock of `{name}` does not fit its configuration any more")]
    Stale {
        /// The component.
        name: ComponentName,
    },
    /// A file.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The folder can't be written.
    #[error("failed to write {}", folder.display())]
    Write {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl RenderError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            RenderError::Compose(error) => error.help(),
            RenderError::Sources(error) => error.help(),
            RenderError::Script(error) => error.help(),
            RenderError::Release { source, .. } => source.help().map(str::to_owned),
            RenderError::Stale { name } => Some(format!(
                "run `lazuli component update {name}`: it records the change and gives it a release"
            )),
            _ => None,
        }
    }
}

/// What happens where a lock does not fit the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleLock {
    /// It is an error.
    Refuse,
    /// What is configured now is rendered, with the release and changelog of before: to look at, not to build.
    Preview,
}

/// What rendering needs beside the components.
#[derive(Clone, Copy)]
pub struct Renderer<'a> {
    /// The project.
    pub state: &'a ProjectState,
    /// Where sources come from.
    pub provider: &'a dyn SourceProvider,
    /// How specs are read.
    pub reader: &'a SpecReader,
    /// The project's git history, for components whose changes were not recorded; none outside of git.
    pub history: Option<&'a ProjectHistory>,
    /// What is done where a lock does not fit.
    pub stale: StaleLock,
}

/// A component, rendered.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The component.
    pub name: ComponentName,
    /// What is written.
    pub tree: SourceTree,
    /// `[EPOCH:]VERSION-RELEASE` of its main package.
    pub evr: String,
    /// What a build takes beside it: files of lookaside caches, of source packages and the like, which are not written.
    pub external: Vec<ExternalFile>,
    /// The names of the spec's sources and patches, in the order of the spec.
    pub sources: Vec<String>,
    /// How the release came about.
    pub rule: ReleaseRule,
    /// The history that release and changelog are made of.
    pub line: HistoryLine,
    /// What the user should look at, each a sentence without a final full stop.
    pub warnings: Vec<String>,
}

impl Renderer<'_> {
    /// Renders a component, in memory.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn render(&self, component: &ResolvedComponent) -> Result<Rendered, RenderError> {
        let lock = self.state.lock(&component.name)?;
        if self.stale == StaleLock::Refuse {
            self.check_lock(component, lock.as_ref())?;
        }
        let commit = lock
            .as_ref()
            .and_then(|lock| lock.upstream_commit.as_ref())
            .map(|commit| commit.as_str());
        let mut composed = compose(self.state, component, commit, self.provider)?;
        self.run_scripts(component, &composed.upstream, &mut composed.tree)?;
        let changes = recorded_changes(self.state, component, self.history, self.reader)?;
        self.finish(component, composed, commit, &changes)
    }

    /// The history of a component: what its release and changelog are made of.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn history(&self, component: &ResolvedComponent) -> Result<Vec<Entry>, RenderError> {
        Ok(self.render(component)?.line.entries)
    }

    fn check_lock(
        &self,
        component: &ResolvedComponent,
        lock: Option<&ComponentLock>,
    ) -> Result<(), RenderError> {
        let recorded = lock.and_then(|lock| lock.input_fingerprint.as_ref());
        // Nothing can be told of a fingerprint of another program, or of none.
        let Some(recorded) = recorded.filter(|token| is_ours(token)) else {
            return Ok(());
        };
        let current = self
            .state
            .fingerprint(component, lock, None, &Environment::default())?;
        match current.inputs() == *recorded {
            true => Ok(()),
            false => Err(RenderError::Stale {
                name: component.name.clone(),
            }),
        }
    }

    /// From the composed tree to what is written.
    pub(crate) fn finish(
        &self,
        component: &ResolvedComponent,
        composed: Composed,
        commit: Option<&str>,
        changes: &[RecordedChange],
    ) -> Result<Rendered, RenderError> {
        let Composed {
            mut tree,
            fetched,
            applied,
            prepared,
            upstream: _,
        } = composed;
        let unreadable = |source| RenderError::Reader {
            name: component.name.clone(),
            source,
        };
        let before = self.reader.read(&tree).map_err(unreadable)?;
        let external = settle(&mut tree, &fetched, &component.source_files)?;
        let counted = match is_automatic(&tree.spec_bytes()?) {
            true => Counted::All,
            false => Counted::Own,
        };
        let upstream = self.upstream_history(component, commit, counted, changes)?;
        let version_of = |spec: &[u8]| self.reader.version(spec);
        let line = HistoryLine::new(&upstream, changes, &before.version, counted, &version_of);
        let released = released(component, &tree, &line, &upstream)?;
        tree.set_spec(released.spec);
        let after = self.reader.read(&tree).map_err(unreadable)?;
        if component.build.file_filter == FileFilter::Referenced {
            drop_unneeded(&mut tree, &|path| after.references.needs(path));
        }
        let external = external
            .into_iter()
            .filter(|file| {
                component.build.file_filter == FileFilter::All || after.references.needs(&file.name)
            })
            .collect();
        let mut warnings: Vec<String> = applied
            .overlays
            .into_iter()
            .flat_map(|one| one.warnings)
            .collect();
        warnings.extend(prepared.warnings);
        if line.displaced > 0 {
            warnings.push(format!(
                "{} changes were made to upstream commits that are not in its history now; they count by their dates",
                line.displaced
            ));
        }
        Ok(Rendered {
            name: component.name.clone(),
            tree,
            evr: after.evr,
            external,
            sources: after.sources,
            rule: released.rule,
            line,
            warnings,
        })
    }

    /// The upstream's commits, where release or changelog need them.
    fn upstream_history(
        &self,
        component: &ResolvedComponent,
        commit: Option<&str>,
        counted: Counted,
        changes: &[RecordedChange],
    ) -> Result<Vec<UpstreamCommit>, RenderError> {
        let package = upstream_package(self.state, component).map_err(ComposeError::from)?;
        let (Some(package), Some(commit)) = (package, commit) else {
            return Ok(Vec::new());
        };
        let numbered = !changes.is_empty() && component.build.release != ReleaseCalculation::Manual;
        if counted == Counted::Own && !numbered {
            return Ok(Vec::new());
        }
        let failed = ComposeError::provider(format!("the history of {commit}"), &package);
        Ok(self.provider.history(&package, commit).map_err(failed)?)
    }

    /// Renders components side by side and compares each with its folder below `output`; with [`Mode::Write`] the folders
    /// are brought up to date. Those without a spec are left out.
    #[must_use]
    pub fn render_all(&self, components: &[ResolvedComponent], output: &Path, mode: Mode) -> Vec<Outcome> {
        components
            .par_iter()
            .filter(|component| has_spec(component))
            .map(|component| {
                let result = self.render_one(component, output, mode);
                Outcome {
                    name: component.name.clone(),
                    verdict: Verdict::of(&component.build.outcome, result),
                }
            })
            .collect()
    }

    fn render_one(
        &self,
        component: &ResolvedComponent,
        output: &Path,
        mode: Mode,
    ) -> Result<Written, RenderError> {
        let rendered = self.render(component)?;
        let folder = component_folder(output, &component.name);
        let before = folder::load(&folder, rendered.tree.spec_path())?;
        let prefix = folder::prefix(&component.name);
        let drift = diff(before.as_ref(), &rendered.tree, &prefix)?;
        if mode == Mode::Write && !drift.is_empty() {
            folder::replace(&folder, &rendered.tree)?;
        }
        Ok(Written {
            folder,
            drift,
            evr: rendered.evr,
            rule: rendered.rule,
            warnings: rendered.warnings,
        })
    }
}

/// Whether folders are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are brought up to date.
    Write,
    /// They are only compared.
    Check,
}

/// What became of a component's folder.
#[derive(Debug, Clone)]
pub struct Written {
    /// The folder.
    pub folder: PathBuf,
    /// What was different; with [`Mode::Write`] it is no more.
    pub drift: TreeDiff,
    /// `[EPOCH:]VERSION-RELEASE` of its main package.
    pub evr: String,
    /// How the release came about.
    pub rule: ReleaseRule,
    /// What the user should look at.
    pub warnings: Vec<String>,
}

/// What became of a component.
#[derive(Debug)]
pub struct Outcome {
    /// The component.
    pub name: ComponentName,
    /// What became of it.
    pub verdict: Verdict<Written, RenderError>,
}

/// A result, beside what was expected by `build.failure`.
#[derive(Debug)]
pub enum Verdict<T, E> {
    /// It succeeded, as it should.
    Success(T),
    /// It succeeded, though a failure is expected: this may be the time to take that out.
    UnexpectedSuccess {
        /// The result.
        value: T,
        /// Why a failure is expected.
        reason: String,
    },
    /// It failed, as expected.
    ExpectedFailure {
        /// The error.
        error: E,
        /// Why it is expected.
        reason: String,
    },
    /// It failed.
    Failure(E),
}

impl<T, E> Verdict<T, E> {
    /// A result, beside what was expected.
    pub fn of(expected: &ExpectedOutcome, result: Result<T, E>) -> Verdict<T, E> {
        match (expected, result) {
            (ExpectedOutcome::Success, Ok(value)) => Verdict::Success(value),
            (ExpectedOutcome::Success, Err(error)) => Verdict::Failure(error),
            (ExpectedOutcome::Failure { reason }, Ok(value)) => {
                let reason = reason.clone();
                Verdict::UnexpectedSuccess { value, reason }
            }
            (ExpectedOutcome::Failure { reason }, Err(error)) => {
                let reason = reason.clone();
                Verdict::ExpectedFailure { error, reason }
            }
        }
    }

    /// What came of it, if something did.
    pub fn value(&self) -> Option<&T> {
        match self {
            Verdict::Success(value) | Verdict::UnexpectedSuccess { value, .. } => Some(value),
            Verdict::ExpectedFailure { .. } | Verdict::Failure(_) => None,
        }
    }

    /// Whether it counts as a failure: an expected one does not.
    pub fn is_failure(&self) -> bool {
        matches!(self, Verdict::Failure(_))
    }
}

/// The upstream's text against ours, for a person: what the project changes, without release and changelog.
///
/// # Errors
/// The component can't be put together.
pub fn project_diff(
    state: &ProjectState,
    component: &ResolvedComponent,
    provider: &dyn SourceProvider,
) -> Result<TreeDiff, ComposeError> {
    let lock = state.lock(&component.name)?;
    let commit = lock
        .as_ref()
        .and_then(|lock| lock.upstream_commit.as_ref())
        .map(|commit| commit.as_str());
    let composed = compose(state, component, commit, provider)?;
    Ok(diff(Some(&composed.upstream), &composed.tree, "")?)
}

/// Our changes of a component: those that were recorded, or else those that git knows of.
///
/// # Errors
/// They can't be read.
pub(crate) fn recorded_changes(
    state: &ProjectState,
    component: &ResolvedComponent,
    history: Option<&ProjectHistory>,
    reader: &SpecReader,
) -> Result<Vec<RecordedChange>, RenderError> {
    if let Some(file) = state.changes(&component.name)? {
        return Ok(file.changes);
    }
    let Some(history) = history else {
        return Ok(Vec::new());
    };
    committed_changes(component, history, reader)
}

/// The changes that git knows of. Those of a local spec get the version that the spec had then.
///
/// # Errors
/// Git can't answer.
pub(crate) fn committed_changes(
    component: &ResolvedComponent,
    history: &ProjectHistory,
    reader: &SpecReader,
) -> Result<Vec<RecordedChange>, RenderError> {
    let mut changes = Vec::new();
    for committed in history.changes(component.name.as_str())? {
        let mut change = committed.change;
        if let Source::Spec(SpecSource::Local { path }) = &component.source {
            let spec = history.file_at(&committed.commit, path)?;
            change.version = spec.and_then(|spec| reader.version(&spec));
        }
        changes.push(change);
    }
    Ok(changes)
}

/// The spec of a tree with its release and changelog.
fn released(
    component: &ResolvedComponent,
    tree: &SourceTree,
    line: &HistoryLine,
    upstream: &[UpstreamCommit],
) -> Result<Released, RenderError> {
    let changelog = match tree.get(CHANGELOG_FILE) {
        Some(file) => Some(file.content.read()?),
        None => None,
    };
    let spec_at = |commit: &str| {
        let found = upstream.iter().find(|one| one.id == commit);
        found.and_then(|one| one.spec.clone())
    };
    let calculation = component.build.release;
    let released = release(
        &tree.spec_bytes()?,
        calculation,
        line,
        changelog.as_deref(),
        &spec_at,
    );
    released.map_err(|source| RenderError::Release {
        name: component.name.clone(),
        source,
    })
}

/// Whether the release or the changelog of a spec is made of every commit.
fn is_automatic(spec: &[u8]) -> bool {
    let text = String::from_utf8_lossy(spec);
    text.contains("%autorelease") || text.contains("autorelease}") || text.contains("autochangelog")
}

/// Takes out what the spec does not need, but for the spec and `sources`.
fn drop_unneeded(tree: &mut SourceTree, needed: &dyn Fn(&str) -> bool) {
    let spec = tree.spec_path().clone();
    let unneeded: BTreeSet<String> = tree
        .files()
        .map(|(path, _)| path)
        .filter(|path| **path != spec && path.as_str() != SOURCES_FILE && !needed(path.as_str()))
        .map(ToString::to_string)
        .collect();
    for path in unneeded {
        tree.remove(&path);
    }
}
