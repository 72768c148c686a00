//! Histories as lines: one parent for each commit.
//!
//! Where a commit has several parents, the line follows the one whose spec it has: a merge that took the branch's spec
//! goes on with the branch, one that kept its own goes on with its own. A merge that made a third of two follows its first
//! parent, the branch that was merged into. What else was on the other side stays out; see `lazuli-component`'s `history`
//! for what that means.

use std::collections::HashMap;

use super::read::ReadError;
use super::repository::Repository;
use crate::checkout::{CommitRecord, FullCommit};
use crate::name::TreePath;

/// How many fields `git log` writes for each commit.
const LOG_FIELDS: usize = 7;

/// `git log`'s format: fields that end with a zero byte (git-log(1), "PRETTY FORMATS").
const LOG_FORMAT: &str = "--format=tformat:%H%x00%an%x00%ae%x00%at%x00%ct%x00%s%x00%b";

/// All commits that lead to one, children before parents, each with its parents.
struct Graph(Vec<(String, Vec<String>)>);

/// The object ids of one file at each commit; nothing where there is no file of that name.
struct FileIds(HashMap<String, Option<String>>);

impl FileIds {
    fn at(&self, commit: &str) -> Option<&str> {
        self.0.get(commit)?.as_deref()
    }
}

impl Repository<'_> {
    /// The commits from `commit` back, the newest first, as a line that follows a file.
    pub(super) fn history(
        &self,
        commit: &FullCommit,
        followed: &TreePath,
    ) -> Result<Vec<CommitRecord>, ReadError> {
        let line = self.line(commit, followed)?;
        let arguments = [
            "log",
            "--no-walk=unsorted",
            "--stdin",
            "-z",
            "--encoding=UTF-8",
            "--no-color",
            "--no-notes",
            LOG_FORMAT,
        ];
        let output = self.with_input(&arguments, &(line.join("\n") + "\n"))?;
        let text = String::from_utf8_lossy(&output);
        let fields: Vec<&str> = text.strip_suffix('\0').unwrap_or(&text).split('\0').collect();
        let mut records = Vec::new();
        for record in fields.chunks(LOG_FIELDS) {
            let [
                id,
                author_name,
                author_email,
                author_time,
                commit_time,
                subject,
                body,
            ] = record
            else {
                return Err(damaged());
            };
            records.push(CommitRecord {
                id: FullCommit::new(id).map_err(|_| damaged())?,
                author_name: (*author_name).to_owned(),
                author_email: (*author_email).to_owned(),
                author_time: author_time.parse().map_err(|_| damaged())?,
                commit_time: commit_time.parse().map_err(|_| damaged())?,
                subject: (*subject).to_owned(),
                body: body.trim_end().to_owned(),
            });
        }
        Ok(records)
    }

    /// Which commits of the line that follows a file touched a file, and the ids of what they made of it.
    pub(super) fn touching(
        &self,
        commit: &FullCommit,
        followed: &TreePath,
        path: &TreePath,
    ) -> Result<Vec<(FullCommit, Option<String>)>, ReadError> {
        let graph = self.graph(commit)?;
        let line = graph.line(&self.file_ids(&graph, followed)?);
        let ids = self.file_ids(&graph, path)?;
        let mut touching = Vec::new();
        for (place, id) in line.iter().enumerate() {
            let now = ids.at(id);
            let before = line.get(place + 1).and_then(|parent| ids.at(parent));
            if now != before {
                let id = FullCommit::new(id.as_str()).map_err(|_| damaged())?;
                touching.push((id, now.map(str::to_owned)));
            }
        }
        Ok(touching)
    }

    fn line(&self, commit: &FullCommit, followed: &TreePath) -> Result<Vec<String>, ReadError> {
        let graph = self.graph(commit)?;
        let ids = self.file_ids(&graph, followed)?;
        Ok(graph.line(&ids))
    }

    fn graph(&self, commit: &FullCommit) -> Result<Graph, ReadError> {
        let limit = self.git.settings.max_commits;
        let count = format!("--max-count={}", limit.saturating_add(1));
        let text = self.text(&[
            "rev-list",
            "--topo-order",
            "--parents",
            &count,
            commit.as_str(),
            "--",
        ])?;
        let mut commits = Vec::new();
        for line in text.lines() {
            let mut ids = line.split(' ').map(str::to_owned);
            let id = ids.next().ok_or_else(damaged)?;
            commits.push((id, ids.collect()));
        }
        if commits.len() > limit {
            let message = format!("it has more than {limit} commits");
            return Err(self.error("read the history of", message).into());
        }
        Ok(Graph(commits))
    }

    /// One `git diff-tree` tells what each commit changes of its first parent; the rest follows from the oldest on.
    fn file_ids(&self, graph: &Graph, path: &TreePath) -> Result<FileIds, ReadError> {
        let arguments = [
            "diff-tree",
            "--stdin",
            "--root",
            "-r",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--diff-merges=first-parent",
            "--",
            path.as_str(),
        ];
        let input: String = graph.0.iter().map(|(id, _)| format!("{id}\n")).collect();
        let output = self.with_input(&arguments, &input)?;
        let text = String::from_utf8_lossy(&output);
        let mut changed: HashMap<&str, Option<String>> = HashMap::new();
        let mut current = None;
        for line in text.lines() {
            // `:OLD-MODE NEW-MODE OLD-ID NEW-ID STATUS<tab>PATH`, below the commit's id.
            let Some(record) = line.strip_prefix(':') else {
                current = Some(line);
                continue;
            };
            let mut fields = record.split([' ', '\t']);
            let (mode, id) = (
                fields.nth(1).unwrap_or_default(),
                fields.nth(1).unwrap_or_default(),
            );
            if let Some(commit) = current.take() {
                // Links and submodules are no files.
                let content = mode.starts_with("100").then(|| id.to_owned());
                changed.insert(commit, content);
            }
        }
        let mut ids: HashMap<String, Option<String>> = HashMap::with_capacity(graph.0.len());
        for (commit, parents) in graph.0.iter().rev() {
            let inherited = || {
                parents
                    .first()
                    .and_then(|parent| ids.get(parent).cloned().flatten())
            };
            let id = match changed.get(commit.as_str()) {
                Some(id) => id.clone(),
                None => inherited(),
            };
            ids.insert(commit.clone(), id);
        }
        Ok(FileIds(ids))
    }
}

impl Graph {
    /// From the newest commit back: to the parent with the same file, or else to the first.
    fn line(&self, followed: &FileIds) -> Vec<String> {
        let mut line = Vec::new();
        let mut next = self.0.first().map(|(id, _)| id);
        for (id, parents) in &self.0 {
            // Children come before parents, so that the next one of the line is always still ahead.
            if next != Some(id) {
                continue;
            }
            line.push(id.clone());
            let same = |parent: &&String| followed.at(parent) == followed.at(id);
            next = parents.iter().find(same).or(parents.first());
        }
        line
    }
}

fn damaged() -> ReadError {
    ReadError::Damaged("git writes a history in an unknown form".to_owned())
}
