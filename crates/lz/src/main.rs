//! The `lz` program.
fn main() {}
