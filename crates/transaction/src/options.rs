//! How a plan is executed, and who is told of it.

use crate::{Journal, NoJournal};
use std::time::Duration;

/// The time that everything gets which has none of its own: seconds since 1970. For images it is `SOURCE_DATE_EPOCH`,
/// on a running system the time of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock(u32);

/// Seconds of a day, for `/etc/shadow`.
const DAY: u32 = 86_400;

impl Clock {
    /// A fixed time.
    pub fn new(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// Days since 1970.
    pub fn days(self) -> u32 {
        self.0 / DAY
    }
}

/// Whether files that are marked as documentation are laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Docs {
    /// They are.
    #[default]
    Install,
    /// They are not; the rpm database says so.
    Skip,
}

/// What becomes of scriptlets, which only foreign packages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scriptlets {
    /// They run, in the sandbox.
    #[default]
    Run,
    /// They do not.
    Skip,
}

/// Whether finalisers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Finalisers {
    /// Those whose inputs were touched.
    #[default]
    Run,
    /// None: for tests, and for roots that are only looked at.
    Skip,
}

/// How a plan is executed.
pub struct Options<'a> {
    /// The time of the transaction.
    pub clock: Clock,
    /// What becomes of scriptlets.
    pub scriptlets: Scriptlets,
    /// Whether finalisers run.
    pub finalisers: Finalisers,
    /// How long one scriptlet or finaliser may take.
    pub timeout: Duration,
    /// Who is told of progress.
    pub progress: &'a dyn Progress,
    /// Who keeps a record against crashes.
    pub journal: &'a dyn Journal,
}

impl Options<'_> {
    /// Everything as it is usual, and nobody told.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            scriptlets: Scriptlets::Run,
            finalisers: Finalisers::Run,
            timeout: lazuli_sandbox::DEFAULT_TIMEOUT,
            progress: &Quiet,
            journal: &NoJournal,
        }
    }
}

/// A part of the work, for progress bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Checking package files.
    Verify,
    /// Making users and groups.
    Accounts,
    /// Laying files.
    Install,
    /// Removing packages.
    Remove,
    /// Writing the rpm database.
    Database,
    /// Running finalisers.
    Finalise,
}

/// Is told of progress, from several threads.
pub trait Progress: Sync {
    /// `done` of `total` parts of a step are done.
    fn advanced(&self, step: Step, done: usize, total: usize);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn advanced(&self, _step: Step, _done: usize, _total: usize) {}
}
