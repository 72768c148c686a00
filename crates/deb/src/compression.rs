//! The compressions of a `.deb`'s members, with a limit on what comes out.

use std::io::{self, Read};

use crate::archive::{DebError, Limits};

/// How a member is compressed, by the suffix of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Xz,
    Zstd,
    Bzip2,
}

impl Compression {
    /// Finds the compression of `control.tar.xz` and its like.
    pub(crate) fn of_suffix(suffix: &str) -> Option<Self> {
        match suffix {
            "" => Some(Self::None),
            ".gz" => Some(Self::Gzip),
            ".xz" => Some(Self::Xz),
            ".zst" => Some(Self::Zstd),
            ".bz2" => Some(Self::Bzip2),
            _ => None,
        }
    }

    /// A reader of the uncompressed bytes, which fails after `limit` of them.
    pub(crate) fn reader<'a>(self, bytes: &'a [u8], limit: u64, limits: &Limits) -> io::Result<Bounded<'a>> {
        let inner: Box<dyn Read + 'a> = match self {
            Self::None => Box::new(bytes),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(bytes)),
            Self::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(
                    limits.decompressor_memory,
                    liblzma::stream::CONCATENATED,
                )?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(bytes, stream))
            }
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
                decoder.window_log_max(limits.decompressor_memory.max(1 << 10).ilog2().min(31))?;
                Box::new(decoder)
            }
        };
        Ok(Bounded {
            inner,
            left: limit,
            limit,
        })
    }
}

/// A reader that fails, rather than ends, when more than its limit comes.
pub(crate) struct Bounded<'a> {
    inner: Box<dyn Read + 'a>,
    left: u64,
    limit: u64,
}

/// What a [`Bounded`] reader's error holds.
#[derive(Debug, thiserror::Error)]
#[error("it unfolds to more than {limit} bytes")]
pub(crate) struct LimitReached {
    limit: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(LimitReached { limit: self.limit }))?;
        Ok(count)
    }
}

/// Names the member that could not be read, and tells a limit from damage.
pub(crate) fn read_error(member: &str, source: io::Error) -> DebError {
    let reached = source
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<LimitReached>());
    match reached {
        Some(LimitReached { limit }) => DebError::TooLarge {
            member: member.to_owned(),
            limit: *limit,
        },
        None => DebError::Unreadable {
            member: member.to_owned(),
            source,
        },
    }
}
