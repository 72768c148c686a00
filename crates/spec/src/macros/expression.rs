//! Expressions: `%[…]`, `%{expr:…}` and the conditions of `%if`.
//!
//! ```text
//! ternary  = logical [ "?" ternary ":" ternary ]
//! logical  = relation { ( "&&" | "||" ) relation }          both of one precedence, from the left
//! relation = sum { ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum }
//! sum      = product { ( "+" | "-" ) product }
//! product  = primary { ( "*" | "/" ) primary }
//! primary  = integer | string | version | function "(" [ ternary { "," ternary } ] ")" | "(" ternary ")" | "-" primary | "!" primary
//! ```
//!
//! What is not taken (`0 && …`, the other branch of a ternary) is parsed and its types are checked, but its terms are
//! not expanded.

use super::engine::Engine;
use super::error::{ExpressionProblem, MacroErrorKind};
use super::expand::Output;
use super::failure::{Failure, Result, shown};
use super::scan;
use super::version::Version;

/// The value of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number; rpm computes with 32 bits, and overflows as C does.
    Integer(i32),
    /// A string.
    String(Vec<u8>),
    /// A version.
    Version(Version),
}

impl Value {
    /// Whether the value counts as true: a number that is not 0, a string that is not empty, never a version.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Integer(number) => *number != 0,
            Self::String(text) => !text.is_empty(),
            Self::Version(_) => false,
        }
    }

    /// The value as text.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Integer(number) => number.to_string().into_bytes(),
            Self::String(text) => text.clone(),
            Self::Version(version) => version.to_bytes(),
        }
    }

    fn same_type(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Whether the terms of an expression are expanded as they are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terms {
    Plain,
    Expanded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    End,
    Value(Value),
    Function(Vec<u8>),
    Open,
    Close,
    Comma,
    Not,
    And,
    Or,
    Question,
    Colon,
    Sum(Sum),
    Product(Product),
    Relation(Relation),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sum {
    Add,
    Subtract,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Product {
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Terms within terms, in all expressions that are being evaluated at a time: what a stack of 2 MiB bears.
const MAX_TERMS: usize = 200;

/// Evaluates an expression.
pub(crate) fn evaluate(engine: &mut Engine, text: &[u8], terms: Terms) -> Result<Value> {
    let mut parser = Parser {
        engine,
        text,
        at: 0,
        token: Token::End,
        expand: terms == Terms::Expanded,
        discard: false,
    };
    parser.advance()?;
    let value = parser.ternary()?;
    match parser.token {
        Token::End => Ok(value),
        _ => Err(parser.problem(ExpressionProblem::Syntax)),
    }
}

struct Parser<'a> {
    engine: &'a mut Engine,
    text: &'a [u8],
    /// After the token.
    at: usize,
    token: Token,
    expand: bool,
    /// The value will not be used: terms are not expanded and numbers not computed.
    discard: bool,
}

impl Parser<'_> {
    fn problem(&self, problem: ExpressionProblem) -> Box<Failure> {
        MacroErrorKind::Expression {
            problem,
            expression: shown(self.text),
            offset: self.at,
        }
        .into()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// Reads the next token.
    fn advance(&mut self) -> Result<()> {
        while self.peek(0).is_some_and(scan::is_space) {
            self.at += 1;
        }
        let Some(byte) = self.peek(0) else {
            self.token = Token::End;
            return Ok(());
        };
        let next = self.peek(1);
        let (token, length) = match (byte, next) {
            (b'+', _) => (Token::Sum(Sum::Add), 1),
            (b'-', _) => (Token::Sum(Sum::Subtract), 1),
            (b'*', _) => (Token::Product(Product::Multiply), 1),
            (b'/', _) => (Token::Product(Product::Divide), 1),
            (b'(', _) => (Token::Open, 1),
            (b')', _) => (Token::Close, 1),
            (b'=', Some(b'=')) => (Token::Relation(Relation::Equal), 2),
            (b'=', _) => return Err(self.problem(ExpressionProblem::Equals)),
            (b'!', Some(b'=')) => (Token::Relation(Relation::NotEqual), 2),
            (b'!', _) => (Token::Not, 1),
            (b'<', Some(b'=')) => (Token::Relation(Relation::LessOrEqual), 2),
            (b'<', _) => (Token::Relation(Relation::Less), 1),
            (b'>', Some(b'=')) => (Token::Relation(Relation::GreaterOrEqual), 2),
            (b'>', _) => (Token::Relation(Relation::Greater), 1),
            (b'&', Some(b'&')) => (Token::And, 2),
            (b'&', _) => return Err(self.problem(ExpressionProblem::And)),
            (b'|', Some(b'|')) => (Token::Or, 2),
            (b'|', _) => return Err(self.problem(ExpressionProblem::Or)),
            (b'?', _) => (Token::Question, 1),
            (b':', _) => (Token::Colon, 1),
            (b',', _) => (Token::Comma, 1),
            (b'0'..=b'9', _) => return self.read_integer(),
            (b'%', _) if self.expand => return self.read_integer(),
            (b'"', _) | (b'v', Some(b'"')) => return self.read_string(byte == b'v'),
            (b'a'..=b'z' | b'A'..=b'Z', _) => return self.read_function(),
            _ => return Err(self.problem(ExpressionProblem::Parse)),
        };
        self.at += length;
        self.token = token;
        Ok(())
    }

    /// The text up to a place, expanded if terms are; nothing if the value will not be used.
    fn read_to(&mut self, end: usize) -> Result<Vec<u8>> {
        let text = &self.text[self.at..end];
        if self.discard {
            return Ok(Vec::new());
        }
        if !self.expand || memchr::memchr(b'%', text).is_none() {
            return Ok(text.to_vec());
        }
        let mut out = Output::default();
        self.engine.expand_text(text, &mut out)?;
        Ok(out.bytes)
    }

    /// The place after the macro whose `%` is at `at`.
    fn skip_macro(&self, at: usize) -> usize {
        match self.text.get(at + 1) {
            Some(b'%') => at + 2,
            _ => scan::macro_end(self.text, at + 1).unwrap_or(self.text.len()),
        }
    }

    fn read_integer(&mut self) -> Result<()> {
        let mut end = self.at;
        while let Some(&byte) = self.text.get(end) {
            match byte {
                b'%' if self.expand => end = self.skip_macro(end),
                b'0'..=b'9' => end += 1,
                _ => break,
            }
        }
        let digits = self.read_to(end)?;
        if self.expand
            && !digits
                .strip_prefix(b"-")
                .unwrap_or(&digits)
                .iter()
                .all(u8::is_ascii_digit)
        {
            let word = digits.first().is_some_and(u8::is_ascii_alphabetic);
            return Err(self.problem(if word {
                ExpressionProblem::BareWordFromMacro
            } else {
                ExpressionProblem::NotAnInteger
            }));
        }
        self.at = end;
        self.token = Token::Value(Value::Integer(to_integer(&digits)));
        Ok(())
    }

    fn read_string(&mut self, version: bool) -> Result<()> {
        self.at += if version { 2 } else { 1 };
        let mut end = self.at;
        loop {
            match self.text.get(end) {
                None => return Err(self.problem(ExpressionProblem::UnterminatedString)),
                Some(b'"') => break,
                Some(b'%') if self.expand => end = self.skip_macro(end),
                Some(_) => end += 1,
            }
        }
        let text = self.read_to(end)?;
        self.at = end + 1;
        let value = if version && self.discard {
            Value::Version(Version {
                epoch: None,
                version: Vec::new(),
                release: None,
            })
        } else if version {
            Value::Version(
                Version::parse(&text).ok_or_else(|| self.problem(ExpressionProblem::InvalidVersion))?,
            )
        } else {
            Value::String(text)
        };
        self.token = Token::Value(value);
        Ok(())
    }

    fn read_function(&mut self) -> Result<()> {
        let rest = &self.text[self.at..];
        let within = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b':');
        let length = rest.iter().position(|c| !within(c)).unwrap_or(rest.len());
        if rest.get(length) != Some(&b'(') {
            return Err(self.problem(ExpressionProblem::BareWord));
        }
        self.token = Token::Function(rest[..length].to_vec());
        self.at += length + 1;
        Ok(())
    }

    fn ternary(&mut self) -> Result<Value> {
        let condition = self.logical()?;
        if self.token != Token::Question {
            return Ok(condition);
        }
        let outer = self.discard;
        let taken = condition.is_true();
        let result = self.branches(taken, outer);
        self.discard = outer;
        let (first, second) = result?;
        if !first.same_type(&second) {
            return Err(self.problem(ExpressionProblem::TypesMustMatch));
        }
        Ok(if taken { first } else { second })
    }

    fn branches(&mut self, taken: bool, outer: bool) -> Result<(Value, Value)> {
        self.discard = outer || !taken;
        self.advance()?;
        let first = self.ternary()?;
        if self.token != Token::Colon {
            return Err(self.problem(ExpressionProblem::Syntax));
        }
        self.discard = outer || taken;
        self.advance()?;
        Ok((first, self.ternary()?))
    }

    fn logical(&mut self) -> Result<Value> {
        let outer = self.discard;
        let mut value = self.relation()?;
        loop {
            let wanted = match self.token {
                Token::And => true,
                Token::Or => false,
                _ => return Ok(value),
            };
            let decided = value.is_true() != wanted;
            self.discard = outer || decided;
            let other = self.advance().and_then(|()| self.relation());
            self.discard = outer;
            let other = other?;
            if !value.same_type(&other) {
                return Err(self.problem(ExpressionProblem::TypesMustMatch));
            }
            if !decided {
                value = other;
            }
        }
    }

    fn relation(&mut self) -> Result<Value> {
        let mut value = self.sum()?;
        while let Token::Relation(relation) = self.token {
            self.advance()?;
            let other = self.sum()?;
            let order = match (&value, &other) {
                // rpm takes the sign of the difference, which overflows.
                (Value::Integer(a), Value::Integer(b)) => a.wrapping_sub(*b).cmp(&0),
                (Value::String(a), Value::String(b)) => a.cmp(b),
                (Value::Version(a), Value::Version(b)) => a.compare(b),
                _ => return Err(self.problem(ExpressionProblem::TypesMustMatch)),
            };
            let holds = match relation {
                Relation::Equal => order.is_eq(),
                Relation::NotEqual => order.is_ne(),
                Relation::Less => order.is_lt(),
                Relation::LessOrEqual => order.is_le(),
                Relation::Greater => order.is_gt(),
                Relation::GreaterOrEqual => order.is_ge(),
            };
            value = Value::Integer(i32::from(holds));
        }
        Ok(value)
    }

    fn sum(&mut self) -> Result<Value> {
        let mut value = self.product()?;
        while let Token::Sum(operator) = self.token {
            self.advance()?;
            let other = self.product()?;
            value = match (value, other, operator) {
                (Value::Integer(a), Value::Integer(b), Sum::Add) => Value::Integer(a.wrapping_add(b)),
                (Value::Integer(a), Value::Integer(b), Sum::Subtract) => Value::Integer(a.wrapping_sub(b)),
                (Value::String(mut a), Value::String(b), Sum::Add) => {
                    self.engine.count_bytes(a.len() + b.len())?;
                    a.extend_from_slice(&b);
                    Value::String(a)
                }
                (Value::String(_), Value::String(_), Sum::Subtract) => {
                    return Err(self.problem(ExpressionProblem::NotForStrings("-")));
                }
                (Value::Version(_), Value::Version(_), _) => {
                    return Err(self.problem(ExpressionProblem::NotForVersions("+ and -")));
                }
                _ => return Err(self.problem(ExpressionProblem::TypesMustMatch)),
            };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<Value> {
        let mut value = self.primary()?;
        while let Token::Product(operator) = self.token {
            self.advance()?;
            let other = self.primary()?;
            value = match (value, other, operator) {
                (Value::Integer(a), Value::Integer(_), _) if self.discard => Value::Integer(a),
                (Value::Integer(_), Value::Integer(0), Product::Divide) => {
                    return Err(self.problem(ExpressionProblem::DivisionByZero));
                }
                (Value::Integer(a), Value::Integer(b), Product::Multiply) => {
                    Value::Integer(a.wrapping_mul(b))
                }
                // Off-spec: the smallest number divided by -1 kills rpm; here it overflows as the other operators do.
                (Value::Integer(a), Value::Integer(b), Product::Divide) => Value::Integer(a.wrapping_div(b)),
                (Value::String(_), Value::String(_), _) => {
                    return Err(self.problem(ExpressionProblem::NotForStrings("* and /")));
                }
                (Value::Version(_), Value::Version(_), _) => {
                    return Err(self.problem(ExpressionProblem::NotForVersions("* and /")));
                }
                _ => return Err(self.problem(ExpressionProblem::TypesMustMatch)),
            };
        }
        Ok(value)
    }

    /// A term. All recursion goes through here, so that its depth is counted here alone.
    fn primary(&mut self) -> Result<Value> {
        if self.engine.terms >= MAX_TERMS {
            return Err(self.problem(ExpressionProblem::TooDeep));
        }
        self.engine.terms += 1;
        let result = self.term();
        self.engine.terms -= 1;
        result
    }

    fn term(&mut self) -> Result<Value> {
        match std::mem::replace(&mut self.token, Token::End) {
            Token::Value(value) => {
                self.advance()?;
                Ok(value)
            }
            Token::Open => {
                self.advance()?;
                let value = self.ternary()?;
                if self.token != Token::Close {
                    return Err(self.problem(ExpressionProblem::UnmatchedParenthesis));
                }
                self.advance()?;
                Ok(value)
            }
            Token::Sum(Sum::Subtract) => {
                self.advance()?;
                match self.primary()? {
                    Value::Integer(number) => Ok(Value::Integer(number.wrapping_neg())),
                    _ => Err(self.problem(ExpressionProblem::MinusOnNumbers)),
                }
            }
            Token::Not => {
                self.advance()?;
                let value = self.primary()?;
                Ok(Value::Integer(i32::from(!value.is_true())))
            }
            Token::Function(name) => self.function(&name),
            Token::End => Err(self.problem(ExpressionProblem::UnexpectedEnd)),
            _ => Err(self.problem(ExpressionProblem::Syntax)),
        }
    }

    /// `lua:name(arguments)`: the only functions there are.
    fn function(&mut self, name: &[u8]) -> Result<Value> {
        self.advance()?;
        let mut arguments = Vec::new();
        while self.token != Token::Close {
            arguments.push(self.ternary()?);
            if self.token == Token::Close {
                break;
            }
            if self.token != Token::Comma {
                return Err(self.problem(ExpressionProblem::Syntax));
            }
            self.advance()?;
            if self.token == Token::Close {
                return Err(self.problem(ExpressionProblem::Syntax));
            }
        }
        self.advance()?;
        let Some(function) = name.strip_prefix(b"lua:") else {
            return Err(self.problem(ExpressionProblem::UnsupportedFunction));
        };
        if self.discard {
            return Ok(Value::String(Vec::new()));
        }
        if arguments
            .iter()
            .any(|argument| matches!(argument, Value::Version(_)))
        {
            return Err(self.problem(ExpressionProblem::UnsupportedArgument));
        }
        self.engine
            .call_lua_function(function, &arguments)
            .map(Value::String)
    }
}

/// `atoi`: a `long` that is cut to 32 bits.
fn to_integer(digits: &[u8]) -> i32 {
    let (negative, digits) = match digits.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, digits),
    };
    let mut number: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        let digit = if negative { -digit } else { digit };
        let limit = if negative { i64::MIN } else { i64::MAX };
        number = number
            .checked_mul(10)
            .and_then(|number| number.checked_add(digit))
            .unwrap_or(limit);
        if number == limit {
            break;
        }
    }
    number as i32
}
