//! Crates of a registry with their dependencies, by the machine's own cargo, packed into tarballs.
//!
//! ```text
//!  NAME VERSION ──cargo vendor──▶ the crate ──its Cargo.lock──▶ ┐
//!  Cargo.lock ────────────────────────────────────────────────▶ ┴─cargo vendor──▶ checksums ──▶ vendor tarball
//! ```
//!
//! cargo knows the registry, its mirror, its credentials and the proxy: no address is written here. It is run in a
//! project of our own, which depends on exactly the crates that the Cargo.lock names; what it brings is compared with the
//! Cargo.lock. A record in the store says which contents belong to a request, so that the next time needs no network.

mod lock;
mod vendor;

use std::path::{Path, PathBuf};

use lazuli_catalog::Sha256Digest;

use crate::error::SourceError;
use crate::lock::{Leftover, Lock};
use crate::name::FileName;
use crate::progress::{OnProgress, Origin, Progress};
use crate::request::{CrateRequest, CrateSelection, CrateSource, LockedCrate, NamedFile};
use crate::settings::{Network, Settings};
use crate::store::Store;
use crate::tarball::{Member, pack};
use vendor::Vendor;

/// The version of the form of tarballs and records: another one makes all of them anew.
const FORM: u32 = 1;

/// What came of a request.
#[derive(serde::Serialize, serde::Deserialize)]
struct Record {
    package: Option<LockedCrate>,
    source: Option<(String, Sha256Digest)>,
    vendor: (String, Sha256Digest),
    lock: (String, Sha256Digest),
    crates: Vec<LockedCrate>,
}

/// A request that is worked on.
struct Job<'j> {
    store: &'j Store,
    settings: &'j Settings,
    request: &'j CrateRequest,
    /// What messages call it: `NAME-VERSION`, or the name that came with a Cargo.lock.
    what: String,
    record: PathBuf,
}

pub(crate) fn fetch(
    store: &Store,
    settings: &Settings,
    request: &CrateRequest,
    progress: OnProgress<'_>,
) -> Result<CrateSource, SourceError> {
    let what = match &request.what {
        CrateSelection::Named { name, version } => {
            lock::check_name(name, version).map_err(|reason| SourceError::Settings { reason })?;
            format!("{name}-{version}")
        }
        CrateSelection::Lock { name, .. } => name.to_string(),
    };
    let job = Job {
        store,
        settings,
        request,
        record: store.record_path("crates", &key(request)),
        what,
    };
    let finished = |source: CrateSource, from| {
        job.check_vendor(&source)?;
        let what = job.what.clone();
        progress(&Progress::Finished { what, from });
        Ok(source)
    };
    if let Some(source) = job.recorded()? {
        return finished(source, Origin::Cache);
    }
    if settings.network == Network::Off {
        let what = format!("the crates of {}", job.what);
        return Err(SourceError::Offline { what });
    }
    let _lock = Lock::take(&job.record.with_extension("lock"), Leftover::Remove)?;
    if let Some(source) = job.recorded()? {
        return finished(source, Origin::Cache);
    }
    progress(&Progress::Started {
        what: job.what.clone(),
    });
    let source = job.make()?;
    job.remember(&source)?;
    finished(source, Origin::Network)
}

/// What a record is found by: all that can change the result.
fn key(request: &CrateRequest) -> Sha256Digest {
    let what = match &request.what {
        CrateSelection::Named { name, version } => format!("crate {name} {version}"),
        CrateSelection::Lock { name, content } => format!("lock {name} {}", Sha256Digest::of(content)),
    };
    let extension = request.compression.extension();
    Sha256Digest::of(format!("{FORM} {what} {} {extension}", request.time).as_bytes())
}

