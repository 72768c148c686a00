//! Watching how large the writable layer grows, where it lies on a disk.
//!
//! Adding up a tree takes long, asking a file system for its free space does not. So the tree is added up now and then,
//! and at once when the file system has lost as much space as the layer has left. Others write there, too: that only makes
//! us look sooner than needed.

use crate::limits::LayerLimit;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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
            used = size_below(&limit.path, shared);
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

fn free_space(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map_or(0, |found| found.f_bfree.saturating_mul(found.f_frsize))
}

/// Bytes in use below a folder. What vanishes while it is read does not count; nor is a link followed.
fn size_below(path: &Path, shared: &Shared) -> u64 {
    let mut total = 0u64;
    let mut linked = HashSet::new();
    let mut folders: Vec<PathBuf> = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        if shared.stop.load(Ordering::SeqCst) {
            return total;
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            // Of the entry itself, not of what a link leads to.
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                folders.push(entry.path());
            } else if meta.nlink() > 1 && !linked.insert(meta.ino()) {
                continue;
            }
            total = total.saturating_add(meta.blocks().saturating_mul(512));
        }
    }
    total
}
