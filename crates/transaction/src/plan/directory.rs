//! Folders: owned by many, made once.

use super::conflict::{Claim, Owners};
use lazuli_rpm::FileEntry;

/// A folder to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedDirectory {
    /// Its real path.
    pub(crate) path: Vec<u8>,
    pub(crate) mode: u16,
    pub(crate) user: String,
    pub(crate) group: String,
    pub(crate) mtime: u32,
}

/// What most packages say of a folder without meaning anything by it.
const ORDINARY_MODE: u16 = 0o755;

/// One entry for each folder, sorted, so that parents come first.
///
/// Where packages disagree, one that says something special (`/tmp` with its sticky bit, a folder of a service's user)
/// wins over the many that list the folder in passing; of several special ones the last wins, and it is noted.
pub(super) fn merge(owners: &Owners<'_>, notes: &mut Vec<String>) -> Vec<PlannedDirectory> {
    let mut directories = Vec::new();
    for (path, claims) in owners.iter() {
        let mut folders = claims
            .iter()
            .filter(|claim| claim.file.is_directory() && !claim.file.is_ghost());
        let Some(mut chosen) = folders.next() else {
            continue;
        };
        for other in folders {
            let disagree = attributes(chosen.file) != attributes(other.file);
            if disagree && is_special(chosen.file) && is_special(other.file) {
                notes.push(disagreement(path, chosen, other));
            }
            if is_special(other.file) || !is_special(chosen.file) {
                chosen = other;
            }
        }
        directories.push(PlannedDirectory {
            path: path.to_vec(),
            mode: chosen.file.mode & 0o7777,
            user: chosen.file.user.clone(),
            group: chosen.file.group.clone(),
            mtime: chosen.file.mtime,
        });
    }
    directories.sort_by(|left, right| left.path.cmp(&right.path));
    directories
}

fn attributes(file: &FileEntry) -> (u16, &str, &str) {
    (file.mode & 0o7777, &file.user, &file.group)
}

fn is_special(file: &FileEntry) -> bool {
    attributes(file) != (ORDINARY_MODE, "root", "root")
}

fn disagreement(path: &[u8], left: &Claim<'_>, right: &Claim<'_>) -> String {
    let words = |claim: &Claim<'_>| {
        let (mode, user, group) = attributes(claim.file);
        format!("{} says {mode:o} {user}:{group}", claim.metadata.nevra.name)
    };
    format!(
        "{}: {}, {}; the latter counts",
        crate::root::text(path),
        words(left),
        words(right)
    )
}
