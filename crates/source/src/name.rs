//! Names of files in sources: what comes from strangers must not lead out of the folder that it is put in.

use std::fmt;

/// The longest name of one file or folder, in bytes, as Linux has it.
pub const MAX_NAME: usize = 255;

/// The longest path in a tree, in bytes.
pub const MAX_PATH: usize = 1024;

/// The most folders that a path in a tree goes through.
pub const MAX_DEPTH: usize = 32;

/// A name that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name {name:?} is refused: {reason}")]
pub struct NameError {
    /// The name, shortened.
    pub name: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The name of one source file: no folder, nothing hidden in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

/// A path in a tree, relative, its parts parted by `/`: `tests/run.sh`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

impl FileName {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, NameError> {
        match reason_against(name) {
            None => Ok(Self(name.to_owned())),
            Some(reason) => Err(refuse(name, reason)),
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TreePath {
    /// Checks each part of a path.
    pub fn new(path: &str) -> Result<Self, NameError> {
        if path.len() > MAX_PATH || path.split('/').count() > MAX_DEPTH {
            return Err(refuse(path, "it is too long or too deep"));
        }
        match path.split('/').find_map(reason_against) {
            None => Ok(Self(path.to_owned())),
            Some(reason) => Err(refuse(path, reason)),
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, if the file lies in the top folder.
    #[must_use]
    pub fn top_level(&self) -> Option<&str> {
        (!self.0.contains('/')).then_some(self.0.as_str())
    }
}

fn refuse(name: &str, reason: &'static str) -> NameError {
    NameError {
        name: name.chars().take(MAX_NAME).collect(),
        reason,
    }
}

fn reason_against(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("a part of it is empty"),
        "." | ".." => Some("it leads to another folder"),
        _ if name.len() > MAX_NAME => Some("it is too long"),
        _ if name.contains('/') => Some("it leads to another folder"),
        _ if name.eq_ignore_ascii_case(".git") => Some("git keeps its own files there"),
        _ if name.chars().any(char::is_control) => Some("it has control characters"),
        _ => None,
    }
}

macro_rules! text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
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
    };
}
text!(FileName);
text!(TreePath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        for good in [
            "a",
            "a b",
            ".gitignore",
            "libfoo-1.0+x~rc1.tar.gz",
            "é",
            "...",
            "-x",
        ] {
            assert!(
                FileName::new(good).is_ok() && TreePath::new(good).is_ok(),
                "{good}"
            );
        }
        let long = "a".repeat(MAX_NAME + 1);
        for bad in [
            "",
            ".",
            "..",
            ".git",
            ".GIT",
            "a\nb",
            "a\0",
            "\u{9b}",
            long.as_str(),
        ] {
            assert!(
                FileName::new(bad).is_err() && TreePath::new(bad).is_err(),
                "{bad}"
            );
        }
        for bad in [
            "/a",
            "a/",
            "a//b",
            "a/../b",
            "../a",
            "a/.git/config",
            "./a",
            &"a/".repeat(40),
        ] {
            assert!(
                FileName::new(bad).is_err() && TreePath::new(bad).is_err(),
                "{bad}"
            );
        }
        assert_eq!(
            TreePath::new("tests/run.sh").map(|path| path.to_string()),
            Ok("tests/run.sh".to_owned())
        );
        assert!(FileName::new("tests/run.sh").is_err());
    }
}
