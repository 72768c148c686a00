//! A root tree, reached through its descriptor only.
//!
//! Every path is resolved by `openat2(RESOLVE_IN_ROOT)`: a link, absolute or with `..`, leads to a place inside the
//! root or nowhere. Folders on the way to a packaged file may be links only if they belong to root, so that no
//! user of an installed system can lead a package's files astray.

use crate::TransactionError;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Configuration files that are read from a root are smaller than this.
pub(crate) const MAX_CONFIGURATION: u64 = 16 << 20;

/// How often a path is resolved that others change at the same time.
const MAX_TRIES: usize = 128;

/// Deepest path that is walked.
const MAX_DEPTH: usize = 512;

/// A root tree.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    descriptor: OwnedFd,
}

/// What a file that we write is to be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime: u32,
}

impl Attributes {
    /// A file of root that all may read.
    pub(crate) fn plain(mtime: u32) -> Self {
        Self {
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime,
        }
    }
}

static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// A name that nobody else uses, in the folder of what it will become.
pub(crate) fn temporary_name() -> String {
    format!(
        ".lz-{}-{}",
        std::process::id(),
        TEMPORARY.fetch_add(1, Ordering::Relaxed)
    )
}

impl Root {
    /// Opens a folder as a root.
    pub fn open(path: &Path) -> Result<Self, TransactionError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|e| TransactionError::io("opening the root", path, e))?;
        let path = path
            .canonicalize()
            .map_err(|e| TransactionError::io("opening the root", path, e))?;
        Ok(Self { path, descriptor })
    }

    /// Opens a folder as a root, and makes it if it is missing.
    pub fn open_or_create(path: &Path) -> Result<Self, TransactionError> {
        std::fs::create_dir_all(path).map_err(|e| TransactionError::io("making the root", path, e))?;
        Self::open(path)
    }

    /// Where it is on the machine.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a path inside the root is on the machine: for messages.
    pub(crate) fn shown(&self, path: &[u8]) -> PathBuf {
        self.path.join(OsStr::from_bytes(relative(path)))
    }

    pub(crate) fn error(
        &self,
        action: &'static str,
        path: &[u8],
        source: impl Into<std::io::Error>,
    ) -> TransactionError {
        TransactionError::io(action, self.shown(path), source)
    }

    fn open_at(&self, path: &[u8], flags: OFlags, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
        let resolve = resolve | ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let (path, flags) = (relative_or_dot(path), flags | OFlags::CLOEXEC);
        let mut tries = 0;
        loop {
            tries += 1;
            match rustix::fs::openat2(&self.descriptor, path, flags, Mode::empty(), resolve) {
                // Something was renamed while a `..` of a link was followed: the kernel cannot tell whether the way
                // is still inside, and asks to try again.
                Err(Errno::AGAIN | Errno::INTR) if tries < MAX_TRIES => {}
                other => return other,
            }
        }
    }

    /// Opens a folder. Links on the way are followed, inside the root, if they belong to root.
    pub(crate) fn folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        match self.open_at(path, flags, ResolveFlags::NO_SYMLINKS) {
            Err(Errno::LOOP) => {
                self.check_links(path)?;
                self.open_at(path, flags, ResolveFlags::empty())
            }
            other => other,
        }
    }

    /// Whether all links on a path belong to root.
    fn check_links(&self, path: &[u8]) -> Result<(), Errno> {
        let path = relative(path);
        let ends = path
            .iter()
            .enumerate()
            .filter(|(_, b)| **b == b'/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        for end in ends.take(MAX_DEPTH) {
            let part = self.open_at(
                path.get(..end).unwrap_or(path),
                OFlags::PATH | OFlags::NOFOLLOW,
                ResolveFlags::empty(),
            )?;
            let stat = rustix::fs::fstat(&part)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink && stat.st_uid != 0 {
                return Err(Errno::PERM);
            }
        }
        Ok(())
    }

    /// The folder that a path is in, and its last part.
    pub(crate) fn parent<'p>(&self, path: &'p [u8]) -> Result<(OwnedFd, &'p OsStr), Errno> {
        let (folder, name) = split(path);
        Ok((self.folder(folder)?, OsStr::from_bytes(name)))
    }

    /// What is at a path, itself and not what it links to; `None` if there is nothing.
    pub(crate) fn stat(&self, path: &[u8]) -> Result<Option<Stat>, Errno> {
        let (folder, name) = match self.parent(path) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            other => other?,
        };
        let name = if name.is_empty() { OsStr::new(".") } else { name };
        match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            other => other.map(Some),
        }
    }

    /// The target of a link; `None` if there is none at the path.
    pub(crate) fn read_link(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
        let (folder, name) = match self.parent(path) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            other => other?,
        };
        match rustix::fs::readlinkat(&folder, name, Vec::new()) {
            Ok(target) => Ok(Some(target.into_bytes())),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Opens a file for reading; links are followed inside the root.
    pub(crate) fn open_file(&self, path: &[u8]) -> Result<File, Errno> {
        // Not blocking, so that a pipe in place of a file does not stop us.
        self.open_at(
            path,
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY,
            ResolveFlags::empty(),
        )
        .map(File::from)
    }

    /// The content of a small file; `None` if it is not there.
    pub(crate) fn read(&self, path: &[u8]) -> Result<Option<Vec<u8>>, TransactionError> {
        let file = match self.open_file(path) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(e) => return Err(self.error("opening", path, e)),
        };
        let mut bytes = Vec::new();
        let limit = MAX_CONFIGURATION + 1;
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(|e| self.error("reading", path, e))?;
        if bytes.len() as u64 == limit {
            return Err(self.error(
                "reading",
                path,
                std::io::Error::from(std::io::ErrorKind::FileTooLarge),
            ));
        }
        Ok(Some(bytes))
    }

    /// The same as text; what is no UTF-8 is replaced.
    pub(crate) fn read_text(&self, path: &str) -> Result<Option<String>, TransactionError> {
        Ok(self
            .read(path.as_bytes())?
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The names in a folder, sorted; none if it is not there.
    pub(crate) fn list(&self, path: &[u8]) -> Result<Vec<Vec<u8>>, TransactionError> {
        let fail = |e: Errno| self.error("listing", path, e);
        let folder = match self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY, ResolveFlags::empty()) {
            Ok(folder) => folder,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            Err(e) => return Err(fail(e)),
        };
        let mut names = Vec::new();
        for entry in Dir::new(folder).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Makes a folder and those above it, of root and open to all. Answers which ones were made.
    pub(crate) fn ensure_folder(&self, path: &[u8]) -> Result<Vec<Vec<u8>>, TransactionError> {
        let mut made = Vec::new();
        let mut missing = vec![path];
        while let Some(&at) = missing.last() {
            if missing.len() > MAX_DEPTH {
                return Err(self.error("making the folder", path, Errno::NAMETOOLONG));
            }
            match self.folder(at) {
                Ok(_) => {
                    missing.pop();
                    let Some(next) = missing.last() else { break };
                    let (folder, name) = self.parent(next).map_err(|e| self.error("opening", next, e))?;
                    match rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755)) {
                        Ok(()) => {
                            // The umask may have taken bits away.
                            rustix::fs::chmodat(&folder, name, Mode::from_raw_mode(0o755), AtFlags::empty())
                                .map_err(|e| self.error("setting the mode of", next, e))?;
                            made.push(next.to_vec());
                        }
                        // A folder that another made meanwhile is fine; a link that leads nowhere is not.
                        Err(Errno::EXIST) => {
                            self.folder(next)
                                .map_err(|e| self.error("making the folder", next, e))?;
                        }
                        Err(e) => return Err(self.error("making the folder", next, e)),
                    }
                }
                Err(Errno::NOENT) => missing.push(split(at).0),
                Err(e) => return Err(self.error("making the folder", at, e)),
            }
        }
        Ok(made)
    }

    /// Writes a whole file under a temporary name and moves it to its own.
    pub(crate) fn write(&self, path: &[u8], bytes: &[u8], like: Attributes) -> Result<(), TransactionError> {
        let fail = |e: Errno| self.error("writing", path, e);
        let (folder, name) = self.parent(path).map_err(fail)?;
        let temporary = temporary_name();
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&folder, temporary.as_str(), flags, Mode::from_raw_mode(0o600))
            .map_err(fail)?;
        let mut file = File::from(file);
        let written = file
            .write_all(bytes)
            .map_err(|e| self.error("writing", path, e))
            .and_then(|()| set_attributes(&file, like).map_err(fail))
            .and_then(|()| rustix::fs::renameat(&folder, temporary.as_str(), &folder, name).map_err(fail));
        if written.is_err() {
            // The first error is the one to report.
            let _left = rustix::fs::unlinkat(&folder, temporary.as_str(), AtFlags::empty());
        }
        written
    }

    /// Makes a link, in place of a file or link that is there. Answers whether something changed.
    pub(crate) fn link(&self, path: &[u8], target: &[u8], mtime: u32) -> Result<bool, TransactionError> {
        let fail = |e: Errno| self.error("making the link", path, e);
        if self.read_link(path).map_err(fail)?.as_deref() == Some(target) {
            return Ok(false);
        }
        let (folder, name) = self.parent(path).map_err(fail)?;
        let temporary = temporary_name();
        rustix::fs::symlinkat(OsStr::from_bytes(target), &folder, temporary.as_str()).map_err(fail)?;
        let made = set_time(&folder, OsStr::new(&temporary), mtime)
            .and_then(|()| rustix::fs::renameat(&folder, temporary.as_str(), &folder, name));
        if made.is_err() {
            let _left = rustix::fs::unlinkat(&folder, temporary.as_str(), AtFlags::empty());
        }
        made.map_err(fail)?;
        Ok(true)
    }

    /// Removes a file or link; nothing if it is not there.
    pub(crate) fn unlink(&self, path: &[u8]) -> Result<bool, TransactionError> {
        let (folder, name) = match self.parent(path) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
            other => other.map_err(|e| self.error("removing", path, e))?,
        };
        match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(e) => Err(self.error("removing", path, e)),
        }
    }

    /// Sets the time of what is at a path, if it is there.
    pub(crate) fn set_time(&self, path: &[u8], mtime: u32) -> Result<(), TransactionError> {
        let (folder, name) = match self.parent(path) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            other => other.map_err(|e| self.error("setting the time of", path, e))?,
        };
        let name = if name.is_empty() { OsStr::new(".") } else { name };
        match set_time(&folder, name, mtime) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(self.error("setting the time of", path, e)),
        }
    }

    /// Brings all that was written to the disk.
    pub(crate) fn sync(&self) -> Result<(), TransactionError> {
        rustix::fs::syncfs(&self.descriptor).map_err(|e| TransactionError::io("syncing", &self.path, e))
    }
}

