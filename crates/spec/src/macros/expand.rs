//! The expansion itself.

use std::sync::Arc;

use super::arguments::{QUOTE, join, join_quoted, parse_options, split_quoted, unquote};
use super::builtin::Arguments;
use super::engine::Engine;
use super::error::MacroErrorKind;
use super::expression::{Terms, evaluate};
use super::failure::{Result, shown};
use super::notes::Severity;
use super::scan;
use super::settings::Dialect;
use super::table::{Body, Definition, Level};

/// Whether marks of quoted arguments stay in a result: they do where it will be parted into arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Quotes {
    #[default]
    Drop,
    Keep,
}

/// The call of a parametric macro, for Lua's `opt` and `arg` in its body.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) macro_name: Vec<u8>,
    pub(crate) options: Vec<u8>,
    /// The name and the words.
    pub(crate) words: Arc<Vec<Vec<u8>>>,
}

/// Where an expansion's result goes, and what its macros know of it.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    pub(crate) quotes: Quotes,
    /// Whether a quoted argument was met while marks are kept.
    pub(crate) has_quotes: bool,
    pub(crate) call: Option<Call>,
}

impl Output {
    /// A buffer for a part of the same expansion.
    fn inner(&self, quotes: Quotes) -> Self {
        Self {
            quotes,
            call: self.call.clone(),
            ..Self::default()
        }
    }
}

/// A macro call as it was found in the text.
struct Found<'a> {
    name: &'a [u8],
    /// Where the name ends.
    name_end: usize,
    /// Where the call ends, without the arguments of `%name arguments`.
    end: usize,
    /// Where to go on if the macro is unknown: after its `%`.
    resume: usize,
    negated: bool,
    /// `?`: a question for the macro.
    asked: bool,
    /// `%{name:argument}`: where the argument is.
    argument: Option<(usize, usize)>,
    /// `%{name words}`, `%name words`: where the words end.
    words_end: WordsEnd,
}

/// How the arguments of a call are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ArgumentForm {
    /// `%{name:argument}`: one argument.
    Whole,
    /// `%{name words}`, `%name words`.
    Words,
}

/// Where the words of a call end.
#[derive(Clone, Copy)]
enum WordsEnd {
    /// There are none.
    None,
    /// At the closing brace.
    Brace(usize),
    /// At the end of the line.
    Line,
}

impl Engine {
    /// Expands a text into an output.
    pub(crate) fn expand_text(&mut self, text: &[u8], out: &mut Output) -> Result<()> {
        self.within_depth(|engine| engine.expand_pieces(text, out))
    }

    /// Does something one level deeper.
    pub(crate) fn within_depth<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let limit = self.settings.limits.depth;
        if self.depth >= limit {
            return Err(MacroErrorKind::TooDeep { limit }.into());
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn expand_pieces(&mut self, text: &[u8], out: &mut Output) -> Result<()> {
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'%', &text[at..]) {
            self.count_bytes(found)?;
            out.bytes.extend_from_slice(&text[at..at + found]);
            let percent = at + found;
            at = match text.get(percent + 1) {
                None | Some(b'%') => {
                    out.bytes.push(b'%');
                    percent + 2
                }
                Some(_) => self
                    .expand_macro(text, percent + 1, out)
                    .map_err(|failure| failure.at(percent))?,
            };
            if at >= text.len() {
                return Ok(());
            }
        }
        self.count_bytes(text.len() - at)?;
        out.bytes.extend_from_slice(&text[at..]);
        Ok(())
    }

    /// Expands a part of the same text into a buffer of its own.
    pub(crate) fn expand_part(&mut self, text: &[u8], quotes: Quotes, out: &Output) -> Result<Output> {
        let mut part = out.inner(quotes);
        self.expand_text(text, &mut part)?;
        Ok(part)
    }

