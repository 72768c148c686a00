//! Lists of dependencies: `a, b >= 1 (c if d)`.

use super::model::Comparison;

/// Rich dependencies may nest so deep; rpm's own parser recurses without a limit.
const MAX_NESTING: usize = 100;

/// What a list may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rich {
    /// No rich dependencies.
    Refused,
    /// `if` may stand at the top: the dependency must hold.
    Positive,
    /// `unless` may stand at the top: the dependency must not hold.
    Negative,
}

/// What becomes of macros that were not expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// They are words as others.
    Plain,
    /// Each is part of one word, with all that its brackets hold.
    Macros,
}

impl Words {
    /// Where the word at the start of a text ends: at the first character that ends it outside of a macro.
    fn end(self, text: &str, mut ends: impl FnMut(char) -> bool) -> usize {
        let mut open: Vec<char> = Vec::new();
        let mut before = ' ';
        for (at, character) in text.char_indices() {
            match (open.last(), character) {
                (Some(&close), _) if character == close => {
                    open.pop();
                }
                (Some(&close), _) => {
                    if matches!((close, character), ('}', '{') | (')', '(') | (']', '['))
                        && open.len() < MAX_NESTING
                    {
                        open.push(close);
                    }
                }
                (None, '{') if self == Self::Macros && before == '%' => open.push('}'),
                (None, '(') if self == Self::Macros && before == '%' => open.push(')'),
                (None, '[') if self == Self::Macros && before == '%' => open.push(']'),
                (None, _) if ends(character) => return at,
                (None, _) => {}
            }
            before = character;
        }
        text.len()
    }

    /// Whether a text is left as it is because of what was not expanded in it.
    fn leaves(self, text: &str) -> bool {
        self == Self::Macros && text.contains('%')
    }
}

/// One dependency of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) constraint: Option<(Comparison, String)>,
    pub(crate) is_rich: bool,
}

/// Why a list can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadItem {
    /// Where the dependency begins, in bytes from the start of the list.
    pub(crate) start: usize,
    /// Where it ends, as far as it was read.
    pub(crate) end: usize,
    pub(crate) reason: String,
}

/// Names and versions are parted by blanks and commas; a comma is never more than a blank.
fn is_separator(character: char) -> bool {
    character.is_ascii_whitespace() || matches!(character, ',' | '\u{b}')
}

fn skip_separators(text: &str) -> &str {
    text.trim_start_matches(is_separator)
}

fn word_end(text: &str, words: Words) -> usize {
    words.end(text, is_separator)
}

/// Reads a list, and gives each dependency as it is met.
pub(crate) fn parse_list(
    list: &str,
    rich: Rich,
    words: Words,
    mut each: impl FnMut(Item) -> Result<(), String>,
) -> Result<(), BadItem> {
    let mut rest = skip_separators(list);
    while !rest.is_empty() {
        let start = list.len() - rest.len();
        let mut parsed = if rest.starts_with('(') {
            parse_rich(rest, rich, words)
        } else {
            parse_simple(rest, words)
        };
        if let Ok((item, length)) = parsed {
            parsed = each(item).map_err(|reason| (length, reason)).map(|()| {
                (
                    Item {
                        name: String::new(),
                        constraint: None,
                        is_rich: false,
                    },
                    length,
                )
            });
        }
        match parsed {
            Ok((_, length)) => rest = skip_separators(&rest[length..]),
            Err((length, reason)) => {
                return Err(BadItem {
                    start,
                    end: start + length,
                    reason,
                });
            }
        }
    }
    Ok(())
}

/// Reads `name` or `name >= evr` at the start of a text, and says how long it is.
fn parse_simple(text: &str, words: Words) -> Result<(Item, usize), (usize, String)> {
    let name_end = word_end(text, words);
    let name = &text[..name_end];
    let after = skip_separators(&text[name_end..]);
    let operator_end = word_end(after, words);
    let Some(comparison) = Comparison::parse(&after[..operator_end]) else {
        check(name, None, words).map_err(|reason| (name_end, reason))?;
        return Ok((
            Item {
                name: name.to_owned(),
                constraint: None,
                is_rich: false,
            },
            name_end,
        ));
    };
    let version = skip_separators(&after[operator_end..]);
    let version_end = word_end(version, words);
    let length = text.len() - version.len() + version_end;
    if version_end == 0 {
        let length = text.trim_ascii_end().len();
        return Err((length, "a version is missing after the comparison".to_owned()));
    }
    let evr = &version[..version_end];
    check(name, Some(evr), words).map_err(|reason| (length, reason))?;
    Ok((
        Item {
            name: name.to_owned(),
            constraint: Some((comparison, evr.to_owned())),
            is_rich: false,
        },
        length,
    ))
}