/// Owner, mode and time of an open file; the owner first, since a change of owner clears setuid bits.
pub(crate) fn set_attributes(file: &File, like: Attributes) -> Result<(), Errno> {
    let (uid, gid) = (
        rustix::fs::Uid::from_raw(like.uid),
        rustix::fs::Gid::from_raw(like.gid),
    );
    rustix::fs::fchown(file, Some(uid), Some(gid))?;
    rustix::fs::fchmod(file, Mode::from_raw_mode(like.mode & 0o7777))?;
    rustix::fs::futimens(file, &times(like.mtime))
}

pub(crate) fn set_time(folder: impl AsFd, name: &OsStr, mtime: u32) -> Result<(), Errno> {
    rustix::fs::utimensat(folder, name, &times(mtime), AtFlags::SYMLINK_NOFOLLOW)
}

fn times(mtime: u32) -> Timestamps {
    let time = Timespec {
        tv_sec: i64::from(mtime),
        tv_nsec: 0,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// A path without its slashes in front.
pub(crate) fn relative(path: &[u8]) -> &[u8] {
    let start = path.iter().position(|b| *b != b'/').unwrap_or(path.len());
    path.get(start..).unwrap_or_default()
}

fn relative_or_dot(path: &[u8]) -> &OsStr {
    match relative(path) {
        b"" => OsStr::new("."),
        path => OsStr::from_bytes(path),
    }
}

/// Folder and name of an absolute path: `/etc/passwd` is in `/etc`, `/etc` is in the empty path, which is the root.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(at) => (
            path.get(..at).unwrap_or_default(),
            path.get(at + 1..).unwrap_or_default(),
        ),
        None => (b"", path),
    }
}

/// A path for messages.
pub(crate) fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
