//! Adding a component: its upstream is fetched and read first, so that what is written is known to be there.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lazuli_catalog::schema;
use lazuli_catalog::{
    CommitId, ComponentName, DistroName, DistroVersion, EditError, NewComponent, PackageName, Source,
    SpecSource, Timestamp, add_component,
};

use crate::compose::ComposeError;
use crate::provider::{CommitChoice, SourceProvider, UpstreamPackage};
use crate::spec_reader::{ReaderError, SpecReader, SpecSummary};
use crate::state::{ProjectState, StateError};

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
    /// The file to write to; else the one where components stand that say nothing of themselves.
    pub file: Option<PathBuf>,
}

/// A component that can be added.
#[derive(Debug, Clone)]
pub struct Added {
    /// Its name.
    pub name: ComponentName,
    /// The file that is written.
    pub file: PathBuf,
    /// Its new text.
    pub text: String,
    /// Why this file.
    pub reason: FileReason,
    /// The package in its upstream.
    pub package: UpstreamPackage,
    /// The commit that was read.
    pub commit: String,
    /// What its spec says.
    pub spec: SpecSummary,
}

/// Why a file was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileReason {
    /// It was asked for.
    Asked,
    /// Most components are in it.
    MostComponents,
    /// No file has components: it is the root file.
    RootFile,
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
    /// Nothing says where it comes from.
    #[error("nothing says which distribution `{name}` comes from")]
    NoDistro {
        /// The component.
        name: ComponentName,
    },
    /// Its upstream.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The project.
    #[error(transparent)]
    State(#[from] StateError),
    /// Its spec is none.
    #[error("the spec of `{package}` at commit {commit} can't be read")]
    Reader {
        /// The package in its upstream.
        package: String,
        /// The commit.
        commit: String,
        /// Why not.
        source: ReaderError,
    },
    /// The file is not of the project.
    #[error("{} is not a file of this project", path.display())]
    ForeignFile {
        /// The file.
        path: PathBuf,
    },
    /// The file can't be edited.
    #[error("failed to edit {}: {source}", path.display())]
    Edit {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: EditError,
    },
    /// The file can't be read or written.
    #[error("failed to write {}", path.display())]
    Write {
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
                "name it with `--from DISTRO`, or give the version's `default-component-config` an `upstream-distro`"
                    .to_owned(),
            ),
            AddError::ForeignFile { .. } => Some("name a file that the project includes".to_owned()),
            AddError::Compose(error) => error.help(),
            _ => None,
        }
    }
}

/// Where components come from that say nothing of it.
struct Default {
    distro: DistroName,
    version: Option<DistroVersion>,
    snapshot: Option<Timestamp>,
}

/// Finds the upstream, fetches the spec, reads it, and makes the edit. Nothing is written: see [`Added::apply`].
///
/// # Errors
/// [`AddError`].
pub fn add(
    state: &ProjectState,
    provider: &dyn SourceProvider,
    reader: &SpecReader,
    request: &AddRequest,
) -> Result<Added, AddError> {
    let catalog = state.catalog();
    if catalog.config().components.contains_key(&request.name) {
        let place = catalog.location("components", request.name.as_str());
        return Err(AddError::Exists {
            name: request.name.clone(),
            place: place
                .map(|place| format!("{}:{}", place.file.display(), place.line))
                .unwrap_or_default(),
        });
    }
    let default = default_upstream(state, &request.name);
    let (package, distro, choice) = find_upstream(state, request, default.as_ref())?;
    let commit = provider
        .resolve(&package, &choice)
        .map_err(ComposeError::provider("a commit", &package))?;
    let tree = provider
        .checkout(&package, &commit)
        .map_err(ComposeError::provider(format!("commit {commit}"), &package))?;
    let spec = reader.read(&tree).map_err(|source| AddError::Reader {
        package: package.name.clone(),
        commit: commit.clone(),
        source,
    })?;
    let new = new_component(request, &distro, default.as_ref());
    let (file, reason) = choose_file(state, request.file.as_deref())?;
    let edit = |source| AddError::Edit {
        path: file.clone(),
        source,
    };
    let before = state.files().read(&file).map_err(|source| AddError::Write {
        path: file.clone(),
        source,
    })?;
    let component = NewComponent::new(&new).map_err(edit)?;
    let text = add_component(&before, &request.name, &component).map_err(edit)?;
    Ok(Added {
        name: request.name.clone(),
        file,
        text,
        reason,
        package,
        commit,
        spec,
    })
}

