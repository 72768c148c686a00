//! Unpacking a payload.

use super::cpio::{self, EntryHeader, align4, damaged};
use super::decompress;
use crate::header::entry_text;
use crate::{FileEntry, Header, Metadata, PackageError};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

/// Bytes of the buffer between decompressor and reader; larger reads go past it.
const BUFFER: usize = 64 << 10;

/// Zeros that may follow the archive: old versions of cpio fill a block.
const PADDING_MAX: usize = 512;

const S_IFMT: u32 = 0o170_000;

/// Unpacks a payload, entry by entry, with memory that does not grow with the size of files.
pub struct Payload<'a, 'm> {
    source: BufReader<Box<dyn Read + Send + 'a>>,
    metadata: &'m Metadata,
    /// Which files of the header came.
    seen: Vec<bool>,
    /// Files by path, made when an entry is not the one that was guessed.
    by_path: Option<HashMap<&'m [u8], usize>>,
    /// The file that most likely comes next.
    guess: usize,
    links: HardLinks,
    /// The entry whose content is being read.
    current: Current,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Done,
    /// An error was returned; where the archive stands is unknown.
    Failed,
}

/// The sets of files that are one.
struct HardLinks {
    /// For each file the number of its set, if there is more than it in the set.
    set_of: HashMap<usize, usize>,
    /// Members in the header's order.
    sets: Vec<Vec<usize>>,
    /// Sets that were given to the caller.
    given: Vec<bool>,
}

#[derive(Default)]
struct Current {
    index: usize,
    path: Vec<u8>,
    others: Vec<usize>,
    size: u64,
    remaining: u64,
    padding: usize,
    digest: Option<[u8; 32]>,
    hasher: Sha256,
}

impl<'a, 'm> Payload<'a, 'm> {
    /// `metadata` must be made of `header`.
    pub(crate) fn new(
        header: &Header,
        payload: &'a [u8],
        metadata: &'m Metadata,
    ) -> Result<Self, PackageError> {
        let source = BufReader::with_capacity(BUFFER, decompress(header, payload)?);
        Ok(Self {
            source,
            metadata,
            seen: vec![false; metadata.files.len()],
            by_path: None,
            guess: 0,
            links: HardLinks::new(&metadata.files),
            current: Current::default(),
            state: State::Reading,
        })
    }

