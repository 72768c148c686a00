//! A component's spec and sources, before and after what the project changes in them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lazuli_catalog::{
    BuildSettings, CheckPhase, ComponentName, OverlayAction, ResolvedComponent, Source, SourceOrigin,
    SpecSource, UpstreamProvenance,
};

use crate::overlay::{self, Applied, OverlayFailure, OverlayStep, Prepared};
use crate::provider::{LookasideFile, ProviderError, SourceProvider, UpstreamPackage};
use crate::source_tree::{Content, SourcePath, SourceTree, TreeError};
use crate::sources::{SourcesError, lookaside_files};
use crate::state::{ProjectState, StateError};

/// A component can't be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// It has no spec: it is imported or generated.
    #[error("component `{name}` has no spec: it is {kind}")]
    NoSpec {
        /// The component.
        name: ComponentName,
        /// What it is.
        kind: &'static str,
    },
    /// No commit is locked.
    #[error("component `{name}` is not locked: no upstream commit is known")]
    NotLocked {
        /// The component.
        name: ComponentName,
    },
    /// Its upstream's distribution is not complete.
    #[error(transparent)]
    Catalog(#[from] lazuli_catalog::Error),
    /// The project.
    #[error(transparent)]
    State(#[from] StateError),
    /// Its sources can't be had.
    #[error("failed to get {what} of `{package}`")]
    Provider {
        /// What was asked for.
        what: String,
        /// The package in its upstream.
        package: String,
        /// Why not.
        source: ProviderError,
    },
    /// A file.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// An overlay does not apply.
    #[error(transparent)]
    Overlay(#[from] Box<OverlayFailure>),
    /// The file `sources`.
    #[error(transparent)]
    Sources(#[from] SourcesError),
}

impl ComposeError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            ComposeError::NotLocked { name } => Some(format!("run `lazuli component update {name}`")),
            ComposeError::Sources(error) => error.help(),
            ComposeError::Catalog(error) => error.help(),
            _ => None,
        }
    }

    pub(crate) fn provider(
        what: impl Into<String>,
        package: &UpstreamPackage,
    ) -> impl FnOnce(ProviderError) -> Self {
        let (what, package) = (what.into(), package.name.clone());
        move |source| ComposeError::Provider {
            what,
            package,
            source,
        }
    }
}

/// A component, put together.
#[derive(Debug, Clone)]
pub struct Composed {
    /// As the upstream has it; a local spec as it is in the project.
    pub upstream: SourceTree,
    /// With the overlays and build options in it.
    pub tree: SourceTree,
    /// What the overlays did.
    pub applied: Applied,
    /// What the build options did.
    pub prepared: Prepared,
    /// Files of the lookaside cache that the overlays needed, as the upstream has them. They are in both trees.
    pub fetched: BTreeMap<String, Content>,
}

/// The package in its upstream, for a component that has one.
///
/// # Errors
/// The distribution that it names is not complete.
pub fn upstream_package(
    state: &ProjectState,
    component: &ResolvedComponent,
) -> Result<Option<UpstreamPackage>, lazuli_catalog::Error> {
    match &component.source {
        Source::Spec(SpecSource::Upstream {
            distro,
            version,
            name,
            ..
        }) => {
            let distro = state.catalog().distro_named(distro, version.as_ref())?;
            Ok(Some(UpstreamPackage::new(&distro, name)))
        }
        _ => Ok(None),
    }
}

