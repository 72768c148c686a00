//! The local folder.

mod collect;
mod lease;
mod objects;
mod usage;
mod verify;

pub use collect::{Collected, Collection, Use, cutoff};
pub(crate) use lease::Lease;
pub(crate) use objects::{Hashing, Placed};
pub use usage::{ObjectKind, Share, Usage};
pub use verify::{Damage, OnDamage, Verified};

use crate::document::{self, ENTRY_MAX};
use crate::failpoint::step;
use crate::{CacheError, CacheKey, Entry, Object};
use lazuli_catalog::Sha256Digest;
use lazuli_durable as durable;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const OBJECTS: &str = "objects";
const ENTRIES: &str = "entries";
const LEASES: &str = "leases";
const INCOMING: &str = "incoming";

/// How many hexadecimal digits of a name are its folder.
const FAN: usize = 2;

/// What the name of an entry's file ends with.
const SUFFIX: &str = ".json";

/// A local folder of build results: the layout is in the documentation of the crate.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// What there is of an entry.
#[derive(Debug)]
pub(crate) enum Found {
    Entry(Entry),
    Absent,
    /// It was damaged, and is removed.
    Refused(CacheError),
}

impl Folder {
    /// The folder at a path; it is made when it is missing.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let path = std::path::absolute(path).map_err(CacheError::io("find", path))?;
        for name in [OBJECTS, ENTRIES, LEASES, INCOMING] {
            let folder = path.join(name);
            fs::create_dir_all(&folder).map_err(CacheError::io("make folder", &folder))?;
        }
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn object_path(&self, sha256: &Sha256Digest) -> PathBuf {
        self.path.join(object_name(sha256))
    }

    pub(crate) fn entry_path(&self, key: &CacheKey) -> PathBuf {
        self.path.join(entry_name(key))
    }

    /// Whether there is a file of the right size for an object. Its bytes are checked when they are used.
    pub(crate) fn has(&self, object: &Object) -> bool {
        fs::metadata(self.object_path(&object.sha256)).is_ok_and(|file| file.len() == object.size)
    }

    /// Reads an entry; a damaged one is removed.
    pub(crate) fn read(&self, key: &CacheKey) -> Result<Found, CacheError> {
        match self.peek(key)? {
            None => Ok(Found::Absent),
            Some(Ok(entry)) => Ok(Found::Entry(entry)),
            Some(Err(reason)) => {
                let path = self.entry_path(key);
                remove(&path)?;
                Ok(Found::Refused(CacheError::Entry {
                    place: path.display().to_string(),
                    key: key.clone(),
                    reason,
                }))
            }
        }
    }

    /// Reads an entry, or says what is wrong with it; `None` if there is none.
    fn peek(&self, key: &CacheKey) -> Result<Option<Result<Entry, String>>, CacheError> {
        let path = self.entry_path(key);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(CacheError::io("open", &path))?,
        };
        let mut bytes = Vec::new();
        file.take(ENTRY_MAX)
            .read_to_end(&mut bytes)
            .map_err(CacheError::io("read", &path))?;
        // What is longer is cut off here, and is no entry then.
        Ok(Some(document::parse(key, &bytes)))
    }

    /// Writes an entry, whose objects are here already or in a remote.
    pub(crate) fn write(&self, key: &CacheKey, bytes: &[u8]) -> Result<(), CacheError> {
        let path = self.entry_path(key);
        let folder = self.fan(&path)?;
        step("entry: folder");
        durable::write(&path, bytes).map_err(CacheError::io("write", &path))?;
        step("entry: written");
        durable::sync_folder(&folder).map_err(CacheError::io("sync", &folder))
    }

    /// Notes that an entry is used now. The times of files are this note: without it an entry is only collected earlier.
    pub(crate) fn touch(&self, key: &CacheKey) -> Result<(), CacheError> {
        let path = self.entry_path(key);
        let touched = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        match touched {
            // Another user's folder that we may read, or another process replaced it just now.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::PermissionDenied
                        | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(())
            }
            other => other.map_err(CacheError::io("set the time of", &path)),
        }
    }

    /// Makes the folder that a file goes into, so that its name survives a power cut.
    fn fan(&self, path: &Path) -> Result<PathBuf, CacheError> {
        let folder = path.parent().unwrap_or(&self.path).to_owned();
        match fs::create_dir(&folder) {
            Ok(()) => {
                let above = folder.parent().unwrap_or(&self.path);
                durable::sync_folder(above).map_err(CacheError::io("sync", above))?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(CacheError::io("make folder", &folder)(error)),
        }
        Ok(folder)
    }

    /// The keys of all entries.
    pub(crate) fn keys(&self) -> Result<Vec<CacheKey>, CacheError> {
        Ok(self.entries()?.into_iter().map(|(key, _)| key).collect())
    }

    /// All files below `objects` or `entries` whose names are whole: name and path, in order.
    fn files(&self, kind: &str) -> Result<Vec<(String, PathBuf)>, CacheError> {
        let mut files = Vec::new();
        for folder in listing(&self.path.join(kind))? {
            let prefix = file_name(&folder);
            if prefix.len() != FAN || !folder.is_dir() {
                continue;
            }
            for path in listing(&folder)? {
                let name = file_name(&path);
                if !name.starts_with(durable::TEMPORARY_PREFIX) {
                    let name = name.strip_suffix(SUFFIX).unwrap_or(&name);
                    files.push((format!("{prefix}{name}"), path.clone()));
                }
            }
        }
        Ok(files)
    }

    /// All objects; files that are none are left out.
    fn objects(&self) -> Result<Vec<(Sha256Digest, PathBuf)>, CacheError> {
        let files = self.files(OBJECTS)?.into_iter();
        let known = files.filter_map(|(name, path)| Some((Sha256Digest::new(name).ok()?, path)));
        Ok(known.collect())
    }

    /// The keys of all entries; files that are none are left out.
    fn entries(&self) -> Result<Vec<(CacheKey, PathBuf)>, CacheError> {
        let files = self.files(ENTRIES)?.into_iter();
        let known = files.filter_map(|(name, path)| Some((CacheKey::new(name).ok()?, path)));
        Ok(known.collect())
    }
}

/// Where an object is below a folder or a remote's prefix.
pub(crate) fn object_name(sha256: &Sha256Digest) -> String {
    let (fan, rest) = sha256.as_str().split_at(FAN);
    format!("{OBJECTS}/{fan}/{rest}")
}

/// Where an entry is below a folder or a remote's prefix.
pub(crate) fn entry_name(key: &CacheKey) -> String {
    let (fan, rest) = key.as_str().split_at(FAN);
    format!("{ENTRIES}/{fan}/{rest}{SUFFIX}")
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// What is in a folder, in order; a missing one is empty.
fn listing(folder: &Path) -> Result<Vec<PathBuf>, CacheError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(CacheError::io("read", folder))?,
    };
    let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(CacheError::io("read", folder))?;
    paths.sort();
    Ok(paths)
}

/// Removes a file; one that is gone already is as good.
fn remove(path: &Path) -> Result<(), CacheError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CacheError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
