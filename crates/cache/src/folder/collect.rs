//! Collecting what is not needed any more.
//!
//! What was not used for the longest time goes first. Entries go before the objects that only they name, so that a kill in
//! between leaves objects without an entry, which the next collection removes, and never an entry that lies.

use super::{ENTRIES, Folder, INCOMING, OBJECTS, listing, remove};
use crate::failpoint::step;
use crate::{CacheError, CacheKey, Entry};
use lazuli_catalog::Sha256Digest;
use lazuli_durable as durable;
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Whether a collection removes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// What would go is said, and stays.
    DryRun,
    /// It goes.
    Remove,
}

/// When something was used last, and how many bytes go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// When it was used last.
    pub last: SystemTime,
    /// Bytes that nothing that was used later needs.
    pub bytes: u64,
}

/// What a collection did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Entries that went.
    pub entries: u64,
    /// Objects that went.
    pub objects: u64,
    /// Files of killed writers that went.
    pub leftovers: u64,
    /// Bytes that went.
    pub bytes: u64,
    /// Bytes that stay.
    pub kept: u64,
    /// Entries that would have gone, were they not in use.
    pub in_use: u64,
}

/// The time at and before which the last use must be for all to go, so that the rest has at most `max` bytes; `None` if all
/// of it fits.
#[must_use]
pub fn cutoff(mut uses: Vec<Use>, max: u64) -> Option<SystemTime> {
    uses.sort_by_key(|used| std::cmp::Reverse(used.last));
    let mut total = 0_u64;
    let first_too_many = uses.iter().find(|used| {
        total = total.saturating_add(used.bytes);
        total > max
    })?;
    Some(first_too_many.last)
}

/// An entry's file.
struct Item {
    key: CacheKey,
    path: PathBuf,
    last: SystemTime,
    size: u64,
    /// `None` if it is damaged.
    entry: Option<Entry>,
}

impl Folder {
    /// When entries were used last, and the bytes that each adds to those that were used later.
    pub fn uses(&self) -> Result<Vec<Use>, CacheError> {
        let mut items = self.items()?;
        items.sort_by_key(|item| std::cmp::Reverse(item.last));
        let mut seen = HashSet::new();
        let uses = items.into_iter().map(|item| {
            let fresh = item
                .entry
                .iter()
                .flat_map(|entry| &entry.objects)
                .filter(|object| self.has(object));
            let fresh = fresh.filter(|object| seen.insert(object.sha256.clone()));
            Use {
                last: item.last,
                bytes: item.size + fresh.map(|object| object.size).sum::<u64>(),
            }
        });
        Ok(uses.collect())
    }

    /// Removes entries that were used last at a time or before, objects that no entry names, and what killed writers left.
    /// What another process uses stays.
    pub fn collect(
        &self,
        unused_since: Option<SystemTime>,
        collection: Collection,
    ) -> Result<Collected, CacheError> {
        // From here on nobody begins to use anything.
        let _turn = self.turn_alone()?;
        let held = self.held()?;
        let mut done = Collected::default();
        if collection == Collection::Remove {
            done.leftovers = self.reclaim()?;
        }
        let mut needed = held.objects;
        let mut folders = BTreeSet::new();
        for item in self.items()? {
            let is_old = item.entry.is_none() || unused_since.is_some_and(|time| item.last <= time);
            let is_held = held.entries.contains(&item.key);
            done.in_use += u64::from(is_old && is_held);
            if is_old && !is_held {
                done.entries += 1;
                done.bytes += item.size;
                discard(&item.path, collection, &mut folders)?;
            } else {
                done.kept += item.size;
                let objects = item.entry.into_iter().flat_map(|entry| entry.objects);
                needed.extend(objects.map(|object| object.sha256));
            }
        }
        // That entries are gone must be known before what they name is.
        sync(&mut folders)?;
        self.collect_objects(&needed, collection, &mut done)?;
        Ok(done)
    }

    fn collect_objects(
        &self,
        needed: &HashSet<Sha256Digest>,
        collection: Collection,
        done: &mut Collected,
    ) -> Result<(), CacheError> {
        let mut folders = BTreeSet::new();
        for (sha256, path) in self.objects()? {
            let size = size_of(&path);
            if needed.contains(&sha256) {
                done.kept += size;
            } else {
                done.objects += 1;
                done.bytes += size;
                discard(&path, collection, &mut folders)?;
            }
        }
        sync(&mut folders)
    }

    /// All entries.
    fn items(&self) -> Result<Vec<Item>, CacheError> {
        let mut items = Vec::new();
        for (key, path) in self.entries()? {
            let Ok(metadata) = fs::metadata(&path) else {
                // Gone in the meantime.
                continue;
            };
            items.push(Item {
                entry: self.peek(&key)?.and_then(Result::ok),
                key,
                path,
                last: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                size: metadata.len(),
            });
        }
        Ok(items)
    }

    /// Removes what killed writers left.
    fn reclaim(&self) -> Result<u64, CacheError> {
        let mut folders = vec![self.path.join(INCOMING)];
        for kind in [OBJECTS, ENTRIES] {
            let fan = listing(&self.path.join(kind))?.into_iter();
            folders.extend(fan.filter(|path| path.is_dir()));
        }
        let mut count = 0;
        for folder in folders {
            count += durable::reclaim(&folder).map_err(CacheError::io("clean", &folder))? as u64;
        }
        Ok(count)
    }
}

fn size_of(path: &Path) -> u64 {
    // A file that is gone in the meantime has none.
    fs::metadata(path).map_or(0, |file| file.len())
}

/// Removes a file, if that is wanted, and notes its folder.
fn discard(path: &Path, collection: Collection, folders: &mut BTreeSet<PathBuf>) -> Result<(), CacheError> {
    if collection == Collection::Remove {
        remove(path)?;
        folders.extend(path.parent().map(Path::to_owned));
        step("collect: removed");
    }
    Ok(())
}

fn sync(folders: &mut BTreeSet<PathBuf>) -> Result<(), CacheError> {
    for folder in std::mem::take(folders) {
        durable::sync_folder(&folder).map_err(CacheError::io("sync", &folder))?;
    }
    step("collect: synced");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_longest_unused_goes_first() {
        let used = |seconds, bytes| Use {
            last: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            bytes,
        };
        let uses = || vec![used(3, 10), used(1, 10), used(2, 10), used(4, 0)];
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(cutoff(uses(), 30), None);
        assert_eq!(cutoff(uses(), 29), at(1));
        assert_eq!(cutoff(uses(), 10), at(2));
        assert_eq!(cutoff(uses(), 0), at(3));
        assert_eq!(cutoff(Vec::new(), 0), None);
    }
}
