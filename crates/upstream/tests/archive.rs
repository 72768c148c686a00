//! The whole way from a signed archive to the store, and every link of the chain broken in turn.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod mirror;

use std::fs;
use std::sync::Mutex;
use std::time::Duration;

use lazuli_catalog::SuiteName;
use lazuli_deb::Sha256Digest;
use lazuli_upstream::{
    DebianArchive, Expiry, Freshness, LockedPackage, Progress, Store, Suite, UpstreamError, Warning,
};
use mirror::{Key, Mirror, cached_list, has_proxy, name, names, quiet, tamper, texts};

/// An archive of two suites; the second has the newer `bb`.
fn sample() -> Option<Mirror> {
    let mut mirror = Mirror::new()?;
    mirror
        .package(
            "trixie",
            "aa",
            "1:1.0-1",
            "Depends: bb (>= 1)\nProvides: virtual (= 3), plain\n",
        )
        .package("trixie", "bb", "1.0-1", "Source: bsource (0.9)\n")
        .package("trixie-security", "bb", "1.0-1+deb13u1", "");
    mirror.publish();
    Some(mirror)
}

fn store(mirror: &Mirror) -> Store {
    Store::open(&mirror.settings().cache).unwrap()
}

fn locked(archive: &DebianArchive) -> Vec<LockedPackage> {
    archive
        .index(Freshness::Cached, &quiet)
        .unwrap()
        .resolve(&names(&["aa", "bb"]))
        .unwrap()
}

#[test]
fn a_good_archive_is_fetched() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    assert!(!archive.is_fetched());
    assert!(matches!(archive.releases(), Err(UpstreamError::NotFetched)));
    let seen = Mutex::new(Vec::new());
    let index = archive
        .index(Freshness::Cached, &|progress| {
            seen.lock().unwrap().push(progress.clone())
        })
        .unwrap();
    assert!(seen.lock().unwrap().contains(&Progress::Indexing { packages: 3 }));
    assert_eq!(index.len(), 3);

    let bb = index.get("bb").unwrap();
    assert_eq!(
        (bb.version_text(), bb.suite().unwrap().as_str()),
        ("1.0-1+deb13u1", "trixie-security")
    );
    let versions: Vec<&str> = index.versions("bb").map(|entry| entry.version_text()).collect();
    assert_eq!(versions, ["1.0-1+deb13u1", "1.0-1"]);
    assert!(index.get("b").is_none() && index.get("bbb").is_none());
    assert_eq!(
        index.iter().map(|entry| entry.name()).collect::<Vec<_>>(),
        ["aa", "bb"]
    );
    let provider = &index.providers("virtual").unwrap()[0];
    assert_eq!(
        (provider.entry.name(), provider.version.as_ref().unwrap().as_str()),
        ("aa", "3")
    );
    assert!(index.providers("plain").unwrap()[0].version.is_none());
    assert!(index.providers("aa").unwrap().is_empty());
    assert_eq!(
        index
            .search("THE B")
            .iter()
            .map(|entry| entry.name())
            .collect::<Vec<_>>(),
        ["bb"]
    );

    let locked = index.resolve(&names(&["aa", "bb"])).unwrap();
    assert_eq!(texts(&locked), ["aa 1:1.0-1", "bb 1.0-1+deb13u1"]);
    let old = index.versions("bb").nth(1).unwrap().locked().unwrap();
    assert_eq!(
        (old.source_name.as_str(), old.source_version.as_str()),
        ("bsource", "0.9")
    );
    let unknown = index.resolve(&names(&["aa", "xx", "yy"])).unwrap_err();
    assert_eq!(unknown.to_string(), "the Debian archive has no package xx, yy");

    let states = archive.suite_states().unwrap();
    assert_eq!(states.len(), 2);
    let inrelease = fs::read(mirror.file("trixie", "dists/trixie/InRelease")).unwrap();
    assert_eq!(states[0].inrelease_sha256, Sha256Digest::of(&inrelease));
    assert!(archive.warnings().unwrap().is_empty());

    let store = store(&mirror);
    let summary = store.fetch(&archive, &locked, &quiet).unwrap();
    assert_eq!((summary.present, summary.fetched), (0, 2));
    assert_eq!(store.read(&locked[0]).unwrap(), b"the package aa 1:1.0-1");
    let again = store.fetch(&archive, &locked, &quiet).unwrap();
    assert_eq!((again.present, again.fetched, again.bytes), (2, 0, 0));
    let left: Vec<_> = fs::read_dir(mirror.settings().cache.join("debs/incoming"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_lock_file_is_enough_to_fetch() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    let packages: Vec<LockedPackage> = locked(&archive)
        .iter()
        .map(|package| {
            let (name, entry) = package.to_catalog().unwrap();
            let back = LockedPackage::from_catalog(&name, &entry).unwrap();
            assert_eq!(
                back,
                LockedPackage {
                    suite: None,
                    ..package.clone()
                }
            );
            back
        })
        .collect();
    fs::remove_dir_all(mirror.settings().cache).unwrap();
    let archive = mirror.archive();
    // Without an index: the security archive is found by trying.
    assert!(!archive.is_fetched());
    assert_eq!(
        store(&mirror).fetch(&archive, &packages, &quiet).unwrap().fetched,
        2
    );
    assert!(!archive.is_fetched());
}

#[test]
fn a_damaged_package_in_the_store_is_fetched_again() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    let (store, packages) = (store(&mirror), locked(&archive));
    store.fetch(&archive, &packages, &quiet).unwrap();
    let path = store.path(&packages[0].sha256);
    for damage in [
        &b"the package aa 1:1.0-2"[..],
        b"",
        b"the package aa 1:1.0-1 and more",
    ] {
        fs::write(&path, damage).unwrap();
        assert!(store.read(&packages[0]).is_err());
        assert_eq!(store.fetch(&archive, &packages, &quiet).unwrap().fetched, 1);
        assert!(store.read(&packages[0]).is_ok());
    }
}

