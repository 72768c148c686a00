//! Adding a component: its upstream is fetched and read, its overlays are tried and its lock is made before anything is
//! written, so that what is written is known to be there.
//!
//! ```text
//!  AddRequest ─▶ entry of [components] ─▶ the project as it would be ─▶ commit, spec, lock ─▶ Added::apply
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lazuli_catalog::schema;
use lazuli_catalog::{
    Catalog, CommitId, ComponentName, DistroName, DistroVersion, EditError, EntryKind, ExistingFile, Files,
    FolderEntry, NewComponent, PackageName, Placement, Source, SpecSource, add_component,
};

use crate::compose::compose;
use crate::files::ProjectFiles;
use crate::git::Person;
use crate::provider::SourceProvider;
use crate::render::RenderError;
use crate::source_tree::{FileMode, SourcePath};
use crate::spec_reader::SpecReader;
use crate::state::{ProjectState, StateError};
use crate::update::{Rebuild, Resolution, Update, UpdateError, Updater};

/// A component to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddRequest {
    /// Its name in this project.
    pub name: ComponentName,
    /// The distribution that it comes from; else the one that components come from by default.
    pub distro: Option<DistroName>,
    /// The version of that distribution.
    pub version: Option<DistroVersion>,
    /// Its name there; else the same name.
    pub upstream_name: Option<String>,
    /// The commit to pin; else none is pinned.
    pub commit: Option<CommitId>,
}

/// What adding needs beside the request.
#[derive(Clone, Copy)]
pub struct Adder<'a> {
    /// The project.
    pub state: &'a ProjectState,
    /// Where sources come from.
    pub provider: &'a dyn SourceProvider,
    /// How specs are read.
    pub reader: &'a SpecReader,
    /// The time of the change, in seconds since 1970.
    pub now: i64,
    /// Who makes it.
    pub author: &'a Person,
}

/// A component that can be added.
#[derive(Debug, Clone)]
pub struct Added {
    /// Its name.
    pub name: ComponentName,
    /// The file that its entry is written to, and why that one.
    pub place: Placement,
    /// The file's new text.
    pub text: String,
    /// The line of the entry, from 1.
    pub line: usize,
    /// The lock and the record of the change.
    pub update: Update,
    /// The files of its upstream, the spec among them.
    pub files: Vec<SourcePath>,
}

/// A component can't be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// It is there.
    #[error("component `{name}` is there already, at {place}")]
    Exists {
        /// The component.
        name: ComponentName,
        /// Where.
        place: String,
    },
    /// Nothing says that it comes from a dist-git.
    #[error("`{name}` would not come from a dist-git")]
    NoDistro {
        /// The component.
        name: ComponentName,
    },
    /// Its upstream, its spec, or its lock.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// The project.
    #[error(transparent)]
    State(#[from] StateError),
    /// The file can't be edited.
    #[error("failed to edit {}: {source}", path.display())]
    Edit {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: EditError,
    },
    /// The file can't be read or written.
    #[error("failed to {action} {}", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl AddError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            AddError::NoDistro { .. } => Some(
                "name the distribution that has it, `--from DISTRO`, or give the version's `default-component-config` \
                 an `upstream-distro`"
                    .to_owned(),
            ),
            AddError::Update(error) => error.help(),
            _ => None,
        }
    }
}

