//! The cache as the builder sees it.

use crate::folder::{Found, Lease, Placed};
use crate::remote::{Notify, Remote};
use crate::{CacheError, CacheKey, Entry, Folder, NewEntry, Notice, Object, Settings, document};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// How many threads serve the remote: they wait more than they work.
const WORKERS: usize = 2;

/// How many entries wait to be shared at most; what comes then is not shared.
const WAITING_MAX: usize = 4096;

/// How many entries are shared at once when all of them are: well below what may wait.
const SHARED_AT_ONCE: u64 = 1024;

/// How an object gets to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// A hard link where the file systems allow, else as [`Copy`](Self::Copy). The file is read-only and is the cache's own:
    /// it may be replaced, never changed in place.
    Link,
    /// A file of its own, sharing blocks where the file system can.
    Copy,
}

/// The cache of build results: a local folder, and perhaps a remote behind it.
///
/// One is opened for a run and shared between its threads. Its methods wait; they are not for tasks of an asynchronous
/// runtime. Dropped without [`finish`](Self::finish), it gives up what is still on its way to the remote.
pub struct Cache {
    folder: Folder,
    lease: Lease,
    shared: Option<Shared>,
    counters: Arc<Counters>,
    notify: Notify,
}

impl fmt::Debug for Cache {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cache")
            .field("folder", &self.folder.path())
            .field("remote", &self.shared.as_ref().map(|shared| &shared.remote))
            .finish_non_exhaustive()
    }
}

/// The remote, and what works for it.
struct Shared {
    remote: Arc<Remote>,
    runtime: Runtime,
    uploads: Mutex<Vec<JoinHandle<()>>>,
}

/// What a cache was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Entries found in the local folder.
    pub local_hits: u64,
    /// Entries found in the remote.
    pub remote_hits: u64,
    /// Entries found nowhere.
    pub misses: u64,
    /// Entries and objects that were refused.
    pub refused: u64,
    /// Bytes of objects that came from the remote.
    pub downloaded: u64,
    /// Bytes that went to the remote.
    pub uploaded: u64,
    /// Entries that were given to the remote.
    pub shared: u64,
    /// Entries that could not be given to the remote.
    pub not_shared: u64,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    local_hits: Counter,
    remote_hits: Counter,
    misses: Counter,
    pub(crate) refused: Counter,
    pub(crate) downloaded: Counter,
    pub(crate) uploaded: Counter,
    pub(crate) shared: Counter,
    pub(crate) not_shared: Counter,
}

impl Cache {
    /// Opens a cache. Nothing is asked of the remote yet.
    pub fn open(settings: Settings) -> Result<Self, CacheError> {
        let folder = Folder::open(&settings.folder)?;
        let lease = Lease::take(&folder)?;
        let counters = Arc::new(Counters::default());
        let notify = settings.notify;
        let remote = match settings.remote {
            Some(remote) => {
                let (counters, notify) = (Arc::clone(&counters), Arc::clone(&notify));
                Remote::open(remote, folder.clone(), counters, notify)?
            }
            None => None,
        };
        let shared = remote.map(Shared::start).transpose()?;
        Ok(Self {
            folder,
            lease,
            shared,
            counters,
            notify,
        })
    }

    /// Looks for the entry of a build, here and then in the remote. Its objects are kept from being collected until the
    /// cache is dropped; they may still be only in the remote.
    ///
    /// What the remote gives wrongly, or not at all, is a notice and a miss. Errors are those of the local folder.
    pub fn get(&self, key: &CacheKey) -> Result<Option<Entry>, CacheError> {
        self.lease.hold_entry(key)?;
        match self.folder.read(key)? {
            Found::Entry(entry) if entry.objects.iter().all(|object| self.folder.has(object)) => {
                self.folder.touch(key)?;
                self.counters.local_hits.add(1);
                return Ok(Some(entry));
            }
            Found::Refused(error) => self.refuse(error),
            // Without its objects it is of no more use than none: the remote may have them, with an entry of its own.
            Found::Entry(_) | Found::Absent => {}
        }
        if let Some(shared) = self.remote()
            && let Some((entry, bytes)) = shared.wait(shared.remote.entry(key))
        {
            self.folder.write(key, &bytes)?;
            self.counters.remote_hits.add(1);
            return Ok(Some(entry));
        }
        self.counters.misses.add(1);
        Ok(None)
    }