#[test]
fn a_tampered_release_is_refused() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    archive.index(Freshness::Cached, &quiet).unwrap();
    // In our cache, where apt does not look.
    let path = cached_list(&mirror.settings().cache, "dists_trixie_InRelease");
    let good = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, &good).unwrap();
    tamper(&path, "Origin: Probe", "Origin: Prove");
    let error = archive.index(Freshness::Cached, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Signature { file, .. } if file.ends_with("_InRelease")),
        "{error}"
    );
    // At the mirror, where apt looks first.
    fs::write(&path, &good).unwrap();
    let path = mirror.file("trixie", "dists/trixie/InRelease");
    tamper(&path, "Origin: Probe", "Origin: Prove");
    let error = archive.index(Freshness::Newest, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Apt { message, .. } if message.contains("InRelease")),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn an_unsigned_release_is_refused() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    archive.index(Freshness::Cached, &quiet).unwrap();
    let path = cached_list(&mirror.settings().cache, "dists_trixie_InRelease");
    fs::remove_file(&path).unwrap();
    fs::write(
        &path,
        "Suite: stable\nCodename: trixie\nDate: Sat, 12 Sep 2020 07:55:41 UTC\nSHA256:\n",
    )
    .unwrap();
    assert!(matches!(
        archive.index(Freshness::Cached, &quiet),
        Err(UpstreamError::Signature { .. })
    ));
    fs::remove_file(&path).unwrap();
    assert!(matches!(
        archive.index(Freshness::Cached, &quiet),
        Err(UpstreamError::Io { .. })
    ));
}

#[test]
fn a_tampered_list_is_refused() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    archive.update(&quiet).unwrap();
    let path = cached_list(&mirror.settings().cache, "_trixie_main_binary-amd64_Packages");
    let good = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, &good).unwrap();
    tamper(&path, "Version: 1:1.0-1", "Version: 1:1.0-2");
    let error = archive.index(Freshness::Cached, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Digest { file, .. } if file.ends_with("_Packages")),
        "{error}"
    );
    fs::write(&path, &good).unwrap();
    archive.index(Freshness::Cached, &quiet).unwrap();

    let Some(mirror) = sample() else { return };
    tamper(
        &mirror.file("trixie", "dists/trixie/main/binary-amd64/Packages"),
        "Version: 1:1.0-1",
        "Version: 1:1.0-2",
    );
    let error = mirror.archive().index(Freshness::Cached, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Apt { message, .. } if message.contains("Packages")),
        "{error}"
    );
}

#[test]
fn a_tampered_package_is_refused() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    let packages = locked(&archive);
    tamper(&mirror.file("trixie", &packages[0].filename), "1.0", "1.1");
    let error = store(&mirror).fetch(&archive, &packages, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Digest { file, .. } if file.contains("aa_1")),
        "{error}"
    );
    assert!(!store(&mirror).contains(&packages[0].sha256));
}

