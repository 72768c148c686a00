//! The payload: a compressed cpio archive whose entries are the header's files.
//!
//! The header is what was signed, so it rules: names, sizes, types and digests of the archive must agree
//! with it, every file of the header must come exactly once, and owners, modes and times are taken from the
//! header only.

mod cpio;
mod decompress;
mod read;

pub(crate) use cpio::{Newc, TRAILER, align4, newc_header, stripped_header};
pub(crate) use decompress::decompress;
pub use read::{Payload, PayloadEntry};
