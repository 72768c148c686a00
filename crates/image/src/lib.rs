//! From a root tree to a bootable disk image and its bill of materials, and to a running guest.

mod elf;
mod error;
pub mod initrd;
mod view;

pub use error::{Error, Result};
