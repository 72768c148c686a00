//! Declarations as files of the package: sysusers.d, tmpfiles.d, `/usr/lib/lazuli`, and files with their attributes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use lazuli_rpm::FileEntry;

use crate::declarations::{Declarations, FileContent, Finaliser};
use crate::error::ImportError;
use crate::lint::Finding;
use crate::paths::merged_path;
use crate::settings::ImportSettings;
use crate::tree::{Kind, Node, Tree, shown};

/// Where users and groups are declared.
const SYSUSERS: &str = "/usr/lib/sysusers.d";
/// Where volatile files are declared.
const TMPFILES: &str = "/usr/lib/tmpfiles.d";
/// Where alternatives are declared.
const ALTERNATIVES: &str = "/usr/lib/lazuli/alternatives.d";
/// Where finalisers are declared.
const FINALISERS: &str = "/usr/lib/lazuli/finalisers.d";

/// Compiles globs of absolute paths: `*` stays within a folder, `**` does not. What lies in a folder goes with it.
pub(crate) fn globs<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Result<GlobSet, ImportError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let compile = |text: &str| {
            GlobBuilder::new(text)
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|source| ImportError::Glob {
                    glob: pattern.clone(),
                    reason: source.to_string(),
                })
        };
        set.add(compile(pattern)?);
        set.add(compile(&format!("{}/**", pattern.trim_end_matches('/')))?);
    }
    set.build().map_err(|source| ImportError::Glob {
        glob: String::new(),
        reason: source.to_string(),
    })
}

/// Puts into the tree what is declared. `time` is the mtime of new files.
pub(crate) fn apply(
    declarations: &Declarations,
    tree: &mut Tree,
    package: &str,
    time: u32,
    settings: &ImportSettings,
    findings: &mut Vec<Finding>,
) -> Result<(), ImportError> {
    files(declarations, tree, time, findings)?;
    attributes(declarations, tree, findings)?;
    let mut put = |path: String, text: String| {
        if !text.is_empty() {
            tree.nodes
                .insert(path.into_bytes(), Node::file(text.into_bytes(), 0o644, time));
        }
    };
    put(
        format!("{SYSUSERS}/lazuli-{package}.conf"),
        sysusers(declarations, settings, findings),
    );
    let mut lines = declarations.tmpfiles.join("\n");
    lines.extend((!lines.is_empty()).then_some('\n'));
    put(format!("{TMPFILES}/lazuli-{package}.conf"), lines);
    put(
        format!("{ALTERNATIVES}/{package}.conf"),
        alternatives(declarations),
    );
    for finaliser in &declarations.finalisers {
        put(
            format!("{FINALISERS}/{}.toml", finaliser.name),
            finaliser_text(finaliser),
        );
    }
    Ok(())
}

fn absolute(path: &str) -> Result<Vec<u8>, ImportError> {
    let merged = merged_path(path).ok_or_else(|| ImportError::DeclaredPath {
        path: path.to_owned(),
    })?;
    Ok(merged.into_bytes())
}

fn files(
    declarations: &Declarations,
    tree: &mut Tree,
    time: u32,
    findings: &mut Vec<Finding>,
) -> Result<(), ImportError> {
    for directory in &declarations.directories {
        let path = absolute(&directory.path)?;
        let mut node = Node::new(Kind::Directory, directory.mode.unwrap_or(0o755), time);
        set_owner(&mut node, directory.owner.as_ref(), directory.group.as_ref());
        tree.nodes.insert(path, node);
    }
    for link in &declarations.symlinks {
        // The link itself may be one of the layout, such as `/lib64`.
        let path = if link.path.starts_with('/')
            && !link.path.contains("/../")
            && link.path.matches('/').count() == 1
        {
            link.path.clone().into_bytes()
        } else {
            absolute(&link.path)?
        };
        let target = link.target.clone().into_bytes();
        tree.nodes
            .insert(path, Node::new(Kind::Symlink { target }, 0o777, time));
    }
    for file in &declarations.files {
        let path = absolute(&file.path)?;
        let content = match &file.content {
            FileContent::Bytes(bytes) => bytes.clone(),
            FileContent::CopyOf(source) => match tree.get(source).and_then(Node::content) {
                Some(bytes) => bytes.to_vec(),
                None => {
                    findings.push(Finding::NothingToCopy {
                        path: file.path.clone(),
                        original: source.clone(),
                    });
                    continue;
                }
            },
        };
        let mut node = Node::file(content, file.mode.unwrap_or(0o644), time);
        set_owner(&mut node, file.owner.as_ref(), file.group.as_ref());
        node.config = file.config.unwrap_or_else(|| file.path.starts_with("/etc/"));
        tree.nodes.insert(path, node);
    }
    Ok(())
}

