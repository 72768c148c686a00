//! Control files: paragraphs of `Field: value` (deb822(5), Policy § 5.1). Nothing is copied.

use std::borrow::Cow;

/// The most fields a paragraph may have; real ones have below 50.
pub const MAX_FIELDS: usize = 1024;

/// One paragraph: its fields in their order, as slices of the text it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph<'a> {
    fields: Vec<(&'a str, &'a str)>,
    line: usize,
}

/// Why a control file cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// A line is neither a field, nor a continuation, nor a comment.
    #[error("line {line}: `{text}` is no `Field: value`")]
    NoField {
        /// Which line, counted from 1.
        line: usize,
        /// The line (cut to a readable length).
        text: String,
    },
    /// A continuation line stands where no field began.
    #[error("line {line}: a continuation line, but no field stands before it")]
    StrayContinuation {
        /// Which line, counted from 1.
        line: usize,
    },
    /// A field stands twice in one paragraph.
    #[error("line {line}: the field `{field}` stands twice in one paragraph")]
    Duplicate {
        /// Which line, counted from 1.
        line: usize,
        /// The field.
        field: String,
    },
    /// A paragraph has more than [`MAX_FIELDS`] fields.
    #[error("line {line}: the paragraph has more than {MAX_FIELDS} fields")]
    TooManyFields {
        /// Which line, counted from 1.
        line: usize,
    },
    /// There is no paragraph, or more than the one that is due.
    #[error("the file has {found} paragraphs instead of one")]
    NotOne {
        /// How many there are (at most 2 are counted).
        found: usize,
    },
    /// A field that must be there is not.
    #[error("line {line}: the paragraph has no field `{field}`")]
    Missing {
        /// Where the paragraph begins, counted from 1.
        line: usize,
        /// The field.
        field: &'static str,
    },
}

impl<'a> Paragraph<'a> {
    /// The value of a field, by its name in any case: without the blanks around it; continuation lines as they are,
    /// after a line feed (so a value whose first line is empty begins with one).
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// The value of a field that must be there.
    pub fn required(&self, name: &'static str) -> Result<&'a str, ControlError> {
        self.get(name).ok_or(ControlError::Missing {
            line: self.line,
            field: name,
        })
    }

    /// The value of a text field such as `Description`, unfolded: the first line, then the others without their leading
    /// blank, where a lone `.` is an empty line.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(unfold)
    }

    /// All fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        self.fields.iter().copied()
    }

    /// The line at which the paragraph begins, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

/// Unfolds the value of a text field; see [`Paragraph::text`].
fn unfold(value: &str) -> Cow<'_, str> {
    if !value.contains('\n') {
        return Cow::Borrowed(value);
    }
    let mut lines = value.split('\n');
    let mut text = lines.next().unwrap_or("").trim_end().to_owned();
    for line in lines {
        let line = line.trim_end();
        if line.starts_with('#') {
            continue;
        }
        text.push('\n');
        let line = line.strip_prefix([' ', '\t']).unwrap_or(line);
        if line != "." {
            text.push_str(line);
        }
    }
    Cow::Owned(text)
}

/// Parses the paragraphs of a control file one by one.
pub fn parse_paragraphs(text: &str) -> Paragraphs<'_> {
    Paragraphs {
        rest: text,
        line: 0,
        failed: false,
    }
}

/// Parses a control file of exactly one paragraph.
pub fn parse_paragraph(text: &str) -> Result<Paragraph<'_>, ControlError> {
    let mut paragraphs = parse_paragraphs(text);
    let first = paragraphs.next().ok_or(ControlError::NotOne { found: 0 })??;
    match paragraphs.next() {
        None => Ok(first),
        Some(_) => Err(ControlError::NotOne { found: 2 }),
    }
}

/// The paragraphs of a control file; ends after the first error.
#[derive(Debug, Clone)]
pub struct Paragraphs<'a> {
    rest: &'a str,
    /// The number of lines taken so far.
    line: usize,
    failed: bool,
}

impl<'a> Paragraphs<'a> {
    /// Takes one line, without its line feed.
    fn take_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    fn parse_next(&mut self) -> Result<Option<Paragraph<'a>>, ControlError> {
        let mut fields: Vec<(&'a str, &'a str)> = Vec::new();
        let mut first_line = 0;
        loop {
            let before = self.rest;
            let Some(line) = self.take_line() else { break };
            if line.trim().is_empty() {
                if fields.is_empty() {
                    continue;
                }
                break;
            }
            if line.starts_with('#') {
                continue;
            }
            if line.starts_with([' ', '\t']) {
                return Err(ControlError::StrayContinuation { line: self.line });
            }
            if fields.is_empty() {
                first_line = self.line;
            }
            let (name, colon) = self.field_name(line)?;
            let value = self.take_value(before, colon + 1, line.len());
            if fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                return Err(ControlError::Duplicate {
                    line: self.line,
                    field: name.to_owned(),
                });
            }
            if fields.len() == MAX_FIELDS {
                return Err(ControlError::TooManyFields { line: self.line });
            }
            fields.push((name, value));
        }
        Ok((!fields.is_empty()).then_some(Paragraph {
            fields,
            line: first_line,
        }))
    }

    /// The name of the field that a line begins, and where its colon is.
    fn field_name(&self, line: &'a str) -> Result<(&'a str, usize), ControlError> {
        let colon = line.find(':').unwrap_or(0);
        let name = line[..colon].trim_end();
        let valid = !name.is_empty() && !name.starts_with('-') && name.bytes().all(|c| c.is_ascii_graphic());
        match valid {
            true => Ok((name, colon)),
            false => Err(ControlError::NoField {
                line: self.line,
                text: line.chars().take(80).collect(),
            }),
        }
    }

    /// Takes the continuation lines of the field whose line began at `begin`, and gives the whole value.
    fn take_value(&mut self, begin: &'a str, start: usize, first_length: usize) -> &'a str {
        let mut end = first_length;
        while self.rest.starts_with([' ', '\t', '#']) {
            // A line of blanks alone ends the paragraph, as an empty line does.
            let line = self.rest.split('\n').next().unwrap_or("");
            if line.trim().is_empty() {
                break;
            }
            let continues = !line.starts_with('#');
            self.take_line();
            if continues {
                end = begin.len() - self.rest.len();
            }
        }
        begin[start..end].trim_start_matches([' ', '\t']).trim_end()
    }
}

impl<'a> Iterator for Paragraphs<'a> {
    type Item = Result<Paragraph<'a>, ControlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let result = self.parse_next();
        self.failed = result.is_err();
        result.transpose()
    }
}
