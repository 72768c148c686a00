//! A folder of contents, each named by its SHA-256 digest, which other digests lead to.
//!
//! | in the store's folder | what |
//! |---|---|
//! | `objects/ab/cdef…` | a content; the two parts of the name are its SHA-256 digest |
//! | `names/sha512/ab/cdef…` | a line of text, the SHA-256 digest of the content with that SHA-512 digest |
//! | `parts/sha512-abcdef….part` | a download that has begun, and beside it where it comes from |
//! | `locks/sha512-abcdef…` | held by whoever fetches that content |
//! | `records/crates/abcdef….json` | which contents came of a request that names none by digest |
//!
//! A content gets its name only after it was hashed, and is hashed again whenever it is asked for: a damaged one is
//! removed and counts as absent, so that it is fetched again. Names in other digests are recorded only for contents that
//! were seen to have both, and both are compared when they are used. Nothing is ever changed in place.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use lazuli_catalog::Sha256Digest;
use lazuli_durable::Pending;

use crate::digest::{Digest, HashAlgorithm, Measured};
use crate::error::SourceError;
use crate::lock::{Leftover, Lock};
use crate::request::StoredFile;

/// The permission bits of stored files: they are for reading only.
const MODE: u32 = 0o444;

/// The longest line of a name in another digest, in bytes.
const MAX_NAME_LINE: u64 = 256;

/// How many damaged contents a report lists.
const MAX_REPORTED: usize = 10_000;

/// What names of folders for incoming files begin with.
const INCOMING: &str = "incoming-";

/// A folder for files on their way, held by a lock.
pub(crate) struct Incoming {
    folder: tempfile::TempDir,
    _held: File,
}

impl Incoming {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A content-addressed store, shared between threads and processes.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// What [`Store::verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// How many contents were hashed.
    pub checked: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// The digests of those that were damaged, and are removed.
    pub damaged: Vec<Sha256Digest>,
    /// Names in other digests that led to nothing, and are removed.
    pub dangling: u64,
}

impl Store {
    /// The store in a folder; it is made when it is missing.
    pub fn open(folder: &Path) -> Result<Self, SourceError> {
        let folder = std::path::absolute(folder).map_err(SourceError::io("find", folder))?;
        for name in ["objects", "names", "parts", "locks"] {
            let path = folder.join(name);
            std::fs::create_dir_all(&path).map_err(SourceError::io("make the folder", &path))?;
        }
        Ok(Self { folder })
    }

    /// Where the content with a digest is, or would be.
    #[must_use]
    pub fn path(&self, sha256: &Sha256Digest) -> PathBuf {
        split(&self.folder.join("objects"), sha256.as_str())
    }

    /// Looks for a content and hashes it. A damaged one is removed, and counts as absent.
    pub fn find(&self, digest: &Digest) -> Result<Option<StoredFile>, SourceError> {
        Ok(self.open_checked(digest)?.map(|(stored, _)| stored))
    }

    /// Reads a content of at most `limit` bytes; `None` if it is absent or was damaged.
    pub fn read(&self, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some((stored, file)) = self.open_checked(digest)? else {
            return Ok(None);
        };
        if stored.size > limit {
            let what = stored.path.display().to_string();
            return Err(SourceError::TooLarge { what, limit });
        }
        let mut content = Vec::with_capacity(usize::try_from(stored.size).unwrap_or_default());
        file.take(limit)
            .read_to_end(&mut content)
            .map_err(SourceError::io("read", &stored.path))?;
        // What was hashed and what was read are two looks at one file.
        if Digest::of(HashAlgorithm::Sha256, &content) != Digest::from(&stored.sha256) {
            return Ok(None);
        }
        Ok(Some(content))
    }

    /// Takes a content that must have all of the digests.
    pub fn insert(&self, content: &[u8], expected: &[Digest]) -> Result<StoredFile, SourceError> {
        self.insert_from(&mut &content[..], "the content", u64::MAX, expected)
    }

    /// Takes what `content` gives, at most `limit` bytes, which must have all of the digests. `what` names it in errors.
    pub fn insert_from(
        &self,
        content: &mut dyn Read,
        what: &str,
        limit: u64,
        expected: &[Digest],
    ) -> Result<StoredFile, SourceError> {
        // The name is not known yet; a pending file is beside its final one, so that both are on one file system.
        let staged = self.folder.join("parts").join("insert");
        let mut pending = Pending::create(&staged, 0o600).map_err(SourceError::io("create", &staged))?;
        let path = pending.temporary().to_owned();
        let copied = std::io::copy(&mut content.take(limit.saturating_add(1)), pending.file())
            .map_err(SourceError::io("write", &path))?;
        if copied > limit {
            let what = what.to_owned();
            return Err(SourceError::TooLarge { what, limit });
        }
        let file = pending.file();
        file.flush().map_err(SourceError::io("write", &path))?;
        let stored = self.adopt(&path, what, expected)?;
        // It has its name in the store now; what is left of the pending file is nothing.
        drop(pending);
        Ok(stored)
    }