fn set_owner(node: &mut Node, owner: Option<&String>, group: Option<&String>) {
    if let Some(owner) = owner {
        node.user.clone_from(owner);
    }
    if let Some(group) = group {
        node.group.clone_from(group);
    }
}

fn attributes(
    declarations: &Declarations,
    tree: &mut Tree,
    findings: &mut Vec<Finding>,
) -> Result<(), ImportError> {
    for attributes in &declarations.attributes {
        let exact = merged_path(&attributes.path).filter(|path| tree.get(path).is_some());
        let glob = match &exact {
            Some(_) => None,
            None => Some(glob_of(&attributes.path)?),
        };
        let mut found = false;
        for (path, node) in &mut tree.nodes {
            let covered = match (&exact, &glob) {
                (Some(exact), _) => exact.as_bytes() == path.as_slice(),
                (None, Some(glob)) => std::str::from_utf8(path).is_ok_and(|path| glob.is_match(path)),
                (None, None) => false,
            };
            if covered && !matches!(node.kind, Kind::Symlink { .. }) {
                found = true;
                node.mode = attributes.mode.unwrap_or(node.mode);
                set_owner(node, attributes.owner.as_ref(), attributes.group.as_ref());
            }
        }
        // An attribute of a whole folder may well be of an empty one.
        if !found && !attributes.path.ends_with("/**") {
            findings.push(Finding::NothingToChange {
                path: attributes.path.clone(),
            });
        }
    }
    for capabilities in &declarations.capabilities {
        let path = absolute(&capabilities.path)?;
        match tree.nodes.get_mut(&path) {
            Some(node) if matches!(node.kind, Kind::Regular { .. }) => {
                node.capabilities.clone_from(&capabilities.value);
            }
            _ => findings.push(Finding::NothingToChange {
                path: capabilities.path.clone(),
            }),
        }
    }
    Ok(())
}

fn glob_of(pattern: &str) -> Result<globset::GlobMatcher, ImportError> {
    let glob = GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    let glob = glob.map_err(|source| ImportError::Glob {
        glob: pattern.to_owned(),
        reason: source.to_string(),
    })?;
    Ok(glob.compile_matcher())
}

/// A field of sysusers.d(5): quoted where it has blanks, `-` where it is empty.
fn field(text: &str) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else if text.contains([' ', '\t', '"', '\'', '\\']) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        text.to_owned()
    }
}

fn sysusers(declarations: &Declarations, settings: &ImportSettings, findings: &mut Vec<Finding>) -> String {
    let mut out = String::new();
    let mut groups: Vec<_> = declarations.groups.iter().collect();
    groups.sort();
    for group in groups {
        match group.gid.or_else(|| settings.group_ids.get(&group.name).copied()) {
            Some(gid) => drop(writeln!(out, "g {} {gid} -", group.name)),
            None => findings.push(Finding::NoGroupId {
                group: group.name.clone(),
            }),
        }
    }
    let mut users: Vec<_> = declarations.users.iter().collect();
    users.sort();
    for user in users {
        let Some(uid) = user.uid.or_else(|| settings.user_ids.get(&user.name).copied()) else {
            findings.push(Finding::NoUserId {
                user: user.name.clone(),
            });
            continue;
        };
        let id = match &user.group {
            Some(group) if *group != user.name => format!("{uid}:{group}"),
            _ => uid.to_string(),
        };
        let (comment, home) = (
            user.comment.as_deref().unwrap_or_default(),
            user.home.as_deref().unwrap_or_default(),
        );
        let shell = user.shell.as_deref().unwrap_or("/usr/sbin/nologin");
        let _ = writeln!(
            out,
            "u {} {id} {} {} {}",
            user.name,
            field(comment),
            field(home),
            field(shell)
        );
    }
    let mut members: Vec<_> = declarations.members.iter().collect();
    members.sort();
    for member in members {
        let _ = writeln!(out, "m {} {}", member.user, member.group);
    }
    out
}

