//! The TOML configuration: its file schema, its validated domain types, and lock files.
#![allow(missing_docs)]
pub mod schema;
pub mod value;
pub use value::InvalidValue;
