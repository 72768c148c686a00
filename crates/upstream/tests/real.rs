//! The real archive, where a cache of it is at hand.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use lazuli_catalog::SuiteName;
use lazuli_catalog::value::ArchiveComponent;
use lazuli_deb::{Architecture, PackageName};
use lazuli_upstream::{ClosureOptions, DebianArchive, Expiry, Freshness, Progress, Settings, Store, Suite};

fn quiet(_: &Progress) {}

/// Uses the cache that `LAZULI_CACHE` names; fetches lists and a small package into it if they are not there.
#[test]
fn trixie_is_read() {
    let Some(cache) = std::env::var_os("LAZULI_CACHE").map(PathBuf::from) else {
        eprintln!("SKIPPED trixie_is_read: LAZULI_CACHE names no cache folder");
        return;
    };
    let suite = |name: &str| Suite {
        name: SuiteName::new(name).unwrap(),
        mirror: None,
    };
    let settings = Settings {
        suites: ["trixie", "trixie-updates", "trixie-security"]
            .map(suite)
            .to_vec(),
        components: vec![ArchiveComponent::new("main").unwrap()],
        architecture: Architecture::parse("amd64").unwrap(),
        keyring: "/usr/share/keyrings/debian-archive-keyring.gpg".into(),
        cache: cache.clone(),
        mirror: std::env::var("LAZULI_DEBIAN_MIRROR").ok(),
        expiry: Expiry::Warn,
        now: SystemTime::now(),
    };
    let archive = DebianArchive::open(settings).unwrap();
    let start = Instant::now();
    let first = match archive.index(Freshness::Cached, &quiet) {
        Ok(index) => index,
        Err(error) => {
            eprintln!("SKIPPED trixie_is_read: there is no network, it seems: {error}");
            return;
        }
    };
    eprintln!("first: {:?}", start.elapsed());
    let start = Instant::now();
    let index = archive.index(Freshness::Cached, &quiet).unwrap();
    eprintln!(
        "{} versions loaded from the cache in {:?}",
        index.len(),
        start.elapsed()
    );
    let start = Instant::now();
    archive.releases().unwrap();
    eprintln!("of which signatures {:?}", start.elapsed());
    assert!(index.len() > 60_000 && index.len() == first.len());
    assert!(!index.providers("awk").unwrap().is_empty());
    let start = Instant::now();
    for entry in index.iter_all().step_by(7) {
        entry.binary().unwrap();
    }
    eprintln!("{} decoded in {:?}", index.len() / 7, start.elapsed());

    let roots = [
        "systemd",
        "openssh-server",
        "cloud-init",
        "linux-image-cloud-amd64",
    ]
    .map(|n| PackageName::parse(n).unwrap());
    let start = Instant::now();
    let closure = index
        .closure(
            &roots,
            &ClosureOptions::default(),
            &archive.settings().architecture,
        )
        .unwrap();
    eprintln!("closure of {} packages in {:?}", closure.len(), start.elapsed());
    assert!(closure.iter().any(|package| package.name.as_str() == "libc6"));

    let small = index.resolve(&[PackageName::parse("netbase").unwrap()]).unwrap();
    let store = Store::open(&cache).unwrap();
    store.fetch(&archive, &small, &quiet).unwrap();
    let bytes = store.read(&small[0]).unwrap();
    let deb = lazuli_deb::Deb::parse(&bytes, lazuli_deb::Limits::default()).unwrap();
    assert_eq!(deb.binary().name.as_str(), "netbase");
}
