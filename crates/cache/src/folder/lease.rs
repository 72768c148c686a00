//! What a process uses, so that another does not collect it.
//!
//! Each open cache has a file in `leases`, locked as long as it lives, with a line for each entry and object that it uses.
//! Lines are added while the folder's turn lock (on `leases` itself) is held together with others; a collection holds it
//! alone. So whatever is in a lease before a collection begins is kept by it, and whatever is added later is looked for
//! after the collection is over.

use super::{Folder, LEASES, listing, remove};
use crate::failpoint::step;
use crate::{CacheError, CacheKey};
use lazuli_catalog::Sha256Digest;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many names for a lease are tried: processes of other containers can have the same number.
const NAMES_TRIED: usize = 1000;

const ENTRY: &str = "entry ";
const OBJECT: &str = "object ";

/// What this process uses. Dropped, it uses nothing any more.
#[derive(Debug)]
pub(crate) struct Lease {
    folder: Folder,
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    held: HashSet<String>,
}

/// What living processes use.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) entries: HashSet<CacheKey>,
    pub(super) objects: HashSet<Sha256Digest>,
}

impl Lease {
    /// Begins a lease.
    pub(crate) fn take(folder: &Folder) -> Result<Self, CacheError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let _turn = folder.turn_together()?;
        for _ in 0..NAMES_TRIED {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{number}", std::process::id());
            let path = folder.path.join(LEASES).join(name);
            let file = match OpenOptions::new().append(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file.map_err(CacheError::io("create", &path))?,
            };
            file.lock().map_err(CacheError::io("lock", &path))?;
            step("lease: taken");
            let held = HashSet::new();
            return Ok(Self {
                folder: folder.clone(),
                path,
                state: Mutex::new(State { file, held }),
            });
        }
        let path = folder.path.join(LEASES);
        let error = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(CacheError::io("make a lease in", path)(error))
    }

    /// Keeps an entry, and all objects that it names, from being collected.
    pub(crate) fn hold_entry(&self, key: &CacheKey) -> Result<(), CacheError> {
        self.hold(format!("{ENTRY}{key}"))
    }

    /// Keeps an object that no entry names yet from being collected.
    pub(crate) fn hold_object(&self, sha256: &Sha256Digest) -> Result<(), CacheError> {
        self.hold(format!("{OBJECT}{sha256}"))
    }

    fn hold(&self, line: String) -> Result<(), CacheError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.held.contains(&line) {
            return Ok(());
        }
        let _turn = self.folder.turn_together()?;
        state
            .file
            .write_all(format!("{line}\n").as_bytes())
            .map_err(CacheError::io("write", &self.path))?;
        state.held.insert(line);
        step("lease: written");
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A collection removes what stays.
        let _ = fs::remove_file(&self.path);
    }
}

impl Folder {
    /// Shares the folder with others that use it, as long as the file is open.
    fn turn_together(&self) -> Result<File, CacheError> {
        let path = self.path.join(LEASES);
        let turn = File::open(&path).map_err(CacheError::io("open", &path))?;
        turn.lock_shared().map_err(CacheError::io("lock", &path))?;
        Ok(turn)
    }

    /// Waits until nobody begins to use anything, as long as the file is open.
    pub(super) fn turn_alone(&self) -> Result<File, CacheError> {
        let path = self.path.join(LEASES);
        let turn = File::open(&path).map_err(CacheError::io("open", &path))?;
        turn.lock().map_err(CacheError::io("lock", &path))?;
        Ok(turn)
    }

    /// What living processes use. Leases of those that are gone are removed.
    pub(super) fn held(&self) -> Result<Held, CacheError> {
        let mut held = Held::default();
        for path in listing(&self.path.join(LEASES))? {
            let file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file.map_err(CacheError::io("open", &path))?,
            };
            if file.try_lock().is_ok() {
                remove(&path)?;
                continue;
            }
            let text = match fs::read_to_string(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                text => text.map_err(CacheError::io("read", &path))?,
            };
            for line in text.lines() {
                if let Some(key) = line.strip_prefix(ENTRY) {
                    held.entries.extend(CacheKey::new(key).ok());
                } else if let Some(sha256) = line.strip_prefix(OBJECT) {
                    held.objects.extend(Sha256Digest::new(sha256).ok());
                }
            }
        }
        Ok(held)
    }
}
