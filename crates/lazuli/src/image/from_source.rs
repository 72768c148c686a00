//! Where the packages of an image come from: imported ones, or built ones where they exist.

use crate::failure::{Failure, Kind, Result};
use crate::workspace::Workspace;
use lazuli_image::manifest::Made;
use lazuli_openpgp::Keyring;
use lazuli_solve::{Origin, PackageId, Pool};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Of two packages of one name, the one of the lower number is taken, whatever its version.
const PRIORITY_BUILT: i32 = 50;
const PRIORITY_IMPORTED: i32 = 99;

/// The name of the repository of imported packages.
const IMPORTED: &str = "lazuli";
/// The name of the repository of what was built from source.
const BUILT: &str = "lazuli-built";

/// Which packages an image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// Imported ones.
    Imported,
    /// Those that were built from source, and imported ones where none was.
    Built,
}

/// The repositories that a pool was filled from.
pub struct Shelves {
    imported: PathBuf,
    built: PathBuf,
}

impl Shelves {
    /// Fills a pool.
    pub fn open(workspace: &Workspace, keyring: &Keyring, preference: Preference) -> Result<(Pool, Self)> {
        let shelves = Self {
            imported: workspace.repository(),
            built: workspace.built_repository(),
        };
        let mut pool = Pool::new(&workspace.architecture.to_string());
        let records = crate::repo::records(&shelves.imported, keyring)?;
        pool.add_repository(IMPORTED, PRIORITY_IMPORTED, records, None)?;
        if preference == Preference::Built {
            if !shelves.built.join("repodata").is_dir() {
                return Err(Failure::message(Kind::Failed, "nothing is built from source yet")
                    .hint("run `lazuli build --all`"));
            }
            let records = crate::repo::records(&shelves.built, keyring)?;
            pool.add_repository(BUILT, PRIORITY_BUILT, records, None)?;
        }
        Ok((pool, shelves))
    }

    /// How a package of the pool came into being.
    pub fn made(&self, pool: &Pool, package: PackageId) -> Made {
        match pool.origin(package) {
            Origin::Repository(id) if pool.repository_name(id) == BUILT => Made::Built,
            _ => Made::Imported,
        }
    }

    /// The folder that the location of a package is relative to.
    pub fn folder(&self, pool: &Pool, package: PackageId) -> &Path {
        match self.made(pool, package) {
            Made::Built => &self.built,
            Made::Imported => &self.imported,
        }
    }
}

/// How much of an image was built from source.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Share {
    /// Packages.
    packages: usize,
    /// Those of them that were built.
    built: usize,
    /// Installed bytes.
    bytes: u64,
    /// Those of them that were built.
    built_bytes: u64,
}

impl Share {
    /// Of packages, each with how it came into being and its installed bytes.
    pub fn of(packages: impl Iterator<Item = (Made, u64)>) -> Self {
        packages.fold(Self::default(), |mut share, (made, bytes)| {
            share.packages += 1;
            share.bytes += bytes;
            if made == Made::Built {
                share.built += 1;
                share.built_bytes += bytes;
            }
            share
        })
    }

    /// In words; nothing where nothing was built.
    pub fn line(&self) -> Option<String> {
        let percent = |part: f64, whole: f64| part / whole.max(1.0) * 100.0;
        (self.built > 0).then(|| {
            format!(
                "{} of {} packages are built from source ({:.0} %), {} of {} MiB installed ({:.0} %)",
                self.built,
                self.packages,
                percent(self.built as f64, self.packages as f64),
                self.built_bytes >> 20,
                self.bytes >> 20,
                percent(self.built_bytes as f64, self.bytes as f64),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_by_count_and_bytes() {
        let packages = [
            (Made::Built, 30 << 20),
            (Made::Imported, 60 << 20),
            (Made::Imported, 10 << 20),
        ];
        let line = Share::of(packages.into_iter()).line();
        let expected = "1 of 3 packages are built from source (33 %), 30 of 100 MiB installed (30 %)";
        assert_eq!(line.as_deref(), Some(expected));
        assert_eq!(Share::of([(Made::Imported, 1)].into_iter()).line(), None);
    }
}
