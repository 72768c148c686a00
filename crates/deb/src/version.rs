//! Debian version numbers, `[epoch:]upstream[-revision]`, and their order (deb-version(7), Policy § 5.6.12).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The longest version text that is taken; real ones stay below 80 bytes.
pub const MAX_VERSION_LENGTH: usize = 1024;

/// The largest epoch: dpkg keeps it in a C `int`.
const MAX_EPOCH: u32 = i32::MAX as u32;

/// A Debian version. `Ord` and `Eq` are dpkg's: `1.0`, `1.00`, `0:1.0` and `1.0-0` are *equal*.
///
/// Where the very text matters (locks, file names), compare [`Version::as_str`].
#[derive(Clone)]
pub struct Version {
    text: Box<str>,
    epoch: u32,
    /// Where the upstream version begins in `text`.
    start: usize,
    /// Where the `-` before the revision is, if there is a revision.
    dash: Option<usize>,
}

/// Why a text is no Debian version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no Debian version: {reason}")]
pub struct VersionError {
    /// What was parsed (cut to a readable length).
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Version {
    /// Parses `[epoch:]upstream[-revision]`. The text is kept as it is.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let fail = |reason| VersionError {
            text: text.chars().take(80).collect(),
            reason,
        };
        if text.is_empty() {
            return Err(fail("it is empty"));
        }
        if text.len() > MAX_VERSION_LENGTH {
            return Err(fail("it is too long"));
        }
        let (epoch, start) = match text.find(':') {
            None => (0, 0),
            Some(0) => return Err(fail("the epoch is empty")),
            Some(colon) => (parse_epoch(&text[..colon]).map_err(fail)?, colon + 1),
        };
        let dash = text[start..].rfind('-').map(|at| start + at);
        let upstream = &text[start..dash.unwrap_or(text.len())];
        if !upstream.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(fail("the upstream version does not start with a digit"));
        }
        if !upstream
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b".-+~:".contains(&c))
        {
            return Err(fail(
                "the upstream version holds a character other than A-Z a-z 0-9 . - + ~ :",
            ));
        }
        if let Some(dash) = dash {
            let revision = &text[dash + 1..];
            if revision.is_empty() {
                return Err(fail("the revision is empty"));
            }
            if !revision
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b".+~".contains(&c))
            {
                return Err(fail(
                    "the revision holds a character other than A-Z a-z 0-9 . + ~",
                ));
            }
        }
        Ok(Self {
            text: text.into(),
            epoch,
            start,
            dash,
        })
    }

    /// The whole text, as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The epoch; 0 where none is written.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The upstream version, without epoch and revision.
    pub fn upstream(&self) -> &str {
        &self.text[self.start..self.dash.unwrap_or(self.text.len())]
    }

    /// The Debian revision, if the package is not native.
    pub fn revision(&self) -> Option<&str> {
        self.dash.map(|dash| &self.text[dash + 1..])
    }

    /// The version as it stands in the name of a `.deb` file: without the epoch.
    pub fn without_epoch(&self) -> &str {
        &self.text[self.start..]
    }
}

fn parse_epoch(digits: &str) -> Result<u32, &'static str> {
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err("the epoch is no number");
    }
    match digits.parse::<u32>() {
        Ok(epoch) if epoch <= MAX_EPOCH => Ok(epoch),
        _ => Err("the epoch is too large"),
    }
}

/// The weight of one character of a non-digit run; `None` is the end of the text.
///
/// `~` sorts before everything, even the end; letters sort before other characters.
fn weight(c: Option<u8>) -> i32 {
    match c {
        None => 0,
        Some(b'~') => -1,
        Some(c) if c.is_ascii_digit() => 0,
        Some(c) if c.is_ascii_alphabetic() => i32::from(c),
        Some(c) => i32::from(c) + 256,
    }
}

/// Splits off the leading run of digits, without its leading zeros.
fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|c| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let zeros = text[..end].iter().take_while(|c| **c == b'0').count();
    (&text[zeros..end], &text[end..])
}

/// Compares an upstream version or a revision: runs of non-digits by weight, runs of digits by value, in turn.
fn compare_part(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left.as_bytes(), right.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (x, y) = (a.first().copied(), b.first().copied());
            let in_text = |c: Option<u8>| c.is_some_and(|c| !c.is_ascii_digit());
            if !in_text(x) && !in_text(y) {
                break;
            }
            match weight(x).cmp(&weight(y)) {
                Ordering::Equal => (a, b) = (&a[1..], &b[1..]),
                unequal => return unequal,
            }
        }
        let ((x, rest_a), (y, rest_b)) = (split_number(a), split_number(b));
        match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
            Ordering::Equal => (a, b) = (rest_a, rest_b),
            unequal => return unequal,
        }
    }
    Ordering::Equal
}

/// Feeds a part into a hasher so that parts which compare equal hash equal.
fn hash_part(part: &str, state: &mut impl Hasher) {
    let mut rest = part.as_bytes();
    let mut first = true;
    while !rest.is_empty() {
        let end = rest.iter().position(u8::is_ascii_digit).unwrap_or(rest.len());
        let (text, tail) = rest.split_at(end);
        let (number, tail) = split_number(tail);
        // A lone zero is equal to nothing at all: `1-0` is `1`.
        if !(first && text.is_empty() && number.is_empty() && tail.is_empty()) {
            text.hash(state);
            number.hash(state);
        }
        first = false;
        rest = tail;
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream(), other.upstream()))
            .then_with(|| compare_part(self.revision().unwrap_or(""), other.revision().unwrap_or("")))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.epoch.hash(state);
        hash_part(self.upstream(), state);
        state.write_u8(0xff);
        hash_part(self.revision().unwrap_or(""), state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.text)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        Self::parse(&text)
    }
}

crate::names::string_serde!(Version);
