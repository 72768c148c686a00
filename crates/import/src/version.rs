//! Debian versions as RPM versions, in the same order.
//!
//! Both orders read a version as runs of digits and of other characters, and disagree on nearly everything else.
//! Debian (deb-version(7)) compares runs of non-digits byte by byte: `~`, then the end of the run, then letters, then
//! `+`, `-`, `.`; digits never meet letters. RPM (`rpmvercmp`) ignores `+`, `.`, `_` but for parting tokens, and ranks
//! the tokens that can stand at one place: `~` < the end < `^` < a word (by `strcmp`) < a number.
//!
//! So each thing that Debian lets stand at a place is given a token of the right rank. What is common keeps its form;
//! the rest borrows `^`, the letter `z` as an escape, and a number of nines:
//!
//! | place | in Debian, rising | becomes |
//! |---|---|---|
//! | after a number | `~` | `~` |
//! | | the end | nothing |
//! | | letters: `9.7p1` | `^` before them: `9.7^p1` |
//! | | `+~` | `^zz~` |
//! | | `+` digit: `2.0+2021` | `^` in its place: `2.0^2021` |
//! | | `+` letters: `1+dfsg` | unchanged |
//! | | `-`: `1.4-18` | `_zz`: `1.4_zz18` |
//! | | `.~` | `.zzzz~` |
//! | | `.` digit: `1.2` | unchanged |
//! | | `.` letter: `1.rc` | `.99999999.` before it |
//! | after `~` | `~`, the end | unchanged |
//! | | digit: `2~2021` | `^` before it: `2~^2021` |
//! | | letters: `2~rc1` | unchanged |
//! | within a word | letters but `z`, digits, `~` | unchanged |
//! | | `z`, `+`, `-`, `.` | `zZ`, `za`, `zm`, `zp` |
//!
//! A number that is zero and last is left out after a word or `~`, since to dpkg `1rc0` is `1rc`.
//!
//! Two refinements. After the number of `deb` or `ubuntu` (`+deb13u1`) letters stay as they are, and `+`, `-` become
//! `za`, `zm`. A number after `.` or at the front that has nine digits or more gets `99999999^` before it, so that it
//! stays below what the nines mark.
//!
//! The mapping is exact: `tests/version.rs` shows that for generated versions and for all versions of whole archives.

use lazuli_deb::Version;
use lazuli_rpm::{Comparison, Evr};

/// Marks what Debian sorts after every number at a place where numbers stand. Larger numbers hide behind it.
const NINES: &str = "99999999";

/// Words whose number is followed by letters as a matter of course.
const RELEASE_WORDS: [&str; 2] = ["deb", "ubuntu"];

/// Why a version has no RPM form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version `{version}` cannot be mapped: {reason}")]
pub struct VersionMappingError {
    /// The Debian version.
    pub version: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Maps a whole Debian version. A native version (no revision) gets the release `0`: to Debian, `1.2` *is* `1.2-0`.
///
/// Since the release is always there, `compare_open` compares constraints exactly as dpkg does.
pub fn to_evr(version: &Version) -> Result<Evr, VersionMappingError> {
    let fail = |reason| VersionMappingError {
        version: version.as_str().to_owned(),
        reason,
    };
    let upstream = map_part(version.upstream()).ok_or_else(|| fail("`:` in the upstream version"))?;
    let release = match version.revision() {
        Some(revision) => map_part(revision).ok_or_else(|| fail("an unknown character in the revision"))?,
        None => "0".to_owned(),
    };
    Ok(Evr::new(version.epoch(), upstream, release))
}

/// Maps Debian's operator.
pub fn to_comparison(comparison: lazuli_deb::Comparison) -> Comparison {
    match comparison {
        lazuli_deb::Comparison::Earlier => Comparison::Less,
        lazuli_deb::Comparison::EarlierOrEqual => Comparison::LessOrEqual,
        lazuli_deb::Comparison::Equal => Comparison::Equal,
        lazuli_deb::Comparison::LaterOrEqual => Comparison::GreaterOrEqual,
        lazuli_deb::Comparison::Later => Comparison::Greater,
    }
}

/// What came last: it decides what may stand next and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the front, or after `.`: where a number is expected.
    Number,
    /// After a number.
    AfterNumber,
    /// After the number of a word of [`RELEASE_WORDS`].
    AfterReleaseNumber,
    /// After `~`.
    AfterTilde,
    /// Right after a word that has ended: a digit, `~`, or the end follows.
    AfterWord {
        /// Whether the word is one of [`RELEASE_WORDS`].
        release: bool,
    },
}

