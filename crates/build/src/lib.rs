//! Builds of packages from source: what is built when, and each build.

pub mod schedule;
