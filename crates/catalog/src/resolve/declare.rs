//! Declarations with their defaults filled in and their ids looked up.

use std::path::PathBuf;

use super::{Fault, ResolvedDistro};
use crate::schema;
use crate::value::{AbsolutePath, AccountName, Capabilities, FileMode, PathGlob, UnitName};

/// The place of a finaliser that does not say one.
const DEFAULT_FINALISER_ORDER: u32 = 50;
const DEFAULT_FILE_MODE: u32 = 0o644;
const DEFAULT_DIRECTORY_MODE: u32 = 0o755;
const ROOT: &str = "root";

/// What a package needs besides its files.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Declarations {
    /// System users.
    pub users: Vec<UserEntry>,
    /// System groups, without those that come with a user of the same name.
    pub groups: Vec<GroupEntry>,
    /// Further members of groups.
    pub members: Vec<MemberEntry>,
    /// Lines of tmpfiles.d(5).
    pub tmpfiles: Vec<String>,
    /// Units that a preset enables.
    pub enable_units: Vec<UnitName>,
    /// Units that a preset disables.
    pub disable_units: Vec<UnitName>,
    /// Alternatives.
    pub alternatives: Vec<DeclaredAlternative>,
    /// Capabilities of files.
    pub capabilities: Vec<CapabilityEntry>,
    /// Symbolic links.
    pub symlinks: Vec<LinkEntry>,
    /// Directories.
    pub directories: Vec<DirectoryEntry>,
    /// Files.
    pub files: Vec<FileEntry>,
    /// Mode and owner of files that the package has.
    pub attributes: Vec<AttributeChange>,
    /// Finalisers.
    pub finalisers: Vec<FinaliserSpec>,
}

/// A system user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct UserEntry {
    /// Its name.
    pub name: AccountName,
    /// Its number.
    pub uid: u32,
    /// Its primary group: its own, unless another is declared.
    pub group: AccountName,
    /// The number of its own group; `None` when `group` is another one, which is declared elsewhere.
    pub own_gid: Option<u32>,
    /// Its home.
    pub home: AbsolutePath,
    /// Its shell.
    pub shell: AbsolutePath,
    /// Its full name.
    pub comment: Option<String>,
}

/// A system group.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GroupEntry {
    /// Its name.
    pub name: AccountName,
    /// Its number.
    pub gid: u32,
}

/// A user in a group.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MemberEntry {
    /// The user.
    pub user: AccountName,
    /// The group.
    pub group: AccountName,
}

/// An alternative and the links that go with it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeclaredAlternative {
    /// The link that everyone uses.
    pub link: AbsolutePath,
    /// The name of the choice.
    pub name: String,
    /// What this package offers.
    pub path: AbsolutePath,
    /// The highest wins.
    pub priority: i32,
    /// Links that go with the choice.
    pub followers: Vec<FollowerEntry>,
}

/// A link that goes with an alternative.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FollowerEntry {
    /// The link.
    pub link: AbsolutePath,
    /// Its name.
    pub name: String,
    /// What it points to.
    pub path: AbsolutePath,
}

/// Capabilities of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CapabilityEntry {
    /// The file.
    pub path: AbsolutePath,
    /// The capabilities, in the text form of cap_from_text(3).
    pub value: Capabilities,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LinkEntry {
    /// The link.
    pub path: AbsolutePath,
    /// What it points to: absolute, or relative to the link's folder.
    pub target: String,
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DirectoryEntry {
    /// The directory.
    pub path: AbsolutePath,
    /// Permission bits.
    pub mode: u32,
    /// Its owner.
    pub owner: String,
    /// Its group.
    pub group: String,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileContent {
    /// This text.
    Inline(String),
    /// What is in this file of the project.
    File(PathBuf),
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileEntry {
    /// The file.
    pub path: AbsolutePath,
    /// Permission bits.
    pub mode: u32,
    /// Its owner.
    pub owner: String,
    /// Its group.
    pub group: String,
    /// What is in it.
    pub content: FileContent,
    /// Whether an administrator's changes are kept.
    pub config: bool,
}

/// Mode and owner of files; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AttributeChange {
    /// The files.
    pub path: PathGlob,
    /// Permission bits.
    pub mode: Option<u32>,
    /// The owner.
    pub owner: Option<AccountName>,
    /// The group.
    pub group: Option<AccountName>,
}

/// A command that runs when watched files changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FinaliserSpec {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it depends on.
    pub watch: Vec<PathGlob>,
    /// The command and its arguments.
    pub run: Vec<String>,
    /// What it writes.
    pub outputs: Vec<PathGlob>,
    /// Lower goes first.
    pub order: u32,
}

impl Declarations {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Declarations::default()
    }
}

