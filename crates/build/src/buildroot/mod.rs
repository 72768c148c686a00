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
//! Layers are found by the digest of the packages in them (name, EVR, architecture, digest of the file), and of those
//! below; by the version of the layout; and by whose they are, since the owners of files differ between root and an
//! ordinary user's namespace. So a layer is never changed: another set is another layer.
//!
//! Which packages are in a buildroot is decided before anything is on the disk ([`Stock`]). The base comes from imported
//! packages alone. What is built never changes the base, and with it every build: only builds that name a built package,
//! or need one, see it. Documentation is not laid.

mod layers;
mod make;
mod record;
mod set;
mod stock;

pub use layers::{Buildroot, Buildroots, Collected, RootSource, Stocked};
pub use record::package_record;
pub use set::{Origin, PackageSet, RootPackage};
pub use stock::{LayerChange, ResolveError, Stock, resolve_base, resolve_layer};

/// The version of how layers are laid out. Raised when the same packages would give another layer.
pub(crate) const LAYOUT_VERSION: u32 = 1;
