//! Finding layers, and the locks that keep them while they are used.
//!
//! ```text
//! FOLDER/
//!   base-DIGEST/root/      a root tree
//!   layer-DIGEST/upper/    what a dependency layer adds: an upper folder of an overlay
//!   …/about.json           what is in it, and how large it is
//!   …/used                 its modification time is that of the last use
//!   locks/NAME             held while a layer is made (exclusive) or used (shared)
//!   work-…                 a layer that is being made; nobody reads it
//! ```
//!
//! A layer has its final name only when all of it is on the disk. A process that is killed while it makes one leaves a
//! folder `work-…`, which the next one that makes a layer removes, and a lock that ends with it.

use super::make::{self, Below};
use super::{LAYOUT_VERSION, PackageSet, Stock};
use crate::error::IoContext;
use crate::{BuildError, ContentIndex, Digest};
use lazuli_durable::WorkFolder;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often a layer is looked for anew that was collected between finding and locking it.
const FIND_TRIES: usize = 8;

pub(super) const WORK_PREFIX: &str = "work-";
const ABOUT: &str = "about.json";
const USED: &str = "used";

/// Where buildroots are kept.
#[derive(Debug)]
pub struct Buildroots {
    folder: PathBuf,
    /// Who owns what is in a layer: layers of an ordinary user are of no use to root, and the other way round.
    standing: String,
}

/// A buildroot that is ready. While it lives, its layers are not collected.
#[derive(Debug)]
pub struct Buildroot {
    /// The layers, the topmost first: lower folders of an overlay.
    pub layers: Vec<PathBuf>,
    /// All packages in it.
    pub packages: PackageSet,
    /// How many of its layers were made for it, rather than found.
    pub made: usize,
    /// How long it took to find or make it.
    pub elapsed: Duration,
    locks: Vec<File>,
}

impl Buildroot {
    /// A buildroot of folders that somebody else looks after.
    pub fn of_folders(layers: Vec<PathBuf>, packages: PackageSet) -> Self {
        Self {
            layers,
            packages,
            made: 0,
            elapsed: Duration::ZERO,
            locks: Vec::new(),
        }
    }

    /// How many layers it holds against collection.
    pub fn held(&self) -> usize {
        self.locks.len()
    }
}

/// What a collection did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Layers that are left.
    pub kept: usize,
    /// Layers that are gone.
    pub removed: usize,
    /// Bytes that are free again.
    pub freed: u64,
}

/// Gives buildroots to a build.
pub trait RootSource: Sync {
    /// A buildroot in which these requirements hold.
    fn root(&self, requires: &[String]) -> Result<Buildroot, BuildError>;
}

/// The usual source: packages from a stock, layers from the cache.
#[derive(Clone, Copy)]
pub struct Stocked<'a> {
    /// Where layers are kept.
    pub buildroots: &'a Buildroots,
    /// Which packages there are.
    pub stock: &'a Stock,
    /// The base.
    pub base: &'a PackageSet,
    /// Content digests that are known.
    pub index: &'a Mutex<ContentIndex>,
}

impl RootSource for Stocked<'_> {
    fn root(&self, requires: &[String]) -> Result<Buildroot, BuildError> {
        let whole = {
            let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
            self.stock.with(self.base, requires, &mut index)?
        };
        self.buildroots.prepare(self.base, &whole)
    }
}

/// What is known of a layer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct About {
    /// [`LAYOUT_VERSION`] when it was made.
    pub(super) layout: u32,
    /// Its packages, for people.
    pub(super) packages: Vec<String>,
    /// Bytes that it takes on the disk.
    pub(super) bytes: u64,
}

impl Buildroots {
    /// Buildroots below a folder, which is made if it is missing.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, BuildError> {
        let folder = folder.into();
        let locks = folder.join("locks");
        std::fs::create_dir_all(&locks).doing("making the folder", &locks)?;
        let folder = folder.canonicalize().doing("opening", &folder)?;
        let standing = lazuli_sandbox::standing().map_err(|source| BuildError::Sandbox {
            program: "the transaction of a buildroot".to_owned(),
            source: Box::new(source),
        })?;
        Ok(Self {
            folder,
            standing: format!("{standing:?}"),
        })
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Finds or makes the layers of a buildroot with the packages `whole`, on top of `base`. Whoever wants a layer that
    /// is being made waits for it.
    pub fn prepare(&self, base: &PackageSet, whole: &PackageSet) -> Result<Buildroot, BuildError> {
        let start = Instant::now();
        let base_name = format!("base-{}", self.digest(&[base]));
        let (base_root, base_lock, base_made) =
            self.find_or_make(&base_name, "root", |folder| make::base(folder, base))?;
        let mut buildroot = Buildroot {
            layers: vec![base_root.clone()],
            packages: whole.clone(),
            made: usize::from(base_made),
            elapsed: Duration::ZERO,
            locks: vec![base_lock],
        };
        if whole.digest() != base.digest() {
            let name = format!("layer-{}", self.digest(&[base, whole]));
            let below = Below {
                root: &base_root,
                base,
            };
            let (upper, lock, made) =
                self.find_or_make(&name, "upper", |folder| make::layer(folder, below, whole))?;
            buildroot.layers.insert(0, upper);
            buildroot.locks.push(lock);
            buildroot.made += usize::from(made);
        }
        buildroot.elapsed = start.elapsed();
        Ok(buildroot)
    }

