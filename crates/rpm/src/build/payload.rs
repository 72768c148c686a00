//! Writing a payload.

use super::BuildError;
use crate::FileEntry;
use crate::header::entry_text;
use crate::payload::{Newc, TRAILER, align4, newc_header, stripped_header};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};

/// Bytes that are read from a content at a time.
const BLOCK: usize = 64 << 10;

/// Bytes of a `newc` header without its name, for the size of the archive.
const NEWC_LEN: u64 = 110;

/// Bytes of a stripped header with its padding.
const STRIPPED_LEN: u64 = 16;

/// How the payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard with a level of 1 to 22, on one thread: packages are built in parallel instead.
    Zstd {
        /// The level.
        level: i32,
    },
    /// Not at all.
    None,
}

impl Compression {
    /// Zstandard at level 3: the fastest that still compresses well.
    pub const DEFAULT: Self = Self::Zstd { level: 3 };
}

/// The content of one regular file.
pub enum Content<'a> {
    /// In memory.
    Bytes(Cow<'a, [u8]>),
    /// To be read once, to its end.
    Reader(Box<dyn Read + 'a>),
}

/// Where the contents of regular files come from.
pub trait ContentSource {
    /// The content of `file`, which has as many bytes as `file.size` says. Asked once for each file.
    fn content(&self, file: &FileEntry) -> io::Result<Content<'_>>;
}

/// Contents by path.
impl ContentSource for BTreeMap<Vec<u8>, Vec<u8>> {
    fn content(&self, file: &FileEntry) -> io::Result<Content<'_>> {
        borrowed(self.get(&file.path))
    }
}

/// Contents by path.
impl ContentSource for HashMap<Vec<u8>, Vec<u8>> {
    fn content(&self, file: &FileEntry) -> io::Result<Content<'_>> {
        borrowed(self.get(&file.path))
    }
}

fn borrowed(content: Option<&Vec<u8>>) -> io::Result<Content<'_>> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "no content is given for this path");
    content
        .map(|bytes| Content::Bytes(Cow::Borrowed(bytes)))
        .ok_or_else(missing)
}

/// What came of writing a payload.
pub(super) struct WrittenPayload {
    pub(super) compressed: Vec<u8>,
    /// SHA-256 of the compressed bytes.
    pub(super) digest: [u8; 32],
    /// SHA-256 of the archive.
    pub(super) archive_digest: [u8; 32],
    /// Bytes of the archive.
    pub(super) archive_size: u64,
    pub(super) compression: Compression,
}

/// Whether a file is too large for the `newc` format.
pub(super) fn needs_large_files(files: &[FileEntry]) -> bool {
    files.iter().any(|file| file.size > u64::from(u32::MAX))
}

/// Writes the payload of sorted, checked files and fills their digests in.
pub(super) fn write(
    files: &mut [FileEntry],
    contents: &dyn ContentSource,
    compression: Compression,
) -> Result<WrittenPayload, BuildError> {
    let archive_size = archive_size(files);
    let sink = Sink::new(compression, archive_size).map_err(|source| BuildError::Compress { source })?;
    let mut archive = Archive {
        sink,
        hasher: Sha256::new(),
        size: 0,
    };
    let is_large = needs_large_files(files);
    for set in link_sets(files) {
        for &at in &set {
            let is_last = set.last() == Some(&at);
            archive.write_header(&files[at], at, set.len(), is_last, is_large)?;
            if files[at].is_symlink() {
                archive.write(&files[at].link_target)?;
            } else if files[at].is_regular() && is_last {
                let digest = archive.write_content(&files[at], contents)?;
                // A digest may stand at any name of the file.
                for &link in &set {
                    check_digest(&files[link], digest)?;
                }
                set.iter().for_each(|&link| files[link].digest = Some(digest));
            }
            archive.pad()?;
        }
    }
    archive.write(&newc_header(&Newc {
        name: TRAILER,
        links: 1,
        ..Newc::default()
    }))?;
    debug_assert_eq!(archive.size, archive_size);
    archive.finish(compression)
}

/// Indexes of the files that are packed, in the payload's order: names of one inode together, in the
/// header's order.
///
/// rpm (4.18) follows one set of hard links at a time: a name that comes while another set is open becomes a
/// link of the wrong file. A set stands where its last name, which has the content, stands in the header, so
/// directories that are packed still come before what is in them.
fn link_sets(files: &[FileEntry]) -> Vec<Vec<usize>> {
    let mut by_inode: HashMap<u32, Vec<usize>> = HashMap::new();
    for (at, file) in files.iter().enumerate().filter(|(_, file)| !file.is_ghost()) {
        by_inode.entry(file.inode).or_default().push(at);
    }
    let mut sets: Vec<_> = by_inode.into_values().collect();
    sets.sort_unstable_by_key(|set| set.last().copied());
    sets
}

