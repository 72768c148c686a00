//! The real archive and the real registry, where a cache of them is at hand.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod server;

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use lazuli_catalog::SuiteName;
use lazuli_catalog::value::ArchiveComponent;
use lazuli_deb::{Architecture, PackageName};
use lazuli_source::{
    Compression, CrateRequest, CrateSelection, DebianRequest, Fetched, Freshness, Request, Settings,
    SourceFiles, Sources,
};
use lazuli_upstream::{Expiry, Suite};
use server::quiet;

/// Uses the cache that `LAZULI_CACHE` names; fetches lists, a small source package and a small crate into it if they are
/// not there. A second time needs no network.
#[test]
fn real_sources_are_fetched_once() {
    let Some(cache) = std::env::var_os("LAZULI_CACHE").map(PathBuf::from) else {
        eprintln!("SKIPPED real_sources_are_fetched_once: LAZULI_CACHE names no cache folder");
        return;
    };
    let debian = DebianRequest {
        archive: lazuli_upstream::Settings {
            suites: vec![Suite {
                name: SuiteName::new("trixie").unwrap(),
                mirror: None,
            }],
            components: vec![ArchiveComponent::new("main").unwrap()],
            architecture: Architecture::parse("amd64").unwrap(),
            keyring: "/usr/share/keyrings/debian-archive-keyring.gpg".into(),
            cache: cache.clone(),
            mirror: std::env::var("LAZULI_DEBIAN_MIRROR").ok(),
            expiry: Expiry::Warn,
            now: SystemTime::now(),
        },
        package: PackageName::parse("hello").unwrap(),
        version: None,
        files: SourceFiles::Pristine,
        freshness: Freshness::Cached,
    };
    let crates = CrateRequest {
        what: CrateSelection::Named {
            name: "hexyl".to_owned(),
            version: "0.16.0".to_owned(),
        },
        time: 1_700_000_000,
        compression: Compression::Zstd,
        vendor_sha256: None,
    };
    let requests = [Request::Debian(Box::new(debian)), Request::Crate(crates)];
    let mut settings = Settings::new(cache);
    let mut before = None;
    for network in [lazuli_source::Network::Allowed, lazuli_source::Network::Off] {
        settings.network = network;
        let start = Instant::now();
        let results = Sources::open(settings.clone())
            .unwrap()
            .fetch_all(&requests, &quiet);
        eprintln!("{network:?}: {:?}", start.elapsed());
        assert!(
            network == lazuli_source::Network::Allowed || results.iter().all(Result::is_ok),
            "what was fetched once is there: {results:?}"
        );
        let [Ok(Fetched::Debian(debian)), Ok(Fetched::Crate(crates))] = &results[..] else {
            eprintln!("SKIPPED real_sources_are_fetched_once: there is no network, it seems: {results:?}");
            return;
        };
        assert_eq!(debian.pristine.len(), 1);
        assert!(crates.crates.len() > 10 && crates.source.is_some());
        let now = (debian.clone(), crates.clone());
        assert_eq!(*before.get_or_insert(now.clone()), now);
    }
    let (debian, crates) = before.unwrap();
    eprintln!("{} {}: {:?}", debian.package, debian.version, debian.pristine);
    eprintln!(
        "{} crates in {} bytes",
        crates.crates.len(),
        crates.vendor.file.size
    );
}