#[test]
fn a_missing_package_is_named() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    let packages = locked(&archive);
    fs::remove_file(mirror.file("trixie", &packages[0].filename)).unwrap();
    let error = store(&mirror).fetch(&archive, &packages, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Fetch { files, .. } if files[0].contains("aa_1") && files.len() == 1),
        "{error}"
    );
    assert!(store(&mirror).contains(&packages[1].sha256), "the other one came");
}

#[test]
fn vanished_versions_are_named_all_at_once() {
    let Some(mut mirror) = sample() else { return };
    let archive = mirror.archive();
    let packages = locked(&archive);
    for (suite, package) in [("trixie", &packages[0]), ("trixie-security", &packages[1])] {
        fs::remove_file(mirror.file(suite, &package.filename)).unwrap();
    }
    mirror
        .remove("trixie", "aa")
        .remove("trixie-security", "bb")
        .package("trixie-security", "bb", "2", "");
    mirror.publish();
    let error = store(&mirror).fetch(&archive, &packages, &quiet).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the Debian archive no longer has aa 1:1.0-1 (nor any other version), bb 1.0-1+deb13u1 (it has 2)"
    );
    assert_eq!(
        error.hint(),
        Some("run `lazuli component update` to lock the versions that it has now")
    );
}

/// Over the network apt itself fetches the packages, many at once.
#[test]
fn packages_come_over_http() {
    let Some(mut mirror) = sample() else { return };
    if has_proxy() {
        return;
    }
    let many: Vec<String> = (0..40).map(|number| format!("many-{number}")).collect();
    for name in &many {
        mirror.package("trixie", name, "1", "");
    }
    mirror.publish();
    let archive = DebianArchive::open(mirror.settings_over_http()).unwrap();
    let index = archive.index(Freshness::Cached, &quiet).unwrap();
    let all: Vec<LockedPackage> = index.iter().map(|entry| entry.locked().unwrap()).collect();
    let reached = Mutex::new(Vec::new());
    let progress = |progress: &Progress| {
        if let Progress::Fetching { done, total, .. } = progress {
            reached.lock().unwrap().push((*done, *total));
        }
    };
    let store = store(&mirror);
    let summary = store.fetch(&archive, &all, &progress).unwrap();
    assert_eq!(
        (summary.fetched, summary.bytes),
        (42, all.iter().map(|package| package.size).sum())
    );
    let reached = reached.into_inner().unwrap();
    assert!(
        reached.is_sorted() && reached.last().unwrap() == &(summary.bytes, summary.bytes),
        "{reached:?}"
    );

    let forget = |package: &LockedPackage| fs::remove_file(store.path(&package.sha256)).unwrap();
    let file = mirror.file("trixie", &all[0].filename);
    forget(&all[0]);
    tamper(&file, "1.0", "1.1");
    let error = store.fetch(&archive, &all, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Digest { file, .. } if file.starts_with("http:")),
        "{error}"
    );

    forget(&all[2]);
    fs::remove_file(file).unwrap();
    let error = store.fetch(&archive, &all, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Fetch { files, message } if files.len() == 1 && message.contains("404")),
        "{error}"
    );
    assert!(store.contains(&all[2].sha256), "the other one came");
    mirror.remove("trixie", "aa");
    mirror.publish();
    let error = store.fetch(&archive, &all, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Vanished { packages } if packages.len() == 1),
        "{error}"
    );
}

#[test]
fn another_key_is_refused() {
    let Some(mirror) = sample() else { return };
    let Some(other) = Key::new() else { return };
    mirror.archive().update(&quiet).unwrap();
    let mut settings = mirror.settings();
    settings.keyring.clone_from(&other.public);
    let archive = DebianArchive::open(settings.clone()).unwrap();
    let error = archive.index(Freshness::Cached, &quiet).unwrap_err();
    assert!(matches!(error, UpstreamError::Signature { .. }), "{error}");
    let error = archive.update(&quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Apt { message, .. } if message.contains("InRelease")),
        "{error}"
    );
    settings.keyring = mirror.folder.path().join("none.gpg");
    let error = DebianArchive::open(settings).unwrap_err();
    assert!(matches!(error, UpstreamError::Io { .. }) && error.hint().is_some());
}

#[test]
fn another_suite_is_refused() {
    let Some(mut mirror) = sample() else { return };
    mirror.package("forky", "aa", "9", "");
    mirror.publish();
    // Signed, but in the place of another: as a mirror that wants to hold back updates would do.
    let from = mirror.file("forky", "dists/forky");
    fs::remove_dir_all(mirror.file("trixie", "dists/trixie")).unwrap();
    fs::rename(from, mirror.file("trixie", "dists/trixie")).unwrap();
    let mut settings = mirror.settings();
    settings.suites = vec![Suite {
        name: SuiteName::new("trixie").unwrap(),
        mirror: None,
    }];
    let archive = DebianArchive::open(settings).unwrap();
    let error = archive.index(Freshness::Newest, &quiet).unwrap_err();
    assert!(
        matches!(
            error,
            UpstreamError::WrongSuite { .. } | UpstreamError::Apt { .. }
        ),
        "{error}"
    );
}

