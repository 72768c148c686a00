//! What scripts were recognised to do, as declarations.

use std::collections::BTreeMap;

use crate::declarations::{
    Attributes, Declarations, DeclaredFile, Directory, FileContent, Group, Symlink, User,
};
use crate::paths::merged_path;
use crate::scripts::{Action, UnitScope};
use crate::tree::{Kind, Tree};

/// Declarations out of actions, and what goes beyond them.
#[derive(Debug, Clone, Default)]
pub(crate) struct FromScripts {
    pub(crate) declarations: Declarations,
    /// Units of every user's manager that scripts enable.
    pub(crate) user_units: Vec<String>,
    /// Finalisers that scripts need.
    pub(crate) finalisers: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// A file that scripts make or change, while all their actions are gathered.
#[derive(Debug, Clone, Default)]
struct Pending {
    what: Option<What>,
    mode: Option<u16>,
    owner: Option<String>,
    group: Option<String>,
    recursive: bool,
}

#[derive(Debug, Clone)]
enum What {
    Directory,
    File(FileContent),
    Symlink(String),
}

/// Puts together the actions of all scripts, in the order in which they would run.
pub(crate) fn declarations<'a>(actions: impl Iterator<Item = &'a Action>, tree: &Tree) -> FromScripts {
    let mut out = FromScripts::default();
    let mut files: BTreeMap<String, Pending> = BTreeMap::new();
    for action in actions {
        if !account_action(action, tree, &mut out) && !file_action(action, &mut files, tree) {
            other_action(action, &mut out);
        }
    }
    for (path, pending) in files {
        settle(&path, pending, tree, &mut out);
    }
    out
}

fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn other_action(action: &Action, out: &mut FromScripts) {
    let declarations = &mut out.declarations;
    match action {
        Action::EnableUnit {
            unit,
            scope: UnitScope::System,
        } => push(&mut declarations.enable_units, unit.clone()),
        Action::EnableUnit {
            unit,
            scope: UnitScope::User,
        } => push(&mut out.user_units, unit.clone()),
        Action::Alternative(alternative) => push(&mut declarations.alternatives, alternative.clone()),
        Action::Capabilities(capabilities) => push(&mut declarations.capabilities, capabilities.clone()),
        Action::Finalise { name } => push(&mut out.finalisers, name.clone()),
        _ => {}
    }
}

/// Users and groups, also where a script writes them into the account files itself.
fn account_action(action: &Action, tree: &Tree, out: &mut FromScripts) -> bool {
    let declarations = &mut out.declarations;
    match action {
        Action::User(user) => {
            if !declarations.users.iter().any(|u| u.name == user.name) {
                declarations.users.push(user.clone());
            }
        }
        Action::Group(group) => {
            if !declarations.groups.iter().any(|g| g.name == group.name) {
                declarations.groups.push(group.clone());
            }
        }
        Action::Member(member) => push(&mut declarations.members, member.clone()),
        Action::WriteFile { path, content, .. } if is_account_file(path) => {
            account_lines(path, content, declarations)
        }
        Action::CopyFile { source, path } if is_account_file(path) => {
            let content = tree
                .get(source)
                .and_then(|node| node.content())
                .unwrap_or_default();
            account_lines(path, &String::from_utf8_lossy(content), declarations);
        }
        _ => return false,
    }
    true
}

fn is_account_file(path: &str) -> bool {
    matches!(
        path,
        "/etc/passwd" | "/etc/group" | "/etc/shadow" | "/etc/gshadow"
    )
}

/// Lines of passwd(5) and group(5). The full names are left out: they say no more than the names.
fn account_lines(path: &str, content: &str, declarations: &mut Declarations) {
    for line in content.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        match (path, fields.as_slice()) {
            ("/etc/passwd", [name, _, uid, gid, _, home, shell]) => {
                let (Ok(uid), Ok(gid)) = (uid.parse::<u32>(), gid.parse::<u32>()) else {
                    continue;
                };
                if !declarations.users.iter().any(|u| u.name == *name) {
                    declarations.users.push(User {
                        name: (*name).to_owned(),
                        uid: Some(uid),
                        group: (uid != gid).then(|| gid.to_string()),
                        home: Some((*home).to_owned()),
                        shell: Some((*shell).to_owned()),
                        comment: None,
                    });
                }
            }
            ("/etc/group", [name, _, gid, _]) => {
                let Ok(gid) = gid.parse::<u32>() else { continue };
                if !declarations.groups.iter().any(|g| g.name == *name) {
                    declarations.groups.push(Group {
                        name: (*name).to_owned(),
                        gid: Some(gid),
                    });
                }
            }
            _ => {}
        }
    }
    // A user's own group comes with the user.
    let users: Vec<(String, Option<u32>)> = declarations
        .users
        .iter()
        .filter(|u| u.group.is_none())
        .map(|u| (u.name.clone(), u.uid))
        .collect();
    declarations
        .groups
        .retain(|g| g.gid.is_none() || !users.contains(&(g.name.clone(), g.gid)));
}

