//! What can go wrong between a source and us.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use lazuli_catalog::Sha256Digest;
use lazuli_upstream::UpstreamError;

use crate::checkout::FullCommit;
use crate::digest::Digest;
use crate::name::NameError;
use crate::request::ServedTarball;
use crate::sources_file::SourcesFileError;
use crate::template::TemplateError;

/// The most tarballs that a message lists.
const MAX_SHOWN: usize = 12;

/// One address that was tried, and why it did not give the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAddress {
    /// The address, without passwords.
    pub url: String,
    /// How often it was tried.
    pub tries: u32,
    /// What went wrong the last time.
    pub reason: String,
}

impl fmt::Display for FailedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.reason)?;
        match self.tries {
            0 | 1 => Ok(()),
            tries => write!(f, " (tried {tries} times)"),
        }
    }
}

/// Why a source could not be had. [`hint`](Self::hint) says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or folder of the cache cannot be used.
    #[error("failed to {action} {}: {source}", path.display())]
    Io {
        /// What was being done: `read`, `write`.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process does not let go of something.
    #[error("another process holds {} for more than {limit:?}", path.display())]
    Busy {
        /// The file that carries the lock.
        path: PathBuf,
        /// How long was waited.
        limit: std::time::Duration,
    },
    /// The settings are of no use.
    #[error("the settings of the sources are wrong: {reason}")]
    Settings {
        /// What is wrong.
        reason: String,
    },
    /// A content does not have the digest that it must have.
    #[error("{what} has the digest {found}, but {expected} is expected")]
    Digest {
        /// The file or the address.
        what: String,
        /// What it must have.
        expected: Digest,
        /// What it has.
        found: Digest,
    },
    /// Something is larger than it may be.
    #[error("{what} has more than {limit} bytes")]
    TooLarge {
        /// The file or the address.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// A file is named by a digest for which two contents can be made, and the settings refuse that.
    #[error("{file} is known by {digest} only, for which other contents can be made")]
    WeakDigest {
        /// The file.
        file: String,
        /// Its digest.
        digest: Digest,
    },
    /// A name leads elsewhere.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An address template is of no use.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// An address is none, or of a kind that is not allowed.
    #[error("the address `{url}` cannot be used: {reason}")]
    Address {
        /// The address, without passwords.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file could not be downloaded.
    #[error("failed to fetch {file} with the digest {digest}: {}", list(attempts))]
    Download {
        /// The file's name.
        file: String,
        /// Its digest.
        digest: Digest,
        /// All addresses and what went wrong.
        attempts: Vec<FailedAddress>,
    },
    /// Something is not in the cache, and the network must not be used.
    #[error("{what} is not in the cache, and the network is not to be used")]
    Offline {
        /// What it is.
        what: String,
    },
    /// The file `sources` of a repository is malformed.
    #[error("{repository} at {commit}: {source}")]
    SourcesFile {
        /// The repository.
        repository: String,
        /// The commit.
        commit: FullCommit,
        /// What is wrong.
        source: SourcesFileError,
    },
    /// A program cannot be started.
    #[error("failed to run {program}: {source}")]
    NoProgram {
        /// The program.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// git failed.
    #[error("git failed to {action} {repository}: {message}")]
    Git {
        /// What it was asked for.
        action: &'static str,
        /// The repository's address, without passwords.
        repository: String,
        /// What it wrote, or how it ended.
        message: String,
    },
    /// A repository has no such branch.
    #[error("{repository} has no branch {branch}")]
    NoBranch {
        /// The repository.
        repository: String,
        /// The branch.
        branch: String,
    },
    /// A repository has no such commit.
    #[error("{repository} has no commit {commit}")]
    NoCommit {
        /// The repository.
        repository: String,
        /// The commit, as it was given.
        commit: String,
    },
    /// A branch is younger than a snapshot.
    #[error("{repository} has no commit on {branch} at or before {time}")]
    NoCommitBefore {
        /// The repository.
        repository: String,
        /// The branch.
        branch: String,
        /// The snapshot's time.
        time: String,
    },
    /// A tree has something that is refused.
    #[error("{repository} at {commit}: {path:?} {reason}")]
    Tree {
        /// The repository.
        repository: String,
        /// The commit.
        commit: FullCommit,
        /// What it is about.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No version of a Debian source package has the tarball that is wanted.
    #[error(transparent)]
    NoTarball(#[from] Box<NoTarball>),
    /// The Debian archive failed.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// cargo failed.
    #[error("cargo failed to {action} {what}: {message}")]
    Cargo {
        /// What it was asked for.
        action: &'static str,
        /// Of what: `ripgrep 14.1.1`.
        what: String,
        /// What it wrote, or how it ended.
        message: String,
    },
    /// A Cargo.lock is malformed, or names what cannot be checked.
    #[error("the Cargo.lock of {what}: {reason}")]
    CargoLock {
        /// Whose it is.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// What cargo fetched is not what the Cargo.lock names.
    #[error("{crate_name} is not what the Cargo.lock names: {reason}")]
    Crate {
        /// The crate and its version.
        crate_name: String,
        /// What is wrong.
        reason: String,
    },
    /// What was fetched again has another digest than it must have.
    #[error("{what} was made anew and has the digest {found}, but {expected} is expected")]
    NotReproduced {
        /// What it is.
        what: String,
        /// What it must have.
        expected: Sha256Digest,
        /// What it has.
        found: Sha256Digest,
    },
}

/// No version of a Debian source package has the tarball that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Debian archive has no {file}{} in the source package {package}{}: it has {}",
    of(digest.as_ref(), "with the digest"),
    of(version.as_ref(), "of version"),
    tarballs(served)
)]
pub struct NoTarball {
    /// The source package.
    pub package: String,
    /// The version that was asked for, if one was.
    pub version: Option<String>,
    /// The tarball's name.
    pub file: String,
    /// The digest that it must have, if one is known.
    pub digest: Option<Digest>,
    /// What the archive has, the newest version first.
    pub served: Vec<ServedTarball>,
}

impl SourceError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// What to do about it, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Upstream(error) => error.hint(),
            Self::Download { attempts, .. } if attempts.iter().any(|one| one.reason.contains("digest")) => {
                Some(
                    "a server has another file under this name: compare with the upstream's own announcement before the \
                 digest is changed",
                )
            }
            Self::Download { .. } => Some(
                "check the network and the addresses; what came so far is kept, and the next run goes on from there",
            ),
            Self::NoTarball(error) if error.served.is_empty() => Some(
                "check the name of the source package; the suites of the distribution's version must have it",
            ),
            Self::NoTarball(_) => Some(
                "the archive has moved on to another upstream version, or the name is misspelt: take one of these files \
                 with its digest, and let the spec's version follow",
            ),
            Self::Digest { .. } => Some("the file is damaged or was tampered with: it is not used"),
            Self::WeakDigest { .. } => Some("name the file by its SHA-256 or SHA-512 digest"),
            Self::Offline { .. } => Some("run it once with the network"),
            Self::NoProgram { program, .. } if program.contains("git") => Some("install git"),
            Self::NoProgram { program, .. } if program.contains("cargo") => Some("install cargo"),
            Self::NoBranch { .. } => Some("check `dist-git-branch` of the distribution's version"),
            Self::NoCommit { .. } => {
                Some("check `upstream-commit`; the upstream may have rewritten its history")
            }
            Self::NoCommitBefore { .. } => Some("take a later snapshot, or pin a commit"),
            Self::Busy { .. } => {
                Some("`fuser` names the process: it may be a git that a killed run left behind")
            }
            Self::Git { .. } => Some("check the address and the network"),
            Self::Tree { .. } => {
                Some("look at the commit upstream: packages have no need of such entries; pin another commit")
            }
            Self::NotReproduced { .. } => {
                Some("cargo's way of unpacking crates may have changed: lock it anew")
            }
            Self::Cargo { .. } => Some("check the network and cargo's configuration"),
            _ => None,
        }
    }
}

/// ` WORDS VALUE`, if there is a value.
fn of(value: Option<&impl fmt::Display>, words: &str) -> String {
    value.map(|value| format!(" {words} {value}")).unwrap_or_default()
}

fn tarballs(served: &[ServedTarball]) -> String {
    match served {
        [] => "no such source package".to_owned(),
        _ => {
            let texts: Vec<String> = served
                .iter()
                .take(MAX_SHOWN)
                .map(|one| format!("{} (sha256 {}) of version {}", one.name, one.sha256, one.version))
                .collect();
            texts.join(", ")
        }
    }
}

fn list(attempts: &[FailedAddress]) -> String {
    match attempts {
        [] => "no address is known".to_owned(),
        _ => {
            let texts: Vec<String> = attempts.iter().map(ToString::to_string).collect();
            texts.join("; ")
        }
    }
}
