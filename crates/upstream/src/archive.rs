//! A Debian archive: its lists fetched by apt, checked, and made into an index.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use lazuli_catalog::SuiteName;
use lazuli_deb::Sha256Digest;
use lazuli_openpgp::Keyring;

use crate::apt::{Apt, ListKind, Site};
use crate::error::UpstreamError;
use crate::index::{self, Index, PackagesText};
use crate::mirror;
use crate::progress::{OnProgress, Progress};
use crate::release::{MAX_RELEASE, Release, Warning};
use crate::settings::Settings;

/// Which lists are good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Those in the cache; they are fetched only if there are none.
    Cached,
    /// Those that the mirror has now.
    Newest,
}

/// The state of a suite, for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteState {
    /// The suite.
    pub name: SuiteName,
    /// The `Date` of its `InRelease`, in seconds since 1970.
    pub date: i64,
    /// The digest of its `InRelease`.
    pub inrelease_sha256: Sha256Digest,
}

/// A Debian archive.
#[derive(Debug)]
pub struct DebianArchive {
    settings: Settings,
    sites: Vec<Site>,
    apt: Apt,
    /// Below the cache folder: apt's folders for these settings.
    folder: PathBuf,
    kind: ListKind,
}

/// The lists of a suite on disk, as the last update left them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SuiteLists {
    suite: SuiteName,
    release: PathBuf,
    /// Key in the release and file.
    packages: Vec<(String, PathBuf)>,
}

impl DebianArchive {
    /// Prepares the cache folder and finds the mirrors. Nothing is fetched.
    pub fn open(settings: Settings) -> Result<Self, UpstreamError> {
        Self::open_lists(settings, ListKind::Binary)
    }