fn check_digest(file: &FileEntry, found: [u8; 32]) -> Result<(), BuildError> {
    match file.digest {
        Some(expected) if expected != found => Err(BuildError::DigestMismatch {
            path: entry_text(&file.path),
            expected: hex::encode(expected),
            found: hex::encode(found),
        }),
        _ => Ok(()),
    }
}

/// How many bytes the archive will have: zstd makes better choices when it knows.
fn archive_size(files: &[FileEntry]) -> u64 {
    let padded = |length: u64| length.saturating_add(align4(length) as u64);
    let named = |path: usize| padded(NEWC_LEN + path as u64 + 1);
    let is_large = needs_large_files(files);
    let mut last_of = HashMap::new();
    let packed: Vec<_> = files.iter().filter(|file| !file.is_ghost()).collect();
    for (at, file) in packed.iter().enumerate() {
        last_of.insert(file.inode, at);
    }
    let mut size = named(TRAILER.len());
    for (at, file) in packed.iter().enumerate() {
        let header = if is_large {
            STRIPPED_LEN
        } else {
            named(file.path.len() + 1)
        };
        let content = if last_of[&file.inode] == at {
            padded(file.size)
        } else {
            0
        };
        size = size.saturating_add(header).saturating_add(content);
    }
    size
}

/// The compressor, with the compressed bytes behind it.
enum Sink {
    Zstd(Box<zstd::Encoder<'static, Vec<u8>>>),
    Plain(Vec<u8>),
}

impl Sink {
    fn new(compression: Compression, size: u64) -> io::Result<Self> {
        match compression {
            Compression::None => Ok(Self::Plain(Vec::new())),
            Compression::Zstd { level } => {
                let mut encoder = zstd::Encoder::new(Vec::new(), level)?;
                encoder.set_pledged_src_size(Some(size))?;
                encoder.include_contentsize(true)?;
                Ok(Self::Zstd(Box::new(encoder)))
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.write_all(bytes),
            Self::Plain(out) => out.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Plain(out) => Ok(out),
        }
    }
}

struct Archive {
    sink: Sink,
    hasher: Sha256,
    size: u64,
}

impl Archive {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BuildError> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.sink
            .write(bytes)
            .map_err(|source| BuildError::Compress { source })
    }

    fn pad(&mut self) -> Result<(), BuildError> {
        self.write(&[0; 3][..align4(self.size)])
    }

    fn write_header(
        &mut self,
        file: &FileEntry,
        at: usize,
        links: usize,
        is_last: bool,
        is_large: bool,
    ) -> Result<(), BuildError> {
        if is_large {
            return self.write(&stripped_header(at as u32));
        }
        let size = if is_last { file.size as u32 } else { 0 };
        let name = [b".", file.path.as_slice()].concat();
        self.write(&newc_header(&Newc {
            name: &name,
            inode: file.inode,
            mode: file.mode,
            links: links as u32,
            mtime: file.mtime,
            size,
            rdev: file.rdev,
        }))
    }

    /// Writes the content of a file; returns its SHA-256.
    fn write_content(
        &mut self,
        file: &FileEntry,
        contents: &dyn ContentSource,
    ) -> Result<[u8; 32], BuildError> {
        let path = || entry_text(&file.path);
        let fail = |source| BuildError::Content { path: path(), source };
        let wrong_size = |found| BuildError::SizeMismatch {
            path: path(),
            expected: file.size,
            found,
        };
        match contents.content(file).map_err(fail)? {
            Content::Bytes(bytes) => {
                if bytes.len() as u64 != file.size {
                    return Err(wrong_size(bytes.len() as u64));
                }
                self.write(&bytes)?;
                Ok(Sha256::digest(&bytes).into())
            }
            Content::Reader(mut reader) => {
                let (mut hasher, mut found, mut block) = (Sha256::new(), 0, vec![0; BLOCK]);
                loop {
                    let read = match reader.read(&mut block) {
                        Ok(0) => break,
                        Ok(read) => read,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        Err(error) => return Err(fail(error)),
                    };
                    found += read as u64;
                    if found > file.size {
                        return Err(wrong_size(found));
                    }
                    hasher.update(&block[..read]);
                    self.write(&block[..read])?;
                }
                if found != file.size {
                    return Err(wrong_size(found));
                }
                Ok(hasher.finalize().into())
            }
        }
    }

    fn finish(self, compression: Compression) -> Result<WrittenPayload, BuildError> {
        let compressed = self
            .sink
            .finish()
            .map_err(|source| BuildError::Compress { source })?;
        Ok(WrittenPayload {
            digest: Sha256::digest(&compressed).into(),
            compressed,
            archive_digest: self.hasher.finalize().into(),
            archive_size: self.size,
            compression,
        })
    }
}
