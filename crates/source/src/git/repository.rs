//! One repository in the cache: a bare, partial clone, and what is known of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use lazuli_catalog::Sha256Digest;

use super::command::Git;
use crate::checkout::FullCommit;
use crate::error::SourceError;
use crate::http::url::without_password;
use crate::lock::{Leftover, Lock};
use crate::process::Outcome;
use crate::progress::{OnProgress, Progress};
use crate::store::remove;

/// The longest address, in bytes.
const MAX_URI: usize = 4096;

/// How many objects one fetch asks for: their ids must fit a command line.
const OBJECTS_AT_ONCE: usize = 1000;

/// What git names when it cannot use what it has itself.
const DAMAGE: &str = "repository.git/objects";

/// What names of clones begin with that are not made yet.
const STAGED: &str = ".new-";

/// How deep stale locks are looked for below the clone's folder.
const MAX_DEPTH: usize = 8;

/// Where a branch is kept that the server calls its HEAD.
const HEAD_REF: &str = "refs/lazuli/head";

/// A repository and its clone.
#[derive(Debug)]
pub(super) struct Repository<'g> {
    pub(super) git: &'g Git,
    /// The address.
    uri: String,
    /// How it begins: `https`.
    protocol: String,
    /// What messages call it.
    pub(super) name: String,
    /// Its folder in the cache.
    folder: PathBuf,
}

/// What is known of a clone, beside what git knows.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
struct State {
    /// The address, for people who look at the cache.
    uri: String,
    /// When each branch was fetched the last time, in seconds since 1970; taken before git was started.
    fetched: BTreeMap<String, i64>,
}

