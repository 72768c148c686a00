//! Dependency resolution over repositories and installed packages.
//!
//! A [`Pool`] holds what there is, a [`Job`] says what is wanted; [`solve`] answers with a [`Solution`] (what to
//! install, upgrade, remove, and why) or a [`Problem`] in words that a person can act on. [`install_order`] then says
//! in which order.

mod job;
mod order;
mod pool;
mod problem;
mod solution;
mod spec;

pub use job::{Allow, Job, Upgrade, Weak};
pub use order::{install_order, removal_order};
pub use pool::{FileLists, Origin, PackageId, Pool, PoolError, RepositoryId};
pub use problem::{Cause, Problem};
pub use solution::{Chosen, Reason, Removed, Replaced, Solution};
pub use spec::{Spec, SpecParseError};

/// Finds the packages that fulfil `job`. The same pool and job give the same answer, on every run.
pub fn solve(_pool: &Pool, _job: &Job) -> Result<Solution, Problem> {
    unimplemented!()
}
