//! Resolved buildroots, by the digest of all that decides which packages they have. Solving and reading repositories takes
//! longer than all else where nothing is to be built.

use super::error::WorkshopError;
use crate::{BUILDER_VERSION, ContentDigest, Digest, Origin, PackageSet, RootPackage};
use lazuli_rpm::{Evr, Nevra};
use serde::{Deserialize, Serialize};
use std::fs::DirEntry;
use std::path::PathBuf;
use std::time::SystemTime;

/// The version of the files, and of what they mean.
const VERSION: u32 = 1;
/// Buildroots that are remembered; beyond, the oldest are forgotten.
const REMEMBERED_MAX: usize = 4096;

/// Remembers in a folder.
#[derive(Debug)]
pub(super) struct Memo {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    version: u32,
    packages: Vec<Row>,
}

/// A package of a buildroot.
#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    evr: String,
    arch: String,
    digest: Digest,
    content: ContentDigest,
    path: PathBuf,
    origin: Origin,
}

impl Memo {
    /// Opens the folder, which may be missing, and forgets what is too much.
    pub(super) fn open(folder: PathBuf) -> Self {
        forget(&folder);
        Self { folder }
    }

    /// The digest of a question: its parts, of which none can look like two.
    pub(super) fn question(parts: &[&str]) -> Digest {
        let mut text = format!("{VERSION}.{BUILDER_VERSION}\n");
        for part in parts {
            text.push_str(&format!("{} {part}\n", part.len()));
        }
        Digest::of(text.as_bytes())
    }

    /// What the answer was. What can't be read is not known.
    pub(super) fn get(&self, question: &Digest) -> Option<PackageSet> {
        let text = std::fs::read(self.path(question)).ok()?;
        let answer: Answer = serde_json::from_slice(&text).ok()?;
        let package = |row: Row| {
            Some(RootPackage {
                nevra: Nevra {
                    name: row.name,
                    evr: Evr::parse(&row.evr).ok()?,
                    arch: row.arch,
                },
                digest: row.digest,
                content: row.content,
                path: row.path,
                origin: row.origin,
            })
        };
        let packages: Option<Vec<RootPackage>> = answer.packages.into_iter().map(package).collect();
        packages
            .filter(|_| answer.version == VERSION)
            .map(PackageSet::new)
    }

    /// Remembers an answer.
    pub(super) fn put(&self, question: &Digest, set: &PackageSet) -> Result<(), WorkshopError> {
        let row = |package: &RootPackage| Row {
            name: package.nevra.name.clone(),
            evr: package.nevra.evr.to_string(),
            arch: package.nevra.arch.clone(),
            digest: package.digest,
            content: package.content,
            path: package.path.clone(),
            origin: package.origin,
        };
        let answer = Answer {
            version: VERSION,
            packages: set.packages().iter().map(row).collect(),
        };
        let path = self.path(question);
        let text = serde_json::to_vec(&answer).map_err(std::io::Error::from);
        text.and_then(|text| lazuli_durable::write(&path, &text))
            .map_err(WorkshopError::io("write", path))
    }

    fn path(&self, question: &Digest) -> PathBuf {
        self.folder.join(format!("{question}.json"))
    }
}

/// Removes the oldest files of a folder that has too many. What can't be removed is left for the next time.
fn forget(folder: &std::path::Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut entries: Vec<DirEntry> = entries.flatten().collect();
    let surplus = entries.len().saturating_sub(REMEMBERED_MAX);
    if surplus == 0 {
        return;
    }
    let time = |entry: &DirEntry| {
        entry
            .metadata()
            .and_then(|file| file.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    entries.sort_by_cached_key(time);
    for entry in entries.iter().take(surplus) {
        let _ = std::fs::remove_file(entry.path());
    }
}
