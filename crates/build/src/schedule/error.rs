//! What is wrong with a set of builds.

/// Why there is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Two builds have one name.
    #[error("two builds are called `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A build needs one that is not there.
    #[error("the build of {name} needs {needs}, which is not among the builds")]
    Unknown {
        /// The build.
        name: String,
        /// What it needs.
        needs: String,
    },
    /// Builds need each other.
    #[error("none of these can be built first, for each needs another: {}", .names.join(", "))]
    Cycle {
        /// Their names, sorted.
        names: Vec<String>,
    },
    /// There are too many.
    #[error("{count} builds are more than the limit of {limit}")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl ScheduleError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Cycle { .. } => Some(BOOTSTRAP_HINT),
            Self::Duplicate { .. } | Self::Unknown { .. } | Self::TooMany { .. } => None,
        }
    }
}

/// How a cycle is broken.
pub const BOOTSTRAP_HINT: &str = "take one of these from the imported packages: `build.bootstrap = [\"NAME\"]` in the \
                                  component that requires it, NAME a component or what the spec requires";
