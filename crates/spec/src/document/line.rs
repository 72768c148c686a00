//! Lines: their bytes, their ends, and what each is. Nothing is expanded.

use std::ops::Range;

/// Most lines that one multi-line macro may have; a longer one is read line by line.
const MAX_UNIT_LINES: usize = 20_000;

/// The names of sections, as rpm 4.20 knows them (build/parseSpec.c of rpm has the list), without the `%`.
const SECTIONS: [&str; 36] = [
    "package",
    "prep",
    "conf",
    "generate_buildrequires",
    "build",
    "install",
    "check",
    "clean",
    "pre",
    "post",
    "preun",
    "postun",
    "pretrans",
    "posttrans",
    "preuntrans",
    "postuntrans",
    "files",
    "changelog",
    "description",
    "triggerin",
    "trigger",
    "triggerun",
    "triggerprein",
    "triggerpostun",
    "verifyscript",
    "sepolicy",
    "filetriggerin",
    "filetrigger",
    "filetriggerun",
    "filetriggerpostun",
    "transfiletriggerin",
    "transfiletrigger",
    "transfiletriggerun",
    "transfiletriggerpostun",
    "patchlist",
    "sourcelist",
];

/// A physical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its text in the document, without its end.
    pub(crate) text: Range<usize>,
    /// Where the next line begins.
    pub(crate) end: usize,
    /// What it is.
    pub(crate) kind: LineKind,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Nothing but blanks.
    Blank,
    /// `#…` or `%dnl …`.
    Comment,
    /// The first line of a section: `%files devel`.
    Header,
    /// A tag of a preamble: `Name: foo`.
    Tag,
    /// `%if`, `%ifarch`, `%ifnarch`, `%ifos`, `%ifnos`.
    If,
    /// `%elif`, `%elifarch`, `%elifos`, `%else`.
    Else,
    /// `%endif`.
    EndIf,
    /// `%define` or `%global`: its first line.
    Definition,
    /// A further line of a macro that has several.
    Continued,
    /// Anything else.
    Text,
}

/// Whether a section's body has tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// A preamble: the top of the file, or `%package`.
    Tags,
    /// Text, a script, a list.
    Text,
}

/// Parts text into lines and says what each is.
pub(crate) fn parse_lines(text: &[u8]) -> Vec<Line> {
    let mut lines = split(text);
    let mut body = Body::Tags;
    let mut at = 0;
    let mut unclosed = false;
    while at < lines.len() {
        let content = String::from_utf8_lossy(&text[lines[at].text.clone()]).into_owned();
        let kind = classify(&content, body);
        lines[at].kind = kind;
        if kind == LineKind::Header {
            body = match section_name(content.trim_start()) {
                Some("package") => Body::Tags,
                _ => Body::Text,
            };
        }
        let end = unit_end(text, &lines, at, kind, &mut unclosed);
        for line in &mut lines[at + 1..end] {
            line.kind = LineKind::Continued;
        }
        at = end;
    }
    lines
}

fn split(text: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(text.len(), |at| start + at + 1);
        let line = &text[start..end];
        let content = line
            .strip_suffix(b"\n")
            .map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.push(Line {
            text: start..start + content.len(),
            end,
            kind: LineKind::Text,
        });
        start = end;
    }
    lines
}

/// Where the macro that begins in line `at` ends: rpm reads on while a brace of `%{`, `%(` or `%[` is open, and, in
/// effect for definitions only, while a line ends with a backslash.
fn unit_end(text: &[u8], lines: &[Line], at: usize, kind: LineKind, unclosed: &mut bool) -> usize {
    let mut depth = Depth::default();
    let last = lines.len().min(at + MAX_UNIT_LINES);
    for (index, line) in lines[..last].iter().enumerate().skip(at) {
        let content = &text[line.text.clone()];
        let backslash = depth.read(content);
        let continues = depth.is_open() && !*unclosed || backslash && kind == LineKind::Definition;
        if !continues {
            return index + 1;
        }
    }
    if depth.is_open() {
        // A brace that nobody closes: rpm refuses such a spec. Its lines are read one by one.
        *unclosed = true;
        return at + 1;
    }
    last.max(at + 1)
}

