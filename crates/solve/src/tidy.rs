//! Of a solver's answer, what the roots lead to, and why.
//!
//! The solver may leave a package in its answer whose reason it gave up later, and where it had a choice it may have
//! taken a package before another requirement forced a different one. Here the answer is walked once more from the
//! roots: what must be there first, choices last, so that most of them are met already.

use crate::formula::{Formula, Owner};
use crate::run::{Chosen, Root, Source};
use crate::view::View;
use crate::{PackageId, Reason};
use lazuli_rpm::Dependency;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

/// The packages that are needed, each with the reason.
pub(crate) type Reasons = BTreeMap<PackageId, Reason>;

/// Keeps of `answer` what the roots lead to. Installed packages of the answer stay in any case.
pub(crate) fn tidy(view: &View<'_>, roots: &[Root], answer: &Chosen) -> Reasons {
    let mut walk = Walk {
        view,
        answer,
        kept: Reasons::new(),
        queue: VecDeque::new(),
        open: VecDeque::new(),
    };
    for id in answer.iter().copied().filter(|id| view.pool.is_installed(*id)) {
        walk.kept.insert(id, Reason::Other);
        walk.queue.push_back(id);
    }
    for root in roots {
        let reason = match &root.source {
            Source::User(spec) => Reason::User(spec.clone()),
            Source::Upgrade => Reason::Upgrade,
            Source::Weak(id) => Reason::WeakOf(*id),
            // `classify` finds out why an installed package could not stay as it is.
            Source::Keep(_) | Source::Pin => Reason::Other,
        };
        // A soft root that does not hold in the answer demands nothing.
        if root.formula.holds(&|id| answer.contains(&id)) {
            walk.demand(root.formula.clone(), reason);
        }
        walk.drain();
    }
    walk.settle();
    walk.kept
}

struct Walk<'v> {
    view: &'v View<'v>,
    answer: &'v Chosen,
    kept: Reasons,
    /// Packages whose dependencies are still to be looked at.
    queue: VecDeque<PackageId>,
    /// Formulas that hold in the answer but not yet in `kept`, or that may cease to hold when more is kept.
    open: VecDeque<(Formula, Reason)>,
}

impl Walk<'_> {
    fn keep(&mut self, id: PackageId, reason: Reason) {
        if let Entry::Vacant(place) = self.kept.entry(id) {
            place.insert(reason);
            self.queue.push_back(id);
        }
    }

    /// Takes what `formula` cannot do without; what leaves a choice is put off.
    fn demand(&mut self, formula: Formula, reason: Reason) {
        match formula {
            Formula::All(parts) => parts
                .into_iter()
                .for_each(|part| self.demand(part, reason.clone())),
            Formula::Any(packages) => {
                let mut there: Vec<PackageId> = packages
                    .into_iter()
                    .filter(|id| self.answer.contains(id))
                    .collect();
                there.dedup();
                match there[..] {
                    [only] => self.keep(only, reason),
                    [] => {}
                    _ if there.iter().any(|id| self.kept.contains_key(id)) => {}
                    _ => self.open.push_back((Formula::Any(there), reason)),
                }
            }
            // Holds in the answer, so in any part of it.
            Formula::None(_) => {}
            // What does not hold in the answer (a conflict among installed packages) is left alone.
            either @ Formula::Either(_) => {
                if either.holds(&|id| self.answer.contains(&id)) {
                    self.open.push_back((either, reason));
                }
            }
        }
    }

    fn drain(&mut self) {
        while let Some(id) = self.queue.pop_front() {
            let pool = self.view.pool;
            let record = pool.record(id);
            for dependency in &record.requires {
                if let Some(formula) = requirement(self.view, id, dependency) {
                    self.demand(formula, Reason::DependencyOf(id));
                }
            }
            // A rich conflict may demand something: `Conflicts: (a unless b)`.
            for dependency in record.conflicts.iter().filter(|one| one.is_rich()) {
                if let Ok(formula) = Formula::conflict(pool, dependency, id) {
                    self.demand(formula, Reason::DependencyOf(id));
                }
            }
        }
    }

    /// Decides the open choices, until all hold.
    fn settle(&mut self) {
        loop {
            self.drain();
            let kept = &self.kept;
            let Some(at) = self
                .open
                .iter()
                .position(|(formula, _)| !formula.holds(&|id| kept.contains_key(&id)))
            else {
                return;
            };
            // Only an `Either` may cease to hold; an `Any` that holds is done with.
            let Some((formula, reason)) = self.open.remove(at) else {
                return;
            };
            let choice = self.choose(&formula);
            if let either @ Formula::Either(_) = formula {
                self.open.push_back((either, reason.clone()));
            }
            let Some(id) = choice else { continue };
            self.keep(id, reason);
        }
    }

    /// The best package of the answer that brings an open formula nearer to holding.
    fn choose(&self, formula: &Formula) -> Option<PackageId> {
        match formula {
            Formula::Any(packages) => {
                let choices = self.view.choices(std::slice::from_ref(packages), "");
                let mut ordered = choices.into_iter().flatten();
                ordered.find(|id| self.answer.contains(id) && !self.kept.contains_key(id))
            }
            Formula::None(_) => None,
            Formula::All(parts) => {
                let open = parts
                    .iter()
                    .filter(|part| !part.holds(&|id| self.kept.contains_key(&id)));
                open.filter_map(|part| self.choose(part)).next()
            }
            // A branch that holds in the answer can be completed.
            Formula::Either(parts) => {
                let there = parts
                    .iter()
                    .filter(|part| part.holds(&|id| self.answer.contains(&id)));
                there.filter_map(|part| self.choose(part)).next()
            }
        }
    }
}

/// The formula of a requirement that was asked of the solver; `None` if it was not.
pub(crate) fn requirement(view: &View<'_>, id: PackageId, dependency: &Dependency) -> Option<Formula> {
    if dependency.name.starts_with("rpmlib(") {
        return None;
    }
    let pool = view.pool;
    let formula = Formula::requirement(pool, dependency, Owner::There(id)).ok()?;
    // Broken requirements of installed packages are left alone.
    let broken = pool.is_installed(id) && !formula.holds(&|one| pool.is_installed(one));
    (!broken).then_some(formula)
}
