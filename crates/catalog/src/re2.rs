//! Regular expressions of overlays: the syntax of Go's `regexp` (RE2), which azldev reads them with, on Rust's `regex`.
//!
//! Both are automata without backtracking. Where they read a text differently, it is rewritten to what Go means:
//!
//! | text | Go | Rust |
//! |---|---|---|
//! | `%{name}` | a brace that is no repetition is a letter | an error |
//! | `[[(]`, `[a&&b]`, `[a--b]` | letters, and a range | nested classes, intersection, difference |
//! | `\d \w \s \b` | ASCII | Unicode |
//! | `\Q…\E` | as it stands | an error |
//! | `\<`, `\>`, `\%`, `\"` | the letter | a word's edge, an error |
//! | `\012` | octal | an error |
//!
//! `(?P<name>…)` and `\z` are the same in both. Expressions are compiled to match bytes.

use std::iter::Peekable;
use std::str::Chars;

use regex::bytes::{Regex, RegexBuilder};

/// Longest pattern in bytes.
const MAX_PATTERN: usize = 64 << 10;
/// Largest compiled pattern in bytes.
const MAX_COMPILED: usize = 16 << 20;
/// Deepest nesting of groups.
const MAX_NESTING: u32 = 100;

/// Compiles the regular expression of an overlay, to see that it is one; the error says why it is not.
pub(crate) fn compile_search(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!("it is longer than {} KiB", MAX_PATTERN >> 10));
    }
    let mut builder = RegexBuilder::new(&translate_search(pattern));
    builder.size_limit(MAX_COMPILED).nest_limit(MAX_NESTING);
    builder.build().map_err(|error| {
        // The regex crate draws the expression first; the last line says what is wrong.
        let text = error.to_string();
        let last = text
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        last.trim().trim_start_matches("error: ").to_owned()
    })
}

/// The regular expression of an overlay, which is written for Go, as the regex crate reads it (for bytes).
#[must_use]
pub fn translate_search(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    while let Some(one) = rest.next() {
        match one {
            '\\' => escape(&mut rest, &mut out),
            '[' => class(&mut rest, &mut out),
            '{' => match repetition(&rest) {
                Some(length) => {
                    out.push('{');
                    out.extend(rest.by_ref().take(length));
                }
                None => out.push_str("\\{"),
            },
            one => out.push(one),
        }
    }
    out
}

/// How long `N}`, `N,}` or `N,M}` is, if that follows.
fn repetition(rest: &Peekable<Chars<'_>>) -> Option<usize> {
    let text: String = rest.clone().take_while(|one| *one != '}').take(16).collect();
    let closed = rest.clone().nth(text.chars().count()) == Some('}');
    let (least, most) = text.split_once(',').unwrap_or((&text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (closed && !least.is_empty() && is_number(least) && is_number(most)).then_some(text.len() + 1)
}

/// What follows a backslash outside of a class.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    match rest.next() {
        None => out.push('\\'),
        Some('Q') => quoted(rest, out),
        Some('d') => out.push_str("[0-9]"),
        Some('D') => out.push_str("[^0-9]"),
        Some('w') => out.push_str("[0-9A-Za-z_]"),
        Some('W') => out.push_str("[^0-9A-Za-z_]"),
        Some('s') => out.push_str("[\\t\\n\\f\\r ]"),
        Some('S') => out.push_str("[^\\t\\n\\f\\r ]"),
        Some('b') => out.push_str("(?-u:\\b)"),
        Some('B') => out.push_str("(?-u:\\B)"),
        Some(one) => plain_escape(one, rest, out),
    }
}

/// `\Q…\E`, or up to the end.
fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut text = String::new();
    while let Some(one) = rest.next() {
        if one == '\\' && rest.peek() == Some(&'E') {
            rest.next();
            break;
        }
        text.push(one);
    }
    out.push_str(&regex::escape(&text));
}

/// Escapes that mean the same inside and outside of classes.
fn plain_escape(one: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    match one {
        '0'..='7' if one == '0' || rest.peek().is_some_and(|next| ('0'..='7').contains(next)) => {
            let mut value = one.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                if let Some(digit) = rest.peek().and_then(|next| next.to_digit(8)) {
                    value = value * 8 + digit;
                    rest.next();
                }
            }
            out.push_str(&format!("\\x{{{value:x}}}"));
        }
        'p' | 'P' | 'x' => {
            out.push('\\');
            out.push(one);
            if rest.peek() == Some(&'{') {
                for next in rest.by_ref() {
                    out.push(next);
                    if next == '}' {
                        break;
                    }
                }
            }
        }
        one if one.is_ascii_alphanumeric() => {
            out.push('\\');
            out.push(one);
        }
        one => out.push_str(&regex::escape(one.encode_utf8(&mut [0; 4]))),
    }
}

