//! From bytes to lines as the sections see them: joined, expanded, and without the branches that are not taken.
//!
//! ```text
//!  file ──join──▶ chunk ──expand──▶ buffer ──split──▶ line ──directives──▶ the section
//!         while a macro is open             a macro may give many lines
//!         or a backslash ends the line
//! ```
//!
//! The order is rpm's, with its consequences: macros in comments are expanded, a comment with `%{` takes the lines up to
//! the `}` with it, and a macro may expand to `%if` or `%package`.

use std::sync::Arc;

use memchr::memchr;

use crate::Macros;

use super::chunk::{Brackets, OpenFile, find_word};
use super::conditions::Branches;
use super::directive::Directive;
use super::error::{Detail, SpecError, SpecErrorKind};
use super::model::{BuildCondition, Conditional, Outcome, Position, Unknown, UnknownKind, Warning};
use super::options::{Depth, ReadOptions, UnknownMacros};
use super::skim::Skimmer;

/// Files may include each other so deep.
const MAX_INCLUDED: usize = 64;
/// Bytes of all text that is read or expanded for one spec.
const MAX_TEXT: usize = 512 << 20;
/// Bytes that one macro or continuation may take in the file.
const MAX_CHUNK: usize = 32 << 20;
/// So many macros that nobody defines are listed; each is compared with those before it.
const MAX_UNKNOWNS: usize = 5_000;
/// So many warnings and conditionals are kept; more say nothing more.
pub(crate) const MAX_RECORDS: usize = 100_000;

/// What is taken from a line before a section sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strip {
    /// Nothing: scripts.
    Nothing,
    /// Lines that are comments: `%files`, `%changelog`.
    Comments,
    /// Comments and blanks at the end, the line break among them: the preamble, `%description`.
    CommentsAndBlanks,
}

/// What was found while reading, beside the lines.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) conditionals: Vec<Conditional>,
    pub(crate) build_conditions: Vec<BuildCondition>,
    pub(crate) unknowns: Vec<Unknown>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) included: Vec<String>,
}

/// The lines of a spec.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) macros: Macros,
    files: Vec<OpenFile>,
    branches: Branches,
    /// The text of the file from which the buffer is, for messages.
    chunk: String,
    chunk_file: Arc<str>,
    chunk_line: u32,
    buffer: Vec<u8>,
    /// The part of the buffer that was not given yet.
    next: usize,
    line: String,
    /// Bytes that were read and expanded so far.
    taken: usize,
    /// The text of `rpmspec -P`, if it is wanted.
    pub(crate) expanded: Option<String>,
    pub(crate) records: Records,
    /// Lines of scripts are passed over without being expanded where nobody can notice.
    skim: bool,
    unknown_macros: UnknownMacros,
    skimmer: Skimmer,
    main_file: Arc<str>,
}

impl Lines {
    pub(crate) fn new(name: Arc<str>, text: Arc<str>, macros: Macros, options: &ReadOptions) -> Self {
        let expanded =
            (options.depth == Depth::Full).then(|| String::with_capacity(text.len() + text.len() / 4));
        Self {
            macros,
            files: vec![OpenFile {
                name: Arc::clone(&name),
                text,
                at: 0,
                line: 0,
            }],
            branches: Branches::default(),
            chunk: String::new(),
            chunk_file: Arc::clone(&name),
            chunk_line: 0,
            buffer: Vec::new(),
            next: 0,
            line: String::new(),
            taken: 0,
            expanded,
            records: Records::default(),
            skim: false,
            unknown_macros: options.unknown_macros,
            skimmer: Skimmer::default(),
            main_file: name,
        }
    }

    /// Begins or ends the reading of a text that is not kept.
    pub(crate) fn start_skimming(&mut self, skim: bool) {
        self.skim = skim;
        self.skimmer.forget();
    }

    /// Puts other text in the place of the line that was read last, in what [`Lines::expanded`] collects.
    pub(crate) fn replace_expanded(&mut self, length: usize, text: &str) {
        if let Some(expanded) = &mut self.expanded {
            expanded.truncate(expanded.len().saturating_sub(length));
            expanded.push_str(text);
        }
    }

    /// The line that was read last.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// Where the line that was read last is from.
    pub(crate) fn position(&self) -> Position {
        Position {
            file: Arc::clone(&self.chunk_file),
            line: self.chunk_line,
        }
    }

    /// Reads the next line; false at the end.
    pub(crate) fn read(&mut self, strip: Strip) -> Result<bool, SpecError> {
        loop {
            // An expansion to nothing is one empty line.
            if self.next >= self.buffer.len() && !self.fill(strip)? {
                self.line.clear();
                return Ok(false);
            }
            let directive = self.take_line();
            // After an `%include` the lines of the file come, not an empty one.
            if let Some(directive) = directive
                && self.steer(directive)?
            {
                continue;
            }
            if directive.is_some_and(|directive| directive != Directive::Include) || !self.branches.reading()
            {
                self.line.clear();
            }
            self.strip(strip);
            return Ok(true);
        }
    }

