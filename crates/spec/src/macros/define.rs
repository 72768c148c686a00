//! `%define`, `%global` and `%undefine`.

use super::engine::Engine;
use super::error::MacroErrorKind;
use super::expand::{Output, Quotes};
use super::failure::{Result, shown};
use super::notes::Severity;
use super::scan::{self, Brackets};
use super::table::{Body, Definition, Level};

/// How the body of a definition ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyForm {
    /// At the end of the line or of its braces: what follows is text again.
    Line,
    /// At the end of the text: the definition is the argument of `%{define …}`.
    Whole,
}

/// Whether a body is expanded when it is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expanded {
    /// `%define`: when it is used.
    Later,
    /// `%global`: now.
    Now,
}

impl Expanded {
    fn action(self) -> &'static str {
        match self {
            Self::Later => "%define",
            Self::Now => "%global",
        }
    }
}

/// The parts of a definition, and where it ends.
struct Parts {
    name: Vec<u8>,
    options: Option<Vec<u8>>,
    body: Vec<u8>,
    spaced: bool,
    end: usize,
}

impl Engine {
    /// Defines a macro as `--define` and macro files do.
    pub(crate) fn define_line(&mut self, definition: &[u8], level: Level) -> Result<()> {
        self.define(
            definition,
            level,
            Expanded::Later,
            BodyForm::Line,
            &Output::default(),
        )
        .map(|_| ())
    }

    /// Defines a macro from `name(options) body`; gives how much of the text it took.
    pub(crate) fn define(
        &mut self,
        text: &[u8],
        level: Level,
        expanded: Expanded,
        form: BodyForm,
        out: &Output,
    ) -> Result<usize> {
        let parts = parse(text, form)?;
        self.check_name(&parts.name, expanded.action())?;
        if parts.body.is_empty() {
            return Err(malformed(&parts.name, "has empty body"));
        }
        if !parts.spaced {
            let text = format!("Macro %{} needs whitespace before body", shown(&parts.name));
            self.notes.say(Severity::Warning, text);
        }
        let body = match expanded {
            Expanded::Later => Body::Text(parts.body),
            Expanded::Now => {
                let result = self.expand_part(&parts.body, Quotes::Keep, out);
                let result = result.map_err(|failure| failure.leave(&parts.name))?;
                if result.has_quotes {
                    Body::Quoted(result.bytes)
                } else {
                    Body::Text(result.bytes)
                }
            }
        };
        self.table.push(Definition {
            name: parts.name,
            options: parts.options,
            body,
            level,
            automatic: false,
        });
        let limit = self.settings.limits.definitions;
        if self.table.size() > limit {
            return Err(MacroErrorKind::TooLarge {
                limit,
                unit: "bytes of definitions",
            }
            .into());
        }
        Ok(parts.end)
    }

    pub(crate) fn undefine_checked(&mut self, name: &[u8]) -> Result<()> {
        self.check_name(name, "%undefine")?;
        self.table.pop(name);
        Ok(())
    }

    fn check_name(&self, name: &[u8], action: &'static str) -> Result<()> {
        let legal = name
            .first()
            .is_some_and(|&c| c.is_ascii_alphabetic() || (c == b'_' && name.len() > 1));
        if !legal {
            return Err(MacroErrorKind::IllegalName {
                name: shown(name),
                action,
            }
            .into());
        }
        if self
            .table
            .get(name)
            .is_some_and(|it| it.automatic || it.is_builtin())
        {
            return Err(MacroErrorKind::BuiltIn {
                name: shown(name),
                action,
            }
            .into());
        }
        Ok(())
    }
}

fn malformed(name: &[u8], problem: &'static str) -> Box<super::failure::Failure> {
    MacroErrorKind::Definition {
        name: shown(name),
        problem,
    }
    .into()
}

fn parse(text: &[u8], form: BodyForm) -> Result<Parts> {
    let start = scan::skip_blanks(text, 0);
    let mut at = start;
    while text.get(at).is_some_and(|&c| scan::is_name(c)) {
        at += 1;
    }
    let name = text[start..at].to_vec();
    let mut options = None;
    if text.get(at) == Some(&b'(') {
        let Some(length) = memchr::memchr(b')', &text[at + 1..]) else {
            return Err(malformed(&name, "has unterminated opts"));
        };
        options = Some(text[at + 1..at + 1 + length].to_vec());
        at += length + 2;
    }
    let after_head = text.get(at..).unwrap_or_default();
    let spaced = match after_head.first() {
        Some(b'\\') => after_head.get(1).is_some_and(|&c| scan::is_end_of_line(c)),
        Some(&byte) => scan::is_blank(byte),
        None => false,
    };
    at = scan::skip_blanks(text, at);
    let (body, mut end) = if form == BodyForm::Whole {
        (text[at..].to_vec(), text.len())
    } else if text.get(at) == Some(&b'{') {
        match scan::bracket_end(text, at, b'{', b'}') {
            Some(end) => (text[at + 1..end - 1].to_vec(), end),
            None => return Err(malformed(&name, "has unterminated body")),
        }
    } else {
        match line_body(text, at) {
            Some(found) => found,
            None => return Err(malformed(&name, "has unterminated body")),
        }
    };
    while text.get(end).is_some_and(|&c| scan::is_end_of_line(c)) {
        end += 1;
    }
    Ok(Parts {
        name,
        options,
        body,
        spaced,
        end,
    })
}

/// The body up to the end of its line, over escaped newlines and those within braces or parentheses of macros.
fn line_body(text: &[u8], start: usize) -> Option<(Vec<u8>, usize)> {
    let mut body = Vec::new();
    let mut brackets = Brackets::default();
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        if scan::is_end_of_line(byte) && !brackets.carry_lines() {
            break;
        }
        let next = text.get(at + 1).copied();
        match byte {
            b'\\' => {
                // The backslash goes, unless nothing is after it.
                body.push(next.unwrap_or(byte));
                at += if next.is_some() { 2 } else { 1 };
                continue;
            }
            b'%' if brackets.percent(next) => {
                body.push(byte);
                body.extend(next);
                at += 2;
                continue;
            }
            _ => brackets.byte(byte),
        }
        body.push(byte);
        at += 1;
    }
    if !brackets.closed() {
        return None;
    }
    while body
        .last()
        .is_some_and(|&c| scan::is_blank(c) || scan::is_end_of_line(c))
    {
        body.pop();
    }
    Some((body, at))
}
