//! Regular expressions of overlays: RE2's syntax, as azldev has it, for the engine that is used here.
//!
//! The two syntaxes agree but for a few constructs, which are written anew:
//!
//! | RE2 | here |
//! |---|---|
//! | `\d \w \s` and `\D \W \S` are ASCII | classes of these characters |
//! | `\b` and `\B` are ASCII | `(?-u:\b)`, which has no form for `\B`: that one is Unicode's |
//! | `[` in a class stands for itself | `\[` |
//! | `&&`, `--` and `~~` in a class are characters | each escaped |
//! | `\<` and `\>` are characters | `<` and `>` |
//! | `\Q…\E` is literal | each character escaped |
//!
//! Off-spec: `\C`, a single byte, is refused; texts are matched by characters.

use crate::schema::SearchMode;

/// Largest compiled expression in bytes.
const MAX_COMPILED: usize = 4 << 20;

/// A regular expression that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{regex}` is not a regular expression: {reason}")]
pub struct InvalidRegex {
    /// The expression.
    pub regex: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Compiles the regular expression of an overlay, with RE2's meaning.
///
/// # Errors
/// It is not one, or its compiled form is too large.
pub fn compile_search(text: &str, mode: SearchMode) -> Result<regex::Regex, InvalidRegex> {
    let invalid = |reason: String| InvalidRegex {
        regex: text.to_owned(),
        reason,
    };
    let translated = translate(text).map_err(|reason| invalid(reason.to_owned()))?;
    let mut builder = regex::RegexBuilder::new(&translated);
    builder
        .multi_line(mode == SearchMode::MultiLine)
        .size_limit(MAX_COMPILED);
    builder.build().map_err(|error| {
        // The last line says what; those before it draw the translated expression.
        let error = error.to_string();
        invalid(
            error
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned(),
        )
    })
}

type Rest<'t> = std::iter::Peekable<std::str::Chars<'t>>;

/// Writes an expression anew for the engine.
fn translate(text: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(one) = rest.next() {
        match one {
            '\\' => escape(rest.next(), &mut rest, Place::Outside, &mut out)?,
            '[' => class(&mut rest, &mut out)?,
            _ => out.push(one),
        }
    }
    Ok(out)
}

/// A class, of which the `[` is behind us.
fn class(rest: &mut Rest<'_>, out: &mut String) -> Result<(), &'static str> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    while let Some(one) = rest.next() {
        match one {
            // A `]` at the start stands for itself.
            ']' if !first => {
                out.push(']');
                return Ok(());
            }
            '[' if rest.peek() == Some(&':') => named_class(rest, out),
            one => {
                class_character(one, rest, out)?;
                // A `-` makes a range, unless it is the last.
                let mut ahead = rest.clone();
                if ahead.next() == Some('-') && ahead.next().is_some_and(|end| end != ']') {
                    rest.next();
                    out.push('-');
                    let end = rest.next().unwrap_or_default();
                    class_character(end, rest, out)?;
                }
            }
        }
        first = false;
    }
    // The engine says that the class has no end.
    Ok(())
}

/// A character of a class: what has a meaning in the engine's classes, and none in RE2's, is escaped.
fn class_character(one: char, rest: &mut Rest<'_>, out: &mut String) -> Result<(), &'static str> {
    match one {
        '\\' => return escape(rest.next(), rest, Place::Class, out),
        '[' | ']' | '&' | '~' | '-' | '^' => {
            out.push('\\');
            out.push(one);
        }
        _ => out.push(one),
    }
    Ok(())
}

/// `[:name:]` in a class, as it is; what is none of these is characters.
fn named_class(rest: &mut Rest<'_>, out: &mut String) {
    let ahead: String = rest.clone().take(16).collect();
    match ahead.find(":]") {
        Some(end) => {
            out.push('[');
            out.extend(rest.by_ref().take(end + 2));
        }
        None => out.push_str("\\["),
    }
}

/// Where an escape stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Outside,
    Class,
}

fn escape(
    next: Option<char>,
    rest: &mut Rest<'_>,
    place: Place,
    out: &mut String,
) -> Result<(), &'static str> {
    let Some(next) = next else {
        return Err("a backslash stands at the end");
    };
    let (plain, negated) = match next {
        'd' | 'D' => ("0-9", next == 'D'),
        'w' | 'W' => ("0-9A-Za-z_", next == 'W'),
        's' | 'S' => ("\\t\\n\\x0c\\r ", next == 'S'),
        'b' if place == Place::Outside => {
            out.push_str("(?-u:\\b)");
            return Ok(());
        }
        '<' | '>' => {
            out.push(next);
            return Ok(());
        }
        'Q' => {
            quote(rest, out);
            return Ok(());
        }
        'C' => return Err("`\\C`, a single byte, is not supported"),
        _ => {
            out.push('\\');
            out.push(next);
            return Ok(());
        }
    };
    match (place, negated) {
        (Place::Class, false) => out.push_str(plain),
        (_, true) => out.extend(["[^", plain, "]"]),
        (Place::Outside, false) => out.extend(["[", plain, "]"]),
    }
    Ok(())
}

/// What stands before `\E`, or to the end, literally.
fn quote(rest: &mut Rest<'_>, out: &mut String) {
    while let Some(one) = rest.next() {
        if one == '\\' && rest.next_if_eq(&'E').is_some() {
            return;
        }
        out.push_str(&regex::escape(one.encode_utf8(&mut [0; 4])));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

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
            (r"[[:x]+", "[:x", Some("[:x")),
            (r"\<a\>", "<a>", Some("<a>")),
            (r"\Qa.b*\E+", "a.b**", Some("a.b**")),
            (r"\Qa.b", "axb a.b", Some("a.b")),
            (
                r"(?i)BuildRequires:\s*(\S+)",
                "buildrequires:  x",
                Some("buildrequires:  x"),
            ),
            (r"--enable-x\s*\\$", "--enable-x \\", Some("--enable-x \\")),
            (r"%\{\?dist\}", "1%{?dist}", Some("%{?dist}")),
        ] {
            let compiled =
                compile_search(regex, SearchMode::EachLine).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                compiled.find(text).map(|found| found.as_str()),
                expected,
                "{regex} in {text}"
            );
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for (regex, expected) in [
            ("(", "`(` is not a regular expression: unclosed group"),
            (
                "a\\",
                "`a\\` is not a regular expression: a backslash stands at the end",
            ),
            (
                "\\C",
                "`\\C` is not a regular expression: `\\C`, a single byte, is not supported",
            ),
            (
                "(?=x)",
                "`(?=x)` is not a regular expression: look-around, including look-ahead and look-behind, is not supported",
            ),
        ] {
            assert_eq!(
                compile_search(regex, SearchMode::EachLine)
                    .unwrap_err()
                    .to_string(),
                expected
            );
        }
    }

    #[test]
    fn ends_of_lines_match_by_mode() {
        let matches = |mode, regex: &str| compile_search(regex, mode).unwrap().find_iter("a\na").count();
        assert_eq!(matches(SearchMode::WholeText, "^a$"), 0);
        assert_eq!(matches(SearchMode::MultiLine, "^a$"), 2);
        assert_eq!(matches(SearchMode::WholeText, "a\\na"), 1);
    }
}