    /// Expands the arguments of a macro, and parts them at blanks if they are words.
    fn expand_arguments(
        &mut self,
        definition: &Arc<Definition>,
        text: &[u8],
        form: ArgumentForm,
        words: &mut Vec<Vec<u8>>,
        out: &mut Output,
    ) -> Result<()> {
        let quotes = if form == ArgumentForm::Words {
            Quotes::Keep
        } else {
            out.quotes
        };
        let mut part = out.inner(quotes);
        let result = self.expand_text(text, &mut part);
        match form {
            ArgumentForm::Words => split_quoted(&part.bytes, b" \t", words),
            ArgumentForm::Whole => words.push(part.bytes),
        }
        if result.is_err() && self.settings.dialect == Dialect::Rpm418 && !definition.is_builtin() {
            // The call goes on until its body: its scope ends one definition of each name, also those that an earlier
            // scope has left.
            self.call_body(definition, b"", Some(std::mem::take(words)), false, out)
                .ok();
        }
        result
    }

    /// Expands the macro whose `%` is just before `at`; gives the place to go on.
    fn expand_macro(&mut self, text: &[u8], at: usize, out: &mut Output) -> Result<usize> {
        self.count_call()?;
        let Some(end) = scan::macro_end(text, at) else {
            let opener = char::from(text[at]);
            return Err(MacroErrorKind::Unterminated {
                opener,
                text: shown(&text[at..]),
            }
            .into());
        };
        match text[at] {
            b'(' => {
                self.expand_shell(text, at, end, out)?;
                return Ok(end);
            }
            b'[' => {
                let value = evaluate(self, &text[at + 1..end - 1], Terms::Expanded)?;
                let value = value.to_bytes();
                self.count_bytes(value.len())?;
                out.bytes.extend_from_slice(&value);
                return Ok(end);
            }
            _ => {}
        }
        let found = find_call(text, at, end);
        if found.name.is_empty() {
            out.bytes.push(b'%');
            return Ok(found.resume);
        }
        // A macro may undefine itself while it is expanded: its definition is held here.
        let definition = self.table.get(found.name).cloned();
        let definition = definition.filter(|it| !it.automatic || Level(self.level) <= it.level);
        if found.asked || found.name[0] == b'-' {
            return self.expand_conditional(text, &found, definition, out);
        }
        let Some(definition) = definition else {
            self.notes.note_undefined(found.name);
            out.bytes.push(b'%');
            return Ok(found.resume);
        };
        if definition.options.is_none() && !definition.is_builtin() {
            if found.argument.is_some() || matches!(found.words_end, WordsEnd::Brace(_)) {
                let name = shown(found.name);
                let text = format!("unexpected argument to non-parametric macro %{name}");
                self.notes.say(Severity::Warning, text);
            }
            self.call(&definition, None, None, out)?;
            return Ok(found.end);
        }
        self.expand_parametric(text, &found, &definition, out)
    }

    /// `%{?name}`, `%{!?name:text}`, `%{-f}` and the like.
    fn expand_conditional(
        &mut self,
        text: &[u8],
        found: &Found<'_>,
        definition: Option<Arc<Definition>>,
        out: &mut Output,
    ) -> Result<usize> {
        if definition.is_none() && found.asked {
            self.notes.note_absent(found.name);
        }
        if definition.is_some() == found.negated {
            return Ok(found.end);
        }
        match (found.argument, definition) {
            (Some((start, end)), _) if start < end => {
                self.expand_text(&text[start..end], out)
                    .map_err(|failure| failure.within(start))?;
            }
            (_, Some(definition)) => self.call(&definition, None, None, out)?,
            (_, None) => {}
        }
        Ok(found.end)
    }

    /// A macro with options, or a built-in: its arguments are taken and expanded.
    fn expand_parametric(
        &mut self,
        text: &[u8],
        found: &Found<'_>,
        definition: &Arc<Definition>,
        out: &mut Output,
    ) -> Result<usize> {
        let free_form = matches!(&definition.body, Body::Builtin(builtin) if builtin.takes_free_form());
        let mut words = vec![definition.name.clone()];
        if free_form && found.name_end == found.end {
            let rest = &text[found.end..];
            words.push(rest.to_vec());
            let mut consumed = 0;
            self.call(definition, Some(words), Some(&mut consumed), out)?;
            return Ok(found.end + consumed);
        }
        let mut next = found.end;
        if let Some((start, end)) = found.argument {
            let argument = &text[start..end];
            if free_form {
                words.push(argument.to_vec());
            } else {
                self.expand_arguments(definition, argument, ArgumentForm::Whole, &mut words, out)
                    .map_err(|failure| failure.within(start))?;
            }
        } else {
            // A built-in without arguments leaves the rest of its line alone.
            let takes_line = definition.options.is_some();
            let (end, after) = match found.words_end {
                WordsEnd::Brace(end) => (Some(end), end + 1),
                WordsEnd::Line if takes_line => {
                    let rest = &text[found.end..];
                    let end = found.end + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    let continued = end < text.len() && text[end - 1] == b'\\';
                    (Some(end), if continued { end + 1 } else { end })
                }
                WordsEnd::Line | WordsEnd::None => (None, found.end),
            };
            next = after;
            if let Some(end) = end {
                let argument = &text[found.name_end..end];
                if free_form {
                    words.push(argument.to_vec());
                } else {
                    self.expand_arguments(definition, argument, ArgumentForm::Words, &mut words, out)
                        .map_err(|failure| failure.within(found.name_end))?;
                }
            }
        }
        self.call(definition, Some(words), None, out)?;
        Ok(next)
    }

