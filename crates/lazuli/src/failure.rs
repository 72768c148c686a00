//! Errors at the edge of the program: what kind they are decides the exit code, a hint says what to do next.

use std::process::ExitCode;
use std::{fmt, io};

/// What a command gives back.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Who has to act. The discriminant is the exit code; 2 is that of a wrong command line, and what a signal ends has 128
/// and the signal's number in a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be fulfilled, or a check found something.
    Failed = 1,
    /// The project's files are wrong.
    Project = 3,
    /// The machine lacks something: a tool, a right, room, the network.
    Environment = 4,
    /// Bytes are not what a signature or digest says: nothing was used.
    Trust = 5,
}

/// What to do where no room is left.
const FULL: &str = "make room there, or name other folders with --out and --cache; then run the command again, which goes on \
                    where this one stopped";

/// Whether an error comes from a full disk, or from a quota.
fn is_full(error: &anyhow::Error) -> bool {
    let mut kinds = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
    kinds.any(|kind| matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
}

/// An error with its hint.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// A failure of the given kind; but a full disk is a matter of the machine, whoever met it.
    pub fn new(kind: Kind, error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        let is_full = is_full(&error);
        Self {
            kind: if is_full { Kind::Environment } else { kind },
            error,
            hint: is_full.then(|| FULL.to_owned()),
        }
    }

    /// A failure in words.
    pub fn message(kind: Kind, text: impl fmt::Display) -> Self {
        Self::new(kind, anyhow::anyhow!("{text}"))
    }

    /// What to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What was being done.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display + Send + Sync + 'static) -> Self {
        self.error = self.error.context(doing);
        self
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind as u8)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(Kind::Failed, error)
    }
}

impl fmt::Display for Failure {
    /// The error with its causes, a line each, then the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = Vec::new();
        for cause in self.error.chain() {
            let text = cause.to_string();
            match lines.last_mut() {
                // A cause that its error already quotes would be said twice, and so would an error that its cause quotes.
                Some(last) if last.contains(&text) => {}
                Some(last) if text.starts_with(last.as_str()) => *last = text,
                _ => lines.push(text),
            }
        }
        write!(f, "error: {}", lines.join("\n  because: "))?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// Gives errors a kind.
pub trait OrFail<T> {
    /// On an error: a failure of this kind.
    fn or_fail(self, kind: Kind) -> Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for std::result::Result<T, E> {
    fn or_fail(self, kind: Kind) -> Result<T> {
        self.map_err(|error| Failure::new(kind, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_a_matter_of_the_machine() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let named = anyhow::Error::new(full).context("failed to write /somewhere");
        let failure = Failure::new(Kind::Failed, named);
        assert_eq!(failure.kind, Kind::Environment);
        assert!(failure.to_string().contains("/somewhere"), "{failure}");
        assert!(
            failure.to_string().contains("\nhint: make room there"),
            "{failure}"
        );
        let other = Failure::from(io::Error::from(io::ErrorKind::NotFound));
        assert_eq!((other.kind, other.hint), (Kind::Failed, None));
    }
}