/// What a fetch is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted<'w> {
    /// One branch, or the server's HEAD.
    Branch(Option<&'w str>),
    /// All branches and tags.
    Everything,
    /// One commit by its whole id.
    Commit(&'w FullCommit),
    /// Objects that the partial clone lacks.
    Objects(&'w [String]),
}

impl<'g> Repository<'g> {
    pub(super) fn new(git: &'g Git, cache: &Path, uri: &str) -> Result<Self, SourceError> {
        let protocol = protocol(uri, &git.settings.protocols)?;
        let key = Sha256Digest::of(uri.as_bytes());
        let last = uri.rsplit('/').find(|part| !part.is_empty() && *part != ".git");
        let readable: String = last
            .unwrap_or_default()
            .trim_end_matches(".git")
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_+.".contains(*c))
            .take(60)
            .collect();
        let folder = cache.join(format!(
            "{}-{readable}",
            key.as_str().get(..16).unwrap_or_default()
        ));
        Ok(Self {
            git,
            uri: uri.to_owned(),
            protocol,
            name: without_password(uri),
            folder,
        })
    }

    /// The clone.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join("repository.git")
    }

    /// The name under which a branch is kept.
    pub(super) fn reference(branch: Option<&str>) -> String {
        match branch {
            Some(branch) => format!("refs/heads/{branch}"),
            None => HEAD_REF.to_owned(),
        }
    }

    /// When a branch was fetched the last time.
    pub(super) fn fetched(&self, branch: Option<&str>) -> Option<i64> {
        // What was fetched into a clone that is gone does not count.
        let state = self.path().exists().then(|| self.state())?;
        state.fetched.get(&Self::reference(branch)).copied()
    }

    /// Keeps others from fetching into the same clone. Reading needs no lock: git never removes anything here.
    pub(super) fn lock(&self) -> Result<Lock, SourceError> {
        let limit = self.git.settings.max_time;
        Lock::take_within(&self.folder.join("lock"), Leftover::Keep, limit, &*self.git.clock)
    }

    /// Removes the clone, when it is damaged. Readers that have it open go on reading what they have open.
    pub(super) fn discard(&self) -> Result<(), SourceError> {
        let _lock = self.lock()?;
        remove(&self.state_path())?;
        match std::fs::remove_dir_all(self.path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(SourceError::io("remove", &self.path())(error))
            }
            _ => Ok(()),
        }
    }

    /// Fetches under the lock, with several tries.
    pub(super) fn fetch(
        &self,
        lock: &Lock,
        wanted: &Wanted<'_>,
        progress: OnProgress<'_>,
    ) -> Result<(), SourceError> {
        if let Wanted::Branch(Some(branch)) = wanted {
            check_branch(branch)?;
        }
        self.prepare()?;
        let retry = self.git.settings.retry;
        let what = self.name.clone();
        progress(&Progress::Started { what: what.clone() });
        let mut round = 0;
        loop {
            let now = self.git.clock.unix();
            let error = match self.fetch_once(lock, wanted) {
                Ok(()) => return self.remember(wanted, now),
                Err(error) => error,
            };
            round += 1;
            if round >= retry.rounds.max(1) || !is_transient(&error) {
                return Err(error);
            }
            let pause = retry.pause(round - 1, None);
            progress(&Progress::Retrying {
                what: what.clone(),
                reason: error.to_string(),
                pause,
            });
            self.git.clock.sleep(pause);
        }
    }

    fn fetch_once(&self, lock: &Lock, wanted: &Wanted<'_>) -> Result<(), SourceError> {
        let one = |text: String| vec![vec![text]];
        let batches: Vec<Vec<String>> = match wanted {
            Wanted::Branch(Some(branch)) => one(format!("+refs/heads/{branch}:refs/heads/{branch}")),
            Wanted::Branch(None) => one(format!("+HEAD:{HEAD_REF}")),
            Wanted::Everything => vec![vec![
                "+refs/heads/*:refs/heads/*".to_owned(),
                "+refs/tags/*:refs/tags/*".to_owned(),
            ]],
            Wanted::Commit(commit) => one(format!("+{commit}:refs/lazuli/commits/{commit}")),
            Wanted::Objects(ids) => ids.chunks(OBJECTS_AT_ONCE).map(<[String]>::to_vec).collect(),
        };
        for batch in batches {
            let objects = matches!(wanted, Wanted::Objects(_));
            let outcome = self.run_fetch(lock, &batch, objects)?;
            if !outcome.success() {
                return Err(self.failure(wanted, outcome.message));
            }
        }
        Ok(())
    }

    fn run_fetch(&self, lock: &Lock, what: &[String], objects: bool) -> Result<Outcome, SourceError> {
        let mut arguments = Vec::new();
        if objects {
            // What we have tells the server nothing about single objects.
            arguments.extend(["-c", "fetch.negotiationAlgorithm=noop"]);
        }
        arguments.extend([
            "fetch",
            "--progress",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            // A server that cannot leave anything out sends all.
            "--filter=blob:none",
            "origin",
        ]);
        arguments.extend(what.iter().map(String::as_str));
        // git holds our lock as long as it runs, also if we are killed meanwhile.
        let stdin = lock
            .file()
            .try_clone()
            .map_err(SourceError::io("use the lock of", &self.folder))?;
        self.git
            .remote(&self.path(), &self.protocol, &arguments, Stdio::from(stdin))
    }

    fn failure(&self, wanted: &Wanted<'_>, message: String) -> SourceError {
        let repository = self.name.clone();
        let no_reference = message.contains("couldn't find remote ref");
        match wanted {
            Wanted::Branch(branch) if no_reference => SourceError::NoBranch {
                repository,
                branch: branch.unwrap_or("HEAD").to_owned(),
            },
            _ => SourceError::Git {
                action: "fetch",
                repository,
                message: message.replace(&self.uri, &self.name),
            },
        }
    }

    /// Makes the clone if there is none, and removes what a kill left in it. Under the lock.
    fn prepare(&self) -> Result<(), SourceError> {
        let path = self.path();
        if path.exists() {
            return clean(&path, 0);
        }
        let entries = std::fs::read_dir(&self.folder).map_err(SourceError::io("read", &self.folder))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(STAGED) {
                let stale = entry.path();
                std::fs::remove_dir_all(&stale).map_err(SourceError::io("remove", &stale))?;
            }
        }
        let staged = tempfile::Builder::new()
            .prefix(STAGED)
            .tempdir_in(&self.folder)
            .map_err(SourceError::io("make a folder in", &self.folder))?;
        let clone = staged.path().join("repository.git");
        for arguments in [
            &["init", "--quiet", "--bare", "--template="][..],
            &["config", "remote.origin.url", &self.uri],
            &["config", "remote.origin.promisor", "true"],
            &["config", "remote.origin.partialclonefilter", "blob:none"],
            &["config", "core.repositoryformatversion", "1"],
            &["config", "extensions.partialClone", "origin"],
        ] {
            let outcome = self.git.local(&clone, arguments, Vec::new())?;
            if !outcome.success() {
                return Err(SourceError::Git {
                    action: "make a clone of",
                    repository: self.name.clone(),
                    message: outcome.message,
                });
            }
        }
        std::fs::rename(&clone, &path).map_err(SourceError::io("rename", &path))
    }

    fn state_path(&self) -> PathBuf {
        self.folder.join("state.json")
    }

    /// What is known; nothing if that cannot be read, so that it is asked for again.
    fn state(&self) -> State {
        let bytes = std::fs::read(self.state_path()).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn remember(&self, wanted: &Wanted<'_>, now: i64) -> Result<(), SourceError> {
        let Wanted::Branch(branch) = wanted else {
            return Ok(());
        };
        let mut state = self.state();
        state.uri.clone_from(&self.name);
        state.fetched.insert(Self::reference(*branch), now);
        let text = serde_json::to_vec_pretty(&state).unwrap_or_default();
        lazuli_durable::write(&self.state_path(), &text).map_err(SourceError::io("write", &self.state_path()))
    }
}

