//! The factory of the Lazuli distribution, as a program: parses the command line, calls an engine, prints.

pub mod cli;
mod failure;
mod terminal;
mod workspace;

