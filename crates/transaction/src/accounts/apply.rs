//! Making declared users and groups.
//!
//! The same declarations on the same files give the same files: ids that are not fixed are handed out from 999 down, in
//! the order of the declarations. Lines that are there stay as they are.

use super::sysusers::{self, Id, Line};
use crate::root::Attributes;
use crate::{Clock, Root, TransactionError};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Where declarations lie; of files with the same name the first folder's counts.
const FOLDERS: &[&str] = &[
    "/etc/sysusers.d",
    "/run/sysusers.d",
    "/usr/local/lib/sysusers.d",
    "/usr/lib/sysusers.d",
];

/// Ids of system users that are handed out, from the first down to the second.
const HIGHEST: u32 = 999;
const LOWEST: u32 = 100;

const NO_LOGIN: &str = "/usr/sbin/nologin";
const ROOT_SHELL: &str = "/bin/sh";

/// Declarations by path, of packages that are about to be laid.
pub(crate) type Declared = BTreeMap<String, String>;

/// Makes all users and groups that the root and `incoming` declare. Answers whether something changed.
pub(crate) fn apply(root: &Root, incoming: &Declared, clock: Clock) -> Result<bool, TransactionError> {
    let mut lines = Vec::new();
    for (path, text) in collect(root, incoming)? {
        lines.extend(sysusers::parse(&path, &text)?);
    }
    if lines.is_empty() {
        return Ok(false);
    }
    let mut files = Files::read(root)?;
    let lines = with_implied(lines, &files);
    files.reserve(&lines);
    for line in &lines {
        files.group_of(line)?;
    }
    for line in &lines {
        files.user_of(line, clock);
    }
    for line in &lines {
        if let Line::Member { user, group } = line {
            files.add_member(group, user);
        }
    }
    files.write(root, clock)
}

/// Adds lines for users and groups that others only mention. They come last, so that who says more is heard first.
fn with_implied(mut lines: Vec<Line>, files: &Files) -> Vec<Line> {
    let mut users: HashSet<String> = HashSet::new();
    let mut groups: HashSet<String> = HashSet::new();
    for line in &lines {
        match line {
            Line::User { name, id, .. } => {
                users.insert(name.clone());
                if !matches!(id, Id::InGroup(..)) {
                    groups.insert(name.clone());
                }
            }
            Line::Group { name, .. } => {
                groups.insert(name.clone());
            }
            Line::Member { .. } => {}
        }
    }
    let mut implied = Vec::new();
    for line in &lines {
        if let Line::Member { group, .. }
        | Line::User {
            id: Id::InGroup(_, group),
            ..
        } = line
            && !files.group.contains(group)
            && groups.insert(group.clone())
        {
            implied.push(Line::Group {
                name: group.clone(),
                id: Id::Automatic,
            });
        }
        if let Line::Member { user, .. } = line
            && !files.passwd.contains(user)
            && users.insert(user.clone())
        {
            implied.push(Line::User {
                name: user.clone(),
                id: Id::Automatic,
                gecos: String::new(),
                home: "/".to_owned(),
                shell: String::new(),
                locked: false,
            });
        }
    }
    lines.extend(implied);
    lines
}

/// All declarations, sorted by file name, as systemd-sysusers reads them.
fn collect(root: &Root, incoming: &Declared) -> Result<Vec<(String, String)>, TransactionError> {
    let mut by_name: BTreeMap<String, (String, String)> = BTreeMap::new();
    for folder in FOLDERS {
        let mut names: HashSet<String> = root
            .list(folder.as_bytes())?
            .iter()
            .map(|name| crate::root::text(name))
            .collect();
        let prefix = format!("{folder}/");
        names.extend(
            incoming
                .keys()
                .filter_map(|path| path.strip_prefix(&prefix))
                .map(str::to_owned),
        );
        for name in names
            .into_iter()
            .filter(|name| name.ends_with(".conf") && !name.contains('/'))
        {
            let path = format!("{prefix}{name}");
            let text = match incoming.get(&path) {
                Some(text) => Some(text.clone()),
                None => root.read_text(&path)?,
            };
            if let Some(text) = text {
                by_name.entry(name).or_insert((path, text));
            }
        }
    }
    Ok(by_name.into_values().collect())
}

