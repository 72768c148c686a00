//! In what order components are built.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::NodeIndex;

use crate::graph::{BuildGraph, Node};

/// What is built together: one component, or several that need each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Group(pub Vec<String>);

/// Stages: what is in one can be built at once, when all stages before it are done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Order {
    /// The stages; each sorted.
    pub stages: Vec<Vec<Group>>,
}

impl BuildGraph {
    /// The order of all builds.
    #[must_use]
    pub fn order(&self) -> Order {
        let mut stage_of = vec![0_usize; self.nodes.node_count()];
        let mut stages: Vec<Vec<Group>> = Vec::new();
        // What is needed comes before what needs it.
        for nodes in self.strong_components() {
            let needed = nodes.iter().flat_map(|node| self.nodes.neighbors(*node));
            let after = needed.map(|node| stage_of[node.index()]).max().unwrap_or(0);
            let mut builds = self.builds_of(&nodes);
            // A stage is the number of builds on the longest way down; a package alone takes none.
            let stage = after + usize::from(!builds.is_empty());
            nodes.iter().for_each(|node| stage_of[node.index()] = stage);
            if builds.is_empty() {
                continue;
            }
            builds.sort();
            if stages.len() < stage {
                stages.resize_with(stage, Vec::new);
            }
            stages[stage - 1].push(Group(builds));
        }
        stages.iter_mut().for_each(|stage| stage.sort());
        Order { stages }
    }

    /// The strongly connected components, what is needed first.
    pub(crate) fn strong_components(&self) -> Vec<Vec<NodeIndex<u32>>> {
        kosaraju_scc(&self.nodes)
    }

    pub(crate) fn builds_of(&self, nodes: &[NodeIndex<u32>]) -> Vec<String> {
        let builds = nodes.iter().filter_map(|node| match self.nodes[*node] {
            Node::Build(component) => Some(self.components[component as usize].clone()),
            Node::Package(_) => None,
        });
        builds.collect()
    }
}
