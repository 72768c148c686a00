//! Small questions about words and names, and the matching of patterns.

use super::ast::{Part, Word};

/// Whether a text is a shell name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Word {
    /// The text of a word that needs no expansion.
    pub(crate) fn literal(&self) -> Option<String> {
        literal(&self.0)
    }
}

fn literal(parts: &[Part]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Plain(t) | Part::Exact(t) => text.push_str(t),
            Part::Double(inner) => text.push_str(&literal(inner)?),
            _ => return None,
        }
    }
    Some(text)
}

/// One token of a shell pattern (2.13).
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    Any,
    Many,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// The longest pattern and text that are matched, in characters; beyond it nothing matches.
const MAX_MATCH: usize = 10_000;

/// Whether a shell pattern (`*`, `?`, `[…]`, `\x`) covers a text. A `*` takes `/` too, as in `case`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    if pattern.len() > MAX_MATCH || text.len() > MAX_MATCH {
        return false;
    }
    let tokens = tokens(pattern);
    let chars: Vec<char> = text.chars().collect();
    // The usual greedy walk with one point to go back to: linear in space, quadratic in time at worst.
    let (mut p, mut t, mut back) = (0, 0, None);
    while t < chars.len() {
        match tokens.get(p) {
            Some(Token::Many) => {
                back = Some((p, t));
                p += 1;
            }
            Some(token) if token_covers(token, chars[t]) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    p = star + 1;
                    t = from + 1;
                    back = Some((star, from + 1));
                }
                None => return false,
            },
        }
    }
    tokens[p..].iter().all(|token| *token == Token::Many)
}

fn token_covers(token: &Token, c: char) -> bool {
    match token {
        Token::Char(own) => *own == c,
        Token::Any => true,
        Token::Many => false,
        Token::Set { negated, ranges } => {
            ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut tokens = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        let token = match chars[at] {
            '*' => Token::Many,
            '?' => Token::Any,
            '\\' if at + 1 < chars.len() => {
                at += 1;
                Token::Char(chars[at])
            }
            '[' => match set(&chars[at + 1..]) {
                Some((token, length)) => {
                    at += length;
                    token
                }
                None => Token::Char('['),
            },
            c => Token::Char(c),
        };
        tokens.push(token);
        at += 1;
    }
    tokens
}

/// A bracket expression after its `[`, and how many characters it takes.
fn set(chars: &[char]) -> Option<(Token, usize)> {
    let negated = matches!(chars.first(), Some('!' | '^'));
    let mut at = usize::from(negated);
    let mut ranges = Vec::new();
    let first = at;
    loop {
        match chars.get(at)? {
            ']' if at > first => return Some((Token::Set { negated, ranges }, at + 1)),
            low => {
                if chars.get(at + 1) == Some(&'-') && chars.get(at + 2).is_some_and(|c| *c != ']') {
                    ranges.push((*low, chars[at + 2]));
                    at += 3;
                } else {
                    ranges.push((*low, *low));
                    at += 1;
                }
            }
        }
    }
}

/// Whether a text holds a character that makes it a file name pattern.
pub(crate) fn has_pattern(text: &str) -> bool {
    text.contains(['*', '?']) || text.split_once('[').is_some_and(|(_, rest)| rest.contains(']'))
}

/// Protects a text so that it stands for itself in a pattern.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "*?[\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("configure", "configure", true),
            ("abort-*", "abort-upgrade", true),
            ("abort-*", "abort", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("[yY]*", "Yes", true),
            ("[!a-c]x", "dx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("?", "ä", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(matches(&escape("a*[b"), "a*[b"));
    }
}
