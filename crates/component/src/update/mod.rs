//! Updating locks: which commit a component is, by what inputs, and the record of what changed.
//!
//! ```text
//!  pin, or last commit before the snapshot, or newest ─▶ commit ─▶ fingerprint ─▶ another than what is committed?
//!                                                                      │                  │ yes: the change is recorded
//!                                                                      └──▶ locks/NAME.lock   locks/NAME.changes
//! ```
//!
//! Compared is with what is *committed*, not with what the disk has: so two updates before a commit are one change, and an
//! update that is taken back leaves none. Where a lock was written by another program, its fingerprint says nothing; then
//! the fingerprint of the committed state is computed and compared. See [`history`](crate::history) for why.
//!
//! A commit is chosen anew only when what it is chosen by has changed (pin, snapshot, branch, name), or when that is asked
//! for: an update of one component's overlays does not move its upstream.

mod words;

use std::io;
use std::path::PathBuf;

use lazuli_catalog::{
    CommitId, ComponentLock, ComponentName, ResolvedComponent, ResolvedSourceFile, Sha256Digest, Source,
    SourceOrigin, SpecSource,
};
use rayon::prelude::*;

use crate::compose::{ComposeError, compose, upstream_package};
use crate::fingerprint::{Environment, FieldChange, Fingerprint, SourceIdentity, explain, is_ours};
use crate::git::Person;
use crate::history::{ChangesFile, ProjectHistory, RecordedChange};
use crate::provider::{CommitChoice, SourceProvider};
use crate::render::{RenderError, Verdict, committed_changes};
use crate::spec_reader::SpecReader;
use crate::state::{ProjectState, StateError, has_spec};
use words::describe;

/// A component can't be updated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// Its source, or its overlays.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Source files have no digest; they were fetched, and this is what they are.
    #[error("source files of `{name}` have no `hash`: {}", list(found))]
    NoHash {
        /// The component.
        name: ComponentName,
        /// The files, and the digests of what came.
        found: Vec<(String, Sha256Digest)>,
    },
    /// The provider's commit is none.
    #[error("the commit of `{name}` is not one: {commit}")]
    BadCommit {
        /// The component.
        name: ComponentName,
        /// What the provider said.
        commit: String,
    },
    /// A file can't be written.
    #[error("failed to write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl UpdateError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            UpdateError::Render(error) => error.help(),
            UpdateError::NoHash { found, .. } => {
                let line = |(file, digest): &(String, Sha256Digest)| {
                    format!("\n  {file}: hash-type = \"SHA256\", hash = \"{digest}\"")
                };
                let lines: String = found.iter().map(line).collect();
                Some(format!("if these are the right files, add{lines}"))
            }
            _ => None,
        }
    }
}

fn list(found: &[(String, Sha256Digest)]) -> String {
    let texts: Vec<String> = found
        .iter()
        .map(|(file, digest)| format!("what the origin of `{file}` gives has the SHA-256 digest {digest}"))
        .collect();
    texts.join("; ")
}

impl From<ComposeError> for UpdateError {
    fn from(error: ComposeError) -> Self {
        UpdateError::Render(error.into())
    }
}

impl From<StateError> for UpdateError {
    fn from(error: StateError) -> Self {
        UpdateError::Render(error.into())
    }
}

/// When a commit is chosen anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// When pin, snapshot, branch or name have changed, or there is no commit yet.
    WhenNeeded,
    /// In any case: a component without pin and snapshot moves to the newest commit.
    Always,
}

/// Whether a component gets a new release though nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuild {
    /// It does not.
    No,
    /// It does: its `manual-bump` goes up by one.
    Bump,
}

/// What is committed in git, to compare with.
#[derive(Clone, Copy)]
pub struct Committed<'a> {
    /// The project at `HEAD`.
    pub state: &'a ProjectState,
    /// Its history.
    pub history: &'a ProjectHistory,
}

/// What updating needs beside the components.
#[derive(Clone, Copy)]
pub struct Updater<'a> {
    /// The project on the disk.
    pub state: &'a ProjectState,
    /// What is committed; nothing outside of git, or before the first commit.
    pub committed: Option<Committed<'a>>,
    /// Where sources come from.
    pub provider: &'a dyn SourceProvider,
    /// How specs are read.
    pub reader: &'a SpecReader,
    /// The time of the change, in seconds since 1970.
    pub now: i64,
    /// Who makes it.
    pub author: &'a Person,
    /// What the changelog says of it, as the message of a commit; else what changed, in words.
    pub message: Option<&'a str>,
    /// When commits are chosen anew.
    pub resolution: Resolution,
    /// Whether there is a new release in any case.
    pub rebuild: Rebuild,
}

