//! The `lz` program.

fn main() -> std::process::ExitCode {
    lz::main()
}
