//! Buildroots: which packages they have, and where they are.
//!
//! A buildroot is an overlay of layers, of which each is made once and used by many builds:
//!
//! ```text
//!  upper of the build     what this build writes; goes with it
//!  inputs of the build    spec, sources, macros, read-only
//!  dependency layer       what the BuildRequires add or upgrade: an overlay's upper folder
//!  base                   the declared bootstrap: rpm, gcc, make, …; imported packages only
//! ```
//!
//! Layers are found by the digest of the packages in them.

mod layers;
mod set;
mod stock;

pub use layers::{Buildroot, Buildroots, Collected, RootSource, Stocked};
pub use set::{Origin, PackageSet, RootPackage};
pub use stock::{LayerChange, ResolveError, Stock, resolve_base, resolve_layer};

/// The version of how layers are laid out. Raised when the same packages would give another layer.
pub(crate) const LAYOUT_VERSION: u32 = 1;
