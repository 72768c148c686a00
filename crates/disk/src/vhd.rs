//! Fixed VHD: the raw disk with a footer of 512 bytes, as Azure takes it.
//!
//! Specification: Microsoft, "Virtual Hard Disk Image Format Specification", 2006, section "Hard Disk Footer Format".
//! Azure asks for a virtual size of whole MiB besides.

use std::fs::File;
use std::path::Path;

use uuid::Uuid;

use crate::digest::{Digest, Hasher};
use crate::{Error, OutputFile, Result, sparse};

/// The virtual size is a multiple of this: 1 MiB.
pub const ALIGNMENT: u64 = 1 << 20;
/// Bytes of the footer.
pub const FOOTER: usize = 512;
/// Times in the footer count from 2000-01-01T00:00:00Z.
const EPOCH_2000: u32 = 946_684_800;
/// The largest virtual size that Azure and the format's other tools take: 2040 GiB.
const MAX_SIZE: u64 = 2040 << 30;
/// "fixed hard disk".
const DISK_TYPE: u32 = 2;
/// Creator applications tell readers where the size stands. For unknown ones QEMU takes cylinders × heads × sectors,
/// which cannot express most sizes; for this name (its own) it takes the field "current size", as Azure does always.
const CREATOR: &[u8; 4] = b"qem2";

/// What a conversion read and wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converted {
    /// The raw disk.
    pub raw: Digest,
    /// The VHD.
    pub vhd: Digest,
}

/// Writes `out`, a fixed VHD of the raw disk `raw`. A size that is not whole MiB is padded with zeros. Holes stay holes.
///
/// `epoch` (seconds since 1970) is the time of creation in the footer, and `uuid` the disk's identity there. Both files
/// are hashed besides: as one is the start of the other, for the price of one.
pub fn convert(raw: &Path, out: &Path, uuid: Uuid, epoch: u32) -> Result<Converted> {
    let file = File::open(raw).map_err(|e| Error::io("open", raw, e))?;
    let length = file
        .metadata()
        .map_err(|e| Error::io("read the size of", raw, e))?
        .len();
    let size = length.next_multiple_of(ALIGNMENT);
    if size == 0 || size > MAX_SIZE {
        let problem = format!("a disk of {length} bytes; it must have between 1 byte and 2040 GiB");
        return Err(Error::Settings { what: "VHD", problem });
    }
    let output = OutputFile::create(out)?;
    let footer = &footer(size, uuid, epoch);
    let file = &file;
    // The writer waits for the disk half of its time, and the other thread computes all of it. It is no thread of the
    // pool, which may be busy with other formats until the end.
    let (written, digests) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || write(output, file, raw, length, footer));
        let digests = digests(file, raw, length, footer);
        let written = writer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (written, digests)
    });
    written?;
    digests
}

/// Writes the VHD of the first `length` bytes of `raw`.
fn write(output: OutputFile, file: &File, raw: &Path, length: u64, footer: &[u8; FOOTER]) -> Result<()> {
    let size = length.next_multiple_of(ALIGNMENT);
    let total = size + FOOTER as u64;
    output.set_length(total)?;
    let region = output.region(total);
    sparse::copy(file, raw, length, &region)?;
    region.write_at(size, footer)?;
    output.commit()
}

/// The digests of a raw disk and of its VHD.
fn digests(file: &File, raw: &Path, length: u64, footer: &[u8; FOOTER]) -> Result<Converted> {
    let mut hasher = Hasher::default();
    sparse::for_each_data(file, raw, length, |position, bytes| {
        hasher.data(position, bytes);
        Ok(())
    })?;
    hasher.zeros_to(length);
    let raw = hasher.clone().finish();
    hasher.data(length.next_multiple_of(ALIGNMENT), footer);
    Ok(Converted {
        raw,
        vhd: hasher.finish(),
    })
}

/// The footer of a disk of `size` bytes. All numbers are big endian.
pub fn footer(size: u64, uuid: Uuid, epoch: u32) -> [u8; FOOTER] {
    let mut footer = [0; FOOTER];
    footer[0..8].copy_from_slice(b"conectix");
    // Features: the reserved bit, always set. Version 1.0.
    footer[8..12].copy_from_slice(&2u32.to_be_bytes());
    footer[12..16].copy_from_slice(&0x0001_0000u32.to_be_bytes());
    // A fixed disk has no dynamic header: the offset is all ones.
    footer[16..24].fill(0xFF);
    footer[24..28].copy_from_slice(&epoch.saturating_sub(EPOCH_2000).to_be_bytes());
    footer[28..32].copy_from_slice(CREATOR);
    footer[32..36].copy_from_slice(&0x0001_0000u32.to_be_bytes());
    footer[36..40].copy_from_slice(b"Wi2k");
    footer[40..48].copy_from_slice(&size.to_be_bytes());
    footer[48..56].copy_from_slice(&size.to_be_bytes());
    let (cylinders, heads, sectors) = geometry(size / 512);
    footer[56..58].copy_from_slice(&cylinders.to_be_bytes());
    footer[58] = heads;
    footer[59] = sectors;
    footer[60..64].copy_from_slice(&DISK_TYPE.to_be_bytes());
    footer[68..84].copy_from_slice(uuid.as_bytes());
    let sum = footer.iter().map(|&byte| u32::from(byte)).sum::<u32>();
    footer[64..68].copy_from_slice(&(!sum).to_be_bytes());
    footer
}

/// Cylinders, heads and sectors per track of a number of sectors: the calculation of the specification's appendix.
fn geometry(sectors: u64) -> (u16, u8, u8) {
    let total = sectors.min(65535 * 16 * 255);
    if total >= 65535 * 16 * 63 {
        return ((total / 255 / 16) as u16, 16, 255);
    }
    let mut per_track = 17;
    let mut tracks = total / per_track;
    let mut heads = tracks.div_ceil(1024).max(4);
    if tracks >= heads * 1024 || heads > 16 {
        (per_track, heads) = (31, 16);
        tracks = total / per_track;
    }
    if tracks >= heads * 1024 {
        (per_track, heads) = (63, 16);
        tracks = total / per_track;
    }
    ((tracks / heads) as u16, heads as u8, per_track as u8)
}
