//! Sizes and times as people write them.

use std::str::FromStr;
use std::time::Duration;

/// A number of bytes: `500M`, `20G`, `1.5T`, in powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub u64);

/// A length of time: `12h`, `30d`, `8w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub Duration);

/// Units of bytes, and the power of 1024.
const BYTES: [(&str, u32); 5] = [("", 0), ("K", 1), ("M", 2), ("G", 3), ("T", 4)];

/// Units of time, and their seconds.
const TIMES: [(&str, u64); 5] = [("s", 1), ("min", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("`{text}` is no size: write 500M, 20G or 1.5T");
        let unit = text.trim_start_matches(|char: char| char.is_ascii_digit() || char == '.');
        let number: f64 = text[..text.len() - unit.len()].parse().map_err(|_| fail())?;
        let short = unit
            .trim_end_matches("iB")
            .trim_end_matches('B')
            .to_ascii_uppercase();
        let (_, power) = BYTES
            .into_iter()
            .find(|(name, _)| *name == short)
            .ok_or_else(fail)?;
        let bytes = number * 1024_f64.powi(power as i32);
        // 2^63: beyond, a float says no whole number any more, and no disk is as large.
        match bytes < 9.2e18 {
            true => Ok(Self(bytes as u64)),
            false => Err(fail()),
        }
    }
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("`{text}` is no length of time: write 12h, 30d or 8w");
        let unit = text.trim_start_matches(|char: char| char.is_ascii_digit());
        let number: u64 = text[..text.len() - unit.len()].parse().map_err(|_| fail())?;
        let (_, seconds) = TIMES
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(fail)?;
        let seconds = number.checked_mul(seconds).ok_or_else(fail)?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

/// A number of bytes for people.
pub(super) fn human(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "";
    for (name, _) in BYTES.into_iter().skip(1) {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = name;
    }
    format!("{value:.1} {unit}iB")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_are_read() {
        let sizes = [
            ("0", 0),
            ("7", 7),
            ("20G", 20 << 30),
            ("1.5k", 1536),
            ("2MiB", 2 << 20),
            ("3GB", 3 << 30),
        ];
        for (text, bytes) in sizes {
            assert_eq!(text.parse(), Ok(Amount(bytes)), "{text}");
        }
        for bad in ["", "G", "1X", "-1", "1e3", "1 G", "99999999T"] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
        for (text, seconds) in [("90s", 90), ("5min", 300), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(text.parse(), Ok(Age(Duration::from_secs(seconds))), "{text}");
        }
        for bad in ["", "d", "1.5d", "1", "1y", "99999999999999999w"] {
            assert!(bad.parse::<Age>().is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_are_written() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (3 << 30, "3.0 GiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(human(bytes), text);
        }
    }
}
