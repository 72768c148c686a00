//! A project as it is, or as it was at a commit: its catalog, its locks and its files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lazuli_catalog::{
    Architecture, Catalog, ComponentLock, ComponentName, Diagnostics, Disk, DistroVersion, EntryKind,
    ImportSource, LockFile, ResolvedComponent, ResolvedDistro, Sha256Digest, Source, SpecSource,
};

use crate::files::ProjectFiles;
use crate::fingerprint::{
    Environment, Fingerprint, FingerprintError, FingerprintInputs, SourceIdentity, fingerprint, token_of,
};
use crate::git::{GitError, GitRepository};
use crate::history::{ChangesFile, RecordError};
use crate::source_tree::{Content, SourceFile, SourcePath, SourceTree, TreeError};

/// Deepest folder beside a local spec that is read.
const MAX_DEPTH: usize = 32;
/// Most files beside a local spec.
const MAX_FILES: usize = 20_000;

/// A project can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Its configuration.
    #[error(transparent)]
    Catalog(#[from] lazuli_catalog::Error),
    /// A lock.
    #[error(transparent)]
    Lock(#[from] Diagnostics),
    /// A file of changes.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A file.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files of a local spec.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A fingerprint.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// A project as it is somewhere.
#[derive(Clone)]
pub struct ProjectState {
    catalog: Arc<Catalog>,
    distro: ResolvedDistro,
    files: Arc<dyn ProjectFiles + Send>,
    /// The files that are configuration: they are no sources of the spec that they stand beside.
    configuration: Arc<BTreeSet<PathBuf>>,
    lock_dir: PathBuf,
}

impl std::fmt::Debug for ProjectState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ProjectState({})", self.catalog.root_file().display())
    }
}

impl ProjectState {
    /// The project that a catalog was loaded from, from the disk.
    ///
    /// # Errors
    /// There is no such version of the distribution.
    pub fn on_disk(catalog: Catalog, version: Option<&DistroVersion>) -> Result<ProjectState, StateError> {
        Self::new(catalog, version, Arc::new(Disk))
    }

    /// The project whose root file is `root_file` today, as it was at a revision.
    ///
    /// # Errors
    /// There is no such revision, or its configuration has errors.
    pub fn at(
        repository: &GitRepository,
        revision: &str,
        root_file: &Path,
        version: Option<&DistroVersion>,
    ) -> Result<ProjectState, StateError> {
        let tree = repository.tree(revision)?;
        // The root file may have had its other name then.
        let start = root_file.parent().unwrap_or(root_file);
        let catalog = Catalog::load_from(&tree, start)?;
        Self::new(catalog, version, Arc::new(tree))
    }

    /// A project with its files.
    ///
    /// # Errors
    /// There is no such version of the distribution.
    pub fn new(
        catalog: Catalog,
        version: Option<&DistroVersion>,
        files: Arc<dyn ProjectFiles + Send>,
    ) -> Result<ProjectState, StateError> {
        let distro = catalog.distro(version)?;
        let configuration = catalog
            .files()
            .chain(catalog.overlay_files())
            .map(Path::to_owned)
            .collect();
        Ok(ProjectState {
            distro,
            files,
            configuration: Arc::new(configuration),
            lock_dir: catalog.project().lock_dir,
            catalog: Arc::new(catalog),
        })
    }

