//! The `lazuli` program.
fn main() {}
