//! The builds by number, with what needs what.

use super::error::ScheduleError;
use super::task::{TASKS_MAX, Task};
use std::collections::HashMap;
use std::time::Duration;

/// A build, by its place among the builds sorted by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub(super) usize);

impl TaskId {
    /// Its place among the builds sorted by name.
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// Builds without cycles.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    pub(super) tasks: Vec<Task>,
    pub(super) needs: Vec<Vec<TaskId>>,
    pub(super) dependents: Vec<Vec<TaskId>>,
    /// Each after all that it needs; of those that could be next, the first by name.
    pub(super) order: Vec<TaskId>,
    names: HashMap<String, TaskId>,
}

impl Tasks {
    pub(super) fn new(mut tasks: Vec<Task>) -> Result<Self, ScheduleError> {
        if tasks.len() > TASKS_MAX {
            return Err(ScheduleError::TooMany {
                count: tasks.len(),
                limit: TASKS_MAX,
            });
        }
        tasks.sort_by(|left, right| left.name.cmp(&right.name));
        if let Some(pair) = tasks.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(ScheduleError::Duplicate {
                name: pair[0].name.clone(),
            });
        }
        let numbered = tasks.iter().enumerate();
        let names: HashMap<String, TaskId> = numbered
            .map(|(id, task)| (task.name.clone(), TaskId(id)))
            .collect();
        let mut needs = Vec::with_capacity(tasks.len());
        let mut dependents = vec![Vec::new(); tasks.len()];
        for (id, task) in tasks.iter().enumerate() {
            let mut ours = Vec::with_capacity(task.needs.len());
            for name in &task.needs {
                let found = names.get(name).ok_or_else(|| ScheduleError::Unknown {
                    name: task.name.clone(),
                    needs: name.clone(),
                })?;
                ours.push(*found);
            }
            ours.sort_unstable();
            ours.dedup();
            ours.iter().for_each(|need| dependents[need.0].push(TaskId(id)));
            needs.push(ours);
        }
        let order = order(&tasks, &needs, &dependents)?;
        Ok(Self {
            tasks,
            needs,
            dependents,
            order,
            names,
        })
    }

    pub(super) fn find(&self, name: &str) -> Option<TaskId> {
        self.names.get(name).copied()
    }

    /// Of each build: how long it takes until it and the longest chain of what waits for it are done.
    pub(super) fn remaining(&self, time: impl Fn(TaskId) -> Duration) -> Vec<Duration> {
        let mut remaining = vec![Duration::ZERO; self.tasks.len()];
        for id in self.order.iter().rev() {
            let after = self.dependents[id.0].iter().map(|next| remaining[next.0]).max();
            remaining[id.0] = time(*id).saturating_add(after.unwrap_or_default());
        }
        remaining
    }

    /// The longest chain, first build first. Of several, the first by name.
    pub(super) fn longest_path(&self, time: impl Fn(TaskId) -> Duration) -> Vec<TaskId> {
        let remaining = self.remaining(time);
        let longest = |ids: &mut dyn Iterator<Item = TaskId>| {
            ids.min_by_key(|id| (std::cmp::Reverse(remaining[id.0]), *id))
        };
        let mut path = Vec::new();
        let mut next = longest(&mut (0..self.tasks.len()).map(TaskId));
        while let Some(id) = next {
            path.push(id);
            next = longest(&mut self.dependents[id.0].iter().copied());
        }
        path
    }
}

/// Kahn's order; what is left over is in a cycle, or needs one.
fn order(
    tasks: &[Task],
    needs: &[Vec<TaskId>],
    dependents: &[Vec<TaskId>],
) -> Result<Vec<TaskId>, ScheduleError> {
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let free = (0..tasks.len()).filter(|id| open[*id] == 0);
    let mut next: std::collections::BTreeSet<TaskId> = free.map(TaskId).collect();
    let mut order = Vec::with_capacity(tasks.len());
    while let Some(id) = next.pop_first() {
        order.push(id);
        for dependent in &dependents[id.0] {
            open[dependent.0] -= 1;
            if open[dependent.0] == 0 {
                next.insert(*dependent);
            }
        }
    }
    if order.len() == tasks.len() {
        return Ok(order);
    }
    Err(ScheduleError::Cycle {
        names: in_cycle(tasks, dependents, open),
    })
}

/// What is left when those on which nothing of the rest depends are taken away too, over and over.
fn in_cycle(tasks: &[Task], dependents: &[Vec<TaskId>], open: Vec<usize>) -> Vec<String> {
    let mut left: Vec<bool> = open.iter().map(|count| *count > 0).collect();
    // Each round takes one away at least.
    for _ in 0..tasks.len() {
        let ends = |id: &usize| left[*id] && !dependents[*id].iter().any(|next| left[next.0]);
        let Some(id) = (0..tasks.len()).find(ends) else {
            break;
        };
        left[id] = false;
    }
    let names = tasks.iter().zip(&left).filter(|(_, left)| **left);
    names.map(|(task, _)| task.name.clone()).collect()
}
