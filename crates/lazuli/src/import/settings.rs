//! From the catalog's types to those of the import engine.

use crate::failure::{Failure, Kind, Result};
use crate::workspace::Workspace;
use lazuli_catalog as catalog;
use lazuli_deb::ScriptKind;
use lazuli_import as engine;
use lazuli_import::{ImportSettings, ReviewedScript};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// What all packages of a distribution version share.
pub struct Common {
    settings: ImportSettings,
}

impl Common {
    /// Reads the distribution, and which finalisers and packages there are.
    pub fn new(workspace: &Workspace, lock: &catalog::LockFile, time: u64) -> Result<Self> {
        let distro = &workspace.distro;
        let components = workspace
            .catalog
            .components(distro, workspace.architecture)
            .map_err(|error| Failure::new(Kind::Project, error))?;
        let finalisers: BTreeSet<String> = components
            .iter()
            .flat_map(|one| {
                one.declare
                    .finalisers
                    .iter()
                    .map(|finaliser| finaliser.name.clone())
            })
            .collect();
        let real: BTreeSet<String> = lock.all().map(|(name, _)| name.to_string()).collect();
        let vendor = distro
            .release
            .vendor_name
            .clone()
            .unwrap_or_else(|| distro.release.name.clone());
        Ok(Self {
            settings: ImportSettings {
                packager: vendor.clone(),
                vendor,
                distribution: format!("{} {}", distro.release.name, distro.release_version),
                user_ids: distro
                    .user_ids
                    .iter()
                    .map(|(name, id)| (name.to_string(), *id))
                    .collect(),
                group_ids: distro
                    .group_ids
                    .iter()
                    .map(|(name, id)| (name.to_string(), *id))
                    .collect(),
                finalisers: Some(finalisers),
                real_packages: Some(Arc::new(real)),
                latest_time: u32::try_from(time).ok(),
                ..ImportSettings::default()
            },
        })
    }

