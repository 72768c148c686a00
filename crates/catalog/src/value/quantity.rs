//! Sizes and file modes: numbers that are written as text.

use super::text_type;

const UNITS: &[(&str, u64)] = &[("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40)];

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|last: char| !last.is_ascii_digit());
    let unit = &text[digits.len()..];
    let unit = unit.strip_suffix("iB").unwrap_or(unit);
    let factor = match unit {
        "" if digits.len() == text.len() => 1,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

text_type!(
    /// A size in bytes, with a binary unit: `512M`, `2G`, `4096`. K, M, G and T are powers of 1024, also as KiB, MiB, ….
    ByteSize, "byte-size", "a size",
    "a whole number with the unit K, M, G or T (powers of 1024), or none for bytes, such as \"512M\"",
    "^[0-9]+([KMGT](iB)?)?$", |text| parse_size(text).is_some()
);

impl ByteSize {
    /// The size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        parse_size(self.as_str()).unwrap_or_default()
    }

    /// A size of so many bytes, written with the largest unit that divides it.
    #[must_use]
    pub fn from_bytes(bytes: u64) -> ByteSize {
        let unit = UNITS
            .iter()
            .rev()
            .find(|(_, factor)| bytes != 0 && bytes.is_multiple_of(*factor));
        ByteSize(match unit {
            Some((name, factor)) => format!("{}{name}", bytes / factor),
            None => bytes.to_string(),
        })
    }
}

fn parse_mode(text: &str) -> Option<u32> {
    let digits = (3..=5).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    digits
        .then(|| u32::from_str_radix(text, 8).ok())
        .flatten()
        .filter(|mode| *mode <= 0o7777)
}

text_type!(
    /// Permission bits in octal: `0755`, `4755`.
    FileMode, "file-mode", "a file mode", "octal permission bits such as \"0644\" or \"4755\"", "^0?[0-7]{3,4}$",
    |text| parse_mode(text).is_some()
);

impl FileMode {
    /// The permission bits, setuid, setgid and sticky among them; at most `0o7777`.
    #[must_use]
    pub fn bits(&self) -> u32 {
        parse_mode(self.as_str()).unwrap_or_default()
    }

    /// The mode of these bits, of which only the lowest twelve count.
    #[must_use]
    pub fn from_bits(bits: u32) -> FileMode {
        FileMode(format!("{:04o}", bits & 0o7777))
    }
}
