//! A component's spec and sources, before and after what the project changes in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use lazuli_catalog::{
    BuildSettings, CheckPhase, ComponentName, OverlayAction, ResolvedComponent, ResolvedSourceFile, Source,
    SourceOrigin, SpecSource, UpstreamProvenance,
};

use crate::overlay::{self, Applied, OverlayFailure, OverlayStep, Prepared};
use crate::provider::{ProviderError, SourceProvider, UpstreamPackage};
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
            ComposeError::Provider { source, .. } => provider_help(source),
            _ => None,
        }
    }

    pub(crate) fn source_file(
        component: &ResolvedComponent,
        file: &ResolvedSourceFile,
    ) -> impl FnOnce(ProviderError) -> Self {
        let (what, package) = (
            format!("source file {}", file.filename),
            component.name.to_string(),
        );
        move |source| ComposeError::Provider {
            what,
            package,
            source,
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

/// What an error of `lazuli-source` says that can be done.
fn provider_help(error: &ProviderError) -> Option<String> {
    let error = error.downcast_ref::<lazuli_source::SourceError>()?;
    error.hint().map(str::to_owned)
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
            fetch_lookaside(&tree, component, &package, provider, &mut fetched)?;
            tree
        }
        Source::Import(_) => return Err(no_spec(component, "imported as a binary package")),
        Source::Generate(_) => return Err(no_spec(component, "made from the catalog")),
    };
    fetch_declared(component, provider, &mut fetched)?;
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

/// The names of the files that overlays work on, and that may not be in the repository.
fn wanted(component: &ResolvedComponent) -> BTreeSet<&str> {
    let actions = component.overlays.iter().map(|overlay| &overlay.action);
    actions.filter_map(touched).collect()
}

/// The files of the lookaside cache that overlays work on.
fn fetch_lookaside(
    tree: &SourceTree,
    component: &ResolvedComponent,
    package: &UpstreamPackage,
    provider: &dyn SourceProvider,
    fetched: &mut BTreeMap<String, Content>,
) -> Result<(), ComposeError> {
    let wanted = wanted(component);
    if wanted.is_empty() {
        return Ok(());
    }
    for file in lookaside_files(tree)? {
        if wanted.contains(file.name.as_str()) && !tree.contains(&file.name) {
            let get = ComposeError::provider(format!("lookaside file {}", file.name), package);
            let content = provider.lookaside(package, &file).map_err(get)?;
            fetched.insert(file.name, content);
        }
    }
    Ok(())
}

/// The source files of the project that overlays work on: what the project itself has fetched can be changed too.
fn fetch_declared(
    component: &ResolvedComponent,
    provider: &dyn SourceProvider,
    fetched: &mut BTreeMap<String, Content>,
) -> Result<(), ComposeError> {
    let wanted = wanted(component);
    let touched = |file: &&ResolvedSourceFile| wanted.contains(file.filename.as_str());
    for file in component.source_files.iter().filter(touched) {
        if file.digest.is_some() && has_own_origin(file) {
            let content = provider
                .source_file(file)
                .map_err(ComposeError::source_file(component, file))?;
            fetched.insert(file.filename.to_string(), content);
        }
    }
    Ok(())
}

/// Whether a source file is fetched from an origin of its own.
pub(crate) fn has_own_origin(file: &ResolvedSourceFile) -> bool {
    match file.origin {
        SourceOrigin::Download { .. } | SourceOrigin::DebianSource { .. } | SourceOrigin::Crate { .. } => {
            true
        }
        SourceOrigin::Lookaside | SourceOrigin::Custom { .. } | SourceOrigin::Overlay => false,
    }
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
