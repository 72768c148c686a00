//! Names of the things in a catalog.

use super::text_type;

/// Longest name of anything; file systems and RPM allow 255 bytes with suffixes.
const MAX_NAME: usize = 128;

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    first
        && text.len() <= MAX_NAME
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
}

text_type!(
    /// The name of a component: one entry of `[components]`.
    ComponentName, "component-name", "a component name",
    "letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$", is_name
);

text_type!(
    /// The name of a binary package, of the upstream or ours.
    PackageName, "package-name", "a package name",
    "letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$", is_name
);

text_type!(
    /// The key of a distribution in `[distros]`.
    DistroName, "distro-name", "a distribution name",
    "letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$", is_name
);

text_type!(
    /// The key of a version in `[distros.X.versions]`: `2`, `4.0`, `rawhide`.
    DistroVersion, "distro-version", "a distribution version",
    "letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$", is_name
);

text_type!(
    /// The name of a component group or a package group.
    GroupName, "group-name", "a group name",
    "letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$", is_name
);

text_type!(
    /// The name of an image: one entry of `[images]`.
    ImageName, "image-name", "an image name",
    "letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$", is_name
);

text_type!(
    /// The name of a test, a test suite or a test group.
    TestSuiteName, "test-suite-name", "a test suite name",
    "letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$", is_name
);

text_type!(
    /// The name of a repository, a repository set or a template in `[resources]`.
    ResourceName, "resource-name", "a resource name",
    "letters, digits, `_`, `.`, `:` and `-`, starting with a letter or a digit",
    "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$",
    |text| {
        text.len() <= MAX_NAME
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
    }
);

text_type!(
    /// The version of a package in the archive or the registry that its sources come from.
    SourceVersion, "source-version", "a version",
    "digits, letters, `.`, `+`, `-`, `~`, `_` and `:`, starting with a digit or letter",
    "^[0-9A-Za-z][0-9A-Za-z.+~:_-]{0,255}$",
    |text| {
        text.len() <= 256
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-~_:".contains(&byte))
    }
);

text_type!(
    /// The name of a program of this workspace, such as `lz`.
    ProgramName, "program-name", "a program name",
    "letters, digits, `.`, `_`, `+` and `-`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$", is_name
);

text_type!(
    /// A suite of a Debian archive: `trixie`, `trixie-security`, `stable/updates`.
    SuiteName, "suite-name", "an archive suite",
    "letters, digits, `.`, `_`, `+`, `-` and single `/`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+/-]{0,127}$",
    |text| text.len() <= MAX_NAME && text.split('/').all(is_name)
);

text_type!(
    /// A component of a Debian archive: `main`, `non-free-firmware`.
    ArchiveComponent, "archive-component", "an archive component",
    "letters, digits, `.`, `_`, `+`, `-` and single `/`, starting with a letter, a digit or `_`",
    "^[A-Za-z0-9_][A-Za-z0-9._+/-]{0,127}$",
    |text| text.len() <= MAX_NAME && text.split('/').all(is_name)
);

text_type!(
    /// A user's or a group's name, as `useradd` takes it: at most 31 bytes.
    AccountName, "account-name", "a user or group name",
    "a lower-case letter or `_`, then at most 30 lower-case letters, digits, `_` or `-`",
    "^[a-z_][a-z0-9_-]{0,30}$",
    |text| {
        text.len() <= 31
            && text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
    }
);

impl From<&ComponentName> for PackageName {
    /// Component names and package names follow the same rule.
    fn from(name: &ComponentName) -> PackageName {
        PackageName(name.0.clone())
    }
}

impl From<&PackageName> for ComponentName {
    /// Component names and package names follow the same rule.
    fn from(name: &PackageName) -> ComponentName {
        ComponentName(name.0.clone())
    }
}

/// What a systemd unit's name may end in, `systemd.unit(5)`.
const UNIT_SUFFIXES: &[&str] = &[
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

text_type!(
    /// The name of a systemd unit with its suffix, `systemd.unit(5)`: `ssh.service`, `getty@.service`.
    UnitName, "unit-name", "a systemd unit name",
    "a name that ends in .service, .socket, .target, .timer, .path, .mount, .automount, .swap, .slice, .scope or .device",
    "^[A-Za-z0-9:_.\\\\@-]+\\.[a-z]+$",
    |text| {
        let Some((stem, suffix)) = text.rsplit_once('.') else { return false };
        !stem.is_empty()
            && text.len() <= 255
            && UNIT_SUFFIXES.contains(&suffix)
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte))
    }
);

text_type!(
    /// A name of a package or capability, or the path of a file, in which `*` stands for any run of characters and `?`
    /// for any one: `perl*`, `perl:any`, `/usr/bin/perl`.
    NamePattern, "name-pattern", "a name or pattern",
    "a package name or an absolute path, in which `*` stands for any characters and `?` for any one",
    "^[A-Za-z0-9_*?/][A-Za-z0-9._+*?:()/~-]{0,255}$",
    |text| {
        !text.is_empty()
            && text.len() <= 256
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-*?:()/~".contains(&byte))
            && text.starts_with(|first: char| first.is_ascii_alphanumeric() || "_*?/".contains(first))
    }
);

impl NamePattern {
    /// Whether `name` matches, as a whole.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        wildcard_matches(self.as_str().as_bytes(), name.as_bytes())
    }

    /// The one package that it means, if it has no wildcards.
    #[must_use]
    pub fn package(&self) -> Option<PackageName> {
        PackageName::new(self.as_str()).ok()
    }

    /// Whether it has wildcards.
    #[must_use]
    pub fn has_wildcards(&self) -> bool {
        self.as_str().contains(['*', '?'])
    }
}

impl From<&ComponentName> for NamePattern {
    /// A component's name has no wildcards.
    fn from(name: &ComponentName) -> NamePattern {
        NamePattern(name.0.clone())
    }
}

/// Matches `*` and `?` in linear space, and at worst quadratic time: on a mismatch only the last `*` takes one more.
fn wildcard_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at, from));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star, start)) = retry else { return false };
                retry = Some((star, start + 1));
                at = star + 1;
                from = start + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// A machine architecture that Lazuli is made for.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub enum Architecture {
    /// 64-bit x86: `amd64` in Debian.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit Arm: `arm64` in Debian.
    #[serde(rename = "aarch64")]
    Aarch64,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Architecture; 2] = [Architecture::X86_64, Architecture::Aarch64];

    /// The name that RPM, the kernel and systemd use.
    #[must_use]
    pub const fn rpm(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Aarch64 => "aarch64",
        }
    }

    /// The name that Debian uses.
    #[must_use]
    pub const fn debian(self) -> &'static str {
        match self {
            Architecture::X86_64 => "amd64",
            Architecture::Aarch64 => "arm64",
        }
    }
}

impl std::fmt::Display for Architecture {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(self.rpm())
    }
}

/// An architecture's name that is neither RPM's nor Debian's name of one we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown architecture `{0}`: expected x86_64 (amd64) or aarch64 (arm64)")]
pub struct UnknownArchitecture(pub String);

impl std::str::FromStr for Architecture {
    type Err = UnknownArchitecture;

    /// Takes RPM's and Debian's names.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|one| one.rpm() == text || one.debian() == text)
            .ok_or_else(|| UnknownArchitecture(text.to_owned()))
    }
}
