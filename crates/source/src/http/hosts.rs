//! How many downloads run at once from one host.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Counts the downloads of each host.
#[derive(Debug)]
pub(super) struct Hosts {
    limit: usize,
    running: Mutex<BTreeMap<String, usize>>,
    released: Condvar,
}

/// The right to ask one host, until it is dropped.
pub(super) struct Permit<'h> {
    hosts: &'h Hosts,
    host: String,
}

impl Hosts {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            running: Mutex::default(),
            released: Condvar::new(),
        }
    }

    /// Waits until fewer than the limit run. Whoever holds a permit must not wait for another one.
    pub(super) fn enter(&self, host: &str) -> Permit<'_> {
        let mut running = self.lock();
        while running.get(host).is_some_and(|count| *count >= self.limit) {
            running = self
                .released
                .wait(running)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *running.entry(host.to_owned()).or_default() += 1;
        Permit {
            hosts: self,
            host: host.to_owned(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        // The table is whole after every step, so that a panic elsewhere does it no harm.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut running = self.hosts.lock();
        if let Some(count) = running.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.host);
            }
        }
        drop(running);
        self.hosts.released.notify_all();
    }
}
