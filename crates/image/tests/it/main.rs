//! Tests at the border of the crate, against other tools.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod build;
mod initrd;
mod sbom;
mod support;
