//! Search and replace with regular expressions.

use regex::bytes::{Captures, Regex};

use super::edit::{Edit, Splice};
use super::error::{EditError, EditErrorKind};
use super::line::LineKind;
use super::sections::Scope;
use super::{Document, nearest_line};

/// Largest text after a replacement, in bytes.
const MAX_RESULT: usize = 64 << 20;

/// What a regular expression is matched against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Each line by itself, without its end.
    EachLine,
    /// The whole text of the section, without its header, or of the file.
    WholeText,
}

/// What takes the place of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substitute<'a> {
    /// This text.
    Literal(&'a str),
    /// This text, in which `$1`, `${1}` and `${name}` are what a group matched, and `$$` is a dollar sign.
    Captures(&'a str),
}

impl Substitute<'_> {
    /// `text` with all matches replaced, and how many there were.
    ///
    /// # Errors
    /// The result would be longer than `limit` bytes.
    pub fn replace_all(
        &self,
        pattern: &Regex,
        text: &[u8],
        limit: usize,
    ) -> Result<(Vec<u8>, usize), TooLong> {
        let mut out = Vec::with_capacity(text.len());
        let mut from = 0;
        let mut count = 0;
        for found in pattern.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            out.extend_from_slice(&text[from..whole.start()]);
            self.expand(&found, &mut out);
            from = whole.end();
            count += 1;
            if out.len() > limit {
                return Err(TooLong { limit });
            }
        }
        out.extend_from_slice(&text[from..]);
        match out.len() > limit {
            true => Err(TooLong { limit }),
            false => Ok((out, count)),
        }
    }

    fn expand(&self, found: &Captures<'_>, out: &mut Vec<u8>) {
        match self {
            Substitute::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Substitute::Captures(text) => found.expand(text.as_bytes(), out),
        }
    }
}

/// The result of a replacement would be too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the result of the replacement would be longer than {limit} bytes")]
pub struct TooLong {
    /// The limit in bytes.
    pub limit: usize,
}

impl Document {
    /// Replaces all that a pattern matches. It must match, and something must be different afterwards. Without a
    /// package, sections of the name are searched whatever their package. `wanted` is about what the pattern matches,
    /// as plain text: it finds the nearest line when nothing matches.
    ///
    /// # Errors
    /// [`EditErrorKind::NoMatch`], [`EditErrorKind::NoChange`], [`EditErrorKind::NoSection`],
    /// [`EditErrorKind::Refused`].
    pub fn replace(
        &mut self,
        scope: Scope<'_>,
        pattern: &Regex,
        reach: Reach,
        substitute: Substitute<'_>,
        wanted: &str,
    ) -> Result<Edit, EditError> {
        let ranges = self.searched(scope)?;
        let mut splices = Vec::new();
        let mut matched = None;
        let mut length = 0;
        for range in &ranges {
            let units: Vec<std::ops::Range<usize>> = match reach {
                Reach::EachLine => range.clone().map(|line| line..line + 1).collect(),
                Reach::WholeText => vec![range.clone()],
            };
            for lines in units.into_iter().filter(|lines| !lines.is_empty()) {
                let start = self.line_start(lines.start);
                let (text, end) = match reach {
                    Reach::EachLine => (self.line_bytes(lines.start), self.line_end(lines.start)),
                    Reach::WholeText => (&self.text[start..self.line_start(lines.end)], &[][..]),
                };
                if !pattern.is_match(text) {
                    continue;
                }
                matched = matched.or(Some(lines.start));
                let (mut new, count) = substitute
                    .replace_all(pattern, text, MAX_RESULT)
                    .map_err(|error| EditError::new(EditErrorKind::Refused, error.to_string()))?;
                length += new.len();
                if length > MAX_RESULT {
                    let error = TooLong { limit: MAX_RESULT };
                    return Err(EditError::new(EditErrorKind::Refused, error.to_string()));
                }
                if new != text {
                    new.extend_from_slice(end);
                    splices.push(self.narrowed(lines, new, count));
                }
            }
        }
        if splices.is_empty() {
            return Err(self.not_replaced(scope, pattern, reach, wanted, matched, &ranges));
        }
        Ok(Edit {
            changes: self.commit(splices),
            warnings: Vec::new(),
        })
    }