#[test]
fn an_expired_suite_is_refused_or_warned_of() {
    let Some(mut mirror) = sample() else { return };
    mirror.fields = "Valid-Until: Sat, 12 Sep 2020 07:55:41 UTC\n".to_owned();
    mirror.publish();
    let error = mirror.archive().index(Freshness::Cached, &quiet).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the suite trixie was valid only until Sat, 12 Sep 2020 07:55:41 UTC"
    );
    let mut settings = mirror.settings();
    settings.expiry = Expiry::Warn;
    let archive = DebianArchive::open(settings).unwrap();
    archive.index(Freshness::Cached, &quiet).unwrap();
    let warnings = archive.warnings().unwrap();
    assert_eq!(warnings.len(), 2);
    assert!(matches!(&warnings[0], Warning::Expired { suite, .. } if suite.as_str() == "trixie"));
}

#[test]
fn a_signature_counts_at_its_time() {
    let Some(mirror) = sample() else { return };
    mirror.archive().update(&quiet).unwrap();
    let mut settings = mirror.settings();
    settings.now -= Duration::from_secs(86_400);
    let error = DebianArchive::open(settings).unwrap().releases().unwrap_err();
    assert!(
        matches!(error, UpstreamError::Signature { .. }),
        "a signature of tomorrow: {error}"
    );
}

#[test]
fn a_list_that_is_not_signed_is_not_used() {
    let Some(mirror) = sample() else { return };
    let mut settings = mirror.settings();
    settings.architecture = lazuli_deb::Architecture::parse("arm64").unwrap();
    let archive = DebianArchive::open(settings).unwrap();
    let error = archive.index(Freshness::Cached, &quiet).unwrap_err();
    assert!(
        matches!(&error, UpstreamError::NotListed { wanted, .. } if wanted == "main/binary-arm64/Packages"),
        "{error}"
    );
}

#[test]
fn a_corrupt_index_is_made_again() {
    let Some(mirror) = sample() else { return };
    let archive = mirror.archive();
    archive.index(Freshness::Cached, &quiet).unwrap();
    let folder = mirror.settings().cache.join("index");
    let path = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(13) {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        if at % 5 == 0 {
            bad.truncate(at);
        }
        fs::write(&path, &bad).unwrap();
        let index = archive.index(Freshness::Cached, &quiet).unwrap();
        assert_eq!(index.len(), 3, "byte {at}");
        assert_eq!(fs::read(&path).unwrap(), good, "byte {at}");
    }
}

#[test]
fn malformed_lists_are_refused() {
    let check = |more: &str, expected: &str| {
        let Some(mut mirror) = Mirror::new() else { return };
        mirror.package("trixie", "aa", "1", more);
        mirror.publish();
        let error = mirror
            .archive()
            .index(Freshness::Cached, &quiet)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    };
    // This one apt refuses before us.
    check("Depends: (\n", "Problem parsing dependency");
    check("Filename: ../../x\n", "stands twice");
    check(
        "Multi-Arch: perhaps\n",
        "the field `Multi-Arch` has the value `perhaps`",
    );
    let Some(mut mirror) = Mirror::new() else { return };
    mirror.package("trixie", "a../a", "1", "");
    mirror.publish();
    assert!(mirror.archive().index(Freshness::Cached, &quiet).is_err());
}

#[test]
fn needless_settings_are_refused() {
    let Some(mirror) = sample() else { return };
    let mut settings = mirror.settings();
    settings.mirror = Some("file:/a b".to_owned());
    assert!(matches!(
        DebianArchive::open(settings),
        Err(UpstreamError::Settings { .. })
    ));
    let mut settings = mirror.settings();
    settings.suites.clear();
    assert!(matches!(
        DebianArchive::open(settings),
        Err(UpstreamError::Settings { .. })
    ));
    let mut settings = mirror.settings();
    settings.cache = settings.cache.join("a\"b");
    assert!(matches!(
        DebianArchive::open(settings),
        Err(UpstreamError::Settings { .. })
    ));
    assert_eq!(name("aa").as_str(), "aa");
}
