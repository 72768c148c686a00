//! What is built when: decided purely, by a state machine that an executor asks and tells.
//!
//! ```text
//!            all that it needs is done                    not in the cache             there is room
//!  Waiting ───────────────────────────▶ Due ──▶ Looking ───────────────────▶ Ready ─────────────────▶ Running
//!     │                                            │                                                   │   │
//!     │ something that it needs failed             │ in the cache                             built     │   │ failed
//!     ▼                                            ▼                                                   ▼   ▼
//!  Blocked                                      Done(Hit)                                    Done(Built)  Failed
//! ```
//!
//! A build is looked up in the cache when all that it needs is done, not before: its key holds the content of its
//! buildroot. So a dependency that was rebuilt to the same content leaves the keys of what waits for it as they were.
//!
//! **Order**: the build with the longest chain behind it first, by the times that were recorded ([`Task::recorded`], or
//! else [`ORDINARY_TIME`] and [`EXPENSIVE_TIME`]); of equal ones, the first by name. So it is the same on every run.
//!
//! **Room**: an ordinary build takes one place of [`Limits::jobs`], an expensive one three quarters of them, and each
//! some memory. What does not fit yet is passed by smaller ones, so that no place stays empty, but [`PASSED_MAX`] times
//! only: from then on what gets free is kept for it. Alone, everything fits.
//!
//! **Failure**: what depends on a failed build, however far, is blocked, and nothing else. Under
//! [`AfterFailure::Finish`] nothing more is looked up or started.

mod error;
mod graph;
mod task;
#[cfg(test)]
mod tests;

pub use error::{BOOTSTRAP_HINT, ScheduleError};
pub use graph::TaskId;
pub use task::{
    AfterFailure, EXPENSIVE_MEMORY, EXPENSIVE_TIME, Effort, Limits, ORDINARY_MEMORY, ORDINARY_TIME,
    PASSED_MAX, TASKS_MAX, Task,
};

use graph::Tasks;
use std::num::NonZeroUsize;
use std::time::Duration;
use task::Demand;

/// Where a build stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Something that it needs is not done.
    Waiting,
    /// All that it needs is done; whether it is in the cache is not known.
    Due,
    /// Somebody looks whether it is in the cache.
    Looking,
    /// It must be built.
    Ready,
    /// It is being built.
    Running,
    /// Its result is there.
    Done(Done),
    /// It failed.
    Failed,
    /// Something that it needs failed.
    Blocked {
        /// What failed.
        by: TaskId,
    },
}

/// How a result came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was in the cache.
    Hit,
    /// It was built.
    Built,
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With packages.
    Built,
    /// With an error.
    Failed,
}

/// What a look into the cache found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// The result.
    Hit,
    /// Nothing: it must be built.
    Miss,
    /// That it can't be built: its buildroot can't be resolved, its sources can't be read.
    Failed,
}

/// A build that starts now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Which.
    pub task: TaskId,
    /// The processors that it should use. Others may start while it runs: they add up to more than there are at times.
    pub cores: NonZeroUsize,
}

/// All builds of one run and where they stand.
#[derive(Debug, Clone)]
pub struct Schedule {
    graph: Tasks,
    limits: Limits,
    after_failure: AfterFailure,
    states: Vec<State>,
    /// Of each build: how many of what it needs are not done.
    open: Vec<usize>,
    /// Of each build: the expected time of the longest chain that begins with it.
    remaining: Vec<Duration>,
    /// Of each build: how often others started before it though it was ahead.
    passed: Vec<u32>,
    /// Of each build: the processors that it was given.
    granted: Vec<usize>,
    stopped: bool,
}

impl Schedule {
    /// A schedule of which nothing is done. The order of the builds does not matter.
    pub fn new(tasks: Vec<Task>, limits: Limits, after_failure: AfterFailure) -> Result<Self, ScheduleError> {
        let graph = Tasks::new(tasks)?;
        let count = graph.tasks.len();
        let open: Vec<usize> = graph.needs.iter().map(Vec::len).collect();
        let states = open.iter().map(|open| match open {
            0 => State::Due,
            _ => State::Waiting,
        });
        Ok(Self {
            states: states.collect(),
            remaining: graph.remaining(|id| graph.tasks[id.0].expected()),
            open,
            passed: vec![0; count],
            granted: vec![0; count],
            graph,
            limits,
            after_failure,
            stopped: false,
        })
    }

    /// All builds, by name.
    pub fn ids(&self) -> impl Iterator<Item = TaskId> + use<> {
        (0..self.states.len()).map(TaskId)
    }

