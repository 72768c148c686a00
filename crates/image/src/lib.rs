//! From a root tree to a bootable disk image and its bill of materials, and to a running guest.
//!
//! The order of things, each a module: [`finalise`](mod@finalise) makes a root fit for many machines, [`initrd`] and
//! [`uki`] make what the firmware starts, [`build`](mod@build) puts all on a disk and writes the records ([`manifest`],
//! [`sbom`]) beside it, [`boot`] runs it under QEMU, [`verify`] compares two builds.
//!
//! What holds throughout: nothing is mounted and no root is needed; the root is a [`lazuli_disk::Tree`], whose links
//! are followed inside of it only; no output depends on the clock, on the host or on the number of threads; nothing has
//! its final name before it is complete.

pub mod boot;
mod bootloader;
pub mod build;
mod elf;
mod error;
pub mod finalise;
pub mod initrd;
pub mod manifest;
pub mod sbom;
pub mod uki;
pub mod verify;
mod view;

pub use build::{Built, Format, ImageSpec, Stage};
pub use error::{Error, Result};
pub use view::View;
