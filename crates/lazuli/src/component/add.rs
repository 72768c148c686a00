//! `lazuli component add`: a component from its upstream, in the right place, proved before anything is written.

use crate::cli::AddArgs;
use crate::component::project::SpecProject;
use crate::component::render::failure;
use crate::failure::{Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_catalog::value::CommitId;
use lazuli_catalog::{ComponentName, DistroName, DistroVersion};
use lazuli_component::{AddRequest, Added, Adder};

/// Adds a component, and locks it.
pub fn add(workspace: &Workspace, args: &AddArgs) -> Result<()> {
    let request = request(args)?;
    let project = SpecProject::open(workspace)?;
    let author = project.author()?;
    let adder = Adder {
        state: &project.state,
        provider: &project.upstreams.provider(),
        reader: &project.reader,
        now: project.now(),
        author: &author,
    };
    let added = adder
        .plan(&request)
        .map_err(|error| failure(&request.name, &error, error.help()))?;
    if !args.dry_run {
        added.apply().or_fail(Kind::Environment)?;
    }
    report(workspace, &added)
}

fn request(args: &AddArgs) -> Result<AddRequest> {
    let (distro, version) = match args.from.as_deref().map(|from| from.split_once('/').ok_or(from)) {
        None => (None, None),
        Some(Err(distro)) => (Some(distro), None),
        Some(Ok((distro, version))) => (Some(distro), Some(version)),
    };
    Ok(AddRequest {
        name: ComponentName::new(args.name.as_str()).or_fail(Kind::Project)?,
        distro: distro.map(DistroName::new).transpose().or_fail(Kind::Project)?,
        version: version
            .map(DistroVersion::new)
            .transpose()
            .or_fail(Kind::Project)?,
        upstream_name: args.upstream_name.clone(),
        commit: args
            .commit
            .as_deref()
            .map(CommitId::new)
            .transpose()
            .or_fail(Kind::Project)?,
    })
}

fn report(workspace: &Workspace, added: &Added) -> Result<()> {
    let (name, update, path) = (&added.name, &added.update, &added.place.file);
    let root = workspace.catalog.root();
    let file = path.strip_prefix(root).unwrap_or(path).display().to_string();
    let version = update.recorded.as_ref().and_then(|change| change.version.clone());
    let commit = update.lock.upstream_commit.as_ref().map(ToString::to_string);
    let files: Vec<&str> = added.files.iter().map(|path| path.as_str()).collect();
    let facts = serde_json::json!({
        "component": name.as_str(), "file": file, "line": added.line, "version": version, "commit": commit,
        "files": files,
    });
    workspace.terminal.facts(&facts, || {
        format!(
            "added {name} {} to {file}, line {}\nlocked at commit {}, with {}\n",
            version.unwrap_or_default(),
            added.line,
            commit.unwrap_or_default(),
            files.join(", ")
        )
    })?;
    workspace
        .terminal
        .note(format!("next: `lazuli component render {name}`"));
    Ok(())
}