    fn strip(&mut self, strip: Strip) {
        let start = self.line.len() - self.line.trim_ascii_start().len();
        if strip != Strip::Nothing && self.line[start..].starts_with('#') {
            // The blanks before a comment stay.
            self.line.truncate(start);
        } else if strip == Strip::CommentsAndBlanks {
            let length = self.line.trim_ascii_end().len();
            self.line.truncate(length);
        }
        if let Some(expanded) = &mut self.expanded {
            expanded.push_str(&self.line);
            if strip == Strip::CommentsAndBlanks {
                expanded.push('\n');
            }
        }
    }

    /// Moves the next line of the buffer to `line`, and says whether it steers.
    fn take_line(&mut self) -> Option<Directive> {
        let rest = self.buffer.get(self.next..).unwrap_or_default();
        let mut end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let first = rest[..end].trim_ascii_start();
        let directive = if first.first() == Some(&b'%') {
            std::str::from_utf8(first).ok().and_then(Directive::parse)
        } else {
            None
        };
        self.line.clear();
        if directive.is_some() {
            // The lines that a backslash joins are one condition.
            while rest[..end].ends_with(b"\\\n") && end < rest.len() {
                end += rest[end..]
                    .iter()
                    .position(|&byte| byte == b'\n')
                    .map_or(rest.len() - end, |at| at + 1);
            }
            let text = String::from_utf8_lossy(&rest[..end]);
            self.line.push_str(&text.replace("\\\n", "  "));
        } else {
            match std::str::from_utf8(&rest[..end]) {
                Ok(text) => self.line.push_str(text),
                Err(_) => self.line.push_str(&String::from_utf8_lossy(&rest[..end])),
            }
        }
        self.next += end;
        directive
    }

    /// Obeys a directive; true if it was an `%include`, whose lines come next.
    fn steer(&mut self, directive: Directive) -> Result<bool, SpecError> {
        let line = std::mem::take(&mut self.line);
        let text = line.trim_ascii();
        let argument = text[directive.name().len()..].trim_ascii();
        let result = self.obey(directive, argument);
        let result = match result {
            Ok(included) => Ok(included),
            Err(kind) => Err(self.error(kind, text)),
        };
        self.line = line;
        result
    }

    fn obey(&mut self, directive: Directive, argument: &str) -> Result<bool, SpecErrorKind> {
        if directive == Directive::Include {
            if !self.branches.reading() {
                return Ok(false);
            }
            self.include(argument)?;
            return Ok(true);
        }
        self.branches.check(directive)?;
        let asked = self.branches.asks(directive);
        let outcome = if asked {
            self.outcome(directive, argument)?
        } else {
            Outcome::NotTaken
        };
        let line = self.chunk_line;
        if asked && self.records.conditionals.len() < MAX_RECORDS && directive != Directive::Endif {
            self.records.conditionals.push(Conditional {
                directive: directive.name(),
                condition: argument.to_owned(),
                position: Position {
                    file: Arc::clone(&self.chunk_file),
                    line,
                },
                outcome,
            });
        }
        let holds = outcome == Outcome::Taken;
        self.branches.apply(directive, holds, line)
    }

    fn outcome(&mut self, directive: Directive, argument: &str) -> Result<Outcome, SpecErrorKind> {
        match self.condition(directive, argument) {
            Ok(true) => Ok(Outcome::Taken),
            Ok(false) => Ok(Outcome::NotTaken),
            // What was not expanded is what the condition can't be evaluated for.
            Err(_) if self.unknown_macros == UnknownMacros::Leave && argument.contains('%') => {
                self.take_notes();
                self.warn(format!("the condition `{argument}` can't be known"));
                Ok(Outcome::Unknown)
            }
            Err(kind) => Err(kind),
        }
    }

    fn condition(&mut self, directive: Directive, argument: &str) -> Result<bool, SpecErrorKind> {
        let bad = |reason: String| SpecErrorKind::BadCondition {
            directive: directive.name(),
            reason,
        };
        let (name, negated) = match directive {
            Directive::If | Directive::Elif => {
                return self
                    .macros
                    .condition(argument)
                    .map_err(|error| bad(error.to_string()));
            }
            Directive::IfArch | Directive::ElifArch => ("_target_cpu", false),
            Directive::IfNArch => ("_target_cpu", true),
            Directive::IfOs | Directive::ElifOs => ("_target_os", false),
            Directive::IfNOs => ("_target_os", true),
            Directive::Else => return Ok(true),
            Directive::Endif | Directive::Include => return Ok(false),
        };
        if argument.is_empty() {
            return Err(bad("a name is expected".to_owned()));
        }
        let own = self.value_of(name);
        Ok(argument
            .split_ascii_whitespace()
            .any(|word| word.eq_ignore_ascii_case(&own))
            != negated)
    }