    /// Expands a definition. `words` are the name and arguments, for macros that take any; `consumed` is how much of the
    /// text after it a free-form built-in took.
    pub(crate) fn call(
        &mut self,
        definition: &Arc<Definition>,
        words: Option<Vec<Vec<u8>>>,
        consumed: Option<&mut usize>,
        out: &mut Output,
    ) -> Result<()> {
        let before = out.bytes.len();
        let mut quoted = false;
        match &definition.body {
            Body::Builtin(builtin) => {
                let given = words.as_ref().is_some_and(|words| words.len() > 1);
                let name = || shown(&definition.name);
                match builtin.arguments() {
                    Arguments::Some if !given => return Err(MacroErrorKind::ArgumentExpected(name()).into()),
                    Arguments::None if given => return Err(MacroErrorKind::UnexpectedArgument(name()).into()),
                    _ => {}
                }
                self.call_builtin(*builtin, words.unwrap_or_default(), consumed, out)?;
            }
            Body::Literal(text) => {
                self.count_bytes(text.len())?;
                out.bytes.extend_from_slice(text);
            }
            Body::LiteralQuoted(text) => {
                quoted = true;
                self.count_bytes(text.len())?;
                out.bytes.extend_from_slice(text);
            }
            Body::Text(text) | Body::Quoted(text) => {
                quoted = matches!(definition.body, Body::Quoted(_));
                if text.is_empty() {
                    return Ok(());
                }
                let keep = quoted && out.quotes == Quotes::Keep;
                self.call_body(definition, text, words, keep, out)
                    .map_err(|failure| failure.leave(&definition.name))?;
            }
        }
        if quoted {
            match out.quotes {
                Quotes::Drop => unquote(&mut out.bytes, before),
                Quotes::Keep => out.has_quotes = true,
            }
        }
        Ok(())
    }

    fn call_body(
        &mut self,
        definition: &Arc<Definition>,
        text: &[u8],
        words: Option<Vec<Vec<u8>>>,
        keep_quotes: bool,
        out: &mut Output,
    ) -> Result<()> {
        let Some(words) = words else {
            return self.expand_body(text, keep_quotes, out);
        };
        let caller = out.call.clone();
        let words = Arc::new(words);
        self.level += 1;
        let result = self.define_arguments(definition, &words).and_then(|()| {
            let options = definition.options.clone().unwrap_or_default();
            out.call = Some(Call {
                macro_name: definition.name.clone(),
                options,
                words,
            });
            self.expand_body(text, keep_quotes, out)
        });
        self.end_scope();
        out.call = caller;
        result
    }

    fn expand_body(&mut self, text: &[u8], keep_quotes: bool, out: &mut Output) -> Result<()> {
        if !keep_quotes {
            return self.expand_text(text, out);
        }
        // Text between marks is expanded without marks of its own; the marks themselves stay.
        let mut start = 0;
        for mark in memchr::memchr_iter(QUOTE, text) {
            if mark > start {
                self.expand_text(&text[start..mark], out)
                    .map_err(|failure| failure.within(start))?;
            }
            out.bytes.push(QUOTE);
            out.quotes = if out.quotes == Quotes::Keep {
                Quotes::Drop
            } else {
                Quotes::Keep
            };
            start = mark + 1;
        }
        if start < text.len() {
            self.expand_text(&text[start..], out)
                .map_err(|failure| failure.within(start))?;
        }
        out.quotes = Quotes::Keep;
        Ok(())
    }