    fn digest(&self, sets: &[&PackageSet]) -> Digest {
        let mut text = format!("{LAYOUT_VERSION} {}\n", self.standing);
        for set in sets {
            text.push_str(&set.digest().to_string());
            text.push('\n');
        }
        Digest::of(text.as_bytes())
    }

    /// The folder `part` of a layer, held by a shared lock, and whether it was made here.
    fn find_or_make(
        &self,
        name: &str,
        part: &str,
        make: impl Fn(&Path) -> Result<About, BuildError>,
    ) -> Result<(PathBuf, File, bool), BuildError> {
        let folder = self.folder.join(name);
        let mut is_made = false;
        for _ in 0..FIND_TRIES {
            let lock = self.lock_file(name)?;
            lock.lock_shared().doing("locking", self.lock_path(name))?;
            if folder.join(ABOUT).is_file() {
                touch(&folder.join(USED))?;
                return Ok((folder.join(part), lock, is_made));
            }
            lock.unlock().doing("unlocking", self.lock_path(name))?;
            lock.lock().doing("locking", self.lock_path(name))?;
            // Somebody else may have made it in the meantime.
            if !folder.join(ABOUT).is_file() {
                self.make(&folder, &make)?;
                is_made = true;
            }
        }
        Err(BuildError::Damaged {
            path: folder,
            what: "a layer of a buildroot",
            reason: "it disappears each time it is made; is the cache too small?".to_owned(),
        })
    }

    fn make(
        &self,
        target: &Path,
        make: impl Fn(&Path) -> Result<About, BuildError>,
    ) -> Result<(), BuildError> {
        let work = WorkFolder::create(&self.folder, WORK_PREFIX)
            .doing("making a work folder below", &self.folder)?;
        let about = make(work.path())?;
        let text = serde_json::to_vec_pretty(&about).map_err(std::io::Error::from);
        let path = work.path().join(ABOUT);
        let text = text.doing("writing", &path)?;
        lazuli_durable::write(&path, &text).doing("writing", &path)?;
        touch(&work.path().join(USED))?;
        lazuli_durable::sync_folder(work.path()).doing("syncing", work.path())?;
        work.keep(target).doing("naming", target)?;
        lazuli_durable::sync_folder(&self.folder).doing("syncing", &self.folder)
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        self.folder.join("locks").join(name)
    }

    fn lock_file(&self, name: &str) -> Result<File, BuildError> {
        let path = self.lock_path(name);
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .doing("opening the lock", &path)
    }

    /// Removes layers that were not used for longest until at most `limit` bytes are left; those in use stay.
    pub fn collect(&self, limit: u64) -> Result<Collected, BuildError> {
        let mut layers = self.layers()?;
        layers.sort_by_key(|layer| layer.used);
        let mut total: u64 = layers.iter().map(|layer| layer.bytes).sum();
        let mut collected = Collected {
            kept: layers.len(),
            ..Collected::default()
        };
        for layer in layers {
            if total <= limit {
                break;
            }
            let lock = self.lock_file(&layer.name)?;
            if lock.try_lock().is_err() {
                continue;
            }
            let grave = WorkFolder::create(&self.folder, WORK_PREFIX)
                .doing("making a work folder below", &self.folder)?;
            let path = self.folder.join(&layer.name);
            // Under its name it is whole or not at all.
            std::fs::rename(&path, grave.path().join("layer")).doing("removing", &path)?;
            lazuli_durable::sync_folder(&self.folder).doing("syncing", &self.folder)?;
            grave.close().doing("removing", &path)?;
            total -= layer.bytes;
            collected.kept -= 1;
            collected.removed += 1;
            collected.freed += layer.bytes;
        }
        Ok(collected)
    }

    /// Bytes of all layers.
    pub fn size(&self) -> Result<u64, BuildError> {
        Ok(self.layers()?.iter().map(|layer| layer.bytes).sum())
    }

    fn layers(&self) -> Result<Vec<Layer>, BuildError> {
        let mut layers = Vec::new();
        for entry in std::fs::read_dir(&self.folder).doing("reading the folder", &self.folder)? {
            let entry = entry.doing("reading the folder", &self.folder)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with("base-") && !name.starts_with("layer-") {
                continue;
            }
            let about = entry.path().join(ABOUT);
            let bytes = match std::fs::read(&about) {
                Ok(text) => serde_json::from_slice::<About>(&text)
                    .map(|about| about.bytes)
                    .map_err(|error| BuildError::Damaged {
                        path: about.clone(),
                        what: "the description of a layer",
                        reason: error.to_string(),
                    })?,
                // Collected by somebody else just now.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(BuildError::io("reading", about, error)),
            };
            let used = std::fs::metadata(entry.path().join(USED)).and_then(|metadata| metadata.modified());
            layers.push(Layer {
                name,
                bytes,
                used: used.unwrap_or(SystemTime::UNIX_EPOCH),
            });
        }
        Ok(layers)
    }
}

struct Layer {
    name: String,
    bytes: u64,
    used: SystemTime,
}

/// Notes that something is used now.
fn touch(path: &Path) -> Result<(), BuildError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    file.and_then(|file| file.set_modified(SystemTime::now()))
        .doing("noting the use of", path)
}
