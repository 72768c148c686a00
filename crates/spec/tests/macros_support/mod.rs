//! What the tests of macros share.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

pub(crate) mod generator;
pub(crate) mod rpm;
