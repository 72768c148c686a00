//! From the solver's conflict to words.

use crate::encode::{Encoder, Why};
use crate::problem::name_hints;
use crate::run::{Root, Source, Strength};
use crate::view::View;
use crate::{Cause, PackageId, Pool, Problem};
use resolvo::Solver;
use resolvo::conflict::{Conflict, ConflictCause, ConflictEdge, ConflictNode};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Most causes that are shown.
const CAUSES_MAX: usize = 16;

/// The causes that a run found, and what nothing provides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Explanation {
    pub(crate) causes: Vec<Cause>,
    /// Dependencies that nothing provides.
    missing: Vec<String>,
}

impl Explanation {
    /// As a problem, with hints.
    pub(crate) fn into_problem(self, pool: &Pool) -> Problem {
        let mut hints = Vec::new();
        for text in &self.missing {
            for hint in name_hints(pool, text) {
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
        }
        let mut causes = self.causes;
        if causes.is_empty() {
            causes.push(Cause {
                message: "the requests exclude each other".to_owned(),
            });
        }
        Problem { causes, hints }
    }
}

/// What one package (or the job, `None`) has to do with the failure.
#[derive(Default)]
struct Facts {
    /// What it requires, and which packages could meet it but cannot be installed.
    requires: BTreeMap<String, BTreeSet<PackageId>>,
    /// What it requires and nothing provides.
    missing: BTreeSet<String>,
    conflicts: BTreeSet<(String, PackageId)>,
    obsoletes: BTreeSet<(String, PackageId)>,
}

/// Turns the solver's conflict into causes, in an order that follows the dependencies from the job down.
pub(crate) fn explain(
    view: &View<'_>,
    solver: &Solver<Encoder<'_>>,
    conflict: &Conflict,
    roots: &[Root],
) -> Explanation {
    // The solver's graph asserts its own consistency. A bug there must cost the explanation, not the program.
    let Ok(graph) = catch_unwind(AssertUnwindSafe(|| conflict.graph(solver))) else {
        return Explanation::default();
    };
    let encoder = solver.provider();
    let graph = graph.graph;
    let mut facts: BTreeMap<Option<PackageId>, Facts> = BTreeMap::new();
    // Packages of which only one can be installed, by group.
    let mut rivals: BTreeMap<u32, BTreeSet<PackageId>> = BTreeMap::new();
    for edge in graph.edge_indices() {
        let (Some((from, to)), Some(kind)) = (graph.edge_endpoints(edge), graph.edge_weight(edge)) else {
            continue;
        };
        let owner = match graph.node_weight(from) {
            Some(ConflictNode::Solvable(id)) => encoder.owner(*id),
            _ => None,
        };
        let target = match graph.node_weight(to) {
            Some(ConflictNode::Solvable(id)) => encoder.package(*id),
            _ => None,
        };
        let is_missing = matches!(graph.node_weight(to), Some(ConflictNode::UnresolvedDependency));
        let entry = facts.entry(owner).or_default();
        match (kind, target) {
            (ConflictEdge::Requires(requirement), _) if is_missing => {
                entry.missing.insert(encoder.text(requirement).to_string());
            }
            (ConflictEdge::Requires(requirement), Some(target)) => {
                entry
                    .requires
                    .entry(encoder.text(requirement).to_string())
                    .or_default()
                    .insert(target);
            }
            (ConflictEdge::Conflict(ConflictCause::Constrains(set)), Some(target)) => match encoder.why(*set)
            {
                Why::Obsoletes(text) => _ = entry.obsoletes.insert((text.to_string(), target)),
                Why::Conflict(text) => _ = entry.conflicts.insert((text.to_string(), target)),
                Why::Meets => {}
            },
            (ConflictEdge::Conflict(ConflictCause::ForbidMultipleInstances), Some(target)) => {
                let group = rivals.entry(view.pool.group_of(target)).or_default();
                group.insert(target);
                group.extend(owner);
            }
            _ => {}
        }
    }
    Teller {
        view,
        facts,
        rivals,
        roots,
        told: BTreeSet::new(),
        out: Explanation::default(),
    }
    .tell()
}

struct Teller<'v> {
    view: &'v View<'v>,
    facts: BTreeMap<Option<PackageId>, Facts>,
    rivals: BTreeMap<u32, BTreeSet<PackageId>>,
    roots: &'v [Root],
    told: BTreeSet<Option<PackageId>>,
    out: Explanation,
}