impl Job<'_> {
    fn make(&self) -> Result<CrateSource, SourceError> {
        let work = self.store.folder_for_incoming()?;
        let (package, source, content, crates, vendor) = match &self.request.what {
            CrateSelection::Lock { content, .. } => {
                let crates = self.parse(content)?;
                let vendor = self.vendor(&work.path().join("all"), &crates, content)?;
                (None, None, content.clone(), crates, vendor)
            }
            CrateSelection::Named { name, version } => {
                let first = self.runner(&work.path().join("first"))?;
                first.run(&[(name, version)], None)?;
                let newest = first.lock()?;
                let mut crates = self.parse(&newest)?;
                let place = crates
                    .iter()
                    .position(|one| one.name == *name && one.version == *version);
                let package = place
                    .map(|place| crates.remove(place))
                    .ok_or_else(|| SourceError::Crate {
                        crate_name: self.what.clone(),
                        reason: "cargo did not fetch it".to_owned(),
                    })?;
                let files = first.read(&package, &mut self.settings.cargo.max_bytes.clone())?;
                let files: Vec<Member> = files
                    .into_iter()
                    .filter(|file| !file.path.starts_with(".cargo-checksum"))
                    .collect();
                let own = files.iter().find(|file| file.path == "Cargo.lock");
                let own = own.map(|file| file.content.clone());
                let source = self.pack("", files, &format!("{}/", self.what))?;
                match own {
                    Some(content) => {
                        let crates = self.parse(&content)?;
                        let vendor = self.vendor(&work.path().join("all"), &crates, &content)?;
                        (Some(package), Some(source), content, crates, vendor)
                    }
                    None => {
                        let vendor = self.pack_crates(&first, &crates)?;
                        (Some(package), Some(source), newest, crates, vendor)
                    }
                }
            }
        };
        Ok(CrateSource {
            package,
            source,
            vendor,
            lock: NamedFile {
                name: FileName::new("Cargo.lock")?,
                file: self.store.insert(&content, &[])?,
            },
            crates,
        })
    }

    /// Fetches exactly the crates of a Cargo.lock, and packs them.
    fn vendor(&self, folder: &Path, crates: &[LockedCrate], lock: &[u8]) -> Result<NamedFile, SourceError> {
        let runner = self.runner(folder)?;
        if !crates.is_empty() {
            let wanted: Vec<(&str, &str)> = crates
                .iter()
                .map(|one| (one.name.as_str(), one.version.as_str()))
                .collect();
            runner.run(&wanted, Some(lock))?;
        }
        runner.check_names(crates)?;
        self.pack_crates(&runner, crates)
    }

    fn pack_crates(&self, runner: &Vendor<'_>, crates: &[LockedCrate]) -> Result<NamedFile, SourceError> {
        let mut left = self.settings.cargo.max_bytes;
        let mut members = Vec::new();
        for one in crates {
            for file in runner.read(one, &mut left)? {
                let path = format!("{}-{}/{}", one.name, one.version, file.path);
                members.push(Member { path, ..file });
            }
        }
        self.pack("-vendor", members, "vendor/")
    }

    fn pack(&self, suffix: &str, mut members: Vec<Member>, prefix: &str) -> Result<NamedFile, SourceError> {
        for member in &mut members {
            member.path.insert_str(0, prefix);
        }
        let name = format!("{}{suffix}.{}", self.what, self.request.compression.extension());
        let packed = pack(&members, self.request.time, self.request.compression)
            .map_err(SourceError::io("pack", Path::new(&name)))?;
        Ok(NamedFile {
            name: FileName::new(&name)?,
            file: self.store.insert(&packed, &[])?,
        })
    }

    fn runner(&self, folder: &Path) -> Result<Vendor<'_>, SourceError> {
        std::fs::create_dir_all(folder).map_err(SourceError::io("make the folder", folder))?;
        Ok(Vendor {
            settings: &self.settings.cargo,
            clock: &*self.settings.clock,
            folder: folder.to_owned(),
            what: &self.what,
        })
    }

    fn parse(&self, content: &[u8]) -> Result<Vec<LockedCrate>, SourceError> {
        lock::parse(content).map_err(|reason| SourceError::CargoLock {
            what: self.what.clone(),
            reason,
        })
    }

    /// What came of the same request before, if all of it is still in the store.
    fn recorded(&self) -> Result<Option<CrateSource>, SourceError> {
        let Ok(bytes) = std::fs::read(&self.record) else {
            return Ok(None);
        };
        let Ok(record) = serde_json::from_slice::<Record>(&bytes) else {
            return Ok(None);
        };
        let find = |(name, sha256): &(String, Sha256Digest)| -> Result<Option<NamedFile>, SourceError> {
            let name = FileName::new(name)?;
            let file = self.store.find(&sha256.into())?;
            Ok(file.map(|file| NamedFile { name, file }))
        };
        let source = match &record.source {
            None => None,
            Some(source) => match find(source)? {
                None => return Ok(None),
                found => found,
            },
        };
        let (Some(vendor), Some(lock)) = (find(&record.vendor)?, find(&record.lock)?) else {
            return Ok(None);
        };
        Ok(Some(CrateSource {
            package: record.package,
            source,
            vendor,
            lock,
            crates: record.crates,
        }))
    }

    fn remember(&self, source: &CrateSource) -> Result<(), SourceError> {
        let entry = |file: &NamedFile| (file.name.to_string(), file.file.sha256.clone());
        let record = Record {
            package: source.package.clone(),
            source: source.source.as_ref().map(entry),
            vendor: entry(&source.vendor),
            lock: entry(&source.lock),
            crates: source.crates.clone(),
        };
        let text = serde_json::to_vec_pretty(&record).map_err(|error| SourceError::Settings {
            reason: error.to_string(),
        })?;
        lazuli_durable::write(&self.record, &text).map_err(SourceError::io("write", &self.record))
    }

    fn check_vendor(&self, source: &CrateSource) -> Result<(), SourceError> {
        match &self.request.vendor_sha256 {
            Some(expected) if *expected != source.vendor.file.sha256 => Err(SourceError::NotReproduced {
                what: source.vendor.name.to_string(),
                expected: expected.clone(),
                found: source.vendor.file.sha256.clone(),
            }),
            _ => Ok(()),
        }
    }
}
