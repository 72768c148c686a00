//! Validated values: names, versions, paths, digests, sizes.
//!
//! Each type has one constructor, `new`, which checks its text. Serde uses the same constructor, so a value of such
//! a type is always valid, wherever it came from. The JSON schema of each type carries a `pattern` for editors and a
//! `format` by which the loader finds the constructor, so that one file's errors are found in one pass.

mod debian;
mod digest;
mod name;
mod path;
mod quantity;
mod text;
mod time;

pub use debian::{DebianArchitecture, DebianVersion, PoolPath};
pub use digest::{CommitId, Fingerprint, HexDigest, Sha256Digest};
pub use name::{
    AccountName, Architecture, ArchiveComponent, ComponentName, DistroName, DistroVersion, GroupName,
    ImageName, NamePattern, PackageName, ProgramName, ResourceName, SourceVersion, SuiteName, TestSuiteName,
    UnitName, UnknownArchitecture,
};
pub use path::{AbsolutePath, FileGlob, FileName, PathGlob, PathMatcher};
pub use quantity::{ByteSize, FileMode};
pub use text::{Capabilities, DependencyText, HostName, KernelArgument, Keymap, Line, Locale, TimeZone, Url};
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
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
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

        /// As the text alone: what type it is shows where it stands.
        impl std::fmt::Debug for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(out)
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
    Fingerprint,
    GroupName,
    HexDigest,
    HostName,
    ImageName,
    KernelArgument,
    Keymap,
    Line,
    Locale,
    NamePattern,
    PackageName,
    PathGlob,
    PoolPath,
    ProgramName,
    ResourceName,
    Sha256Digest,
    SourceVersion,
    SuiteName,
    TestSuiteName,
    TimeZone,
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Every `format` in `schema`, each with the `pattern` beside it.
    fn formats(schema: &Value, found: &mut Vec<(String, String)>) {
        match schema {
            Value::Object(object) => {
                if let (Some(Value::String(format)), Some(Value::String(pattern))) =
                    (object.get("format"), object.get("pattern"))
                {
                    found.push((format.clone(), pattern.clone()));
                }
                object.values().for_each(|value| formats(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| formats(value, found)),
            _ => {}
        }
    }

    const SAMPLES: &[&str] = &[
        "bash",
        "libstdc++6",
        "a",
        "_x",
        "0ad",
        "python3.13",
        "-x",
        "",
        ".",
        "..",
        "a/b",
        "/",
        "/usr/bin",
        "/usr/",
        "//x",
        "/a/../b",
        "trixie-security",
        "stable/updates",
        "sshd",
        "Sshd",
        "ssh.service",
        "getty@.service",
        "a.b",
        "ssh",
        "cap_net_raw=ep",
        "cap_net_raw,cap_setuid+ep cap_x=i",
        "x=ep",
        "512M",
        "2GiB",
        "12",
        "8 GB",
        "M",
        "99999999999999999999",
        "0755",
        "644",
        "4755",
        "0999",
        "07777",
        "17777",
        "lazuli",
        "host.example",
        "-host",
        "console=ttyS0,115200",
        "a b",
        "perl*",
        "perl:any",
        "/usr/bin/perl",
        "libc6 >= 2.36",
        "(a or b)",
        "https://x.example/$basearch",
        "http://",
        "ftp://x",
        "2026-02-24T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-02-24 00:00:00.5+01:00",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "a1b2c3d",
        "A1B2C3D4E5",
        "/usr/share/**",
        "/usr/[a",
        "*.toml",
        "{a,b}.toml",
        "{component}/x.toml",
        "a\nb",
        "ünicode",
        "Lazuli Linux",
        "1:2.3-4~x+b1",
    ];

    #[test]
    fn every_format_of_the_schema_is_checked_and_no_pattern_is_stricter() {
        let mut found = Vec::new();
        formats(&crate::schema::json_schema(), &mut found);
        found.sort();
        found.dedup();
        assert!(found.len() > 20, "{found:?}");
        for (format, pattern) in found {
            assert!(is_known_format(&format), "{format} has no constructor in CHECKS");
            let pattern_matcher = regex::Regex::new(&pattern).expect("a pattern of the schema compiles");
            let accepted: Vec<&str> = SAMPLES
                .iter()
                .copied()
                .filter(|text| check_format(&format, text).is_ok())
                .collect();
            assert!(!accepted.is_empty(), "no sample is a valid {format}");
            for text in accepted {
                assert!(
                    pattern_matcher.is_match(text),
                    "{format} takes `{text}`, but {pattern} does not"
                );
            }
        }
    }

    #[test]
    fn rules_take_and_refuse() {
        let taken = |format: &str, texts: &[&str]| {
            texts
                .iter()
                .filter(|text| check_format(format, text).is_ok())
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let sizes = [
            "512M",
            "2GiB",
            "12",
            "0",
            "8 GB",
            "M",
            "16777216T",
            "-1",
            "1.5G",
            "0x10",
            "1k",
        ];
        assert_eq!(taken("byte-size", &sizes), ["512M", "2GiB", "12", "0"]);
        let modes = [
            "0755", "644", "4755", "04755", "7777", "10000", "0999", "75", "u+x",
        ];
        assert_eq!(
            taken("file-mode", &modes),
            ["0755", "644", "4755", "04755", "7777"]
        );
        let paths = [
            "/",
            "/usr",
            "/usr/",
            "//usr",
            "/usr/../etc",
            "/usr/.",
            "usr",
            "",
            "/a b",
            "/a\nb",
        ];
        assert_eq!(taken("absolute-path", &paths), ["/", "/usr", "/a b"]);
        let units = [
            "ssh.service",
            "getty@tty1.service",
            "dev-sda.device",
            ".service",
            "ssh",
            "ssh.conf",
            "a/b.service",
        ];
        assert_eq!(
            taken("unit-name", &units),
            ["ssh.service", "getty@tty1.service", "dev-sda.device"]
        );
        let capabilities = [
            "cap_net_raw=ep",
            "cap_a,cap_b+ei cap_c=p",
            "net_raw=ep",
            "cap_net_raw",
            "cap_x=q",
            "",
        ];
        assert_eq!(
            taken("capabilities", &capabilities),
            ["cap_net_raw=ep", "cap_a,cap_b+ei cap_c=p"]
        );
        let pool = [
            "pool/main/b/bash_5.2_amd64.deb",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "./a",
            "a\"b",
            "",
        ];
        assert_eq!(taken("pool-path", &pool), ["pool/main/b/bash_5.2_amd64.deb"]);
    }

    #[test]
    fn sizes_and_modes_have_their_numbers() {
        let size = |text: &str| ByteSize::new(text).map(|size| size.bytes());
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("3TiB"), Ok(3 << 40));
        assert_eq!(size("17"), Ok(17));
        for bytes in [0, 1, 1024, 1536, 512 << 20, 3 << 30, u64::MAX] {
            assert_eq!(ByteSize::from_bytes(bytes).bytes(), bytes);
            assert!(ByteSize::new(ByteSize::from_bytes(bytes).as_str()).is_ok());
        }
        assert_eq!(FileMode::new("4755").map(|mode| mode.bits()), Ok(0o4755));
        assert_eq!(FileMode::from_bits(0o100_644).as_str(), "0644");
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        // The numbers are those of `date -ud TIME +%s`.
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2025-09-06T10:33:46Z", 1_757_154_826),
            ("2026-02-24T00:00:00-08:00", 1_771_920_000),
            ("1969-12-31T23:59:59.25Z", -1),
            ("2100-03-01T00:00:00+00:30", 4_107_540_600),
        ] {
            assert_eq!(
                Timestamp::new(text).map(|time| time.unix()),
                Ok(seconds),
                "{text}"
            );
        }
        for bad in [
            "2100-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "2026-1-1T00:00:00Z",
            "ä026-01-01T00:00:00Z",
        ] {
            assert!(Timestamp::new(bad).is_err(), "{bad}");
        }
        // A prime step meets every month, leap years and both sides of 1970.
        for seconds in (-62_167_219_200..253_402_300_799_i64).step_by(86_413 * 1_009) {
            assert_eq!(Timestamp::from_unix(seconds).unix(), seconds);
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        let matches =
            |pattern: &str, name: &str| NamePattern::new(pattern).map(|pattern| pattern.matches(name));
        for (pattern, name, expected) in [
            ("bash", "bash", true),
            ("bash", "bash-doc", false),
            ("perl*", "perl:any", true),
            ("*-doc", "bash-doc", true),
            ("*-doc", "bash-docs", false),
            (
                "linux-image-*-cloud-amd64",
                "linux-image-6.12.48+deb13-cloud-amd64",
                true,
            ),
            ("linux-image-*-cloud-amd64", "linux-image-cloud-amd64", false),
            ("?ash", "bash", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbXd", false),
            ("*", "anything", true),
        ] {
            assert_eq!(matches(pattern, name), Ok(expected), "{pattern} {name}");
        }
        let slow = NamePattern::new("*a".repeat(100)).map(|pattern| pattern.matches(&"a".repeat(50_000)));
        assert_eq!(slow, Ok(true), "many stars end in time");
    }

    #[test]
    fn path_globs_take_folders_with_their_content() -> Result<(), InvalidValue> {
        let globs = [
            PathGlob::new("/usr/share/lintian")?,
            PathGlob::new("/usr/share/doc/*/NEWS*")?,
        ];
        let matcher = PathMatcher::new(&globs);
        assert!(matcher.matches("/usr/share/lintian"));
        assert!(matcher.matches("/usr/share/lintian/overrides/bash"));
        assert!(!matcher.matches("/usr/share/lintian-brush"));
        assert!(matcher.matches("/usr/share/doc/bash/NEWS.gz"));
        assert!(
            !matcher.matches("/usr/share/doc/a/b/NEWS.gz"),
            "`*` stays in its folder"
        );
        Ok(())
    }
}
