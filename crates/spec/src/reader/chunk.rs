//! Files as they are read, and which of their lines belong together.

use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

/// A file that is being read.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
    pub(crate) at: usize,
    pub(crate) line: u32,
}

impl OpenFile {
    /// Goes to the next line with a `%`, or to the first of those that a backslash joins with it: lines without mean
    /// nothing in a text that is not kept.
    pub(crate) fn pass_plain_lines(&mut self) {
        let bytes = self.text.as_bytes();
        let rest = &bytes[self.at..];
        let mut start = match memchr(b'%', rest) {
            Some(found) => memrchr(b'\n', &rest[..found]).map_or(0, |at| at + 1),
            // The backslash before the end of a file is an error that must be found.
            None if rest.ends_with(b"\\\n") => return,
            None => rest.len(),
        };
        while start > 0 && rest[..start].ends_with(b"\\\n") {
            start = memrchr(b'\n', &rest[..start - 1]).map_or(0, |at| at + 1);
        }
        self.line = self
            .line
            .saturating_add(u32::try_from(memchr_iter(b'\n', &rest[..start]).count()).unwrap_or(0));
        self.at += start;
    }
}

/// Where a word stands in a text, and is not a part of another word.
pub(crate) fn find_word(text: &str, word: &str) -> Option<usize> {
    let joins = |character: Option<char>| character.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        let (before, after) = (
            text[..at].chars().next_back(),
            text[at + word.len()..].chars().next(),
        );
        !(joins(before) && joins(word.chars().next()) || joins(after) && joins(word.chars().next_back()))
    })
}

/// Whether a macro is open at the end of a line, or a backslash continues it.
#[derive(Debug, Default)]
pub(crate) struct Brackets {
    braces: usize,
    parentheses: usize,
    squares: usize,
    continued: bool,
}

impl Brackets {
    pub(crate) fn are_open(&self) -> bool {
        self.braces > 0 || self.parentheses > 0 || self.squares > 0 || self.continued
    }

    /// Goes through a further line, which includes its line break.
    pub(crate) fn scan(&mut self, line: &[u8]) {
        if !self.are_open() && memchr(b'%', line).is_none() {
            // Most lines are plain, and only a backslash before their end matters. Others are kept from being seen
            // in pairs: of two backslashes the second is plain.
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let backslashes = text.iter().rev().take_while(|&&byte| byte == b'\\').count();
            self.continued = line.ends_with(b"\n") && backslashes % 2 == 1;
            return;
        }
        let mut bytes = line.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                // The byte after a backslash means nothing, but for the line break.
                b'\\' => self.continued |= bytes.next() == Some(b'\n'),
                b'\n' => self.continued = false,
                b'%' => match bytes.peek() {
                    Some(b'{') => {
                        bytes.next();
                        self.braces += 1;
                    }
                    Some(b'(') => {
                        bytes.next();
                        self.parentheses += 1;
                    }
                    Some(b'[') => {
                        bytes.next();
                        self.squares += 1;
                    }
                    Some(b'%') => {
                        bytes.next();
                    }
                    _ => {}
                },
                b'{' if self.braces > 0 => self.braces += 1,
                b'}' => self.braces = self.braces.saturating_sub(1),
                b'(' if self.parentheses > 0 => self.parentheses += 1,
                b')' => self.parentheses = self.parentheses.saturating_sub(1),
                b'[' if self.squares > 0 => self.squares += 1,
                b']' => self.squares = self.squares.saturating_sub(1),
                _ => {}
            }
        }
    }
}