/// What an update does to one component.
#[derive(Debug, Clone)]
pub struct Update {
    /// The component.
    pub name: ComponentName,
    /// The lock as it will be.
    pub lock: ComponentLock,
    /// The lock as it was.
    pub before: Option<ComponentLock>,
    /// The record of changes as it will be; nothing where there is none to write.
    pub changes: Option<ChangesFile>,
    /// The change that was recorded, if one was.
    pub recorded: Option<RecordedChange>,
    /// What is different from what is committed, where that is known.
    pub fields: Vec<FieldChange>,
    /// The files that will be written, each with its text; one with nothing is removed.
    pub files: Vec<(PathBuf, Option<String>)>,
}

/// What became of the update of a component.
#[derive(Debug)]
pub struct UpdateOutcome {
    /// The component.
    pub name: ComponentName,
    /// The plan, or why there is none.
    pub verdict: Verdict<Update, UpdateError>,
}

impl Update {
    /// Whether a file is written.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !self.files.is_empty()
    }

    /// Writes the files: the record first, so that a lock never names a fingerprint whose change is not recorded.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn apply(&self) -> Result<(), UpdateError> {
        for (path, text) in &self.files {
            let failed = |source| UpdateError::Write {
                path: path.clone(),
                source,
            };
            match text {
                Some(text) => lazuli_durable::write(path, text.as_bytes()).map_err(failed)?,
                None => remove(path).map_err(failed)?,
            }
        }
        Ok(())
    }
}

fn remove(path: &std::path::Path) -> io::Result<()> {
    std::fs::remove_file(path)?;
    path.parent().map_or(Ok(()), lazuli_durable::sync_folder)
}

/// The base of a comparison: what is committed.
struct Base {
    /// The fingerprint, as we compute it; nothing if the component is new.
    token: Option<lazuli_catalog::Fingerprint>,
    /// Its fields, where they are known.
    fields: Option<Fingerprint>,
    /// The changes that are committed.
    changes: Vec<RecordedChange>,
    /// Where these come from.
    kept: Kept,
    /// Its lock.
    lock: Option<ComponentLock>,
    /// What its commit was chosen by, as we compute it.
    resolution: Option<lazuli_catalog::Fingerprint>,
}

/// Where committed changes come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// A file of recorded changes.
    Recorded,
    /// The commits themselves.
    ByGit,
}

