//! Debian source packages: `InRelease` → `Sources` → `.dsc` and tarballs, each link checked by digest.
//!
//! apt fetches; what it brings comes into the store only if it has the digest and the size that the signed list names,
//! and if the `.dsc` names the same files as the list.

use std::fs::File;
use std::path::Path;

use lazuli_catalog::Sha256Digest;
use lazuli_upstream::{
    Freshness, SourceArchive, SourceFiles, SourcePackage, SourcePackageFile, UpstreamError, Vanished,
};

use crate::digest::Digest;
use crate::error::SourceError;
use crate::name::FileName;
use crate::progress::{OnProgress, Origin, Progress};
use crate::request::{DebianRequest, DebianSource, NamedFile, StoredFile};
use crate::settings::Network;
use crate::store::Store;

/// The largest `.dsc`, in bytes; real ones have some thousands.
const MAX_DSC: u64 = 4 << 20;

pub(crate) fn fetch(
    store: &Store,
    request: &DebianRequest,
    network: Network,
    progress: OnProgress<'_>,
) -> Result<DebianSource, SourceError> {
    let archive = SourceArchive::open(request.archive.clone())?;
    let freshness = match network {
        Network::Allowed => request.freshness,
        Network::Off if archive.is_fetched() => Freshness::Cached,
        Network::Off => {
            let what = format!("the lists of the archive that has {}", request.package);
            return Err(SourceError::Offline { what });
        }
    };
    let package = choose(&archive, request, freshness, network)?;
    let what = format!("{} {}", package.name, package.version);
    let (files, origin) = match stored(store, &package, request.files)? {
        Some(files) => (files, Origin::Cache),
        None if network == Network::Off => return Err(SourceError::Offline { what }),
        None => {
            let files = download(store, &archive, &package, request.files, &what, progress)?;
            (files, Origin::Network)
        }
    };
    let (mut pristine, mut dsc, mut others) = (Vec::new(), None, Vec::new());
    for (listed, file) in package.files(request.files).zip(files) {
        if *listed == package.dsc {
            let content = store.read(&(&file.file.sha256).into(), MAX_DSC)?;
            package.check_dsc(&content.unwrap_or_default())?;
            dsc = Some(file);
        } else if package.is_pristine(listed) {
            pristine.push(file);
        } else {
            others.push(file);
        }
    }
    progress(&Progress::Finished { what, from: origin });
    Ok(DebianSource {
        package: package.name,
        version: package.version,
        suite: package.suite.to_string(),
        format: package.format,
        pristine,
        dsc,
        others,
    })
}

/// The version that is asked for, or the newest. Lists of the cache that do not have it are fetched anew.
fn choose(
    archive: &SourceArchive,
    request: &DebianRequest,
    freshness: Freshness,
    network: Network,
) -> Result<SourcePackage, SourceError> {
    let quiet = |_: &lazuli_upstream::Progress| ();
    let mut versions = archive.index(freshness, &quiet)?.versions(&request.package)?;
    let wanted = |package: &SourcePackage| {
        let version = request.version.as_ref();
        version.is_none_or(|version| *version == package.version)
    };
    let stale = freshness == Freshness::Cached && network == Network::Allowed;
    if stale && !versions.iter().any(wanted) {
        versions = archive
            .index(Freshness::Newest, &quiet)?
            .versions(&request.package)?;
    }
    let newest = versions.first().map(|package| package.version.clone());
    let found = versions.into_iter().find(wanted);
    let (name, version) = (request.package.clone(), request.version.clone());
    found.ok_or_else(|| {
        let error = match version {
            Some(version) => UpstreamError::Vanished {
                packages: vec![Vanished {
                    name,
                    version,
                    newest,
                }],
            },
            None => UpstreamError::Unknown { names: vec![name] },
        };
        error.into()
    })
}

/// The files of a package, in the order of its list, if the store has them.
fn stored(
    store: &Store,
    package: &SourcePackage,
    wanted: SourceFiles,
) -> Result<Option<Vec<NamedFile>>, SourceError> {
    let mut files = Vec::new();
    for file in package.files(wanted) {
        let Some(stored) = store.find(&digest(file)?.into())? else {
            return Ok(None);
        };
        let name = FileName::new(&file.name)?;
        files.push(NamedFile { name, file: stored });
    }
    Ok(Some(files))
}

fn download(
    store: &Store,
    archive: &SourceArchive,
    package: &SourcePackage,
    wanted: SourceFiles,
    what: &str,
    progress: OnProgress<'_>,
) -> Result<Vec<NamedFile>, SourceError> {
    let _lock = store.lock(&digest(&package.dsc)?.into())?;
    if let Some(files) = stored(store, package, wanted)? {
        return Ok(files);
    }
    progress(&Progress::Started {
        what: what.to_owned(),
    });
    let incoming = store.folder_for_incoming()?;
    let report = |update: &lazuli_upstream::Progress| {
        if let lazuli_upstream::Progress::Fetching { done, total, .. } = update {
            progress(&Progress::Bytes {
                what: what.to_owned(),
                done: *done,
                total: Some(*total),
            });
        }
    };
    archive.download(package, wanted, incoming.path(), &report)?;
    package
        .files(wanted)
        .map(|file| {
            let name = FileName::new(&file.name)?;
            let file = take(store, file, &incoming.path().join(name.as_str()))?;
            Ok(NamedFile { name, file })
        })
        .collect()
}

/// Takes a file that apt brought into the store, if it is the one that the list names.
fn take(store: &Store, listed: &SourcePackageFile, path: &Path) -> Result<StoredFile, SourceError> {
    let mut file = File::open(path).map_err(SourceError::io("open", path))?;
    let expected = [Digest::from(digest(listed)?)];
    let stored = store.insert_from(&mut file, &listed.name, listed.size, &expected)?;
    match stored.size == listed.size {
        true => Ok(stored),
        // One digest, two sizes: the list contradicts itself.
        false => Err(SourceError::TooLarge {
            what: listed.name.clone(),
            limit: stored.size,
        }),
    }
}

fn digest(file: &SourcePackageFile) -> Result<Sha256Digest, SourceError> {
    Sha256Digest::new(file.sha256.to_string()).map_err(|error| SourceError::Settings {
        reason: error.to_string(),
    })
}
