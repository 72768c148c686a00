//! Tests of the spec reader, against rpm's own `rpmspec` and by themselves.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod answers;
mod depth;
mod errors;
mod mutations;
mod oracle;
mod support;