impl Updater<'_> {
    /// Plans the updates of components, side by side; those without a spec are left out. Nothing is written.
    #[must_use]
    pub fn plan(&self, components: &[ResolvedComponent]) -> Vec<UpdateOutcome> {
        components
            .par_iter()
            .filter(|component| has_spec(component))
            .map(|component| UpdateOutcome {
                name: component.name.clone(),
                verdict: Verdict::of(&component.build.outcome, self.plan_one(component)),
            })
            .collect()
    }

    /// Plans the update of a component.
    ///
    /// # Errors
    /// Its source can't be had, or an overlay does not apply.
    pub fn plan_one(&self, component: &ResolvedComponent) -> Result<Update, UpdateError> {
        let before = self.state.lock(&component.name)?;
        let on_disk = self.state.changes(&component.name)?;
        let base = self.base(component, before.as_ref(), on_disk.as_ref())?;
        let mut lock = before.clone().unwrap_or_default();
        self.choose_commit(component, &base, &mut lock)?;
        self.check_hashes(component)?;
        if self.rebuild == Rebuild::Bump {
            lock.manual_bump = lock.manual_bump.saturating_add(1);
        }
        let source = match (&component.source, &lock.upstream_commit) {
            (Source::Spec(SpecSource::Upstream { .. }), Some(commit)) => {
                SourceIdentity::Commit(commit.clone())
            }
            _ => self.state.identity(component, Some(&lock), None)?,
        };
        let environment = Environment::default();
        let fingerprint = self
            .state
            .fingerprint_of(component, &source, lock.manual_bump, &environment)?;
        let token = fingerprint.inputs();
        lock.input_fingerprint = Some(token.clone());
        let fields = base
            .fields
            .as_ref()
            .map(|old| explain(old, &fingerprint))
            .unwrap_or_default();
        let (changes, recorded) = if base.token.as_ref() == Some(&token) {
            (take_back(&base, &mut lock), None)
        } else {
            let change = self.change(
                component,
                &lock,
                &base,
                &fields,
                on_disk.as_ref(),
                token.to_string(),
            )?;
            let mut file = ChangesFile {
                changes: base.changes.clone(),
            };
            file.changes.push(change.clone());
            (Some(file), Some(change))
        };
        let files = self.files(
            &component.name,
            before.as_ref(),
            &lock,
            on_disk.as_ref(),
            changes.as_ref(),
        );
        Ok(Update {
            name: component.name.clone(),
            lock,
            before,
            changes,
            recorded,
            fields,
            files,
        })
    }

    /// What comes from an archive or a registry has a digest in the configuration, so that it stays what it is; where one
    /// is missing, it is found out.
    fn check_hashes(&self, component: &ResolvedComponent) -> Result<(), UpdateError> {
        let vouched = |file: &&ResolvedSourceFile| {
            matches!(
                file.origin,
                SourceOrigin::DebianSource { .. } | SourceOrigin::Crate { .. }
            )
        };
        let mut found = Vec::new();
        for file in component.source_files.iter().filter(vouched) {
            if file.digest.is_none() {
                let content = self
                    .provider
                    .source_file(file)
                    .map_err(ComposeError::source_file(component, file))?;
                found.push((file.filename.to_string(), content.sha256()));
            }
        }
        match found.is_empty() {
            true => Ok(()),
            false => Err(UpdateError::NoHash {
                name: component.name.clone(),
                found,
            }),
        }
    }

    /// What is committed of a component. Outside of git that is what the disk has.
    fn base(
        &self,
        component: &ResolvedComponent,
        before: Option<&ComponentLock>,
        on_disk: Option<&ChangesFile>,
    ) -> Result<Base, UpdateError> {
        let token = |lock: Option<&ComponentLock>| {
            let token = lock.and_then(|lock| lock.input_fingerprint.clone());
            token.filter(is_ours)
        };
        let Some(committed) = self.committed else {
            return Ok(Base {
                // Of a lock of another program nothing is known: it is taken over as it is.
                token: token(before).or_else(|| self.current_token(component, before)),
                fields: None,
                changes: on_disk.map(|file| file.changes.clone()).unwrap_or_default(),
                kept: Kept::Recorded,
                lock: before.cloned(),
                resolution: None,
            });
        };
        let lock = committed.state.lock(&component.name)?;
        let (kept, changes) = match committed.state.changes(&component.name)? {
            Some(file) => (Kept::Recorded, file.changes),
            None => (
                Kept::ByGit,
                committed_changes(component, committed.history, self.reader)?,
            ),
        };
        let then = committed.state.component(&component.name).ok();
        // A component that was not there, or whose files can't be read any more, has no fields to compare.
        let fields = lock.as_ref().and_then(|lock| {
            let environment = Environment::default();
            committed
                .state
                .fingerprint(then.as_ref()?, Some(lock), None, &environment)
                .ok()
        });
        let token = token(lock.as_ref()).or_else(|| fields.as_ref().map(Fingerprint::inputs));
        Ok(Base {
            token,
            fields,
            changes,
            kept,
            lock,
            resolution: then.and_then(|then| committed.state.resolution_hash(&then)),
        })
    }

    fn current_token(
        &self,
        component: &ResolvedComponent,
        lock: Option<&ComponentLock>,
    ) -> Option<lazuli_catalog::Fingerprint> {
        let lock = lock.filter(|lock| lock.input_fingerprint.is_some())?;
        let fingerprint = self
            .state
            .fingerprint(component, Some(lock), None, &Environment::default());
        fingerprint.ok().map(|fingerprint| fingerprint.inputs())
    }

    fn choose_commit(
        &self,
        component: &ResolvedComponent,
        base: &Base,
        lock: &mut ComponentLock,
    ) -> Result<(), UpdateError> {
        let hash = self.state.resolution_hash(component);
        let Source::Spec(SpecSource::Upstream { commit, snapshot, .. }) = &component.source else {
            lock.upstream_commit = None;
            lock.resolution_input_hash = None;
            return Ok(());
        };
        // Of what another program hashed nothing is known, but what was committed with it is.
        let ours = lock.resolution_input_hash.as_ref().is_some_and(is_ours);
        let chosen_by = match ours {
            true => lock.resolution_input_hash.as_ref(),
            false => base.resolution.as_ref(),
        };
        let settled = lock.upstream_commit.is_some() && chosen_by == hash.as_ref();
        if settled && self.resolution == Resolution::WhenNeeded {
            return Ok(());
        }
        let package = upstream_package(self.state, component).map_err(ComposeError::from)?;
        let Some(package) = package else { return Ok(()) };
        let choice = match (commit, snapshot) {
            (Some(pin), _) => CommitChoice::Pinned(pin.to_string()),
            (None, Some(time)) => CommitChoice::Before(time.clone()),
            (None, None) => CommitChoice::Newest,
        };
        let what = match &choice {
            CommitChoice::Pinned(commit) => format!("commit {commit}"),
            CommitChoice::Before(time) => format!("the last commit before {time}"),
            CommitChoice::Newest => "the newest commit".to_owned(),
        };
        let found = self
            .provider
            .resolve(&package, &choice)
            .map_err(ComposeError::provider(what, &package))?;
        let commit = CommitId::new(found.as_str()).map_err(|_| UpdateError::BadCommit {
            name: component.name.clone(),
            commit: found,
        })?;
        // The fork point is written once.
        lock.import_commit.get_or_insert_with(|| commit.clone());
        lock.upstream_commit = Some(commit);
        lock.resolution_input_hash = hash;
        Ok(())
    }

    /// The record of a change. The overlays are tried for it: what can't be rendered is not locked.
    fn change(
        &self,
        component: &ResolvedComponent,
        lock: &ComponentLock,
        base: &Base,
        fields: &[FieldChange],
        on_disk: Option<&ChangesFile>,
        fingerprint: String,
    ) -> Result<RecordedChange, UpdateError> {
        let commit = lock.upstream_commit.as_ref().map(CommitId::as_str);
        let composed = compose(self.state, component, commit, self.provider)?;
        let summary = self
            .reader
            .read(&composed.tree)
            .map_err(|source| RenderError::Reader {
                name: component.name.clone(),
                source,
            })?;
        // A pending change that is the same keeps its time, author and words: an update that is run twice writes the same.
        let pending = on_disk.and_then(|file| file.changes.get(base.changes.len()));
        if let Some(pending) = pending.filter(|one| one.fingerprint == fingerprint && self.message.is_none())
        {
            return Ok(RecordedChange {
                version: Some(summary.version),
                ..pending.clone()
            });
        }
        Ok(RecordedChange {
            time: self.now,
            author: self.author.clone(),
            text: match self.message {
                Some(message) => message.trim().to_owned(),
                None => describe(component, lock, base.lock.as_ref(), fields),
            },
            fingerprint,
            upstream_commit: commit.map(str::to_owned),
            version: Some(summary.version),
        })
    }

    /// What has to be written: only what is different.
    fn files(
        &self,
        name: &ComponentName,
        lock_before: Option<&ComponentLock>,
        lock: &ComponentLock,
        changes_before: Option<&ChangesFile>,
        changes: Option<&ChangesFile>,
    ) -> Vec<(PathBuf, Option<String>)> {
        let mut files = Vec::new();
        if changes != changes_before {
            let path = ChangesFile::path(self.state.lock_dir(), name.as_str());
            // A record without a change would only stand in the way of the changes that git knows of.
            let text = changes
                .filter(|file| !file.changes.is_empty())
                .map(ToString::to_string);
            if text.is_some() || changes_before.is_some() {
                files.push((path, text));
            }
        }
        if lock_before != Some(lock) {
            files.push((self.state.lock_path(name), Some(lock.to_string())));
        }
        files
    }
}

