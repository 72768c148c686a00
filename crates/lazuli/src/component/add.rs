//! `lazuli component add`: a component from its upstream, in the right place, proved before anything is written.

use crate::cli::AddArgs;
use crate::component::project::SpecProject;
use crate::component::render::failure;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_catalog::schema::{Component, DistroReference, Spec, SpecType};
use lazuli_catalog::value::CommitId;
use lazuli_catalog::{
    Catalog, ComponentName, DistroName, DistroVersion, ExistingFile, Files, FolderEntry, NewComponent,
    Placement, ResolvedComponent, Source, SpecSource, add_component,
};
use lazuli_component::{FileMode, ProjectFiles, ProjectState, Rebuild, Resolution, Update, Updater, compose};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Adds a component, and locks it.
pub fn add(workspace: &Workspace, args: &AddArgs) -> Result<()> {
    let name = ComponentName::new(args.name.as_str()).or_fail(Kind::Project)?;
    let project = SpecProject::open(workspace)?;
    let component = NewComponent::new(&entry(args)?).or_fail(Kind::Project)?;
    let place = workspace.catalog.place_for(&name, &component);
    let text = edited(&name, &component, &place)?;
    let trial = trial(workspace, &place, &text)?;
    let resolved = trial.component(&name).or_fail(Kind::Project)?;
    if !matches!(resolved.source, Source::Spec(SpecSource::Upstream { .. })) {
        return Err(
            Failure::message(Kind::Project, format!("`{name}` would not come from a dist-git"))
                .hint("name the distribution that has it: --from DISTRIBUTION"),
        );
    }
    let (update, files) = prove(&project, &trial, &resolved)?;
    if !args.dry_run {
        if let Some(folder) = place.file.parent() {
            std::fs::create_dir_all(folder).or_fail(Kind::Environment)?;
        }
        lazuli_durable::write(&place.file, text.as_bytes()).or_fail(Kind::Environment)?;
        update.apply().or_fail(Kind::Environment)?;
    }
    report(workspace, &name, &place, &text, &update, &files)
}

/// What the new component says of itself.
fn entry(args: &AddArgs) -> Result<Component> {
    let mut spec = Spec::default();
    if let Some(from) = &args.from {
        let (distro, version) = match from.split_once('/') {
            Some((distro, version)) => (distro, Some(version)),
            None => (from.as_str(), None),
        };
        spec.upstream_distro = Some(DistroReference {
            name: DistroName::new(distro).or_fail(Kind::Project)?,
            version: version
                .map(DistroVersion::new)
                .transpose()
                .or_fail(Kind::Project)?,
            snapshot: None,
        });
    }
    spec.upstream_name.clone_from(&args.upstream_name);
    spec.upstream_commit = args
        .commit
        .as_deref()
        .map(CommitId::new)
        .transpose()
        .or_fail(Kind::Project)?;
    if spec == Spec::default() {
        return Ok(Component::default());
    }
    spec.kind = Some(SpecType::Upstream);
    Ok(Component {
        spec: Some(spec),
        ..Component::default()
    })
}

fn edited(name: &ComponentName, component: &NewComponent, place: &Placement) -> Result<String> {
    let before = match place.existing {
        ExistingFile::ToBeMade => String::new(),
        ExistingFile::There => std::fs::read_to_string(&place.file)
            .or_fail(Kind::Environment)
            .map_err(|failure| failure.context(format!("failed to read {}", place.file.display())))?,
    };
    add_component(&before, name, component)
        .or_fail(Kind::Project)
        .map_err(|failure| failure.context(format!("failed to change {}", place.file.display())))
}

/// The project as it would be.
fn trial(workspace: &Workspace, place: &Placement, text: &str) -> Result<ProjectState> {
    let files = Edited {
        path: place.file.clone(),
        text: text.to_owned(),
    };
    let catalog = Catalog::load_from(&files, workspace.catalog.root_file()).or_fail(Kind::Project)?;
    let version = Some(&workspace.distro.version);
    ProjectState::new(catalog, version, Arc::new(files)).or_fail(Kind::Project)
}

/// Fetches the component and reads its spec; gives its lock and the names of its files.
fn prove(
    project: &SpecProject<'_>,
    trial: &ProjectState,
    component: &ResolvedComponent,
) -> Result<(Update, Vec<String>)> {
    let author = project.author()?;
    let updater = Updater {
        state: trial,
        committed: None,
        provider: &project.upstreams.provider(),
        reader: &project.reader,
        now: project.now(),
        author: &author,
        message: None,
        resolution: Resolution::Always,
        rebuild: Rebuild::No,
    };
    let failed = |error: &dyn std::error::Error, help| failure(&component.name, error, help);
    let update = updater
        .plan_one(component)
        .map_err(|error| failed(&error, error.help()))?;
    let commit = update.lock.upstream_commit.as_ref().map(CommitId::as_str);
    let composed = compose(trial, component, commit, &project.upstreams.provider())
        .map_err(|error| failed(&error, error.help()))?;
    Ok((
        update,
        composed
            .upstream
            .files()
            .map(|(path, _)| path.to_string())
            .collect(),
    ))
}

fn report(
    workspace: &Workspace,
    name: &ComponentName,
    place: &Placement,
    text: &str,
    update: &Update,
    files: &[String],
) -> Result<()> {
    let root = workspace.catalog.root();
    let file = place
        .file
        .strip_prefix(root)
        .unwrap_or(&place.file)
        .display()
        .to_string();
    let line = text
        .lines()
        .position(|line| line.contains(name.as_str()))
        .map_or(1, |line| line + 1);
    let version = update.recorded.as_ref().and_then(|change| change.version.clone());
    let commit = update.lock.upstream_commit.as_ref().map(ToString::to_string);
    let facts = serde_json::json!({
        "component": name.as_str(), "file": file, "line": line, "version": version, "commit": commit, "files": files,
    });
    workspace.terminal.facts(&facts, || {
        format!(
            "added {name} {} to {file}, line {line}\nlocked at commit {}, with {}\n",
            version.unwrap_or_default(),
            commit.unwrap_or_default(),
            files.join(", ")
        )
    })?;
    workspace
        .terminal
        .note(format!("next: `lazuli component render {name}`"));
    Ok(())
}

/// The files on the disk, but for one that is as it would be.
struct Edited {
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
            false => lazuli_catalog::Disk.read(path),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        self.is(path) || lazuli_catalog::Disk.is_file(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>> {
        let mut entries = match lazuli_catalog::Disk.list(folder) {
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
                1 => lazuli_catalog::EntryKind::File,
                _ => lazuli_catalog::EntryKind::Folder,
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
            false => lazuli_catalog::Disk.read_bytes(path),
        }
    }

    fn mode(&self, path: &Path) -> FileMode {
        lazuli_catalog::Disk.mode(path)
    }
}