pub(super) fn resolve_declare(
    declare: Option<&schema::Declare>,
    distro: &ResolvedDistro,
    faults: &mut Vec<Fault>,
) -> Declarations {
    let Some(declare) = declare else {
        return Declarations::default();
    };
    let mut resolved = Declarations {
        members: declare
            .members
            .iter()
            .map(|one| MemberEntry {
                user: one.user.clone(),
                group: one.group.clone(),
            })
            .collect(),
        tmpfiles: declare.tmpfiles.iter().map(ToString::to_string).collect(),
        enable_units: declare.enable_units.clone(),
        disable_units: declare.disable_units.clone(),
        alternatives: declare.alternatives.iter().map(resolve_alternative).collect(),
        capabilities: declare
            .capabilities
            .iter()
            .map(|one| CapabilityEntry {
                path: one.path.clone(),
                value: one.value.clone(),
            })
            .collect(),
        symlinks: resolve_symlinks(&declare.symlinks),
        directories: declare.directories.iter().map(resolve_directory).collect(),
        attributes: declare.attributes.iter().map(resolve_attributes).collect(),
        ..Declarations::default()
    };
    for (index, user) in declare.users.iter().enumerate() {
        match resolve_user(user, distro) {
            Ok(user) => resolved.users.push(user),
            Err(fault) => faults.push(fault.entry(index, declare.users.len())),
        }
    }
    for (index, group) in declare.groups.iter().enumerate() {
        match group.gid.or_else(|| distro.group_ids.get(&group.name).copied()) {
            Some(gid) => resolved.groups.push(GroupEntry {
                name: group.name.clone(),
                gid,
            }),
            None => {
                faults.push(no_id("group", "gid", &group.name, distro).entry(index, declare.groups.len()))
            }
        }
    }
    resolved.files = resolve_files(&declare.files, &["declare", "files"], faults);
    for (index, finaliser) in declare.finalisers.iter().enumerate() {
        match resolve_finaliser(finaliser) {
            Ok(finaliser) => resolved.finalisers.push(finaliser),
            Err(fault) => faults.push(fault.entry(index, declare.finalisers.len())),
        }
    }
    resolved
}

fn no_id(what: &str, key: &str, name: &AccountName, distro: &ResolvedDistro) -> Fault {
    Fault::new(format!("{what} `{name}` has no fixed id"))
        .at(&["declare", if what == "user" { "users" } else { "groups" }])
        .help(format!(
            "add `{name} = NUMBER` to [distros.{}.ids.{what}s], or `{key}` here",
            distro.name
        ))
}

fn resolve_user(user: &schema::DeclaredUser, distro: &ResolvedDistro) -> Result<UserEntry, Fault> {
    let uid = user.uid.or_else(|| distro.user_ids.get(&user.name).copied());
    let uid = uid.ok_or_else(|| no_id("user", "uid", &user.name, distro))?;
    let group = user.group.clone().unwrap_or_else(|| user.name.clone());
    let own_gid = (group == user.name).then(|| distro.group_ids.get(&group).copied().unwrap_or(uid));
    let path = |given: &Option<AbsolutePath>, default: &str| match given {
        Some(path) => Ok(path.clone()),
        None => AbsolutePath::new(default).map_err(|error| Fault::new(error.to_string())),
    };
    Ok(UserEntry {
        name: user.name.clone(),
        uid,
        group,
        own_gid,
        home: path(&user.home, "/")?,
        shell: path(&user.shell, "/usr/sbin/nologin")?,
        comment: user.comment.as_ref().map(ToString::to_string),
    })
}

