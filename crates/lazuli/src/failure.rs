//! Errors at the edge of the program: what kind they are decides the exit code, a hint says what to do next.

use std::fmt;
use std::process::ExitCode;

/// What a command gives back.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Who has to act. The discriminant is the exit code; 2 is that of a wrong command line.
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

/// An error with its hint.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// A failure of the given kind.
    pub fn new(kind: Kind, error: impl Into<anyhow::Error>) -> Self {
        Self {
            kind,
            error: error.into(),
            hint: None,
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
        write!(f, "error: {}", self.error)?;
        let mut shown = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let text = cause.to_string();
            // A cause that its error already quotes would be said twice.
            if !shown.contains(&text) {
                write!(f, "\n  because: {text}")?;
                shown = text;
            }
        }
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
