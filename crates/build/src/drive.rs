//! Drives a schedule: asks it what is next, has that done on threads, tells it how it ended.
//!
//! What is done is the [`Worker`]'s matter. Nothing is decided here but when: looks into the cache go first, at most
//! [`LOOKUPS_MAX`] at once, and builds start when none is going on, so that the most urgent of all that must be built
//! is the first; where a look takes longer than [`PATIENCE`], since its result comes over a network, they don't wait.

use crate::Cancel;
use crate::schedule::{Lookup, Outcome, Schedule, Start, TaskId};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, Scope};
use std::time::Duration;

/// Looks into the cache at once.
pub const LOOKUPS_MAX: usize = 8;
/// How long builds wait for looks into the cache that may find something more urgent.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// Does what a schedule decides. Each call comes on a thread of its own and may take its time.
pub trait Worker: Sync {
    /// Whether the result of a build is there already.
    fn look_up(&self, task: TaskId) -> Lookup;

    /// Builds.
    fn run(&self, start: Start) -> Outcome;
}

/// What ended.
enum Ended {
    Looked(TaskId, Lookup),
    Ran(TaskId, Outcome),
}

/// Runs a schedule until nothing runs and nothing will. When `cancel` is set, nothing new is started; that what runs ends
/// then is up to the worker.
///
/// # Panics
/// If the worker does.
pub fn drive(schedule: &mut Schedule, worker: &dyn Worker, cancel: &Cancel) {
    std::thread::scope(|scope| {
        let (send, receive) = channel();
        let mut state = Driver {
            schedule,
            looking: 0,
            is_patient: true,
        };
        // Each round begins or ends something: there are as many as three for a build.
        loop {
            if cancel.is_cancelled() {
                state.schedule.stop();
            }
            state.start(scope, worker, &send);
            if state.schedule.is_over() {
                break;
            }
            state.wait(&receive);
        }
    });
}

struct Driver<'a> {
    schedule: &'a mut Schedule,
    looking: usize,
    /// Whether builds wait for looks into the cache.
    is_patient: bool,
}

impl Driver<'_> {
    /// Starts all that can start.
    fn start<'scope, 'env>(
        &mut self,
        scope: &'scope Scope<'scope, 'env>,
        worker: &'env dyn Worker,
        send: &Sender<Ended>,
    ) {
        while self.looking < LOOKUPS_MAX
            && let Some(task) = self.schedule.next_lookup()
        {
            self.looking += 1;
            let mut answer = Answer::new(send, Ended::Looked(task, Lookup::Failed));
            let spawned = Builder::new().spawn_scoped(scope, move || {
                answer.0.1 = Ended::Looked(task, worker.look_up(task));
            });
            // Where no thread is to be had, the answer that was dropped says that it failed.
            drop(spawned);
        }
        if self.looking > 0 && self.is_patient {
            return;
        }
        while let Some(start) = self.schedule.next_start() {
            let mut answer = Answer::new(send, Ended::Ran(start.task, Outcome::Failed));
            let spawned = Builder::new().spawn_scoped(scope, move || {
                answer.0.1 = Ended::Ran(start.task, worker.run(start));
            });
            drop(spawned);
        }
    }

    /// Waits until something ends.
    fn wait(&mut self, receive: &Receiver<Ended>) {
        let ended = match receive.recv_timeout(PATIENCE) {
            Ok(ended) => ended,
            Err(RecvTimeoutError::Timeout) => {
                self.is_patient = false;
                return;
            }
            // We hold a sender ourselves.
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match ended {
            Ended::Looked(task, found) => {
                self.looking -= 1;
                self.schedule.looked_up(task, found);
            }
            Ended::Ran(task, outcome) => self.schedule.finished(task, outcome),
        }
        self.is_patient = true;
    }
}

/// Says how something ended when it is dropped: in any case.
struct Answer(Box<(Sender<Ended>, Ended)>);