    /// The same for lists of either kind.
    pub(crate) fn open_lists(settings: Settings, kind: ListKind) -> Result<Self, UpstreamError> {
        let sites = mirror::sites(&settings)?;
        let key = settings_key(&settings, &sites, kind).to_string();
        let folder = settings.cache.join("apt").join(&key[..16]);
        let folder = std::path::absolute(&folder).map_err(UpstreamError::io("find", &folder))?;
        let apt = Apt::prepare(&folder, &settings, &sites, kind)?;
        Ok(Self {
            settings,
            sites,
            apt,
            folder,
            kind,
        })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Fetches the lists that have changed, by `apt-get update`.
    pub fn update(&self, progress: OnProgress<'_>) -> Result<(), UpstreamError> {
        let _lock = self.lock()?;
        self.apt
            .update(&mut |fraction| progress(&Progress::Updating { fraction }))?;
        let releases: BTreeMap<String, PathBuf> = self.apt.releases()?.into_iter().collect();
        let packages = self.apt.packages_lists()?;
        let mut table = String::new();
        for Site { suite, uri } in &self.sites {
            let base = format!("{uri}/dists/{suite}/");
            let release = releases
                .get(&format!("{base}InRelease"))
                .ok_or_else(|| UpstreamError::Apt {
                    action: "name its lists",
                    message: format!("it does not know {base}InRelease"),
                })?;
            table.push_str(&format!("{suite}\t\t{}\n", self.relative(release)));
            for list in packages.iter().filter(|list| list.base_uri == base) {
                table.push_str(&format!("{suite}\t{}\t{}\n", list.key, self.relative(&list.path)));
            }
        }
        let path = self.table_path();
        lazuli_durable::write(&path, table.as_bytes()).map_err(UpstreamError::io("write", &path))
    }

    /// The index of all packages, checked from the signatures on: see the crate's documentation.
    pub fn index(&self, freshness: Freshness, progress: OnProgress<'_>) -> Result<Index, UpstreamError> {
        if freshness == Freshness::Newest || !self.is_fetched() {
            self.update(progress)?;
        }
        let suites = self.suite_lists()?;
        let releases = self.verify_releases(&suites)?;
        let key = self.index_key(&releases);
        let names: Vec<SuiteName> = suites.iter().map(|lists| lists.suite.clone()).collect();
        let path = self.index_path();
        if let Ok(file) = File::open(&path)
            && let Some(index) = index::decode(file, &key, names.clone())
        {
            return Ok(index);
        }
        let lists = self.verify_lists(&suites, &releases)?;
        let mut report = |packages| progress(&Progress::Indexing { packages });
        let index = index::build(names, &lists, &self.settings.architecture, &mut report)?;
        lazuli_durable::write(&path, &index::encode(&index, &key))
            .map_err(UpstreamError::io("write", &path))?;
        Ok(index)
    }

    /// Whether there are lists in the cache.
    pub fn is_fetched(&self) -> bool {
        self.table_path().exists()
    }

    /// What the suites' `InRelease` files say, their signatures checked, in the order of the settings.
    pub fn releases(&self) -> Result<Vec<Release>, UpstreamError> {
        self.verify_releases(&self.suite_lists()?)
    }

    /// The state of the suites, for a lock.
    pub fn suite_states(&self) -> Result<Vec<SuiteState>, UpstreamError> {
        let releases = self.releases()?;
        let states = self
            .settings
            .suites
            .iter()
            .zip(releases)
            .map(|(suite, release)| SuiteState {
                name: suite.name.clone(),
                date: release.date,
                inrelease_sha256: release.sha256,
            });
        Ok(states.collect())
    }

    /// What is not as it should be with the suites, though the settings allow it.
    pub fn warnings(&self) -> Result<Vec<Warning>, UpstreamError> {
        Ok(self
            .releases()?
            .into_iter()
            .flat_map(|release| release.warnings)
            .collect())
    }

    pub(crate) fn sites(&self) -> &[Site] {
        &self.sites
    }

    pub(crate) fn apt(&self) -> &Apt {
        &self.apt
    }

    /// Keeps other processes out of apt's folders until it is dropped.
    pub(crate) fn lock(&self) -> Result<File, UpstreamError> {
        let path = self.folder.join("lock");
        let file = File::create(&path).map_err(UpstreamError::io("create", &path))?;
        file.lock().map_err(UpstreamError::io("lock", &path))?;
        Ok(file)
    }

    /// One file for each set of settings, which the next index replaces: it says itself what it was made from.
    fn index_path(&self) -> PathBuf {
        let mut name = self.folder.file_name().unwrap_or_default().to_owned();
        name.push(".index");
        self.settings.cache.join("index").join(name)
    }

    fn table_path(&self) -> PathBuf {
        self.folder.join("lists.tsv")
    }

    /// Paths below our folder are written relative to it, so that the cache can be moved.
    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    }

