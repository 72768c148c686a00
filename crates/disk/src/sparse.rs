//! Which parts of a file hold data, and which are holes or zeros.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::{Error, Region, Result};

/// The unit in which zeros are looked for: a page, and the block of every file system we meet.
const ZERO_UNIT: usize = 4096;
/// How much is copied at once: it fits into the second-level cache, as it is looked at more than once.
const COPY_BUFFER: usize = 256 << 10;

/// The parts of `range` that may hold data, in order; the rest are holes. Where the file system cannot tell, all of it.
pub(crate) fn data_ranges(file: &File, path: &Path, range: Range<u64>) -> Result<Vec<Range<u64>>> {
    let mut found = Vec::new();
    let mut position = range.start;
    while position < range.end {
        let start = match rustix::fs::seek(file, SeekFrom::Data(position)) {
            Ok(start) => start.max(position),
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => position,
            Err(e) => return Err(Error::io("look for data in", path, e)),
        };
        if start >= range.end {
            break;
        }
        let end = match rustix::fs::seek(file, SeekFrom::Hole(start)) {
            Ok(end) => end.min(range.end),
            Err(Errno::NXIO | Errno::INVAL | Errno::OPNOTSUPP) => range.end,
            Err(e) => return Err(Error::io("look for holes in", path, e)),
        };
        if end <= start {
            break;
        }
        found.push(start..end);
        position = end;
    }
    Ok(found)
}

/// Whether all bytes are zero.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    // Words of 16 bytes, or-ed a kilobyte at a time: the compiler makes wide instructions of it.
    let (first, rest) = bytes.split_at(bytes.len() % 16);
    first.iter().all(|&b| b == 0)
        && rest.chunks(1024).all(|chunk| {
            chunk
                .as_chunks::<16>()
                .0
                .iter()
                .fold(0u128, |all, word| all | u128::from_ne_bytes(*word))
                == 0
        })
}

/// Writes `bytes` at `position` of a fresh region, leaving out whole units of zeros.
pub(crate) fn write_nonzero(region: &Region<'_>, position: u64, bytes: &[u8]) -> Result<()> {
    let mut start = None;
    for (index, unit) in bytes.chunks(ZERO_UNIT).enumerate() {
        let at = index * ZERO_UNIT;
        match (is_zero(unit), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                region.write_at(position + from as u64, &bytes[from..at])?;
                start = None;
            }
            _ => {}
        }
    }
    match start {
        Some(from) => region.write_at(position + from as u64, &bytes[from..]),
        None => Ok(()),
    }
}

/// Copies the data of a file to the start of a fresh region, leaving its holes and zeros out.
pub(crate) fn copy(from: &File, from_path: &Path, length: u64, to: &Region<'_>) -> Result<()> {
    for_each_data(from, from_path, length, |position, bytes| {
        write_nonzero(to, position, bytes)
    })
}

/// Reads the data of the first `length` bytes of a file in order, piece by piece with its position, without the holes.
pub(crate) fn for_each_data(
    from: &File,
    path: &Path,
    length: u64,
    mut visit: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![0; COPY_BUFFER];
    for range in data_ranges(from, path, 0..length)? {
        let mut position = range.start;
        while position < range.end {
            let count = buffer
                .len()
                .min(usize::try_from(range.end - position).unwrap_or(usize::MAX));
            from.read_exact_at(&mut buffer[..count], position)
                .map_err(|e| Error::io("read", path, e))?;
            visit(position, &buffer[..count])?;
            position += count as u64;
        }
    }
    Ok(())
}
