//! The graph itself.

use std::collections::{BTreeMap, HashMap};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

use crate::component::Component;
use crate::error::Error;
use crate::provides::Provides;

/// Most components and packages in a graph.
const NODES_MAX: usize = 16 << 20;

/// A node: a build, or a package. Components come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Build(u32),
    Package(u32),
}

/// Why a node needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// `BuildRequires`; the number of its text.
    Build(u32),
    /// `Requires`; the number of its text.
    Install(u32),
    /// The package comes out of that build.
    MadeBy,
}

/// A dependency that nothing in the project provides: it must come from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Missing {
    /// Its text.
    pub dependency: String,
    /// The components whose builds name it.
    pub builds: Vec<String>,
    /// The packages that require it.
    pub packages: Vec<String>,
}

/// What the build of a component names, and which component fulfils it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Needs {
    /// The component that is needed.
    pub component: String,
    /// The package of it.
    pub package: String,
    /// The `BuildRequires`.
    pub dependency: String,
}

/// Which component needs which.
#[derive(Debug)]
pub struct BuildGraph {
    pub(crate) nodes: DiGraph<Node, Need, u32>,
    pub(crate) components: Vec<String>,
    /// Of each package: its name and its component.
    pub(crate) packages: Vec<(String, u32)>,
    /// Texts of dependencies.
    pub(crate) texts: Vec<String>,
    missing: Vec<Missing>,
    by_name: HashMap<String, u32>,
}

impl BuildGraph {
    /// Makes the graph. The order of the components does not matter.
    ///
    /// Fails if two have one name.
    pub fn new(mut components: Vec<Component>) -> Result<Self, Error> {
        components.sort_by(|left, right| left.name.cmp(&right.name));
        if let Some(pair) = components.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(Error::Duplicate(pair[0].name.clone()));
        }
        let count = components.len() + components.iter().map(|one| one.packages.len()).sum::<usize>();
        if count > NODES_MAX {
            return Err(Error::TooLarge { limit: NODES_MAX });
        }
        Ok(Builder::new(&components).build(&components))
    }

    /// The names of all components, sorted.
    #[must_use]
    pub fn components(&self) -> &[String] {
        &self.components
    }

    /// What nothing in the project provides, by its text.
    #[must_use]
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// What the build of a component names, and who fulfils it; what is missing is left out.
    pub fn needs(&self, name: &str) -> Result<Vec<Needs>, Error> {
        let component = self.find(name)?;
        let edges = self
            .nodes
            .edges_directed(self.build(component), Direction::Outgoing);
        let mut found: Vec<Needs> = edges
            .filter_map(|edge| match (edge.weight(), self.nodes[edge.target()]) {
                (Need::Build(text), Node::Package(package)) => Some((*text, package)),
                _ => None,
            })
            .map(|(text, package)| {
                let (package, owner) = &self.packages[package as usize];
                Needs {
                    component: self.components[*owner as usize].clone(),
                    package: package.clone(),
                    dependency: self.texts[text as usize].clone(),
                }
            })
            .collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    pub(crate) fn find(&self, name: &str) -> Result<u32, Error> {
        self.by_name.get(name).copied().ok_or_else(|| Error::Unknown {
            name: name.to_owned(),
            nearest: nearest(name, &self.components),
        })
    }

    pub(crate) fn build(&self, component: u32) -> NodeIndex<u32> {
        NodeIndex::new(component as usize)
    }

    /// The component that a node belongs to.
    pub(crate) fn owner(&self, node: NodeIndex<u32>) -> u32 {
        match self.nodes[node] {
            Node::Build(component) => component,
            Node::Package(package) => self.packages[package as usize].1,
        }
    }
}

/// The name that shares the longest start with what was asked for, if it shares half of it.
fn nearest(name: &str, names: &[String]) -> Option<String> {
    let shared = |other: &str| {
        name.chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let best = names
        .iter()
        .max_by_key(|other| (shared(other), std::cmp::Reverse(other.len())))?;
    (shared(best) * 2 >= name.chars().count()).then(|| best.clone())
}

struct Builder<'a> {
    provides: Provides<'a>,
    nodes: DiGraph<Node, Need, u32>,
    packages: Vec<(String, u32)>,
    texts: Vec<String>,
    text_numbers: HashMap<String, u32>,
    missing: BTreeMap<String, (Vec<String>, Vec<String>)>,
    builds: usize,
}

impl<'a> Builder<'a> {
    fn new(components: &'a [Component]) -> Self {
        let mut nodes = DiGraph::default();
        let mut packages = Vec::new();
        for number in (0_u32..).take(components.len()) {
            nodes.add_node(Node::Build(number));
        }
        for (component, owner) in components.iter().zip(0_u32..) {
            for package in &component.packages {
                let number = u32::try_from(packages.len()).unwrap_or(u32::MAX);
                packages.push((package.name.clone(), owner));
                let node = nodes.add_node(Node::Package(number));
                nodes.add_edge(node, NodeIndex::new(owner as usize), Need::MadeBy);
            }
        }
        Self {
            provides: Provides::new(components),
            nodes,
            packages,
            texts: Vec::new(),
            text_numbers: HashMap::new(),
            missing: BTreeMap::new(),
            builds: components.len(),
        }
    }

    fn build(mut self, components: &[Component]) -> BuildGraph {
        let mut package_number = 0;
        for (component, owner) in components.iter().zip(0_u32..) {
            let node = NodeIndex::new(owner as usize);
            for dependency in &component.build_requires {
                if !self.connect(node, owner, dependency, Need::Build) {
                    let entry = self.missing.entry(dependency.to_string()).or_default();
                    entry.0.push(component.name.clone());
                }
            }
            for package in &component.packages {
                let node = NodeIndex::new(self.builds + package_number);
                package_number += 1;
                for dependency in &package.requires {
                    if !self.connect(node, owner, dependency, Need::Install) {
                        let entry = self.missing.entry(dependency.to_string()).or_default();
                        entry.1.push(package.name.clone());
                    }
                }
            }
        }
        let missing = self
            .missing
            .into_iter()
            .map(|(dependency, (builds, packages))| Missing {
                dependency,
                builds,
                packages,
            });
        let components: Vec<String> = components.iter().map(|one| one.name.clone()).collect();
        BuildGraph {
            nodes: self.nodes,
            by_name: components.iter().cloned().zip(0_u32..).collect(),
            components,
            packages: self.packages,
            texts: self.texts,
            missing: missing.collect(),
        }
    }

    /// Whether something fulfils the dependency.
    fn connect(
        &mut self,
        from: NodeIndex<u32>,
        owner: u32,
        dependency: &lazuli_rpm::Dependency,
        kind: fn(u32) -> Need,
    ) -> bool {
        let Some(packages) = self.provides.select(dependency, owner) else {
            return false;
        };
        let text = self.text(dependency);
        for package in packages {
            let to = NodeIndex::new(self.builds + package as usize);
            if to != from {
                self.nodes.add_edge(from, to, kind(text));
            }
        }
        true
    }

    fn text(&mut self, dependency: &lazuli_rpm::Dependency) -> u32 {
        let text = dependency.to_string();
        if let Some(number) = self.text_numbers.get(&text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.clone());
        self.text_numbers.insert(text, number);
        number
    }
}
