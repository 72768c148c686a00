//! What will be part of any solution, as far as can be told without search.

use crate::formula::{Formula, Owner};
use crate::pool::GroupId;
use crate::run::Root;
use crate::view::View;
use crate::{PackageId, Weak};
use lazuli_rpm::Dependency;
use std::collections::HashSet;

/// Follows, from the roots, all requirements that packages of one name only can meet. Returns the names that are
/// needed, and those that they recommend (with what these need).
pub(crate) fn expect(view: &View<'_>, roots: &[Root], weak: Weak) -> (HashSet<GroupId>, HashSet<GroupId>) {
    let mut needed = Closure {
        view,
        groups: HashSet::new(),
        queue: Vec::new(),
    };
    for root in roots {
        needed.demand(&root.formula);
    }
    let mut recommends: Vec<(PackageId, &Dependency)> = Vec::new();
    while let Some(id) = needed.queue.pop() {
        needed.follow(id);
        recommends.extend(view.pool.record(id).recommends.iter().map(|one| (id, one)));
    }
    let mut recommended = Closure {
        view,
        groups: needed.groups.clone(),
        queue: Vec::new(),
    };
    if weak == Weak::Install {
        for (id, dependency) in recommends {
            recommended.demand_dependency(id, dependency);
        }
        while let Some(id) = recommended.queue.pop() {
            recommended.follow(id);
            for dependency in &view.pool.record(id).recommends {
                recommended.demand_dependency(id, dependency);
            }
        }
    }
    (needed.groups, recommended.groups)
}

/// Learns from a first solution: besides what was known before, the names that its packages require and that only
/// packages of one name can meet. `None` if that is nothing new.
pub(crate) fn refine(
    view: &View<'_>,
    known: &HashSet<GroupId>,
    solution: impl Iterator<Item = PackageId>,
) -> Option<HashSet<GroupId>> {
    let mut closure = Closure {
        view,
        groups: known.clone(),
        queue: Vec::new(),
    };
    for id in solution {
        closure.follow(id);
    }
    (closure.groups.len() > known.len()).then_some(closure.groups)
}

struct Closure<'v> {
    view: &'v View<'v>,
    groups: HashSet<GroupId>,
    queue: Vec<PackageId>,
}

impl Closure<'_> {
    fn follow(&mut self, id: PackageId) {
        // What is installed is met already, or broken already.
        if self.view.pool.is_installed(id) {
            return;
        }
        for dependency in &self.view.pool.record(id).requires {
            self.demand_dependency(id, dependency);
        }
    }

    fn demand_dependency(&mut self, id: PackageId, dependency: &Dependency) {
        if dependency.name.starts_with("rpmlib(") {
            return;
        }
        if let Ok(formula) = Formula::requirement(self.view.pool, dependency, Owner::There(id)) {
            self.demand(&formula);
        }
    }

    fn demand(&mut self, formula: &Formula) {
        match formula {
            Formula::Any(packages) => {
                let mut enabled = packages.iter().copied().filter(|id| self.view.is_enabled(*id));
                let Some(first) = enabled.next() else { return };
                let group = self.view.pool.group_of(first);
                let mut best = first;
                for id in enabled {
                    if self.view.pool.group_of(id) != group {
                        return;
                    }
                    if self.view.compare(id, best).is_lt() {
                        best = id;
                    }
                }
                if self.groups.insert(group) {
                    self.queue.push(best);
                }
            }
            Formula::All(parts) => parts.iter().for_each(|part| self.demand(part)),
            Formula::None(_) | Formula::Either(_) => {}
        }
    }
}
