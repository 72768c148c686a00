//! What an expansion could not know, and what it said.

use std::collections::BTreeSet;

/// How grave a [`Message`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `%{echo:…}` and `%dump`.
    Echo,
    /// `%{warn:…}`, and what rpm warns of by itself.
    Warning,
    /// `%{error:…}` and errors that rpm reports and then goes on.
    Error,
}

/// Something that rpm would print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How grave it is.
    pub severity: Severity,
    /// The text, without `warning:` before it or a newline after it.
    pub text: String,
}

/// What expansions left open and what they said; collected in a context until it is taken.
///
/// Text that is no UTF-8 is shown here with replacement characters; the expansion itself keeps its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Names of macros that were called, are not defined, and stay in the text as they are.
    pub undefined: BTreeSet<String>,
    /// Names of macros that were asked for by `%{?name}` or `%{!?name}` and are not defined.
    pub absent: BTreeSet<String>,
    /// Commands of `%(…)` that were not run; `%(…)` stays in the text as it is.
    pub not_run: BTreeSet<String>,
    /// What rpm would print, in order.
    pub messages: Vec<Message>,
}

/// More of a kind are not collected: hostile input could make millions.
const MAX_NOTES: usize = 10_000;
/// Bytes of a message that are kept.
const MAX_MESSAGE: usize = 16 << 10;
/// Bytes of a name or command that are kept.
const MAX_NAME: usize = 4 << 10;

impl Notes {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.undefined.is_empty()
            && self.absent.is_empty()
            && self.not_run.is_empty()
            && self.messages.is_empty()
    }

    pub(crate) fn note_undefined(&mut self, name: &[u8]) {
        insert(&mut self.undefined, name);
    }

    pub(crate) fn note_absent(&mut self, name: &[u8]) {
        insert(&mut self.absent, name);
    }

    pub(crate) fn note_not_run(&mut self, command: &[u8]) {
        insert(&mut self.not_run, command);
    }

    pub(crate) fn say(&mut self, severity: Severity, text: impl Into<String>) {
        if self.messages.len() < MAX_NOTES {
            let mut text = text.into();
            if text.len() > MAX_MESSAGE {
                text.truncate(text.floor_char_boundary(MAX_MESSAGE));
                text.push('…');
            }
            self.messages.push(Message { severity, text });
        }
    }

    /// Adds other notes to these.
    pub fn merge(&mut self, other: Self) {
        self.undefined.extend(other.undefined);
        self.absent.extend(other.absent);
        self.not_run.extend(other.not_run);
        self.messages.extend(other.messages);
    }
}

fn insert(set: &mut BTreeSet<String>, name: &[u8]) {
    let text = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME)]);
    if set.len() < MAX_NOTES && !set.contains(&*text) {
        set.insert(text.into_owned());
    }
}
