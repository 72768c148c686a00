//! Reading trees, contents and histories from a clone.

use std::collections::{BTreeMap, BTreeSet};

use sha2::Digest as _;

use super::repository::Repository;
use crate::checkout::{Checkout, FileVersion, FullCommit, LeftOut, TreeFile, TreeMode};
use crate::error::SourceError;
use crate::name::TreePath;
use crate::settings::LinkPolicy;

/// Why something could not be read from a clone.
pub(super) enum ReadError {
    /// The clone is damaged: it is to be made anew.
    Damaged(String),
    /// It is as it should be; what is in it is not.
    Refused(SourceError),
}

impl From<SourceError> for ReadError {
    fn from(error: SourceError) -> Self {
        Self::Refused(error)
    }
}

/// An entry of a tree, before its content is read.
struct Entry {
    path: TreePath,
    mode: TreeMode,
    id: String,
}

impl Repository<'_> {
    /// Finds a commit by its id or the beginning of it. `None` if it is not in the clone.
    pub(super) fn find_commit(&self, id: &str) -> Result<Option<FullCommit>, SourceError> {
        if !self.path().exists() {
            return Ok(None);
        }
        let wanted = format!("{id}^{{commit}}");
        let outcome = self
            .git
            .local(&self.path(), &["rev-parse", "--verify", &wanted], Vec::new())?;
        if outcome.message.contains("ambiguous") {
            let message = format!("{id} is the beginning of more than one object: give more digits");
            return Err(self.error("find a commit of", message));
        }
        let text = String::from_utf8_lossy(&outcome.stdout);
        Ok(outcome
            .success()
            .then(|| FullCommit::new(text.trim()).ok())
            .flatten())
    }

    /// The newest commit of a reference, along first parents, whose committer's date is not after `until`.
    pub(super) fn last_commit(
        &self,
        reference: &str,
        until: Option<i64>,
    ) -> Result<Option<FullCommit>, SourceError> {
        // git counts from 1970 on; nothing is older.
        let age = format!("--min-age={}", until.unwrap_or(i64::from(u32::MAX)).max(0));
        let arguments = [
            "rev-list",
            "--first-parent",
            "--max-count=1",
            &age,
            reference,
            "--",
        ];
        let outcome = self.git.local(&self.path(), &arguments, Vec::new())?;
        if !outcome.success() {
            return Err(self.error("read the history of", outcome.message));
        }
        Ok(FullCommit::new(String::from_utf8_lossy(&outcome.stdout).trim()).ok())
    }

    /// Committer's date.
    pub(super) fn commit_time(&self, commit: &FullCommit) -> Result<i64, ReadError> {
        let text = self.text(&["show", "--no-patch", "--format=%ct", commit.as_str(), "--"])?;
        text.trim()
            .parse()
            .map_err(|_| ReadError::Damaged(format!("the commit {commit} has no date")))
    }

    /// The objects of a commit's tree that a partial clone lacks.
    pub(super) fn missing(&self, commit: &FullCommit) -> Result<Vec<String>, ReadError> {
        let tree = format!("{commit}^{{tree}}");
        let text = self.text(&["rev-list", "--objects", "--missing=print", &tree, "--"])?;
        Ok(text
            .lines()
            .filter_map(|line| line.strip_prefix('?'))
            .map(str::to_owned)
            .collect())
    }

    /// The files of a commit, none of which may be missing any more.
    pub(super) fn checkout(&self, commit: &FullCommit) -> Result<Checkout, ReadError> {
        let listing = self.output(&["ls-tree", "-r", "-z", "--full-tree", commit.as_str()])?;
        let (mut entries, mut left_out) = (Vec::new(), Vec::new());
        for record in listing
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
        {
            if entries.len() + left_out.len() == self.git.settings.max_files {
                let reason = format!("is one of more than {} files", self.git.settings.max_files);
                return Err(self.refuse(commit, "", reason).into());
            }
            self.entry(commit, record, &mut entries, &mut left_out)?;
        }
        let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        let mut contents = self.contents(commit, &ids)?;
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        for id in ids {
            *uses.entry(id.to_owned()).or_default() += 1;
        }
        let mut files = BTreeMap::new();
        for Entry { path, mode, id } in entries {
            let left = uses.entry(id.clone()).or_default();
            *left = left.saturating_sub(1);
            // Only what several files share is copied.
            let content = match left {
                0 => contents.remove(&id),
                _ => contents.get(&id).cloned(),
            };
            let content =
                content.ok_or_else(|| ReadError::Damaged(format!("the content {id} is not there")))?;
            files.insert(path, TreeFile { content, mode });
        }
        Ok(Checkout {
            commit: commit.clone(),
            files,
            left_out,
        })
    }

    /// One record of `git ls-tree`: `MODE TYPE ID<tab>PATH`.
    fn entry(
        &self,
        commit: &FullCommit,
        record: &[u8],
        entries: &mut Vec<Entry>,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<(), ReadError> {
        let text = std::str::from_utf8(record).map_err(|_| {
            let shown = String::from_utf8_lossy(record);
            self.refuse(
                commit,
                shown.rsplit('\t').next().unwrap_or(&shown),
                "is no UTF-8".to_owned(),
            )
        })?;
        let (head, path) = text
            .split_once('\t')
            .ok_or_else(|| ReadError::Damaged("git lists a tree in an unknown form".to_owned()))?;
        let mut fields = head.split(' ');
        let (mode, id) = (
            fields.next().unwrap_or_default(),
            fields.nth(1).unwrap_or_default(),
        );
        let checked = TreePath::new(path)
            .map_err(|error| self.refuse(commit, path, format!("is refused: {}", error.reason)))?;
        let mode = match mode {
            "100644" | "100664" => TreeMode::Plain,
            "100755" => TreeMode::Executable,
            other => {
                let kind = match other {
                    "120000" => "a symbolic link",
                    "160000" => "a submodule",
                    _ => "of an unknown kind",
                };
                if self.git.settings.links == LinkPolicy::LeaveOut && kind != "of an unknown kind" {
                    left_out.push(LeftOut { path: checked, kind });
                    return Ok(());
                }
                return Err(self
                    .refuse(commit, path, format!("is {kind}, which is refused"))
                    .into());
            }
        };
        entries.push(Entry {
            path: checked,
            mode,
            id: id.to_owned(),
        });
        Ok(())
    }

    /// The contents of blobs, each compared with its id.
    fn contents(&self, commit: &FullCommit, ids: &[&str]) -> Result<BTreeMap<String, Vec<u8>>, ReadError> {
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        let mut input: String = distinct.iter().map(|id| format!("{id}\n")).collect();
        if distinct.is_empty() {
            input.push('\n');
        }
        // The sizes first, so that what is too large is not even read.
        let sizes = self.with_input(
            &[
                "cat-file",
                "--batch-check=%(objectname) %(objecttype) %(objectsize)",
            ],
            &input,
        )?;
        let mut total = 0u64;
        for line in String::from_utf8_lossy(&sizes).lines() {
            let size = line.rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
            total = total.saturating_add(size.unwrap_or_default());
        }
        if total > self.git.settings.max_bytes {
            let what = format!("the tree of {} at {commit}", self.name);
            let limit = self.git.settings.max_bytes;
            return Err(SourceError::TooLarge { what, limit }.into());
        }
        let output = self.with_input(&["cat-file", "--batch"], &input)?;
        let mut contents = BTreeMap::new();
        let mut rest = output.as_slice();
        for id in distinct {
            let (content, behind) = blob(rest, id).map_err(ReadError::Damaged)?;
            contents.insert(id.to_owned(), content.to_vec());
            rest = behind;
        }
        Ok(contents)
    }

    /// The ids of those objects that the clone lacks.
    pub(super) fn lacking(&self, ids: &[String]) -> Result<Vec<String>, ReadError> {
        let arguments = [
            "cat-file",
            "--batch-all-objects",
            "--unordered",
            "--batch-check=%(objectname)",
        ];
        let text = self.text(&arguments)?;
        let present: BTreeSet<&str> = text.lines().collect();
        let lacking: BTreeSet<&String> = ids.iter().filter(|id| !present.contains(id.as_str())).collect();
        Ok(lacking.into_iter().cloned().collect())
    }

    /// Puts contents to commits.
    pub(super) fn versions(
        &self,
        commit: &FullCommit,
        touching: Vec<(FullCommit, Option<String>)>,
    ) -> Result<Vec<FileVersion>, ReadError> {
        let ids: Vec<&str> = touching.iter().filter_map(|(_, id)| id.as_deref()).collect();
        let contents = self.contents(commit, &ids)?;
        let versions = touching.into_iter().map(|(commit, id)| FileVersion {
            commit,
            content: id.and_then(|id| contents.get(&id).cloned()),
        });
        Ok(versions.collect())
    }

    pub(super) fn error(&self, action: &'static str, message: String) -> SourceError {
        SourceError::Git {
            action,
            repository: self.name.clone(),
            message,
        }
    }

    fn refuse(&self, commit: &FullCommit, path: &str, reason: String) -> SourceError {
        SourceError::Tree {
            repository: self.name.clone(),
            commit: commit.clone(),
            path: path.to_owned(),
            reason,
        }
    }

    pub(super) fn text(&self, arguments: &[&str]) -> Result<String, ReadError> {
        Ok(String::from_utf8_lossy(&self.output(arguments)?).into_owned())
    }

    fn output(&self, arguments: &[&str]) -> Result<Vec<u8>, ReadError> {
        self.with_input(arguments, "")
    }

    pub(super) fn with_input(&self, arguments: &[&str], input: &str) -> Result<Vec<u8>, ReadError> {
        let outcome = self
            .git
            .local(&self.path(), arguments, input.as_bytes().to_vec())?;
        match outcome.success() {
            true => Ok(outcome.stdout),
            false => Err(ReadError::Damaged(outcome.message)),
        }
    }
}