    /// Puts an object of an entry that [`get`](Self::get) gave at `target`, whole or not at all; a file that is there is
    /// replaced. Its digest is checked. An error that [`is_miss`](CacheError::is_miss) means that the build is needed.
    pub fn fetch(&self, object: &Object, target: &Path, placement: Placement) -> Result<(), CacheError> {
        let missing = || CacheError::Missing {
            name: object.name.to_string(),
            sha256: object.sha256.clone(),
        };
        match self.folder.place(object, target, placement)? {
            Placed::Done => return Ok(()),
            Placed::Absent => {}
            Placed::Refused(error) => self.refuse(error),
        }
        let Some(shared) = self.remote() else {
            return Err(missing());
        };
        if !shared.wait(shared.remote.download(object))? {
            return Err(missing());
        }
        match self.folder.place(object, target, placement)? {
            Placed::Done => Ok(()),
            Placed::Absent => Err(missing()),
            Placed::Refused(error) => Err(error),
        }
    }

    /// Puts all objects of a build into a folder, by their names, several at once: the whole of a hit in one call. `None` is
    /// a miss; what is in the folder then is to be thrown away.
    pub fn restore(
        &self,
        key: &CacheKey,
        folder: &Path,
        placement: Placement,
    ) -> Result<Option<Entry>, CacheError> {
        let Some(entry) = self.get(key)? else {
            return Ok(None);
        };
        if let Some(shared) = self.remote() {
            let missing = entry.objects.iter().filter(|object| !self.folder.has(object));
            let downloads = missing.map(|object| shared.remote.download(object));
            for result in shared.wait(futures_util::future::join_all(downloads)) {
                if !result? {
                    return Ok(None);
                }
            }
        }
        for object in &entry.objects {
            match self.fetch(object, &folder.join(object.name.as_str()), placement) {
                Err(error) if error.is_miss() => return Ok(None),
                other => other?,
            }
        }
        Ok(Some(entry))
    }

    /// Takes the result of a build: into the local folder before this returns, to the remote in the background. What was
    /// there of the same build is replaced.
    pub fn put(&self, key: &CacheKey, new: NewEntry) -> Result<Entry, CacheError> {
        let unfit = |reason: String| CacheError::Unfit {
            key: key.clone(),
            reason,
        };
        self.lease.hold_entry(key)?;
        let mut objects = Vec::with_capacity(new.files.len());
        for (name, path) in new.files {
            let (sha256, size) = self.folder.take(&path, &self.lease)?;
            objects.push(Object { name, sha256, size });
        }
        objects.sort_by(|one, other| one.name.cmp(&other.name));
        let entry = Entry {
            key: key.clone(),
            objects,
            facts: new.facts,
            finished: new.finished,
            took: new.took,
        };
        let mut bytes = document::render(&entry).map_err(unfit)?;
        // As it will be read: times are shortened.
        let entry = document::parse(key, &bytes).map_err(unfit)?;
        let signing_key = self
            .shared
            .as_ref()
            .and_then(|shared| shared.remote.signing_key());
        if let Some(signing_key) = signing_key {
            bytes = document::sign(bytes, signing_key).map_err(unfit)?;
        }
        self.folder.write(key, &bytes)?;
        if let Some(shared) = &self.shared
            && signing_key.is_some()
        {
            self.share(shared, entry.clone(), bytes);
        }
        Ok(entry)
    }

    /// Whether results go to a remote: there is one, it is not away as far as is known, and it may be written to.
    pub fn shares(&self) -> bool {
        self.remote()
            .is_some_and(|shared| shared.remote.signing_key().is_some())
    }

