//! Tests of the whole system: they build the `server` image, look at it from outside, boot it and look at it from inside.
//!
//! Built once for all tests; each guest is booted once and asked many things. Guests run one at a time.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod booted;
mod command;
mod full_disk;
mod host;
mod killed;
mod records;
