//! `update-alternatives --install` (update-alternatives(1)).

use super::ast::Node;
use super::evaluate::{Interpreter, Status};
use super::expand::Field;
use super::{Action, Reason, Verdict};
use crate::declarations::{Alternative, Follower};

impl<'s> Interpreter<'s> {
    pub(super) fn alternative(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        let words: Option<Vec<&str>> = arguments.iter().map(Field::known).collect();
        let verdict = match words {
            None => Verdict::Unknown,
            Some(words) if words.contains(&"--install") => {
                installed(&words).map_or(Verdict::Unknown, |a| Verdict::Understood(Action::Alternative(a)))
            }
            // What an earlier version offered, or an administrator's choice: there is neither.
            Some(words)
                if words
                    .iter()
                    .any(|w| matches!(*w, "--remove" | "--remove-all" | "--auto")) =>
            {
                Verdict::Irrelevant(Reason::NothingThere)
            }
            Some(words)
                if words
                    .iter()
                    .any(|w| matches!(*w, "--query" | "--list" | "--display")) =>
            {
                self.print(None);
                Verdict::Irrelevant(Reason::NoEffect)
            }
            Some(_) => Verdict::Unknown,
        };
        self.note(node, verdict);
        Status::Yes
    }
}

/// Reads `[options] --install link name path priority [--slave link name path]…`.
fn installed(words: &[&str]) -> Option<Alternative> {
    let at = words.iter().position(|w| *w == "--install")?;
    if !words[..at].iter().all(|w| w.starts_with("--")) {
        return None;
    }
    let merged = |path: &str| {
        path.starts_with('/')
            .then(|| crate::paths::merged_path(path))
            .flatten()
    };
    let [link, name, path, priority, rest @ ..] = &words[at + 1..] else {
        return None;
    };
    let mut followers = Vec::new();
    let mut rest = rest;
    while let Some((first, tail)) = rest.split_first() {
        match (*first, tail) {
            ("--slave" | "--follower", [link, name, path, tail @ ..]) => {
                followers.push(Follower {
                    link: merged(link)?,
                    name: (*name).to_owned(),
                    path: merged(path)?,
                });
                rest = tail;
            }
            _ => return None,
        }
    }
    Some(Alternative {
        link: merged(link)?,
        name: (*name).to_owned(),
        path: merged(path)?,
        priority: priority.parse().ok()?,
        followers,
    })
}
