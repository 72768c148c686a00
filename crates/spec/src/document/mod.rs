//! The text of a spec, changed line by line: what an edit does not name keeps every byte.
//!
//! Macros are not expanded. The text is parted into lines, and lines into sections, tags, conditional blocks and
//! macros of several lines, as far as that can be told without expanding anything. An edit is made on the bytes, and
//! the text is read anew after it; so nothing outside of an edit can change.
//!
//! ```text
//!  bytes ──parse──▶ Document ──add_tag, append, replace, remove_subpackage, …──▶ Document ──to_bytes──▶ bytes
//!                       └────────▶ Edit: which lines, and warnings   (or EditError, and nothing has changed)
//! ```
//!
//! | thing | how it is told |
//! |---|---|
//! | section | a line that begins with `%name`, one of rpm's sections, before a blank or the end |
//! | package of a section | `-n NAME`, or the first word that is no option or an option's value |
//! | tag | in a preamble: letters, digits, a qualifier in parentheses, a colon |
//! | conditional | `%if…`, `%el…`, `%endif` at the start of a line, blanks aside |
//! | macro of several lines | an open `%{`, `%(` or `%[`; of definitions, a backslash at the end |
//!
//! Lines end with LF or CRLF; a new line ends as its neighbour does. A file without an end of its last line stays so.

mod edit;
mod error;
mod header;
mod line;
mod nearest;
mod patches;
mod remove;
mod search;
mod sections;
mod tags;

use std::borrow::Cow;
use std::ops::Range;

use header::{Header, Names};
use line::{Line, TagParts, directive, parse_lines};

pub use edit::{Edit, LineChange};
pub use error::{EditContext, EditError, EditErrorKind, NearLine};
pub use header::PackageRef;
pub use line::LineKind;
pub use nearest::nearest_line;
pub use patches::PatchUse;
pub use search::{Reach, Substitute, TooLong};
pub use sections::Scope;
pub use tags::Tag;

/// The text of a spec.
#[derive(Debug, Clone)]
pub struct Document {
    text: Vec<u8>,
    lines: Vec<Line>,
    sections: Vec<Section>,
    blocks: Blocks,
    names: Names,
}

/// A section: a range of lines. The first is the preamble of the main package, which has no header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name without the `%`, in lower case; empty for the preamble of the main package.
    pub name: &'static str,
    /// The package that it is for.
    pub package: PackageRef,
    /// Its lines, from 0, its header among them.
    pub lines: Range<usize>,
    /// Its lines without its header.
    pub body: Range<usize>,
}

/// The conditional blocks: lines from 0.
#[derive(Debug, Clone, Default)]
struct Blocks {
    /// Sorted by their first lines.
    blocks: Vec<Block>,
    /// A `%endif` or `%else` without its `%if`, or an `%if` without its `%endif`.
    unbalanced: Option<usize>,
}

/// From an `%if` to its `%endif`.
#[derive(Debug, Clone)]
struct Block {
    start: usize,
    branches: Vec<usize>,
    end: usize,
}

impl Block {
    fn directives(&self) -> impl Iterator<Item = usize> {
        let middle = self.branches.iter().copied();
        std::iter::once(self.start)
            .chain(middle)
            .chain(std::iter::once(self.end))
    }

    fn is_inside(&self, lines: &Range<usize>) -> bool {
        lines.contains(&self.start) && lines.contains(&self.end)
    }
}

impl Document {
    /// Reads the text of a spec. Every text is a document: what makes no sense is a line of text.
    #[must_use]
    pub fn parse(text: &[u8]) -> Document {
        let mut document = Document {
            text: text.to_vec(),
            lines: Vec::new(),
            sections: Vec::new(),
            blocks: Blocks::default(),
            names: Names::default(),
        };
        document.read();
        document
    }

