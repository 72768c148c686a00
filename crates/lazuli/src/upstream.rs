//! The upstream of the distribution version, opened.

use crate::failure::{Failure, Kind, Result};
use crate::workspace::Workspace;
use lazuli_upstream::{DebianArchive, Settings, UpstreamError};
use std::time::SystemTime;

/// The Debian archive that the distribution version is imported from.
pub fn archive(workspace: &Workspace) -> Result<DebianArchive> {
    let Some(settings) = settings(workspace)? else {
        let (distro, version) = (&workspace.distro.name, &workspace.distro.version);
        return Err(Failure::message(
            Kind::Project,
            format!("version {version} of `{distro}` has no upstream"),
        )
        .hint(format!("add `upstream` to [distros.{distro}.versions.{version}]")));
    };
    DebianArchive::open(settings).map_err(failure)
}

/// Which Debian archive the distribution version has as its upstream, if it has one, and where its files are kept.
pub fn settings(workspace: &Workspace) -> Result<Option<Settings>> {
    let Some(upstream) = workspace.distro.debian() else {
        return Ok(None);
    };
    let settings = Settings::for_upstream(
        upstream,
        workspace.architecture,
        workspace.cache.join("upstream"),
        workspace.mirror.clone(),
        SystemTime::now(),
    );
    settings.map(Some).map_err(failure)
}

/// An error of the upstream with its hint.
pub fn failure(error: UpstreamError) -> Failure {
    let kind = match &error {
        UpstreamError::Signature { .. } | UpstreamError::Digest { .. } | UpstreamError::Expired { .. } => {
            Kind::Trust
        }
        UpstreamError::Io { .. } | UpstreamError::NoApt { .. } | UpstreamError::Apt { .. } => {
            Kind::Environment
        }
        UpstreamError::Fetch { .. } | UpstreamError::NoMirror { .. } => Kind::Environment,
        _ => Kind::Failed,
    };
    let hint = error.hint();
    let failure = Failure::new(kind, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