/// One of the four files: its lines, and which of them are whose.
#[derive(Default)]
struct Table {
    lines: Vec<String>,
    by_name: HashMap<String, usize>,
    changed: bool,
}

impl Table {
    fn parse(text: &str) -> Self {
        let mut table = Self::default();
        for line in text.lines() {
            table.push(line.to_owned());
        }
        table.changed = false;
        table
    }

    fn push(&mut self, line: String) {
        let name = line.split(':').next().unwrap_or_default().to_owned();
        self.by_name.entry(name).or_insert(self.lines.len());
        self.lines.push(line);
        self.changed = true;
    }

    fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The third field, which is the id in passwd and group.
    fn id(&self, name: &str) -> Option<u32> {
        self.lines
            .get(*self.by_name.get(name)?)?
            .split(':')
            .nth(2)?
            .parse()
            .ok()
    }

    fn ids(&self) -> impl Iterator<Item = u32> {
        self.lines
            .iter()
            .filter_map(|line| line.split(':').nth(2)?.parse().ok())
    }

    /// Adds a name to the list in the last field.
    fn add_to_list(&mut self, name: &str, member: &str) {
        let Some(line) = self.by_name.get(name).and_then(|at| self.lines.get_mut(*at)) else {
            return;
        };
        let (front, list) = line.rsplit_once(':').unwrap_or((line, ""));
        if list.split(',').any(|known| known == member) {
            return;
        }
        let comma = if list.is_empty() { "" } else { "," };
        *line = format!("{front}:{list}{comma}{member}");
        self.changed = true;
    }

    fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

struct Files {
    passwd: Table,
    group: Table,
    shadow: Table,
    gshadow: Table,
    /// Ids that some line fixes or some file has.
    taken_users: HashSet<u32>,
    taken_groups: HashSet<u32>,
    /// Group ids that some line fixes, by name.
    fixed_groups: HashMap<String, u32>,
}

impl Files {
    fn read(root: &Root) -> Result<Self, TransactionError> {
        let table =
            |path| Ok::<_, TransactionError>(Table::parse(&root.read_text(path)?.unwrap_or_default()));
        let (passwd, group) = (table("/etc/passwd")?, table("/etc/group")?);
        Ok(Self {
            taken_users: passwd.ids().collect(),
            taken_groups: group.ids().collect(),
            fixed_groups: HashMap::new(),
            passwd,
            group,
            shadow: table("/etc/shadow")?,
            gshadow: table("/etc/gshadow")?,
        })
    }

    /// Keeps fixed ids from being handed out to others.
    fn reserve(&mut self, lines: &[Line]) {
        for line in lines {
            let (user, group, name) = match line {
                Line::User {
                    name,
                    id: Id::Fixed(id),
                    ..
                } => (Some(*id), Some(*id), name),
                Line::User {
                    name,
                    id: Id::Pair(user, group),
                    ..
                } => (Some(*user), Some(*group), name),
                Line::User {
                    name,
                    id: Id::InGroup(user, _),
                    ..
                } => (*user, None, name),
                Line::Group {
                    name,
                    id: Id::Fixed(id),
                } => (None, Some(*id), name),
                _ => continue,
            };
            self.taken_users.extend(user);
            if let Some(group) = group {
                self.taken_groups.insert(group);
                self.fixed_groups.entry(name.clone()).or_insert(group);
            }
        }
    }