/// A class in brackets, of which the first is read.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.peek() == Some(&'^') {
        out.extend(rest.next());
    }
    let mut first = true;
    while let Some(one) = rest.next() {
        if one == ']' && !first {
            out.push(']');
            return;
        }
        first = false;
        if one == '[' && rest.peek() == Some(&':') && rest.clone().collect::<String>().contains(":]") {
            out.push('[');
            while let Some(next) = rest.next() {
                out.push(next);
                if next == ':' && rest.peek() == Some(&']') {
                    out.extend(rest.next());
                    break;
                }
            }
            continue;
        }
        class_item(one, rest, out);
        let mut ahead = rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
        if is_range {
            rest.next();
            out.push('-');
            if let Some(high) = rest.next() {
                class_item(high, rest, out);
            }
        }
    }
}

/// A letter or an escape in a class.
fn class_item(one: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    if one != '\\' {
        out.push_str(&regex::escape(one.encode_utf8(&mut [0; 4])));
        return;
    }
    match rest.next() {
        None => out.push('\\'),
        Some('d') => out.push_str("0-9"),
        Some('D') => out.push_str("[^0-9]"),
        Some('w') => out.push_str("0-9A-Za-z_"),
        Some('W') => out.push_str("[^0-9A-Za-z_]"),
        Some('s') => out.push_str("\\t\\n\\f\\r "),
        Some('S') => out.push_str("[^\\t\\n\\f\\r ]"),
        Some(one) => plain_escape(one, rest, out),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::compile_search;

    #[test]
    fn expressions_mean_what_re2_says() {
        // Expression, text, what its first match is.
        for (regex, text, expected) in [
            (r"\d+", "٣4", Some("4")),
            (r"\w+", "é_a1", Some("_a1")),
            (r"\W", "a\u{e9}", Some("\u{e9}")),
            (r"[\w-]+", "=a-b=", Some("a-b")),
            (r"[^\s]+", " \u{a0}x ", Some("\u{a0}x")),
            (r"[\D]", "1x", Some("x")),
            (r"\bfoo\b", "éfoo", Some("foo")),
            (r"[^[]+", "[ab]", Some("ab]")),
            (r"[[]x", "[x", Some("[x")),
            (r"[]a]+", "x]a", Some("]a")),
            (r"[^]a]+", "]ax", Some("x")),
            (r"[a&&b]+", "&b", Some("&b")),
            (r"[!--]+", "(x", Some("(")),
            (r"[[:alpha:]_]+", "1a_b", Some("a_b")),
            (r"\<a\>", "<a>", Some("<a>")),
            (r"\Qa.b*\E+", "a.b**", Some("a.b**")),
            (r"\Qa.b", "axb a.b", Some("a.b")),
            (
                r"(?i)BuildRequires:\s*(\S+)",
                "buildrequires:  x",
                Some("buildrequires:  x"),
            ),
            (r"--enable-x\s*\\$", "--enable-x \\", Some("--enable-x \\")),
            (r"1%{?dist}", "1%{dist}", Some("1%{dist}")),
            (r"%{\?dist}", "1%{?dist}", Some("%{?dist}")),
            (r"a{2}", "aaa", Some("aa")),
            (r"\x41\x{42}\103", "ABC", Some("ABC")),
        ] {
            let compiled = compile_search(regex).unwrap_or_else(|error| panic!("{regex}: {error}"));
            let found = compiled
                .find(text.as_bytes())
                .map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned());
            assert_eq!(found.as_deref(), expected, "{regex} in {text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for (regex, expected) in [
            ("(", "unclosed group"),
            ("[a", "unclosed character class"),
            (
                "(?=x)",
                "look-around, including look-ahead and look-behind, is not supported",
            ),
        ] {
            assert_eq!(compile_search(regex).unwrap_err(), expected);
        }
        assert_eq!(
            compile_search(&"a".repeat(70_000)).unwrap_err(),
            "it is longer than 64 KiB"
        );
    }
}
