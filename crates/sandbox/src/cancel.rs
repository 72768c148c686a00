//! Ending a run from elsewhere: another thread, or a signal handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A word that ends every run that was given a copy of it, within [`crate::CANCEL_LATENCY`].
///
/// It is a flag and nothing else, so that a signal handler may raise it (`Cancel::from(flag)`).
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// One that nobody has raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the runs.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was raised.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl From<Arc<AtomicBool>> for Cancel {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}
