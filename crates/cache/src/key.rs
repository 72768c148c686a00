//! Names of entries and of what is in them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}: {rule}")]
pub struct InvalidName {
    /// What it should have been.
    pub kind: &'static str,
    /// The text, shortened.
    pub text: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

impl InvalidName {
    fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        const SHOWN: usize = 80;
        Self {
            kind,
            text: text.chars().take(SHOWN).collect(),
            rule,
        }
    }
}

/// The key of a build: the digest of all that decides what comes out of it, as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CacheKey(String);

impl CacheKey {
    /// Checks and wraps the text.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let is_key = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match is_key {
            true => Ok(Self(text)),
            false => Err(InvalidName::new(
                "build key",
                &text,
                "64 lower-case hexadecimal digits",
            )),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of an object in an entry: a plain file name, so that it can be placed in a folder as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectName(String);

impl ObjectName {
    /// The longest name in bytes: what file systems take.
    const MAX: usize = 255;

    /// Checks and wraps the text.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let is_plain = !text.is_empty()
            && text.len() <= Self::MAX
            && !text.starts_with('.')
            && !text.chars().any(|char| char == '/' || char.is_control());
        match is_plain {
            true => Ok(Self(text)),
            false => Err(InvalidName::new(
                "object name",
                &text,
                "a file name of at most 255 bytes without `/` and control characters that does not begin with a dot",
            )),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}
as_text!(CacheKey);
as_text!(ObjectName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(CacheKey::new("0123456789abcdef".repeat(4)).is_ok());
        for bad in ["", "0", &"A".repeat(64), &"g".repeat(64), &"0".repeat(65)] {
            assert!(CacheKey::new(bad).is_err(), "{bad}");
        }
        assert!(ObjectName::new("zlib1g-1.3.1-100.lz2.x86_64.rpm").is_ok());
        for bad in ["", ".", "..", ".hidden", "a/b", "a\nb", "a\0b", &"x".repeat(256)] {
            assert!(ObjectName::new(bad).is_err(), "{bad}");
        }
    }
}
