//! What commands on components made from specs work with: the project, its git repository, its upstreams.

use crate::component::select;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::provider::Upstreams;
use crate::workspace::Workspace;
use lazuli_catalog::{ComponentName, DistroVersion, ResolvedComponent, Source};
use lazuli_component::history::ProjectHistory;
use lazuli_component::{GitRepository, Person, ProjectState, SpecReader};
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The project and where its components come from.
pub struct SpecProject<'w> {
    pub workspace: &'w Workspace,
    /// The project as it is on the disk.
    pub state: ProjectState,
    /// The git repository that it is in.
    pub repository: Option<GitRepository>,
    /// What is committed: the project at `HEAD`, and its history.
    pub committed: Option<(ProjectState, ProjectHistory)>,
    pub upstreams: Upstreams,
    pub reader: SpecReader,
}

impl<'w> SpecProject<'w> {
    /// Opens the project that the workspace has loaded.
    pub fn open(workspace: &'w Workspace) -> Result<Self> {
        let version = Some(&workspace.distro.version);
        let state = ProjectState::on_disk(workspace.catalog.clone(), version).or_fail(Kind::Project)?;
        let repository = GitRepository::discover(workspace.catalog.root()).or_fail(Kind::Environment)?;
        let committed = match &repository {
            Some(repository) => committed(workspace, repository)?,
            None => None,
        };
        Ok(Self {
            workspace,
            state,
            repository,
            committed,
            upstreams: Upstreams::open(workspace)?,
            reader: SpecReader::new(crate::specs::macros(workspace)?.0),
        })
    }

    /// The history of the project, if it has one.
    pub fn history(&self) -> Option<&ProjectHistory> {
        self.committed.as_ref().map(|(_, history)| history)
    }

    /// The components that are meant and are made from specs. One that is meant by its name must be.
    pub fn components(&self, names: &[String]) -> Result<Vec<ResolvedComponent>> {
        let meant = select(self.workspace, names)?;
        let by_name = |name: &ComponentName| names.iter().any(|text| text == name.as_str());
        let mut found = Vec::new();
        for name in meant {
            let component = self.state.component(&name).or_fail(Kind::Project)?;
            match component.source {
                Source::Spec(_) => found.push(component),
                _ if by_name(&name) => {
                    return Err(Failure::message(
                        Kind::Project,
                        format!("component `{name}` has no spec: it is imported, or made from the catalog"),
                    ));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// The folder of rendered specs.
    pub fn rendered_specs(&self) -> Result<PathBuf> {
        self.workspace
            .catalog
            .project()
            .rendered_specs_dir
            .ok_or_else(|| {
                Failure::message(Kind::Project, "the project says nowhere that rendered specs go")
                    .hint("add `rendered-specs-dir = \"specs\"` to `[project]`")
            })
    }

    /// Seconds since 1970 for a change that is made now: `SOURCE_DATE_EPOCH`, or else the clock.
    pub fn now(&self) -> i64 {
        let clock = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map(|time| time.as_secs())
                .unwrap_or_default()
        };
        i64::try_from(self.workspace.epoch().unwrap_or_else(clock)).unwrap_or(i64::MAX)
    }

    /// Who makes a change: as git has it, or else the address that the project gives.
    pub fn author(&self) -> Result<Person> {
        let output = Command::new("git")
            .args(["var", "GIT_AUTHOR_IDENT"])
            .current_dir(self.workspace.catalog.root())
            .output();
        if let Ok(output) = output
            && output.status.success()
        {
            let text = String::from_utf8_lossy(&output.stdout);
            // `Name <address> seconds zone`
            if let Some(end) = text.rfind('>') {
                return Ok(Person::parse(&text[..=end]));
            }
        }
        match self.workspace.catalog.project().default_author_email {
            Some(email) => Ok(Person {
                name: email.split('@').next().unwrap_or_default().to_owned(),
                email,
            }),
            None => Err(
                Failure::message(Kind::Environment, "it is not known who makes the change")
                    .hint("git config --global user.name NAME; git config --global user.email ADDRESS"),
            ),
        }
    }

    /// The project as it was at a revision, or on the disk.
    pub fn at(&self, revision: Option<&str>) -> Result<ProjectState> {
        let Some(revision) = revision else {
            return Ok(self.state.clone());
        };
        let repository = self.repository.as_ref().ok_or_else(|| {
            Failure::message(Kind::Project, "the project is not in a git repository").hint("git init")
        })?;
        state_at(self.workspace, repository, revision)
    }
}

fn state_at(workspace: &Workspace, repository: &GitRepository, revision: &str) -> Result<ProjectState> {
    let version: Option<&DistroVersion> = Some(&workspace.distro.version);
    ProjectState::at(repository, revision, workspace.catalog.root_file(), version)
        .or_fail(Kind::Project)
        .map_err(|failure| failure.context(format!("failed to read the project at {revision}")))
}

fn committed(
    workspace: &Workspace,
    repository: &GitRepository,
) -> Result<Option<(ProjectState, ProjectHistory)>> {
    let Some(head) = repository.head().or_fail(Kind::Environment)? else {
        return Ok(None);
    };
    let version = Some(&workspace.distro.version);
    let state = match ProjectState::at(repository, &head, workspace.catalog.root_file(), version) {
        Ok(state) => state,
        // The project itself is not committed yet.
        Err(lazuli_component::StateError::Catalog(lazuli_catalog::Error::NotFound { .. })) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(Failure::new(Kind::Project, error).context("failed to read the project at HEAD"));
        }
    };
    let history = ProjectHistory::read(repository, &head, state.lock_dir()).or_fail(Kind::Project)?;
    Ok(Some((state, history)))
}
