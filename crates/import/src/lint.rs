//! What is wrong, or worth a look, with the import of a package.

use lazuli_deb::ScriptKind;

use crate::scripts::Statement;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The import must not be released like this.
    Error,
    /// A person may want to know.
    Note,
}

/// One thing that a check has found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A script does something that is neither understood nor reviewed.
    #[error(
        "{script} is not understood (sha256 {sha256}): {}",
        statements.iter().map(|s| format!("line {}: {}", s.line, s.text)).collect::<Vec<_>>().join("; ")
    )]
    UnknownScript {
        /// The script's file name.
        script: &'static str,
        /// SHA-256 of its bytes, for a review.
        sha256: String,
        /// What is not understood.
        statements: Vec<Statement>,
    },
    /// A review matches no script: the upstream has changed it, it is gone, or the review is of another version.
    #[error("the review of {script} ({sha256}) has lapsed: no such script is there")]
    LapsedReview {
        /// The script's file name.
        script: &'static str,
        /// The digest that was reviewed.
        sha256: String,
    },
    /// A review of a script that is understood: it may go.
    #[error("the review of {script} is not needed: the script is understood")]
    NeedlessReview {
        /// The script's file name.
        script: &'static str,
    },
    /// A user without a fixed number.
    #[error("user `{user}` has no fixed id")]
    NoUserId {
        /// The user.
        user: String,
    },
    /// A group without a fixed number.
    #[error("group `{group}` has no fixed id")]
    NoGroupId {
        /// The group.
        group: String,
    },
    /// A file belongs to somebody that nobody declares.
    #[error("`{path}` belongs to the {what} `{name}`, which is not declared")]
    UnknownOwner {
        /// The file.
        path: String,
        /// `user` or `group`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something must be computed over the whole root, and no finaliser does it.
    #[error("the finaliser `{name}` is needed, and no package declares it")]
    NoFinaliser {
        /// The finaliser.
        name: String,
    },
    /// Attributes or capabilities of a file that is not there.
    #[error("`{path}` is to get attributes, but is not in the package")]
    NothingToChange {
        /// The file.
        path: String,
    },
    /// A file is to be copied that is not there.
    #[error("`{path}` is to be a copy of `{original}`, which is not in the package")]
    NothingToCopy {
        /// The copy.
        path: String,
        /// The original.
        original: String,
    },
    /// A link of an alternative is a file of the package.
    #[error("`{link}` is declared as an alternative, but is a file of the package")]
    ShadowedLink {
        /// The link.
        link: String,
    },
    /// The licence is not known.
    #[error("the licence is not known: {reason}")]
    UnknownLicense {
        /// Why.
        reason: String,
    },
    /// A file that runs with another's rights.
    #[error("`{path}` is {what}")]
    Privileged {
        /// The file.
        path: String,
        /// `setuid root`, `setgid shadow`, or its capabilities.
        what: String,
    },
    /// An executable or library could not be read for its dependencies.
    #[error("`{path}`: {reason}")]
    BadElf {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Privileged { .. }
            | Self::UnknownLicense { .. }
            | Self::LapsedReview { .. }
            | Self::NeedlessReview { .. }
            | Self::BadElf { .. } => Severity::Note,
            _ => Severity::Error,
        }
    }
}

/// The file name of a script of a review.
pub(crate) fn script_name(script: Option<ScriptKind>) -> &'static str {
    script.map_or("triggers", ScriptKind::file_name)
}
