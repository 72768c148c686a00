//! In which order packages are laid down and removed.
//!
//! Packages and their requirements within the transaction are a graph. Its strongly connected components are the
//! cycles; between components the order is topological. Within a component the weaker edges (ordinary requirements)
//! are dropped and only pre-requirements kept, which mostly leaves no cycle; what remains is broken at the package
//! with the fewest open requirements, the first by NEVRA. Of packages that could come next, the first by NEVRA does.

use crate::formula::{Formula, Owner};
use crate::{PackageId, Pool, Solution};
use lazuli_rpm::Sense;
use std::collections::{BTreeSet, HashMap};

/// All incoming packages of `solution`, each after what it requires; pre-requirements count more, and cycles are
/// broken the same way on every run.
pub fn install_order(pool: &Pool, solution: &Solution) -> Vec<PackageId> {
    sorted(pool, solution.incoming().collect())
}

/// All packages of [`Solution::remove`], each before what it requires.
pub fn removal_order(pool: &Pool, solution: &Solution) -> Vec<PackageId> {
    let mut order = sorted(pool, solution.remove.iter().map(|step| step.package).collect());
    order.reverse();
    order
}

/// A requirement between two packages, by their positions: the first needs the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    to: usize,
    strong: bool,
}

fn sorted(pool: &Pool, mut packages: Vec<PackageId>) -> Vec<PackageId> {
    packages.sort_by(|a, b| pool.record(*a).nevra.cmp(&pool.record(*b).nevra).then(a.cmp(b)));
    packages.dedup();
    let edges = edges(pool, &packages);
    // Components come out with those first that need nothing of the later ones.
    let components = components(&edges);
    let mut component_of = vec![0; packages.len()];
    for (number, members) in components.iter().enumerate() {
        members.iter().for_each(|member| component_of[*member] = number);
    }
    let between: Vec<BTreeSet<usize>> = components
        .iter()
        .enumerate()
        .map(|(number, members)| {
            let targets = members
                .iter()
                .flat_map(|member| &edges[*member])
                .map(|edge| component_of[edge.to]);
            targets.filter(|target| *target != number).collect()
        })
        .collect();
    let first = |number: usize| components[number].iter().min().copied().unwrap_or_default();
    let order = topological(&between, first);
    order
        .into_iter()
        .flat_map(|number| within(&components[number], &edges))
        .map(|position| packages[position])
        .collect()
}

fn edges(pool: &Pool, packages: &[PackageId]) -> Vec<Vec<Edge>> {
    let position: HashMap<PackageId, usize> = packages.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let edges_of = |id: &PackageId| {
        let mut edges: Vec<Edge> = Vec::new();
        let record = pool.record(*id);
        let required = record
            .requires
            .iter()
            .map(|one| (one, one.sense.contains(Sense::PREREQ)));
        for (dependency, strong) in required {
            let Ok(formula) = Formula::requirement(pool, dependency, Owner::There(*id)) else {
                continue;
            };
            let mut helpers = Vec::new();
            formula.helpers(&mut helpers);
            let targets = helpers
                .iter()
                .filter(|helper| *helper != id)
                .filter_map(|helper| position.get(helper));
            edges.extend(targets.map(|to| Edge { to: *to, strong }));
        }
        edges.sort_unstable();
        // Of a weak and a strong edge to the same package the strong one counts; it is sorted last.
        edges.reverse();
        edges.dedup_by_key(|edge| edge.to);
        edges.reverse();
        edges
    };
    packages.iter().map(edges_of).collect()
}

