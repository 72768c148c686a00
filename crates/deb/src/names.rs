//! Newtypes for the names that Debian's files hold, and the SHA-256 digest they are tied together with.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// Serialises a type as its text, and reads it back through its one validating constructor.
macro_rules! string_serde {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use string_serde;

/// The longest package or architecture name that is taken; real ones stay below 100 bytes.
pub const MAX_NAME_LENGTH: usize = 255;

/// Why a text is no valid name or digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: {reason}")]
pub struct NameError {
    /// What it should have been: `package name`, `architecture`, `SHA-256 digest`.
    pub what: &'static str,
    /// What was parsed (cut to a readable length).
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl NameError {
    fn new(what: &'static str, text: &str, reason: &'static str) -> Self {
        Self {
            what,
            text: text.chars().take(80).collect(),
            reason,
        }
    }
}

/// The name of a binary, source or virtual package (Policy § 5.6.1): at least two characters of `a-z 0-9 + - .`,
/// beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(Box<str>);

impl PackageName {
    /// Checks and takes a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fail = |reason| Err(NameError::new("package name", text, reason));
        if text.len() < 2 {
            return fail("it has fewer than two characters");
        }
        if text.len() > MAX_NAME_LENGTH {
            return fail("it is too long");
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            return fail("it does not begin with a lower-case letter or a digit");
        }
        if !text
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"+-.".contains(&c))
        {
            return fail("it holds a character other than a-z 0-9 + - .");
        }
        Ok(Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A Debian architecture (`amd64`, `arm64`), `all`, or a wildcard in a restriction (`linux-any`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Architecture(Box<str>);

impl Architecture {
    /// Checks and takes a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fail = |reason| Err(NameError::new("architecture", text, reason));
        if text.is_empty() {
            return fail("it is empty");
        }
        if text.len() > MAX_NAME_LENGTH {
            return fail("it is too long");
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return fail("it does not begin with a letter or a digit");
        }
        if !text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
            return fail("it holds a character other than A-Z a-z 0-9 -");
        }
        Ok(Self(text.into()))
    }

    /// The architecture of packages that are the same everywhere.
    pub fn all() -> Self {
        Self("all".into())
    }

    /// Whether this is `all`.
    pub fn is_all(&self) -> bool {
        &*self.0 == "all"
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a restriction such as `any`, `linux-any`, `any-amd64` or `amd64` covers the Linux architecture `cpu`.
    pub fn covers(&self, cpu: &Architecture) -> bool {
        match &*self.0 {
            "any" | "linux-any" => true,
            name => {
                name == cpu.as_str()
                    || name.strip_prefix("any-").or(name.strip_prefix("linux-")) == Some(cpu.as_str())
            }
        }
    }
}

macro_rules! name_impls {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        string_serde!($type);
    };
}
name_impls!(PackageName);
name_impls!(Architecture);

/// A SHA-256 digest; its text form is 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// Takes the bytes of a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Digests `data`.
    pub fn of(data: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(data).into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Sha256Digest {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| NameError::new("SHA-256 digest", text, "it is not 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

string_serde!(Sha256Digest);
