//! Macro files: `%name(options) body`, a definition a line, continued by `\` or by an open bracket of a macro.

use super::engine::Engine;
use super::error::MacroErrorKind;
use super::failure::Result;
use super::notes::Severity;
use super::scan::{self, Brackets};
use super::table::Level;

impl Engine {
    /// Reads the macro files of a path, patterns with `:` between. Definitions that are wrong are noted.
    pub(crate) fn load_path(&mut self, path: &str) {
        for pattern in path.split(':').filter(|pattern| !pattern.is_empty()) {
            for file in self.settings.files.glob(pattern) {
                // What package managers and editors leave behind is not read.
                let left_behind = [".rpmnew", ".rpmsave", ".rpmorig"]
                    .iter()
                    .any(|suffix| file.ends_with(suffix));
                if left_behind || !file.ends_with(|c: char| c.is_ascii_alphanumeric()) {
                    continue;
                }
                if let Err(failure) = self.load_file(&file) {
                    self.notes.say(Severity::Error, failure.kind.to_string());
                }
            }
        }
    }

    /// Reads a macro file.
    pub(crate) fn load_file(&mut self, path: &str) -> Result<()> {
        let files = self.settings.files.clone();
        let content = files.read(path);
        let content = content.map_err(|reason| MacroErrorKind::Load {
            path: path.to_owned(),
            reason,
        })?;
        self.load_text(path, &content)
    }

    /// Reads the text of a macro file: every definition is tried before the first one that is wrong is reported.
    pub(crate) fn load_text(&mut self, path: &str, text: &[u8]) -> Result<()> {
        let mut first: Option<String> = None;
        let mut lines = Lines {
            text,
            at: 0,
            number: 0,
        };
        while let Some((number, line)) = lines.next_definition() {
            if let Err(failure) = self.define_line(&line, Level::MACRO_FILE) {
                let reason = format!("line {number}: {}", failure.kind);
                self.notes.say(Severity::Error, format!("{path}: {reason}"));
                first.get_or_insert(reason);
            }
        }
        match first {
            None => Ok(()),
            Some(reason) => Err(MacroErrorKind::Load {
                path: path.to_owned(),
                reason,
            }
            .into()),
        }
    }
}

/// The logical lines of a macro file.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line that begins a definition, with all that continues it and without its `%`; and its number.
    fn next_definition(&mut self) -> Option<(usize, Vec<u8>)> {
        loop {
            let line = self.next_line()?;
            let number = self.number;
            let start = scan::skip_blanks(line, 0);
            if line.get(start) != Some(&b'%') {
                continue;
            }
            let mut whole = line.to_vec();
            let mut brackets = Brackets::default();
            let mut counted = start;
            loop {
                count(&whole, &mut counted, &mut brackets);
                if whole.last() != Some(&b'\\') && brackets.closed() {
                    break;
                }
                let Some(line) = self.next_line() else { break };
                whole.push(b'\n');
                whole.extend_from_slice(line);
            }
            whole.drain(..=start);
            return Some((number, whole));
        }
    }

    /// The next physical line, without its end.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest);
        let mut line = &rest[..end.unwrap_or(rest.len())];
        self.at += end.map_or(rest.len(), |end| end + 1);
        self.number += 1;
        while let Some((_, before)) = line.split_last().filter(|(last, _)| scan::is_end_of_line(**last)) {
            line = before;
        }
        Some(line)
    }
}

/// Counts brackets in a line from `at` on. A backslash hides what is after it, also a newline that is yet to come.
fn count(line: &[u8], at: &mut usize, brackets: &mut Brackets) {
    while let Some(&byte) = line.get(*at) {
        let next = line.get(*at + 1).copied();
        *at += 1;
        match byte {
            b'\\' => *at += 1,
            b'%' => *at += usize::from(brackets.percent(next)),
            _ => brackets.byte(byte),
        }
    }
}