fn resolve_alternative(alternative: &schema::Alternative) -> DeclaredAlternative {
    let follower = |one: &schema::Follower| FollowerEntry {
        link: one.link.clone(),
        name: one.name.to_string(),
        path: one.path.clone(),
    };
    DeclaredAlternative {
        link: alternative.link.clone(),
        name: alternative.name.to_string(),
        path: alternative.path.clone(),
        priority: alternative.priority,
        followers: alternative.followers.iter().map(follower).collect(),
    }
}

fn owner(account: Option<&AccountName>) -> String {
    account.map_or_else(|| ROOT.to_owned(), ToString::to_string)
}

fn resolve_directory(directory: &schema::DeclaredDirectory) -> DirectoryEntry {
    DirectoryEntry {
        path: directory.path.clone(),
        mode: directory
            .mode
            .as_ref()
            .map_or(DEFAULT_DIRECTORY_MODE, FileMode::bits),
        owner: owner(directory.owner.as_ref()),
        group: owner(directory.group.as_ref()),
    }
}

fn resolve_attributes(attributes: &schema::Attributes) -> AttributeChange {
    AttributeChange {
        path: attributes.path.clone(),
        mode: attributes.mode.as_ref().map(FileMode::bits),
        owner: attributes.owner.clone(),
        group: attributes.group.clone(),
    }
}

pub(super) fn resolve_symlinks(links: &[schema::Symlink]) -> Vec<LinkEntry> {
    links
        .iter()
        .map(|one| LinkEntry {
            path: one.path.clone(),
            target: one.target.to_string(),
        })
        .collect()
}

pub(super) fn resolve_files(
    files: &[schema::DeclaredFile],
    key: &[&str],
    faults: &mut Vec<Fault>,
) -> Vec<FileEntry> {
    let mut resolved = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let content = match (&file.content, &file.source) {
            (Some(text), None) => FileContent::Inline(text.clone()),
            (None, Some(source)) => FileContent::File(source.resolve()),
            (given, _) => {
                let what = if given.is_some() {
                    "both `content` and `source`"
                } else {
                    "neither `content` nor `source`"
                };
                let fault = Fault::new(format!("file `{}` has {what}", file.path))
                    .at(key)
                    .entry(index, files.len());
                faults.push(fault.help("say what is in it by exactly one of them"));
                continue;
            }
        };
        resolved.push(FileEntry {
            path: file.path.clone(),
            mode: file.mode.as_ref().map_or(DEFAULT_FILE_MODE, FileMode::bits),
            owner: owner(file.owner.as_ref()),
            group: owner(file.group.as_ref()),
            content,
            config: file
                .config
                .unwrap_or_else(|| file.path.as_str().starts_with("/etc/")),
        });
    }
    resolved
}

fn resolve_finaliser(finaliser: &schema::Finaliser) -> Result<FinaliserSpec, Fault> {
    if !finaliser
        .run
        .first()
        .is_some_and(|command| command.starts_with('/'))
    {
        let message = format!(
            "the command of finaliser `{}` is not an absolute path",
            finaliser.name
        );
        let fault = Fault::new(message).at(&["declare", "finalisers"]);
        return Err(fault.help("write `run = [\"/usr/bin/…\", \"argument\"]`"));
    }
    Ok(FinaliserSpec {
        name: finaliser.name.to_string(),
        description: finaliser.description.to_string(),
        watch: finaliser.watch.clone(),
        run: finaliser.run.clone(),
        outputs: finaliser.outputs.clone(),
        order: finaliser.order.unwrap_or(DEFAULT_FINALISER_ORDER),
    })
}
