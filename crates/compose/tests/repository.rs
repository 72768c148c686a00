//! Repositories made, checked, damaged and opened.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod common;

use common::{Key, TIME, build, options, time};
use lazuli_compose::{
    ComposeError, Fetcher, FolderFetcher, OpenError, Rollback, Signatures, check, create, open_repository,
    sign,
};
use lazuli_openpgp::Keyring;
use lazuli_repodata::{MetadataError, PackageRecord, Repomd, filelists, other, primary};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn three_packages(dir: &Path, key: Option<&Key>) {
    build(
        dir,
        "a-1-1; requires b >= 1, (c or d); files /usr/bin/a, /etc/a.d/, /usr/share/a",
        key,
    );
    build(
        &dir.join("sub"),
        "b-2-1; provides virtual = 3; conflicts old < 2; recommends a",
        key,
    );
    build(dir, "c-1-1; obsoletes d; supplements b", key);
}

fn keyring(key: &Key) -> Keyring {
    Keyring::from_bytes(key.0.certificate().unwrap().as_bytes()).unwrap()
}

fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

fn read_all(root: &Path) -> Vec<PackageRecord> {
    let fetcher = FolderFetcher {
        root: root.to_owned(),
    };
    let repository = open_repository(&fetcher, Signatures::Unchecked, Rollback::FirstContact).unwrap();
    let mut records = repository.packages().unwrap();
    filelists::attach(&mut records, repository.filelists().unwrap());
    other::attach(&mut records, repository.changelogs().unwrap());
    records.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    records
}

#[test]
fn a_repository_is_the_same_in_any_folder_and_clean() {
    let key = Key::generate();
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for dir in &dirs {
        three_packages(dir.path(), Some(&key));
        let report = create(dir.path(), &options(Some(&key))).unwrap();
        assert_eq!((report.packages, report.reused, report.revision), (3, 0, TIME));
        assert_eq!(check(dir.path(), Some(&keyring(&key).at(time()))).unwrap(), []);
    }
    assert_eq!(
        contents(&dirs[0].path().join("repodata")),
        contents(&dirs[1].path().join("repodata"))
    );
    // Nothing but what belongs there.
    let names: Vec<String> = contents_names(dirs[0].path());
    assert_eq!(
        names,
        [
            ".lazuli-digests",
            "a-1-1.noarch.rpm",
            "c-1-1.noarch.rpm",
            "repodata",
            "sub"
        ]
    );
}

