//! Recognises what maintainer scripts do, without ever running them.
//!
//! A script is read into a tree and *partly evaluated* for the one situation that matters here: the package is new on
//! a system without a running init, questions are answered by their defaults, and nothing is left over from before
//! (`postinst configure ""`, `preinst install`, `postinst triggered NAME`; `prerm remove`, `postrm remove`). What cannot
//! be reached then, such as code for upgrades, falls away by itself. Every command that can be reached gets a verdict:
//!
//! - *understood*: it does something that is an [`Action`], which becomes a declaration;
//! - *irrelevant*: it does nothing that lasts in such a system, for a [`Reason`];
//! - *unknown*: a person must read it, and declare what it does.
//!
//! Where a condition is not known, all its branches are looked at; if one of them matters, the condition itself is
//! unknown. So the recogniser errs on the side of asking.

mod accounts;
mod alternatives;
mod ast;
mod branches;
mod builtins;
mod commands;
mod condition;
mod evaluate;
mod expand;
mod filesystem;
mod parse;
mod parse_compound;
mod parse_word;
mod state;
mod units;
mod words;

pub(crate) use words::matches;

use std::collections::BTreeMap;

use lazuli_deb::ScriptKind;

use crate::declarations::{Alternative, FileCapabilities, Group, Member, Symlink, User};
pub use parse::ShellError;

/// What is known about the package of a script.
#[derive(Debug, Clone, Default)]
pub struct ScriptFacts {
    /// The package's name.
    pub package: String,
    /// Its Debian architecture.
    pub architecture: String,
    /// Its files: absolute paths after the move to `/usr`.
    pub files: BTreeMap<String, KnownFile>,
    /// Default answers of debconf questions.
    pub answers: BTreeMap<String, String>,
    /// Triggers that the package is interested in.
    pub interests: Vec<String>,
    /// Files that scripts which ran before have made.
    pub made: Vec<String>,
}

/// What kind of file a path of the package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownFile {
    /// A directory.
    Directory,
    /// A regular file.
    Regular {
        /// Its permission bits.
        mode: u16,
        /// Whether it is empty.
        empty: bool,
    },
    /// A symbolic link.
    Symlink,
    /// A device or pipe.
    Special,
}

/// What was made of one script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognition {
    /// Which script.
    pub kind: ScriptKind,
    /// Every command that was looked at, in order, without repetitions.
    pub statements: Vec<Statement>,
}

impl Recognition {
    /// The statements that nobody understood.
    pub fn unknown(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(|s| s.verdict == Verdict::Unknown)
    }

    /// What the script does that lasts.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.statements.iter().filter_map(|s| match &s.verdict {
            Verdict::Understood(action) => Some(action),
            _ => None,
        })
    }
}

/// One command of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its line, from 1.
    pub line: u32,
    /// Its text, cut to a readable length.
    pub text: String,
    /// What was made of it.
    pub verdict: Verdict,
}

/// What was made of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does this.
    Understood(Action),
    /// It does nothing that lasts.
    Irrelevant(Reason),
    /// A person must read it.
    Unknown,
}

/// What a script does that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Enables a unit.
    EnableUnit {
        /// The unit.
        unit: String,
        /// Whose.
        scope: UnitScope,
    },
    /// Offers a choice for a name.
    Alternative(Alternative),
    /// Creates a user.
    User(User),
    /// Creates a group.
    Group(Group),
    /// Puts a user into a group.
    Member(Member),
    /// Makes a directory.
    Directory {
        /// The directory.
        path: String,
        /// Its mode.
        mode: u16,
    },
    /// Makes an empty file.
    Touch {
        /// The file.
        path: String,
        /// Its mode.
        mode: u16,
    },
    /// Changes an owner.
    Owner {
        /// The file.
        path: String,
        /// The new owner.
        owner: Option<String>,
        /// The new group.
        group: Option<String>,
        /// Whether all that is below changes too.
        recursive: bool,
    },
    /// Changes a mode.
    Mode {
        /// The file.
        path: String,
        /// The new mode.
        mode: u16,
    },
    /// Makes a symbolic link.
    Symlink(Symlink),
    /// Copies a file of the package.
    CopyFile {
        /// What is copied.
        source: String,
        /// Where to.
        path: String,
    },
    /// Writes a file.
    WriteFile {
        /// The file.
        path: String,
        /// Its content, as it is known without running anything.
        content: String,
        /// Whether the content goes after what is there.
        append: bool,
    },
    /// Removes a file that a script has made.
    Remove {
        /// The file.
        path: String,
    },
    /// Gives a file capabilities.
    Capabilities(FileCapabilities),
    /// Applies files that the package has anyway: sysusers.d or tmpfiles.d.
    Apply {
        /// `sysusers` or `tmpfiles`.
        what: &'static str,
        /// The files' names.
        names: Vec<String>,
    },
    /// Computes something over the whole root: a finaliser of that name must do it.
    Finalise {
        /// The finaliser.
        name: String,
    },
}

impl Action {
    /// Whether the action changes nothing that is not declared elsewhere, so that it may stand under any condition.
    fn is_harmless(&self) -> bool {
        matches!(self, Self::Apply { .. } | Self::Finalise { .. })
    }
}

/// Whose manager a unit belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitScope {
    /// The system's.
    System,
    /// Every user's.
    User,
}

/// Why a command does nothing that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It only reads, computes or says something.
    NoEffect,
    /// It concerns a running system: services, devices, sessions.
    RunningSystem,
    /// It is for upgrades from earlier versions.
    Upgrade,
    /// It is not reached when the package is new.
    NotReached,
    /// It asks the administrator.
    Question,
    /// It serves System V init or runit.
    OtherInit,
    /// It cleans up when the package is removed.
    Removal,
    /// It makes a cache that only saves time.
    Cache,
    /// It keeps files of other packages out of the way.
    Diversion,
    /// It removes or moves what is not there on a new system.
    NothingThere,
    /// It prepares an installed system to boot; here the image does.
    Boot,
    /// It sets off a trigger, or is the book-keeping of dpkg.
    BookKeeping,
    /// It writes to a temporary place.
    Temporary,
}

/// Default answers of debconf templates (debconf-devel(7)); a question without one has an empty answer.
pub(crate) fn answers(templates: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(templates);
    let mut answers = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        match line.split_once(':') {
            Some(("Template", name)) => {
                let name = name.trim().to_owned();
                answers.insert(name.clone(), String::new());
                current = Some(name);
            }
            Some(("Default", value)) => {
                if let Some(name) = &current {
                    answers.insert(name.clone(), value.trim().to_owned());
                }
            }
            _ => {}
        }
    }
    answers
}

/// Reads a script and says what it does. Bytes that are no UTF-8 are taken as they print.
pub fn recognise(kind: ScriptKind, script: &[u8], facts: &ScriptFacts) -> Recognition {
    let text = String::from_utf8_lossy(script);
    let statements = evaluate::statements(kind, &text, facts);
    Recognition { kind, statements }
}
