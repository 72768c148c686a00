//! Looking whether all is as it should be.

use super::{Folder, Hashing, remove};
use crate::CacheError;
use lazuli_catalog::Sha256Digest;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What is done with damaged files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// They are reported.
    Report,
    /// They are removed too: they are fetched or built again.
    Remove,
}

/// A damaged file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Which.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many entries were read.
    pub entries: u64,
    /// How many objects were hashed.
    pub objects: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// What is damaged.
    pub damaged: Vec<Damage>,
}

impl Folder {
    /// Reads all entries and hashes all objects. `progress` hears how many objects and bytes were hashed so far.
    ///
    /// That an object of an entry is not here is no damage: it may be in a remote.
    pub fn verify(
        &self,
        on_damage: OnDamage,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Verified, CacheError> {
        let mut damaged = Vec::new();
        let mut report = |path: &Path, problem: String| {
            let path = path.to_owned();
            damaged.push(Damage { path, problem });
        };
        let (mut entries, mut objects, mut bytes) = (0, 0, 0);
        for (key, path) in self.entries()? {
            entries += 1;
            if let Some(Err(problem)) = self.peek(&key)? {
                report(&path, problem);
            }
        }
        for (sha256, path) in self.objects()? {
            if let Some(size) = check(&sha256, &path, &mut report)? {
                objects += 1;
                bytes += size;
            }
            progress(objects, bytes);
        }
        if on_damage == OnDamage::Remove {
            for damage in &damaged {
                remove(&damage.path)?;
            }
        }
        Ok(Verified {
            entries,
            objects,
            bytes,
            damaged,
        })
    }
}

/// Hashes an object; its size, or `None` if it is gone in the meantime.
fn check(
    sha256: &Sha256Digest,
    path: &Path,
    report: &mut impl FnMut(&Path, String),
) -> Result<Option<u64>, CacheError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(CacheError::io("open", path))?,
    };
    match Hashing::read(&mut file) {
        Ok((found, size)) => {
            if found != *sha256 {
                report(path, format!("its bytes have the digest {found}"));
            }
            Ok(Some(size))
        }
        // The disk cannot give it back: that is damage, too.
        Err(error) => {
            report(path, format!("it cannot be read: {error}"));
            Ok(Some(0))
        }
    }
}
