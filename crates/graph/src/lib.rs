//! The build graph: which component needs which, in what order they are built, and what a change reaches.
//!
//! A graph over components alone would be wrong: a component needs, when it is built, the packages that it names, and
//! what *these* need to be installed, but not what their builds needed. So the graph has two kinds of nodes:
//!
//! ```text
//!  build(A) ──BuildRequires──▶ package(p) ──comes from──▶ build(B)
//!                               package(p) ──Requires──▶ package(q) ──comes from──▶ build(C)
//! ```
//!
//! To build `A`, everything reachable from `build(A)` must be built. Packages that require each other are no trouble; a
//! cycle with a build in it is, and is named with the edges that make it ([`BuildGraph::cycles`]).
//!
//! | question | answer |
//! |---|---|
//! | in what order | [`BuildGraph::order`]: stages; what is in one stage can be built at once |
//! | what does a failure stop, what does a change rebuild | [`BuildGraph::dependents`] |
//! | why | [`BuildGraph::why`]: the shortest way from one component to another |
//! | what does nobody provide | [`BuildGraph::missing`] |
//!
//! Where several packages provide a capability, the one of that name is taken, then one of the same component, then the
//! first by name: the same on every run. `(a if b)` counts as wanted where something provides `b`, for the buildroot
//! may have it. Files are compared with the lines of `%files`: an absolute path, a glob, or a folder, which stands for
//! all that is below it. Dependencies that rpm finds after the build (sonames) are not in a spec and so not here, unless
//! the caller adds them.

mod component;
mod cycle;
mod dependents;
mod draw;
mod error;
mod files;
mod graph;
mod order;
mod paths;
mod provides;

pub use component::{Component, Package};
pub use cycle::{Cycle, Edge};
pub use dependents::{Dependent, Step};
pub use draw::Selection;
pub use error::Error;
pub use graph::{BuildGraph, Missing, Needs};
pub use order::{Group, Order};
pub use paths::Paths;
