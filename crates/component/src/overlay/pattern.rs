//! Regular expressions of overlays: the syntax of Go's `regexp` (RE2), which azldev reads them with, on Rust's `regex`.
//!
//! Where both read a text differently, [`translate_search`] has rewritten it to what Go means.
//!
//! `(?P<name>…)` and `\z` are the same in both. Off-spec: `.` matches no byte that is not UTF-8; in Go it does.

use std::iter::Peekable;
use std::str::Chars;

use lazuli_catalog::schema::Replacement;
use lazuli_catalog::translate_search;
use lazuli_spec::Substitute;
use regex::bytes::{Regex, RegexBuilder};

/// Longest pattern in bytes.
const MAX_PATTERN: usize = 64 << 10;
/// Largest compiled pattern in bytes.
const MAX_COMPILED: usize = 16 << 20;
/// Deepest nesting of groups.
const MAX_NESTING: u32 = 100;

/// What `^` and `$` are the ends of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchors {
    /// The text.
    Text,
    /// Each line; with CRLF, the carriage return is part of the end.
    Lines { crlf: bool },
}

/// A pattern or what replaces its matches cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadPattern {
    pub(super) problem: String,
    pub(super) hint: Option<String>,
}

/// Compiles a pattern that is written for Go.
pub(super) fn compile(pattern: &str, anchors: Anchors) -> Result<Regex, BadPattern> {
    if pattern.len() > MAX_PATTERN {
        return Err(BadPattern {
            problem: "the regular expression is longer than 64 KiB".to_owned(),
            hint: None,
        });
    }
    let (multi_line, crlf) = match anchors {
        Anchors::Text => (false, false),
        Anchors::Lines { crlf } => (true, crlf),
    };
    RegexBuilder::new(&translate_search(pattern))
        .multi_line(multi_line)
        .crlf(crlf)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(MAX_NESTING)
        .build()
        .map_err(|error| BadPattern {
            problem: format!(
                "the regular expression is not valid: {}",
                last_line(&error.to_string())
            ),
            hint: None,
        })
}

/// The regex crate shows the pattern with carets first; the reason is the last line.
fn last_line(text: &str) -> String {
    let line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(text);
    line.trim().trim_start_matches("error: ").to_owned()
}

/// What takes the place of matches, with all groups that it names being there.
pub(super) fn substitute<'a>(
    replacement: &'a Replacement,
    pattern: &Regex,
) -> Result<Substitute<'a>, BadPattern> {
    let text = match replacement {
        Replacement::Literal(text) => return Ok(Substitute::Literal(text)),
        Replacement::Captures(text) => text,
    };
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let (name, braced) = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, true),
            None => (
                &rest[..rest.find(|one| !is_name(one)).unwrap_or(rest.len())],
                false,
            ),
        };
        if name.is_empty() && !braced {
            continue;
        }
        let known = match name.parse::<usize>() {
            Ok(number) => number < pattern.captures_len(),
            Err(_) => pattern.capture_names().flatten().any(|known| known == name),
        };
        if !known {
            let digits = name.len() - name.trim_start_matches(|one: char| one.is_ascii_digit()).len();
            let hint = match digits {
                1.. if !braced => format!(
                    "a name goes as far as letters and digits do: write ${{{}}}{}",
                    &name[..digits],
                    &name[digits..]
                ),
                _ => "write `$$` for a dollar sign".to_owned(),
            };
            return Err(BadPattern {
                problem: format!(
                    "the replacement names the group `{name}`, which the regular expression does not have"
                ),
                hint: Some(hint),
            });
        }
    }
    Ok(Substitute::Captures(text))
}

