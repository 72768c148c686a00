//! Watching how large the writable layer grows, where it lies on a disk.
//!
//! Adding up a tree takes long, asking a file system for its free space does not. So the tree is added up now and then,
//! and at once when the file system has lost as much space as the layer has left. Others write there, too: that only makes
//! us look sooner than needed.

use crate::limits::LayerLimit;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two questions for free space.
const PAUSE: Duration = Duration::from_millis(100);

/// Between two additions of the tree, where the free space gives no reason.
const CALM: Duration = Duration::from_secs(10);

/// The next addition is at least so many times as far away as the last one took.
const SPARING: u32 = 9;

/// What each file and folder counts beside its blocks: its own record, of which a file system has a limited number.
const BYTES_PER_ENTRY: u64 = 1024;

/// The longest path that is handed to the kernel, with room for one more name.
const MAX_PATH: usize = 3000;

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    exceeded: AtomicBool,
}

/// A thread that watches. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct LayerWatch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    pub(crate) limit: LayerLimit,
}

impl LayerWatch {
    pub(crate) fn start(limit: &LayerLimit) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (theirs, watched) = (Arc::clone(&shared), limit.clone());
        let thread = std::thread::Builder::new()
            .name("layer-watch".to_owned())
            .spawn(move || watch(&theirs, &watched))?;
        Ok(Self {
            shared,
            thread: Some(thread),
            limit: limit.clone(),
        })
    }

    pub(crate) fn exceeded(&self) -> bool {
        self.shared.exceeded.load(Ordering::SeqCst)
    }
}

impl Drop for LayerWatch {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It cannot panic in a way that matters here: the run is over.
            let _ended = thread.join();
        }
    }
}

fn watch(shared: &Shared, limit: &LayerLimit) {
    let (mut used, mut free) = (0, free_space(&limit.path));
    let (mut not_before, mut at_latest) = (Instant::now(), Instant::now() + CALM);
    while !shared.stop.load(Ordering::SeqCst) {
        let now = Instant::now();
        let lost = free.saturating_sub(free_space(&limit.path));
        let suspicious = lost > limit.bytes.saturating_sub(used);
        if now >= at_latest || (suspicious && now >= not_before) {
            free = free_space(&limit.path);
            // A layer that is gone has no size; the run then fails by itself.
            used = size_below(&limit.path, shared).unwrap_or(0);
            if used > limit.bytes && !shared.stop.load(Ordering::SeqCst) {
                shared.exceeded.store(true, Ordering::SeqCst);
                return;
            }
            let after = Instant::now();
            let pause = after.duration_since(now) * SPARING;
            (not_before, at_latest) = (after + pause, after + pause.max(CALM));
        }
        std::thread::park_timeout(PAUSE);
    }
}

/// What is free, as the layer is counted.
fn free_space(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map_or(0, |found| {
        let bytes = found.f_bfree.saturating_mul(found.f_frsize);
        bytes.saturating_add(found.f_ffree.saturating_mul(BYTES_PER_ENTRY))
    })
}

/// A folder to be read: its path from another one. The kernel takes no path of more than 4096 bytes, and a build can make
/// folders far below that; so a long path is cut, and goes on from there.
struct Folder {
    base: Rc<OwnedFd>,
    path: PathBuf,
}

impl Folder {
    /// Opens it, if it is still there and no link came in its way.
    fn open(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(&self.base, &self.path, flags, Mode::empty(), resolve)
    }
}

/// Bytes in use below a folder. What vanishes while it is read does not count; nor is a link followed.
fn size_below(path: &Path, shared: &Shared) -> Result<u64, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut total = 0u64;
    let mut linked = HashSet::new();
    let mut folders = vec![Folder {
        base: Rc::new(rustix::fs::open(path, flags, Mode::empty())?),
        path: PathBuf::from("."),
    }];
    while let Some(folder) = folders.pop() {
        let Ok(descriptor) = folder.open() else { continue };
        let (base, path) = if folder.path.as_os_str().len() > MAX_PATH {
            (Rc::new(descriptor), PathBuf::from("."))
        } else {
            (folder.base, folder.path)
        };
        let opened = Folder { base, path };
        let Ok(entries) = opened.open().and_then(Dir::new) else {
            continue;
        };
        for entry in entries {
            let Ok(entry) = entry else { break };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if shared.stop.load(Ordering::SeqCst) {
                return Ok(total);
            }
            let path = opened.path.join(OsStr::from_bytes(name.to_bytes()));
            let Ok(found) = rustix::fs::statat(&opened.base, &path, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
                let base = Rc::clone(&opened.base);
                folders.push(Folder { base, path });
            } else if found.st_nlink > 1 && !linked.insert(found.st_ino) {
                continue;
            }
            let bytes = u64::try_from(found.st_blocks).unwrap_or(0).saturating_mul(512);
            total = total.saturating_add(bytes).saturating_add(BYTES_PER_ENTRY);
        }
    }
    Ok(total)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_added_up() {
        let dir = tempfile::tempdir().unwrap();
        let size = || size_below(dir.path(), &Shared::default()).unwrap();
        assert_eq!(size(), 0);
        let file = dir.path().join("file");
        std::fs::write(&file, vec![1; 1 << 20]).unwrap();
        rustix::fs::fsync(std::fs::File::open(&file).unwrap()).unwrap();
        let one = size();
        assert!(((1 << 20)..(2 << 20)).contains(&one), "{one}");
        std::fs::hard_link(&file, dir.path().join("again")).unwrap();
        std::os::unix::fs::symlink("/usr", dir.path().join("link")).unwrap();
        assert!(size() - one <= 8192, "links are small");
    }

    #[test]
    fn folders_may_be_deeper_than_a_path_is_long() {
        let dir = tempfile::tempdir().unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut at = rustix::fs::open(dir.path(), flags, Mode::empty()).unwrap();
        let name = "n".repeat(200);
        for _ in 0..100 {
            rustix::fs::mkdirat(&at, name.as_str(), Mode::from_raw_mode(0o755)).unwrap();
            at = rustix::fs::openat(&at, name.as_str(), flags, Mode::empty()).unwrap();
        }
        let flags = OFlags::CREATE | OFlags::WRONLY;
        let file = rustix::fs::openat(&at, "deep", flags, Mode::from_raw_mode(0o644)).unwrap();
        rustix::io::write(&file, &vec![1; 1 << 20]).unwrap();
        rustix::fs::fsync(&file).unwrap();
        assert!(size_below(dir.path(), &Shared::default()).unwrap() > 1 << 20);
    }
}