    /// The configuration.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The version of the distribution that components are resolved for.
    #[must_use]
    pub fn distro(&self) -> &ResolvedDistro {
        &self.distro
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &dyn ProjectFiles {
        &*self.files
    }

    pub(crate) fn shared_files(&self) -> Arc<dyn ProjectFiles + Send> {
        Arc::clone(&self.files)
    }

    /// The folder of locks.
    #[must_use]
    pub fn lock_dir(&self) -> &Path {
        &self.lock_dir
    }

    /// The path of a component's lock.
    #[must_use]
    pub fn lock_path(&self, name: &ComponentName) -> PathBuf {
        self.lock_dir.join(format!("{name}.lock"))
    }

    /// All components of this version of the distribution that have a spec, for an architecture, sorted by name.
    ///
    /// # Errors
    /// A component is incomplete.
    pub fn spec_components(&self, architecture: Architecture) -> Result<Vec<ResolvedComponent>, StateError> {
        let mut components = self.catalog.components(&self.distro, architecture)?;
        components.retain(has_spec);
        Ok(components)
    }

    /// A component, resolved.
    ///
    /// # Errors
    /// There is no such component, or it is incomplete.
    pub fn component(&self, name: &ComponentName) -> Result<ResolvedComponent, StateError> {
        Ok(self.catalog.component(name, &self.distro)?)
    }

    /// A component's lock, if it has one.
    ///
    /// # Errors
    /// It can't be read.
    pub fn lock(&self, name: &ComponentName) -> Result<Option<ComponentLock>, StateError> {
        let path = self.lock_path(name);
        match self.text(&path)? {
            Some(text) => Ok(Some(ComponentLock::parse_file(&path, &text)?)),
            None => Ok(None),
        }
    }

    /// A component's recorded changes, if it has any.
    ///
    /// # Errors
    /// They can't be read.
    pub fn changes(&self, name: &ComponentName) -> Result<Option<ChangesFile>, StateError> {
        let path = ChangesFile::path(&self.lock_dir, name.as_str());
        match self.text(&path)? {
            Some(text) => Ok(Some(ChangesFile::parse(&path, &text)?)),
            None => Ok(None),
        }
    }

    fn text(&self, path: &Path) -> Result<Option<String>, StateError> {
        match self.files.read(path) {
            Ok(text) => Ok(Some(text)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(StateError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// A local spec and the files in its folder and below, but for hidden ones and the project's configuration.
    ///
    /// # Errors
    /// There is no such spec, or a file can't be read.
    pub fn local_tree(&self, spec: &Path) -> Result<SourceTree, StateError> {
        let read = |path: &Path| {
            let failed = |source| StateError::Read {
                path: path.to_owned(),
                source,
            };
            self.files.read_bytes(path).map_err(failed)
        };
        let name = spec.file_name().unwrap_or_default().to_string_lossy();
        let mut tree = SourceTree::new(SourcePath::new(name)?, read(spec)?);
        let folder = spec.parent().unwrap_or(Path::new(""));
        let mut open = vec![(folder.to_owned(), String::new(), 0)];
        while let Some((folder, prefix, depth)) = open.pop() {
            let entries = self.files.list(&folder).map_err(|source| StateError::Read {
                path: folder.clone(),
                source,
            })?;
            for entry in entries.into_iter().filter(|entry| !entry.name.starts_with('.')) {
                let path = folder.join(&entry.name);
                let key = format!("{prefix}{}", entry.name);
                match entry.kind {
                    EntryKind::Folder if depth < MAX_DEPTH => open.push((path, format!("{key}/"), depth + 1)),
                    EntryKind::File if !self.configuration.contains(&path) => {
                        let file = SourceFile {
                            content: Content::from(read(&path)?),
                            mode: self.files.mode(&path),
                        };
                        tree.insert(SourcePath::new(key)?, file);
                    }
                    _ => {}
                }
            }
            if tree.files().len() > MAX_FILES {
                return Err(TreeError::TooLarge {
                    path: folder,
                    limit: "20,000 files",
                }
                .into());
            }
        }
        Ok(tree)
    }

    /// What a component is built from, as its lock has it.
    ///
    /// # Errors
    /// A lock or a file can't be read.
    pub fn identity(
        &self,
        component: &ResolvedComponent,
        lock: Option<&ComponentLock>,
        imports: Option<&LockFile>,
    ) -> Result<SourceIdentity, StateError> {
        match &component.source {
            Source::Generate(_) => Ok(SourceIdentity::Catalog),
            Source::Import(import) => Ok(imported(import, imports)),
            Source::Spec(SpecSource::Local { path }) => {
                let tree = self.local_tree(path)?;
                let digest = |(path, file): (&SourcePath, &SourceFile)| {
                    Ok((path.to_string(), file.content.sha256())) as Result<_, TreeError>
                };
                let files: BTreeMap<String, Sha256Digest> =
                    tree.files().map(digest).collect::<Result<_, _>>()?;
                Ok(SourceIdentity::Files(files))
            }
            Source::Spec(SpecSource::Upstream {
                distro,
                version,
                name,
                commit: pin,
                snapshot,
            }) => {
                let locked = lock.and_then(|lock| lock.upstream_commit.as_ref());
                // A pin that the lock does not follow is a change that nobody has locked yet.
                let follows = |locked: &&lazuli_catalog::CommitId| {
                    pin.as_ref()
                        .is_none_or(|pin| locked.as_str().starts_with(pin.as_str()))
                };
                if let Some(commit) = locked.filter(follows) {
                    return Ok(SourceIdentity::Commit(commit.clone()));
                }
                let mut wanted = BTreeMap::from([("distro", distro.to_string()), ("name", name.clone())]);
                wanted.extend(version.as_ref().map(|version| ("version", version.to_string())));
                wanted.extend(pin.as_ref().map(|commit| ("commit", commit.to_string())));
                wanted.extend(snapshot.as_ref().map(|time| ("snapshot", time.to_string())));
                Ok(SourceIdentity::Wanted(wanted))
            }
        }
    }

    /// The fingerprint of a component as its lock has it.
    ///
    /// # Errors
    /// A lock or a file can't be read.
    pub fn fingerprint(
        &self,
        component: &ResolvedComponent,
        lock: Option<&ComponentLock>,
        imports: Option<&LockFile>,
        environment: &Environment,
    ) -> Result<Fingerprint, StateError> {
        let source = self.identity(component, lock, imports)?;
        self.fingerprint_of(
            component,
            &source,
            lock.map_or(0, |lock| lock.manual_bump),
            environment,
        )
    }

    /// The fingerprint of a component with a given source.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn fingerprint_of(
        &self,
        component: &ResolvedComponent,
        source: &SourceIdentity,
        manual_bump: u32,
        environment: &Environment,
    ) -> Result<Fingerprint, StateError> {
        Ok(fingerprint(FingerprintInputs {
            component,
            source,
            manual_bump,
            release_version: &self.distro.release_version,
            environment,
            files: &*self.files,
        })?)
    }

    /// The fingerprints of all components for an architecture. A component whose fingerprint can't be computed has its
    /// error: the others are known all the same.
    ///
    /// # Errors
    /// The configuration has errors, or the lock of imported packages can't be read.
    pub fn fingerprints(
        &self,
        architecture: Architecture,
        environment: &Environment,
    ) -> Result<BTreeMap<ComponentName, Result<Fingerprint, StateError>>, StateError> {
        use rayon::prelude::*;
        let components = self.catalog.components(&self.distro, architecture)?;
        let imports = self.import_lock(architecture)?;
        let fingerprints = components.par_iter().map(|component| {
            let fingerprint = self
                .lock(&component.name)
                .and_then(|lock| self.fingerprint(component, lock.as_ref(), imports.as_ref(), environment));
            (component.name.clone(), fingerprint)
        });
        Ok(fingerprints.collect())
    }

    /// The lock of imported packages, if there is one.
    ///
    /// # Errors
    /// It can't be read.
    pub fn import_lock(&self, architecture: Architecture) -> Result<Option<LockFile>, StateError> {
        let path = self.catalog.lock_path(&self.distro, architecture);
        match self.text(&path)? {
            Some(text) => Ok(Some(LockFile::parse_file(&path, &text)?)),
            None => Ok(None),
        }
    }

    /// The digest of what decides which commit is taken: when it moves, the commit is chosen anew.
    #[must_use]
    pub fn resolution_hash(&self, component: &ResolvedComponent) -> Option<lazuli_catalog::Fingerprint> {
        let Source::Spec(SpecSource::Upstream {
            distro,
            version,
            name,
            commit,
            snapshot,
        }) = &component.source
        else {
            return None;
        };
        let branch = self.catalog.distro_named(distro, version.as_ref()).ok();
        let branch = branch.as_ref().and_then(|distro| distro.dist_git_branch.clone());
        let text = |value: Option<String>| value.unwrap_or_default();
        Some(token_of(&[
            ("distro", distro.to_string()),
            ("version", text(version.as_ref().map(ToString::to_string))),
            ("branch", text(branch)),
            ("name", name.clone()),
            ("commit", text(commit.as_ref().map(ToString::to_string))),
            ("snapshot", text(snapshot.as_ref().map(ToString::to_string))),
        ]))
    }
}

/// Whether a component has a spec. Others are imported or generated: there is nothing to lock or to render.
#[must_use]
pub fn has_spec(component: &ResolvedComponent) -> bool {
    matches!(component.source, Source::Spec(_))
}

fn imported(import: &ImportSource, imports: Option<&LockFile>) -> SourceIdentity {
    let packages = imports.map(|lock| &lock.packages).into_iter().flatten();
    let ours = packages.filter(|(name, _)| import.package.matches(name.as_str()));
    let digests: BTreeMap<String, Sha256Digest> = ours
        .map(|(name, package)| (name.to_string(), package.sha256.clone()))
        .collect();
    match digests.is_empty() {
        true => SourceIdentity::Wanted(BTreeMap::from([("package", import.package.to_string())])),
        false => SourceIdentity::Packages(digests),
    }
}
