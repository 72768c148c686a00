//! Why an archive cannot be edited.

use std::io;

/// An archive cannot be read or edited.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A format or a feature of it that is not edited here.
    #[error("{what} cannot be edited")]
    Unsupported {
        /// What it is.
        what: String,
    },
    /// The bytes make no sense.
    #[error("it is malformed at byte {offset} of its unpacked content: {reason}")]
    Malformed {
        /// Bytes from the start of the unpacked content.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A limit is exceeded.
    #[error("it has more than {limit}")]
    TooLarge {
        /// The limit, in words.
        limit: &'static str,
    },
    /// A member that no honest archive has. It is refused, though nothing is ever unpacked to the disk here: whoever
    /// builds from the archive unpacks it.
    #[error("its member `{member}` is refused: {reason}")]
    Hostile {
        /// The member's name.
        member: String,
        /// Why.
        reason: &'static str,
    },
    /// The compression.
    #[error("its {compression} compression: {source}")]
    Compression {
        /// Which one.
        compression: &'static str,
        /// What happened.
        source: io::Error,
    },
}

impl ArchiveError {
    pub(super) fn malformed(offset: usize, reason: &'static str) -> ArchiveError {
        ArchiveError::Malformed {
            offset: offset as u64,
            reason,
        }
    }

    pub(super) fn hostile(member: &str, reason: &'static str) -> ArchiveError {
        ArchiveError::Hostile {
            member: member.escape_debug().to_string(),
            reason,
        }
    }

    pub(super) fn unsupported(what: impl Into<String>) -> ArchiveError {
        ArchiveError::Unsupported { what: what.into() }
    }
}
