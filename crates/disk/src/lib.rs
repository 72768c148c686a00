//! Disk contents written without mounts, root or loop devices, and the same to the bit each time.
//!
//! Everything starts from a [`Tree`]: a sorted list of entries with numeric owners, modes, times and extended
//! attributes. The writers turn it into
//!
//! * an ext4 file system ([`ext4::plan`] → [`ext4::Layout`] → [`Region`]),
//! * an initrd archive ([`cpio::write`]) or a tar archive ([`tar::write`]).
//!
//! [`fat`] writes an EFI system partition, [`gpt`] the partition table, and [`disk::DiskWriter`] puts these together in
//! one sparse raw file, which [`vhd`] and [`qcow2`] turn into the formats of clouds and of QEMU. [`compare`] says in
//! which file or sector two disks differ.
//!
//! What holds throughout: no output depends on the clock, on inode numbers, on the order of a host's directories or on
//! the number of threads; no output has its final name before it is complete and on disk ([`OutputFile`]).

pub mod compare;
pub mod cpio;
mod digest;
pub mod disk;
mod error;
pub mod ext4;
pub mod fat;
pub mod gpt;
mod output;
pub mod qcow2;
mod region;
mod scan;
mod sparse;
pub mod tar;
mod tree;
pub mod vhd;

pub use digest::Digest;
pub use error::{Error, Result};
pub use output::OutputFile;
pub use region::Region;
pub use scan::ScanOptions;
pub use tree::{Content, Entry, Kind, MAX_NAME, MAX_PATH, Tree, TreeBuilder, TreePath};
