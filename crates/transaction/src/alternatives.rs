//! Alternatives: one name, several programs, and a link to the best of them.
//!
//! Packages declare them in `/usr/lib/lazuli/alternatives.d/PACKAGE.conf`:
//!
//! ```text
//! link NAME PATH PRIORITY
//! slave LINK NAME PATH
//! ```
//!
//! where `link` is the link's absolute path, and `slave` lines follow their master. `/etc/alternatives/NAME` leads to the
//! chosen path, `link` to `/etc/alternatives/NAME`. The highest priority wins, ties go to the path that sorts first. What
//! the administrator chose stays as long as somebody declares it. What is declared but not there (a translated page that was
//! left out) is passed over.

use crate::accounts::words as split_words;
use crate::{Clock, Root, TransactionError};
use rustix::fs::FileType;
use std::collections::{BTreeMap, BTreeSet};

/// Where packages declare them.
pub(crate) const FOLDER: &str = "/usr/lib/lazuli/alternatives.d";

/// Where the links lead through.
const LINKS: &str = "/etc/alternatives";

/// One thing that could be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    path: String,
    priority: i64,
    /// Followers: link, name, path.
    followers: Vec<(String, String, String)>,
}

/// All choices by name, with the link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Alternatives {
    groups: BTreeMap<String, (String, Vec<Choice>)>,
}

impl Alternatives {
    /// All that is declared in a root, and is there.
    pub(crate) fn of_root(root: &Root) -> Result<Self, TransactionError> {
        let mut all = Self::default();
        for name in root.list(FOLDER.as_bytes())? {
            let file = format!("{FOLDER}/{}", crate::root::text(&name));
            if file.ends_with(".conf")
                && let Some(text) = root.read_text(&file)?
            {
                all.parse(&file, &text)?;
            }
        }
        for (_, choices) in all.groups.values_mut() {
            let mut there = Vec::with_capacity(choices.len());
            for mut choice in std::mem::take(choices) {
                if !is_there(root, &choice.path)? {
                    continue;
                }
                let mut followers = Vec::with_capacity(choice.followers.len());
                for follower in choice.followers {
                    if is_there(root, &follower.2)? {
                        followers.push(follower);
                    }
                }
                choice.followers = followers;
                there.push(choice);
            }
            *choices = there;
        }
        Ok(all)
    }