    /// Defines `%0`, `%1`, `%*`, `%{-f}` and the like for the body of a parametric macro.
    fn define_arguments(&mut self, definition: &Definition, words: &[Vec<u8>]) -> Result<()> {
        self.define_automatic(b"0".to_vec(), Body::Literal(definition.name.clone()));
        let all = match self.settings.dialect {
            Dialect::Rpm418 => Body::Literal(join(&words[1..])),
            Dialect::Rpm420 => Body::LiteralQuoted(join_quoted(&words[1..])),
        };
        self.define_automatic(b"**".to_vec(), all);
        let declared = definition.options.as_deref().unwrap_or_default();
        let parsed = parse_options(declared, words);
        for option in parsed.options {
            let flag = vec![b'-', option.letter];
            let Some(value) = option.value else {
                self.define_automatic(flag.clone(), Body::Literal(flag));
                continue;
            };
            let mut body = flag.clone();
            body.push(b' ');
            body.extend_from_slice(&value);
            self.define_automatic(flag.clone(), Body::Literal(body));
            let mut name = flag;
            name.push(b'*');
            self.define_automatic(name, Body::Literal(value));
        }
        if let Some(letter) = parsed.refused {
            let option = char::from(letter);
            let (name, options) = (shown(&definition.name), shown(declared));
            return Err(MacroErrorKind::UnknownOption {
                option,
                name,
                options,
            }
            .into());
        }
        let count = parsed.words.len().to_string().into_bytes();
        self.define_automatic(b"#".to_vec(), Body::Literal(count));
        self.define_automatic(b"*".to_vec(), Body::Literal(join(&parsed.words)));
        for (index, word) in parsed.words.into_iter().enumerate() {
            self.define_automatic((index + 1).to_string().into_bytes(), Body::Literal(word));
        }
        Ok(())
    }

    fn define_automatic(&mut self, name: Vec<u8>, body: Body) {
        let level = Level(self.level);
        self.table.push(Definition {
            name,
            options: None,
            body,
            level,
            automatic: true,
        });
    }

    /// `%(…)`: run by the hook, or left as it is.
    fn expand_shell(&mut self, text: &[u8], at: usize, end: usize, out: &mut Output) -> Result<()> {
        let start = at + 1;
        let command = self
            .expand_part(&text[start..end - 1], Quotes::Drop, out)
            .map_err(|failure| failure.within(start))?
            .bytes;
        let Some(shell) = self.settings.shell.clone() else {
            self.notes.note_not_run(&command);
            self.count_bytes(end - at + 1)?;
            out.bytes.push(b'%');
            out.bytes.extend_from_slice(&text[at..end]);
            return Ok(());
        };
        let mut written = shell.run(&command).map_err(MacroErrorKind::Shell)?;
        while written.last().is_some_and(|&byte| scan::is_end_of_line(byte)) {
            written.pop();
        }
        self.count_bytes(written.len())?;
        out.bytes.extend_from_slice(&written);
        Ok(())
    }
}

/// Reads the head of a macro call that begins at `at`, after its `%`, and ends at `end`.
fn find_call(text: &[u8], at: usize, end: usize) -> Found<'_> {
    let braced = text[at] == b'{';
    let mut place = if braced { at + 1 } else { at };
    let (mut negated, mut asked) = (false, false);
    loop {
        match text.get(place) {
            Some(b'!') => negated = !negated,
            Some(b'?') => asked = true,
            _ => break,
        }
        place += 1;
    }
    let (mut name_end, mut argument, mut words_end) = (end, None, WordsEnd::None);
    if braced {
        let stop = |byte: &u8| matches!(byte, b' ' | b':' | b'}');
        name_end = place + text[place..].iter().position(stop).unwrap_or(0);
        match text[name_end] {
            b':' => argument = Some((name_end + 1, end - 1)),
            b' ' => words_end = WordsEnd::Brace(end - 1),
            _ => {}
        }
    } else if text.get(end).is_some_and(|&byte| scan::is_blank(byte)) {
        words_end = WordsEnd::Line;
    }
    Found {
        name: text.get(place..name_end).unwrap_or_default(),
        name_end,
        end,
        resume: if braced { at } else { place },
        negated,
        asked,
        argument,
        words_end,
    }
}