    /// The next entry; `None` after the last, when every file of the header but the `%ghost` ones came.
    ///
    /// Content which the caller did not read is skipped, and its digest is not checked. Of a set of hard
    /// links one entry is given, with the content: the others are its [`PayloadEntry::links`].
    pub fn next_entry(&mut self) -> Result<Option<PayloadEntry<'_>>, PackageError> {
        match self.state {
            State::Done => return Ok(None),
            State::Failed => return Err(damaged("it could not be read on after an earlier error")),
            State::Reading => self.state = State::Failed,
        }
        self.skip_rest()?;
        let found = self.find_entry()?;
        self.state = if found { State::Reading } else { State::Done };
        if !found {
            return Ok(None);
        }
        Ok(Some(PayloadEntry {
            source: &mut self.source,
            current: &mut self.current,
        }))
    }

    /// Skips what the caller left of the current entry.
    fn skip_rest(&mut self) -> Result<(), PackageError> {
        while self.current.remaining > 0 {
            let block = self.source.fill_buf().map_err(PackageError::Decompress)?.len();
            if block == 0 {
                return Err(damaged("it ends early"));
            }
            let skipped = usize::try_from(self.current.remaining)
                .unwrap_or(usize::MAX)
                .min(block);
            self.source.consume(skipped);
            self.current.remaining -= skipped as u64;
        }
        cpio::skip(&mut self.source, std::mem::take(&mut self.current.padding))
    }

    /// Reads headers up to an entry for the caller and makes it current; `false` at the end.
    fn find_entry(&mut self) -> Result<bool, PackageError> {
        loop {
            let (index, size) = match cpio::read_header(&mut self.source)? {
                EntryHeader::Trailer => {
                    self.finish()?;
                    return Ok(false);
                }
                EntryHeader::Indexed { index } => {
                    let index = index as usize;
                    let file = self.file(index).ok_or_else(|| unknown_index(index))?;
                    (index, self.links.stripped_size(index, file))
                }
                EntryHeader::Named { name, mode, size } => {
                    let index = self.find(&name)?;
                    self.check_kind(index, mode)?;
                    (index, size)
                }
            };
            if self.start(index, size)? {
                return Ok(true);
            }
        }
    }

    fn file(&self, index: usize) -> Option<&'m FileEntry> {
        self.metadata.files.get(index)
    }

    /// The index of a name: `./usr/bin/a`, or in old packages `/usr/bin/a`, or in source packages `a.spec`.
    fn find(&mut self, name: &[u8]) -> Result<usize, PackageError> {
        let unknown = || PackageError::UnknownFile {
            path: entry_text(name),
        };
        // `./` alone is the root itself.
        let path = name
            .strip_prefix(b".")
            .filter(|p| p.starts_with(b"/"))
            .unwrap_or(name);
        if self.file(self.guess).is_some_and(|file| file.path == path) {
            return Ok(self.guess);
        }
        let metadata = self.metadata;
        let by_path = self.by_path.get_or_insert_with(|| {
            metadata
                .files
                .iter()
                .enumerate()
                .map(|(at, file)| (file.path.as_slice(), at))
                .collect()
        });
        by_path.get(path).copied().ok_or_else(unknown)
    }

    fn check_kind(&self, index: usize, mode: u32) -> Result<(), PackageError> {
        let file = &self.metadata.files[index];
        if mode & S_IFMT == u32::from(file.mode) & S_IFMT {
            return Ok(());
        }
        let reason = "its file type differs";
        Err(PackageError::FileMismatch {
            path: entry_text(&file.path),
            reason,
        })
    }

    /// Takes up an entry; whether it is one for the caller (and not a hard link whose content comes later).
    fn start(&mut self, index: usize, size: u64) -> Result<bool, PackageError> {
        let file = &self.metadata.files[index];
        let path = || entry_text(&file.path);
        if file.is_ghost() {
            return Err(PackageError::UnknownFile { path: path() });
        }
        if std::mem::replace(&mut self.seen[index], true) {
            return Err(PackageError::RepeatedFile { path: path() });
        }
        self.guess = self.next_guess(index);
        if file.is_regular() {
            return self.start_regular(index, size);
        }
        if file.is_symlink() {
            self.check_target(file, size)?;
        } else if size != 0 {
            return Err(PackageError::SizeMismatch {
                path: path(),
                expected: 0,
                found: size,
            });
        }
        self.current = Current {
            index,
            path: file.path.clone(),
            ..Current::default()
        };
        Ok(true)
    }

    fn next_guess(&self, index: usize) -> usize {
        let later = self.metadata.files.iter().skip(index + 1);
        index + 1 + later.take_while(|file| file.is_ghost()).count()
    }

    fn start_regular(&mut self, index: usize, size: u64) -> Result<bool, PackageError> {
        let file = &self.metadata.files[index];
        let set = self.links.set_of.get(&index).copied();
        if let Some(set) = set {
            let waits_for_content = size == 0 && file.size > 0;
            let waits_for_names = file.size == 0 && !self.links.sets[set].iter().all(|&i| self.seen[i]);
            if waits_for_content || waits_for_names {
                return Ok(false);
            }
            if std::mem::replace(&mut self.links.given[set], true) {
                return Err(PackageError::RepeatedFile {
                    path: entry_text(&file.path),
                });
            }
        }
        if size != file.size {
            return Err(PackageError::SizeMismatch {
                path: entry_text(&file.path),
                expected: file.size,
                found: size,
            });
        }
        let members = set.map(|set| self.links.sets[set].as_slice()).unwrap_or_default();
        self.current = Current {
            index,
            path: file.path.clone(),
            others: members
                .iter()
                .copied()
                .filter(|&member| member != index)
                .collect(),
            size,
            remaining: size,
            padding: align4(size),
            digest: file.digest,
            hasher: Sha256::new(),
        };
        if size == 0 {
            self.current.check()?;
        }
        Ok(true)
    }

    /// Reads the target of a symbolic link and compares it with the header's.
    fn check_target(&mut self, file: &FileEntry, size: u64) -> Result<(), PackageError> {
        let path = || entry_text(&file.path);
        let expected = file.link_target.len() as u64;
        if size != expected {
            return Err(PackageError::SizeMismatch {
                path: path(),
                expected,
                found: size,
            });
        }
        let mut target = vec![0; file.link_target.len()];
        self.source
            .read_exact(&mut target)
            .map_err(PackageError::Decompress)?;
        cpio::skip(&mut self.source, align4(size))?;
        if target != file.link_target {
            return Err(PackageError::FileMismatch {
                path: path(),
                reason: "its link target differs",
            });
        }
        Ok(())
    }

    /// Checks that nothing is missing, and that nothing but zeros follows.
    fn finish(&mut self) -> Result<(), PackageError> {
        let missing = |path: &[u8]| PackageError::MissingFile {
            path: entry_text(path),
        };
        let mut files = self.metadata.files.iter().zip(&self.seen);
        if let Some((file, _)) = files.find(|(file, seen)| !**seen && !file.is_ghost()) {
            return Err(missing(&file.path));
        }
        if let Some(set) = self.links.given.iter().position(|given| !given) {
            return Err(missing(&self.metadata.files[self.links.sets[set][0]].path));
        }
        let mut rest = Vec::new();
        let limit = PADDING_MAX as u64 + 1;
        (&mut self.source)
            .take(limit)
            .read_to_end(&mut rest)
            .map_err(PackageError::Decompress)?;
        if rest.len() > PADDING_MAX || rest.iter().any(|&b| b != 0) {
            return Err(damaged("something follows the end of the archive"));
        }
        Ok(())
    }
}

