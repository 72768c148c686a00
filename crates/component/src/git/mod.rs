//! Git, by its own program: trees and histories of a project, or of an upstream, at any revision.
//!
//! The `git` program is asked rather than a library, because a project may have whatever git has: alternates, partial
//! clones, new object formats. It runs with the variables that point it elsewhere removed, so that a hook can call us.

mod objects;
mod tree;

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

pub use tree::GitTree;

pub(crate) use objects::Objects;

/// Most commits that are read of one history.
const MAX_COMMITS: usize = 200_000;
/// Arguments of git that go before its command: the folder, and three settings.
const GLOBAL_ARGUMENTS: usize = 8;
/// Ends a field in our `git log` formats: it can't be in a name or an address.
const FIELD: char = '\u{1f}';
/// Begins a commit in our `git log` formats.
const RECORD: char = '\u{1e}';

/// What went wrong with git.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// The program can't be run.
    #[error("failed to run git in {}", folder.display())]
    Run {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program says no.
    #[error("git {command} failed in {}: {message}", folder.display())]
    Failed {
        /// What it should do.
        command: String,
        /// Where.
        folder: PathBuf,
        /// What it says.
        message: String,
    },
    /// There is no such revision.
    #[error("there is no revision `{revision}` in {}", folder.display())]
    NoRevision {
        /// The revision.
        revision: String,
        /// The repository.
        folder: PathBuf,
    },
    /// Its answer is not what its documentation says.
    #[error("git {command} gave an answer that is not understood: {answer}")]
    Answer {
        /// What it was asked.
        command: &'static str,
        /// The beginning of its answer.
        answer: String,
    },
    /// The history goes on and on.
    #[error("the history of {} has more than {limit} commits", folder.display())]
    TooLong {
        /// The repository.
        folder: PathBuf,
        /// The limit.
        limit: usize,
    },
}

impl GitError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            GitError::Run { .. } => Some("install git"),
            GitError::NoRevision { .. } => {
                Some("name a commit, a branch or a tag; in a shallow clone, fetch the rest first")
            }
            _ => None,
        }
    }
}

/// One commit, without its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its full id, hexadecimal.
    pub id: String,
    /// The ids of its parents.
    pub parents: Vec<String>,
    /// Who wrote it.
    pub author: Person,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// Its message: subject, empty line, body.
    pub message: String,
}

/// A person as git has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address of the mail.
    pub email: String,
}

impl Person {
    /// From `Name <mail>`; without a mail, all of it is the name.
    #[must_use]
    pub fn parse(text: &str) -> Person {
        match text.rsplit_once('<') {
            Some((name, rest)) => Person {
                name: name.trim().to_owned(),
                email: rest.trim().trim_end_matches('>').trim().to_owned(),
            },
            None => Person {
                name: text.trim().to_owned(),
                email: String::new(),
            },
        }
    }
}

impl std::fmt::Display for Person {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.name.is_empty(), self.email.is_empty()) {
            (false, false) => write!(out, "{} <{}>", self.name, self.email),
            (true, false) => write!(out, "<{}>", self.email),
            _ => write!(out, "{}", self.name),
        }
    }
}

/// One commit that changed files below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderChange {
    /// The commit.
    pub commit: Arc<CommitInfo>,
    /// The file that changed, relative to the folder.
    pub path: String,
    /// The object id of its content after the change; nothing if it was removed.
    pub blob: Option<String>,
}

/// A repository, seen from one of its folders, or a bare one.
#[derive(Debug, Clone)]
pub struct GitRepository {
    /// The folder that paths are given from.
    folder: PathBuf,
    /// That folder as git has it, from the top of the work tree: empty, or with a final `/`.
    prefix: String,
}