/// What rpm asks of a name and an EVR, but for their encoding.
fn check(name: &str, evr: Option<&str>, words: Words) -> Result<(), String> {
    let first = name.chars().next().unwrap_or(' ');
    if words.leaves(name) || evr.is_some_and(|evr| words.leaves(evr)) {
        return Ok(());
    }
    if first.is_ascii() && !(first.is_ascii_alphanumeric() || first == '_' || first == '/') {
        return Err("a name begins with a letter, a digit, `_` or `/`".to_owned());
    }
    let Some(evr) = evr else { return Ok(()) };
    if first == '/' {
        return Err("a file has no version".to_owned());
    }
    if let Some(character) = evr
        .chars()
        .find(|&character| !(character.is_ascii_alphanumeric() || "._+%{}~^-:".contains(character)))
    {
        return Err(format!("`{character}` may not be in the version `{evr}`"));
    }
    if evr.contains("..") {
        return Err(format!("`..` may not be in the version `{evr}`"));
    }
    for separator in ['-', ':'] {
        if evr.matches(separator).nth(1).is_some() {
            return Err(format!("the version `{evr}` has more than one `{separator}`"));
        }
    }
    if let Some((epoch, _)) = evr.split_once(':')
        && !epoch.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(format!("the epoch of `{evr}` is no number"));
    }
    Ok(())
}

/// What may stand where, in rpm's rules for rich dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    /// All must hold: `if` makes sense.
    And,
    /// One must hold: `unless` makes sense.
    Or,
    /// Below `with` or `without`, where one package must be it all.
    With,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    If,
    Unless,
    Else,
    With,
    Without,
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "and" => Self::And,
            "or" => Self::Or,
            "if" => Self::If,
            "unless" => Self::Unless,
            "else" => Self::Else,
            "with" => Self::With,
            "without" => Self::Without,
            _ => return None,
        })
    }

    fn chains(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::With)
    }

    /// What holds for the operands of this operator.
    fn context(self, outer: Context) -> Context {
        match self {
            Self::And | Self::If | Self::Else => Context::And,
            Self::Or | Self::Unless if outer == Context::With => Context::With,
            Self::Or | Self::Unless => Context::Or,
            Self::With | Self::Without => Context::With,
        }
    }
}

struct RichParser<'a> {
    text: &'a str,
    words: Words,
    at: usize,
    out: String,
}

/// Reads a rich dependency at the start of a text, and says how long it is.
fn parse_rich(text: &str, rich: Rich, words: Words) -> Result<(Item, usize), (usize, String)> {
    let context = match rich {
        Rich::Refused => return Err((1, "rich dependencies are not allowed here".to_owned())),
        Rich::Positive => Context::And,
        Rich::Negative => Context::Or,
    };
    let mut parser = RichParser {
        text,
        words,
        at: 0,
        out: String::new(),
    };
    let operators = parser.group(0).map_err(|reason| (parser.at.max(1), reason))?;
    operators.check(context).map_err(|reason| (parser.at, reason))?;
    let item = Item {
        name: parser.out,
        constraint: None,
        is_rich: true,
    };
    Ok((item, parser.at))
}

/// The operators of a group and its groups, for the check of what may stand where.
struct Operators {
    /// The operators between the terms; all are the same, but for `else` after `if` or `unless`.
    chain: Vec<Operator>,
    /// For each term, the operators within it; none for a simple one.
    terms: Vec<Option<Operators>>,
}

