//! Builds to be cached, and places to cache them in.

use lazuli_cache::{
    Access, Cache, CacheKey, Limits, NewEntry, Notice, ObjectName, Placement, RemoteSettings, Settings,
};
use lazuli_openpgp::{KeyAlgorithm, Keyring, SigningKey};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

/// Short enough for tests, long enough for a machine that does much else.
pub(crate) const LIMITS: Limits = Limits {
    transfers: 4,
    connect: Duration::from_secs(5),
    stall: Duration::from_secs(2),
    retries: 2,
    retry_for: Duration::from_secs(5),
    failures: 3,
    finish: Duration::from_secs(60),
};

pub(crate) fn key(number: u8) -> CacheKey {
    CacheKey::new(format!("{number:02x}").repeat(32)).unwrap()
}

pub(crate) fn signing_key(name: &str) -> Arc<SigningKey> {
    let created = UNIX_EPOCH + Duration::from_secs(1_577_836_800);
    Arc::new(SigningKey::generate(KeyAlgorithm::Ed25519, name, created).unwrap())
}

pub(crate) fn ring(key: &SigningKey) -> Keyring {
    Keyring::from_bytes(key.certificate().unwrap().as_bytes()).unwrap()
}

/// A result with files of these contents, which lie in `folder`.
pub(crate) fn result(folder: &Path, files: &[(&str, &[u8])]) -> NewEntry {
    let files = files.iter().map(|(name, content)| {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        (ObjectName::new(*name).unwrap(), path)
    });
    NewEntry {
        files: files.collect(),
        facts: BTreeMap::from([("content:zlib1g".to_owned(), "1234".to_owned())]),
        finished: UNIX_EPOCH + Duration::from_secs(1_764_000_000),
        took: Duration::from_millis(61_250),
    }
}

/// A machine: a local folder, what was said, and a folder for files.
pub(crate) struct Machine {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) cache: Cache,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Machine {
    pub(crate) fn local() -> Self {
        Self::with(None)
    }

    pub(crate) fn with(remote: Option<RemoteSettings>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let notices = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&notices);
        let cache = Cache::open(Settings {
            folder: dir.path().join("cache"),
            remote,
            notify: Arc::new(move |notice| sink.lock().unwrap().push(notice)),
        });
        Self {
            cache: cache.unwrap(),
            dir,
            notices,
        }
    }

    pub(crate) fn put(&self, number: u8, files: &[(&str, &[u8])]) -> lazuli_cache::Entry {
        self.cache
            .put(&key(number), result(self.dir.path(), files))
            .unwrap()
    }

    /// The files of a hit.
    pub(crate) fn restore(&self, number: u8) -> Option<BTreeMap<String, Vec<u8>>> {
        let target = self.dir.path().join(format!("restored-{number}"));
        let entry = self
            .cache
            .restore(&key(number), &target, Placement::Link)
            .unwrap()?;
        let files = entry.objects.iter().map(|object| {
            let content = std::fs::read(target.join(object.name.as_str())).unwrap();
            assert_eq!(content.len() as u64, object.size);
            (object.name.to_string(), content)
        });
        Some(files.collect())
    }

    /// What was said since the last look.
    pub(crate) fn notices(&self) -> Vec<String> {
        let notices = std::mem::take(&mut *self.notices.lock().unwrap());
        notices.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn object(&self, sha256: &str) -> PathBuf {
        let (fan, rest) = sha256.split_at(2);
        self.dir.path().join("cache/objects").join(fan).join(rest)
    }

    pub(crate) fn entry(&self, number: u8) -> PathBuf {
        let key = key(number).to_string();
        let (fan, rest) = key.split_at(2);
        let name = format!("{rest}.json");
        self.dir.path().join("cache/entries").join(fan).join(name)
    }

    /// Files on their way in.
    pub(crate) fn incoming(&self) -> usize {
        let folder = self.dir.path().join("cache/incoming");
        std::fs::read_dir(folder).unwrap().count()
    }
}

pub(crate) fn remote(url: &str, options: &[(&str, &str)], key: &Arc<SigningKey>) -> RemoteSettings {
    let options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    RemoteSettings {
        url: url.to_owned(),
        options: options.collect(),
        trusted: ring(key),
        access: Access::ReadWrite(Arc::clone(key)),
        limits: LIMITS,
    }
}