fn contents_names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn unchanged_packages_are_not_read_again_and_changed_ones_are() {
    let dir = tempfile::tempdir().unwrap();
    three_packages(dir.path(), None);
    create(dir.path(), &options(None)).unwrap();
    let before = contents(&dir.path().join("repodata"));
    let again = create(dir.path(), &options(None)).unwrap();
    assert_eq!((again.packages, again.reused), (3, 3));
    assert_eq!(contents(&dir.path().join("repodata")), before);

    // The same size and the modification time put back: only the change time tells.
    let path = dir.path().join("c-1-1.noarch.rpm");
    let metadata = std::fs::metadata(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(metadata.modified().unwrap()).unwrap();
    let third = create(dir.path(), &options(None)).unwrap();
    assert_eq!((third.packages, third.reused), (3, 2));
    assert_ne!(contents(&dir.path().join("repodata")), before);
    // The checksum is right now, but the payload is not what the header promises.
    let findings = check(dir.path(), None).unwrap();
    assert_eq!(
        findings.iter().map(|one| one.file.as_str()).collect::<Vec<_>>(),
        ["c-1-1.noarch.rpm"]
    );

    std::fs::remove_file(&path).unwrap();
    assert_eq!(create(dir.path(), &options(None)).unwrap().packages, 2);
}

#[test]
fn it_says_the_same_as_createrepo_c() {
    let dir = tempfile::tempdir().unwrap();
    three_packages(dir.path(), None);
    create(dir.path(), &options(None)).unwrap();
    let ours = read_all(dir.path());
    let run = Command::new("createrepo_c")
        .args(["--quiet", "--no-database"])
        .arg(dir.path())
        .output();
    let Ok(output) = run else {
        return eprintln!("SKIPPED: createrepo_c is missing");
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut theirs = read_all(dir.path());
    assert_eq!(ours.len(), 3);
    for record in &mut theirs {
        // The one difference: ours is reproducible.
        record.time.file = TIME;
    }
    assert_eq!(ours, theirs);
}

#[test]
fn each_damage_is_found_and_named() {
    let key = Key::generate();
    let damage = |change: &dyn Fn(&Path), expected: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        three_packages(dir.path(), Some(&key));
        create(dir.path(), &options(Some(&key))).unwrap();
        change(dir.path());
        let findings = check(dir.path(), Some(&keyring(&key).at(time()))).unwrap();
        let files: Vec<&str> = findings.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(files, expected, "{findings:?}");
    };
    let flip = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    damage(&|dir| flip(&dir.join("a-1-1.noarch.rpm")), &["a-1-1.noarch.rpm"]);
    damage(
        &|dir| std::fs::remove_file(dir.join("a-1-1.noarch.rpm")).unwrap(),
        &["a-1-1.noarch.rpm"],
    );
    damage(
        &|dir| _ = build(dir, "new-1-1", Some(&key)),
        &["new-1-1.noarch.rpm"],
    );
    damage(
        &|dir| std::fs::write(dir.join("repodata/extra"), "x").unwrap(),
        &["repodata/extra"],
    );
    damage(
        &|dir| std::fs::remove_file(dir.join("repodata/repomd.xml.asc")).unwrap(),
        &["repodata/repomd.xml.asc"],
    );
    damage(
        &|dir| {
            let path = dir.join("repodata/repomd.xml");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("<timestamp>1", "<timestamp>2")).unwrap();
        },
        &["repodata/repomd.xml.asc"],
    );
    // Packages that someone else signed.
    let other_key = Key::generate();
    let dir = tempfile::tempdir().unwrap();
    build(dir.path(), "a-1-1", Some(&other_key));
    build(dir.path(), "b-1-1", None);
    create(dir.path(), &options(Some(&key))).unwrap();
    let findings = check(dir.path(), Some(&keyring(&key).at(time()))).unwrap();
    assert_eq!(findings.len(), 2, "{findings:?}");
}

#[test]
fn what_is_fetched_is_verified_first() {
    let key = Key::generate();
    let dir = tempfile::tempdir().unwrap();
    three_packages(dir.path(), Some(&key));
    create(dir.path(), &options(Some(&key))).unwrap();
    let fetcher = FolderFetcher {
        root: dir.path().to_owned(),
    };
    let ring = keyring(&key);
    let trusted = ring.at(time());
    let required = Signatures::Required(&trusted);

    let repository = open_repository(&fetcher, required, Rollback::FirstContact).unwrap();
    assert_eq!(repository.signed_by(), Some(key.0.fingerprint().as_str()));
    assert_eq!(
        (repository.freshness(), repository.packages().unwrap().len()),
        (TIME, 3)
    );
    assert_eq!(repository.data("updateinfo").unwrap(), None);
    assert!(open_repository(&fetcher, required, Rollback::NotOlderThan(TIME)).is_ok());
    let error = open_repository(&fetcher, required, Rollback::NotOlderThan(TIME + 1))
        .err()
        .unwrap();
    assert!(
        matches!(error, OpenError::Rollback { found: TIME, .. }),
        "{error}"
    );

    // Another key, no signature, a changed index.
    let stranger = keyring(&Key::generate());
    let error = open_repository(
        &fetcher,
        Signatures::Required(&stranger.at(time())),
        Rollback::FirstContact,
    )
    .err()
    .unwrap();
    assert!(matches!(error, OpenError::Signature(_)), "{error}");
    let index = dir.path().join("repodata/repomd.xml");
    let good = std::fs::read(&index).unwrap();
    std::fs::write(&index, [good.as_slice(), b" "].concat()).unwrap();
    let error = open_repository(&fetcher, required, Rollback::FirstContact)
        .err()
        .unwrap();
    assert!(matches!(error, OpenError::Signature(_)), "{error}");
    sign(dir.path(), &key).unwrap();
    assert!(open_repository(&fetcher, required, Rollback::FirstContact).is_ok());
    std::fs::write(&index, &good).unwrap();
    sign(dir.path(), &key).unwrap();

    // Metadata that is not what was signed.
    let location = Repomd::parse(&good)
        .unwrap()
        .get("primary")
        .unwrap()
        .location
        .clone();
    let path = dir.path().join(&location);
    let packed = std::fs::read(&path).unwrap();
    std::fs::write(&path, [packed.as_slice(), b"x"].concat()).unwrap();
    let repository = open_repository(&fetcher, required, Rollback::FirstContact).unwrap();
    assert!(
        matches!(repository.packages(), Err(OpenError::Fetch(_))),
        "more bytes than promised are not read"
    );
    std::fs::write(&path, &packed[1..]).unwrap();
    let error = repository.packages().unwrap_err();
    assert!(
        matches!(&error, OpenError::Metadata(MetadataError::SizeMismatch { file, .. }) if *file == location)
    );
    assert!(fetcher.fetch(&location, 3).is_err());
    std::fs::remove_file(dir.path().join("repodata/repomd.xml.asc")).unwrap();
    assert!(open_repository(&fetcher, required, Rollback::FirstContact).is_err());
}

