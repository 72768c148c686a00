//! One run of the SAT solver.

use crate::encode::{Demand, Encoder};
use crate::explain::{self, Explanation};
use crate::formula::Formula;
use crate::view::View;
use crate::{PackageId, Spec};
use resolvo::{KnownDependencies, Problem, Solver, UnsolvableOrCancelled};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Whether a root must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// Without it there is no solution.
    Hard,
    /// It holds where it can.
    Soft,
}

/// Where a root comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A job names it.
    User(Spec),
    /// All installed packages are to be upgraded.
    Upgrade,
    /// An installed package stays.
    Keep(PackageId),
    /// A package recommends it, or is supplemented by it.
    Weak(PackageId),
    /// It was part of an earlier run.
    Pin,
}

/// Something that must hold in the solution.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    pub(crate) formula: Formula,
    pub(crate) strength: Strength,
    pub(crate) source: Source,
    /// What it demands, in words.
    pub(crate) text: Rc<str>,
}

impl Root {
    pub(crate) fn new(formula: Formula, strength: Strength, source: Source, text: &str) -> Self {
        Self {
            formula,
            strength,
            source,
            text: Rc::from(text),
        }
    }
}

/// The packages of a solution.
pub(crate) type Chosen = BTreeSet<PackageId>;

/// Finds packages that fulfil all hard roots, and soft ones where they fit.
pub(crate) fn run(view: &View<'_>, roots: &[Root]) -> Result<Chosen, Explanation> {
    let encoder = Encoder::new(view);
    let mut demands = KnownDependencies::default();
    for root in roots {
        let demand = Demand {
            owner: None,
            text: root.text.clone(),
            name: root.text.clone(),
        };
        match root.strength {
            Strength::Hard => encoder.compile(&root.formula, &demand, &mut demands),
            Strength::Soft => encoder.compile_softly(&root.formula, &demand, &mut demands),
        }
    }
    let mut solver = Solver::new(encoder);
    let problem = Problem::new()
        .requirements(demands.requirements)
        .constraints(demands.constrains);
    match solver.solve(problem) {
        Ok(solvables) => Ok(solvables
            .into_iter()
            .filter_map(|id| solver.provider().package(id))
            .collect()),
        Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
            Err(explain::explain(view, &solver, &conflict, roots))
        }
        // Nothing cancels a run.
        Err(UnsolvableOrCancelled::Cancelled(_)) => Err(Explanation::default()),
    }
}
