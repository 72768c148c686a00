//! What can go wrong while disk contents are described, written or read.

use std::io;
use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path inside a tree or an ESP is not acceptable.
    #[error("the path `{path}` cannot be in an image: {reason}")]
    InvalidPath {
        /// The path, lossily decoded.
        path: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// Two entries have the same path.
    #[error("`{path}` is there twice")]
    Duplicate {
        /// The path, lossily decoded.
        path: String,
    },
    /// An entry lies below something that is not a directory.
    #[error("`{path}` lies below `{parent}`, which is not a directory")]
    ParentNotDirectory {
        /// The entry.
        path: String,
        /// What stands where a directory is needed.
        parent: String,
    },
    /// A hard link names nothing, a directory, or another link.
    #[error("the hard link `{path}` points to `{target}`, which is {problem}")]
    BadHardLink {
        /// The link.
        path: String,
        /// What it points to.
        target: String,
        /// Why that is no target.
        problem: &'static str,
    },
    /// An attribute of an entry is beyond what the format holds.
    #[error("`{path}` does not fit into {format}: {problem}")]
    Unrepresentable {
        /// The entry.
        path: String,
        /// The format, for example `ext4`.
        format: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// A file system or partition is too small for its contents.
    #[error("{what} of {size} bytes is too small: {needed} bytes are needed")]
    TooSmall {
        /// Which thing is too small.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The least size in bytes (an estimate from below where the exact one is not known).
        needed: u64,
    },
    /// A setting contradicts the format or another setting.
    #[error("{what}: {problem}")]
    Settings {
        /// What was being planned.
        what: &'static str,
        /// What is wrong with the settings.
        problem: String,
    },
    /// A source file changed between planning and writing.
    #[error("`{}` changed while it was read: it had {expected} bytes, now it has {found}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its size when the plan was made.
        expected: u64,
        /// Its size, or how much could be read.
        found: u64,
    },
    /// A writer tried to write outside of its part of the disk.
    #[error("a write of {length} bytes at {position} leaves its region of {region} bytes")]
    OutOfRegion {
        /// Where the write starts, from the start of the region.
        position: u64,
        /// Its length.
        length: u64,
        /// The region's length.
        region: u64,
    },
    /// No room is left on the host.
    #[error("no space is left to write `{}`", path.display())]
    NoSpace {
        /// The file that was being written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another process is writing the same output.
    #[error("`{}` is being written by another process", path.display())]
    Busy {
        /// The final path of the output.
        path: PathBuf,
    },
    /// An image that was read is damaged or not of the format it should be.
    #[error("{format} at byte {offset} is damaged: {problem}")]
    Damaged {
        /// The format.
        format: &'static str,
        /// Where, from the start of the file system or disk.
        offset: u64,
        /// What is wrong.
        problem: String,
    },
    /// An operation on a host file failed.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// Wraps an error of the system, telling a full disk from the rest.
    pub(crate) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace {
                path: path.to_owned(),
                source,
            },
            _ => Self::Io {
                action,
                path: path.to_owned(),
                source,
            },
        }
    }
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
