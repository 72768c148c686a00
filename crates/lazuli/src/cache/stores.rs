//! What else is in the cache folder: downloads, and what is cheaper kept than made.
//!
//! All of it comes again when it is missing. These stores keep no note of who uses what, so that what was used in the last
//! hour is taken to be in use.

use crate::failure::{Failure, Kind, OrFail, Result};
use indicatif::ProgressBar;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What was used so lately may be in use.
const IN_USE: Duration = Duration::from_secs(3600);

/// How deep folders are.
const DEPTH_MAX: usize = 64;

/// How the right bytes of a file are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// Its name, behind that of its folder: `ab/cdef…`.
    FolderAndName,
    /// Its name without what is behind the dot.
    Name,
    /// What the `.json` beside it says.
    Record,
    /// Not at all: it is made anew when it does not fit.
    None,
}

/// A folder of files that stand for themselves.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) name: &'static str,
    /// Below the cache.
    folder: &'static str,
    check: Check,
}

/// The stores that are known.
pub(super) const STORES: &[Store] = &[
    Store {
        name: "debs",
        folder: "upstream/debs",
        check: Check::Name,
    },
    Store {
        name: "packages",
        folder: "packages",
        check: Check::Record,
    },
    Store {
        name: "sources",
        folder: "sources/objects",
        check: Check::FolderAndName,
    },
    Store {
        name: "specs",
        folder: "specs",
        check: Check::None,
    },
];

/// Files that go together.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) paths: Vec<PathBuf>,
    pub(super) last: SystemTime,
    pub(super) bytes: u64,
}

impl Item {
    /// Whether it may go: used last at the time or before, and not lately.
    pub(super) fn is_unused(&self, since: Option<SystemTime>) -> bool {
        let lately = SystemTime::now() - IN_USE;
        since.is_some_and(|time| self.last <= time) && self.last < lately
    }

    pub(super) fn remove(&self) -> Result<()> {
        for path in &self.paths {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Failure::new(Kind::Environment, error)
                        .context(format!("failed to remove {}", path.display())));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Store {
    /// All that is in it; unfinished files are left to those who write them.
    pub(super) fn items(&self, cache: &Path) -> Result<Vec<Item>> {
        let folder = cache.join(self.folder);
        let mut items: BTreeMap<PathBuf, Item> = BTreeMap::new();
        for (path, file) in files(&folder)? {
            let is_hidden = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            // What a program of others is bringing has no digest for a name yet.
            if is_hidden || path.starts_with(folder.join("incoming")) {
                continue;
            }
            let name = match self.check {
                // A package and its record stay and go together.
                Check::Record => path.with_extension(""),
                _ => path.clone(),
            };
            let last = [file.modified(), file.accessed()].into_iter().flatten().max();
            let last = last.unwrap_or(SystemTime::UNIX_EPOCH);
            let item = items.entry(name).or_insert(Item {
                paths: Vec::new(),
                last,
                bytes: 0,
            });
            item.paths.push(path);
            item.last = item.last.max(last);
            item.bytes += file.len();
        }
        let mut items: Vec<Item> = items.into_values().collect();
        for item in &mut items {
            // A package before its record.
            item.paths.sort_by(|one, other| other.cmp(one));
        }
        Ok(items)
    }

    /// The damaged ones, with what is wrong.
    pub(super) fn verify<'i>(&self, items: &'i [Item], bar: &ProgressBar) -> Result<Vec<(&'i Item, String)>> {
        let problems = items.par_iter().map(|item| {
            let problem = self.problem(item)?;
            bar.inc(1);
            Ok(problem.map(|problem| (item, problem)))
        });
        let problems = problems
            .collect::<io::Result<Vec<_>>>()
            .or_fail(Kind::Environment)?;
        Ok(problems.into_iter().flatten().collect())
    }

    fn problem(&self, item: &Item) -> io::Result<Option<String>> {
        let Some(path) = item.paths.first() else {
            return Ok(None);
        };
        let name = |path: Option<&Path>| {
            let name = path.and_then(Path::file_name).unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (file, expected) = match self.check {
            Check::None => return Ok(None),
            Check::Name => (path, stem),
            Check::FolderAndName => (path, name(path.parent()) + &name(Some(path.as_path()))),
            Check::Record => match recorded(&item.paths) {
                Ok((file, expected)) => (file, expected),
                Err(problem) => return Ok(Some(problem)),
            },
        };
        Ok(match digest(file) {
            Ok(found) if found == expected => None,
            Ok(found) => Some(format!("its bytes have the digest {found}, not {expected}")),
            // Gone in the meantime.
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(format!("it cannot be read: {error}")),
        })
    }
}

/// Of a package and its record: the package, and the digest that the record says.
fn recorded(paths: &[PathBuf]) -> std::result::Result<(&PathBuf, String), String> {
    let with = |end: &str| {
        let is_it = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == end);
        paths.iter().find(is_it)
    };
    let (Some(record), Some(package)) = (with("json"), with("rpm")) else {
        return Err("the package or its record is missing".to_owned());
    };
    let text = fs::read(record).map_err(|error| format!("its record cannot be read: {error}"))?;
    let record: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| format!("its record cannot be read: {error}"))?;
    match record["sha256"].as_str() {
        Some(sha256) => Ok((package, sha256.to_owned())),
        None => Err("its record names no digest".to_owned()),
    }
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut HashWriter(&mut hasher))?;
    Ok(hex::encode(hasher.finalize()))
}

/// Bytes that are written are hashed.
struct HashWriter<'h>(&'h mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Of each part of the cache but the build results: name, files, bytes.
pub(super) fn sizes(cache: &Path) -> Result<Vec<(String, u64, u64)>> {
    let mut sizes: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (path, file) in files(cache)? {
        let Ok(below) = path.strip_prefix(cache) else {
            continue;
        };
        if below.starts_with(super::BUILDS) {
            continue;
        }
        let store = STORES.iter().find(|store| below.starts_with(store.folder));
        // `upstream/apt` and `sources/names` are parts of what they are in; a folder that is not known has its own name.
        let name = match store {
            Some(store) => store.name.to_owned(),
            None => match below.components().count() {
                1 => "other".to_owned(),
                _ => {
                    let first = below.components().next().map(|part| part.as_os_str().to_owned());
                    let first = first.unwrap_or_default().to_string_lossy().into_owned();
                    match first.as_str() {
                        "upstream" => "upstream/indexes".to_owned(),
                        "sources" => "sources/records".to_owned(),
                        _ => first,
                    }
                }
            },
        };
        let size = sizes.entry(name).or_default();
        *size = (size.0 + 1, size.1 + file.len());
    }
    let sizes = sizes
        .into_iter()
        .map(|(name, (files, bytes))| (name, files, bytes));
    Ok(sizes.collect())
}

/// All plain files below a folder; what is gone in the meantime, or may not be read, is left out.
fn files(folder: &Path) -> Result<Vec<(PathBuf, Metadata)>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            // Roots of builds have folders that only their owner reads.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                continue;
            }
            entries => entries
                .or_fail(Kind::Environment)
                .map_err(|failure| failure.context(format!("failed to read {}", folder.display())))?,
        };
        for entry in entries {
            let entry = entry.or_fail(Kind::Environment)?;
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && depth < DEPTH_MAX {
                folders.push((entry.path(), depth + 1));
            } else if metadata.is_file() {
                found.push((entry.path(), metadata));
            }
        }
    }
    Ok(found)
}