fn file_action(action: &Action, files: &mut BTreeMap<String, Pending>, tree: &Tree) -> bool {
    let mut made = |path: &str, what: What, mode: Option<u16>| {
        let pending = files.entry(path.to_owned()).or_default();
        pending.what = Some(what);
        pending.mode = mode;
    };
    match action {
        Action::Directory { path, mode } => {
            if tree.get(path).is_none() {
                made(path, What::Directory, Some(*mode));
            }
        }
        Action::Touch { path, mode } => {
            made(path, What::File(FileContent::Bytes(Vec::new())), Some(*mode));
        }
        Action::CopyFile { source, path } => {
            let mode = tree.get(source).map(|node| node.mode);
            made(path, What::File(FileContent::CopyOf(source.clone())), mode);
        }
        Action::WriteFile {
            path,
            content,
            append,
        } => write(files, path, content, *append),
        Action::Symlink(Symlink { path, target }) => {
            if tree.get(path).is_none() {
                made(path, What::Symlink(target.clone()), None);
            }
        }
        Action::Remove { path } => drop(files.remove(path)),
        Action::Owner {
            path,
            owner,
            group,
            recursive,
        } => {
            let pending = files.entry(path.clone()).or_default();
            pending.owner = owner.clone().or(pending.owner.take());
            pending.group = group.clone().or(pending.group.take());
            pending.recursive |= recursive;
        }
        Action::Mode { path, mode } => files.entry(path.clone()).or_default().mode = Some(*mode),
        _ => return false,
    }
    true
}

/// Writes or lengthens a file. One that is made twice, by commands under different conditions, is what came last.
fn write(files: &mut BTreeMap<String, Pending>, path: &str, content: &str, append: bool) {
    let pending = files.entry(path.to_owned()).or_default();
    let mut bytes = match (&pending.what, append) {
        (Some(What::File(FileContent::Bytes(before))), true) => before.clone(),
        _ => Vec::new(),
    };
    bytes.extend_from_slice(content.as_bytes());
    pending.what = Some(What::File(FileContent::Bytes(bytes)));
}

/// Says of one file what is declared: a file of the package, an attribute, or a line of tmpfiles.d.
fn settle(path: &str, pending: Pending, tree: &Tree, out: &mut FromScripts) {
    let Pending {
        what,
        mode,
        owner,
        group,
        recursive,
    } = pending;
    let volatile = path.starts_with("/run/");
    let state = path.starts_with("/var/");
    let declarations = &mut out.declarations;
    let who = |name: &Option<String>| name.clone().unwrap_or_else(|| "root".to_owned());
    let octal = |mode: u16| format!("{mode:04o}");
    match what {
        Some(What::Directory) if volatile => {
            let line = format!(
                "d {path} {} {} {} -",
                octal(mode.unwrap_or(0o755)),
                who(&owner),
                who(&group)
            );
            declarations.tmpfiles.push(line);
        }
        Some(What::Directory) => {
            declarations.directories.push(Directory {
                path: path.to_owned(),
                mode,
                owner,
                group,
            });
        }
        Some(What::Symlink(target)) if volatile || state => {
            declarations.tmpfiles.push(format!("L {path} - - - - {target}"));
        }
        Some(What::Symlink(target)) => declarations.symlinks.push(Symlink {
            path: path.to_owned(),
            target,
        }),
        Some(What::File(content)) if (volatile || state) && fits_a_line(&content) => {
            let argument = match &content {
                FileContent::Bytes(bytes) => String::from_utf8_lossy(bytes).replace('\n', "\\n"),
                FileContent::CopyOf(source) => source.clone(),
            };
            let kind = if matches!(content, FileContent::Bytes(_)) {
                "f"
            } else {
                "C"
            };
            let mode = octal(mode.unwrap_or(0o644));
            let line = format!(
                "{kind} {path} {mode} {} {} - {argument}",
                who(&owner),
                who(&group)
            );
            declarations.tmpfiles.push(line.trim_end().to_owned());
        }
        Some(What::File(content)) => {
            let config = Some(!path.starts_with("/usr/"));
            declarations.files.push(DeclaredFile {
                path: path.to_owned(),
                mode,
                owner,
                group,
                content,
                config,
            });
        }
        None if tree.get(path).is_some() => {
            attributes(
                path,
                Attributes {
                    path: path.to_owned(),
                    mode,
                    owner,
                    group,
                },
                recursive,
                tree,
                declarations,
            );
        }
        // Another package's file, or one that a service makes: what is there gets the attributes at each start.
        None => {
            let part = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
            let kind = if recursive { "Z" } else { "z" };
            let line = format!(
                "{kind} {path} {} {} {} -",
                part(mode.map(octal)),
                part(owner),
                part(group)
            );
            declarations.tmpfiles.push(line);
        }
    }
}