    /// How a line ends, in bytes.
    fn line_end(&self, index: usize) -> &[u8] {
        self.lines
            .get(index)
            .map_or(&[], |line| &self.text[line.text.end..line.end])
    }

    /// A replacement without the lines at its start and end that stay as they are, so that it names what changed.
    fn narrowed(&self, lines: std::ops::Range<usize>, new: Vec<u8>, count: usize) -> Splice {
        let (mut start, mut end) = (lines.start, lines.end);
        let (mut from, mut to) = (0, new.len());
        let line = |index: usize| &self.text[self.line_start(index)..self.line_start(index + 1)];
        while start + 1 < end
            && new[from..to].len() > line(start).len()
            && new[from..to].starts_with(line(start))
        {
            from += line(start).len();
            start += 1;
        }
        while end > start + 1
            && new[from..to].len() > line(end - 1).len()
            && new[from..to].ends_with(line(end - 1))
        {
            // The line must be a whole line of the new text too.
            let rest = to - line(end - 1).len();
            if new[rest - 1] != b'\n' {
                break;
            }
            to = rest;
            end -= 1;
        }
        Splice::Replace {
            lines: start..end,
            text: new[from..to].to_vec(),
            count,
        }
    }

    fn searched(&self, scope: Scope<'_>) -> Result<Vec<std::ops::Range<usize>>, EditError> {
        let (name, package) = match scope {
            Scope::WholeSpec => return Ok(std::iter::once(0..self.lines.len()).collect()),
            Scope::Section { name, package } => (name, package),
        };
        let sections = match package {
            Some(_) => self.find_sections(name, package)?,
            None => {
                let plain = super::sections::plain_name(name);
                let all: Vec<usize> = (1..self.sections.len())
                    .filter(|at| self.sections[*at].name == plain)
                    .collect();
                match all.is_empty() {
                    true => self.find_sections(name, package)?,
                    false => all,
                }
            }
        };
        Ok(sections
            .into_iter()
            .map(|at| self.sections[at].body.clone())
            .collect())
    }

    fn not_replaced(
        &self,
        scope: Scope<'_>,
        pattern: &Regex,
        reach: Reach,
        wanted: &str,
        matched: Option<usize>,
        ranges: &[std::ops::Range<usize>],
    ) -> EditError {
        let error = match matched {
            Some(line) => {
                let problem = "the pattern matches, but what takes the place of the match is the same text";
                EditError::new(EditErrorKind::NoChange, problem)
                    .nearest(Some(self.near(line)))
                    .hint("upstream may have made this change: drop the overlay")
            }
            None => {
                let lines = ranges
                    .iter()
                    .cloned()
                    .flatten()
                    .map(|at| (at + 1, self.line_bytes(at)));
                let error = EditError::new(EditErrorKind::NoMatch, "the pattern matches nothing")
                    .nearest(nearest_line(wanted, lines));
                match self.match_hint(pattern, reach, ranges) {
                    Some(hint) => error.hint(hint),
                    None => error,
                }
            }
        };
        let error = error.looked_for(pattern.as_str());
        match scope {
            Scope::WholeSpec => error,
            Scope::Section { name, package: None } => error.section(name),
            Scope::Section {
                name,
                package: Some(package),
            } => error.section(format!("{name} {package}")),
        }
    }

    /// Where the pattern would match.
    fn match_hint(&self, pattern: &Regex, reach: Reach, ranges: &[std::ops::Range<usize>]) -> Option<String> {
        let searched = |line: usize| ranges.iter().any(|range| range.contains(&line));
        let elsewhere = (0..self.lines.len())
            .filter(|line| !searched(*line) && self.kind(*line) != LineKind::Header)
            .find(|line| pattern.is_match(self.line_bytes(*line)));
        if let Some(line) = elsewhere {
            return Some(format!(
                "it matches in {}, line {}",
                self.section_of_line(line),
                line + 1
            ));
        }
        let across = |range: &std::ops::Range<usize>| {
            pattern.is_match(&self.text[self.line_start(range.start)..self.line_start(range.end)])
        };
        let multi_line = reach == Reach::EachLine && ranges.iter().any(across);
        multi_line.then(|| "it matches across the ends of lines: set `multi-line = true`".to_owned())
    }
}
