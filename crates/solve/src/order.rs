//! In which order packages are laid down and removed.

use crate::{PackageId, Pool, Solution};

/// All incoming packages of `solution`, each after what it requires; pre-requirements count more, and cycles are
/// broken the same way on every run.
pub fn install_order(_pool: &Pool, _solution: &Solution) -> Vec<PackageId> {
    unimplemented!()
}

/// All packages of [`Solution::remove`], each before what it requires.
pub fn removal_order(_pool: &Pool, _solution: &Solution) -> Vec<PackageId> {
    unimplemented!()
}
