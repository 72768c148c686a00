//! Fetching packages: several at once, each checked before it gets its name.

use crate::failure::{Failure, Kind, Result};
use crate::fetch::Source;
use crate::repository::{MAX_PACKAGE, Repository};
use lazuli_repodata::{Checksum, PackageRecord};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many packages are fetched at once.
const WORKERS: usize = 4;

/// Is told of bytes that arrived, from several threads.
pub trait DownloadProgress: Sync {
    /// So many bytes of all in all are there.
    fn arrived(&self, bytes: u64);
}

/// A package to fetch.
pub(crate) struct Wanted<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) record: &'a PackageRecord,
}

/// Fetched packages: where they are, and which of them are only in passing.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) temporary: Vec<PathBuf>,
}

/// Bytes that have to be fetched.
pub(crate) fn size(wanted: &[Wanted<'_>]) -> u64 {
    wanted
        .iter()
        .filter(|one| !is_local(one))
        .map(|one| one.record.size.package)
        .sum()
}

fn is_local(one: &Wanted<'_>) -> bool {
    one.repository.source().folder().is_some() || place(one).exists()
}

/// Where a fetched package is kept: under its digest, so that equal names of different content do not meet.
fn place(one: &Wanted<'_>) -> PathBuf {
    let name = one.record.location.rsplit('/').next().unwrap_or("package");
    let digest = hex::encode(one.record.checksum.as_bytes());
    one.repository
        .package_folder()
        .join(format!("{}-{name}", digest.get(..16).unwrap_or(&digest)))
}

/// Fetches all; answers their places in the same order. The first failure, in that order, is the error.
pub(crate) fn fetch(wanted: &[Wanted<'_>], progress: &dyn DownloadProgress) -> Result<Fetched> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Result<PathBuf>>>> = Mutex::new(wanted.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS.min(wanted.len()) {
            scope.spawn(|| {
                while let Some((at, one)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    wanted.get(at).map(|one| (at, one))
                } {
                    let result = fetch_one(one, progress);
                    let failed = result.is_err();
                    if let Ok(mut results) = results.lock()
                        && let Some(slot) = results.get_mut(at)
                    {
                        *slot = Some(result);
                    }
                    if failed {
                        // No use in fetching the rest.
                        next.store(wanted.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut fetched = Fetched::default();
    let results = results.into_inner().unwrap_or_default();
    let error = results.iter().position(|result| matches!(result, Some(Err(_))));
    for (at, (result, one)) in results.into_iter().zip(wanted).enumerate() {
        match result {
            Some(Ok(path)) => {
                if one.repository.source().folder().is_none() {
                    fetched.temporary.push(path.clone());
                }
                fetched.paths.push(path);
            }
            Some(Err(e)) if error == Some(at) => return Err(e),
            _ => {}
        }
    }
    Ok(fetched)
}

fn fetch_one(one: &Wanted<'_>, progress: &dyn DownloadProgress) -> Result<PathBuf> {
    if let Some(folder) = one.repository.source().folder() {
        // Its digest is checked when it is opened.
        return Ok(folder.join(&one.record.location));
    }
    let path = place(one);
    if path.exists() && matches(&path, &one.record.checksum)? {
        return Ok(path);
    }
    let other;
    let source = match &one.record.base {
        Some(base) => {
            other = Source::of(&[base.trim_end_matches('/').to_owned()]);
            &other
        }
        None => one.repository.source(),
    };
    download(source, one.record, &path, progress)?;
    Ok(path)
}

fn download(
    source: &Source,
    record: &PackageRecord,
    path: &Path,
    progress: &dyn DownloadProgress,
) -> Result<()> {
    let environment = |e: std::io::Error| Failure::new(Kind::Environment, e);
    let limit = if record.size.package == 0 {
        MAX_PACKAGE
    } else {
        record.size.package
    };
    let pending = RefCell::new(lazuli_durable::Pending::create(path, 0o644).map_err(environment)?);
    let received = RefCell::new(0u64);
    let mut restart = || {
        use std::io::Seek;
        *received.borrow_mut() = 0;
        let mut pending = pending.borrow_mut();
        pending.file().set_len(0)?;
        pending.file().rewind()
    };
    let mut take = |block: &[u8]| {
        progress.arrived(block.len() as u64);
        *received.borrow_mut() += block.len() as u64;
        pending.borrow_mut().file().write_all(block)
    };
    source
        .read(&record.location, limit, &mut restart, &mut take)
        .map_err(|e| Failure::of(Kind::Environment, &e))?;
    let pending = pending.into_inner();
    if !matches(pending.temporary(), &record.checksum)? {
        let text = format!(
            "{}: the fetched package does not have the promised checksum {}",
            record.nevra, record.checksum
        );
        return Err(Failure::new(Kind::Trust, text)
            .hint("a damaged mirror, or an attack: nothing was used; try again later"));
    }
    pending.commit().map_err(environment)
}

/// Whether a file has a checksum.
fn matches(path: &Path, checksum: &Checksum) -> Result<bool> {
    let fail = |e: std::io::Error| {
        Failure::new(
            Kind::Environment,
            format!("failed to read {}: {e}", path.display()),
        )
    };
    match checksum.as_sha256() {
        Some(expected) => {
            let mut hasher = Sha256::new();
            let mut file = std::fs::File::open(path).map_err(fail)?;
            std::io::copy(&mut file, &mut HashWriter(&mut hasher)).map_err(fail)?;
            Ok(<[u8; 32]>::from(hasher.finalize()) == expected)
        }
        None => Ok(checksum.matches(&std::fs::read(path).map_err(fail)?)),
    }
}

struct HashWriter<'h>(&'h mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
