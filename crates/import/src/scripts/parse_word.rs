//! The part of the reader that takes words apart: quotes, expansions, substitutions (2.2, 2.6).

use super::ast::{Part, Word};
use super::parse::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn some_word(&mut self) -> Parsed<Word> {
        self.count()?;
        let mut parts = Vec::new();
        let mut plain = String::new();
        while !self.at_word_end() {
            let part = match self.peek() {
                Some(b'\'') => {
                    let end = self.text[self.at + 1..]
                        .find('\'')
                        .ok_or_else(|| self.fail("a quote does not close"))?;
                    let exact = self.text[self.at + 1..self.at + 1 + end].to_owned();
                    self.at += end + 2;
                    Part::Exact(exact)
                }
                Some(b'"') => {
                    self.at += 1;
                    Part::Double(self.nested(|p| p.double_quoted(Some(b'"')))?)
                }
                Some(b'\\') => {
                    let next = self.text[self.at + 1..].chars().next();
                    self.at += 1 + next.map_or(0, char::len_utf8);
                    match next {
                        Some('\n') | None => continue,
                        Some(c) => Part::Exact(c.to_string()),
                    }
                }
                Some(b'$') => self.dollar()?,
                Some(b'`') => self.backticks()?,
                _ => {
                    let c = self.text[self.at..].chars().next().unwrap_or(' ');
                    self.at += c.len_utf8();
                    plain.push(c);
                    continue;
                }
            };
            if !plain.is_empty() {
                parts.push(Part::Plain(std::mem::take(&mut plain)));
            }
            parts.push(part);
        }
        if !plain.is_empty() {
            parts.push(Part::Plain(plain));
        }
        if parts.is_empty() {
            return Err(self.fail("a word is missing"));
        }
        Ok(Word(parts))
    }

    /// The inside of `"…"`, up to `close`; of a here-document, up to the end.
    pub(super) fn double_quoted(&mut self, close: Option<u8>) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        let mut exact = String::new();
        loop {
            let part = match self.peek() {
                None if close.is_none() => break,
                None => return Err(self.fail("a quote does not close")),
                c if c == close => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => {
                    let next = self.text[self.at + 1..].chars().next();
                    self.at += 1 + next.map_or(0, char::len_utf8);
                    match next {
                        Some('\n') | None => {}
                        Some(c) if "$`\"\\".contains(c) => exact.push(c),
                        Some(c) => exact.extend(['\\', c]),
                    }
                    continue;
                }
                Some(b'$') => self.dollar()?,
                Some(b'`') => self.backticks()?,
                _ => {
                    let c = self.text[self.at..].chars().next().unwrap_or(' ');
                    self.at += c.len_utf8();
                    exact.push(c);
                    continue;
                }
            };
            if !exact.is_empty() {
                parts.push(Part::Exact(std::mem::take(&mut exact)));
            }
            parts.push(part);
        }
        if !exact.is_empty() {
            parts.push(Part::Exact(exact));
        }
        Ok(parts)
    }

    /// What begins with `$`.
    fn dollar(&mut self) -> Parsed<Part> {
        if self.starts("$((") {
            return self.arithmetic();
        }
        if self.starts("$(") {
            self.at += 2;
            let body = self.list(&[])?;
            self.expect_byte(b')')?;
            return Ok(Part::Command(Box::new(body)));
        }
        if self.starts("${") {
            return self.nested(Self::braced);
        }
        self.at += 1;
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let name = match rest.chars().next() {
            Some(c) if c.is_ascii_digit() || "@*#?$!-".contains(c) => &rest[..1],
            Some(c) if c.is_ascii_alphabetic() || c == '_' => &rest[..end],
            _ => return Ok(Part::Exact("$".to_owned())),
        };
        self.at += name.len();
        Ok(Part::Variable {
            name: name.to_owned(),
            operator: None,
        })
    }

    fn arithmetic(&mut self) -> Parsed<Part> {
        self.at += 3;
        let mut open = 2;
        while open > 0 {
            match self.peek() {
                None => return Err(self.fail("an arithmetic expression does not close")),
                Some(b'(') => open += 1,
                Some(b')') => open -= 1,
                _ => {}
            }
            self.at += 1;
        }
        Ok(Part::Arithmetic)
    }

    /// `${name}`, `${name:-word}`, `${#name}`.
    fn braced(&mut self) -> Parsed<Part> {
        self.at += 2;
        let length = self.starts("#") && !self.starts("#}");
        self.at += usize::from(length);
        let rest = &self.text[self.at..];
        let mut end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        if end == 0 {
            end = rest.chars().next().map_or(0, char::len_utf8);
        }
        let name = rest[..end].to_owned();
        self.at += end;
        let mut sign = String::new();
        if length {
            sign.push_str("length");
        }
        while let Some(c @ (b':' | b'-' | b'+' | b'=' | b'?' | b'#' | b'%' | b'/' | b'^' | b',')) =
            self.peek()
        {
            let repeated = sign == "#" || sign == "%";
            if !sign.is_empty() && sign != ":" && !(repeated && sign.as_bytes() == [c]) {
                break;
            }
            sign.push(char::from(c));
            self.at += 1;
        }
        let parts = self.brace_word()?;
        let operator = (!sign.is_empty()).then_some((sign, Word(parts)));
        Ok(Part::Variable { name, operator })
    }

    /// The word of a braced expansion, up to its `}`.
    fn brace_word(&mut self) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.fail("an expansion does not close")),
                Some(b'}') => {
                    self.at += 1;
                    return Ok(parts);
                }
                Some(b'$') => parts.push(self.dollar()?),
                Some(b'`') => parts.push(self.backticks()?),
                Some(b'"') => {
                    self.at += 1;
                    parts.push(Part::Double(self.nested(|p| p.double_quoted(Some(b'"')))?));
                }
                Some(b'\'') => {
                    let end = self.text[self.at + 1..]
                        .find('\'')
                        .ok_or_else(|| self.fail("a quote does not close"))?;
                    parts.push(Part::Exact(self.text[self.at + 1..self.at + 1 + end].to_owned()));
                    self.at += end + 2;
                }
                Some(b'\\') => {
                    let next = self.text[self.at + 1..].chars().next();
                    self.at += 1 + next.map_or(0, char::len_utf8);
                    parts.extend(next.map(|c| Part::Exact(c.to_string())));
                }
                _ => {
                    let c = self.text[self.at..].chars().next().unwrap_or(' ');
                    self.at += c.len_utf8();
                    parts.push(Part::Plain(c.to_string()));
                }
            }
        }
    }

    fn backticks(&mut self) -> Parsed<Part> {
        let line = self.line_at(self.at);
        self.at += 1;
        let mut inside = String::new();
        loop {
            let c = self.text[self.at..]
                .chars()
                .next()
                .ok_or_else(|| self.fail("a backtick does not close"))?;
            self.at += c.len_utf8();
            match c {
                '`' => break,
                '\\' => {
                    let next = self.text[self.at..].chars().next();
                    self.at += next.map_or(0, char::len_utf8);
                    match next {
                        Some(n) if "`$\\".contains(n) => inside.push(n),
                        Some(n) => inside.extend(['\\', n]),
                        None => {}
                    }
                }
                c => inside.push(c),
            }
        }
        let mut inner = self.cut_out(&inside, line)?;
        let body = inner.list(&[])?;
        let nodes = inner.nodes;
        if inner.at < inside.len() {
            return Err(self.fail("a word that closes nothing in backticks"));
        }
        self.nodes = nodes;
        Ok(Part::Command(Box::new(body)))
    }
}
