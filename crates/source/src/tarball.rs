//! Tarballs that depend on nothing but their files: sorted, with one time and no owner.

use std::io::{self, Write};

use crate::checkout::TreeMode;
use crate::request::Compression;

/// The level of zstd: vendored sources are large, and are packed while someone waits.
const ZSTD_LEVEL: i32 = 9;

/// The level of gzip.
const GZIP_LEVEL: u32 = 6;

/// A file for a tarball.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    /// Its path in the tarball.
    pub(crate) path: String,
    /// Its permission bits.
    pub(crate) mode: u32,
    /// What is in it.
    pub(crate) content: Vec<u8>,
}

impl Member {
    pub(crate) fn new(path: String, mode: TreeMode, content: Vec<u8>) -> Self {
        let mode = mode.bits();
        Self { path, mode, content }
    }
}

impl Compression {
    /// How names of such tarballs end.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Zstd => "tar.zst",
            Self::Gzip => "tar.gz",
        }
    }
}

/// Packs files; `time` in seconds since 1970 is that of all of them. The same files give the same bytes.
pub(crate) fn pack(members: &[Member], time: u64, compression: Compression) -> io::Result<Vec<u8>> {
    match compression {
        Compression::Zstd => {
            let encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
            append(members, time, encoder)?.finish()
        }
        Compression::Gzip => {
            // Its header has neither a name nor a time.
            let encoder = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
            append(members, time, encoder)?.finish()
        }
    }
}

fn append<W: Write>(members: &[Member], time: u64, into: W) -> io::Result<W> {
    let mut sorted: Vec<&Member> = members.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut builder = tar::Builder::new(into);
    for member in sorted {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(member.content.len() as u64);
        header.set_mode(member.mode);
        header.set_mtime(time);
        header.set_uid(0);
        header.set_gid(0);
        builder.append_data(&mut header, &member.path, member.content.as_slice())?;
    }
    builder.into_inner()
}