    fn free_group(&mut self, wanted: Option<u32>) -> Result<u32, TransactionError> {
        if let Some(id) = wanted {
            return Ok(id);
        }
        let (users, groups) = (&self.taken_users, &self.taken_groups);
        // Free in both, so that the user of the same name can have it too.
        let free = (LOWEST..=HIGHEST)
            .rev()
            .find(|id| !users.contains(id) && !groups.contains(id));
        let id = free.ok_or_else(|| TransactionError::Declaration {
            file: "/etc/group".to_owned(),
            line: 0,
            reason: format!("all ids from {LOWEST} to {HIGHEST} are taken"),
        })?;
        self.taken_groups.insert(id);
        Ok(id)
    }

    /// Makes the group that a line declares: its own, or that of the user's name.
    fn group_of(&mut self, line: &Line) -> Result<(), TransactionError> {
        let (name, existing_user) = match line {
            Line::User {
                id: Id::InGroup(..), ..
            }
            | Line::Member { .. } => return Ok(()),
            Line::User { name, .. } => (name, self.passwd.id(name)),
            Line::Group { name, .. } => (name, None),
        };
        if self.group.contains(name) {
            return Ok(());
        }
        let same = existing_user.filter(|id| !self.taken_groups.contains(id));
        let wanted = self.fixed_groups.get(name).copied().or(same);
        let gid = self.free_group(wanted)?;
        self.group.push(format!("{name}:x:{gid}:"));
        if !self.gshadow.contains(name) {
            self.gshadow.push(format!("{name}:!*::"));
        }
        Ok(())
    }

    /// Makes the user of a line.
    fn user_of(&mut self, line: &Line, clock: Clock) {
        let Line::User {
            name,
            id,
            gecos,
            home,
            shell,
            locked,
        } = line
        else {
            return;
        };
        if self.passwd.contains(name) {
            return;
        }
        let group = match id {
            Id::InGroup(_, group) => group,
            _ => name,
        };
        let gid = self.group.id(group).unwrap_or_default();
        let uid = match id {
            Id::Fixed(id) | Id::Pair(id, _) | Id::InGroup(Some(id), _) => *id,
            Id::Automatic if !self.taken_users.contains(&gid) => gid,
            _ => (LOWEST..=HIGHEST)
                .rev()
                .find(|id| !self.taken_users.contains(id))
                .unwrap_or(HIGHEST),
        };
        self.taken_users.insert(uid);
        let shell = match (shell.as_str(), uid) {
            ("", 0) => ROOT_SHELL,
            ("", _) => NO_LOGIN,
            (shell, _) => shell,
        };
        self.passwd
            .push(format!("{name}:x:{uid}:{gid}:{gecos}:{home}:{shell}"));
        if !self.shadow.contains(name) {
            // No password will do; with `u!` the account as a whole is expired too.
            let expired = if *locked { "1" } else { "" };
            self.shadow
                .push(format!("{name}:!*:{}:::::{expired}:", clock.days()));
        }
    }

    fn add_member(&mut self, group: &str, user: &str) {
        self.group.add_to_list(group, user);
        self.gshadow.add_to_list(group, user);
    }

    fn write(&self, root: &Root, clock: Clock) -> Result<bool, TransactionError> {
        let plain = Attributes::plain(clock.seconds());
        // Those who check passwords without being root are in the group shadow, where there is one.
        let secret = match self.group.id("shadow") {
            Some(gid) => Attributes {
                mode: 0o640,
                gid,
                ..plain
            },
            None => Attributes { mode: 0o600, ..plain },
        };
        let tables = [
            ("/etc/passwd", &self.passwd, plain),
            ("/etc/group", &self.group, plain),
            ("/etc/shadow", &self.shadow, secret),
            ("/etc/gshadow", &self.gshadow, secret),
        ];
        let changed: Vec<_> = tables.into_iter().filter(|(_, table, _)| table.changed).collect();
        if !changed.is_empty() {
            root.ensure_folder(b"/etc")?;
        }
        // Secrets first: a user in passwd without a line in shadow might be let in.
        for (path, table, like) in changed.iter().rev() {
            root.write(path.as_bytes(), table.text().as_bytes(), *like)?;
        }
        Ok(!changed.is_empty())
    }
}