/// Open braces of macros.
#[derive(Debug, Default)]
struct Depth {
    braces: usize,
    parens: usize,
    brackets: usize,
}

impl Depth {
    fn is_open(&self) -> bool {
        self.braces + self.parens + self.brackets > 0
    }

    /// Reads a line; says whether it ends with a backslash.
    fn read(&mut self, line: &[u8]) -> bool {
        let mut at = 0;
        while at < line.len() {
            match (line[at], line.get(at + 1)) {
                (b'\\', None) => return true,
                (b'\\', Some(_)) | (b'%', Some(b'%')) => at += 1,
                (b'%', Some(b'{')) => (self.braces, at) = (self.braces + 1, at + 1),
                (b'%', Some(b'(')) => (self.parens, at) = (self.parens + 1, at + 1),
                (b'%', Some(b'[')) => (self.brackets, at) = (self.brackets + 1, at + 1),
                (b'{', _) if self.braces > 0 => self.braces += 1,
                (b'(', _) if self.parens > 0 => self.parens += 1,
                (b'[', _) if self.brackets > 0 => self.brackets += 1,
                (b'}', _) => self.braces = self.braces.saturating_sub(1),
                (b')', _) => self.parens = self.parens.saturating_sub(1),
                (b']', _) => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        false
    }
}

fn classify(line: &str, body: Body) -> LineKind {
    let trimmed = line.trim_start_matches([' ', '\t']);
    if trimmed.trim_end().is_empty() {
        return LineKind::Blank;
    }
    if trimmed.starts_with('#') {
        return LineKind::Comment;
    }
    match directive(trimmed) {
        Some("if" | "ifarch" | "ifnarch" | "ifos" | "ifnos") => return LineKind::If,
        Some("elif" | "elifarch" | "elifnarch" | "elifos" | "elifnos" | "else") => return LineKind::Else,
        Some("endif") => return LineKind::EndIf,
        Some("define" | "global") => return LineKind::Definition,
        Some("dnl") => return LineKind::Comment,
        _ => {}
    }
    // In scripts and lists rpm looks for sections at the very start of a line only.
    let header = match body {
        Body::Tags => trimmed,
        Body::Text => line,
    };
    if section_name(header).is_some() {
        return LineKind::Header;
    }
    match body {
        Body::Tags if TagParts::parse(line).is_some() => LineKind::Tag,
        _ => LineKind::Text,
    }
}

/// The name after the `%` at the start of a line.
pub(crate) fn directive(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('%')?;
    let end = rest
        .find(|one: char| !(one.is_ascii_alphanumeric() || one == '_'))
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// The section that a line begins, without its `%`, in lower case.
pub(crate) fn section_name(line: &str) -> Option<&'static str> {
    let name = directive(line)?;
    let after = &line[1 + name.len()..];
    if !(after.is_empty() || after.starts_with(char::is_whitespace)) {
        return None;
    }
    SECTIONS
        .iter()
        .copied()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// A tag's line in its parts: ranges in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagParts {
    /// `Source3`, `Requires(post)`, `Patch%{n}`.
    pub(crate) name: Range<usize>,
    /// The value, without blanks around it.
    pub(crate) value: Range<usize>,
}

impl TagParts {
    pub(crate) fn parse(line: &str) -> Option<TagParts> {
        let start = line.len() - line.trim_start_matches([' ', '\t']).len();
        let bytes = line.as_bytes();
        if !bytes.get(start)?.is_ascii_alphabetic() {
            return None;
        }
        let mut at = start;
        while bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
            at += 1;
        }
        // `Patch%{n}:`, as loops in macros write it.
        if line[at..].starts_with("%{") {
            at += line[at..].find('}')? + 1;
        }
        if bytes.get(at) == Some(&b'(') {
            at += line[at..].find(')')? + 1;
        }
        let name = start..at;
        let colon = at + line[at..].find(|one: char| one != ' ' && one != '\t')?;
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        let rest = &line[colon + 1..];
        let value_start = colon + 1 + (rest.len() - rest.trim_start().len());
        let value_end = (line.trim_end().len()).max(value_start);
        Some(TagParts {
            name,
            value: value_start..value_end,
        })
    }
}