    /// Hashes the file `path`, which must be on the store's file system, and gives it its name in the store. It must have
    /// all of the digests; if it has not, it stays where it is.
    pub(crate) fn adopt(
        &self,
        path: &Path,
        what: &str,
        expected: &[Digest],
    ) -> Result<StoredFile, SourceError> {
        let mut file = File::open(path).map_err(SourceError::io("open", path))?;
        let measured = Measured::read(&mut file, expected.iter().map(Digest::algorithm))
            .map_err(SourceError::io("read", path))?;
        if let Some((wanted, found)) = measured.mismatch(expected) {
            return Err(SourceError::Digest {
                what: what.to_owned(),
                expected: wanted.clone(),
                found: found.unwrap_or_else(|| Digest::from(&measured.sha256)),
            });
        }
        let target = self.path(&measured.sha256);
        let folder = target.parent().unwrap_or(&self.folder);
        let fresh = !folder.exists();
        lazuli_durable::adopt(path, &target).map_err(SourceError::io("store", &target))?;
        // Not before: a kill in between must not leave a part that cannot be written to.
        file.set_permissions(std::fs::Permissions::from_mode(MODE))
            .map_err(SourceError::io("change the mode of", &target))?;
        lazuli_durable::sync_folder(folder).map_err(SourceError::io("sync", folder))?;
        if fresh && let Some(above) = folder.parent() {
            lazuli_durable::sync_folder(above).map_err(SourceError::io("sync", above))?;
        }
        for digest in measured.digests() {
            self.record(digest, &measured.sha256)?;
        }
        Ok(StoredFile {
            sha256: measured.sha256,
            size: measured.size,
            path: target,
        })
    }

