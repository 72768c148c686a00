//! A folder of `.deb` files, each named by its digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use lazuli_deb::Sha256Digest;
use rayon::prelude::*;

use crate::apt::{Download, Site};
use crate::archive::{DebianArchive, Freshness, check, read_limited};
use crate::error::{UpstreamError, Vanished};
use crate::index::Index;
use crate::lock::LockedPackage;
use crate::progress::{OnProgress, Progress};

/// How many files one run of apt fetches: their addresses must fit its command line.
const FILES_AT_ONCE: usize = 500;

/// The folder for what is being fetched.
const INCOMING: &str = "incoming";

/// A content-addressed folder of packages: `ab/abcd….deb`.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// What a fetch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FetchSummary {
    /// How many packages were in the store already.
    pub present: usize,
    /// How many were fetched.
    pub fetched: usize,
    /// How many bytes those have.
    pub bytes: u64,
}

/// A package that is not in the store, and where it may be.
struct Wanted<'p> {
    package: &'p LockedPackage,
    /// Addresses to try, the likeliest first.
    uris: Vec<String>,
}

/// Collects what apt says when files do not come.
#[derive(Default)]
struct Round {
    message: String,
    bytes: u64,
}

impl Store {
    /// The store of a cache folder; it is made when it is missing.
    pub fn open(cache: &Path) -> Result<Self, UpstreamError> {
        let folder = cache.join("debs");
        let folder = std::path::absolute(&folder).map_err(UpstreamError::io("find", &folder))?;
        std::fs::create_dir_all(&folder).map_err(UpstreamError::io("make the folder", &folder))?;
        Ok(Self { folder })
    }

    /// Where the package with a digest is, or would be.
    pub fn path(&self, sha256: &Sha256Digest) -> PathBuf {
        let name = sha256.to_string();
        self.folder.join(&name[..2]).join(format!("{name}.deb"))
    }

    /// Whether there is a file for a digest. Its content is checked when it is read.
    pub fn contains(&self, sha256: &Sha256Digest) -> bool {
        self.path(sha256).exists()
    }

    /// Reads a package and checks its digest and size.
    pub fn read(&self, package: &LockedPackage) -> Result<Vec<u8>, UpstreamError> {
        let path = self.path(&package.sha256);
        let bytes = read_limited(&path, package.size)?;
        let name = format!("{} ({} {})", path.display(), package.name, package.version);
        check(&name, &bytes, &package.sha256, package.size)?;
        Ok(bytes)
    }