    /// The settings of one component.
    pub fn of(&self, component: &catalog::ResolvedComponent) -> Result<ImportSettings> {
        let mut settings = self.settings.clone();
        settings.declare = declarations(&component.declare)?;
        let catalog::Source::Import(import) = &component.source else {
            return Ok(settings);
        };
        settings.name = import.name.as_ref().map(ToString::to_string);
        settings.drop_requires = texts(&import.drop_requires);
        settings.add_requires = texts(&import.add_requires);
        settings.replace_requires = import
            .replace_requires
            .iter()
            .map(|(name, with)| (name.to_string(), with.to_string()))
            .collect();
        settings.drop_recommends = texts(&import.drop_recommends);
        settings.add_recommends = texts(&import.add_recommends);
        settings.drop_suggests = texts(&import.drop_suggests);
        settings.drop_provides = texts(&import.drop_provides);
        settings.add_provides = texts(&import.add_provides);
        settings.drop_conflicts = texts(&import.drop_conflicts);
        settings.add_conflicts = texts(&import.add_conflicts);
        settings.add_obsoletes = texts(&import.add_obsoletes);
        settings.exclude_files = texts(&import.exclude_files);
        settings.keep_files = texts(&import.keep_files);
        settings.license.clone_from(&import.license);
        settings.reviewed = import
            .reviewed
            .iter()
            .map(|review| ReviewedScript {
                script: script(review.script),
                sha256: review.sha256.to_string(),
                note: review.note.clone(),
            })
            .collect();
        Ok(settings)
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn script(script: catalog::MaintainerScript) -> Option<ScriptKind> {
    match script {
        catalog::MaintainerScript::Preinst => Some(ScriptKind::Preinst),
        catalog::MaintainerScript::Postinst => Some(ScriptKind::Postinst),
        catalog::MaintainerScript::Prerm => Some(ScriptKind::Prerm),
        catalog::MaintainerScript::Postrm => Some(ScriptKind::Postrm),
        catalog::MaintainerScript::Config => Some(ScriptKind::Config),
        catalog::MaintainerScript::Triggers => None,
    }
}

/// Declarations of a component; files of the project are read.
pub fn declarations(from: &catalog::Declarations) -> Result<engine::Declarations> {
    let name = |name: &Option<catalog::AccountName>| name.as_ref().map(ToString::to_string);
    Ok(engine::Declarations {
        users: from.users.iter().map(user).collect(),
        groups: from
            .groups
            .iter()
            .map(|group| engine::Group {
                name: group.name.to_string(),
                gid: Some(group.gid),
            })
            .collect(),
        members: from
            .members
            .iter()
            .map(|member| engine::Member {
                user: member.user.to_string(),
                group: member.group.to_string(),
            })
            .collect(),
        tmpfiles: from.tmpfiles.clone(),
        enable_units: texts(&from.enable_units),
        disable_units: texts(&from.disable_units),
        alternatives: from.alternatives.iter().map(alternative).collect(),
        capabilities: from
            .capabilities
            .iter()
            .map(|one| engine::FileCapabilities {
                path: one.path.to_string(),
                value: one.value.to_string(),
            })
            .collect(),
        symlinks: from
            .symlinks
            .iter()
            .map(|link| engine::Symlink {
                path: link.path.to_string(),
                target: link.target.clone(),
            })
            .collect(),
        directories: from
            .directories
            .iter()
            .map(|one| engine::Directory {
                path: one.path.to_string(),
                mode: Some(mode(one.mode)),
                owner: Some(one.owner.clone()),
                group: Some(one.group.clone()),
            })
            .collect(),
        files: from.files.iter().map(file).collect::<Result<_>>()?,
        attributes: from
            .attributes
            .iter()
            .map(|one| engine::Attributes {
                path: one.path.to_string(),
                mode: one.mode.map(mode),
                owner: name(&one.owner),
                group: name(&one.group),
            })
            .collect(),
        finalisers: from.finalisers.iter().map(finaliser).collect(),
        remove: Vec::new(),
    })
}

/// Permission bits; the catalog's type holds no others.
fn mode(bits: u32) -> u16 {
    (bits & 0o7777) as u16
}

fn user(user: &catalog::UserEntry) -> engine::User {
    engine::User {
        name: user.name.to_string(),
        uid: Some(user.uid),
        group: (user.group != user.name).then(|| user.group.to_string()),
        home: Some(user.home.to_string()),
        shell: Some(user.shell.to_string()),
        comment: user.comment.clone(),
    }
}

fn alternative(one: &catalog::DeclaredAlternative) -> engine::Alternative {
    engine::Alternative {
        link: one.link.to_string(),
        name: one.name.clone(),
        path: one.path.to_string(),
        priority: one.priority,
        followers: one
            .followers
            .iter()
            .map(|follower| engine::Follower {
                link: follower.link.to_string(),
                name: follower.name.clone(),
                path: follower.path.to_string(),
            })
            .collect(),
    }
}

fn file(file: &catalog::FileEntry) -> Result<engine::DeclaredFile> {
    let content = match &file.content {
        catalog::FileContent::Inline(text) => text.clone().into_bytes(),
        catalog::FileContent::File(path) => read(path)?,
    };
    Ok(engine::DeclaredFile {
        path: file.path.to_string(),
        mode: Some(mode(file.mode)),
        owner: Some(file.owner.clone()),
        group: Some(file.group.clone()),
        content: engine::FileContent::Bytes(content),
        config: Some(file.config),
    })
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        Failure::new(Kind::Project, error).context(format!(
            "failed to read {}, which a component declares",
            path.display()
        ))
    })
}

fn finaliser(one: &catalog::FinaliserSpec) -> engine::Finaliser {
    engine::Finaliser {
        name: one.name.clone(),
        description: one.description.clone(),
        watch: texts(&one.watch),
        run: one.run.clone(),
        outputs: texts(&one.outputs),
        order: one.order,
    }
}
