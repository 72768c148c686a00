//! Why a transaction failed, and what to do about it.

use crate::plan::Conflict;
use lazuli_rpm::{HeaderError, PackageError, ScriptletKind};
use lazuli_sandbox::SandboxError;
use std::io;
use std::path::PathBuf;

/// Why a transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// A file operation failed.
    #[error("{action} {} failed: {source}", path.display())]
    Io {
        /// Such as `writing`.
        action: &'static str,
        /// Which file; of a root with the root's own path in front.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A package file is damaged, unsigned, or not what the repository promised.
    #[error("package {} is refused: {source}", file.display())]
    Package {
        /// The package file.
        file: PathBuf,
        /// What is wrong with it.
        source: PackageError,
    },
    /// A package file is not the one that signed metadata describes.
    #[error("package {} is refused: its SHA-256 is {found}, the repository says {expected}", file.display())]
    WrongChecksum {
        /// The package file.
        file: PathBuf,
        /// From the metadata.
        expected: String,
        /// Of the file.
        found: String,
    },
    /// A source package cannot be installed.
    #[error("package {} is a source package", file.display())]
    SourcePackage {
        /// The package file.
        file: PathBuf,
    },
    /// Packages want different things at the same path.
    #[error("{} file conflict{}:{}", conflicts.len(), if conflicts.len() == 1 { "" } else { "s" }, list(conflicts))]
    Conflicts {
        /// All of them.
        conflicts: Vec<Conflict>,
    },
    /// An installed package was named that is not there.
    #[error("the rpm database has no package number {number}")]
    NoSuchPackage {
        /// Its number in the database.
        number: u32,
    },
    /// The rpm database cannot be read or written.
    #[error("{action} the rpm database {} failed: {source}", path.display())]
    Database {
        /// Such as `reading`.
        action: &'static str,
        /// Its file.
        path: PathBuf,
        /// What sqlite says.
        source: rusqlite::Error,
    },
    /// A header in the rpm database is damaged, or cannot be made.
    #[error("the header of {package} in the rpm database is damaged: {source}")]
    InstalledHeader {
        /// The package, or its number.
        package: String,
        /// What is wrong.
        source: HeaderError,
    },
    /// Another program changes packages right now.
    #[error("the rpm database is locked by another program ({})", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Another program changed packages since the plan was made.
    #[error("the installed packages changed after the plan was made")]
    Outdated,
    /// A line that declares users, alternatives, presets or finalisers makes no sense.
    #[error("bad declaration in {file}, line {line}: {reason}")]
    Declaration {
        /// The file, inside the root.
        file: String,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A scriptlet of a foreign package failed where that is fatal.
    #[error("the {kind:?} scriptlet of {package} failed: {reason}")]
    Scriptlet {
        /// The package.
        package: String,
        /// Which scriptlet.
        kind: ScriptletKind,
        /// How it ended, and what it wrote.
        reason: String,
    },
    /// A scriptlet is written in Lua.
    #[error("the {kind:?} scriptlet of {package} is written in Lua, which is not supported")]
    Lua {
        /// The package.
        package: String,
        /// Which scriptlet.
        kind: ScriptletKind,
    },
    /// A finaliser failed.
    #[error("the finaliser `{name}` failed ({status}): {stderr}")]
    Finaliser {
        /// Its name.
        name: String,
        /// How it ended.
        status: String,
        /// What it wrote.
        stderr: String,
    },
    /// The sandbox could not be set up.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The journal, which is to make the transaction survive a crash, failed.
    #[error("the journal failed: {reason}")]
    Journal {
        /// In its words.
        reason: String,
    },
}

/// How many conflicts a message names.
const LISTED_CONFLICTS: usize = 20;

fn list(conflicts: &[Conflict]) -> String {
    let mut text: String = conflicts
        .iter()
        .take(LISTED_CONFLICTS)
        .map(|c| format!("\n  {c}"))
        .collect();
    if conflicts.len() > LISTED_CONFLICTS {
        text.push_str(&format!("\n  and {} more", conflicts.len() - LISTED_CONFLICTS));
    }
    text
}

impl TransactionError {
    /// What the user can do about it, if that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Package {
                source: PackageError::Signature(_),
                ..
            } => Some(
                "import the key of its maker (gpgkey of the repository), or leave the package out".to_owned(),
            ),
            Self::Package { .. } | Self::WrongChecksum { .. } => {
                Some("the download may be damaged: `lz clean` and try again".to_owned())
            }
            Self::Lua { .. } => Some("install it without its scriptlets: --no-scripts".to_owned()),
            Self::Scriptlet { .. } => Some("to go on without scriptlets: --no-scripts".to_owned()),
            Self::Outdated => Some("try again".to_owned()),
            Self::Locked { .. } => Some("wait for it to end, then try again".to_owned()),
            Self::Sandbox(error) => error.hint(),
            _ => None,
        }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Io {
            action,
            path: path.into(),
            source: source.into(),
        }
    }
}
