//! Compression by the ending of a file's name.

use crate::MetadataError;
use std::io::{self, Read};

/// The window of a zstd frame may need this many bytes (2 to the power of 27), as `zstd -d` allows by default.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// The memory limit of the xz decoder, in bytes; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

/// Decompresses `data` by the ending of `name` (`.zst`, `.gz`, `.xz`; `.xml` is taken as it is). More than `limit`
/// bytes of output are an error, found without making them.
pub fn decompress(name: &str, data: &[u8], limit: u64) -> Result<Vec<u8>, MetadataError> {
    let fail = |e: io::Error| MetadataError::Decompress {
        file: name.to_owned(),
        reason: e.to_string(),
    };
    match name.rsplit('.').next() {
        Some("zst") => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(data).map_err(fail)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(fail)?;
            read_limited(name, decoder, limit)
        }
        Some("gz") => read_limited(name, flate2::bufread::MultiGzDecoder::new(data), limit),
        Some("xz") => {
            let stream =
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)
                    .map_err(|e| fail(io::Error::other(e)))?;
            read_limited(name, liblzma::bufread::XzDecoder::new_stream(data, stream), limit)
        }
        Some("xml") => read_limited(name, data, limit),
        _ => Err(MetadataError::UnknownCompression {
            file: name.to_owned(),
        }),
    }
}

fn read_limited(name: &str, reader: impl Read, limit: u64) -> Result<Vec<u8>, MetadataError> {
    // One byte more than the limit tells "exactly full" from "too much".
    let mut output = Vec::new();
    let read = reader.take(limit.saturating_add(1)).read_to_end(&mut output);
    read.map_err(|e| MetadataError::Decompress {
        file: name.to_owned(),
        reason: e.to_string(),
    })?;
    if output.len() as u64 > limit {
        return Err(MetadataError::TooLarge {
            file: name.to_owned(),
            what: "decompressed bytes",
            limit,
        });
    }
    Ok(output)
}

/// Compresses with zstd: one frame with content size and checksum, the same bytes on every run.
///
/// The level is taken as the nearest one that zstd knows. One thread does it, since zstd's frames depend on how many
/// threads there are.
pub fn compress_zstd(data: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(level.clamp(1, 22))?;
    compressor.include_checksum(true)?;
    compressor.include_contentsize(true)?;
    compressor.compress(data)
}
