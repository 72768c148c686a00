//! Rich (boolean) dependencies: `(a if b else (c or d))`.
//!
//! The grammar is that of `rpmrichParse` in rpm 4.18:
//!
//! ```text
//! rich    = "(" operand { operator operand } ")"
//! operand = rich | name [ comparison evr ]
//! ```
//!
//! `and`, `or` and `with` chain with themselves only; `if` and `unless` take one `else`; `without` stands
//! alone.

use crate::{Comparison, Dependency, DependencyParseError, Evr};
use std::fmt;

/// Deepest nesting of parentheses. Real packages stay below 4.
const DEPTH_MAX: usize = 32;

/// Longest text of a rich dependency in bytes.
const LENGTH_MAX: usize = 64 << 10;

/// A rich dependency, or one of its operands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RichDependency {
    /// A plain capability.
    Simple(Dependency),
    /// `(a and b and …)`: two or more.
    And(Vec<RichDependency>),
    /// `(a or b or …)`: two or more.
    Or(Vec<RichDependency>),
    /// `(then if condition [else otherwise])`
    If {
        /// What is wanted.
        then: Box<RichDependency>,
        /// When it is wanted.
        condition: Box<RichDependency>,
        /// What is wanted when it is not.
        otherwise: Option<Box<RichDependency>>,
    },
    /// `(then unless condition [else otherwise])`
    Unless {
        /// What is wanted.
        then: Box<RichDependency>,
        /// When it is not wanted.
        condition: Box<RichDependency>,
        /// What is wanted then.
        otherwise: Option<Box<RichDependency>>,
    },
    /// `(a with b with …)`: one package provides all; two or more.
    With(Vec<RichDependency>),
    /// `(a without b)`: one package provides `a` and does not provide `b`.
    Without(Box<RichDependency>, Box<RichDependency>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    If,
    Unless,
    With,
    Without,
    Else,
}

/// What stands around a rich dependency: it decides whether `if` and `unless` make sense there.
///
/// rpm 4.18 refuses `if` in what is joined by *or*, and `unless` in what is joined by *and*, where they
/// would be decided by what is not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RichContext {
    /// One of several that must all hold: Requires, Recommends and Suggests.
    All,
    /// One of several of which one suffices: Conflicts, Supplements and Enhances.
    Any,
    /// Not known, or a condition.
    Free,
    /// Below `with` or `without`, which are about one package.
    Package,
}

impl RichDependency {
    /// Parses a rich dependency, or a plain one.
    ///
    /// Fails if the text breaks the grammar, nests deeper than 32, or uses operators where rpm refuses them
    /// in every [`RichContext`].
    pub fn parse(text: &str) -> Result<Self, DependencyParseError> {
        let fail = |reason: String| DependencyParseError {
            text: text.to_owned(),
            reason,
        };
        if text.len() > LENGTH_MAX {
            return Err(fail(format!("it has more than {LENGTH_MAX} bytes")));
        }
        let mut parser = Parser {
            rest: text.trim_matches(is_space),
        };
        let parsed = parser.operand(0).map_err(fail)?;
        parser.skip_space();
        if !parser.rest.is_empty() {
            return Err(fail(format!("there is text behind it: `{}`", parser.rest)));
        }
        parsed
            .check(RichContext::Free)
            .map_err(|reason| fail(reason.to_owned()))?;
        Ok(parsed)
    }

