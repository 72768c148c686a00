//! Components are built from source, in real buildroots: what is built when, and what is not built again.
//!
//! A project of its own, a copy of the distribution's with three generated components on top, which need each other:
//!
//! ```text
//!  test-low (a library)  ◀──  test-mid (a library)  ◀──  test-top (a program)          test-apart (needs none of them)
//! ```
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod layers;
mod project;