/// How long `N}`, `N,}` or `N,M}` is, if that follows.
fn repetition(rest: &Peekable<Chars<'_>>) -> Option<usize> {
    let text: String = rest.clone().take_while(|one| *one != '}').take(16).collect();
    let closed = rest.clone().nth(text.chars().count()) == Some('}');
    let (least, most) = text.split_once(',').unwrap_or((&text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (closed && !least.is_empty() && is_number(least) && is_number(most)).then_some(text.len() + 1)
}

/// About what a pattern matches, as plain text: what the nearest line is looked for with.
pub(super) fn plain_text(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(one) = rest.next() {
        match one {
            '\\' => match rest.next() {
                Some('s' | 'n' | 't') => out.push(' '),
                Some('Q' | 'E' | 'b' | 'B' | 'A' | 'z' | 'd' | 'D' | 'w' | 'W' | 'S') | None => {}
                Some(one) => out.push(one),
            },
            '[' => {
                rest.next();
                while rest.next().is_some_and(|one| one != ']') {}
                out.push(' ');
            }
            '{' if repetition(&rest).is_some() => while rest.next().is_some_and(|one| one != '}') {},
            '(' if rest.peek() == Some(&'?') => {
                while rest.peek().is_some_and(|one| !matches!(one, ':' | '>' | ')')) {
                    rest.next();
                }
                rest.next();
            }
            '.' if matches!(rest.peek(), Some('*' | '+' | '?')) => out.push(' '),
            '(' | ')' | '|' | '^' | '$' | '*' | '+' | '?' => {}
            one => out.push(one),
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Anchors, compile, plain_text};

    /// What the first match in `text` is, with Go's answer beside it (computed by hand from the syntax in regexp/syntax).
    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, text, expected) in [
            (r"%{name}-devel", "Requires: %{name}-devel", Some("%{name}-devel")),
            (r"a{2}", "aaa", Some("aa")),
            (r"a{2,}", "aaa", Some("aaa")),
            (r"a{,2}", "a{,2}", Some("a{,2}")),
            (r"x{a}", "x{a}", Some("x{a}")),
            (r"[[(]", "a[b", Some("[")),
            (r"[]a]+", "x]a]", Some("]a]")),
            (r"[^]a]+", "]xy]", Some("xy")),
            (r"[a&&b]+", "x&b&", Some("&b&")),
            (r"[a~~b]+", "~a~", Some("~a~")),
            (r"[+--]+", "x,-+", Some(",-+")),
            (r"[a\-z]+", "b-a", Some("-a")),
            (r"[[:digit:]x]+", "a1x2", Some("1x2")),
            (r"[\d.]+", "v1.2", Some("1.2")),
            (r"[^\s=]+=", "a b=c", Some("b=")),
            (r"\d+", "٣4", Some("4")),
            (r"\w+", "é1", Some("1")),
            (r"\bfoo\b", "éfoo", Some("foo")),
            (r"\Qa.b(\E+", "xa.b((", Some("a.b((")),
            (r"\Qa.b", "a.b", Some("a.b")),
            (r"\<b\>", "a<b>", Some("<b>")),
            (r"\%\{\/\}", "%{/}", Some("%{/}")),
            (r"\x41\x{42}\103", "ABC", Some("ABC")),
            (r"\pL+", "1é", Some("é")),
            (r"(?P<n>a)b\z", "abab", Some("ab")),
            (r"(?i)FOO", "a foo", Some("foo")),
            (r"(?U)a+", "aaa", Some("a")),
            (r"^b", "a\nb", None),
            (r"(?m)^b", "a\nb", Some("b")),
            (r"a.b", "a\nb", None),
            (r"(?s)a.b", "a\nb", Some("a\nb")),
            (r"\s", "\u{a0}", None),
        ] {
            let regex = compile(pattern, Anchors::Text).unwrap();
            let found = regex
                .find(text.as_bytes())
                .map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned());
            assert_eq!(found.as_deref(), expected, "{pattern} in {text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for pattern in [r"(a", r"a**b(", r"\1", r"[z-a]", r"(?=a)", r"\8", r"*a", r"[a"] {
            assert!(compile(pattern, Anchors::Text).is_err(), "{pattern}");
        }
        assert!(compile(&"a{1000}{1000}{1000}".repeat(2), Anchors::Text).is_err());
        assert!(compile(&"(".repeat(70_000), Anchors::Text).is_err());
    }

    #[test]
    fn plain_text_is_about_what_matches() {
        for (pattern, expected) in [
            (r"^BuildRequires:\s+foo\.bar$", "BuildRequires: foo.bar"),
            (r"--enable-(?:old|new)", "--enable-oldnew"),
            (r"%{name}.*x{2}", "%{name} x"),
        ] {
            assert_eq!(
                plain_text(pattern)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" "),
                expected,
                "{pattern}"
            );
        }
    }
}