impl Answer {
    fn new(send: &Sender<Ended>, until_known: Ended) -> Self {
        Self(Box::new((send.clone(), until_known)))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let (send, ended) = &mut *self.0;
        let ended = match ended {
            Ended::Looked(task, found) => Ended::Looked(*task, *found),
            Ended::Ran(task, outcome) => Ended::Ran(*task, *outcome),
        };
        // Nobody listens any more only if the driver itself came to a bad end.
        let _ = send.send(ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{AfterFailure, Done, Effort, Limits, State, Task};
    use std::collections::BTreeSet;
    use std::num::NonZeroUsize;
    use std::sync::Mutex;

    const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

    fn schedule(names: &[(&str, &[&str])]) -> Schedule {
        let tasks = names.iter().map(|(name, needs)| Task {
            name: (*name).to_owned(),
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            recorded: None,
            effort: Effort::Ordinary,
        });
        let limits = Limits {
            jobs: TWO,
            cores: TWO,
            memory: u64::MAX,
        };
        Schedule::new(tasks.collect(), limits, AfterFailure::KeepGoing).expect("a schedule")
    }

    /// Notes what it is asked for; what it is told fails, and what it is told is in the cache.
    #[derive(Default)]
    struct Notes {
        looked: Mutex<Vec<TaskId>>,
        ran: Mutex<Vec<TaskId>>,
        hits: BTreeSet<TaskId>,
        fails: BTreeSet<TaskId>,
        cancels: Option<Cancel>,
    }

    impl Worker for Notes {
        fn look_up(&self, task: TaskId) -> Lookup {
            self.looked.lock().expect("a lock").push(task);
            match self.hits.contains(&task) {
                true => Lookup::Hit,
                false => Lookup::Miss,
            }
        }

        fn run(&self, start: Start) -> Outcome {
            self.ran.lock().expect("a lock").push(start.task);
            if let Some(cancel) = &self.cancels {
                cancel.cancel();
            }
            match self.fails.contains(&start.task) {
                true => Outcome::Failed,
                false => Outcome::Built,
            }
        }
    }

    const DIAMOND: [(&str, &[&str]); 4] = [("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"])];

    #[test]
    fn everything_is_done_once() {
        let mut schedule = schedule(&DIAMOND);
        let worker = Notes {
            hits: schedule.find("b").into_iter().collect(),
            ..Notes::default()
        };
        drive(&mut schedule, &worker, &Cancel::default());
        let done = schedule
            .ids()
            .filter(|id| matches!(schedule.state(*id), State::Done(_)));
        assert_eq!(done.count(), 4);
        assert_eq!(worker.looked.lock().expect("a lock").len(), 4);
        assert_eq!(worker.ran.lock().expect("a lock").len(), 3);
        let b = schedule.find("b").expect("known");
        assert_eq!(schedule.state(b), State::Done(Done::Hit));
    }

    #[test]
    fn what_depends_on_a_failure_is_not_even_looked_up() {
        let mut schedule = schedule(&DIAMOND);
        let worker = Notes {
            fails: schedule.find("b").into_iter().collect(),
            ..Notes::default()
        };
        drive(&mut schedule, &worker, &Cancel::default());
        let d = schedule.find("d").expect("known");
        assert!(matches!(schedule.state(d), State::Blocked { .. }));
        assert!(!worker.looked.lock().expect("a lock").contains(&d));
    }

    #[test]
    fn nothing_starts_after_a_cancel() {
        let mut schedule = schedule(&[("a", &[]), ("b", &["a"]), ("c", &["b"])]);
        let cancel = Cancel::default();
        let worker = Notes {
            cancels: Some(cancel.clone()),
            ..Notes::default()
        };
        drive(&mut schedule, &worker, &cancel);
        assert_eq!(worker.ran.lock().expect("a lock").len(), 1);
        assert!(schedule.is_over());
    }

    #[test]
    fn a_worker_that_panics_does_not_hang_the_rest() {
        struct Panics;
        impl Worker for Panics {
            fn look_up(&self, _: TaskId) -> Lookup {
                Lookup::Miss
            }
            fn run(&self, _: Start) -> Outcome {
                panic!("on purpose")
            }
        }
        let mut schedule = schedule(&DIAMOND);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            drive(&mut schedule, &Panics, &Cancel::default());
        }));
        assert!(ended.is_err());
        assert_eq!(schedule.state(schedule.find("a").expect("known")), State::Failed);
    }
}