impl Teller<'_> {
    fn tell(mut self) -> Explanation {
        let mut queue = vec![None];
        while let Some(owner) = queue.pop() {
            if self.told.insert(owner)
                && let Some(facts) = self.facts.remove(&owner)
            {
                let mut next = self.tell_one(owner, &facts);
                next.reverse();
                queue.extend(next);
            }
        }
        // What the conflict holds besides, if the walk did not reach it.
        let rest: Vec<_> = std::mem::take(&mut self.facts).into_iter().collect();
        for (owner, facts) in rest {
            self.tell_one(owner, &facts);
        }
        for rivals in std::mem::take(&mut self.rivals)
            .into_values()
            .filter(|rivals| rivals.len() > 1)
        {
            let all: Vec<String> = rivals.iter().map(|id| self.name(*id)).collect();
            self.say(format!("only one of {} can be installed", all.join(", ")));
        }
        self.out
    }

    fn name(&self, id: PackageId) -> String {
        self.view.pool.record(id).nevra.to_string()
    }

    fn say(&mut self, message: String) {
        let cause = Cause { message };
        if self.out.causes.len() < CAUSES_MAX && !self.out.causes.contains(&cause) {
            self.out.causes.push(cause);
        }
    }

    /// Tells what one package has to do with it; returns the packages to tell of next.
    fn tell_one(&mut self, owner: Option<PackageId>, facts: &Facts) -> Vec<Option<PackageId>> {
        let mut next = Vec::new();
        for text in &facts.missing {
            match owner {
                Some(id) => self.say(format!("nothing provides {text} needed by {}", self.name(id))),
                None => self.say(format!("nothing provides {text}")),
            }
            self.out.missing.push(text.clone());
        }
        for (text, target) in facts.conflicts.iter().map(|pair| (&pair.0, pair.1)) {
            if let Some(id) = owner {
                let provider = self.name(target);
                self.say(format!(
                    "{} conflicts with {text} provided by {provider}",
                    self.name(id)
                ));
            }
            next.push(Some(target));
        }
        for (text, target) in facts.obsoletes.iter().map(|pair| (&pair.0, pair.1)) {
            if let Some(id) = owner {
                self.say(format!(
                    "{} obsoletes {text}, which is {}",
                    self.name(id),
                    self.name(target)
                ));
            }
            next.push(Some(target));
        }
        for (text, targets) in &facts.requires {
            self.tell_requirement(owner, text, targets);
            next.extend(targets.iter().copied().map(Some));
        }
        next
    }

    fn tell_requirement(&mut self, owner: Option<PackageId>, text: &str, targets: &BTreeSet<PackageId>) {
        let Some(id) = owner else {
            let root = self
                .roots
                .iter()
                .find(|root| &*root.text == text && root.strength == Strength::Hard);
            match root.map(|root| &root.source) {
                Some(Source::Keep(kept)) => {
                    self.say(format!("{} is installed and must stay", self.name(*kept)))
                }
                Some(Source::User(spec)) => self.say(format!("`{spec}` is asked for")),
                _ => {}
            }
            return;
        };
        let others: Vec<String> = targets
            .iter()
            .filter(|one| **one != id)
            .map(|one| self.name(*one))
            .collect();
        match &others[..] {
            [] => {}
            [only] => self.say(format!(
                "{} requires {text}, which only {only} provides",
                self.name(id)
            )),
            _ => self.say(format!(
                "{} requires {text}, but none of its providers can be installed: {}",
                self.name(id),
                others.join(", ")
            )),
        }
    }
}
