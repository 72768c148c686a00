//! Compression by the ending of a file's name.

use crate::MetadataError;

/// Decompresses `data` by the ending of `name` (`.zst`, `.gz`, `.xz`; `.xml` is taken as it is). More than `limit`
/// bytes of output are an error, found without making them.
pub fn decompress(_name: &str, _data: &[u8], _limit: u64) -> Result<Vec<u8>, MetadataError> {
    unimplemented!()
}

/// Compresses with zstd: one frame with content size and checksum, the same bytes on every run.
pub fn compress_zstd(_data: &[u8], _level: i32) -> Vec<u8> {
    unimplemented!()
}