/// Takes a blob from the output of `git cat-file --batch`: `ID TYPE SIZE<newline>CONTENT<newline>`.
fn blob<'o>(output: &'o [u8], wanted: &str) -> Result<(&'o [u8], &'o [u8]), String> {
    let end = output
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| format!("the content {wanted} is not there"))?;
    let (head, rest) = output.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut fields = head.split(' ');
    let (id, kind) = (
        fields.next().unwrap_or_default(),
        fields.next().unwrap_or_default(),
    );
    let size = fields.next().and_then(|size| size.parse::<usize>().ok());
    let size = size.filter(|_| id == wanted && kind == "blob");
    let parts = size.and_then(|size| rest.get(1..)?.split_at_checked(size));
    let (content, behind) = parts.ok_or_else(|| format!("the content {wanted} is not there: {head}"))?;
    match object_id(content, wanted.len()) == wanted {
        true => Ok((content, behind.get(1..).unwrap_or_default())),
        false => Err(format!("the content {wanted} is not what its id says")),
    }
}

/// The id of a blob: the hash of a header and its content (gitformat-pack(5), "object name").
fn object_id(content: &[u8], length: usize) -> String {
    let header = format!("blob {}\0", content.len());
    match length {
        64 => hex::encode(
            sha2::Sha256::new()
                .chain_update(header)
                .chain_update(content)
                .finalize(),
        ),
        _ => hex::encode(
            sha1::Sha1::new()
                .chain_update(header)
                .chain_update(content)
                .finalize(),
        ),
    }
}
