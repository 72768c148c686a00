//! Edits are made on the bytes: lines put in, replaced and taken out. The text is read anew afterwards.

use std::ops::{Range, RangeInclusive};

use super::Document;

/// What happened to lines. Numbers are from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineChange {
    /// They are new; numbers as they are now.
    Inserted(RangeInclusive<usize>),
    /// They are other ones; numbers as they are now.
    Changed {
        /// The lines.
        lines: RangeInclusive<usize>,
        /// How many places were changed in them.
        count: usize,
    },
    /// They are gone; numbers as they were.
    Removed(RangeInclusive<usize>),
}

/// An edit that was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// What changed, from the top of the file down.
    pub changes: Vec<LineChange>,
    /// What a person should look at, each a sentence without a final full stop.
    pub warnings: Vec<String>,
}

/// A change of lines, counted from 0.
#[derive(Debug, Clone)]
pub(super) enum Splice {
    /// New lines before line `at`, or after the last.
    Insert { at: usize, lines: Vec<String> },
    /// Other text for some lines; `text` has the lines' ends in it.
    Replace {
        lines: Range<usize>,
        text: Vec<u8>,
        count: usize,
    },
    /// Lines to take out.
    Remove { lines: Range<usize> },
}

impl Splice {
    fn start(&self) -> usize {
        match self {
            Splice::Insert { at, .. } => *at,
            Splice::Replace { lines, .. } | Splice::Remove { lines } => lines.start,
        }
    }
}

impl Document {
    /// Makes the changes, which must not overlap, and reads the text anew.
    pub(super) fn commit(&mut self, mut splices: Vec<Splice>) -> Vec<LineChange> {
        splices.sort_by_key(Splice::start);
        let mut out = Vec::with_capacity(self.text.len());
        let mut changes = Vec::new();
        let mut from = 0;
        let mut line_count = 0;
        for splice in splices {
            let start = self.line_start(splice.start());
            let kept = &self.text[from.min(start)..start];
            line_count += newlines(kept);
            out.extend_from_slice(kept);
            from = start;
            match splice {
                Splice::Insert { at, lines } => {
                    let (text, first) = self.new_lines(at, &lines);
                    let count = split_lines(&lines).count();
                    let first = line_count + 1 + first;
                    changes.push(LineChange::Inserted(first..=first + count - 1));
                    line_count += newlines(&text);
                    out.extend_from_slice(&text);
                }
                Splice::Replace { lines, text, count } => {
                    let length =
                        (newlines(&text) + usize::from(!text.is_empty() && !text.ends_with(b"\n"))).max(1);
                    changes.push(LineChange::Changed {
                        lines: line_count + 1..=line_count + length,
                        count,
                    });
                    line_count += newlines(&text);
                    out.extend_from_slice(&text);
                    from = self.line_start(lines.end);
                }
                Splice::Remove { lines } => {
                    changes.push(LineChange::Removed(lines.start + 1..=lines.end));
                    from = self.line_start(lines.end);
                }
            }
        }
        out.extend_from_slice(&self.text[from..]);
        self.text = out;
        self.read();
        changes
    }

    /// The bytes of new lines before line `at`, and how many line ends come before the first: one, when they go behind
    /// a last line that has no end. Then the new last line has none either.
    fn new_lines(&self, at: usize, lines: &[String]) -> (Vec<u8>, usize) {
        let end = self.end_of_line_near(at);
        let parts: Vec<&str> = split_lines(lines).collect();
        let joined = parts.join(end);
        let last_is_open = at >= self.lines.len() && !self.text.is_empty() && !self.text.ends_with(b"\n");
        match last_is_open {
            true => (format!("{end}{joined}").into_bytes(), 1),
            false => (format!("{joined}{end}").into_bytes(), 0),
        }
    }

    /// How the lines around line `at` end: as the line before it, or the next one that has an end.
    fn end_of_line_near(&self, at: usize) -> &'static str {
        let before = self.lines[..at.min(self.lines.len())].iter().rev();
        let after = self.lines[at.min(self.lines.len())..].iter();
        let ended = before.chain(after).find(|line| line.end > line.text.end);
        match ended {
            Some(line) if line.end - line.text.end == 2 => "\r\n",
            _ => "\n",
        }
    }
}

/// The lines that a person wrote: one that has line ends in it is several.
fn split_lines(lines: &[String]) -> impl Iterator<Item = &str> {
    lines.iter().flat_map(|line| {
        let line = line.strip_suffix('\n').unwrap_or(line);
        line.split('\n')
            .map(|part| part.strip_suffix('\r').unwrap_or(part))
    })
}

fn newlines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}