/// Writes fixed ids into the sysusers.d files that the package has: `-` would let every host choose its own.
pub(crate) fn fix_ids(tree: &mut Tree, settings: &ImportSettings, findings: &mut Vec<Finding>) {
    let folder = format!("{SYSUSERS}/");
    for (path, node) in &mut tree.nodes {
        let Kind::Regular { content, .. } = &mut node.kind else {
            continue;
        };
        if !path.starts_with(folder.as_bytes()) || !path.ends_with(b".conf") {
            continue;
        }
        let Ok(text) = std::str::from_utf8(content) else {
            continue;
        };
        let mut lines = String::with_capacity(text.len());
        for line in text.lines() {
            lines.push_str(&fixed_line(line, settings, findings));
            lines.push('\n');
        }
        if lines != text {
            *content = lines.into_bytes().into();
        }
    }
}

/// A line of sysusers.d(5) with its id in place.
fn fixed_line(line: &str, settings: &ImportSettings, findings: &mut Vec<Finding>) -> String {
    let mut spans = word_spans(line).into_iter();
    let (Some(kind), Some(name), Some(id)) = (
        spans.next(),
        spans.next(),
        spans.next().or(Some((line.len(), line.len()))),
    ) else {
        return line.to_owned();
    };
    let (kind, name, given) = (&line[kind.0..kind.1], &line[name.0..name.1], &line[id.0..id.1]);
    let (own, rest) = given
        .split_once(':')
        .map_or((given, ""), |(own, _)| (own, &given[own.len()..]));
    if !matches!(own, "-" | "") {
        return line.to_owned();
    }
    let number = match kind.trim_end_matches(['!', '-']) {
        "u" => {
            let number = settings.user_ids.get(name);
            if number.is_none() {
                findings.push(Finding::NoUserId {
                    user: name.to_owned(),
                });
            }
            number
        }
        "g" => {
            let number = settings.group_ids.get(name);
            if number.is_none() {
                findings.push(Finding::NoGroupId {
                    group: name.to_owned(),
                });
            }
            number
        }
        _ => return line.to_owned(),
    };
    match number {
        Some(number) => {
            let gap = if id.0 == line.len() { " " } else { "" };
            format!("{}{gap}{number}{rest}{}", &line[..id.0], &line[id.1..])
        }
        None => line.to_owned(),
    }
}

/// Where the words of a line are; a comment has none. Ids come before anything that may be quoted.
fn word_spans(line: &str) -> Vec<(usize, usize)> {
    if line.trim_start().starts_with('#') {
        return Vec::new();
    }
    let mut spans = Vec::new();
    let mut start = None;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        match (c.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                spans.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    spans
}

fn alternatives(declarations: &Declarations) -> String {
    let mut all: Vec<_> = declarations.alternatives.iter().collect();
    all.sort();
    let mut out = String::new();
    for a in all {
        let _ = writeln!(
            out,
            "{} {} {} {}",
            field(&a.link),
            field(&a.name),
            field(&a.path),
            a.priority
        );
        for f in &a.followers {
            let _ = writeln!(
                out,
                "slave {} {} {}",
                field(&f.link),
                field(&f.name),
                field(&f.path)
            );
        }
    }
    out
}

fn finaliser_text(finaliser: &Finaliser) -> String {
    #[derive(serde::Serialize)]
    struct Schema<'a> {
        description: &'a str,
        watch: &'a [String],
        run: &'a [String],
        outputs: &'a [String],
        order: u32,
    }
    let Finaliser {
        description,
        watch,
        run,
        outputs,
        order,
        ..
    } = finaliser;
    // Strings and numbers can always be written.
    toml::to_string(&Schema {
        description,
        watch,
        run,
        outputs,
        order: *order,
    })
    .unwrap_or_default()
}

/// Links that alternatives would make and that the package ships itself: the link would be in the way.
pub(crate) fn shadowed_links(declarations: &Declarations, tree: &Tree) -> Vec<String> {
    let links = declarations.alternatives.iter().flat_map(|a| {
        [a.link.clone()]
            .into_iter()
            .chain(a.followers.iter().map(|f| f.link.clone()))
    });
    links.filter(|link| tree.get(link).is_some()).collect()
}

/// Users and groups that files belong to, with one file of each.
pub(crate) fn owners(entries: &[FileEntry]) -> BTreeMap<(bool, String), String> {
    let mut owners = BTreeMap::new();
    for entry in entries {
        let path = || shown(&entry.path);
        owners.entry((true, entry.user.clone())).or_insert_with(path);
        owners.entry((false, entry.group.clone())).or_insert_with(path);
    }
    owners
}
