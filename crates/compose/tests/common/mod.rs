//! Packages and keys for tests.
#![allow(dead_code)]

use lazuli_compose::{CreateOptions, MetadataSigner, TrustError};
use lazuli_openpgp::{KeyAlgorithm, SigningKey};
use lazuli_rpm::{ChangelogEntry, Dependency, Evr, FileEntry, FileFlags, Metadata, Nevra, PackageBuilder};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The time of all keys and signatures.
pub(crate) const TIME: u64 = 1_700_000_000;

pub(crate) fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(TIME)
}

pub(crate) struct Key(pub(crate) SigningKey);

impl Key {
    pub(crate) fn generate() -> Self {
        Self(SigningKey::generate(KeyAlgorithm::Ed25519, "Test <test@example.org>", time()).unwrap())
    }
}

impl MetadataSigner for Key {
    fn sign_detached(&self, data: &[u8]) -> Result<Vec<u8>, TrustError> {
        Ok(self.0.sign_detached_armored(data, time())?.into_bytes())
    }

    fn certificate(&self) -> Result<Vec<u8>, TrustError> {
        Ok(self.0.certificate()?.into_bytes())
    }
}

pub(crate) fn options(key: Option<&Key>) -> CreateOptions<'_> {
    CreateOptions {
        signer: key.map(|key| key as &dyn MetadataSigner),
        revision: TIME,
        workers: 2,
        zstd_level: 3,
    }
}

/// Metadata of words: `name-version-release; requires a, b >= 2; files /usr/bin/x`.
pub(crate) fn metadata(text: &str) -> Metadata {
    let mut parts = text.split(';').map(str::trim);
    let (rest, release) = parts.next().unwrap().rsplit_once('-').unwrap();
    let (name, version) = rest.rsplit_once('-').unwrap();
    let mut metadata = Metadata {
        nevra: Nevra {
            name: name.into(),
            evr: Evr::new(0, version, release),
            arch: "noarch".into(),
        },
        summary: format!("{name} & <more>"),
        description: "Line one.\n  Line \"two\".".into(),
        license: "MIT".into(),
        url: "https://example.org/?a=1&b=2".into(),
        vendor: "Vendor".into(),
        packager: String::new(),
        group: "Unspecified".into(),
        distribution: String::new(),
        build_time: TIME as u32,
        build_host: "builder".into(),
        source_rpm: Some(format!("{name}-{version}-{release}.src.rpm")),
        vcs: String::new(),
        os: "linux".into(),
        platform: "noarch-lazuli-linux-gnu".into(),
        requires: vec![],
        provides: vec![],
        conflicts: vec![],
        obsoletes: vec![],
        recommends: vec![],
        suggests: vec![],
        supplements: vec![],
        enhances: vec![],
        files: vec![],
        changelog: vec![ChangelogEntry {
            time: TIME as u32,
            author: "Me <me@example.org> - 1".into(),
            text: "- did & thing".into(),
        }],
        scriptlets: vec![],
    };
    for part in parts.filter(|part| !part.is_empty()) {
        let (kind, list) = part.split_once(' ').unwrap();
        let dependencies = || list.split(',').map(|one| Dependency::parse(one.trim()).unwrap());
        match kind {
            "requires" => metadata.requires.extend(dependencies()),
            "provides" => metadata.provides.extend(dependencies()),
            "conflicts" => metadata.conflicts.extend(dependencies()),
            "obsoletes" => metadata.obsoletes.extend(dependencies()),
            "recommends" => metadata.recommends.extend(dependencies()),
            "supplements" => metadata.supplements.extend(dependencies()),
            "files" => metadata
                .files
                .extend(list.split(',').map(|path| file(path.trim()))),
            other => panic!("unknown part {other}"),
        }
    }
    metadata
}

fn file(path: &str) -> FileEntry {
    let is_dir = path.ends_with('/');
    FileEntry {
        path: path.trim_end_matches('/').as_bytes().to_vec(),
        mode: if is_dir { 0o040_755 } else { 0o100_644 },
        user: "root".into(),
        group: "root".into(),
        size: if is_dir { 0 } else { path.len() as u64 },
        mtime: TIME as u32,
        digest: None,
        link_target: vec![],
        flags: FileFlags::empty(),
        capabilities: String::new(),
        inode: 0,
        rdev: 0,
    }
}

/// Builds a package; the content of each file is its path.
pub(crate) fn build(dir: &Path, text: &str, key: Option<&Key>) -> String {
    let metadata = metadata(text);
    let contents: BTreeMap<Vec<u8>, Vec<u8>> = metadata
        .files
        .iter()
        .map(|file| (file.path.clone(), file.path.clone()))
        .collect();
    let name = format!("{}.rpm", metadata.nevra);
    let signer = key.map(|key| key.0.signer(time()));
    let signer = signer.as_ref().map(|signer| signer as &dyn lazuli_rpm::Signer);
    let package = PackageBuilder::new(metadata).build(&contents, signer).unwrap();
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join(&name), package.to_bytes()).unwrap();
    name
}
