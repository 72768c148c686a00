//! Licence expressions of copyright files: `GPL-2+ with OpenSSL exception, or MIT` (copyright-format 1.0, § 7.2).

use std::fmt;

/// The most words an expression may have.
const MAX_WORDS: usize = 1000;

/// A licence expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LicenseExpression {
    /// A short name, as it is written (a name of several words keeps its blanks).
    Name(String),
    /// A short name with an exception, without the words `with` and `exception`.
    With {
        /// The licence.
        license: String,
        /// The exception.
        exception: String,
    },
    /// All of them hold.
    And(Vec<LicenseExpression>),
    /// One of them may be chosen.
    Or(Vec<LicenseExpression>),
}

/// Why a synopsis is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no licence expression: {reason}")]
pub struct LicenseExpressionError {
    /// What was parsed (cut to a readable length).
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
}

impl LicenseExpression {
    /// Parses a synopsis. `and` binds closer than `or`; a comma before either parts what stands on both sides of it.
    pub fn parse(text: &str) -> Result<Self, LicenseExpressionError> {
        let fail = |reason| LicenseExpressionError {
            text: text.chars().take(200).collect(),
            reason,
        };
        if text.split_ascii_whitespace().count() > MAX_WORDS {
            return Err(fail("it has too many words"));
        }
        let mut whole: Option<Self> = None;
        for part in text.split(',') {
            let mut words: Vec<&str> = part.split_ascii_whitespace().collect();
            let Some(before) = whole.take() else {
                whole = Some(parse_part(&words).map_err(fail)?);
                continue;
            };
            // `A, B and C` is not of the format, but common: a comma alone is an `and`.
            let operator = words.first().and_then(|word| operator(word));
            if operator.is_some() {
                words.remove(0);
            }
            let part = parse_part(&words).map_err(fail)?;
            whole = Some(combine(operator.unwrap_or(Operator::And), vec![before, part]));
        }
        whole.ok_or_else(|| fail("it is empty"))
    }

    /// All licence names in it, in their order, with repetitions.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Name(name) => vec![name],
            Self::With { license, .. } => vec![license],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::names).collect(),
        }
    }
}

fn operator(word: &str) -> Option<Operator> {
    match word {
        _ if word.eq_ignore_ascii_case("and") => Some(Operator::And),
        _ if word.eq_ignore_ascii_case("or") || word.eq_ignore_ascii_case("and/or") => Some(Operator::Or),
        _ => None,
    }
}

/// Joins expressions, without nesting an `and` in an `and`.
fn combine(operator: Operator, parts: Vec<LicenseExpression>) -> LicenseExpression {
    let mut flat = Vec::new();
    for part in parts {
        match (operator, part) {
            (Operator::And, LicenseExpression::And(inner)) | (Operator::Or, LicenseExpression::Or(inner)) => {
                flat.extend(inner);
            }
            (_, part) => flat.push(part),
        }
    }
    match (operator, flat.len()) {
        (_, 1) => flat.remove(0),
        (Operator::And, _) => LicenseExpression::And(flat),
        (Operator::Or, _) => LicenseExpression::Or(flat),
    }
}

/// Parses what stands between commas: an `or` of `and`s of terms.
fn parse_part(words: &[&str]) -> Result<LicenseExpression, &'static str> {
    let mut choices = Vec::new();
    for choice in words.split(|word| operator(word) == Some(Operator::Or)) {
        let terms = choice.split(|word| operator(word) == Some(Operator::And));
        choices.push(combine(
            Operator::And,
            terms.map(parse_term).collect::<Result<_, _>>()?,
        ));
    }
    Ok(combine(Operator::Or, choices))
}

/// `NAME [with EXCEPTION [exception]]`
fn parse_term(words: &[&str]) -> Result<LicenseExpression, &'static str> {
    let with = words.iter().position(|word| word.eq_ignore_ascii_case("with"));
    let name = words[..with.unwrap_or(words.len())].join(" ");
    if name.is_empty() {
        return Err("a name is missing");
    }
    let Some(with) = with else {
        return Ok(LicenseExpression::Name(name));
    };
    let mut exception = &words[with + 1..];
    if let Some((last, before)) = exception.split_last()
        && (last.eq_ignore_ascii_case("exception") || last.eq_ignore_ascii_case("exceptions"))
    {
        exception = before;
    }
    match exception.is_empty() {
        true => Err("`with` is not followed by an exception"),
        false => Ok(LicenseExpression::With {
            license: name,
            exception: exception.join(" "),
        }),
    }
}

impl fmt::Display for LicenseExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, parts) = match self {
            Self::Name(name) => return f.write_str(name),
            Self::With { license, exception } => return write!(f, "{license} with {exception} exception"),
            Self::And(parts) => (" and ", parts),
            Self::Or(parts) => (" or ", parts),
        };
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                f.write_str(word)?;
            }
            match part {
                Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                _ => write!(f, "{part}")?,
            }
        }
        Ok(())
    }
}
