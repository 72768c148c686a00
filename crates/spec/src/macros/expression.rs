//! Expressions.

/// The value of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number; rpm computes with 32 bits.
    Integer(i32),
    /// A string.
    String(Vec<u8>),
    /// A version: epoch, version and release as they were written, `epoch:version-release`.
    Version(Vec<u8>),
}

impl Value {
    /// Whether the value counts as true: a number that is not 0, a string that is not empty, never a version.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Integer(number) => *number != 0,
            Self::String(text) => !text.is_empty(),
            Self::Version(_) => false,
        }
    }

    /// The value as text.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Integer(number) => number.to_string().into_bytes(),
            Self::String(text) | Self::Version(text) => text.clone(),
        }
    }
}
