//! One line of upstream's commits and our changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::RecordedChange;
use crate::git::Person;
use crate::provider::{ChangelogFile, UpstreamCommit};

/// Who made an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The upstream.
    Upstream,
    /// This project.
    Project,
}

/// One entry of a component's history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Who made it.
    pub origin: Origin,
    /// The upstream commit: itself, or the one that was locked.
    pub upstream_commit: Option<String>,
    /// Who wrote it.
    pub author: Person,
    /// When, in seconds since 1970.
    pub time: i64,
    /// Subject, empty line, body.
    pub message: String,
    /// `[EPOCH:]VERSION` after it.
    pub version: String,
    /// How many entries there are since the version changed, this one included: what `%autorelease` counts.
    pub number: u64,
    /// Whether it changed the file `changelog`, so that older entries are in there.
    pub changelog: ChangelogFile,
}

/// The history of a component, the oldest entry first.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HistoryLine {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Changes whose upstream commit is not in the upstream's history; they stand where their time puts them.
    pub displaced: usize,
}

/// Which entries get versions and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// All: `%autorelease` and `%autochangelog` need them. Every spec that the upstream ever had is read.
    All,
    /// Ours, by version only: a number in the spec goes up by their count. Those of the upstream stay empty.
    Own,
}

impl HistoryLine {
    /// Puts our `changes` (the oldest first) between the commits of the upstream (the newest first, as a provider gives
    /// them). `version_of` reads `[EPOCH:]VERSION` from a spec; `current` is that of the spec as it is now.
    #[must_use]
    pub fn new(
        upstream: &[UpstreamCommit],
        changes: &[RecordedChange],
        current: &str,
        counted: Counted,
        version_of: &dyn Fn(&[u8]) -> Option<String>,
    ) -> HistoryLine {
        let (places, displaced) = place(upstream, changes);
        let mut versions = Versions::new(version_of);
        let mut line = HistoryLine {
            entries: Vec::with_capacity(upstream.len() + changes.len()),
            displaced,
        };
        let mut changes = changes.iter().zip(places).peekable();
        // A change may stand before all commits of the upstream, so there is one place more than commits.
        let commits = std::iter::once(None).chain(upstream.iter().rev().map(Some));
        for (index, commit) in commits.enumerate() {
            if let Some(commit) = commit {
                if counted == Counted::All {
                    versions.advance(commit);
                }
                line.entries.push(Entry {
                    origin: Origin::Upstream,
                    upstream_commit: Some(commit.id.clone()),
                    author: commit.author.clone(),
                    time: commit.time,
                    message: commit.message.clone(),
                    version: versions.current.clone(),
                    number: 0,
                    changelog: commit.changelog,
                });
            }
            while let Some((change, _)) = changes.next_if(|(_, place)| *place == index) {
                if let (None, Some(commit)) = (&change.version, commit) {
                    versions.advance(commit);
                }
                line.entries.push(Entry {
                    origin: Origin::Project,
                    upstream_commit: change.upstream_commit.clone(),
                    author: change.author.clone(),
                    time: change.time,
                    message: change.text.clone(),
                    version: change.version.clone().unwrap_or_else(|| versions.current.clone()),
                    number: 0,
                    changelog: ChangelogFile::Untouched,
                });
            }
        }
        line.settle(current, counted);
        line
    }

    /// The last entry is what is rendered now, whatever was recorded; then everything is counted.
    fn settle(&mut self, current: &str, counted: Counted) {
        if let Some(last) = self.entries.last_mut() {
            last.version = current.to_owned();
        }
        if counted == Counted::Own {
            return;
        }
        let mut before: Option<(String, u64)> = None;
        for entry in &mut self.entries {
            entry.number = match &before {
                Some((version, number)) if *version == entry.version => number + 1,
                _ => 1,
            };
            before = Some((entry.version.clone(), entry.number));
        }
    }

    /// What `%autorelease` counts: entries since the version changed. 1 where there is no history at all; 0 where only
    /// ours were counted.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.entries.last().map_or(1, |entry| entry.number)
    }

    /// How many entries are ours.
    #[must_use]
    pub fn own(&self) -> u64 {
        self.entries
            .iter()
            .filter(|entry| entry.origin == Origin::Project)
            .count() as u64
    }
}

/// For each change, after how many commits of the upstream, counted from the oldest, it stands; and how many changes were
/// placed by their time, because their upstream commit is not there (another branch was followed then).
///
/// Azldev drops such changes. A release would go back by that, and a package with a lower release is no update.
fn place(upstream: &[UpstreamCommit], changes: &[RecordedChange]) -> (Vec<usize>, usize) {
    let count = upstream.len();
    let index: BTreeMap<&str, usize> = upstream
        .iter()
        .enumerate()
        .map(|(index, commit)| (commit.id.as_str(), count - index))
        .collect();
    let mut displaced = 0;
    let mut least = 0;
    let mut places: Vec<usize> = Vec::with_capacity(changes.len());
    for change in changes {
        let place = match &change.upstream_commit {
            // A local spec has no upstream; where it once had one, the change came after all of it.
            None => count,
            Some(commit) => match index.get(commit.as_str()) {
                Some(place) => *place,
                None => {
                    displaced += 1;
                    let newer = upstream.iter().filter(|commit| commit.time > change.time).count();
                    count - newer
                }
            },
        };
        // Changes stay in the order in which they were made, even if the lock once went back to an older commit: the
        // next release must be higher than the last one.
        least = place.max(least);
        places.push(least);
    }
    (places, displaced)
}

/// Versions by spec: most commits change another file, and share the pointer.
struct Versions<'v> {
    version_of: &'v dyn Fn(&[u8]) -> Option<String>,
    last: Option<Arc<[u8]>>,
    /// The version of the last spec that could be read: of one that can't be, it is that of its neighbour.
    current: String,
}

impl<'v> Versions<'v> {
    fn new(version_of: &'v dyn Fn(&[u8]) -> Option<String>) -> Self {
        Versions {
            version_of,
            last: None,
            current: String::new(),
        }
    }

    fn advance(&mut self, commit: &UpstreamCommit) {
        let Some(spec) = &commit.spec else { return };
        if self.last.as_ref().is_some_and(|known| Arc::ptr_eq(known, spec)) {
            return;
        }
        self.last = Some(Arc::clone(spec));
        if let Some(version) = (self.version_of)(spec) {
            self.current = version;
        }
    }
}
