//! skeleton
use crate::{Metadata, PackageError};
use std::io::{self, Read};
/// Unpacks a payload, entry by entry.
pub struct Payload<'a, 'm> {
    x: &'a [u8],
    m: &'m Metadata,
}
/// One entry of a payload. `Read` gives the content of a regular file; the read that reaches its
/// end fails if size or SHA-256 is not what the header says.
pub struct PayloadEntry<'p> {
    x: &'p [u8],
}
#[allow(unused_variables)]
impl<'a, 'm> Payload<'a, 'm> {
    /// The next entry; `None` after the last, when every file of the header was seen.
    ///
    /// Content which the caller did not read is skipped (and not checked).
    /// Of a set of hard links one entry is given, the one that has the content.
    pub fn next_entry(&mut self) -> Result<Option<PayloadEntry<'_>>, PackageError> {
        let _ = (&self.x, &self.m);
        unimplemented!()
    }
}
impl PayloadEntry<'_> {
    /// Index into `Metadata::files`.
    pub fn index(&self) -> usize {
        unimplemented!()
    }
    /// Indexes of the other names of the same file (hard links); to be linked to this one.
    pub fn links(&self) -> &[usize] {
        unimplemented!()
    }
    /// Bytes of content: 0 for all but regular files.
    pub fn size(&self) -> u64 {
        self.x.len() as u64
    }
}
impl Read for PayloadEntry<'_> {
    fn read(&mut self, _buf: &mut [u8]) -> io::Result<usize> {
        unimplemented!()
    }
}
