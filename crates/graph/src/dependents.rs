//! What a component reaches: what its failure stops, what its change rebuilds.

use std::collections::{BTreeMap, HashMap, VecDeque};

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef as _;

use crate::cycle::Edge;
use crate::error::Error;
use crate::graph::{BuildGraph, Node};

/// A component that needs another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dependent {
    /// How many builds lie between, itself counted: 1 has a package of it in its buildroot; it is rebuilt by a change in
    /// any case, the others only if what is between them changes too.
    pub distance: usize,
    /// Its name.
    pub component: String,
}

/// One step of the way from a component to what it needs.
pub type Step = Edge;

impl BuildGraph {
    /// The components that need this one, the nearest first: they wait if it fails, and may be rebuilt if it changes.
    pub fn dependents(&self, name: &str) -> Result<Vec<Dependent>, Error> {
        self.dependents_of(&[name])
    }

    /// The components, these themselves left out, that need one of them.
    pub fn dependents_of(&self, names: &[&str]) -> Result<Vec<Dependent>, Error> {
        let mut distance: Vec<Option<usize>> = vec![None; self.nodes.node_count()];
        let mut queue = VecDeque::new();
        for name in names {
            let start = self.build(self.find(name)?);
            distance[start.index()] = Some(0);
            queue.push_back(start);
        }
        // Steps onto a package cost nothing, those onto a build cost one: the queue stays sorted.
        while let Some(node) = queue.pop_front() {
            let here = distance[node.index()].unwrap_or(0);
            for edge in self.nodes.edges_directed(node, Direction::Incoming) {
                let next = edge.source();
                let cost = usize::from(matches!(self.nodes[next], Node::Build(_)));
                if distance[next.index()].is_some_and(|known| known <= here + cost) {
                    continue;
                }
                distance[next.index()] = Some(here + cost);
                if cost == 0 {
                    queue.push_front(next);
                } else {
                    queue.push_back(next);
                }
            }
        }
        let builds = self.components.iter().zip(&distance);
        let reached = builds.filter_map(|(component, distance)| distance.map(|d| (component, d)));
        let mut found: Vec<Dependent> = reached
            .filter(|(_, distance)| *distance > 0)
            .map(|(component, distance)| Dependent {
                distance,
                component: component.clone(),
            })
            .collect();
        found.sort();
        Ok(found)
    }

    /// The components in whose buildroot a package of this one is, by name, each with the shortest way to it.
    pub fn direct_dependents(&self, name: &str) -> Result<Vec<(String, Vec<Step>)>, Error> {
        let start = self.build(self.find(name)?);
        // Of each node that was reached: what it needs on the way, and by which edge.
        let mut towards: HashMap<NodeIndex<u32>, _> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        let mut found = Vec::new();
        while let Some(node) = queue.pop_front() {
            for edge in self.nodes.edges_directed(node, Direction::Incoming) {
                let next = edge.source();
                if next == start || towards.contains_key(&next) {
                    continue;
                }
                towards.insert(next, (node, *edge.weight()));
                match self.nodes[next] {
                    Node::Build(component) => found.push((component, next)),
                    Node::Package(_) => queue.push_back(next),
                }
            }
        }
        found.sort_unstable();
        let way = |from: NodeIndex<u32>| {
            let mut way = Vec::new();
            let mut at = from;
            while let Some((next, need)) = towards.get(&at) {
                way.extend(self.describe(at, *need, *next));
                at = *next;
            }
            way
        };
        let named = found
            .into_iter()
            .map(|(component, node)| (self.components[component as usize].clone(), way(node)));
        Ok(named.collect())
    }

    /// The components that must be built before this one, by name: those whose packages its build names, or whose packages
    /// these require, each with the shortest way to it. A component that needs itself is among them.
    pub fn builds_before(&self, name: &str) -> Result<Vec<(String, Vec<Step>)>, Error> {
        let start = self.build(self.find(name)?);
        let mut came: HashMap<NodeIndex<u32>, _> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        let mut found: BTreeMap<u32, NodeIndex<u32>> = BTreeMap::new();
        while let Some(node) = queue.pop_front() {
            for edge in self.nodes.edges_directed(node, Direction::Outgoing) {
                let next = edge.target();
                // What a package comes out of is found by its owner; how that is built is its own matter.
                if matches!(self.nodes[next], Node::Build(_)) || came.contains_key(&next) {
                    continue;
                }
                came.insert(next, (node, *edge.weight()));
                found.entry(self.owner(next)).or_insert(next);
                queue.push_back(next);
            }
        }
        let named = found.into_iter().map(|(owner, package)| {
            (
                self.components[owner as usize].clone(),
                self.way_back(start, package, &came),
            )
        });
        Ok(named.collect())
    }

    /// The shortest way from a component to one that it needs; nothing if it does not need it.
    pub fn why(&self, name: &str, needs: &str) -> Result<Option<Vec<Step>>, Error> {
        let (start, end) = (self.build(self.find(name)?), self.build(self.find(needs)?));
        let mut came: HashMap<NodeIndex<u32>, _> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for edge in self.nodes.edges_directed(node, Direction::Outgoing) {
                let next = edge.target();
                if next == start || came.contains_key(&next) {
                    continue;
                }
                came.insert(next, (node, *edge.weight()));
                if next == end {
                    return Ok(Some(self.way_back(start, end, &came)));
                }
                queue.push_back(next);
            }
        }
        Ok(None)
    }
}
