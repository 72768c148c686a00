//! When a remote is left alone.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Counts failures on end.
#[derive(Debug)]
pub(super) struct Breaker {
    limit: usize,
    failures: AtomicUsize,
    is_open: AtomicBool,
}

/// How bad a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// The next request may do better.
    Passing,
    /// There is nobody: all retries of a connection came to nothing.
    Unreachable,
}

impl Breaker {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            failures: AtomicUsize::new(0),
            is_open: AtomicBool::new(false),
        }
    }

    /// Whether the remote is left alone.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    pub(super) fn succeeded(&self) {
        self.failures.store(0, Ordering::Release);
    }

    /// Says whether the remote is left alone from now on: `true` once.
    pub(super) fn failed(&self, severity: Severity) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
        let is_enough = severity == Severity::Unreachable || failures >= self.limit;
        is_enough && !self.is_open.swap(true, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_on_end_are_counted_and_said_once() {
        let breaker = Breaker::new(2);
        assert!(!breaker.failed(Severity::Passing));
        breaker.succeeded();
        assert!(!breaker.failed(Severity::Passing) && !breaker.is_open());
        assert!(breaker.failed(Severity::Passing) && breaker.is_open());
        assert!(!breaker.failed(Severity::Unreachable));
        assert!(Breaker::new(9).failed(Severity::Unreachable));
    }
}
