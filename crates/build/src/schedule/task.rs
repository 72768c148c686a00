//! What is scheduled, and what there is to run it on.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What a build takes of which nothing is recorded.
pub const ORDINARY_TIME: Duration = Duration::from_secs(60);
/// What a build takes of which nothing is recorded, but that it is expensive.
pub const EXPENSIVE_TIME: Duration = Duration::from_secs(20 * 60);
/// Memory that an ordinary build is given room for.
pub const ORDINARY_MEMORY: u64 = 1 << 30;
/// Memory that an expensive build is given room for.
pub const EXPENSIVE_MEMORY: u64 = 4 << 30;
/// How often a build that does not fit yet is passed by smaller ones before the place that gets free is kept for it.
pub const PASSED_MAX: u32 = 4;
/// Most builds in one schedule.
pub const TASKS_MAX: usize = 1 << 20;

/// One build, as the schedule sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The component.
    pub name: String,
    /// The components that must be done before, by name.
    pub needs: Vec<String>,
    /// How long it took last.
    pub recorded: Option<Duration>,
    /// How much it takes of the machine.
    pub effort: Effort,
}

/// How much a build takes of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// One place.
    #[default]
    Ordinary,
    /// Most places, on a small machine all: it runs alone, or with few.
    Expensive,
}

impl Task {
    /// How long it will take, as far as anybody knows.
    #[must_use]
    pub fn expected(&self) -> Duration {
        self.recorded.unwrap_or(match self.effort {
            Effort::Ordinary => ORDINARY_TIME,
            Effort::Expensive => EXPENSIVE_TIME,
        })
    }
}

/// What the machine gives to builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Builds at once.
    pub jobs: NonZeroUsize,
    /// Processors.
    pub cores: NonZeroUsize,
    /// Memory in bytes.
    pub memory: u64,
}

/// What a build takes while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) slots: usize,
    pub(super) memory: u64,
}

impl Limits {
    /// What a build takes of this machine. No more than the whole: everything can run alone.
    pub(super) fn demand(&self, effort: Effort) -> Demand {
        let jobs = self.jobs.get();
        let (slots, memory) = match effort {
            Effort::Ordinary => (1, ORDINARY_MEMORY),
            // Three quarters, rounded up: 1 of 1, 2 of 2, 3 of 4, 6 of 8.
            Effort::Expensive => ((jobs * 3).div_ceil(4), EXPENSIVE_MEMORY),
        };
        Demand {
            slots,
            memory: memory.min(self.memory),
        }
    }
}

/// What happens to the rest when a build fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AfterFailure {
    /// What runs is finished; nothing new is started.
    #[default]
    Finish,
    /// Everything that does not depend on the failed one goes on.
    KeepGoing,
}