    /// Hashes all contents, and removes the damaged ones and the names that lead to nothing. `progress` gets how many
    /// contents and bytes were hashed so far.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport, SourceError> {
        let mut report = VerifyReport::default();
        for path in self.files("objects")? {
            let Some(digest) = joined(&path).and_then(|name| Sha256Digest::new(name).ok()) else {
                // Not ours.
                continue;
            };
            if let Some((stored, _)) = self.open_object(&digest, None)? {
                report.bytes += stored.size;
            } else if report.damaged.len() < MAX_REPORTED {
                report.damaged.push(digest);
            }
            report.checked += 1;
            progress(report.checked, report.bytes);
        }
        for algorithm in HashAlgorithm::ALL {
            for path in self.files(&format!("names/{algorithm}"))? {
                let target = read_name(&path);
                if !target.is_some_and(|sha256| self.path(&sha256).exists()) {
                    remove(&path)?;
                    report.dangling += 1;
                }
            }
        }
        Ok(report)
    }

    /// Waits until no other thread or process fetches the content with this digest.
    pub(crate) fn lock(&self, digest: &Digest) -> Result<Lock, SourceError> {
        let path = self.folder.join("locks").join(file_name(digest));
        Lock::take(&path, Leftover::Remove)
    }

    /// Where the beginning of a download is kept.
    pub(crate) fn part_path(&self, digest: &Digest) -> PathBuf {
        let name = format!("{}.part", file_name(digest));
        self.folder.join("parts").join(name)
    }

    /// Where it is written which contents belong to a request of some kind.
    pub(crate) fn record_path(&self, kind: &str, key: &Sha256Digest) -> PathBuf {
        self.folder.join("records").join(kind).join(format!("{key}.json"))
    }

    /// A new folder on the store's file system, for what other programs bring. It goes when it is dropped; what a kill left
    /// behind is removed here once nobody holds it.
    pub(crate) fn folder_for_incoming(&self) -> Result<Incoming, SourceError> {
        let parts = self.folder.join("parts");
        // One at a time: a folder that is not held yet must not look stale to others.
        let turn = File::open(&parts).map_err(SourceError::io("open", &parts))?;
        turn.lock().map_err(SourceError::io("lock", &parts))?;
        for path in listing(&parts)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let unheld = || File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok());
            if name.starts_with(INCOMING) && unheld() {
                // What stays is removed the next time.
                let _ = std::fs::remove_dir_all(&path);
            }
        }
        let folder = tempfile::Builder::new()
            .prefix(INCOMING)
            .tempdir_in(&parts)
            .map_err(SourceError::io("make a folder in", &parts))?;
        let held = File::open(folder.path()).map_err(SourceError::io("open", folder.path()))?;
        held.lock().map_err(SourceError::io("lock", folder.path()))?;
        Ok(Incoming { folder, _held: held })
    }

    /// Opens a content after it was hashed; the file stands at its beginning.
    fn open_checked(&self, digest: &Digest) -> Result<Option<(StoredFile, File)>, SourceError> {
        if digest.algorithm() == HashAlgorithm::Sha256 {
            return match Sha256Digest::new(digest.hex()) {
                Ok(sha256) => self.open_object(&sha256, None),
                Err(_) => Ok(None),
            };
        }
        let name = self.name_path(digest);
        match read_name(&name) {
            Some(sha256) => self.open_object(&sha256, Some(digest)),
            None => Ok(None),
        }
    }

    fn open_object(
        &self,
        sha256: &Sha256Digest,
        named: Option<&Digest>,
    ) -> Result<Option<(StoredFile, File)>, SourceError> {
        let path = self.path(sha256);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SourceError::io("open", &path)(error)),
        };
        let measured = Measured::read(&mut file, named.map(Digest::algorithm))
            .map_err(SourceError::io("read", &path))?;
        if measured.sha256 != *sha256 {
            remove_this(&path, &file)?;
            return Ok(None);
        }
        if named.is_some_and(|digest| measured.by(digest.algorithm()) != Some(digest)) {
            // The content is good; the name that led here is not.
            if let Some(digest) = named {
                remove(&self.name_path(digest))?;
            }
            return Ok(None);
        }
        file.seek(SeekFrom::Start(0))
            .map_err(SourceError::io("read", &path))?;
        let stored = StoredFile {
            sha256: measured.sha256,
            size: measured.size,
            path,
        };
        Ok(Some((stored, file)))
    }

    /// Remembers that a content, which was hashed just now, has another digest too.
    fn record(&self, digest: &Digest, sha256: &Sha256Digest) -> Result<(), SourceError> {
        let path = self.name_path(digest);
        if digest.algorithm() == HashAlgorithm::Sha256 || read_name(&path).as_ref() == Some(sha256) {
            return Ok(());
        }
        lazuli_durable::write(&path, format!("{sha256}\n").as_bytes())
            .map_err(SourceError::io("write", &path))
    }

    fn name_path(&self, digest: &Digest) -> PathBuf {
        let folder = self.folder.join("names").join(digest.algorithm().name());
        split(&folder, digest.hex())
    }

    /// All files two levels below a folder of the store, in order.
    fn files(&self, folder: &str) -> Result<Vec<PathBuf>, SourceError> {
        let top = self.folder.join(folder);
        let mut files = Vec::new();
        for below in listing(&top)? {
            if below.is_dir() {
                files.extend(listing(&below)?);
            }
        }
        Ok(files)
    }
}

/// `objects` and `abcdef…` become `objects/ab/cdef…`.
fn split(folder: &Path, hex: &str) -> PathBuf {
    let (head, tail) = hex.split_at_checked(2).unwrap_or(("", hex));
    folder.join(head).join(tail)
}

/// `…/ab/cdef…` becomes `abcdef…`.
fn joined(path: &Path) -> Option<String> {
    let head = path.parent()?.file_name()?.to_str()?;
    Some(format!("{head}{}", path.file_name()?.to_str()?))
}

fn file_name(digest: &Digest) -> String {
    format!("{}-{}", digest.algorithm(), digest.hex())
}

/// The content of a name file; `None` if it is absent or of no use, which is the same here: it is written anew.
fn read_name(path: &Path) -> Option<Sha256Digest> {
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(MAX_NAME_LINE)
        .read_to_string(&mut text)
        .ok()?;
    Sha256Digest::new(text.strip_suffix('\n')?).ok()
}

/// Removes a file that may be gone already.
pub(crate) fn remove(path: &Path) -> Result<(), SourceError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SourceError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Removes the file that is open, unless its name has gone to another one meanwhile.
fn remove_this(path: &Path, file: &File) -> Result<(), SourceError> {
    let ours = file.metadata().map_err(SourceError::io("look at", path))?;
    match std::fs::metadata(path) {
        Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => remove(path),
        _ => Ok(()),
    }
}

fn listing(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(SourceError::io("read", folder)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(SourceError::io("read", folder))?.path());
    }
    paths.sort();
    Ok(paths)
}
