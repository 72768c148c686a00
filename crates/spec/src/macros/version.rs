//! Versions as rpm compares them: `[epoch:]version[-release]`.

use std::cmp::Ordering;

/// A version, in bytes: what specs write there need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The epoch as it was written, digits; none where there is no `:`.
    pub epoch: Option<Vec<u8>>,
    /// The version.
    pub version: Vec<u8>,
    /// The release; none where there is no `-`.
    pub release: Option<Vec<u8>>,
}

impl Version {
    /// Parts a text; none when it is empty.
    ///
    /// An epoch is digits before a `:`, and 0 when there are none of them; the release is after the last `-`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
        let (epoch, rest) = match text.get(digits) {
            Some(b':') if digits == 0 => (Some(b"0".to_vec()), &text[1..]),
            Some(b':') => (Some(text[..digits].to_vec()), &text[digits + 1..]),
            _ => (None, text),
        };
        let (version, release) = match memchr::memrchr(b'-', rest) {
            Some(dash) => (&rest[..dash], Some(rest[dash + 1..].to_vec())),
            None => (rest, None),
        };
        Some(Self {
            epoch,
            version: version.to_vec(),
            release,
        })
    }

    /// Compares as rpm does: no epoch is epoch 0, and no release is before any.
    pub fn compare(&self, other: &Self) -> Ordering {
        let epoch = |version: &Self| version.epoch.clone().unwrap_or_else(|| b"0".to_vec());
        compare_segments(&epoch(self), &epoch(other))
            .then_with(|| compare_segments(&self.version, &other.version))
            .then_with(|| match (&self.release, &other.release) {
                (Some(left), Some(right)) => compare_segments(left, right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            })
    }

    /// The version as it was written, but that an epoch is never empty.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Some(epoch) = &self.epoch {
            text.extend_from_slice(epoch);
            text.push(b':');
        }
        text.extend_from_slice(&self.version);
        if let Some(release) = &self.release {
            text.push(b'-');
            text.extend_from_slice(release);
        }
        text
    }
}

/// `rpmvercmp`: runs of digits and of letters one by one; `~` sorts before all, `^` after the end but before more.
pub(crate) fn compare_segments(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        left = skip_separators(left);
        right = skip_separators(right);
        match (left.first(), right.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                left = &left[1..];
                right = &right[1..];
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            // A caret is after the end of the same version, but before anything else that goes on.
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), None) => return Ordering::Greater,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(_), Some(_)) => {}
        }
        let numeric = left[0].is_ascii_digit();
        let (a, left_rest) = run(left, numeric);
        let (b, right_rest) = run(right, numeric);
        if b.is_empty() {
            // Digits are newer than letters.
            return if numeric {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        let order = if numeric {
            let (a, b) = (without_zeros(a), without_zeros(b));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        } else {
            a.cmp(b)
        };
        if order != Ordering::Equal {
            return order;
        }
        left = left_rest;
        right = right_rest;
    }
}

fn skip_separators(text: &[u8]) -> &[u8] {
    let kept = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'~' | b'^');
    &text[text.iter().position(kept).unwrap_or(text.len())..]
}

fn run(text: &[u8], numeric: bool) -> (&[u8], &[u8]) {
    let within = |c: &u8| {
        if numeric {
            c.is_ascii_digit()
        } else {
            c.is_ascii_alphabetic()
        }
    };
    text.split_at(text.iter().position(|c| !within(c)).unwrap_or(text.len()))
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|&&c| c == b'0').count()..]
}
