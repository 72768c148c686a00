//! Turn a binary package of an upstream archive into an RPM without scriptlets.
mod version;
pub use version::{VersionMappingError, to_comparison, to_evr};
