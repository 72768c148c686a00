//! Why a job cannot be fulfilled.

use std::fmt;

/// One cause, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// Such as `nothing provides libfoo.so.1()(64bit) needed by bar-1-2.x86_64`.
    pub message: String,
}

/// Why a job cannot be fulfilled, in words that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The causes, from the job down to the package that is to blame.
    pub causes: Vec<Cause>,
    /// What could be done.
    pub hints: Vec<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cause) in self.causes.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", cause.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
