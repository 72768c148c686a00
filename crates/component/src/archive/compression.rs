//! Compressions, told by their first bytes, with fixed settings: the same content gives the same bytes.

use std::io::{self, Read, Write};

use super::MAX_UNPACKED;
use super::error::ArchiveError;

/// gzip: the level of the program's default.
const GZIP_LEVEL: u32 = 6;
/// xz: the preset of the program's default, with its default check, CRC64.
const XZ_PRESET: u32 = 6;
/// bzip2: blocks of 900 kB, the program's default.
const BZIP2_LEVEL: u32 = 9;
/// zstd: a third smaller than the default of 3 on source code, and still fast.
const ZSTD_LEVEL: i32 = 9;

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Xz,
    Bzip2,
    Zstd,
}

impl Compression {
    /// By the magic number of the format; anything else counts as not compressed.
    pub(super) fn of(bytes: &[u8]) -> Result<Compression, ArchiveError> {
        Ok(match bytes {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            [b'L', b'Z', b'I', b'P', ..] => {
                return Err(ArchiveError::unsupported("an archive compressed by lzip"));
            }
            [0x5d, 0, 0, ..] => return Err(ArchiveError::unsupported("an archive in the old lzma format")),
            _ => Compression::None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Compression::None => "missing",
            Compression::Gzip => "gzip",
            Compression::Xz => "xz",
            Compression::Bzip2 => "bzip2",
            Compression::Zstd => "zstd",
        }
    }

    fn failed(self) -> impl Fn(io::Error) -> ArchiveError {
        move |source| ArchiveError::Compression {
            compression: self.name(),
            source,
        }
    }

    pub(super) fn unpack(self, bytes: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let failed = self.failed();
        match self {
            Compression::None => read_all(bytes).map_err(failed),
            Compression::Gzip => read_all(flate2::read::MultiGzDecoder::new(bytes)).map_err(failed),
            Compression::Xz => read_all(liblzma::read::XzDecoder::new_multi_decoder(bytes)).map_err(failed),
            Compression::Bzip2 => read_all(bzip2::read::MultiBzDecoder::new(bytes)).map_err(failed),
            Compression::Zstd => {
                let decoder = zstd::stream::read::Decoder::new(bytes).map_err(&failed)?;
                read_all(decoder).map_err(failed)
            }
        }?
        .ok_or(ArchiveError::TooLarge {
            limit: "4 GiB of unpacked content",
        })
    }

    /// Compresses what `write` writes.
    pub(super) fn pack(
        self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Vec<u8>, ArchiveError> {
        self.pack_with(write).map_err(self.failed())
    }

    fn pack_with(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<u8>> {
        match self {
            Compression::None => {
                let mut out = Vec::new();
                write(&mut out)?;
                Ok(out)
            }
            Compression::Gzip => {
                // No time, no name and no operating system in the header.
                let level = flate2::Compression::new(GZIP_LEVEL);
                let mut encoder = flate2::GzBuilder::new().mtime(0).write(Vec::new(), level);
                write(&mut encoder)?;
                encoder.finish()
            }
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), XZ_PRESET);
                write(&mut encoder)?;
                encoder.finish()
            }
            Compression::Bzip2 => {
                let mut encoder =
                    bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(BZIP2_LEVEL));
                write(&mut encoder)?;
                encoder.finish()
            }
            Compression::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                write(&mut encoder)?;
                encoder.finish()
            }
        }
    }
}

/// `None` when there is more than the limit.
fn read_all(input: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    input.take(MAX_UNPACKED + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MAX_UNPACKED).then_some(bytes))
}
