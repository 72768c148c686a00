//! Names: 8 and 3 upper-case characters, and long names beside them (6, 7).

use std::collections::BTreeSet;

/// UTF-16 units of one record of a long name.
pub(super) const UNITS: usize = 13;
/// The most numbers `~N` that are tried for one name.
const MAX_TAIL: u32 = 999_999;

/// A name of 8 and 3 characters, padded with blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    pub(super) bytes: [u8; 11],
    whole: bool,
}

impl Short {
    /// The root's, which has none.
    pub(super) const EMPTY: Self = Self {
        bytes: [b' '; 11],
        whole: true,
    };

    /// Whether it says all that the name says, so that no long name is needed.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// What the records of the long name refer to it by (7.2).
    pub(super) fn checksum(&self) -> u8 {
        self.bytes
            .iter()
            .fold(0u8, |sum, &byte| sum.rotate_right(1).wrapping_add(byte))
    }
}

/// Whether a long name may be so: no control characters, none of `"*/:<>?\|`, no dot or blank at the end.
pub(super) fn is_valid(name: &str) -> bool {
    let refused = |c: char| c < ' ' || "\"*/:<>?\\|\u{7f}".contains(c);
    !name.is_empty()
        && name.encode_utf16().count() <= 255
        && !name.contains(refused)
        && !name.ends_with(['.', ' '])
}

/// Records that a long name takes, without the short one's.
pub(super) fn long_records(name: &str) -> usize {
    name.encode_utf16().count().div_ceil(UNITS)
}

/// A label, padded; `None` if it is not valid.
pub(super) fn label(label: &str) -> Option<[u8; 11]> {
    let valid =
        label.len() <= 11 && label.bytes().all(|b| is_short(b) || b == b' ') && !label.starts_with(' ');
    if !valid {
        return None;
    }
    let mut padded = [b' '; 11];
    let text = if label.is_empty() { "NO NAME" } else { label };
    padded[..text.len()].copy_from_slice(text.as_bytes());
    Some(padded)
}

fn is_short(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'()-@^_`{}~".contains(&byte)
}

/// Short names for all names of one directory; those that need no number come first, whatever the order.
pub(super) fn shorten(names: &[&str]) -> Option<Vec<Short>> {
    let mut shorts: Vec<Option<Short>> = names.iter().map(|name| exact(name)).collect();
    let mut taken: BTreeSet<[u8; 11]> = shorts.iter().flatten().map(|short| short.bytes).collect();
    for (name, short) in names.iter().zip(&mut shorts) {
        if short.is_none() {
            let numbered = numbered(name, &taken)?;
            taken.insert(numbered);
            *short = Some(Short {
                bytes: numbered,
                whole: false,
            });
        }
    }
    shorts.into_iter().collect()
}

/// The short name of a name that fits as it is, or but for its case.
fn exact(name: &str) -> Option<Short> {
    let upper = name.to_ascii_uppercase();
    let (base, extension) = upper.rsplit_once('.').unwrap_or((&upper, ""));
    let fits = (1..=8).contains(&base.len())
        && extension.len() <= 3
        && base.bytes().chain(extension.bytes()).all(is_short);
    if !fits || (upper.contains('.') && extension.is_empty()) {
        return None;
    }
    Some(Short {
        bytes: pad(base.as_bytes(), extension.as_bytes()),
        whole: upper == name,
    })
}

/// A cut name with `~1`, or the next number that is free.
fn numbered(name: &str, taken: &BTreeSet<[u8; 11]>) -> Option<[u8; 11]> {
    let clean = |text: &str, length: usize| -> Vec<u8> {
        let kept = text
            .chars()
            .filter(|&c| c != ' ' && c != '.')
            .map(|c| c.to_ascii_uppercase());
        kept.map(|c| u8::try_from(c).ok().filter(|&b| is_short(b)).unwrap_or(b'_'))
            .take(length)
            .collect()
    };
    let trimmed = name.trim_start_matches('.');
    let (base, extension) = trimmed.rsplit_once('.').unwrap_or((trimmed, ""));
    let (base, extension) = (clean(base, 8), clean(extension, 3));
    (1..=MAX_TAIL).find_map(|number| {
        let tail = format!("~{number}");
        let mut numbered = base[..base.len().min(8 - tail.len())].to_vec();
        numbered.extend_from_slice(tail.as_bytes());
        let padded = pad(&numbered, &extension);
        (!taken.contains(&padded)).then_some(padded)
    })
}

fn pad(base: &[u8], extension: &[u8]) -> [u8; 11] {
    let mut padded = [b' '; 11];
    padded[..base.len()].copy_from_slice(base);
    padded[8..8 + extension.len()].copy_from_slice(extension);
    padded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::shorten;

    #[test]
    fn short_names() {
        let names = [
            "BOOTX64.EFI",
            "loader.conf",
            "lazuli-6.12.efi",
            "lazuli-6.13.efi",
            ".hidden",
            "a.b.c",
            "grüße",
            "LAZULI~1.EFI",
        ];
        let shorts = shorten(&names).unwrap();
        let text: Vec<(String, bool)> = shorts
            .iter()
            .map(|s| (String::from_utf8_lossy(&s.bytes).into_owned(), s.is_whole()))
            .collect();
        let expected = [
            ("BOOTX64 EFI", true),
            ("LOADER~1CON", false),
            ("LAZULI~2EFI", false),
            ("LAZULI~3EFI", false),
            ("HIDDEN~1   ", false),
            ("AB~1    C  ", false),
            ("GR__E~1    ", false),
            ("LAZULI~1EFI", true),
        ];
        let expected: Vec<(String, bool)> = expected.iter().map(|(t, w)| ((*t).to_owned(), *w)).collect();
        assert_eq!(text, expected);
    }
}
