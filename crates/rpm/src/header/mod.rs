//! The header: RPM's container of tagged values, read without trust in any of its numbers.
//!
//! # Format
//!
//! All integers are big endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `8e ad e8 01`, four zero bytes; absent in the rpm database |
//! | 4, 4 | number of index entries `il`, size of the store `dl` |
//! | 16 × il | index: tag, type, offset into the store, count of values |
//! | dl | store |
//!
//! The first entry is a *region*: it stands for all entries up to its end, which were digested and signed
//! together. Its 16 bytes of data lie behind the data of those entries and look like an index entry
//! themselves, whose negative offset says how many bytes of index the region covers. What comes behind it
//! (*dribbles*) was added later: by an installation, in the database.
//!
//! # Rules
//!
//! A header is refused unless data lies inside the store, is aligned, follows in index order without
//! overlap, strings end inside the store, no tag comes twice (but for dribbles, which replace), and the
//! region is complete. rpm checks the same in `hdrblobInit`. So every later access may rely on the index,
//! and memory grows with the input only.

mod build;
mod read;

pub use build::HeaderBuilder;
pub(crate) use build::assemble;
pub use read::{Header, HeaderEntry, HeaderError, HeaderKind};

pub(crate) use read::entry_text;

/// What a header in a file starts with.
pub(crate) const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

/// Bytes of magic and the two counts.
pub(crate) const INTRO_LEN: usize = 16;

/// Bytes of one index entry, and of a region's data.
pub(crate) const ENTRY_LEN: usize = 16;

/// Most index entries of a main header (`HEADER_TAGS_MAX` of rpm 4.18).
pub(crate) const MAIN_ENTRIES_MAX: usize = 0xffff;

/// Largest store of a main header (`HEADER_DATA_MAX` of rpm 4.18).
pub(crate) const MAIN_STORE_MAX: usize = 0x0fff_ffff;

/// Most index entries of a signature header (`hdrblobRead` of rpm 4.18).
const SIGNATURE_ENTRIES_MAX: usize = 32;

/// Largest store of a signature header (`hdrblobRead` of rpm 4.18).
const SIGNATURE_STORE_MAX: usize = 64 << 20;

/// Least number of a tag that is no region (`HEADER_I18NTABLE`).
pub(crate) const FIRST_TAG: u32 = 100;
