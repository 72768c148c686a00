//! What can go wrong between an archive and us.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use lazuli_deb::{BinaryError, ControlError, PackageName, Sha256Digest, Version};
use lazuli_openpgp::KeyError;
use lazuli_rpm::VerifyError;

/// The most names that an error message lists.
const SHOWN: usize = 20;

/// A locked package that the archive no longer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vanished {
    /// The package.
    pub name: PackageName,
    /// The version that is locked.
    pub version: Version,
    /// The newest that the archive has, if it has any.
    pub newest: Option<Version>,
}

/// Why something could not be had from an archive. [`hint`](Self::hint) says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The settings are of no use.
    #[error("the settings of the Debian archive are wrong: {reason}")]
    Settings {
        /// What is wrong.
        reason: String,
    },
    /// A file or folder cannot be used.
    #[error("failed to {action} {}: {source}", path.display())]
    Io {
        /// What was being done: `read`, `write`.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A program of apt cannot be started.
    #[error("failed to run {program}: {source}")]
    NoApt {
        /// The program.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// apt failed.
    #[error("apt failed to {action}: {message}")]
    Apt {
        /// What it was asked for.
        action: &'static str,
        /// What it wrote to its standard error, or how it ended.
        message: String,
    },
    /// No mirror is known.
    #[error("the machine's apt configuration names no mirror for the suite {suite}")]
    NoMirror {
        /// The suite.
        suite: String,
    },
    /// The keyring is none.
    #[error("the keyring {} cannot be used: {source}", path.display())]
    Keyring {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeyError,
    },
    /// The archive has not been fetched yet.
    #[error("the lists of the Debian archive have not been fetched yet")]
    NotFetched,
    /// A signature is not good.
    #[error("the signature of {file} is not good: {source}")]
    Signature {
        /// The `InRelease` file.
        file: String,
        /// Why.
        source: VerifyError,
    },
    /// An `InRelease` file is signed, but malformed.
    #[error("{file} is malformed: {reason}")]
    Release {
        /// The `InRelease` file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// An `InRelease` file is signed, but is that of another suite.
    #[error("{file} is not that of the suite {wanted}, but of {found}")]
    WrongSuite {
        /// The `InRelease` file.
        file: String,
        /// What was asked for.
        wanted: String,
        /// Its suite and codename.
        found: String,
    },
    /// A suite is out of date.
    #[error("the suite {suite} was valid only until {until}")]
    Expired {
        /// The suite.
        suite: String,
        /// The `Valid-Until` field.
        until: String,
    },
    /// A suite does not have a list.
    #[error("{file} does not list {wanted}")]
    NotListed {
        /// The `InRelease` file.
        file: String,
        /// The list: `main/binary-amd64/Packages`.
        wanted: String,
    },
    /// A file is not the one that is signed.
    #[error(
        "{file} has the SHA-256 digest {found} and {found_size} bytes, but {expected} and {expected_size} bytes are signed"
    )]
    Digest {
        /// The file.
        file: String,
        /// What is signed.
        expected: Sha256Digest,
        /// What the file has.
        found: Sha256Digest,
        /// The size that is signed.
        expected_size: u64,
        /// The size of the file.
        found_size: u64,
    },
    /// A list is malformed.
    #[error("{file} is malformed: {source}")]
    Control {
        /// The list.
        file: String,
        /// What is wrong.
        source: ControlError,
    },
    /// A package of a list is malformed.
    #[error("{file}: {source}")]
    Package {
        /// The list.
        file: String,
        /// What is wrong.
        source: Box<BinaryError>,
    },
    /// A package of a list lacks a field, or has a value that it must not have.
    #[error("{file}: package {package}: {reason}")]
    Entry {
        /// The list.
        file: String,
        /// The package.
        package: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Packages that were asked for do not exist.
    #[error("the Debian archive has no package {}", list(names))]
    Unknown {
        /// Their names.
        names: Vec<PackageName>,
    },
    /// A dependency of a closure cannot be met.
    #[error("{package} needs `{relation}`, which nothing in the Debian archive provides")]
    Unmet {
        /// The package that needs it.
        package: PackageName,
        /// What it needs.
        relation: String,
    },
    /// Locked packages are no longer served.
    #[error("the Debian archive no longer has {}", vanished(packages))]
    Vanished {
        /// All of them.
        packages: Vec<Vanished>,
    },
    /// Packages could not be fetched, though the archive should have them.
    #[error("failed to fetch {}: {message}", list(files))]
    Fetch {
        /// Their addresses.
        files: Vec<String>,
        /// What apt says.
        message: String,
    },
}

impl UpstreamError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Vanished { .. } => {
                Some("run `lazuli component update` to lock the versions that it has now")
            }
            Self::NoMirror { .. } => Some("set LAZULI_DEBIAN_MIRROR to the address of a Debian mirror"),
            Self::NoApt { .. } => Some("install apt: Lazuli is built on Debian or a system derived from it"),
            Self::Io { path, .. } if path.extension().is_some_and(|end| end == "gpg") => {
                Some("the package debian-archive-keyring has the keyring of the Debian archive")
            }
            Self::Expired { .. } => {
                Some("check the machine's clock; else the mirror is out of date: use another")
            }
            Self::NotFetched => Some("run `lazuli component update`"),
            Self::Digest { .. } => {
                Some("the file is damaged or was tampered with: delete it, and fetch it again")
            }
            Self::Apt { .. } | Self::Fetch { .. } => {
                Some("check the network, the proxy and the mirror; LAZULI_DEBIAN_MIRROR names another mirror")
            }
            _ => None,
        }
    }
}

/// `a, b, c and 5 more`
fn list(names: &[impl fmt::Display]) -> String {
    let mut text: Vec<String> = names.iter().take(SHOWN).map(ToString::to_string).collect();
    if names.len() > SHOWN {
        let last = text.pop().unwrap_or_default();
        text.push(format!("{last} and {} more", names.len() - SHOWN));
    }
    text.join(", ")
}

fn vanished(packages: &[Vanished]) -> String {
    let texts: Vec<String> = packages
        .iter()
        .map(
            |Vanished {
                 name,
                 version,
                 newest,
             }| match newest {
                Some(newest) => format!("{name} {version} (it has {newest})"),
                None => format!("{name} {version} (nor any other version)"),
            },
        )
        .collect();
    list(&texts)
}
