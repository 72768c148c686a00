//! Debian source packages: `InRelease` → `Sources` → `.dsc` and tarballs, each link checked by digest.
//!
//! apt fetches; what it brings comes into the store only if it has the digest and the size that the signed list names,
//! and if the `.dsc` names the same files as the list.

use std::fs::File;
use std::path::Path;

use lazuli_catalog::Sha256Digest;
use lazuli_deb::PackageName;
use lazuli_upstream::{
    Freshness, SourceArchive, SourceFiles, SourcePackage, SourcePackageFile, UpstreamError, Vanished,
};

use crate::digest::{Digest, HashAlgorithm};
use crate::error::{NoTarball, SourceError};
use crate::name::FileName;
use crate::progress::{OnProgress, Origin, Progress};
use crate::request::{DebianFileRequest, DebianRequest, DebianSource, NamedFile, ServedTarball, StoredFile};
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
    let freshness = usable(&archive, request.freshness, network, &request.package)?;
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

/// One tarball: of the newest version that has it, or of the version that is named.
pub(crate) fn fetch_file(
    store: &Store,
    request: &DebianFileRequest,
    network: Network,
    progress: OnProgress<'_>,
) -> Result<StoredFile, SourceError> {
    // A digest says all: whether the archive still has the file does not matter then.
    if let Some(digest) = &request.digest
        && let Some(stored) = store.find(digest)?
    {
        return Ok(stored);
    }
    let archive = SourceArchive::open(request.archive.clone())?;
    let freshness = usable(&archive, request.freshness, network, &request.package)?;
    let search = Search {
        store,
        archive: &archive,
        request,
        network,
        progress,
    };
    let stale = freshness == Freshness::Cached && network == Network::Allowed;
    match search.run(freshness) {
        // The archive has changed since its lists were fetched.
        Err(SourceError::NoTarball(_) | SourceError::Upstream(_)) if stale => search.run(Freshness::Newest),
        result => result,
    }
}

/// The search for a tarball in an archive.
struct Search<'s> {
    store: &'s Store,
    archive: &'s SourceArchive,
    request: &'s DebianFileRequest,
    network: Network,
    progress: OnProgress<'s>,
}

impl Search<'_> {
    fn run(&self, freshness: Freshness) -> Result<StoredFile, SourceError> {
        let request = self.request;
        let quiet = |_: &lazuli_upstream::Progress| ();
        let versions = self
            .archive
            .index(freshness, &quiet)?
            .versions(&request.package)?;
        for package in versions.iter().filter(|package| may_be(package, request)) {
            let what = format!("{} of {} {}", request.file, package.name, package.version);
            let (files, from) = match stored(self.store, package, SourceFiles::Pristine)? {
                Some(files) => (files, Origin::Cache),
                None if self.network == Network::Off => return Err(SourceError::Offline { what }),
                None => (self.download(package, &what)?, Origin::Network),
            };
            let found = files.into_iter().find(|file| file.name == request.file);
            if let Some(NamedFile { file, .. }) = found
                && has_digest(self.store, &file, request.digest.as_ref())?
            {
                (self.progress)(&Progress::Finished { what, from });
                return Ok(file);
            }
        }
        Err(Box::new(NoTarball {
            package: request.package.to_string(),
            version: request.version.as_ref().map(ToString::to_string),
            file: request.file.to_string(),
            digest: request.digest.clone(),
            served: served(&versions)?,
        })
        .into())
    }

    fn download(&self, package: &SourcePackage, what: &str) -> Result<Vec<NamedFile>, SourceError> {
        let wanted = SourceFiles::Pristine;
        download(self.store, self.archive, package, wanted, what, self.progress)
    }
}

/// Whether a version may have the tarball, as far as its list says: the list has SHA-256 digests only.
fn may_be(package: &SourcePackage, request: &DebianFileRequest) -> bool {
    let version = request.version.as_ref();
    version.is_none_or(|version| *version == package.version)
        && package.files(SourceFiles::Pristine).any(|file| {
            let listed = digest(file).map(Digest::from);
            let wanted = request.digest.as_ref();
            let wanted = wanted.filter(|digest| digest.algorithm() == HashAlgorithm::Sha256);
            file.name == request.file.as_str()
                && wanted.is_none_or(|wanted| listed.is_ok_and(|listed| listed == *wanted))
        })
}

/// Whether a file, which has the digest of the signed list, has another one too.
fn has_digest(store: &Store, file: &StoredFile, wanted: Option<&Digest>) -> Result<bool, SourceError> {
    let Some(wanted) = wanted.filter(|digest| digest.algorithm() != HashAlgorithm::Sha256) else {
        return Ok(true);
    };
    let mut content = File::open(&file.path).map_err(SourceError::io("open", &file.path))?;
    match store.insert_from(
        &mut content,
        file.sha256.as_ref(),
        file.size,
        std::slice::from_ref(wanted),
    ) {
        Ok(_) => Ok(true),
        Err(SourceError::Digest { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn served(versions: &[SourcePackage]) -> Result<Vec<ServedTarball>, SourceError> {
    let mut found = Vec::new();
    for package in versions {
        for file in package.files(SourceFiles::Pristine) {
            found.push(ServedTarball {
                name: file.name.clone(),
                sha256: digest(file)?,
                version: package.version.clone(),
            });
        }
    }
    Ok(found)
}

/// Which lists are good enough, when the network may be out of bounds.
fn usable(
    archive: &SourceArchive,
    freshness: Freshness,
    network: Network,
    package: &PackageName,
) -> Result<Freshness, SourceError> {
    match network {
        Network::Allowed => Ok(freshness),
        Network::Off if archive.is_fetched() => Ok(Freshness::Cached),
        Network::Off => {
            let what = format!("the lists of the archive that has {package}");
            Err(SourceError::Offline { what })
        }
    }
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