    /// What a macro expands to, without notes of it.
    pub(crate) fn value_of(&mut self, name: &str) -> String {
        match self.macros.expand(format!("%{{{name}}}")) {
            Ok(expansion) => expansion.to_text(),
            Err(_) => format!("%{{{name}}}"),
        }
    }

    fn include(&mut self, path: &str) -> Result<(), SpecErrorKind> {
        let failed = |reason: String| SpecErrorKind::Include {
            path: path.to_owned(),
            reason,
        };
        if path.is_empty() {
            return Err(failed("a file is expected".to_owned()));
        }
        if self.files.len() >= MAX_INCLUDED {
            return Err(SpecErrorKind::Limit {
                what: "number of files that include each other",
                limit: MAX_INCLUDED,
            });
        }
        let bytes = self.macros.settings().files.read(path).map_err(failed)?;
        self.count(bytes.len())?;
        self.records.included.push(path.to_owned());
        let text = String::from_utf8_lossy(&bytes);
        self.files.push(OpenFile {
            name: Arc::from(path),
            text: Arc::from(&*text),
            at: 0,
            line: 0,
        });
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), SpecErrorKind> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken > MAX_TEXT {
            return Err(SpecErrorKind::Limit {
                what: "text that is read and expanded, in bytes,",
                limit: MAX_TEXT,
            });
        }
        Ok(())
    }

    /// Fills the buffer with the next chunk, expanded; false at the end.
    fn fill(&mut self, strip: Strip) -> Result<bool, SpecError> {
        self.buffer.clear();
        self.next = 0;
        if !self.join()? {
            return self.at_end();
        }
        let chunk = std::mem::take(&mut self.chunk);
        let result = self.expand_chunk(&chunk, strip);
        self.chunk = chunk;
        result.map(|()| true)
    }

    fn at_end(&mut self) -> Result<bool, SpecError> {
        match self.branches.open() {
            None => Ok(false),
            Some((directive, line)) => {
                let error = SpecErrorKind::UnclosedConditional {
                    directive: directive.name(),
                };
                let mut error = SpecError::of_file(&self.main_file, error);
                error.set_line(line);
                Err(error.with_hint("add the %endif that closes it"))
            }
        }
    }

    /// Collects the lines that belong together in `chunk`; false at the end.
    fn join(&mut self) -> Result<bool, SpecError> {
        self.chunk.clear();
        let mut brackets = Brackets::default();
        if self.skim
            && let Some(file) = self.files.last_mut()
        {
            file.pass_plain_lines();
        }
        loop {
            let Some(file) = self.files.last_mut() else {
                if self.chunk.is_empty() {
                    return Ok(false);
                }
                let first = self.chunk.lines().next().unwrap_or_default().to_owned();
                return Err(self
                    .error(SpecErrorKind::UnclosedMacro, first.trim_ascii())
                    .with_hint("close the bracket, or write `%%` for a plain `%`"));
            };
            if file.at >= file.text.len() {
                self.files.pop();
                continue;
            }
            let rest = &file.text[file.at..];
            let end = memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
            let line = &rest[..end];
            file.at += end;
            file.line += 1;
            if self.chunk.is_empty() {
                self.chunk_line = file.line;
                if !Arc::ptr_eq(&self.chunk_file, &file.name) {
                    self.chunk_file = Arc::clone(&file.name);
                }
            }
            self.chunk.push_str(line);
            brackets.scan(line.as_bytes());
            if !brackets.are_open() {
                return Ok(true);
            }
            if self.chunk.len() > MAX_CHUNK {
                let limit = SpecErrorKind::Limit {
                    what: "macro, in bytes,",
                    limit: MAX_CHUNK,
                };
                return Err(self.error(limit, ""));
            }
        }
    }

    fn expand_chunk(&mut self, chunk: &str, strip: Strip) -> Result<(), SpecError> {
        let first = chunk.trim_ascii_start();
        let directive = Directive::parse(first);
        if let Some(directive) = directive
            && !directive.takes_argument()
        {
            let rest = first[directive.name().len()..].trim_ascii();
            if !rest.is_empty() && !rest.starts_with('#') {
                self.warn(format!(
                    "{} is followed by `{rest}`, which has no effect",
                    directive.name()
                ));
            }
        }
        let wanted = match directive {
            Some(directive) if directive.is_elif() => self.branches.asks(directive),
            _ => self.branches.reading(),
        };
        if !wanted || memchr(b'%', chunk.as_bytes()).is_none() {
            self.buffer.extend_from_slice(chunk.as_bytes());
            return Ok(());
        }
        let mut text = chunk.as_bytes();
        if self.skim && directive.is_none() {
            if let Some(options) = chunk.strip_prefix("%autosetup") {
                // Only the folder that it enters matters, which `%setup` is asked for.
                self.buffer.extend_from_slice(b"%setup");
                text = options.as_bytes();
            } else if !chunk.starts_with("%setup") && self.skimmer.is_inert(text, &self.macros) {
                // A line break stands for the lines: texts that are skimmed are not kept.
                self.buffer.push(b'\n');
                return Ok(());
            }
            self.skimmer.forget();
        }
        if chunk.contains("__file_lineno") {
            self.macros
                .set("__file_lineno", self.chunk_line.to_string(), crate::Level::SPEC);
        }
        let result = self.macros.expand_into(text, &mut self.buffer);
        self.take_notes();
        if let Err(error) = result {
            let trace = error.trace();
            let reason = if trace.is_empty() {
                error.to_string()
            } else {
                format!("{error} ({trace})")
            };
            return Err(self.error_at(SpecErrorKind::Macro { reason }, error.offset));
        }
        let size = self.buffer.len();
        self.count(size).map_err(|kind| self.error(kind, ""))?;
        if chunk.contains("bcond") {
            super::conditions::record_build_conditions(self, chunk);
        }
        if strip != Strip::Nothing
            && first.starts_with('#')
            && first.replace("%%", "%").as_bytes() != self.buffer.trim_ascii_start()
        {
            self.warn("a macro is expanded in a comment".to_owned());
        }
        Ok(())
    }

    /// Moves what the engine noted to the records.
    pub(crate) fn take_notes(&mut self) {
        if self.macros.notes().is_empty() {
            return;
        }
        let notes = self.macros.take_notes();
        let macros = notes.undefined.into_iter().map(UnknownKind::Macro);
        let commands = notes.not_run.into_iter().map(UnknownKind::Command);
        for kind in macros.chain(commands) {
            // `%prep` and its like are no macros, though the engine can't know it.
            let known = matches!(&kind, UnknownKind::Macro(name) if super::section::is_word_of_specs(name));
            let seen = self.records.unknowns.iter().any(|unknown| unknown.kind == kind);
            if !known && !seen && self.records.unknowns.len() < MAX_UNKNOWNS {
                let position = self.position();
                self.records.unknowns.push(Unknown { kind, position });
            }
        }
        for message in notes.messages {
            if message.severity != crate::Severity::Echo {
                self.warn(message.text);
            }
        }
    }

    pub(crate) fn warn(&mut self, text: String) {
        if self.records.warnings.len() < MAX_RECORDS {
            let position = self.position();
            self.records.warnings.push(Warning { text, position });
        }
    }

    /// An error at a word of the line that was read last: its place in the file, if the word stands there.
    pub(crate) fn error(&self, kind: SpecErrorKind, word: &str) -> SpecError {
        let at = if word.is_empty() {
            None
        } else {
            find_word(&self.chunk, word)
        };
        let (start, length) = match at {
            Some(at) => (at, word.len()),
            None => {
                // The word is made by macros: the line as a whole is wrong.
                let start = self.chunk.len() - self.chunk.trim_ascii_start().len();
                (
                    start,
                    self.chunk.trim_ascii().lines().next().unwrap_or_default().len(),
                )
            }
        };
        self.error_span(kind, start, length)
    }

    /// An error at a byte of the chunk: the macro that begins there.
    fn error_at(&self, kind: SpecErrorKind, offset: usize) -> SpecError {
        let offset = (0..=offset.min(self.chunk.len()))
            .rev()
            .find(|&at| self.chunk.is_char_boundary(at))
            .unwrap_or(0);
        let rest = self.chunk[offset..].lines().next().unwrap_or_default();
        self.error_span(kind, offset, rest.trim_ascii_end().len())
    }

    fn error_span(&self, kind: SpecErrorKind, start: usize, length: usize) -> SpecError {
        let line_start = self.chunk[..start].rfind('\n').map_or(0, |at| at + 1);
        let skipped = self.chunk[..start].matches('\n').count();
        let source_line = self.chunk[line_start..].lines().next().unwrap_or_default();
        let column = start - line_start + 1;
        SpecError::new(Detail {
            position: Position {
                file: Arc::clone(&self.chunk_file),
                line: self
                    .chunk_line
                    .saturating_add(u32::try_from(skipped).unwrap_or(0)),
            },
            column,
            length: length.min(source_line.len().saturating_sub(column - 1)).max(1),
            source_line: source_line.to_owned(),
            kind,
            hint: None,
        })
    }
}