    /// Makes sure that all packages are in the store. Nothing is fetched that is there with the right digest.
    pub fn fetch(
        &self,
        archive: &DebianArchive,
        packages: &[LockedPackage],
        progress: OnProgress<'_>,
    ) -> Result<FetchSummary, UpstreamError> {
        progress(&Progress::Checking {
            packages: packages.len(),
        });
        let mut seen = BTreeSet::new();
        let distinct: Vec<&LockedPackage> = packages
            .iter()
            .filter(|package| seen.insert(package.sha256))
            .collect();
        let missing: Vec<&LockedPackage> = distinct
            .par_iter()
            .copied()
            .filter(|package| self.read(package).is_err())
            .collect();
        let mut summary = FetchSummary {
            present: distinct.len() - missing.len(),
            fetched: missing.len(),
            bytes: 0,
        };
        if missing.is_empty() {
            return Ok(summary);
        }
        // The index tells which suite, thus which archive, has what; without one, all are tried.
        let index = match archive.is_fetched() {
            true => archive.index(Freshness::Cached, progress).ok(),
            false => None,
        };
        let wanted: Vec<Wanted<'_>> = missing
            .iter()
            .map(|package| Wanted {
                package,
                uris: candidates(archive.sites(), index.as_ref(), package),
            })
            .collect();
        let incoming = self.incoming()?;
        let mut round = Round::default();
        let mut rest: Vec<&Wanted<'_>> = wanted.iter().collect();
        for attempt in 0..archive.sites().len() {
            let (now, never): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|wanted| attempt < wanted.uris.len());
            self.fetch_round(archive, &now, attempt, incoming.path(), &mut round, progress)?;
            rest = never;
            rest.extend(
                now.into_iter()
                    .filter(|wanted| !self.contains(&wanted.package.sha256)),
            );
            if rest.is_empty() {
                break;
            }
        }
        summary.bytes = round.bytes;
        match rest.is_empty() {
            true => Ok(summary),
            false => Err(explain(archive, &rest, round.message, progress)),
        }
    }

    /// A new folder, on the same file system, for files that are on their way. It goes when it is dropped; what a kill
    /// left behind is removed here once nobody holds it.
    fn incoming(&self) -> Result<Incoming, UpstreamError> {
        let parent = self.folder.join(INCOMING);
        std::fs::create_dir_all(&parent).map_err(UpstreamError::io("make the folder", &parent))?;
        // One at a time: a folder that is not held yet must not look stale to others.
        let turn = File::open(&parent).map_err(UpstreamError::io("open", &parent))?;
        turn.lock().map_err(UpstreamError::io("lock", &parent))?;
        let listing = std::fs::read_dir(&parent).map_err(UpstreamError::io("read", &parent))?;
        for stale in listing.flatten().map(|entry| entry.path()) {
            let unheld = File::open(&stale).is_ok_and(|folder| folder.try_lock().is_ok());
            if unheld {
                // Someone else may be removing it too; what stays is removed the next time.
                let _ = std::fs::remove_dir_all(&stale);
            }
        }
        let folder = tempfile::Builder::new()
            .prefix("fetch-")
            .tempdir_in(&parent)
            .map_err(UpstreamError::io("make a folder in", &parent))?;
        let held = File::open(folder.path()).map_err(UpstreamError::io("open", folder.path()))?;
        held.lock().map_err(UpstreamError::io("lock", folder.path()))?;
        Ok(Incoming { folder, _held: held })
    }

    /// Fetches each package from its address number `attempt`, and takes what comes into the store.
    fn fetch_round(
        &self,
        archive: &DebianArchive,
        wanted: &[&Wanted<'_>],
        attempt: usize,
        incoming: &Path,
        round: &mut Round,
        progress: OnProgress<'_>,
    ) -> Result<(), UpstreamError> {
        let size = |wanted: &[&Wanted<'_>]| wanted.iter().map(|wanted| wanted.package.size).sum::<u64>();
        let (packages, total) = (wanted.len(), size(wanted));
        let (mut before, mut reached) = (0, 0);
        for chunk in wanted.chunks(FILES_AT_ONCE) {
            let chunk_size = size(chunk);
            let mut report = |fraction: f32| {
                // apt estimates anew as sizes become known; what was reported is not taken back.
                reached = reached
                    .max(before + (chunk_size as f64 * f64::from(fraction)) as u64)
                    .min(total);
                let done = reached;
                progress(&Progress::Fetching {
                    packages,
                    done,
                    total,
                });
            };
            let mut downloads = Vec::new();
            for Wanted { package, uris } in chunk {
                let target = incoming.join(package.sha256.to_string());
                match uris[attempt].strip_prefix("file:") {
                    None => downloads.push(Download {
                        uri: uris[attempt].clone(),
                        target,
                        sha256: package.sha256,
                    }),
                    Some(path) => {
                        let source = PathBuf::from(format!("/{}", path.trim_start_matches('/')));
                        if let Err(error) = std::fs::copy(&source, &target) {
                            round
                                .message
                                .push_str(&format!("{}: {error}\n", source.display()));
                        }
                    }
                }
            }
            if !downloads.is_empty() {
                round
                    .message
                    .push_str(&archive.apt().download(&downloads, &mut report)?);
            }
            let taken: Result<Vec<bool>, UpstreamError> = chunk
                .par_iter()
                .map(|wanted| self.take(wanted, &wanted.uris[attempt], incoming))
                .collect();
            let taken = taken?;
            self.sync(chunk, &taken)?;
            before += chunk_size;
            round.bytes += chunk
                .iter()
                .zip(&taken)
                .filter(|(_, taken)| **taken)
                .map(|(w, _)| w.package.size)
                .sum::<u64>();
            progress(&Progress::Fetching {
                packages,
                done: before,
                total,
            });
        }
        Ok(())
    }

    /// Checks a file that came, and gives it its name. `false` if it did not come.
    fn take(&self, wanted: &Wanted<'_>, uri: &str, incoming: &Path) -> Result<bool, UpstreamError> {
        let package = wanted.package;
        let source = incoming.join(package.sha256.to_string());
        // apt sets aside what has another digest than we told it.
        let refused = incoming.join(format!("{}.FAILED", package.sha256));
        if refused.exists() {
            let bytes = read_limited(&refused, MAX_REFUSED)?;
            check(uri, &bytes, &package.sha256, package.size)?;
        }
        if !source.exists() {
            return Ok(false);
        }
        let bytes = std::fs::read(&source).map_err(UpstreamError::io("read", &source))?;
        check(uri, &bytes, &package.sha256, package.size)?;
        let target = self.path(&package.sha256);
        lazuli_durable::adopt(&source, &target).map_err(UpstreamError::io("write", &target))?;
        Ok(true)
    }

    /// Makes the names of what was taken survive a power cut.
    fn sync(&self, chunk: &[&Wanted<'_>], taken: &[bool]) -> Result<(), UpstreamError> {
        let paths = chunk
            .iter()
            .zip(taken)
            .filter(|(_, taken)| **taken)
            .map(|(w, _)| self.path(&w.package.sha256));
        let mut folders: BTreeSet<PathBuf> = paths
            .filter_map(|path| path.parent().map(Path::to_owned))
            .collect();
        folders.insert(self.folder.clone());
        for folder in folders {
            lazuli_durable::sync_folder(&folder).map_err(UpstreamError::io("sync", &folder))?;
        }
        Ok(())
    }
}

/// The most bytes of a refused file that are read to say what is wrong with it.
const MAX_REFUSED: u64 = 4 << 30;

/// A folder for files on their way, held by a lock.
struct Incoming {
    folder: tempfile::TempDir,
    _held: File,
}

impl Incoming {
    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The addresses that a package may have, the likeliest first.
fn candidates(sites: &[Site], index: Option<&Index>, package: &LockedPackage) -> Vec<String> {
    let known = index.and_then(|index| index.find(package.name.as_str(), &package.sha256));
    let suite = package
        .suite
        .as_ref()
        .or_else(|| known.as_ref().and_then(|entry| entry.suite()));
    let mut ordered: Vec<&Site> = sites.iter().collect();
    // Debian's security archive keeps its files below a folder of their own.
    let security = package.filename.starts_with("pool/updates/");
    ordered.sort_by_key(|site| {
        (
            Some(&site.suite) != suite,
            site.suite.as_str().ends_with("-security") != security,
        )
    });
    let mut uris: Vec<String> = Vec::new();
    for site in ordered {
        let uri = format!("{}/{}", site.uri, package.filename);
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    uris
}

/// Why packages did not come: the archive has others now, or something is wrong with the way to it.
fn explain(
    archive: &DebianArchive,
    rest: &[&Wanted<'_>],
    message: String,
    progress: OnProgress<'_>,
) -> UpstreamError {
    let files: Vec<String> = rest
        .iter()
        .filter_map(|wanted| wanted.uris.first().cloned())
        .collect();
    let index = match archive.index(Freshness::Newest, progress) {
        Ok(index) => index,
        Err(error) => {
            let message = format!(
                "{}\nNor could the lists be fetched anew: {error}",
                message.trim_end()
            );
            return UpstreamError::Fetch { files, message };
        }
    };
    let gone = |package: &&LockedPackage| index.find(package.name.as_str(), &package.sha256).is_none();
    let vanished: BTreeMap<_, Vanished> = rest
        .iter()
        .map(|wanted| wanted.package)
        .filter(gone)
        .map(|package| {
            let newest = index
                .get(package.name.as_str())
                .and_then(|entry| entry.version().ok());
            let (name, version) = (package.name.clone(), package.version.clone());
            (
                (name.clone(), version.as_str().to_owned()),
                Vanished {
                    name,
                    version,
                    newest,
                },
            )
        })
        .collect();
    match vanished.is_empty() {
        true => UpstreamError::Fetch { files, message },
        false => UpstreamError::Vanished {
            packages: vanished.into_values().collect(),
        },
    }
}
