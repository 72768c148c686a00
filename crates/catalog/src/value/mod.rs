//! Validated values: names, versions, paths, digests, sizes.
//!
//! Each type has one constructor, `new`, which checks its text. Serde uses the same constructor, so a value of such
//! a type is always valid, wherever it came from. The JSON schema of each type carries a `pattern` for editors and a
//! `format` by which [`check_format`] finds the constructor, so that one file's errors are found in one pass.

mod debian;
mod digest;
mod name;
mod path;
mod quantity;
mod text;
mod time;

pub use debian::{DebianArchitecture, DebianVersion, PoolPath};
pub use digest::{CommitId, Sha256Digest};
pub use name::{
    AccountName, Architecture, ArchiveComponent, ComponentName, DistroName, DistroVersion, GroupName,
    ImageName, NamePattern, PackageName, ProgramName, ResourceName, SuiteName, TestSuiteName, UnitName,
    UnknownArchitecture,
};
pub use path::{AbsolutePath, FileGlob, FileName, PathGlob, PathMatcher};
pub use quantity::{ByteSize, FileMode};
pub use text::{Capabilities, DependencyText, HostName, KernelArgument, Line, Url};
pub use time::Timestamp;

/// A text that is not a valid value of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {kind}: expected {expected}")]
pub struct InvalidValue {
    /// What it should have been, with its article: "a component name".
    pub kind: &'static str,
    /// The text as given, shortened if it is long.
    pub value: String,
    /// The rule that it breaks.
    pub expected: &'static str,
}

impl InvalidValue {
    pub(crate) fn new(kind: &'static str, value: &str, expected: &'static str) -> InvalidValue {
        const SHOWN: usize = 80;
        let mut shown: String = value.chars().take(SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        InvalidValue {
            kind,
            value: shown,
            expected,
        }
    }
}

/// Defines a newtype over a checked string.
///
/// `$check` is `fn(&str) -> bool`; `$kind` and `$expected` are the words of the error; `$format` names the type in the
/// JSON schema and `$pattern` is an (approximate, never stricter) regular expression for editors.
macro_rules! text_type {
    (
        $(#[$meta:meta])*
        $name:ident, $format:literal, $kind:literal, $expected:literal, $pattern:literal, $check:expr
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name of this type in the JSON schema's `format`.
            pub(crate) const FORMAT: &'static str = $format;

            /// Checks and wraps the text.
            ///
            /// # Errors
            /// [`InvalidValue`](crate::InvalidValue) when it breaks the rule of this type.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::value::InvalidValue> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) {
                    Ok(Self(text))
                } else {
                    Err($crate::value::InvalidValue::new($kind, &text, $expected))
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::value::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::value::InvalidValue;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format, "pattern": $pattern })
            }
        }
    };
}
pub(crate) use text_type;

type Check = fn(&str) -> Result<(), InvalidValue>;

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        &[$(($name::FORMAT, |text| $name::new(text).map(drop))),*]
    };
}

/// Every type that a JSON schema `format` can name.
const CHECKS: &[(&str, Check)] = checks![
    AbsolutePath,
    AccountName,
    ArchiveComponent,
    ByteSize,
    Capabilities,
    CommitId,
    ComponentName,
    DebianArchitecture,
    DebianVersion,
    DependencyText,
    DistroName,
    DistroVersion,
    FileGlob,
    FileMode,
    FileName,
    GroupName,
    HostName,
    ImageName,
    KernelArgument,
    Line,
    NamePattern,
    PackageName,
    PathGlob,
    PoolPath,
    ProgramName,
    ResourceName,
    Sha256Digest,
    SuiteName,
    TestSuiteName,
    Timestamp,
    UnitName,
    Url,
];

/// Checks `text` against the type that a schema's `format` names; an unknown format accepts everything.
pub(crate) fn check_format(format: &str, text: &str) -> Result<(), InvalidValue> {
    match CHECKS.iter().find(|(name, _)| *name == format) {
        Some((_, check)) => check(text),
        None => Ok(()),
    }
}

#[cfg(test)]
/// Whether `format` names one of our types.
pub(crate) fn is_known_format(format: &str) -> bool {
    CHECKS.iter().any(|(name, _)| *name == format)
}