impl Operators {
    fn check(&self, context: Context) -> Result<(), String> {
        for (index, operator) in self.chain.iter().enumerate() {
            match (context, operator) {
                (Context::With, Operator::And | Operator::If | Operator::Unless | Operator::Else) => {
                    return Err(
                        "only `or`, `with` and `without` may be below `with` and `without`".to_owned(),
                    );
                }
                (Context::Or, Operator::If) => {
                    return Err("`if` has no sense here, use `and`".to_owned());
                }
                (Context::And, Operator::Unless) => {
                    return Err("`unless` has no sense here, use `or`".to_owned());
                }
                _ => {}
            }
            if index > 0 && !operator.chains() && *operator != Operator::Else {
                return Err("only `and`, `or` and `with` can be chained".to_owned());
            }
        }
        for (index, term) in self.terms.iter().enumerate() {
            let Some(term) = term else { continue };
            let operator = self.chain.get(index.saturating_sub(1)).or(self.chain.first());
            let inner = match operator {
                // The condition of `if` and `unless` is asked for, whatever is asked of the rest.
                Some(Operator::If | Operator::Unless) if index == 1 => Context::And,
                Some(operator) => operator.context(context),
                None => context,
            };
            term.check(inner)?;
        }
        Ok(())
    }
}

impl<'a> RichParser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        self.at = self.text.len() - skip_separators(self.rest()).len();
    }

    fn group(&mut self, depth: usize) -> Result<Operators, String> {
        if depth > MAX_NESTING {
            return Err(format!("more than {MAX_NESTING} levels of parentheses"));
        }
        let mut operators = Operators {
            chain: Vec::new(),
            terms: Vec::new(),
        };
        self.at += 1;
        self.out.push('(');
        self.skip();
        if self.rest().starts_with(')') {
            return Err("the rich dependency is empty".to_owned());
        }
        loop {
            self.skip();
            operators.terms.push(match self.rest().as_bytes().first() {
                None => return Err("the rich dependency has no end".to_owned()),
                Some(b')') => return Err("a term is missing after an operator".to_owned()),
                Some(b'(') => Some(self.group(depth + 1)?),
                Some(_) => {
                    self.term()?;
                    None
                }
            });
            self.skip();
            match self.rest().as_bytes().first() {
                None => return Err("the rich dependency has no end".to_owned()),
                Some(b')') => break,
                Some(_) => self.operator(&mut operators.chain)?,
            }
        }
        self.at += 1;
        self.out.push(')');
        Ok(operators)
    }

    fn operator(&mut self, chain: &mut Vec<Operator>) -> Result<(), String> {
        let end = self
            .rest()
            .find(|character: char| is_separator(character) || character == ')')
            .unwrap_or(self.rest().len());
        let word = &self.rest()[..end];
        let Some(operator) = Operator::parse(word) else {
            return Err(format!("`{word}` is no operator of rich dependencies"));
        };
        if let Some(&before) = chain.last() {
            let is_else = operator == Operator::Else
                && matches!(before, Operator::If | Operator::Unless)
                && chain.len() == 1;
            if before != operator && !is_else {
                return Err("different operators need parentheses".to_owned());
            }
            if before == operator && !operator.chains() {
                return Err("only `and`, `or` and `with` can be chained".to_owned());
            }
        }
        chain.push(operator);
        self.at += end;
        self.out.push(' ');
        self.out.push_str(word);
        self.out.push(' ');
        Ok(())
    }

    /// A word, which may have parentheses of its own.
    fn word(&mut self) -> &'a str {
        let mut depth = 0_usize;
        let rest = self.rest();
        let end = self.words.end(rest, |character| match character {
            '(' => {
                depth += 1;
                false
            }
            ')' if depth == 0 => true,
            ')' => {
                depth -= 1;
                false
            }
            _ => is_separator(character),
        });
        let word = &rest[..end];
        self.at += word.len();
        word
    }

    fn term(&mut self) -> Result<(), String> {
        let name = self.word();
        let before = self.at;
        self.skip();
        let operator_start = self.at;
        let word = self.word();
        let Some(comparison) = Comparison::parse(word) else {
            self.at = before;
            check(name, None, self.words)?;
            self.out.push_str(name);
            return Ok(());
        };
        debug_assert!(operator_start < self.at, "a comparison is not empty");
        self.skip();
        let evr = self.word();
        if evr.is_empty() {
            return Err("a version is missing after the comparison".to_owned());
        }
        check(name, Some(evr), self.words)?;
        self.out.push_str(name);
        self.out.push(' ');
        self.out.push_str(comparison.symbol());
        self.out.push(' ');
        self.out.push_str(evr);
        Ok(())
    }
}