fn unknown_index(index: usize) -> PackageError {
    PackageError::UnknownFile {
        path: format!("number {index}"),
    }
}

impl HardLinks {
    fn new(files: &[FileEntry]) -> Self {
        let mut by_inode: HashMap<u32, Vec<usize>> = HashMap::new();
        for (index, file) in files.iter().enumerate() {
            if file.is_regular() && !file.is_ghost() {
                by_inode.entry(file.inode).or_default().push(index);
            }
        }
        let mut sets: Vec<_> = by_inode
            .into_values()
            .filter(|members| members.len() > 1)
            .collect();
        sets.sort_unstable();
        let numbered = sets.iter().enumerate();
        let set_of = numbered
            .flat_map(|(set, members)| members.iter().map(move |&m| (m, set)))
            .collect();
        Self {
            set_of,
            given: vec![false; sets.len()],
            sets,
        }
    }

    /// The size of an entry which does not say it: of a set of hard links the last has the content.
    fn stripped_size(&self, index: usize, file: &FileEntry) -> u64 {
        if file.is_symlink() {
            return file.link_target.len() as u64;
        }
        let is_last = |set: &usize| self.sets[*set].last() == Some(&index);
        let has_content = file.is_regular() && self.set_of.get(&index).is_none_or(is_last);
        if has_content { file.size } else { 0 }
    }
}

impl Current {
    /// Compares what was read with the header.
    fn check(&mut self) -> Result<(), PackageError> {
        let Some(expected) = self.digest else {
            return Ok(());
        };
        let found: [u8; 32] = self.hasher.finalize_reset().into();
        if found == expected {
            return Ok(());
        }
        Err(PackageError::FileDigestMismatch {
            path: entry_text(&self.path),
            expected: hex::encode(expected),
            found: hex::encode(found),
        })
    }
}

/// One entry of a payload.
///
/// `Read` gives the content of a regular file, in blocks as large as the caller's buffer. The read that
/// reaches the end fails, and keeps its bytes, if the content does not have the header's SHA-256: who
/// writes a file under a temporary name and renames it after the last read never shows a wrong one.
pub struct PayloadEntry<'p> {
    source: &'p mut (dyn BufRead + 'p),
    current: &'p mut Current,
}

impl PayloadEntry<'_> {
    /// Index into `Metadata::files`.
    pub fn index(&self) -> usize {
        self.current.index
    }

    /// Indexes of the other names of the same file, which are to be hard links of this one.
    pub fn links(&self) -> &[usize] {
        &self.current.others
    }

    /// Bytes of content: 0 for all but regular files.
    pub fn size(&self) -> u64 {
        self.current.size
    }

    /// The whole content, checked. Memory grows with what comes, not with what the header promises.
    pub fn read_content(&mut self) -> Result<Vec<u8>, PackageError> {
        let mut content = Vec::new();
        self.read_to_end(&mut content).map_err(PackageError::from_io)?;
        Ok(content)
    }
}

impl Read for PayloadEntry<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let current = &mut *self.current;
        let wanted = usize::try_from(current.remaining)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.source.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(damaged("it ends early").into_io());
        }
        current.remaining -= read as u64;
        if current.digest.is_some() {
            current.hasher.update(&buffer[..read]);
        }
        if current.remaining == 0 {
            current.check().map_err(PackageError::into_io)?;
        }
        Ok(read)
    }
}
