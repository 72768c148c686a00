//! From a job to a solution.

use crate::expect::{expect, refine};
use crate::explain::Explanation;
use crate::formula::{Formula, Owner};
use crate::request::Request;
use crate::run::{Chosen, Root, Source, Strength, run};
use crate::tidy::{Reasons, requirement, tidy};
use crate::view::View;
use crate::{
    Cause, Job, PackageId, Pool, Problem, Reason, Removed, Replaced, Solution, Upgrade, Weak,
    solution::Chosen as Installed,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Most specs of a failed job that are tried one by one for a clearer explanation.
const SINGLE_TRIES_MAX: usize = 64;

/// How often a solution is improved with what the one before taught.
const REFINEMENTS_MAX: usize = 2;

/// Finds the packages that fulfil `job`. The same pool and job give the same answer, on every run.
pub fn solve(pool: &Pool, job: &Job) -> Result<Solution, Problem> {
    let mut request = Request::new(pool, job)?;
    let result = attempt(&mut request, job);
    // A path that could not be looked up may be the reason of a failure, or of a worse choice.
    let errors = pool.file_list_errors();
    if !errors.is_empty() {
        let causes = errors.into_iter().map(|message| Cause { message }).collect();
        return Err(Problem {
            causes,
            hints: vec!["refresh the repositories".to_owned()],
        });
    }
    let reasons = result?;
    let mut solution = classify(&request, &reasons);
    if job.autoremove {
        autoremove(&request.view, job, &reasons, &mut solution);
    }
    Ok(solution)
}

fn attempt(request: &mut Request<'_>, job: &Job) -> Result<Reasons, Problem> {
    let pool = request.view.pool;
    let roots: Vec<Root> = request.wanted.iter().chain(&request.kept).cloned().collect();
    let (mut needed, recommended) = expect(&request.view, &request.wanted, job.weak);
    request.view.set_expected(needed.clone(), recommended.clone());
    let (roots, answer) = match run(&request.view, &roots) {
        Ok(answer) => (roots, answer),
        Err(explanation) => {
            let softer = erasing(request, job);
            match run(&request.view, &softer) {
                Ok(answer) if job.allow.erase => (softer, answer),
                erasing => return Err(describe(request, &roots, explanation, erasing.ok())),
            }
        }
    };
    let mut best = tidy(&request.view, &roots, &answer);
    // Where all is to be upgraded, fewer changes are no gain.
    let rounds = if job.upgrade == Upgrade::None && !job.sync {
        REFINEMENTS_MAX
    } else {
        0
    };
    for _ in 0..rounds {
        // A provider that was chosen early may be spared where another one turned out to be needed anyway.
        let Some(more) = refine(&request.view, &needed, best.keys().copied()) else {
            break;
        };
        request.view.set_expected(more.clone(), recommended.clone());
        needed = more;
        let Ok(answer) = run(&request.view, &roots) else {
            break;
        };
        let reasons = tidy(&request.view, &roots, &answer);
        // What was asked for must not become older for it.
        let asked = best
            .iter()
            .filter(|(_, reason)| matches!(reason, Reason::User(_)));
        let is_as_good = asked.map(|(id, _)| id).all(|id| reasons.contains_key(id));
        if is_as_good && changes(pool, &reasons) < changes(pool, &best) {
            best = reasons;
        }
    }
    Ok(if job.weak == Weak::Install {
        crate::weak::add(&request.view, best)
    } else {
        best
    })
}

/// What a solution costs: first the installed packages that go or change, then the packages that come.
fn changes(pool: &Pool, reasons: &Reasons) -> (usize, usize) {
    let kept = reasons.keys().filter(|id| pool.is_installed(**id)).count();
    (pool.installed().count() - kept, reasons.len() - kept)
}

/// The same roots, but installed packages may go, unless they are protected.
fn erasing(request: &Request<'_>, job: &Job) -> Vec<Root> {
    let pool = request.view.pool;
    let soften = |root: &Root| {
        let mut root = root.clone();
        if let Source::Keep(id) = root.source
            && !job.protected.contains(&pool.record(id).nevra.name)
        {
            root.strength = Strength::Soft;
            root.formula = own_name(root.formula);
        }
        root
    };
    request
        .wanted
        .iter()
        .cloned()
        .chain(request.kept.iter().map(soften))
        .collect()
}

/// Of what may stand for an installed package, the packages of its own name. One that may go is no reason to bring in
/// its successor.
fn own_name(formula: Formula) -> Formula {
    match formula {
        Formula::Either(parts) => parts.into_iter().next().unwrap_or(Formula::FALSE),
        other => other,
    }
}

/// Explains a failure: by the one spec that fails on its own, if there is one.
fn describe(request: &Request<'_>, roots: &[Root], all: Explanation, erasing: Option<Chosen>) -> Problem {
    let pool = request.view.pool;
    let mut explanation = all;
    if request.wanted.len() > 1 && request.wanted.len() <= SINGLE_TRIES_MAX {
        for wanted in request
            .wanted
            .iter()
            .filter(|root| root.strength == Strength::Hard)
        {
            let single: Vec<Root> = std::iter::once(wanted).chain(&request.kept).cloned().collect();
            if let Err(simpler) = run(&request.view, &single) {
                explanation = simpler;
                break;
            }
        }
    }
    let mut problem = explanation.into_problem(pool);
    if let Some(answer) = erasing {
        let reasons = tidy(&request.view, roots, &answer);
        let gone = pool.installed().filter(|id| {
            !reasons.contains_key(id)
                && !reasons
                    .keys()
                    .any(|other| pool.group_of(*other) == pool.group_of(*id))
                && !request.removed.contains_key(id)
        });
        let gone: Vec<String> = gone.map(|id| pool.record(id).nevra.to_string()).collect();
        if !gone.is_empty() {
            problem.hints.push(format!(
                "it would be possible if these may be removed: {}",
                gone.join(", ")
            ));
        }
    }
    problem
}

fn classify(request: &Request<'_>, reasons: &Reasons) -> Solution {
    let pool = request.view.pool;
    let mut solution = Solution {
        nothing_to_do: request.nothing_to_do.clone(),
        ..Solution::default()
    };
    let gone: Vec<PackageId> = pool.installed().filter(|id| !reasons.contains_key(id)).collect();
    let mut replaced: BTreeSet<PackageId> = BTreeSet::new();
    for (id, reason) in reasons.iter().filter(|(id, _)| !pool.is_installed(**id)) {
        let group = pool.group_of(*id);
        let nevra = &pool.record(*id).nevra;
        let mut olds = gone.iter().copied().filter(|old| pool.group_of(*old) == group);
        let old = if request.view.is_install_only(group) {
            olds.find(|old| pool.record(*old).nevra == *nevra)
        } else {
            olds.next()
        };
        let Some(old) = old else {
            solution.install.push(Installed {
                package: *id,
                reason: reason.clone(),
            });
            continue;
        };
        replaced.insert(old);
        let before = &pool.record(old).nevra;
        let reason = match reason {
            Reason::Other if request.view.is_raised(group) => Reason::Upgrade,
            Reason::Other => removal_reason(request, reasons, old),
            known => known.clone(),
        };
        let step = Replaced {
            old,
            new: *id,
            reason,
        };
        match nevra.evr.cmp(&before.evr) {
            std::cmp::Ordering::Less => solution.downgrade.push(step),
            std::cmp::Ordering::Equal if nevra == before => solution.reinstall.push(step),
            _ => solution.upgrade.push(step),
        }
    }
    for old in gone.iter().copied().filter(|old| !replaced.contains(old)) {
        let reason = removal_reason(request, reasons, old);
        solution.remove.push(Removed { package: old, reason });
    }
    sort(pool, &mut solution);
    solution
}

fn sort(pool: &Pool, solution: &mut Solution) {
    let key = |id: PackageId| (pool.record(id).nevra.clone(), id);
    solution.install.sort_by_cached_key(|step| key(step.package));
    solution.upgrade.sort_by_cached_key(|step| key(step.new));
    solution.downgrade.sort_by_cached_key(|step| key(step.new));
    solution.reinstall.sort_by_cached_key(|step| key(step.new));
    solution.remove.sort_by_cached_key(|step| key(step.package));
}

fn removal_reason(request: &Request<'_>, reasons: &Reasons, old: PackageId) -> Reason {
    if let Some(reason) = request.removed.get(&old).or_else(|| request.dependents.get(&old)) {
        return reason.clone();
    }
    let pool = request.view.pool;
    let incoming = || reasons.keys().copied().filter(|id| !pool.is_installed(*id));
    if let Some(by) = pool
        .obsoleters(old)
        .into_iter()
        .find(|by| reasons.contains_key(by))
    {
        return Reason::ObsoletedBy(by);
    }
    let conflicts = |id: PackageId, other: PackageId| {
        pool.record(id).conflicts.iter().any(|one| {
            let alone = |one: PackageId| one == other;
            Formula::conflict(pool, one, id).is_ok_and(|formula| !formula.holds(&alone))
        })
    };
    if let Some(by) = incoming().find(|id| conflicts(*id, old) || conflicts(old, *id)) {
        return Reason::ConflictsWith(by);
    }
    // Otherwise it lost what it requires.
    for dependency in &pool.record(old).requires {
        let Some(formula) = requirement(&request.view, old, dependency) else {
            continue;
        };
        if formula.holds(&|id| reasons.contains_key(&id)) {
            continue;
        }
        let mut helpers = Vec::new();
        formula.helpers(&mut helpers);
        if let Some(id) = helpers
            .into_iter()
            .find(|id| pool.is_installed(*id) && !reasons.contains_key(id))
        {
            return Reason::Needs(id);
        }
    }
    Reason::Other
}

/// Removes what was installed as a dependency and which nothing that stays requires or recommends.
fn autoremove(view: &View<'_>, job: &Job, reasons: &Reasons, solution: &mut Solution) {
    let pool = view.pool;
    // A replacement is as automatic as what it replaces.
    let replaced: BTreeMap<PackageId, PackageId> = (solution.upgrade.iter())
        .chain(&solution.downgrade)
        .chain(&solution.reinstall)
        .map(|step| (step.new, step.old))
        .collect();
    let is_automatic = |id: PackageId| {
        let installed = replaced.get(&id).copied().unwrap_or(id);
        pool.is_installed(installed)
            && pool.is_automatic(installed)
            && !job.protected.contains(&pool.record(id).nevra.name)
    };
    let stays: Vec<PackageId> = reasons.keys().copied().collect();
    let mut needed: HashSet<PackageId> = HashSet::new();
    let mut queue: Vec<PackageId> = stays.iter().copied().filter(|id| !is_automatic(*id)).collect();
    needed.extend(&queue);
    while let Some(id) = queue.pop() {
        let record = pool.record(id);
        let recommends: &[_] = if job.weak == Weak::Install {
            &record.recommends
        } else {
            &[]
        };
        for dependency in record.requires.iter().chain(recommends) {
            let Ok(formula) = Formula::requirement(pool, dependency, Owner::There(id)) else {
                continue;
            };
            let mut helpers = Vec::new();
            formula.helpers(&mut helpers);
            for helper in helpers {
                if reasons.contains_key(&helper) && needed.insert(helper) {
                    queue.push(helper);
                }
            }
        }
        if queue.is_empty() && job.weak == Weak::Install {
            queue.extend(supplementing(pool, &stays, &needed));
            needed.extend(&queue);
        }
    }
    // What is to be replaced is replaced, and goes the next time.
    let unneeded = stays
        .into_iter()
        .filter(|id| pool.is_installed(*id) && !needed.contains(id));
    let steps = unneeded.map(|package| Removed {
        package,
        reason: Reason::Unneeded,
    });
    solution.remove.extend(steps);
    sort(pool, solution);
}

/// Packages that stay and supplement something that is needed.
fn supplementing(pool: &Pool, stays: &[PackageId], needed: &HashSet<PackageId>) -> Vec<PackageId> {
    let holds = |id: &PackageId| {
        pool.record(*id).supplements.iter().any(|dependency| {
            Formula::requirement(pool, dependency, Owner::Nobody)
                .is_ok_and(|formula| formula.holds(&|one| needed.contains(&one)))
        })
    };
    stays
        .iter()
        .copied()
        .filter(|id| !needed.contains(id))
        .filter(holds)
        .collect()
}
