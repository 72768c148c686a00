//! The `lazuli` program.

fn main() -> std::process::ExitCode {
    lazuli::main()
}