/// Takes the spec and its sources, applies the overlays, and puts the build options in: all or nothing.
///
/// The build options come last, so that an overlay sees the upstream's text and not ours, and a source that an overlay
/// adds keeps its number.
///
/// # Errors
/// [`ComposeError`].
pub fn compose(
    state: &ProjectState,
    component: &ResolvedComponent,
    commit: Option<&str>,
    provider: &dyn SourceProvider,
) -> Result<Composed, ComposeError> {
    let mut fetched = BTreeMap::new();
    let mut upstream = match &component.source {
        Source::Spec(SpecSource::Local { path }) => state.local_tree(path)?,
        Source::Spec(SpecSource::Upstream { .. }) => {
            let name = component.name.clone();
            let commit = commit.ok_or(ComposeError::NotLocked { name })?;
            let Some(package) = upstream_package(state, component)? else {
                return Err(ComposeError::NotLocked {
                    name: component.name.clone(),
                });
            };
            let tree = provider
                .checkout(&package, commit)
                .map_err(ComposeError::provider(format!("commit {commit}"), &package))?;
            fetched = fetch(&tree, component, &package, provider)?;
            tree
        }
        Source::Import(_) => return Err(no_spec(component, "imported as a binary package")),
        Source::Generate(_) => return Err(no_spec(component, "made from the catalog")),
    };
    for (name, content) in &fetched {
        upstream.put(SourcePath::new(name.as_str())?, content.clone());
    }
    let mut tree = upstream.clone();
    let steps: Vec<OverlayStep<'_>> = component
        .overlays
        .iter()
        .map(|overlay| OverlayStep {
            action: &overlay.action,
            description: overlay.description.as_deref(),
            place: Some((PathBuf::from(&*overlay.place.file), overlay.place.line)),
        })
        .collect();
    let applied = overlay::apply(&mut tree, &steps, &|path| state.files().read_bytes(path))?;
    let header = provenance(state, component, commit);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let settings = without_reasons(&component.build);
    let prepared = overlay::prepare(&mut tree, component.name.as_str(), &header, &settings)?;
    Ok(Composed {
        upstream,
        tree,
        applied,
        prepared,
        fetched,
    })
}

fn no_spec(component: &ResolvedComponent, kind: &'static str) -> ComposeError {
    let name = component.name.clone();
    ComposeError::NoSpec { name, kind }
}

/// Reasons are for people who read the configuration. In the spec they would change the result without a new fingerprint.
fn without_reasons(build: &BuildSettings) -> BuildSettings {
    let mut build = build.clone();
    if let CheckPhase::Skip { reason } = &mut build.check {
        reason.clear();
    }
    build
}

/// What stands at the top of the spec, so that nobody edits it by hand; and where it comes from, if that is wanted.
fn provenance(state: &ProjectState, component: &ResolvedComponent, commit: Option<&str>) -> Vec<String> {
    let mut lines =
        vec!["Rendered by lazuli: change the component's configuration, not this file.".to_owned()];
    if component.build.upstream_provenance == UpstreamProvenance::Emit
        && let (Ok(Some(package)), Some(commit)) = (upstream_package(state, component), commit)
    {
        lines.push(format!("Upstream: {} {commit}", package.name));
    }
    lines
}

/// The files of the lookaside cache that overlays work on.
fn fetch(
    tree: &SourceTree,
    component: &ResolvedComponent,
    package: &UpstreamPackage,
    provider: &dyn SourceProvider,
) -> Result<BTreeMap<String, Content>, ComposeError> {
    let wanted: Vec<&str> = component
        .overlays
        .iter()
        .filter_map(|overlay| touched(&overlay.action))
        .collect();
    let mut fetched = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(fetched);
    }
    for file in lookaside_files(tree)? {
        if wanted.contains(&file.name.as_str()) && !tree.contains(&file.name) {
            let get = ComposeError::provider(format!("lookaside file {}", file.name), package);
            fetched.insert(
                file.name.clone(),
                provider.lookaside(package, &file).map_err(get)?,
            );
        }
    }
    // What the project itself has downloaded can be changed too.
    for file in component
        .source_files
        .iter()
        .filter(|file| wanted.contains(&file.filename.as_str()))
    {
        let (SourceOrigin::Download { uri }, Some(digest)) = (&file.origin, &file.digest) else {
            continue;
        };
        let (hash_type, hash) = match digest {
            lazuli_catalog::SourceDigest::Sha256(hash) => ("sha256", hash),
            lazuli_catalog::SourceDigest::Sha512(hash) => ("sha512", hash),
        };
        let wanted = LookasideFile {
            name: file.filename.to_string(),
            hash_type: hash_type.to_owned(),
            hash: hash.clone(),
        };
        let get = ComposeError::provider(format!("source file {}", wanted.name), package);
        let content = provider.download(uri, &wanted).map_err(get)?;
        fetched.insert(wanted.name, content);
    }
    Ok(fetched)
}

/// The file that an overlay needs the bytes of, where it may be one that is not in the repository.
fn touched(action: &OverlayAction) -> Option<&str> {
    match action {
        OverlayAction::FileSearchReplace { archive, file, .. }
        | OverlayAction::FileRemove { archive, file } => Some(archive.as_deref().unwrap_or(file)),
        OverlayAction::FilePrependLines { file, .. } | OverlayAction::FileRename { file, .. } => Some(file),
        _ => None,
    }
}
