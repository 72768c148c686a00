//! Write `repodata/` for a folder of packages.

use crate::digests::Digests;
use crate::packages::{self, Entry};
use crate::{MetadataSigner, TrustError};
use lazuli_repodata::{
    DataEntry, MetadataError, PackageRecord, Repomd, compression, filelists, other, primary,
};
use rayon::prelude::*;
use std::fs::File;
use std::path::{Path, PathBuf};

/// How to make a repository.
pub struct CreateOptions<'a> {
    /// Signs `repomd.xml`; `None` leaves the repository unsigned, which our own tools refuse by default.
    pub signer: Option<&'a dyn MetadataSigner>,
    /// Revision and timestamps, seconds since 1970: `SOURCE_DATE_EPOCH`, never the clock. Must not go down from one
    /// publication to the next.
    pub revision: u64,
    /// Threads; 0 takes one for each core.
    pub workers: usize,
    /// zstd level, 1 to 22.
    pub zstd_level: i32,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Packages in the repository.
    pub packages: usize,
    /// Packages whose file is unchanged since the last time, so that only its headers were read.
    pub reused: usize,
    /// The revision that was written.
    pub revision: u64,
    /// Bytes of the package files.
    pub package_bytes: u64,
    /// Bytes of the metadata files.
    pub metadata_bytes: u64,
}

/// Why a repository could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A file or folder operation failed.
    #[error("failed to {action} {path}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A package cannot be read.
    #[error("failed to read package {path}: {reason}")]
    Package {
        /// The package file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process works on the repository.
    #[error("another process is working on {path}")]
    Busy {
        /// The repository.
        path: PathBuf,
    },
    /// Metadata cannot be read.
    #[error("failed to read the metadata of {path}")]
    Metadata {
        /// The repository.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: MetadataError,
    },
    /// The signature could not be made.
    #[error("failed to sign {path}")]
    Sign {
        /// The file to sign.
        path: PathBuf,
        /// What the signer says.
        #[source]
        source: TrustError,
    },
}

/// The name of the metadata folder.
pub(crate) const REPODATA: &str = "repodata";

/// Reads all `*.rpm` below `dir` and writes `dir/repodata`. A kill at any time leaves the old metadata or the new.
///
/// The same packages, options and key give the same bytes, in any folder.
pub fn create(dir: &Path, options: &CreateOptions<'_>) -> Result<Report, ComposeError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.workers)
        .build();
    let _lock = lock(dir)?;
    remove_leftovers(dir)?;
    let locations = packages::find(dir)?;
    let known = Digests::read(dir);
    let read = || -> Result<Vec<Entry>, ComposeError> {
        locations
            .par_iter()
            .map(|location| packages::read(dir, location, &known))
            .collect()
    };
    let entries = match &pool {
        Ok(pool) => pool.install(read),
        // Threads that cannot be had are done without.
        Err(_) => read(),
    }?;
    let mut digests = Digests::default();
    let mut report = Report {
        packages: entries.len(),
        reused: entries.iter().filter(|entry| entry.is_reused).count(),
        revision: options.revision,
        package_bytes: entries.iter().map(|entry| entry.record.size.package).sum(),
        metadata_bytes: 0,
    };
    let mut records = Vec::with_capacity(entries.len());
    for entry in entries {
        digests.insert(&entry.record.location, entry.stamp, entry.digest);
        records.push(entry.record);
    }
    let (revision, level) = (options.revision, options.zstd_level);
    let make = || metadata_files(dir, &records, revision, level);
    let made = match &pool {
        Ok(pool) => pool.install(make),
        Err(_) => make(),
    }?;
    let files = index_files(dir, made, options)?;
    report.metadata_bytes = files.iter().map(|(_, content)| content.len() as u64).sum();
    publish(dir, &files)?;
    write(&dir.join(crate::digests::FILE), digests.to_text().as_bytes())?;
    Ok(report)
}

/// The metadata files, each with its entry in the index.
fn metadata_files(
    dir: &Path,
    records: &[PackageRecord],
    revision: u64,
    level: i32,
) -> Result<Vec<(DataEntry, Vec<u8>)>, ComposeError> {
    type Write = fn(&[PackageRecord]) -> Vec<u8>;
    let kinds: [(&str, Write); 3] = [
        ("primary", primary::write),
        ("filelists", filelists::write),
        ("other", other::write),
    ];
    kinds
        .par_iter()
        .map(|(kind, write_xml)| {
            let name = format!("{kind}.xml.zst");
            let open = write_xml(records);
            let path = || dir.join(REPODATA).join(&name);
            let packed = compression::compress_zstd(&open, level).map_err(|source| ComposeError::Io {
                action: "compress",
                path: path(),
                source,
            })?;
            Ok((DataEntry::describe(kind, &name, &packed, &open, revision), packed))
        })
        .collect()
}

