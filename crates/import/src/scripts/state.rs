//! What the walk through a script knows at one point.

use std::collections::{BTreeMap, BTreeSet};

use super::ast::Node;

/// How a command ends, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It succeeds.
    Yes,
    /// It fails.
    No,
    /// Something that nobody is known to bring is not there: it is then made, and else left alone.
    Guard,
    /// Something is there that only another package can have brought.
    Elsewhere,
    /// It depends on what is not known.
    Opaque,
}

impl Status {
    pub(super) fn from_bool(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Guard => Self::Elsewhere,
            Self::Elsewhere => Self::Guard,
            Self::Opaque => Self::Opaque,
        }
    }

    /// Whether what lasts must not depend on it.
    pub(super) fn is_dubious(self) -> bool {
        matches!(self, Self::Opaque | Self::Elsewhere)
    }

    /// The less certain of two.
    pub(super) fn weaker(self, other: Self) -> Self {
        match (self, other) {
            (Self::Opaque, _) | (_, Self::Opaque) => Self::Opaque,
            (Self::Elsewhere, _) | (_, Self::Elsewhere) => Self::Elsewhere,
            _ => Self::Guard,
        }
    }
}

/// Where control goes after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// To the next command.
    Next,
    /// Out of the function.
    Return,
    /// Out of the script.
    Exit,
    /// Out of the script, with an error: dpkg would give up.
    Fail,
    /// Out of the loop, or to its next round.
    Loop,
}

/// Which call of the script is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The package is new.
    Install,
    /// The package goes.
    Remove,
}

/// What changes while the walk goes on, and is put back after a branch.
#[derive(Debug, Clone)]
pub(super) struct State<'s> {
    pub(super) variables: BTreeMap<String, Option<String>>,
    pub(super) positional: Vec<Option<String>>,
    pub(super) functions: BTreeMap<String, &'s Node>,
    /// Files that were made so far.
    pub(super) made: BTreeSet<String>,
    /// Users and groups that were made so far.
    pub(super) accounts: BTreeSet<String>,
    pub(super) umask: u16,
    /// The working directory, if it is known.
    pub(super) folder: Option<String>,
    /// What the commands print, while it is collected: `Some(None)` when it is not known.
    pub(super) output: Option<Option<String>>,
    /// The condition under which the script would have ended already.
    pub(super) doubt: Option<String>,
    /// The condition under which the function would have ended already.
    pub(super) function_doubt: Option<String>,
}
