//! Which CPUs a run gets, where it shall not have all: those that the fewest other runs of this process have.

use crate::error::SandboxError;
use rustix::thread::CpuSet;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

/// How many runs were given each CPU.
static TAKEN: Mutex<BTreeMap<usize, u32>> = Mutex::new(BTreeMap::new());

/// CPUs that are counted as taken until this is dropped.
pub(crate) struct Cpus {
    numbers: Vec<usize>,
    /// Whether there are as many as were asked for.
    pub(crate) complete: bool,
}

impl Cpus {
    /// Takes so many of those that the caller may use; all, if there are fewer.
    pub(crate) fn take(wanted: NonZeroU32) -> Result<Self, SandboxError> {
        let allowed = rustix::thread::sched_getaffinity(None)
            .map_err(|e| SandboxError::io("reading the CPUs of", "this process", e))?;
        let mut numbers: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.sort_by_key(|cpu| (taken.get(cpu).copied().unwrap_or(0), *cpu));
        let wanted = usize::try_from(wanted.get()).unwrap_or(usize::MAX);
        let complete = numbers.len() >= wanted;
        numbers.truncate(wanted);
        for cpu in &numbers {
            *taken.entry(*cpu).or_default() += 1;
        }
        Ok(Self { numbers, complete })
    }

    pub(crate) fn set(&self) -> CpuSet {
        let mut set = CpuSet::new();
        for cpu in &self.numbers {
            set.set(*cpu);
        }
        set
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.numbers.len()).unwrap_or(u32::MAX)
    }
}

impl Drop for Cpus {
    fn drop(&mut self) {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        for cpu in &self.numbers {
            if let Some(count) = taken.get_mut(cpu) {
                *count = count.saturating_sub(1);
            }
        }
    }
}