/// Names and contents of all files of `repodata`: the metadata, its index, and the signature of that.
fn index_files(
    dir: &Path,
    made: Vec<(DataEntry, Vec<u8>)>,
    options: &CreateOptions<'_>,
) -> Result<Vec<(String, Vec<u8>)>, ComposeError> {
    let repomd = Repomd {
        revision: options.revision.to_string(),
        data: made.iter().map(|(entry, _)| entry.clone()).collect(),
    };
    let repomd_xml = repomd.to_xml();
    let mut files: Vec<(String, Vec<u8>)> = Vec::with_capacity(6);
    for (entry, packed) in made {
        let name = entry
            .location
            .strip_prefix("repodata/")
            .unwrap_or(&entry.location);
        files.push((name.to_owned(), packed));
    }
    if let Some(signer) = options.signer {
        let (signature, certificate) =
            signatures(&dir.join(REPODATA).join("repomd.xml"), &repomd_xml, signer)?;
        files.push(("repomd.xml.asc".to_owned(), signature));
        files.push(("repomd.xml.key".to_owned(), certificate));
    }
    files.push(("repomd.xml".to_owned(), repomd_xml));
    Ok(files)
}

/// A detached signature of the index, and the certificate that verifies it.
fn signatures(
    path: &Path,
    repomd_xml: &[u8],
    signer: &dyn MetadataSigner,
) -> Result<(Vec<u8>, Vec<u8>), ComposeError> {
    let fail = |source| ComposeError::Sign {
        path: path.to_owned(),
        source,
    };
    Ok((
        signer.sign_detached(repomd_xml).map_err(fail)?,
        signer.certificate().map_err(fail)?,
    ))
}

/// Puts a new `repodata` in the place of the old one.
fn publish(dir: &Path, files: &[(String, Vec<u8>)]) -> Result<(), ComposeError> {
    let target = dir.join(REPODATA);
    let new = lazuli_durable::temporary_beside(&target);
    let result = files
        .iter()
        .try_for_each(|(name, content)| write(&new.join(name), content))
        .and_then(|()| {
            lazuli_durable::replace_folder(&new, &target).map_err(|source| ComposeError::Io {
                action: "replace",
                path: target.clone(),
                source,
            })
        });
    if result.is_err() {
        // The error that is being returned says more than one of cleaning up would.
        let _ = std::fs::remove_dir_all(&new);
    }
    result
}

fn write(path: &Path, content: &[u8]) -> Result<(), ComposeError> {
    lazuli_durable::write(path, content).map_err(|source| ComposeError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// Only one process at a time works on a repository. The lock is on the folder and goes with the process.
fn lock(dir: &Path) -> Result<File, ComposeError> {
    let fail = |action, source| ComposeError::Io {
        action,
        path: dir.to_owned(),
        source,
    };
    let folder = File::open(dir).map_err(|source| fail("open folder", source))?;
    match rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(folder),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(ComposeError::Busy { path: dir.to_owned() }),
        Err(error) => Err(fail("lock", error.into())),
    }
}

/// Removes what a killed run left behind.
fn remove_leftovers(dir: &Path) -> Result<(), ComposeError> {
    let fail = |action, path: &Path| {
        let path = path.to_owned();
        move |source| ComposeError::Io { action, path, source }
    };
    for entry in std::fs::read_dir(dir).map_err(fail("read folder", dir))? {
        let entry = entry.map_err(fail("read folder", dir))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.ends_with(REPODATA) || name.ends_with(crate::digests::FILE);
        if !name.starts_with(lazuli_durable::TEMPORARY_PREFIX) || !is_ours {
            continue;
        }
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_folder {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        removed.map_err(fail("remove", &path))?;
    }
    Ok(())
}

/// Signs the `repomd.xml` of `dir` anew.
pub fn sign(dir: &Path, signer: &dyn MetadataSigner) -> Result<(), ComposeError> {
    let _lock = lock(dir)?;
    let path = dir.join(REPODATA).join("repomd.xml");
    let content = std::fs::read(&path).map_err(|source| ComposeError::Io {
        action: "read",
        path: path.clone(),
        source,
    })?;
    // What is no index is not signed.
    Repomd::parse(&content).map_err(|source| ComposeError::Metadata {
        path: dir.to_owned(),
        source,
    })?;
    let (signature, certificate) = signatures(&path, &content, signer)?;
    write(&dir.join(REPODATA).join("repomd.xml.key"), &certificate)?;
    write(&dir.join(REPODATA).join("repomd.xml.asc"), &signature)
}
