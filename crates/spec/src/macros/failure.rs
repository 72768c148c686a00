//! An error on its way out of nested expansions.

use super::error::{Frame, MacroError, MacroErrorKind};

/// A [`MacroError`] that does not know its place yet. Boxed, so that results in the hot path stay small.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: MacroErrorKind,
    offset: Option<usize>,
    /// Innermost first.
    stack: Vec<Frame>,
}

pub(crate) type Result<T> = std::result::Result<T, Box<Failure>>;

impl Failure {
    /// The place in the text that is being expanded, unless it is known already.
    pub(crate) fn at(mut self: Box<Self>, offset: usize) -> Box<Self> {
        self.offset.get_or_insert(offset);
        self
    }

    /// The text was a part of another one that began there.
    pub(crate) fn within(mut self: Box<Self>, start: usize) -> Box<Self> {
        self.offset = Some(self.offset.unwrap_or(0) + start);
        self
    }

    /// The text was the body of that macro.
    pub(crate) fn leave(mut self: Box<Self>, name: &[u8]) -> Box<Self> {
        let name = String::from_utf8_lossy(name).into_owned();
        self.stack.push(Frame {
            name,
            offset: self.offset.take().unwrap_or(0),
        });
        self
    }

    pub(crate) fn into_error(self) -> MacroError {
        let mut stack = self.stack;
        stack.reverse();
        MacroError {
            kind: self.kind,
            offset: self.offset.unwrap_or(0),
            stack,
        }
    }
}

impl From<MacroErrorKind> for Box<Failure> {
    fn from(kind: MacroErrorKind) -> Self {
        Box::new(Failure {
            kind,
            offset: None,
            stack: Vec::new(),
        })
    }
}

/// Bytes as text for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const LONGEST: usize = 200;
    let cut = &bytes[..bytes.len().min(LONGEST)];
    let mut text = String::from_utf8_lossy(cut).into_owned();
    if cut.len() < bytes.len() {
        text.push('…');
    }
    text
}
