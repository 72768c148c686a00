//! Reads a shell script into a tree. Nothing is ever run.
//!
//! A recursive descent over the grammar of POSIX.1-2017, Shell Command Language, 2.10, without aliases, and with a few
//! habits of bash and dash (`function`, `local`). Steps and depth are bounded: the input may be hostile.

use super::ast::{Kind, Node, Part, Redirect, RedirectOperator, Script, Word};
use super::words::is_name;

/// The largest script that is read, in bytes. Real ones stay below 100 KiB.
pub(crate) const MAX_SCRIPT_BYTES: usize = 1 << 20;
/// How deep commands and substitutions may nest.
const MAX_DEPTH: u32 = 60;
/// How many words and commands a script may have.
const MAX_NODES: u32 = 200_000;

/// Why a script cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ShellError {
    /// Line, from 1.
    pub line: u32,
    /// What is wrong there.
    pub reason: &'static str,
}

const RESERVED: [&str; 15] = [
    "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "{", "}", "in",
];

/// Reads a whole script.
pub(crate) fn parse(text: &str) -> Result<Script, ShellError> {
    if text.len() > MAX_SCRIPT_BYTES {
        return Err(ShellError {
            line: 1,
            reason: "the script is too long",
        });
    }
    let mut parser = Parser::new(text, 1);
    let root = parser.list(&[])?;
    if parser.at < parser.bytes.len() {
        return Err(parser.fail("a word that closes nothing"));
    }
    let here = parser
        .here
        .iter_mut()
        .map(|h| h.body.take())
        .collect::<Option<Vec<Word>>>();
    let here = here.ok_or_else(|| parser.fail("a here-document is missing"))?;
    Ok(Script { root, here })
}

struct HereDocument {
    delimiter: String,
    quoted: bool,
    strip_tabs: bool,
    /// Read when its line ends.
    body: Option<Word>,
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    bytes: &'a [u8],
    /// Where its newlines are, in rising order.
    newlines: Vec<usize>,
    pub(super) at: usize,
    base_line: u32,
    depth: u32,
    pub(super) nodes: u32,
    here: Vec<HereDocument>,
    /// Whether the text was cut out of another one: it then has no lines of its own for here-documents.
    cut_out: bool,
}

pub(super) type Parsed<T> = Result<T, ShellError>;

impl<'a> Parser<'a> {
    fn new(text: &'a str, base_line: u32) -> Self {
        let bytes = text.as_bytes();
        let newlines = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
        Parser {
            text,
            bytes,
            newlines,
            at: 0,
            base_line,
            depth: 0,
            nodes: 0,
            here: Vec::new(),
            cut_out: false,
        }
    }
}

