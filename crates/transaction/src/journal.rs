//! Where a record of the transaction's progress is kept, so that it can be rolled on or back after a crash.
//!
//! Nothing keeps one yet: [`NoJournal`] forgets all. What is fixed here is at which points a journal is told, and
//! that each of them waits for its answer.

use crate::TransactionError;

/// A point of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// All packages are verified and planned; nothing was changed.
    Planned,
    /// Users and groups are there.
    Accounts,
    /// All files are laid.
    Files,
    /// What is no longer owned is gone.
    Removals,
    /// The rpm database says so.
    Database,
    /// Alternatives, presets and finalisers are done.
    Finished,
}

/// Keeps a record.
pub trait Journal: Sync {
    /// A stage is reached.
    fn reached(&self, stage: Stage) -> Result<(), TransactionError>;
}

/// Keeps no record.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn reached(&self, _stage: Stage) -> Result<(), TransactionError> {
        Ok(())
    }
}