    fn parse(&mut self, file: &str, text: &str) -> Result<(), TransactionError> {
        // The master that slaves belong to: its name and the position of the choice.
        let mut master: Option<(String, usize)> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let fail = |reason: &str| TransactionError::Declaration {
                file: file.to_owned(),
                line: number,
                reason: reason.to_owned(),
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words = split_words(line).map_err(|reason| fail(&reason))?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["slave", link, name, path] => {
                    check(link, name, path).map_err(|reason| fail(&reason))?;
                    let choice = master
                        .as_ref()
                        .and_then(|(name, at)| self.groups.get_mut(name)?.1.get_mut(*at))
                        .ok_or_else(|| fail("a slave line must follow its master"))?;
                    choice
                        .followers
                        .push(((*link).to_owned(), (*name).to_owned(), (*path).to_owned()));
                }
                [link, name, path, priority] => {
                    check(link, name, path).map_err(|reason| fail(&reason))?;
                    let priority = priority.parse().map_err(|_| fail("the priority is no number"))?;
                    let (_, choices) = self
                        .groups
                        .entry((*name).to_owned())
                        .or_insert_with(|| ((*link).to_owned(), Vec::new()));
                    choices.push(Choice {
                        path: (*path).to_owned(),
                        priority,
                        followers: Vec::new(),
                    });
                    master = Some(((*name).to_owned(), choices.len() - 1));
                }
                _ => {
                    return Err(fail(
                        "expected `link name path priority` or `slave link name path`",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The best choice of a name.
    fn best(&self, name: &str) -> Option<&Choice> {
        let (_, choices) = self.groups.get(name)?;
        choices
            .iter()
            .min_by_key(|choice| (std::cmp::Reverse(choice.priority), &choice.path))
    }

    /// Links that should be there: path to target. `before` is what was declared before the transaction: a link that
    /// does not lead to what was best then was chosen by somebody.
    fn links(&self, root: &Root, before: &Self) -> Result<BTreeMap<String, String>, TransactionError> {
        let mut links = BTreeMap::new();
        for (name, (link, choices)) in &self.groups {
            let own = format!("{LINKS}/{name}");
            let current = root
                .read_link(own.as_bytes())
                .map_err(|e| root.error("reading", own.as_bytes(), e))?;
            let current = current.map(|target| crate::root::text(&target));
            let was_best = before.best(name).map(|choice| choice.path.clone());
            let chosen_by_hand = current
                .filter(|current| was_best.as_ref().is_some_and(|best| best != current))
                .and_then(|current| choices.iter().find(|choice| choice.path == current));
            let Some(choice) = chosen_by_hand.or_else(|| self.best(name)) else {
                continue;
            };
            links.insert(own.clone(), choice.path.clone());
            links.insert(link.clone(), own);
            for (link, name, path) in &choice.followers {
                links.insert(format!("{LINKS}/{name}"), path.clone());
                links.insert(link.clone(), format!("{LINKS}/{name}"));
            }
        }
        Ok(links)
    }

    /// Links of a state of declarations, whatever was chosen: to know what to clean up.
    fn all_links(&self) -> BTreeSet<String> {
        let mut links = BTreeSet::new();
        for (name, (link, choices)) in &self.groups {
            links.insert(format!("{LINKS}/{name}"));
            links.insert(link.clone());
            for (link, name, _) in choices.iter().flat_map(|choice| &choice.followers) {
                links.insert(format!("{LINKS}/{name}"));
                links.insert(link.clone());
            }
        }
        links
    }
}

fn is_there(root: &Root, path: &str) -> Result<bool, TransactionError> {
    Ok(root
        .stat(path.as_bytes())
        .map_err(|e| root.error("reading", path.as_bytes(), e))?
        .is_some())
}

/// Brings the links to what is declared now; answers the paths that changed.
pub(crate) fn apply(
    root: &Root,
    before: &Alternatives,
    clock: Clock,
    notes: &mut BTreeSet<String>,
) -> Result<Vec<Vec<u8>>, TransactionError> {
    let now = Alternatives::of_root(root)?;
    let wanted = now.links(root, before)?;
    let mut changed = Vec::new();
    for (path, target) in &wanted {
        for made in root.ensure_folder(crate::root::split(path.as_bytes()).0)? {
            root.set_time(&made, clock.seconds())?;
        }
        let stat = root
            .stat(path.as_bytes())
            .map_err(|e| root.error("reading", path.as_bytes(), e))?;
        if stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) != FileType::Symlink) {
            notes.insert(format!(
                "{path} is a file and not a link: it stays, and is no alternative"
            ));
            continue;
        }
        if root.link(path.as_bytes(), target.as_bytes(), clock.seconds())? {
            changed.push(path.clone().into_bytes());
        }
    }
    for path in before.all_links().difference(&wanted.keys().cloned().collect()) {
        let target = root
            .read_link(path.as_bytes())
            .map_err(|e| root.error("reading", path.as_bytes(), e))?;
        let is_ours = path.starts_with(LINKS)
            || target.is_some_and(|target| target.starts_with(format!("{LINKS}/").as_bytes()));
        if is_ours && root.unlink(path.as_bytes())? {
            changed.push(path.clone().into_bytes());
        }
    }
    Ok(changed)
}

fn check(link: &str, name: &str, path: &str) -> Result<(), String> {
    for text in [link, path] {
        let plain = text.strip_prefix('/').unwrap_or_default();
        if plain.is_empty()
            || plain
                .split('/')
                .any(|part| part.is_empty() || part == "." || part == "..")
        {
            return Err(format!("`{text}` is no absolute path"));
        }
    }
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(format!("`{name}` is no name"));
    }
    Ok(())
}
