//! Values of Debian archives.

use super::text_type;

text_type!(
    /// A version of a Debian package, `[epoch:]upstream[-revision]`; deb-version(7) has the characters.
    DebianVersion, "debian-version", "a Debian version",
    "digits, letters, `.`, `+`, `-`, `~` and `:`, starting with a digit or letter",
    "^[0-9A-Za-z][0-9A-Za-z.+~:-]{0,255}$",
    |text| {
        text.len() <= 256
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte))
    }
);

text_type!(
    /// An architecture as a Debian package has it: `amd64`, `arm64`, `all`.
    DebianArchitecture, "debian-architecture", "a Debian architecture", "lower-case letters, digits and `-`",
    "^[a-z0-9][a-z0-9-]{0,31}$",
    |text| {
        text.len() <= 32
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }
);

text_type!(
    /// Where a file is in an archive, relative to its root: `pool/main/b/bash/….deb`. It cannot lead out of it.
    PoolPath, "pool-path", "a path in an archive", "a relative path of letters, digits and `.+-~_:%`, without `..`",
    "^[^/\"\\\\][^\"\\\\]*$",
    |text| {
        let is_part = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-~_:%@,=".contains(&byte))
        };
        text.len() <= 1024 && text.split('/').all(is_part)
    }
);
