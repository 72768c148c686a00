//! The compressions of PAYLOADCOMPRESSOR.

use crate::{Header, PackageError, Tag};
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use std::io::Read;

/// Memory that an xz or lzma stream may ask for: what `xz -9` needs, with room.
const XZ_MEMORY_MAX: u64 = 100 << 20;

/// Largest zstd window, as a power of two: 128 MiB, what `zstd --ultra -22` needs and libzstd takes unasked.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// What a gzip member starts with (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A reader of the uncompressed payload.
pub(crate) fn decompress<'a>(
    header: &Header,
    payload: &'a [u8],
) -> Result<Box<dyn Read + Send + 'a>, PackageError> {
    let format = header
        .string(Tag::PAYLOADFORMAT)?
        .unwrap_or_else(|| "cpio".to_owned());
    // Without the tag it is gzip: the only one when the format was made.
    let compressor = header
        .string(Tag::PAYLOADCOMPRESSOR)?
        .unwrap_or_else(|| "gzip".to_owned());
    if format != "cpio" {
        return Err(PackageError::UnknownPayload { format, compressor });
    }
    Ok(match compressor.as_str() {
        "zstd" => {
            let mut decoder = zstd::Decoder::with_buffer(payload).map_err(PackageError::Decompress)?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG_MAX)
                .map_err(PackageError::Decompress)?;
            Box::new(decoder)
        }
        "xz" => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY_MAX, CONCATENATED);
            let stream = stream.map_err(|e| PackageError::Decompress(e.into()))?;
            Box::new(XzDecoder::new_stream(payload, stream))
        }
        "lzma" => {
            let stream = Stream::new_lzma_decoder(XZ_MEMORY_MAX);
            let stream = stream.map_err(|e| PackageError::Decompress(e.into()))?;
            Box::new(XzDecoder::new_stream(payload, stream))
        }
        // rpm reads gzip with zlib's transparent mode, and writes no tag for a payload that is not
        // compressed.
        "gzip" if !payload.starts_with(&GZIP_MAGIC) => Box::new(payload),
        "gzip" => Box::new(flate2::bufread::MultiGzDecoder::new(payload)),
        "bzip2" => Box::new(bzip2::bufread::MultiBzDecoder::new(payload)),
        _ => return Err(PackageError::UnknownPayload { format, compressor }),
    })
}
