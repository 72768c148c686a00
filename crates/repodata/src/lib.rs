//! rpm-md repository metadata: `repomd.xml`, `primary`, `filelists`, `other` and `updateinfo`.
//!
//! This crate does no I/O: bytes in, values out. The format has no written standard; it is what `createrepo_c`
//! writes and libsolv reads, and the tests hold this crate against both.
//!
//! | file | holds | read when |
//! |---|---|---|
//! | `repomd.xml` | size and checksum of all others; the only signed file | first |
//! | `primary.xml` | dependencies, sizes, locations, the files of `bin` and `/etc` | always |
//! | `filelists.xml` | all paths | a requirement names another path |
//! | `other.xml` | changelogs | on demand |
//! | `updateinfo.xml` | advisories | on demand |

mod checksum;
mod error;
mod record;
mod repomd;
mod xml;

pub mod compression;
pub mod filelists;
pub mod other;
pub mod primary;
pub mod updateinfo;

pub use checksum::{Algorithm, Checksum, ChecksumParseError};
pub use error::MetadataError;
pub use record::{
    FileCoverage, FileFacts, FileKind, PackageRecord, RecordFile, RecordSize, RecordTime, is_primary_file,
};
pub use repomd::{DataEntry, MAX_OPEN_SIZE, MAX_REPOMD_SIZE, Repomd};
