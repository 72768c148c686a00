//! Indexes over the pool: from a name's hash to where it occurs.
//!
//! One sorted list of (hash, package, position) costs one allocation for 600,000 provides, where a map of strings
//! costs as many as there are names. A hit must be compared with the name, since hashes may meet.

use crate::PackageId;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

/// Where something is found: a package, and which of its items.
pub(crate) type Hit = (PackageId, usize);

/// A multimap from names to hits.
#[derive(Default)]
pub(crate) struct HashIndex {
    /// Sorted by hash, then package, then position.
    entries: Vec<(u64, u32, u32)>,
}

impl HashIndex {
    pub(crate) fn build<'a>(items: impl Iterator<Item = (&'a str, PackageId, usize)>) -> Self {
        let mut entries: Vec<(u64, u32, u32)> = items
            .map(|(name, package, position)| (hash(name), package.0, position as u32))
            .collect();
        entries.sort_unstable();
        Self { entries }
    }

    /// All entries whose name may be `name`, ordered by package and position.
    pub(crate) fn candidates(&self, name: &str) -> impl Iterator<Item = Hit> {
        let wanted = hash(name);
        let start = self.entries.partition_point(|(hash, _, _)| *hash < wanted);
        self.entries[start..]
            .iter()
            .take_while(move |(hash, _, _)| *hash == wanted)
            .map(|(_, package, position)| (PackageId(*package), *position as usize))
    }
}

/// With fixed keys, so that the order of packages never depends on the run.
fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name.as_bytes());
    hasher.finish()
}