impl Added {
    /// Writes the file.
    ///
    /// # Errors
    /// It can't be written.
    pub fn apply(&self) -> Result<(), AddError> {
        lazuli_durable::write(&self.file, self.text.as_bytes()).map_err(|source| AddError::Write {
            path: self.file.clone(),
            source,
        })
    }
}

/// The package in its upstream, the distribution, and the commit that is meant.
fn find_upstream(
    state: &ProjectState,
    request: &AddRequest,
    default: Option<&Default>,
) -> Result<(UpstreamPackage, DistroName, CommitChoice), AddError> {
    let distro = request
        .distro
        .clone()
        .or_else(|| default.map(|default| default.distro.clone()));
    let distro = distro.ok_or_else(|| AddError::NoDistro {
        name: request.name.clone(),
    })?;
    let same_distro = default.filter(|default| default.distro == distro);
    let version = request
        .version
        .clone()
        .or_else(|| same_distro.and_then(|default| default.version.clone()));
    let resolved = state
        .catalog()
        .distro_named(&distro, version.as_ref())
        .map_err(ComposeError::from)?;
    let upstream_name = request
        .upstream_name
        .clone()
        .unwrap_or_else(|| request.name.to_string());
    let package = UpstreamPackage::new(&resolved, &upstream_name);
    let choice = match (
        &request.commit,
        same_distro.and_then(|default| default.snapshot.clone()),
    ) {
        (Some(commit), _) => CommitChoice::Pinned(commit.to_string()),
        (None, Some(snapshot)) => CommitChoice::Before(snapshot),
        (None, None) => CommitChoice::Newest,
    };
    Ok((package, distro, choice))
}

fn default_upstream(state: &ProjectState, name: &ComponentName) -> Option<Default> {
    let package = PackageName::new(name.as_str()).ok()?;
    let component = state
        .catalog()
        .undefined_component(&package, state.distro())
        .ok()?;
    match component.source {
        Source::Spec(SpecSource::Upstream {
            distro,
            version,
            snapshot,
            ..
        }) => Some(Default {
            distro,
            version,
            snapshot,
        }),
        _ => None,
    }
}

/// What the component says of itself: nothing that it inherits.
fn new_component(request: &AddRequest, distro: &DistroName, default: Option<&Default>) -> schema::Component {
    let inherits_distro = default.is_some_and(|default| default.distro == *distro);
    let inherits_version = inherits_distro
        && (request.version.is_none()
            || default.and_then(|default| default.version.as_ref()) == request.version.as_ref());
    let upstream_name = request
        .upstream_name
        .clone()
        .filter(|name| name != request.name.as_str());
    if inherits_version && upstream_name.is_none() && request.commit.is_none() {
        return schema::Component::default();
    }
    let spec = schema::Spec {
        kind: Some(schema::SpecType::Upstream),
        upstream_distro: (!inherits_version).then(|| schema::DistroReference {
            name: distro.clone(),
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

/// The file that a component goes into: with its likes.
fn choose_file(state: &ProjectState, asked: Option<&Path>) -> Result<(PathBuf, FileReason), AddError> {
    let catalog = state.catalog();
    if let Some(asked) = asked {
        return match catalog.files().any(|file| file == asked) {
            true => Ok((asked.to_owned(), FileReason::Asked)),
            false => Err(AddError::ForeignFile {
                path: asked.to_owned(),
            }),
        };
    }
    let mut counts: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for name in catalog.config().components.keys() {
        if let Some(place) = catalog.location("components", name.as_str()) {
            *counts.entry(place.file).or_default() += 1;
        }
    }
    // Of equals the first that is loaded. A file of one component is that component's own.
    let most = counts.values().copied().max().unwrap_or(0);
    let found = catalog
        .files()
        .find(|file| most > 1 && counts.get(*file) == Some(&most));
    Ok(match found {
        Some(file) => (file.to_owned(), FileReason::MostComponents),
        None => (catalog.root_file().to_owned(), FileReason::RootFile),
    })
}