/// Maps an upstream version or a revision. `None` for a character that no Debian version holds.
fn map_part(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut place = Place::Number;
    while let Some(first) = rest.bytes().next() {
        if !(first.is_ascii_alphanumeric() || b"+-.~".contains(&first)) {
            return None;
        }
        (place, rest) = match place {
            Place::Number => number_place(&mut out, rest, first),
            Place::AfterNumber => after_number(&mut out, rest, first),
            Place::AfterReleaseNumber => after_release_number(&mut out, rest, first),
            Place::AfterTilde if first.is_ascii_digit() => {
                small_number(&mut out, rest, "^", Place::AfterNumber)
            }
            Place::AfterTilde if first == b'~' => tilde(&mut out, rest),
            Place::AfterTilde => word(&mut out, rest),
            Place::AfterWord { release } if first.is_ascii_digit() => {
                let next = if release {
                    Place::AfterReleaseNumber
                } else {
                    Place::AfterNumber
                };
                small_number(&mut out, rest, "", next)
            }
            Place::AfterWord { .. } => tilde(&mut out, rest),
        };
    }
    if place == Place::Number {
        // `1.` is `1.0` to dpkg.
        out.push('0');
    }
    Some(out)
}

fn tilde<'a>(out: &mut String, rest: &'a str) -> (Place, &'a str) {
    out.push('~');
    (Place::AfterTilde, &rest[1..])
}

/// A number where one is expected, or what stands in its place.
fn number_place<'a>(out: &mut String, rest: &'a str, first: u8) -> (Place, &'a str) {
    if first == b'~' {
        return tilde(out, rest);
    }
    if !first.is_ascii_digit() {
        out.push_str(NINES);
        out.push('.');
        return word(out, rest);
    }
    let (digits, rest) = split_digits(rest);
    let value = digits.trim_start_matches('0');
    if value.len() > NINES.len() || value == NINES {
        out.push_str(NINES);
        out.push('^');
    }
    out.push_str(digits);
    (Place::AfterNumber, rest)
}

/// A number after a word or `~`. There the end counts as zero: `rc0` is `rc`, and `rc0~1` sorts before it.
fn small_number<'a>(out: &mut String, rest: &'a str, mark: &str, next: Place) -> (Place, &'a str) {
    let (digits, rest) = split_digits(rest);
    if digits.bytes().any(|c| c != b'0') || !(rest.is_empty() || rest.starts_with('~')) {
        out.push_str(mark);
        out.push_str(digits);
    } else if !rest.is_empty() {
        out.push_str("~zz");
    }
    (next, rest)
}

fn after_number<'a>(out: &mut String, rest: &'a str, first: u8) -> (Place, &'a str) {
    let second = rest.as_bytes().get(1).copied();
    match (first, second) {
        (b'~', _) => tilde(out, rest),
        (b'+', None) => {
            out.push_str("^0");
            (Place::AfterNumber, &rest[1..])
        }
        (b'+', Some(b'~')) => {
            out.push_str("^zz~");
            (Place::AfterTilde, &rest[2..])
        }
        (b'+', Some(c)) if c.is_ascii_digit() => {
            let (digits, rest) = split_digits(&rest[1..]);
            out.push('^');
            out.push_str(digits);
            (Place::AfterNumber, rest)
        }
        (b'+', _) => {
            out.push('+');
            word_after(out, &rest[1..], "+")
        }
        (b'-', _) => {
            out.push_str("_zz");
            word_after(out, &rest[1..], "-")
        }
        (b'.', Some(b'~')) => {
            out.push_str(".zzzz~");
            (Place::AfterTilde, &rest[2..])
        }
        (b'.', _) => {
            out.push('.');
            (Place::Number, &rest[1..])
        }
        _ => {
            out.push('^');
            word(out, rest)
        }
    }
}

fn after_release_number<'a>(out: &mut String, rest: &'a str, first: u8) -> (Place, &'a str) {
    match first {
        b'~' => tilde(out, rest),
        b'.' if !rest[1..].starts_with('~') => {
            out.push('.');
            (Place::Number, &rest[1..])
        }
        _ => word(out, rest),
    }
}

/// A run of letters, `+`, `-` and `.`, written as one word.
fn word<'a>(out: &mut String, rest: &'a str) -> (Place, &'a str) {
    word_after(out, rest, "")
}

/// The same, after a character that belongs to the run but is written already.
fn word_after<'a>(out: &mut String, rest: &'a str, before: &str) -> (Place, &'a str) {
    let end = rest
        .find(|c: char| c.is_ascii_digit() || c == '~')
        .unwrap_or(rest.len());
    let (run, rest) = rest.split_at(end);
    for c in run.chars() {
        match c {
            'z' => out.push_str("zZ"),
            '+' => out.push_str("za"),
            '-' => out.push_str("zm"),
            '.' => out.push_str("zp"),
            c => out.push(c),
        }
    }
    let letters = run.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let release = (before.is_empty() || before == "+") && RELEASE_WORDS.contains(&letters) && {
        // Only a word that was written in its own form may be followed by letters in theirs.
        letters.len() == run.len()
    };
    (Place::AfterWord { release }, rest)
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}