    /// All plain capabilities in it, from left to right.
    pub fn capabilities(&self) -> Vec<&Dependency> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'d>(&'d self, found: &mut Vec<&'d Dependency>) {
        match self {
            Self::Simple(dependency) => found.push(dependency),
            Self::And(parts) | Self::Or(parts) | Self::With(parts) => {
                parts.iter().for_each(|part| part.collect(found));
            }
            Self::If {
                then,
                condition,
                otherwise,
            }
            | Self::Unless {
                then,
                condition,
                otherwise,
            } => {
                then.collect(found);
                condition.collect(found);
                otherwise.iter().for_each(|part| part.collect(found));
            }
            Self::Without(left, right) => {
                left.collect(found);
                right.collect(found);
            }
        }
    }

    /// Checks that operators stand where rpm allows them (`rpmrichParseCheck`).
    pub fn check(&self, context: RichContext) -> Result<(), &'static str> {
        match self {
            Self::Simple(_) => Ok(()),
            Self::And(parts) | Self::Or(parts) => {
                let is_or = matches!(self, Self::Or(_));
                if context == RichContext::Package && !is_or {
                    return Err("`and` cannot stand below `with` or `without`");
                }
                let below = match (context, is_or) {
                    (RichContext::Package, _) => RichContext::Package,
                    (_, true) => RichContext::Any,
                    (_, false) => RichContext::All,
                };
                parts.iter().try_for_each(|part| part.check(below))
            }
            Self::If {
                then,
                condition,
                otherwise,
            } => {
                match context {
                    RichContext::Package => return Err("`if` cannot stand below `with` or `without`"),
                    RichContext::Any => {
                        return Err("`if` cannot stand below `or`, or in a conflict: use `unless`");
                    }
                    RichContext::Free | RichContext::All => {}
                }
                check_branches(RichContext::All, then, condition, otherwise.as_deref())
            }
            Self::Unless {
                then,
                condition,
                otherwise,
            } => {
                match context {
                    RichContext::Package => return Err("`unless` cannot stand below `with` or `without`"),
                    RichContext::All => {
                        return Err("`unless` cannot stand below `and`, or in a requirement: use `if`");
                    }
                    RichContext::Free | RichContext::Any => {}
                }
                check_branches(RichContext::Any, then, condition, otherwise.as_deref())
            }
            Self::With(parts) => parts.iter().try_for_each(|part| part.check(RichContext::Package)),
            Self::Without(left, right) => {
                left.check(RichContext::Package)?;
                right.check(RichContext::Package)
            }
        }
    }
}

/// `if` is an `and` with a condition, `unless` an `or`; a condition starts afresh.
fn check_branches(
    context: RichContext,
    then: &RichDependency,
    condition: &RichDependency,
    otherwise: Option<&RichDependency>,
) -> Result<(), &'static str> {
    then.check(context)?;
    condition.check(RichContext::Free)?;
    otherwise.map_or(Ok(()), |part| part.check(context))
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches(is_space);
    }

    fn operand(&mut self, depth: usize) -> Result<RichDependency, String> {
        self.skip_space();
        if self.rest.starts_with('(') {
            self.rich(depth)
        } else {
            self.simple()
        }
    }

    fn rich(&mut self, depth: usize) -> Result<RichDependency, String> {
        if depth >= DEPTH_MAX {
            return Err(format!("it nests deeper than {DEPTH_MAX}"));
        }
        self.rest = &self.rest[1..];
        let mut operands = vec![self.operand(depth + 1)?];
        let mut operators: Vec<Operator> = Vec::new();
        loop {
            self.skip_space();
            if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                return combine(operands, &operators);
            }
            let operator = self.operator()?;
            check_chain(&operators, operator)?;
            operators.push(operator);
            operands.push(self.operand(depth + 1)?);
        }
    }

    fn operator(&mut self) -> Result<Operator, String> {
        let word = self.word();
        Ok(match word {
            "and" => Operator::And,
            "or" => Operator::Or,
            "if" => Operator::If,
            "unless" => Operator::Unless,
            "with" => Operator::With,
            "without" => Operator::Without,
            "else" => Operator::Else,
            "" => return Err("a `)` is missing".to_owned()),
            other => return Err(format!("`{other}` is no operator")),
        })
    }

    /// A word up to space, comma or a `)` which it did not open; parentheses within names balance.
    fn word(&mut self) -> &'t str {
        let mut open = 0_usize;
        let mut end = self.rest.len();
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' | b',' => end = at,
                _ if is_space(char::from(byte)) => end = at,
                _ => {}
            }
            if end != self.rest.len() {
                break;
            }
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn simple(&mut self) -> Result<RichDependency, String> {
        let name = self.word();
        if name.is_empty() {
            return Err("a name is missing".to_owned());
        }
        self.skip_space();
        let length = self.rest.bytes().take_while(|b| b"<>=".contains(b)).count();
        let (symbol, rest) = self.rest.split_at(length);
        if symbol.is_empty() {
            return Ok(RichDependency::Simple(Dependency::any(name)));
        }
        let comparison =
            Comparison::from_symbol(symbol).ok_or_else(|| format!("`{symbol}` is no comparison"))?;
        self.rest = rest;
        self.skip_space();
        let version = self.word();
        let evr = Evr::parse(version).map_err(|error| error.to_string())?;
        Ok(RichDependency::Simple(Dependency::versioned(
            name, comparison, evr,
        )))
    }
}