impl Parser<'_> {
    pub(super) fn line_at(&self, at: usize) -> u32 {
        let newlines = self.newlines.partition_point(|newline| *newline < at);
        self.base_line
            .saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX))
    }

    pub(super) fn fail(&self, reason: &'static str) -> ShellError {
        ShellError {
            line: self.line_at(self.at),
            reason,
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn starts(&self, what: &str) -> bool {
        self.bytes[self.at..].starts_with(what.as_bytes())
    }

    pub(super) fn count(&mut self) -> Parsed<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            Err(self.fail("the script has too many parts"))
        } else {
            Ok(())
        }
    }

    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail("commands are nested too deep"));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Blanks, continued lines and comments.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                Some(b'#') => {
                    while self.peek().is_some_and(|c| c != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Blanks and newlines. A newline is where here-documents begin.
    pub(super) fn skip_lines(&mut self) -> Parsed<()> {
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    fn newline(&mut self) -> Parsed<()> {
        self.at += 1;
        for index in 0..self.here.len() {
            if self.here[index].body.is_none() {
                let body = self.here_document(index)?;
                self.here[index].body = Some(body);
            }
        }
        Ok(())
    }

    fn here_document(&mut self, index: usize) -> Parsed<Word> {
        let (delimiter, quoted, strip) = {
            let here = &self.here[index];
            (here.delimiter.clone(), here.quoted, here.strip_tabs)
        };
        let mut body = String::new();
        let first_line = self.line_at(self.at);
        loop {
            if self.at >= self.bytes.len() {
                return Err(self.fail("a here-document does not end"));
            }
            let rest = &self.text[self.at..];
            let end = rest.find('\n').map_or(rest.len(), |n| n + 1);
            let mut line = &rest[..end];
            self.at += end;
            if strip {
                line = line.trim_start_matches('\t');
            }
            if line.trim_end_matches('\n') == delimiter {
                break;
            }
            body.push_str(line);
        }
        if quoted {
            return Ok(Word(vec![Part::Exact(body)]));
        }
        let mut inner = self.cut_out(&body, first_line)?;
        let parts = inner.double_quoted(None)?;
        self.nodes = inner.nodes;
        Ok(Word(vec![Part::Double(parts)]))
    }

    /// A parser for text that was cut out of this one.
    pub(super) fn cut_out<'b>(&self, text: &'b str, base_line: u32) -> Parsed<Parser<'b>> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fail("commands are nested too deep"));
        }
        let mut inner = Parser::new(text, base_line);
        inner.depth = self.depth + 1;
        inner.nodes = self.nodes;
        inner.cut_out = true;
        Ok(inner)
    }

    /// The reserved word or bare word at this place, without moving.
    pub(super) fn bare_word(&self) -> &str {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| c.is_whitespace() || ";&|()<>\"'`$\\".contains(c))
            .unwrap_or(rest.len());
        &rest[..end]
    }

    fn at_terminator(&self, terminators: &[&str]) -> bool {
        match self.peek() {
            None => true,
            Some(b')') => true,
            Some(b';') if self.starts(";;") => true,
            _ => terminators.contains(&self.bare_word()),
        }
    }

    /// Commands up to a terminator, which is left in place.
    pub(super) fn list(&mut self, terminators: &[&str]) -> Parsed<Node> {
        self.nested(|p| {
            let mut commands = Vec::new();
            p.skip_lines()?;
            let start = p.at;
            while !p.at_terminator(terminators) {
                commands.push(p.and_or()?);
                p.skip_blanks();
                if p.peek() == Some(b'&') || (p.peek() == Some(b';') && !p.starts(";;")) {
                    p.at += 1;
                }
                p.skip_lines()?;
            }
            let node = p.node(start, Kind::Sequence(commands));
            Ok(node)
        })
    }

    fn node(&self, start: usize, kind: Kind) -> Node {
        let span = if self.cut_out { (0, 0) } else { (start, self.at) };
        Node {
            line: self.line_at(start),
            span,
            kind,
            redirects: Vec::new(),
        }
    }

    fn and_or(&mut self) -> Parsed<Node> {
        let start = self.at;
        let mut left = self.pipeline()?;
        loop {
            self.skip_blanks();
            let and = self.starts("&&");
            if !and && !self.starts("||") {
                return Ok(left);
            }
            self.at += 2;
            self.skip_lines()?;
            let right = self.pipeline()?;
            let (left_box, right_box) = (Box::new(left), Box::new(right));
            let kind = if and {
                Kind::And(left_box, right_box)
            } else {
                Kind::Or(left_box, right_box)
            };
            left = self.node(start, kind);
        }
    }

    fn pipeline(&mut self) -> Parsed<Node> {
        self.skip_blanks();
        let start = self.at;
        let mut negated = false;
        while self.bare_word() == "!" {
            negated = !negated;
            self.at += 1;
            self.skip_blanks();
        }
        let mut stages = vec![self.command()?];
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'|') || self.starts("||") {
                break;
            }
            self.at += if self.starts("|&") { 2 } else { 1 };
            self.skip_lines()?;
            stages.push(self.command()?);
        }
        match stages.pop() {
            Some(only) if stages.is_empty() && !negated => Ok(only),
            Some(last) => {
                stages.push(last);
                Ok(self.node(start, Kind::Pipeline { negated, stages }))
            }
            None => Err(self.fail("a pipeline without a command")),
        }
    }

    fn command(&mut self) -> Parsed<Node> {
        self.count()?;
        self.skip_blanks();
        let start = self.at;
        let kind = match self.bare_word() {
            "if" => self.nested(Self::if_command)?,
            "case" => self.nested(Self::case_command)?,
            "for" => self.nested(Self::for_command)?,
            "while" | "until" => self.nested(Self::while_command)?,
            "{" => {
                self.at += 1;
                let body = self.list(&["}"])?;
                self.expect("}")?;
                Kind::Group(Box::new(body))
            }
            "function" => return Err(self.fail("`function` is not POSIX")),
            "" if self.peek() == Some(b'(') => {
                self.at += 1;
                let body = self.list(&[])?;
                self.expect_byte(b')')?;
                Kind::Subshell(Box::new(body))
            }
            _ => return self.simple_or_function(),
        };
        let mut node = self.node(start, kind);
        node.redirects = self.redirects()?;
        self.extend(&mut node, self.at);
        Ok(node)
    }

    fn extend(&self, node: &mut Node, end: usize) {
        if !self.cut_out {
            node.span.1 = end;
        }
    }

    pub(super) fn expect(&mut self, word: &str) -> Parsed<()> {
        self.skip_lines()?;
        if self.bare_word() != word {
            return Err(self.fail("a compound command does not close"));
        }
        self.at += word.len();
        Ok(())
    }

    pub(super) fn expect_byte(&mut self, byte: u8) -> Parsed<()> {
        self.skip_lines()?;
        if self.peek() != Some(byte) {
            return Err(self.fail("a parenthesis does not close"));
        }
        self.at += 1;
        Ok(())
    }

    fn simple_or_function(&mut self) -> Parsed<Node> {
        let start = self.at;
        let name = self.bare_word().to_owned();
        if is_name(&name.replace(['-', '.'], "_")) {
            let rest = self.text[self.at + name.len()..].trim_start_matches([' ', '\t']);
            if let Some(after) = rest.strip_prefix('(')
                && let Some(after) = after.trim_start_matches([' ', '\t']).strip_prefix(')')
            {
                self.at = self.text.len() - after.len();
                self.skip_lines()?;
                let body = self.nested(Self::command)?;
                return Ok(self.node(
                    start,
                    Kind::Function {
                        name,
                        body: Box::new(body),
                    },
                ));
            }
        }
        self.simple(start)
    }

    fn simple(&mut self, start: usize) -> Parsed<Node> {
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        let mut end;
        loop {
            end = self.at;
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            if matches!(self.peek(), None | Some(b'\n' | b';' | b'&' | b'|' | b'(' | b')')) {
                break;
            }
            if words.is_empty() {
                let bare = self.bare_word();
                if let Some((name, _)) = bare.split_once('=')
                    && is_name(name)
                {
                    let name = name.to_owned();
                    self.at += name.len() + 1;
                    let value = if self.at_word_end() {
                        Word::default()
                    } else {
                        self.some_word()?
                    };
                    assignments.push((name, value));
                    continue;
                }
            }
            words.push(self.some_word()?);
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return Err(self.fail("a command is missing"));
        }
        if let [Word(parts)] = words.as_slice()
            && let [Part::Plain(word)] = parts.as_slice()
            && RESERVED.contains(&word.as_str())
        {
            return Err(self.fail("a reserved word where a command should be"));
        }
        let mut node = self.node(start, Kind::Simple { assignments, words });
        self.extend(&mut node, end);
        node.redirects = redirects;
        Ok(node)
    }

    pub(super) fn at_word_end(&self) -> bool {
        matches!(
            self.peek(),
            None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>')
        )
    }

    fn redirects(&mut self) -> Parsed<Vec<Redirect>> {
        let mut all = Vec::new();
        loop {
            self.skip_blanks();
            match self.redirect()? {
                Some(redirect) => all.push(redirect),
                None => return Ok(all),
            }
        }
    }

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let digits = self.bytes[self.at..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .count();
        if !matches!(self.bytes.get(self.at + digits), Some(b'<' | b'>')) || digits > 3 {
            return Ok(None);
        }
        let descriptor = self.text[self.at..self.at + digits].parse().ok();
        self.at += digits;
        const OPERATORS: [(&str, RedirectOperator); 9] = [
            ("<<-", RedirectOperator::HereDocument),
            ("<<", RedirectOperator::HereDocument),
            ("<&", RedirectOperator::Duplicate),
            (">&", RedirectOperator::Duplicate),
            (">>", RedirectOperator::Append),
            ("<>", RedirectOperator::ReadWrite),
            (">|", RedirectOperator::Write),
            ("<", RedirectOperator::Read),
            (">", RedirectOperator::Write),
        ];
        for (sign, operator) in OPERATORS {
            if !self.starts(sign) {
                continue;
            }
            self.at += sign.len();
            self.skip_blanks();
            if operator == RedirectOperator::HereDocument {
                return self.here_start(sign == "<<-").map(Some);
            }
            let target = self.some_word()?;
            return Ok(Some(Redirect {
                descriptor,
                operator,
                target,
            }));
        }
        Err(self.fail("an unknown redirection"))
    }

    /// Notes a here-document; its text follows the present line.
    fn here_start(&mut self, strip_tabs: bool) -> Parsed<Redirect> {
        if self.cut_out {
            return Err(self.fail("a here-document inside a quoted text"));
        }
        let start = self.at;
        let word = self.some_word()?;
        let quoted = self.text[start..self.at].contains(['\'', '"', '\\']);
        let delimiter = word
            .literal()
            .ok_or_else(|| self.fail("the end of a here-document is not plain"))?;
        let index = self.here.len();
        self.here.push(HereDocument {
            delimiter,
            quoted,
            strip_tabs,
            body: None,
        });
        let target = Word(vec![Part::Here(index)]);
        Ok(Redirect {
            descriptor: None,
            operator: RedirectOperator::HereDocument,
            target,
        })
    }
}
