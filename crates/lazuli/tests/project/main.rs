//! Tests of projects of specs: the commands on components, as a person runs them.
#![allow(clippy::unwrap_used)]

mod azldev;
mod cache;
mod transcript;
mod tutorial;