/// What is kept where nothing is different from what is committed.
fn take_back(base: &Base, lock: &mut ComponentLock) -> Option<ChangesFile> {
    // Nothing is different from what is committed: a change that was recorded since then is taken back, and the lock
    // of another program stays as it is. Writing our fingerprint into it would be a change by itself.
    if let Some(theirs) = base
        .lock
        .as_ref()
        .and_then(|lock| lock.input_fingerprint.as_ref())
    {
        lock.input_fingerprint = Some(theirs.clone());
    }
    if let Some(old) = base
        .lock
        .as_ref()
        .filter(|old| old.upstream_commit == lock.upstream_commit)
    {
        let same = base.resolution == lock.resolution_input_hash;
        let theirs = old.resolution_input_hash.clone().filter(|_| same);
        lock.resolution_input_hash = theirs.or(lock.resolution_input_hash.take());
    }
    (base.kept == Kept::Recorded).then(|| ChangesFile {
        changes: base.changes.clone(),
    })
}

/// Locks and records of components that are no more, as the names of files to remove.
///
/// # Errors
/// The folder of locks can't be read.
pub fn orphaned_locks(
    state: &ProjectState,
    names: &std::collections::BTreeSet<ComponentName>,
) -> Result<Vec<PathBuf>, StateError> {
    let folder = state.lock_dir();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            let path = folder.to_owned();
            return Err(StateError::Read { path, source });
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| StateError::Read {
            path: folder.to_owned(),
            source,
        })?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let name = file
            .strip_suffix(".lock")
            .or_else(|| file.strip_suffix(".changes"));
        let known = name.is_none_or(|name| names.iter().any(|one| one.as_str() == name));
        if !known && entry.path().is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
