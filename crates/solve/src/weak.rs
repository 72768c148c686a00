//! Recommended and supplementing packages.

use crate::formula::{Formula, Owner};
use crate::run::{Chosen, Root, Source, Strength, run};
use crate::tidy::{Reasons, tidy};
use crate::view::View;
use crate::{PackageId, Reason};
use std::collections::HashSet;

/// How often weak dependencies of weak dependencies are followed.
const ROUNDS_MAX: usize = 64;

/// Adds to `reasons` what the new packages recommend, and what supplements them, as far as it fits. Nothing that is
/// in `reasons` changes.
pub(crate) fn add(view: &View<'_>, mut reasons: Reasons) -> Reasons {
    let mut state = State {
        view,
        asked: HashSet::new(),
        offered: HashSet::new(),
    };
    for _ in 0..ROUNDS_MAX {
        let chosen: Chosen = reasons.keys().copied().collect();
        let wishes = state.wishes(&chosen);
        if wishes.is_empty() {
            break;
        }
        let pins = chosen.iter().map(|id| {
            let text = view.pool.record(*id).nevra.to_string();
            Root::new(Formula::Any(vec![*id]), Strength::Hard, Source::Pin, &text)
        });
        let roots: Vec<Root> = pins.chain(wishes).collect();
        // It cannot fail: all that is hard holds already.
        let Ok(answer) = run(view, &roots) else { break };
        let more = tidy(view, &roots, &answer);
        let grown: Vec<(PackageId, Reason)> = more
            .into_iter()
            .filter(|(id, _)| !reasons.contains_key(id))
            .collect();
        if grown.is_empty() && !state.has_more(&chosen) {
            break;
        }
        reasons.extend(grown);
    }
    reasons
}

struct State<'v> {
    view: &'v View<'v>,
    /// Packages whose recommendations were asked for.
    asked: HashSet<PackageId>,
    /// Supplementing packages that were asked for.
    offered: HashSet<PackageId>,
}

impl State<'_> {
    fn has_more(&self, chosen: &Chosen) -> bool {
        chosen
            .iter()
            .any(|id| !self.view.pool.is_installed(*id) && !self.asked.contains(id))
    }

    /// What the packages that are new in `chosen` wish for.
    fn wishes(&mut self, chosen: &Chosen) -> Vec<Root> {
        let mut roots = Vec::new();
        for id in chosen
            .iter()
            .copied()
            .filter(|id| !self.view.pool.is_installed(*id))
        {
            if self.asked.insert(id) {
                self.recommended(id, chosen, &mut roots);
            }
        }
        self.supplementing(chosen, &mut roots);
        roots
    }

    fn recommended(&self, id: PackageId, chosen: &Chosen, roots: &mut Vec<Root>) {
        let pool = self.view.pool;
        let record = pool.record(id);
        // An upgrade does not bring back what was left out before.
        let group = pool.group(pool.group_of(id)).iter();
        let before: Vec<&lazuli_rpm::Dependency> = group
            .filter(|one| pool.is_installed(**one))
            .flat_map(|one| &pool.record(*one).recommends)
            .collect();
        for dependency in &record.recommends {
            if before.iter().any(|one| one.name == dependency.name) {
                continue;
            }
            let Ok(formula) = Formula::requirement(pool, dependency, Owner::There(id)) else {
                continue;
            };
            if !formula.holds(&|one| chosen.contains(&one)) {
                let text = dependency.name.as_str();
                roots.push(Root::new(formula, Strength::Soft, Source::Weak(id), text));
            }
        }
    }

    /// Packages that supplement something new: each stands for itself, with the newest version that does.
    fn supplementing(&mut self, chosen: &Chosen, roots: &mut Vec<Root>) {
        let pool = self.view.pool;
        let taken: HashSet<_> = chosen.iter().map(|id| pool.group_of(*id)).collect();
        for id in pool.supplementing().iter().copied() {
            let group = pool.group_of(id);
            if pool.is_installed(id)
                || !self.view.is_enabled(id)
                || taken.contains(&group)
                || self.view.candidates(group).first() != Some(&id)
            {
                continue;
            }
            let Some(cause) = self.supplemented(id, chosen) else {
                continue;
            };
            if self.offered.insert(id) {
                let text = pool.record(id).nevra.to_string();
                roots.push(Root::new(
                    Formula::Any(vec![id]),
                    Strength::Soft,
                    Source::Weak(cause),
                    &text,
                ));
            }
        }
    }

    /// The new package that makes a supplement of `id` hold.
    fn supplemented(&self, id: PackageId, chosen: &Chosen) -> Option<PackageId> {
        let pool = self.view.pool;
        for dependency in &pool.record(id).supplements {
            let Ok(formula) = Formula::requirement(pool, dependency, Owner::Nobody) else {
                continue;
            };
            let held_before = formula.holds(&|one| pool.is_installed(one));
            if held_before || !formula.holds(&|one| chosen.contains(&one)) {
                continue;
            }
            let mut helpers = Vec::new();
            formula.helpers(&mut helpers);
            let is_new = |one: &PackageId| chosen.contains(one) && !pool.is_installed(*one);
            if let Some(cause) = helpers.into_iter().find(is_new) {
                return Some(cause);
            }
        }
        None
    }
}