/// Checks an address before git sees it, and gives its protocol.
fn protocol(uri: &str, allowed: &[String]) -> Result<String, SourceError> {
    let fail = |reason: String| SourceError::Address {
        url: without_password(uri),
        reason,
    };
    if uri.len() > MAX_URI || uri.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(fail(
            "it is too long, or has spaces or control characters".to_owned(),
        ));
    }
    // `ext::…` and the like run programs; `host:path` is ssh without saying so.
    let (scheme, rest) = uri
        .split_once("://")
        .ok_or_else(|| fail("it has no protocol, such as https://".to_owned()))?;
    let scheme = scheme.to_ascii_lowercase();
    if !allowed.contains(&scheme) {
        return Err(fail(format!(
            "the protocol {scheme} is not allowed; {} are",
            allowed.join(", ")
        )));
    }
    // ssh and git would take a host such as `-oProxyCommand=…` for an option.
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if rest.starts_with('-') || host.starts_with('-') {
        return Err(fail("its host begins with a hyphen".to_owned()));
    }
    Ok(scheme)
}

/// Names of branches that mean something else, or that git does not have (git-check-ref-format(1)).
fn check_branch(branch: &str) -> Result<(), SourceError> {
    let bad = branch.is_empty()
        || branch.len() > 255
        || branch.starts_with(['-', '/', '.'])
        || branch.ends_with(['/', '.'])
        || branch.ends_with(".lock")
        || branch.contains("..")
        || branch.contains("//")
        || branch.contains("/.")
        || branch.contains("@{")
        || branch.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c));
    match bad {
        false => Ok(()),
        true => Err(SourceError::Settings {
            reason: format!("`{}` is no name of a branch", branch.escape_debug()),
        }),
    }
}

/// Whether another try may go better.
fn is_transient(error: &SourceError) -> bool {
    const FINAL: [&str; 15] = [
        DAMAGE,
        "not found",
        "does not exist",
        "not appear to be a git repository",
        "not a git repository",
        "could not read Username",
        "could not read Password",
        "Authentication failed",
        "Permission denied",
        "not allowed",
        "not our ref",
        "fsck error",
        "error in object",
        "certificate",
        "access denied or repository not exported",
    ];
    match error {
        SourceError::Git { message, .. } => !FINAL.iter().any(|part| message.contains(part)),
        _ => false,
    }
}

/// Whether git cannot go on because the clone is damaged. A disk that is full or a folder that is not ours is no damage.
pub(super) fn is_damage(error: &SourceError) -> bool {
    const OTHERS: [&str; 3] = ["No space left", "Permission denied", "Read-only file system"];
    match error {
        SourceError::Git { message, .. } => {
            message.contains(DAMAGE) && !OTHERS.iter().any(|part| message.contains(part))
        }
        _ => false,
    }
}

/// Removes locks and unfinished packs. No git runs here: each one holds our lock as long as it runs.
fn clean(folder: &Path, depth: usize) -> Result<(), SourceError> {
    let entries = std::fs::read_dir(folder).map_err(SourceError::io("read", folder))?;
    for entry in entries {
        let entry = entry.map_err(SourceError::io("read", folder))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry.file_type().map_err(SourceError::io("look at", &path))?;
        if kind.is_dir() && depth < MAX_DEPTH {
            // Single objects are written beside their names; there are too many of their folders to look at each.
            if name.len() != 2 {
                clean(&path, depth + 1)?;
            }
        } else if name.ends_with(".lock") || name.starts_with("tmp_") {
            remove(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_addresses_are_refused() {
        let allowed = ["https", "ssh"].map(str::to_owned);
        for good in ["https://h/rpms/bash.git", "ssh://git@h/x", "HTTPS://h/x"] {
            assert!(protocol(good, &allowed).is_ok(), "{good}");
        }
        for bad in [
            "ext::sh -c x",
            "ext::sh%20-c",
            "file:///etc",
            "http://h/x",
            "/local/path",
            "host:path",
            "--upload-pack=x",
            "ssh://-oProxyCommand=x/y",
            "ssh://git@-oProxyCommand=x/y",
            "https://h/a b",
        ] {
            assert!(protocol(bad, &allowed).is_err(), "{bad}");
        }
    }

    #[test]
    fn branches_are_checked() {
        for good in ["main", "f41", "epel9-next", "user/topic", "stream-1.x"] {
            assert!(check_branch(good).is_ok(), "{good}");
        }
        for bad in [
            "", "-x", "a..b", "a b", "a:b", "a*", "/a", "a/", "a.lock", "@{1}", "a\n", "a/.b", "^a",
        ] {
            assert!(check_branch(bad).is_err(), "{bad}");
        }
    }
}
