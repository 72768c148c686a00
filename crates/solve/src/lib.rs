//! Dependency resolution over repositories and installed packages.
//!
//! A [`Pool`] holds what there is, a [`Job`] says what is wanted; [`solve`] answers with a [`Solution`] (what to
//! install, upgrade, remove, and why) or a [`Problem`] in words that a person can act on. [`install_order`] then says
//! in which order.
//!
//! How it is done:
//!
//! 1. `request` turns the job into *roots*: formulas over packages that must hold, among them one for each installed
//!    package that must stay (itself, or a newer version, or what obsoletes it).
//! 2. `expect` follows the requirements that only one name can meet. The names it reaches are part of every solution,
//!    so they are preferred wherever there is a choice: that is what keeps a solution small.
//! 3. `encode` hands roots and, on demand, packages to the SAT solver (resolvo).
//! 4. `tidy` keeps of the solver's answer only what the roots lead to, and notes why each package is there.
//! 5. `weak` pins that, and adds recommended and supplementing packages where they fit.
//!
//! Nothing in it depends on time, memory addresses or hash seeds: the same pool and job give the same answer.

mod arch;
mod encode;
mod engine;
mod expect;
mod explain;
mod formula;
mod glob;
mod index;
mod job;
mod order;
mod pool;
mod problem;
mod request;
mod run;
mod solution;
mod spec;
mod tidy;
mod view;
mod weak;

pub use engine::solve;
pub use job::{Allow, Job, Upgrade, Weak};
pub use order::{install_order, removal_order};
pub use pool::{FileLists, Origin, PackageId, Pool, PoolError, RepositoryId};
pub use problem::{Cause, Problem};
pub use solution::{Chosen, Reason, Removed, Replaced, Solution};
pub use spec::{Spec, SpecParseError};