impl Adder<'_> {
    /// Fetches a component, reads its spec, and makes the edit and the lock. Nothing is written: see [`Added::apply`].
    ///
    /// # Errors
    /// [`AddError`].
    pub fn plan(&self, request: &AddRequest) -> Result<Added, AddError> {
        let catalog = self.state.catalog();
        let name = &request.name;
        if catalog.config().components.contains_key(name) {
            let place = catalog.location("components", name.as_str());
            return Err(AddError::Exists {
                name: name.clone(),
                place: place
                    .map(|place| format!("{}:{}", place.file.display(), place.line))
                    .unwrap_or_default(),
            });
        }
        let root = catalog.root_file();
        let edit = |path: &Path| {
            let path = path.to_owned();
            move |source| AddError::Edit { path, source }
        };
        let component = NewComponent::new(&self.entry(request)).map_err(edit(root))?;
        let place = catalog.place_for(name, &component);
        let before = match place.existing {
            ExistingFile::ToBeMade => String::new(),
            ExistingFile::There => self
                .state
                .files()
                .read(&place.file)
                .map_err(|source| AddError::File {
                    action: "read",
                    path: place.file.clone(),
                    source,
                })?,
        };
        let text = add_component(&before, name, &component).map_err(edit(&place.file))?;
        let trial = self.trial(&place.file, &text)?;
        let (update, files) = self.prove(&trial, name)?;
        Ok(Added {
            name: name.clone(),
            line: line_of(&before, &text),
            place,
            text,
            update,
            files,
        })
    }

    /// What the component says of itself: nothing that it inherits.
    fn entry(&self, request: &AddRequest) -> schema::Component {
        let inherited = self.inherited(&request.name);
        let distro = request.distro.clone().filter(|distro| {
            inherited.as_ref().is_none_or(|(default, version)| {
                let same_version = request.version.is_none() || request.version == *version;
                default != distro || !same_version
            })
        });
        let upstream_name = request
            .upstream_name
            .clone()
            .filter(|name| name != request.name.as_str());
        if distro.is_none() && upstream_name.is_none() && request.commit.is_none() {
            return schema::Component::default();
        }
        let spec = schema::Spec {
            kind: Some(schema::SpecType::Upstream),
            upstream_distro: distro.map(|name| schema::DistroReference {
                name,
                version: request.version.clone(),
                snapshot: None,
            }),
            upstream_name,
            upstream_commit: request.commit.clone(),
            ..schema::Spec::default()
        };
        schema::Component {
            spec: Some(spec),
            ..schema::Component::default()
        }
    }

    /// Where components come from that say nothing of it.
    fn inherited(&self, name: &ComponentName) -> Option<(DistroName, Option<DistroVersion>)> {
        let package = PackageName::new(name.as_str()).ok()?;
        let catalog = self.state.catalog();
        let component = catalog.undefined_component(&package, self.state.distro()).ok()?;
        match component.source {
            Source::Spec(SpecSource::Upstream { distro, version, .. }) => Some((distro, version)),
            _ => None,
        }
    }

    /// The project as it would be.
    fn trial(&self, file: &Path, text: &str) -> Result<ProjectState, AddError> {
        let files = Edited {
            below: self.state.shared_files(),
            path: file.to_owned(),
            text: text.to_owned(),
        };
        let catalog =
            Catalog::load_from(&files, self.state.catalog().root_file()).map_err(StateError::from)?;
        let version = &self.state.distro().version;
        Ok(ProjectState::new(catalog, Some(version), Arc::new(files))?)
    }

    /// Fetches the component and reads its spec; gives its lock and the names of its files.
    fn prove(
        &self,
        trial: &ProjectState,
        name: &ComponentName,
    ) -> Result<(Update, Vec<SourcePath>), AddError> {
        let component = trial.component(name)?;
        if !matches!(component.source, Source::Spec(SpecSource::Upstream { .. })) {
            return Err(AddError::NoDistro { name: name.clone() });
        }
        let updater = Updater {
            state: trial,
            committed: None,
            provider: self.provider,
            reader: self.reader,
            now: self.now,
            author: self.author,
            message: None,
            resolution: Resolution::Always,
            rebuild: Rebuild::No,
        };
        let update = updater.plan_one(&component)?;
        let commit = update.lock.upstream_commit.as_ref().map(CommitId::as_str);
        let composed = compose(trial, &component, commit, self.provider)
            .map_err(|error| UpdateError::from(RenderError::from(error)))?;
        let files = composed.upstream.files().map(|(path, _)| path.clone());
        Ok((update, files.collect()))
    }
}

impl Added {
    /// Writes the file with its entry, then the lock: a component without a lock is one that is not updated yet.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn apply(&self) -> Result<(), AddError> {
        let failed = |source| AddError::File {
            action: "write",
            path: self.place.file.clone(),
            source,
        };
        if let Some(folder) = self.place.file.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        lazuli_durable::write(&self.place.file, self.text.as_bytes()).map_err(failed)?;
        Ok(self.update.apply()?)
    }
}

/// The first line of `after` that is not in `before`, from 1, of what was put in and not of a blank before it.
fn line_of(before: &str, after: &str) -> usize {
    let same = before
        .lines()
        .zip(after.lines())
        .take_while(|(one, two)| one == two)
        .count();
    let blank = after.lines().skip(same).take_while(|line| line.trim().is_empty());
    same + blank.count() + 1
}

/// The files of a project, but for one that is as it would be.
struct Edited {
    below: Arc<dyn ProjectFiles + Send>,
    path: PathBuf,
    text: String,
}

impl Edited {
    fn is(&self, path: &Path) -> bool {
        path == self.path
    }
}

impl Files for Edited {
    fn read(&self, path: &Path) -> io::Result<String> {
        match self.is(path) {
            true => Ok(self.text.clone()),
            false => self.below.read(path),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        self.is(path) || self.below.is_file(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>> {
        let mut entries = match self.below.list(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound || self.path.parent() != Some(folder) => {
                return Err(error);
            }
            found => found.unwrap_or_default(),
        };
        // A file that is yet to be made, or the folder on the way to it.
        if let Ok(rest) = self.path.strip_prefix(folder)
            && let Some(first) = rest.iter().next()
        {
            let name = first.to_string_lossy().into_owned();
            let kind = match rest.iter().count() {
                1 => EntryKind::File,
                _ => EntryKind::Folder,
            };
            if !entries.iter().any(|entry| entry.name == name) {
                entries.push(FolderEntry { name, kind });
            }
        }
        Ok(entries)
    }
}

impl ProjectFiles for Edited {
    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.is(path) {
            true => Ok(self.text.clone().into_bytes()),
            false => self.below.read_bytes(path),
        }
    }

    fn mode(&self, path: &Path) -> FileMode {
        self.below.mode(path)
    }
}
