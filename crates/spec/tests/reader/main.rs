//! Tests of the spec reader, against rpm's own `rpmspec` and by themselves.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod depth;
mod mutations;
mod oracle;
mod support;