    /// The text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.text.clone()
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// How many lines there are.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The text of a line, from 0, without its end.
    #[must_use]
    pub fn line(&self, index: usize) -> Cow<'_, str> {
        String::from_utf8_lossy(self.line_bytes(index))
    }

    /// What a line is.
    #[must_use]
    pub fn line_kind(&self, index: usize) -> Option<LineKind> {
        self.lines.get(index).map(|line| line.kind)
    }

    /// The sections, in order, the first being the preamble of the main package.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    fn line_bytes(&self, index: usize) -> &[u8] {
        self.lines
            .get(index)
            .map_or(&[], |line| &self.text[line.text.clone()])
    }

    /// Where a line begins; for the line after the last, the end of the text.
    fn line_start(&self, index: usize) -> usize {
        self.lines
            .get(index)
            .map_or(self.text.len(), |line| line.text.start)
    }

    fn kind(&self, index: usize) -> LineKind {
        self.lines.get(index).map_or(LineKind::Blank, |line| line.kind)
    }

    /// The end of what begins in a line: past the lines that continue it.
    fn unit_end(&self, index: usize) -> usize {
        let rest = self.lines.iter().skip(index + 1);
        index + 1 + rest.take_while(|line| line.kind == LineKind::Continued).count()
    }

    /// The text of what begins in a line, with the lines that continue it.
    fn unit_text(&self, index: usize) -> Cow<'_, str> {
        let end = self.line_start(self.unit_end(index));
        String::from_utf8_lossy(&self.text[self.line_start(index)..end])
    }

    fn read(&mut self) {
        self.lines = parse_lines(&self.text);
        self.sections = self.read_sections();
        self.blocks = self.read_blocks();
        self.names = self.read_names();
    }

    fn read_sections(&self) -> Vec<Section> {
        let mut sections = vec![Section {
            name: "",
            package: PackageRef::Main,
            lines: 0..self.lines.len(),
            body: 0..self.lines.len(),
        }];
        for (index, line) in self.lines.iter().enumerate() {
            if line.kind != LineKind::Header {
                continue;
            }
            let Some(header) = Header::parse(&self.unit_text(index)) else {
                continue;
            };
            if let Some(last) = sections.last_mut() {
                (last.lines.end, last.body.end) = (index, last.body.end.min(index));
            }
            let end = self.lines.len();
            sections.push(Section {
                name: header.name,
                package: header.package,
                lines: index..end,
                body: self.unit_end(index)..end,
            });
        }
        sections
    }

    fn read_blocks(&self) -> Blocks {
        let mut blocks = Blocks::default();
        let mut open: Vec<Block> = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            match line.kind {
                LineKind::If => open.push(Block {
                    start: index,
                    branches: Vec::new(),
                    end: index,
                }),
                LineKind::Else => match open.last_mut() {
                    Some(block) => block.branches.push(index),
                    None => blocks.unbalanced = blocks.unbalanced.or(Some(index)),
                },
                LineKind::EndIf => match open.pop() {
                    Some(block) => blocks.blocks.push(Block { end: index, ..block }),
                    None => blocks.unbalanced = blocks.unbalanced.or(Some(index)),
                },
                _ => {}
            }
        }
        if let Some(block) = open.first() {
            blocks.unbalanced = blocks.unbalanced.or(Some(block.start));
        }
        blocks.blocks.sort_by_key(|block| block.start);
        blocks
    }

    fn read_names(&self) -> Names {
        let mut names = Names::default();
        for (index, line) in self.lines.iter().enumerate() {
            if line.kind == LineKind::Definition {
                match definition(&self.unit_text(index)) {
                    Some((name, value)) => names.define(name, value),
                    None => {
                        if let Some(name) = defined_name(&self.line(index)) {
                            names.forget(name);
                        }
                    }
                }
            }
        }
        let preamble = self.sections[0].body.clone();
        for index in preamble.filter(|index| self.kind(*index) == LineKind::Tag) {
            let line = self.line(index);
            if let Some(parts) = TagParts::parse(&line) {
                let name = &line[parts.name];
                if name.eq_ignore_ascii_case("name") || name.eq_ignore_ascii_case("version") {
                    names.define(&name.to_ascii_lowercase(), &line[parts.value]);
                }
            }
        }
        names
    }
}

/// The macro that a `%define` or `%global` line defines, if it has no parameters and one line, and its value.
fn definition(line: &str) -> Option<(&str, &str)> {
    let name = defined_name(line)?;
    let at = line.find(name)? + name.len();
    let value = &line[at..];
    let plain = value.starts_with([' ', '\t']) && !value.trim_end().contains(['\n', '\\']);
    plain.then_some((name, value))
}

/// The name that a `%define` or `%global` line defines.
fn defined_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let word = directive(line)?;
    let rest = line[1 + word.len()..].trim_start();
    let end = rest
        .find(|one: char| !(one.is_ascii_alphanumeric() || one == '_'))
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}