    fn suite_lists(&self) -> Result<Vec<SuiteLists>, UpstreamError> {
        let path = self.table_path();
        let table = match std::fs::read_to_string(&path) {
            Ok(table) => table,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(UpstreamError::NotFetched);
            }
            Err(error) => return Err(UpstreamError::io("read", &path)(error)),
        };
        let mut suites = Vec::new();
        for Site { suite, .. } in &self.sites {
            let mut lists = SuiteLists {
                suite: suite.clone(),
                release: PathBuf::new(),
                packages: Vec::new(),
            };
            for line in table.lines() {
                let fields: Vec<&str> = line.split('\t').collect();
                match fields[..] {
                    [name, "", file] if *suite == name => lists.release = self.folder.join(file),
                    [name, key, file] if *suite == name => {
                        lists.packages.push((key.to_owned(), self.folder.join(file)));
                    }
                    _ => {}
                }
            }
            suites.push(lists);
        }
        Ok(suites)
    }

    /// First link: the signatures of the `InRelease` files.
    fn verify_releases(&self, suites: &[SuiteLists]) -> Result<Vec<Release>, UpstreamError> {
        let path = &self.settings.keyring;
        let keyring = std::fs::read(path).map_err(UpstreamError::io("read", path))?;
        let keyring = Keyring::from_bytes(&keyring).map_err(|source| UpstreamError::Keyring {
            path: path.clone(),
            source,
        })?;
        let verify = |lists: &SuiteLists| {
            let bytes = read_limited(&lists.release, MAX_RELEASE)?;
            let file = lists.release.display().to_string();
            Release::verify(
                &file,
                &bytes,
                &keyring,
                &lists.suite,
                (self.settings.now, self.settings.expiry),
            )
        };
        suites.iter().map(verify).collect()
    }

    /// The content of all lists, checked from the signatures on. They must have been fetched.
    pub(crate) fn verified_lists(&self) -> Result<Vec<PackagesText>, UpstreamError> {
        let suites = self.suite_lists()?;
        let releases = self.verify_releases(&suites)?;
        self.verify_lists(&suites, &releases)
    }

    /// Second link: the digests and sizes of the `Packages` or `Sources` files.
    fn verify_lists(
        &self,
        suites: &[SuiteLists],
        releases: &[Release],
    ) -> Result<Vec<PackagesText>, UpstreamError> {
        let mut texts = Vec::new();
        for (number, (lists, release)) in suites.iter().zip(releases).enumerate() {
            for component in &self.settings.components {
                let key = self
                    .kind
                    .key(component.as_ref(), self.settings.architecture.as_str());
                if release.file(&key).is_none() {
                    let file = lists.release.display().to_string();
                    return Err(UpstreamError::NotListed { file, wanted: key });
                }
                if !lists.packages.iter().any(|(present, _)| *present == key) {
                    return Err(UpstreamError::Apt {
                        action: "fetch the lists of the archive",
                        message: format!("{key} of {} is not there", lists.suite),
                    });
                }
            }
            for (key, path) in &lists.packages {
                let file = path.display().to_string();
                let expected = release.file(key).ok_or_else(|| UpstreamError::NotListed {
                    file: lists.release.display().to_string(),
                    wanted: key.clone(),
                })?;
                let bytes = self.apt.read_list(path)?;
                check(&file, &bytes, &expected.sha256, expected.size)?;
                let text = String::from_utf8(bytes).map_err(|_| UpstreamError::Release {
                    file: file.clone(),
                    reason: "it is no UTF-8".to_owned(),
                })?;
                texts.push(PackagesText {
                    file,
                    suite: number,
                    text,
                });
            }
        }
        Ok(texts)
    }

    /// What an index is made from: the settings that matter and the `InRelease` files, which name everything else.
    fn index_key(&self, releases: &[Release]) -> Sha256Digest {
        let mut text = format!("{}\n", self.settings.architecture);
        for component in &self.settings.components {
            text.push_str(&format!("{component}\n"));
        }
        for (site, release) in self.sites.iter().zip(releases) {
            text.push_str(&format!("{} {}\n", site.suite, release.sha256));
        }
        Sha256Digest::of(text.as_bytes())
    }
}

/// Checks a file's digest and size.
pub(crate) fn check(
    file: &str,
    bytes: &[u8],
    expected: &Sha256Digest,
    size: u64,
) -> Result<(), UpstreamError> {
    let found = Sha256Digest::of(bytes);
    match found == *expected && bytes.len() as u64 == size {
        true => Ok(()),
        false => Err(UpstreamError::Digest {
            file: file.to_owned(),
            expected: *expected,
            found,
            expected_size: size,
            found_size: bytes.len() as u64,
        }),
    }
}

/// Reads a file that must not be larger than `limit` bytes.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, UpstreamError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(UpstreamError::io("read", path))?;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(UpstreamError::io("read", path))?;
    if bytes.len() as u64 > limit {
        let error = std::io::Error::other(format!("it has more than {limit} bytes"));
        return Err(UpstreamError::io("read", path)(error));
    }
    Ok(bytes)
}

/// Tells apt's folders for different settings apart.
fn settings_key(settings: &Settings, sites: &[Site], kind: ListKind) -> Sha256Digest {
    let mut text = match kind {
        ListKind::Binary => format!("{}\n", settings.architecture),
        ListKind::Source => "source\n".to_owned(),
    };
    for component in &settings.components {
        text.push_str(&format!("{component}\n"));
    }
    for Site { suite, uri } in sites {
        text.push_str(&format!("{suite} {uri}\n"));
    }
    Sha256Digest::of(text.as_bytes())
}
