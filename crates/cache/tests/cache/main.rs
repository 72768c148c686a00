//! The cache as its users see it: the local folder, several processes, remotes that fail, and real ones.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

mod build;
mod full_disk;
mod local;
mod processes;
mod real;
mod remote;
mod toxic;
