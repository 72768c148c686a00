//! Errors: who has to act decides the exit code, a hint says what to do next.

use std::fmt;
use std::process::ExitCode;

/// What most functions here give back.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Who has to act. The number is the exit code; 2 is that of a wrong command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be fulfilled, was declined, or a check found something.
    Failed = 1,
    /// A configuration file is wrong.
    Configuration = 3,
    /// The machine lacks something: a right, room, the network.
    Environment = 4,
    /// Bytes are not what a signature or digest says. Nothing of them was used.
    Trust = 5,
}

/// An error with its kind and hint.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure in words.
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            hint: None,
        }
    }

    /// Of an error with all its causes.
    pub fn of(kind: Kind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // A cause that its error quotes would be said twice.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        Self::new(kind, message)
    }

    /// What to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says in front what the failure is about.
    #[must_use]
    pub fn prefixed(mut self, subject: &str) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// Whether it is of a kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<lazuli_transaction::TransactionError> for Failure {
    fn from(error: lazuli_transaction::TransactionError) -> Self {
        use lazuli_transaction::TransactionError as E;
        let kind = match &error {
            E::Package { .. } | E::WrongChecksum { .. } => Kind::Trust,
            E::Io { .. } | E::Sandbox(_) | E::Locked { .. } => Kind::Environment,
            _ => Kind::Failed,
        };
        let failure = Self::of(kind, &error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<lazuli_sandbox::SandboxError> for Failure {
    fn from(error: lazuli_sandbox::SandboxError) -> Self {
        let failure = Self::of(Kind::Environment, &error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<lazuli_solve::Problem> for Failure {
    fn from(problem: lazuli_solve::Problem) -> Self {
        let failure = Self::new(
            Kind::Failed,
            format!("the request cannot be fulfilled:\n{problem}"),
        );
        if problem.hints.is_empty() {
            failure
        } else {
            failure.hint(problem.hints.join("\nhint: "))
        }
    }
}

impl From<lazuli_solve::PoolError> for Failure {
    fn from(error: lazuli_solve::PoolError) -> Self {
        Self::of(Kind::Failed, &error)
    }
}

impl From<lazuli_solve::SpecParseError> for Failure {
    fn from(error: lazuli_solve::SpecParseError) -> Self {
        Self::of(Kind::Failed, &error)
    }
}

impl From<lazuli_compose::OpenError> for Failure {
    fn from(error: lazuli_compose::OpenError) -> Self {
        use lazuli_compose::OpenError as E;
        match &error {
            E::Fetch(_) => Self::of(Kind::Environment, &error),
            E::Signature(_) => Self::of(Kind::Trust, &error)
                .hint("the repository's `gpgkey` must name the key that signs it; if it does, do not use the repository"),
            E::Rollback { .. } => Self::of(Kind::Trust, &error)
                .hint("a mirror that lags behind, or an attack: try another, or wait"),
            E::Metadata(_) => Self::of(Kind::Trust, &error),
        }
    }
}