#[test]
fn gpg_accepts_the_signature() {
    let key = Key::generate();
    let dir = tempfile::tempdir().unwrap();
    three_packages(dir.path(), Some(&key));
    create(dir.path(), &options(Some(&key))).unwrap();
    let repodata = dir.path().join("repodata");
    let home = dir.path().join(".gnupg");
    std::fs::create_dir(&home).unwrap();
    let gpg = |arguments: &[&Path]| {
        Command::new("gpg")
            .args(["--batch", "--quiet", "--homedir"])
            .arg(&home)
            .args(arguments)
            .output()
    };
    let Ok(import) = gpg(&[Path::new("--import"), &repodata.join("repomd.xml.key")]) else {
        return eprintln!("SKIPPED: gpg is missing");
    };
    assert!(
        import.status.success(),
        "{}",
        String::from_utf8_lossy(&import.stderr)
    );
    let verify = gpg(&[
        Path::new("--verify"),
        &repodata.join("repomd.xml.asc"),
        &repodata.join("repomd.xml"),
    ])
    .unwrap();
    assert!(
        verify.status.success(),
        "{}",
        String::from_utf8_lossy(&verify.stderr)
    );
}

#[test]
fn what_a_killed_run_left_is_cleared_away_and_only_one_runs_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    three_packages(dir.path(), None);
    create(dir.path(), &options(None)).unwrap();
    let before = contents(&dir.path().join("repodata"));
    let left = dir
        .path()
        .join(format!("{}1-2-repodata", lazuli_durable::TEMPORARY_PREFIX));
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("repomd.xml"), "half").unwrap();
    create(dir.path(), &options(None)).unwrap();
    assert!(!left.exists());
    assert_eq!(contents(&dir.path().join("repodata")), before);

    let folder = std::fs::File::open(dir.path()).unwrap();
    rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    assert!(matches!(
        create(dir.path(), &options(None)),
        Err(ComposeError::Busy { .. })
    ));
}

#[test]
fn a_bad_package_is_named_and_the_old_metadata_stays() {
    let dir = tempfile::tempdir().unwrap();
    three_packages(dir.path(), None);
    create(dir.path(), &options(None)).unwrap();
    let before = contents(&dir.path().join("repodata"));
    let good = std::fs::read(dir.path().join("a-1-1.noarch.rpm")).unwrap();
    for length in [0, 10, 96, 100, 300, good.len() / 4] {
        std::fs::write(dir.path().join("bad.rpm"), &good[..length]).unwrap();
        let error = create(dir.path(), &options(None)).unwrap_err();
        assert!(error.to_string().contains("bad.rpm"), "{error}");
        assert_eq!(contents(&dir.path().join("repodata")), before);
    }
    let error = create(&dir.path().join("nowhere"), &options(None)).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn an_empty_folder_makes_an_empty_repository() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(create(dir.path(), &options(None)).unwrap().packages, 0);
    assert!(read_all(dir.path()).is_empty());
    assert_eq!(primary::parse(&primary::write(&[])).unwrap(), []);
}