impl GitRepository {
    /// The repository that a folder is in, or nothing if it is in none.
    ///
    /// # Errors
    /// Git can't be run, or refuses the repository.
    pub fn discover(folder: &Path) -> Result<Option<GitRepository>, GitError> {
        let mut repository = GitRepository {
            folder: folder.to_owned(),
            prefix: String::new(),
        };
        match repository.run(["rev-parse", "--show-prefix"]) {
            Ok(answer) => {
                repository.prefix = text(answer).trim_end_matches('\n').to_owned();
                Ok(Some(repository))
            }
            Err(GitError::Failed { message, .. }) if message.contains("not a git repository") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The folder that it was opened at.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the folder is the top of the work tree, or a bare repository.
    #[must_use]
    pub fn is_top(&self) -> bool {
        self.prefix.is_empty()
    }

    /// The full id of the commit that a revision names.
    ///
    /// # Errors
    /// There is none.
    pub fn commit(&self, revision: &str) -> Result<String, GitError> {
        let query = format!("{revision}^{{commit}}");
        match self.run(["rev-parse", "--verify", "--quiet", "--end-of-options", &query]) {
            Ok(answer) => Ok(text(answer).trim().to_owned()),
            Err(GitError::Failed { .. }) => Err(GitError::NoRevision {
                revision: revision.to_owned(),
                folder: self.folder.clone(),
            }),
            Err(error) => Err(error),
        }
    }

    /// The commit of `HEAD`, or nothing if there is no commit yet.
    ///
    /// # Errors
    /// Git can't be run.
    pub fn head(&self) -> Result<Option<String>, GitError> {
        match self.commit("HEAD") {
            Ok(commit) => Ok(Some(commit)),
            Err(GitError::NoRevision { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All files at a revision.
    ///
    /// # Errors
    /// There is no such revision.
    pub fn tree(&self, revision: &str) -> Result<GitTree, GitError> {
        let commit = self.commit(revision)?;
        GitTree::read(self, commit)
    }

    /// The last commit at or before a time that leads to a revision.
    ///
    /// # Errors
    /// There is no such revision.
    pub fn last_before(&self, revision: &str, time: i64) -> Result<Option<String>, GitError> {
        let head = self.commit(revision)?;
        let before = format!("--before={time}");
        let answer = text(self.run(["rev-list", "-1", "--first-parent", &before, &head])?);
        let commit = answer.trim();
        Ok((!commit.is_empty()).then(|| commit.to_owned()))
    }

    /// The commits that lead to a revision, children before their parents.
    ///
    /// # Errors
    /// There is no such revision, or the history is longer than a history should be.
    pub fn log(&self, revision: &str) -> Result<Vec<CommitInfo>, GitError> {
        let head = self.commit(revision)?;
        let answer = self.run(["log", "--topo-order", &log_format(), &limit(), &head])?;
        let answer = text(answer);
        let records = answer.split(RECORD).skip(1);
        let commits: Vec<CommitInfo> = records.map(commit_info).collect::<Result<_, _>>()?;
        self.within_limit(commits.len())?;
        Ok(commits)
    }

    /// Which commits changed which files of a folder, the newest first. Merges are looked through: what their parents
    /// changed is listed, they themselves are not.
    ///
    /// # Errors
    /// There is no such revision.
    pub fn changes_below(&self, revision: &str, folder: &Path) -> Result<Vec<FolderChange>, GitError> {
        let head = self.commit(revision)?;
        let Some(path) = self.tree_path(folder) else {
            return Ok(Vec::new());
        };
        let pathspec = format!(":(top,literal){path}");
        let answer = self.run([
            "log",
            "--topo-order",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--diff-merges=off",
            "-z",
            &log_format(),
            &limit(),
            &head,
            "--",
            &pathspec,
        ])?;
        let answer = text(answer);
        let mut changes = Vec::new();
        for (index, record) in answer.split(RECORD).skip(1).enumerate() {
            self.within_limit(index)?;
            // With -z the commit ends with a NUL, and so does each part of a raw line: `:modes ids status`, `path`.
            let (commit, raw) = record.split_once('\0').unwrap_or((record, ""));
            let commit = Arc::new(commit_info(commit)?);
            let mut parts = raw.split('\0').map(|part| part.trim_start_matches('\n'));
            while let (Some(line), Some(path_of_file)) = (parts.next(), parts.next()) {
                if !line.starts_with(':') {
                    continue;
                }
                let blob = line
                    .split(' ')
                    .nth(3)
                    .filter(|id| id.bytes().any(|byte| byte != b'0'));
                let below = path_of_file
                    .strip_prefix(path.as_str())
                    .unwrap_or(path_of_file)
                    .trim_start_matches('/');
                changes.push(FolderChange {
                    commit: Arc::clone(&commit),
                    path: below.to_owned(),
                    blob: blob.map(str::to_owned),
                });
            }
        }
        Ok(changes)
    }

    /// The object ids of names such as `commit:path`; nothing where there is none. One process answers for all.
    pub(crate) fn ids(&self, names: &[String]) -> Result<Vec<Option<String>>, GitError> {
        let failed = |source| GitError::Run {
            folder: self.folder.clone(),
            source,
        };
        let mut command = self.command();
        command.args(["cat-file", "--batch-check=%(objectname)"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
        let mut requests = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // Requests go in while answers come out, or both sides would wait for each other's full pipe.
            scope.spawn(move || {
                for name in names.iter().filter(|name| !name.contains('\n')) {
                    // A process that ends early is seen by its answers.
                    let _ = requests.as_mut().map(|pipe| writeln!(pipe, "{name}"));
                }
            });
            child.wait_with_output()
        });
        let answers = text(output.map_err(failed)?.stdout);
        let mut answers = answers.lines();
        let ids: Vec<Option<String>> = names
            .iter()
            .map(|name| match name.contains('\n') {
                true => Some(None),
                false => answers
                    .next()
                    .map(|line| (!line.contains(' ')).then(|| line.to_owned())),
            })
            .collect::<Option<_>>()
            .ok_or_else(|| not_understood("cat-file", "fewer answers than requests"))?;
        Ok(ids)
    }

    /// A reader of objects by their ids or by `commit:path`.
    pub(crate) fn objects(&self) -> Result<Objects, GitError> {
        Objects::start(self)
    }

    /// A path as the tree of a commit has it; nothing if it lies outside of the work tree. Paths of a project are relative
    /// to its files, and may go up from there: `base/comps/../../specs`.
    pub(crate) fn tree_path(&self, path: &Path) -> Option<String> {
        let path = &without_parents(path)?;
        let mut prefix: Vec<&str> = self.prefix.split('/').filter(|part| !part.is_empty()).collect();
        for ancestor in self.folder.ancestors() {
            if let Ok(rest) = path.strip_prefix(ancestor) {
                let rest = rest.to_str()?;
                let parts: Vec<&str> = prefix
                    .into_iter()
                    .chain(rest.split('/').filter(|part| !part.is_empty()))
                    .collect();
                return Some(parts.join("/"));
            }
            prefix.pop()?;
        }
        None
    }

    fn within_limit(&self, count: usize) -> Result<(), GitError> {
        if count < MAX_COMMITS {
            return Ok(());
        }
        Err(GitError::TooLong {
            folder: self.folder.clone(),
            limit: MAX_COMMITS,
        })
    }

    /// Git in this folder, not led elsewhere by who calls us.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.folder);
        // What a person has set for their own eyes must not change what we read.
        for setting in [
            "log.showSignature=false",
            "color.ui=false",
            "i18n.logOutputEncoding=UTF-8",
        ] {
            command.arg("-c").arg(setting);
        }
        for variable in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_PREFIX",
            "GIT_OBJECT_DIRECTORY",
            "GIT_NAMESPACE",
            "GIT_LITERAL_PATHSPECS",
        ] {
            command.env_remove(variable);
        }
        command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>, GitError> {
        let mut command = self.command();
        command.args(arguments);
        let output = command.output().map_err(|source| GitError::Run {
            folder: self.folder.clone(),
            source,
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words: Vec<_> = command
            .get_args()
            .skip(GLOBAL_ARGUMENTS)
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        Err(GitError::Failed {
            command: words.first().cloned().unwrap_or_default(),
            folder: self.folder.clone(),
            message: text(output.stderr).trim().replace('\n', "; "),
        })
    }
}

/// A path without `.` and `..`; nothing if it goes up from the root.
fn without_parents(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if !clean.pop() => return None,
            Component::ParentDir => {}
            part => clean.push(part),
        }
    }
    Some(clean)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Each commit as id, parents, author, mail, time, message.
fn log_format() -> String {
    let fields = ["%H", "%P", "%an", "%ae", "%ct", "%B"];
    format!("--format={RECORD}{}", fields.join(&FIELD.to_string()))
}

fn limit() -> String {
    format!("--max-count={MAX_COMMITS}")
}

fn commit_info(record: &str) -> Result<CommitInfo, GitError> {
    let mut fields = record.splitn(6, FIELD);
    let mut next = || fields.next();
    let (Some(id), Some(parents), Some(name), Some(email), Some(time), Some(message)) =
        (next(), next(), next(), next(), next(), next())
    else {
        return Err(not_understood("log", record));
    };
    Ok(CommitInfo {
        id: id.to_owned(),
        parents: parents
            .split(' ')
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect(),
        author: Person {
            name: name.to_owned(),
            email: email.to_owned(),
        },
        time: time.parse().map_err(|_| not_understood("log", record))?,
        message: message.trim_end().to_owned(),
    })
}

pub(crate) fn not_understood(command: &'static str, answer: &str) -> GitError {
    const SHOWN: usize = 80;
    GitError::Answer {
        command,
        answer: answer.chars().take(SHOWN).collect(),
    }
}
