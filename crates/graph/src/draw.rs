//! The graph as a picture: for Graphviz, or as SVG, with the stages as columns.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use petgraph::Direction;
use petgraph::visit::EdgeRef as _;

use crate::error::Error;
use crate::graph::{BuildGraph, Node};

/// Which part of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everything.
    All,
    /// These components, what they need and what needs them, up to a number of builds away.
    Around {
        /// The components.
        components: Vec<String>,
        /// How far.
        distance: usize,
    },
}

/// Pixels of the SVG.
const COLUMN: usize = 220;
const ROW: usize = 34;
const BOX_WIDTH: usize = 160;
const BOX_HEIGHT: usize = 22;
const MARGIN: usize = 20;

/// From the component that needs to the one that is needed.
type Arrows = BTreeSet<(u32, u32)>;

impl BuildGraph {
    /// The graph in Graphviz' language. Arrows point to what is needed.
    pub fn to_dot(&self, selection: &Selection) -> Result<String, Error> {
        let (chosen, arrows) = self.chosen(selection)?;
        let mut out = String::from("digraph builds {\n  rankdir = LR;\n  node [shape = box];\n");
        for component in &chosen {
            let _ = writeln!(out, "  \"{}\";", quoted(self.name(*component)));
        }
        for (from, to) in &arrows {
            let _ = writeln!(
                out,
                "  \"{}\" -> \"{}\";",
                quoted(self.name(*from)),
                quoted(self.name(*to))
            );
        }
        out.push_str("}\n");
        Ok(out)
    }

    /// The graph as SVG: what is built first is on the left, arrows point to what is needed.
    pub fn to_svg(&self, selection: &Selection) -> Result<String, Error> {
        let (chosen, arrows) = self.chosen(selection)?;
        let columns = self.columns(&chosen);
        let mut place: HashMap<u32, (usize, usize)> = HashMap::new();
        for (column, members) in columns.values().enumerate() {
            for (row, component) in members.iter().enumerate() {
                place.insert(*component, (MARGIN + column * COLUMN, MARGIN + row * ROW));
            }
        }
        let rows = columns.values().map(Vec::len).max().unwrap_or(0);
        let (width, height) = (2 * MARGIN + columns.len() * COLUMN, 2 * MARGIN + rows * ROW);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
             <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n"
        );
        for (from, to) in &arrows {
            let ((x1, y1), (x2, y2)) = (place[from], place[to]);
            let (y1, y2) = (y1 + BOX_HEIGHT / 2, y2 + BOX_HEIGHT / 2);
            let x2 = x2 + BOX_WIDTH;
            let _ = writeln!(
                out,
                "<path d=\"M{x1} {y1} C{} {y1} {} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#888\" marker-end=\"url(#head)\"/>",
                x1.saturating_sub(MARGIN),
                x2 + MARGIN,
            );
        }
        for component in &chosen {
            let (x, y) = place[component];
            let name = escaped(self.name(*component));
            let _ = writeln!(
                out,
                "<g><title>{name}</title><rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"4\" fill=\"#eef3fb\" stroke=\"#26619c\"/>\
                 <text x=\"{}\" y=\"{}\">{name}</text></g>",
                x + 8,
                y + 15,
            );
        }
        out.push_str("</svg>\n");
        Ok(out)
    }

    fn name(&self, component: u32) -> &str {
        &self.components[component as usize]
    }

    fn columns(&self, chosen: &BTreeSet<u32>) -> BTreeMap<usize, Vec<u32>> {
        let mut columns: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (stage, groups) in self.order().stages.iter().enumerate() {
            let names = groups.iter().flat_map(|group| &group.0);
            for component in names.filter_map(|name| self.find(name).ok()) {
                if chosen.contains(&component) {
                    columns.entry(stage).or_default().push(component);
                }
            }
        }
        columns
    }

    fn chosen(&self, selection: &Selection) -> Result<(BTreeSet<u32>, Arrows), Error> {
        let arrows = self.arrows();
        let chosen: BTreeSet<u32> = match selection {
            Selection::All => self
                .components
                .iter()
                .zip(0_u32..)
                .map(|(_, number)| number)
                .collect(),
            Selection::Around { components, distance } => {
                let starts = components.iter().map(|name| self.find(name));
                let starts: BTreeSet<u32> = starts.collect::<Result<_, _>>()?;
                let mut down: HashMap<u32, Vec<u32>> = HashMap::new();
                let mut up: HashMap<u32, Vec<u32>> = HashMap::new();
                for (from, to) in &arrows {
                    down.entry(*from).or_default().push(*to);
                    up.entry(*to).or_default().push(*from);
                }
                &within(&starts, &down, *distance) | &within(&starts, &up, *distance)
            }
        };
        let kept = arrows
            .into_iter()
            .filter(|(from, to)| chosen.contains(from) && chosen.contains(to));
        let kept = kept.collect();
        Ok((chosen, kept))
    }

    /// Between components only: what a build names, and what the packages of a component require of others.
    fn arrows(&self) -> Arrows {
        let edges = self
            .nodes
            .node_indices()
            .flat_map(|node| self.nodes.edges_directed(node, Direction::Outgoing));
        let edges = edges.filter(|edge| matches!(self.nodes[edge.target()], Node::Package(_)));
        let ends = edges.map(|edge| (self.owner(edge.source()), self.owner(edge.target())));
        ends.filter(|(from, to)| from != to).collect()
    }
}

/// What is at most so many steps away.
fn within(starts: &BTreeSet<u32>, next: &HashMap<u32, Vec<u32>>, distance: usize) -> BTreeSet<u32> {
    let mut found = starts.clone();
    let mut edge: Vec<u32> = starts.iter().copied().collect();
    for _ in 0..distance {
        let reached = edge.iter().flat_map(|one| next.get(one).into_iter().flatten());
        let fresh: BTreeSet<u32> = reached.copied().filter(|one| !found.contains(one)).collect();
        if fresh.is_empty() {
            break;
        }
        found.extend(&fresh);
        edge = fresh.into_iter().collect();
    }
    found
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