/// What parts words, as rpm has it (`risspace`): the vertical tab too, and no space beyond ASCII, which may be in names.
fn is_space(character: char) -> bool {
    character.is_ascii_whitespace() || character == '\u{b}'
}

/// Whether `next` may follow the operators of the same parentheses.
fn check_chain(before: &[Operator], next: Operator) -> Result<(), String> {
    match (before, next) {
        ([], Operator::Else) => Err("`else` without `if` or `unless`".to_owned()),
        ([], _) | ([Operator::If | Operator::Unless], Operator::Else) => Ok(()),
        ([.., last], _) if *last != next => Err("different operators need parentheses".to_owned()),
        (_, Operator::And | Operator::Or | Operator::With) => Ok(()),
        _ => Err("only `and`, `or` and `with` can be chained".to_owned()),
    }
}

fn combine(operands: Vec<RichDependency>, operators: &[Operator]) -> Result<RichDependency, String> {
    let mut rest = operands.into_iter();
    let Some(&operator) = operators.first() else {
        // Parentheses around one operand mean nothing.
        return rest.next().ok_or_else(|| "it is empty".to_owned());
    };
    match operator {
        Operator::And => Ok(RichDependency::And(rest.collect())),
        Operator::Or => Ok(RichDependency::Or(rest.collect())),
        Operator::With => Ok(RichDependency::With(rest.collect())),
        Operator::If | Operator::Unless | Operator::Without | Operator::Else => {
            let (Some(first), Some(second)) = (rest.next(), rest.next()) else {
                return Err("an operand is missing".to_owned());
            };
            let (then, condition) = (Box::new(first), Box::new(second));
            let otherwise = rest.next().map(Box::new);
            Ok(match operator {
                Operator::If => RichDependency::If {
                    then,
                    condition,
                    otherwise,
                },
                Operator::Unless => RichDependency::Unless {
                    then,
                    condition,
                    otherwise,
                },
                _ => RichDependency::Without(then, condition),
            })
        }
    }
}

impl fmt::Display for RichDependency {
    /// With single spaces, so that printing and parsing gives the same value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            f.write_str("(")?;
            for (position, part) in parts.iter().enumerate() {
                if position > 0 {
                    write!(f, " {word} ")?;
                }
                part.fmt(f)?;
            }
            f.write_str(")")
        };
        let branches = |f: &mut fmt::Formatter<'_>, word, then: &Self, condition: &Self, otherwise| {
            write!(f, "({then} {word} {condition}")?;
            if let Some(otherwise) = otherwise {
                let otherwise: &Self = otherwise;
                write!(f, " else {otherwise}")?;
            }
            f.write_str(")")
        };
        match self {
            Self::Simple(dependency) => {
                let text = dependency.to_string();
                f.write_str(&text)?;
                // A name that opens more than it closes would take in what follows.
                if text.matches('(').count() > text.matches(')').count() {
                    f.write_str(" ")?;
                }
                Ok(())
            }
            Self::And(parts) => chain(f, parts, "and"),
            Self::Or(parts) => chain(f, parts, "or"),
            Self::With(parts) => chain(f, parts, "with"),
            Self::If {
                then,
                condition,
                otherwise,
            } => branches(f, "if", then, condition, otherwise.as_deref()),
            Self::Unless {
                then,
                condition,
                otherwise,
            } => branches(f, "unless", then, condition, otherwise.as_deref()),
            Self::Without(left, right) => write!(f, "({left} without {right})"),
        }
    }
}