/// Tarjan's strongly connected components, without recursion: packages may nest thousands deep.
fn components(edges: &[Vec<Edge>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let (mut index, mut low) = (vec![UNSEEN; count], vec![0; count]);
    let (mut on_stack, mut stack, mut result) = (vec![false; count], Vec::new(), Vec::new());
    let mut next = 0;
    for start in 0..count {
        if index[start] != UNSEEN {
            continue;
        }
        // Each frame: a package, and which of its edges comes next.
        let mut frames = vec![(start, 0)];
        while let Some((node, at)) = frames.pop() {
            if at == 0 {
                (index[node], low[node]) = (next, next);
                next += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            match edges[node].get(at).map(|edge| edge.to) {
                Some(to) if index[to] == UNSEEN => {
                    frames.push((node, at + 1));
                    frames.push((to, 0));
                }
                Some(to) => {
                    if on_stack[to] {
                        low[node] = low[node].min(index[to]);
                    }
                    frames.push((node, at + 1));
                }
                None => {
                    if let Some((parent, _)) = frames.last() {
                        low[*parent] = low[*parent].min(low[node]);
                    }
                    if low[node] == index[node] {
                        let from = stack.iter().rposition(|one| *one == node).unwrap_or(0);
                        let mut members = stack.split_off(from);
                        members.iter().for_each(|member| on_stack[*member] = false);
                        members.sort_unstable();
                        result.push(members);
                    }
                }
            }
        }
    }
    result
}

/// Orders nodes so that each comes after its targets; among those that are ready, the least `key` first. Nodes on
/// cycles are freed by the fewest open targets, then by key.
fn topological(targets: &[BTreeSet<usize>], key: impl Fn(usize) -> usize) -> Vec<usize> {
    let mut open: Vec<usize> = targets.iter().map(BTreeSet::len).collect();
    let mut sources: Vec<Vec<usize>> = vec![Vec::new(); targets.len()];
    for (node, set) in targets.iter().enumerate() {
        set.iter().for_each(|target| sources[*target].push(node));
    }
    let mut waiting: BTreeSet<(usize, usize, usize)> = (0..targets.len())
        .map(|node| (open[node], key(node), node))
        .collect();
    let mut order = Vec::with_capacity(targets.len());
    while let Some((_, _, node)) = waiting.pop_first() {
        order.push(node);
        for source in &sources[node] {
            if waiting.remove(&(open[*source], key(*source), *source)) {
                open[*source] -= 1;
                waiting.insert((open[*source], key(*source), *source));
            }
        }
    }
    order
}

/// The order within a cycle: by pre-requirements first, so far as these have no cycle of their own.
fn within(members: &[usize], edges: &[Vec<Edge>]) -> Vec<usize> {
    if members.len() == 1 {
        return members.to_vec();
    }
    let local: HashMap<usize, usize> = members
        .iter()
        .enumerate()
        .map(|(at, member)| (*member, at))
        .collect();
    let all: Vec<Vec<Edge>> = members
        .iter()
        .map(|member| {
            let inside = edges[*member].iter().filter_map(|edge| {
                local.get(&edge.to).map(|to| Edge {
                    to: *to,
                    strong: edge.strong,
                })
            });
            inside.collect()
        })
        .collect();
    // Components of the strong edges alone are the units; weak edges order them as far as they can.
    let strong: Vec<Vec<Edge>> = all
        .iter()
        .map(|list| list.iter().copied().filter(|edge| edge.strong).collect())
        .collect();
    let units = components(&strong);
    let mut unit_of = vec![0; members.len()];
    for (number, unit) in units.iter().enumerate() {
        unit.iter().for_each(|member| unit_of[*member] = number);
    }
    // Units are already in an order that the strong edges allow. Among those that are free, fewest weak needs first.
    let count = |list: &[Vec<Edge>], unit: &[usize]| -> BTreeSet<usize> {
        let number = unit_of[unit[0]];
        let targets = unit
            .iter()
            .flat_map(|member| &list[*member])
            .map(|edge| unit_of[edge.to]);
        targets.filter(|target| *target != number).collect()
    };
    let strong_needs: Vec<BTreeSet<usize>> = units.iter().map(|unit| count(&strong, unit)).collect();
    let all_needs: Vec<BTreeSet<usize>> = units.iter().map(|unit| count(&all, unit)).collect();
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let mut order = Vec::with_capacity(members.len());
    while done.len() < units.len() {
        let free =
            (0..units.len()).filter(|unit| !done.contains(unit) && strong_needs[*unit].is_subset(&done));
        let Some(unit) =
            free.min_by_key(|unit| (all_needs[*unit].difference(&done).count(), units[*unit][0]))
        else {
            break;
        };
        done.insert(unit);
        order.extend(units[unit].iter().map(|member| members[*member]));
    }
    order
}