    /// Begins to give all results of the local folder that are whole to the remote, as [`put`](Self::put) does with new ones;
    /// says how many. [`finish`](Self::finish) waits for them. Without a remote that may be written to, it does nothing.
    pub fn share_all(&self) -> Result<u64, CacheError> {
        let Some(shared) = &self.shared else { return Ok(0) };
        let Some(signing_key) = shared.remote.signing_key() else {
            return Ok(0);
        };
        let mut count = 0;
        for key in self.folder.keys()? {
            self.lease.hold_entry(&key)?;
            let Found::Entry(entry) = self.folder.read(&key)? else {
                continue;
            };
            if !entry.objects.iter().all(|object| self.folder.has(object)) {
                continue;
            }
            let signed = document::render(&entry).and_then(|bytes| document::sign(bytes, signing_key));
            let bytes = signed.map_err(|reason| CacheError::Unfit { key, reason })?;
            self.share(shared, entry, bytes);
            count += 1;
            if count % SHARED_AT_ONCE == 0 {
                self.finish();
            }
        }
        Ok(count)
    }

    /// Waits for uploads, as long as the limits allow, and says what the cache was good for. Never fails: what was not
    /// shared is a notice.
    pub fn finish(&self) -> Statistics {
        if let Some(shared) = &self.shared {
            let uploads = std::mem::take(&mut *shared.uploads());
            let limit = shared.remote.limits().finish;
            let cut_off = shared.wait(finish(uploads, limit));
            if cut_off > 0 {
                self.counters.not_shared.add(cut_off);
                (self.notify)(Notice::NotShared(CacheError::Transfer {
                    action: "write to",
                    place: shared.remote.place().to_owned(),
                    reason: format!("{cut_off} results were not there after {} s", limit.as_secs()),
                }));
            }
        }
        self.statistics()
    }

    /// What the cache was good for so far.
    pub fn statistics(&self) -> Statistics {
        let counters = &self.counters;
        Statistics {
            local_hits: counters.local_hits.get(),
            remote_hits: counters.remote_hits.get(),
            misses: counters.misses.get(),
            refused: counters.refused.get(),
            downloaded: counters.downloaded.get(),
            uploaded: counters.uploaded.get(),
            shared: counters.shared.get(),
            not_shared: counters.not_shared.get(),
        }
    }

    /// The remote, while it is of use.
    fn remote(&self) -> Option<&Shared> {
        self.shared.as_ref().filter(|shared| shared.remote.is_there())
    }

    fn refuse(&self, error: CacheError) {
        self.counters.refused.add(1);
        (self.notify)(Notice::Refused(error));
    }

    /// Begins to give an entry to the remote.
    fn share(&self, shared: &Shared, entry: Entry, bytes: Vec<u8>) {
        let mut uploads = shared.uploads();
        uploads.retain(|upload| !upload.is_finished());
        if uploads.len() >= WAITING_MAX {
            self.counters.not_shared.add(1);
            (self.notify)(Notice::NotShared(CacheError::Transfer {
                action: "write to",
                place: shared.remote.place().to_owned(),
                reason: format!("{WAITING_MAX} results wait already"),
            }));
            return;
        }
        let remote = Arc::clone(&shared.remote);
        let upload = async move { remote.share(&entry, bytes).await };
        uploads.push(shared.runtime.spawn(upload));
    }
}

/// Waits for uploads; says how many were given up.
async fn finish(uploads: Vec<JoinHandle<()>>, limit: Duration) -> u64 {
    let end = tokio::time::Instant::now() + limit;
    let mut cut_off = 0;
    for mut upload in uploads {
        // One that panicked has told so on stderr; it is not shared either.
        match tokio::time::timeout_at(end, &mut upload).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => cut_off += 1,
            Err(_) => {
                upload.abort();
                cut_off += 1;
            }
        }
    }
    cut_off
}

impl Shared {
    fn start(remote: Remote) -> Result<Self, CacheError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("build-cache")
            .enable_all()
            .build()
            .map_err(|error| CacheError::Remote {
                url: remote.place().to_owned(),
                reason: format!("its threads cannot be started: {error}"),
            })?;
        Ok(Self {
            remote: Arc::new(remote),
            runtime,
            uploads: Mutex::default(),
        })
    }

    /// Waits for an answer.
    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    fn uploads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    /// What is still on its way is given up: to wait for it is `finish`.
    fn drop(&mut self) {
        for upload in self.uploads().drain(..) {
            upload.abort();
        }
    }
}
