//! Components that need each other to be built.

use std::collections::{HashMap, HashSet, VecDeque};

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef as _;

use crate::graph::{BuildGraph, Need, Node};

/// An edge as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Edge {
    /// A build names a package.
    BuildRequires {
        /// The component that is built.
        component: String,
        /// The `BuildRequires`.
        dependency: String,
        /// What fulfils it.
        package: String,
        /// Where that comes from.
        from: String,
    },
    /// A package requires another.
    Requires {
        /// The package.
        package: String,
        /// Its `Requires`.
        dependency: String,
        /// What fulfils it.
        needs: String,
        /// Where that comes from.
        from: String,
    },
}

impl std::fmt::Display for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Edge::BuildRequires {
                component,
                dependency,
                package,
                from,
            } => write!(
                f,
                "the build of {component} requires `{dependency}`: {package} (of {from})"
            ),
            Edge::Requires {
                package,
                dependency,
                needs,
                from,
            } => write!(
                f,
                "the package {package} requires `{dependency}`: {needs} (of {from})"
            ),
        }
    }
}

/// Components of which none can be built first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cycle {
    /// The components, sorted.
    pub components: Vec<String>,
    /// One shortest way around, from the first component back to it.
    pub shortest: Vec<Edge>,
    /// All edges inside, sorted: to break the cycle, some of them must go.
    pub edges: Vec<Edge>,
}

impl BuildGraph {
    /// The cycles, by the first component's name.
    #[must_use]
    pub fn cycles(&self) -> Vec<Cycle> {
        let parts = self.strong_components().into_iter();
        let with_builds = parts.filter(|nodes| nodes.len() > 1 && !self.builds_of(nodes).is_empty());
        let mut cycles: Vec<Cycle> = with_builds.map(|nodes| self.cycle(&nodes)).collect();
        cycles.sort_by(|left, right| left.components.cmp(&right.components));
        cycles
    }

    fn cycle(&self, nodes: &[NodeIndex<u32>]) -> Cycle {
        let inside: HashSet<_> = nodes.iter().copied().collect();
        let mut components = self.builds_of(nodes);
        components.sort();
        let mut edges: Vec<Edge> = nodes
            .iter()
            .flat_map(|node| self.nodes.edges_directed(*node, Direction::Outgoing))
            .filter(|edge| inside.contains(&edge.target()))
            .filter_map(|edge| self.describe(edge.source(), *edge.weight(), edge.target()))
            .collect();
        edges.sort();
        edges.dedup();
        let starts = nodes
            .iter()
            .filter(|node| matches!(self.nodes[**node], Node::Build(_)));
        let ways = starts.map(|start| self.around(*start, &inside));
        let shortest = ways
            .min_by_key(|way| (way.len(), way.clone()))
            .unwrap_or_default();
        Cycle {
            components,
            shortest,
            edges,
        }
    }

    /// The shortest way from a node back to itself.
    fn around(&self, start: NodeIndex<u32>, inside: &HashSet<NodeIndex<u32>>) -> Vec<Edge> {
        let mut came: HashMap<NodeIndex<u32>, (NodeIndex<u32>, Need)> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            // Of ways of one length, the first by name.
            let mut edges: Vec<_> = self.nodes.edges_directed(node, Direction::Outgoing).collect();
            edges.sort_by_key(|edge| edge.target());
            for edge in edges {
                let next = edge.target();
                if !inside.contains(&next) || came.contains_key(&next) {
                    continue;
                }
                came.insert(next, (node, *edge.weight()));
                if next == start {
                    return self.way_back(start, start, &came);
                }
                queue.push_back(next);
            }
        }
        Vec::new()
    }

    /// The edges from `start` to `end`, from what came before each node.
    pub(crate) fn way_back(
        &self,
        start: NodeIndex<u32>,
        end: NodeIndex<u32>,
        came: &HashMap<NodeIndex<u32>, (NodeIndex<u32>, Need)>,
    ) -> Vec<Edge> {
        let mut way = Vec::new();
        let mut at = end;
        while let Some((before, need)) = came.get(&at) {
            way.extend(self.describe(*before, *need, at));
            at = *before;
            if at == start {
                break;
            }
        }
        way.reverse();
        way
    }

    /// An edge in words; nothing for the one from a package to its own build.
    pub(crate) fn describe(&self, from: NodeIndex<u32>, need: Need, to: NodeIndex<u32>) -> Option<Edge> {
        let (Node::Package(needed), Need::Build(text) | Need::Install(text)) = (self.nodes[to], need) else {
            return None;
        };
        let dependency = self.texts[text as usize].clone();
        let (needed, owner) = &self.packages[needed as usize];
        let origin = self.components[*owner as usize].clone();
        Some(match self.nodes[from] {
            Node::Build(component) => Edge::BuildRequires {
                component: self.components[component as usize].clone(),
                dependency,
                package: needed.clone(),
                from: origin,
            },
            Node::Package(package) => Edge::Requires {
                package: self.packages[package as usize].0.clone(),
                dependency,
                needs: needed.clone(),
                from: origin,
            },
        })
    }
}