fn fits_a_line(content: &FileContent) -> bool {
    match content {
        FileContent::Bytes(bytes) => {
            bytes.len() < 256 && std::str::from_utf8(bytes).is_ok_and(|t| !t.contains(['%', '\\', '"', '\'']))
        }
        FileContent::CopyOf(_) => true,
    }
}

fn attributes(
    path: &str,
    attributes: Attributes,
    recursive: bool,
    tree: &Tree,
    declarations: &mut Declarations,
) {
    let changes = tree.get(path).is_some_and(|node| {
        attributes.mode.is_some_and(|mode| mode != node.mode)
            || attributes.owner.as_ref().is_some_and(|owner| *owner != node.user)
            || attributes
                .group
                .as_ref()
                .is_some_and(|group| *group != node.group)
    });
    if recursive && tree.get(path).is_some_and(|node| node.kind == Kind::Directory) {
        let below = Attributes {
            path: format!("{path}/**"),
            mode: None,
            ..attributes.clone()
        };
        declarations.attributes.push(below);
    }
    if changes {
        declarations.attributes.push(attributes);
    }
}

/// What is declared by hand, with what was recognised where the hand says nothing.
pub(crate) fn merged(hand: &Declarations, found: Declarations) -> Declarations {
    let mut all = hand.clone();
    let same = |a: &str, b: &str| merged_path(a) == merged_path(b);
    let hand_paths: Vec<&str> = hand
        .files
        .iter()
        .map(|f| f.path.as_str())
        .chain(hand.directories.iter().map(|d| d.path.as_str()))
        .chain(hand.symlinks.iter().map(|l| l.path.as_str()))
        .collect();
    let by_hand = |path: &str| hand_paths.iter().any(|p| same(p, path));
    let hand_lines: Vec<&str> = hand
        .tmpfiles
        .iter()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    let free_line = |line: &String| {
        let path = line.split_whitespace().nth(1).unwrap_or_default();
        !by_hand(path) && !hand_lines.contains(&path)
    };
    all.users.extend(
        found
            .users
            .into_iter()
            .filter(|u| !hand.users.iter().any(|h| h.name == u.name)),
    );
    all.groups.extend(
        found
            .groups
            .into_iter()
            .filter(|g| !hand.groups.iter().any(|h| h.name == g.name)),
    );
    all.members
        .extend(found.members.into_iter().filter(|m| !hand.members.contains(m)));
    all.tmpfiles.extend(found.tmpfiles.into_iter().filter(free_line));
    let disabled = |unit: &String| hand.disable_units.contains(unit) || hand.enable_units.contains(unit);
    all.enable_units
        .extend(found.enable_units.into_iter().filter(|u| !disabled(u)));
    let offered = |a: &crate::declarations::Alternative| {
        hand.alternatives
            .iter()
            .any(|h| h.name == a.name && same(&h.path, &a.path))
    };
    all.alternatives
        .extend(found.alternatives.into_iter().filter(|a| !offered(a)));
    let able = |path: &str| hand.capabilities.iter().any(|h| same(&h.path, path));
    all.capabilities
        .extend(found.capabilities.into_iter().filter(|c| !able(&c.path)));
    all.symlinks
        .extend(found.symlinks.into_iter().filter(|l| !by_hand(&l.path)));
    all.directories
        .extend(found.directories.into_iter().filter(|d| !by_hand(&d.path)));
    all.files
        .extend(found.files.into_iter().filter(|f| !by_hand(&f.path)));
    // Those by hand are applied last, and win.
    let mut attributes: Vec<Attributes> = found
        .attributes
        .into_iter()
        .filter(|a| !by_hand(&a.path))
        .collect();
    attributes.append(&mut all.attributes);
    all.attributes = attributes;
    all
}