    /// The build with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<TaskId> {
        self.graph.find(name)
    }

    /// A build.
    #[must_use]
    pub fn task(&self, id: TaskId) -> &Task {
        &self.graph.tasks[id.0]
    }

    /// Where a build stands.
    #[must_use]
    pub fn state(&self, id: TaskId) -> State {
        self.states[id.0]
    }

    /// What a build needs directly.
    #[must_use]
    pub fn needs(&self, id: TaskId) -> &[TaskId] {
        &self.graph.needs[id.0]
    }

    /// All that a build needs, however far away, sorted.
    #[must_use]
    pub fn all_needs(&self, id: TaskId) -> Vec<TaskId> {
        reach(id, &self.graph.needs)
    }

    /// All that wait for a build, however far away, sorted.
    #[must_use]
    pub fn all_dependents(&self, id: TaskId) -> Vec<TaskId> {
        reach(id, &self.graph.dependents)
    }

    /// The next build to look up; from now on it is looked up.
    pub fn next_lookup(&mut self) -> Option<TaskId> {
        if self.stopped {
            return None;
        }
        let due = self.ids().filter(|id| self.states[id.0] == State::Due);
        let first = due.min_by_key(|id| self.rank(*id))?;
        self.states[first.0] = State::Looking;
        Some(first)
    }

    /// What the look into the cache found. Says nothing of a build that is not looked up.
    pub fn looked_up(&mut self, id: TaskId, found: Lookup) {
        if self.states[id.0] != State::Looking {
            return;
        }
        match found {
            Lookup::Hit => self.done(id, Done::Hit),
            Lookup::Miss => self.states[id.0] = State::Ready,
            Lookup::Failed => self.failed(id),
        }
    }

    /// The next build to start, if there is one and room for it; from now on it runs.
    pub fn next_start(&mut self) -> Option<Start> {
        if self.stopped {
            return None;
        }
        let ready = self.ids().filter(|id| self.states[id.0] == State::Ready);
        let mut ready: Vec<TaskId> = ready.collect();
        ready.sort_by_key(|id| self.rank(*id));
        let free = self.free();
        let mut place = None;
        for (index, id) in ready.iter().enumerate() {
            if self.fits(*id, free) {
                place = Some(index);
                break;
            }
            if self.passed[id.0] >= PASSED_MAX {
                return None;
            }
        }
        let place = place?;
        ready[..place].iter().for_each(|id| self.passed[id.0] += 1);
        let task = ready[place];
        let cores = self.share(task, ready.len(), free);
        self.granted[task.0] = cores.get();
        self.states[task.0] = State::Running;
        Some(Start { task, cores })
    }

    /// How a running build ended. Says nothing of a build that does not run.
    pub fn finished(&mut self, id: TaskId, outcome: Outcome) {
        if self.states[id.0] != State::Running {
            return;
        }
        match outcome {
            Outcome::Built => self.done(id, Done::Built),
            Outcome::Failed => self.failed(id),
        }
    }

    /// From here on nothing is looked up or started.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether something runs or is looked up.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.states
            .iter()
            .any(|state| matches!(state, State::Running | State::Looking))
    }

    /// Whether nothing runs and nothing will.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let goes_on = |state: &State| matches!(state, State::Due | State::Ready);
        !self.is_busy() && (self.stopped || !self.states.iter().any(goes_on))
    }

    /// The longest chain of builds by the times that are given, the first build first.
    #[must_use]
    pub fn longest_path(&self, time: impl Fn(TaskId) -> Duration) -> Vec<TaskId> {
        self.graph.longest_path(time)
    }

    /// How long the rest takes at least, if nothing fails and nothing is in the cache: the longest chain that is left.
    #[must_use]
    pub fn expected_rest(&self) -> Duration {
        let left = self
            .ids()
            .filter(|id| !matches!(self.states[id.0], State::Done(_) | State::Failed));
        left.map(|id| self.remaining[id.0]).max().unwrap_or_default()
    }

    /// The smaller, the earlier.
    fn rank(&self, id: TaskId) -> (std::cmp::Reverse<Duration>, TaskId) {
        (std::cmp::Reverse(self.remaining[id.0]), id)
    }

    fn demand(&self, id: TaskId) -> Demand {
        self.limits.demand(self.graph.tasks[id.0].effort)
    }

    fn running(&self) -> impl Iterator<Item = TaskId> {
        self.ids().filter(|id| self.states[id.0] == State::Running)
    }

    /// What the running builds leave.
    fn free(&self) -> Demand {
        let full = Demand {
            slots: self.limits.jobs.get(),
            memory: self.limits.memory,
        };
        self.running().fold(full, |free, id| {
            let demand = self.demand(id);
            Demand {
                slots: free.slots.saturating_sub(demand.slots),
                memory: free.memory.saturating_sub(demand.memory),
            }
        })
    }

    fn fits(&self, id: TaskId, free: Demand) -> bool {
        let demand = self.demand(id);
        demand.slots <= free.slots && demand.memory <= free.memory
    }

    /// The processors for a build: those that nobody uses, parted among the builds that could use them now; one at least.
    fn share(&self, id: TaskId, ready: usize, free: Demand) -> NonZeroUsize {
        let used: usize = self.running().map(|id| self.granted[id.0]).sum();
        let left = self.limits.cores.get().saturating_sub(used);
        let among = match self.graph.tasks[id.0].effort {
            Effort::Ordinary => ready.min(free.slots).max(1),
            Effort::Expensive => 1,
        };
        NonZeroUsize::new(left / among).unwrap_or(NonZeroUsize::MIN)
    }

    fn done(&mut self, id: TaskId, how: Done) {
        self.states[id.0] = State::Done(how);
        for dependent in &self.graph.dependents[id.0] {
            self.open[dependent.0] -= 1;
            if self.open[dependent.0] == 0 && self.states[dependent.0] == State::Waiting {
                self.states[dependent.0] = State::Due;
            }
        }
    }

    fn failed(&mut self, id: TaskId) {
        self.states[id.0] = State::Failed;
        for dependent in self.all_dependents(id) {
            if self.states[dependent.0] == State::Waiting {
                self.states[dependent.0] = State::Blocked { by: id };
            }
        }
        if self.after_failure == AfterFailure::Finish {
            self.stopped = true;
        }
    }
}

/// All that is reached from a build over some edges, itself left out.
fn reach(from: TaskId, edges: &[Vec<TaskId>]) -> Vec<TaskId> {
    let mut found = std::collections::BTreeSet::new();
    let mut next = vec![from];
    while let Some(id) = next.pop() {
        next.extend(edges[id.0].iter().filter(|id| found.insert(**id)));
    }
    found.into_iter().collect()
}
