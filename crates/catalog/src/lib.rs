//! The TOML configuration: its file schema, its validated domain types, and lock files.
