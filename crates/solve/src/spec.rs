//! How a person names packages.

use std::fmt;

/// What a person wrote to name packages: `name`, `name.arch`, `name-evr`, `name-evr.arch`, `name >= 1`, a path, a
/// capability such as `libc.so.6()(64bit)`, a rich dependency, or any of the first four with `*`, `?` and `[…]`.
///
/// What it means depends on what there is (a package may be called `foo-1`), so it is matched against a pool:
/// the readings are tried in the order above, and the first one that matches counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spec(String);

/// Why a text names no packages.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` names no package: {reason}")]
pub struct SpecParseError {
    /// What was parsed.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Spec {
    /// Checks a text for what can never be a package's name.
    pub fn parse(text: &str) -> Result<Self, SpecParseError> {
        Ok(Self(text.trim().to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
