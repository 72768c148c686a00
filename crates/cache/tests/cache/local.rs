//! The local folder.

use crate::build::{Machine, key, result};
use lazuli_cache::{Collection, Folder, ObjectKind, OnDamage, Placement};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, SystemTime};

const FILES: &[(&str, &[u8])] = &[
    ("a.rpm", b"package"),
    ("build.log.zst", b"log"),
    ("a.json", b"{}"),
];

fn folder(machine: &Machine) -> Folder {
    Folder::open(&machine.dir.path().join("cache")).unwrap()
}

#[test]
fn what_is_put_comes_back() {
    let machine = Machine::local();
    assert_eq!(machine.cache.get(&key(1)).unwrap(), None);
    let put = machine.put(1, FILES);
    let entry = machine.cache.get(&key(1)).unwrap().unwrap();
    assert_eq!(entry, put);
    assert_eq!(entry.facts["content:zlib1g"], "1234");
    assert_eq!(entry.took, Duration::from_millis(61_250));
    let files = machine.restore(1).unwrap();
    assert_eq!(files.len(), 3);
    assert_eq!(files["a.rpm"], b"package");
    let statistics = machine.cache.finish();
    assert_eq!((statistics.local_hits, statistics.misses), (2, 1));
    assert_eq!(machine.notices(), [""; 0]);
    assert_eq!(machine.incoming(), 0);
}

#[test]
fn placements_are_links_or_files_of_their_own() {
    let machine = Machine::local();
    let entry = machine.put(1, FILES);
    let object = entry.object("a.rpm").unwrap();
    let path = machine.object(object.sha256.as_str());
    let (linked, copied) = (
        machine.dir.path().join("x/linked"),
        machine.dir.path().join("copied"),
    );
    // Twice: what is there is replaced, also by itself.
    for _ in 0..2 {
        machine.cache.fetch(object, &linked, Placement::Link).unwrap();
        machine.cache.fetch(object, &copied, Placement::Copy).unwrap();
        assert_eq!(
            fs::metadata(&linked).unwrap().ino(),
            fs::metadata(&path).unwrap().ino()
        );
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o222, 0);
        assert_ne!(
            fs::metadata(&copied).unwrap().ino(),
            fs::metadata(&path).unwrap().ino()
        );
        assert_eq!(fs::read(&copied).unwrap(), b"package");
        assert_eq!(fs::read_dir(linked.parent().unwrap()).unwrap().count(), 1);
    }
    fs::set_permissions(&copied, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&copied, "changed").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"package");
}

#[test]
fn sources_stay_the_callers() {
    let machine = Machine::local();
    let entry = machine.put(1, FILES);
    let source = machine.dir.path().join("a.rpm");
    fs::write(&source, "rewritten").unwrap();
    assert_eq!(machine.restore(1).unwrap()["a.rpm"], b"package");
    assert_eq!(
        fs::metadata(machine.object(entry.objects[0].sha256.as_str()))
            .unwrap()
            .nlink(),
        2
    );
}

#[test]
fn a_damaged_object_is_a_miss_and_is_repaired() {
    let machine = Machine::local();
    let entry = machine.put(1, FILES);
    let object = entry.object("a.rpm").unwrap();
    let path = machine.object(object.sha256.as_str());
    for content in [b"pbckage".as_slice(), b"pack"] {
        fs::remove_file(&path).unwrap();
        fs::write(&path, content).unwrap();
        assert_eq!(machine.restore(1), None);
        let notices = machine.notices();
        // A wrong size is seen without a look at the bytes.
        assert!(
            content.len() < 7 || notices[0].contains("wrong bytes"),
            "{notices:?}"
        );
        machine.put(1, FILES);
        assert_eq!(machine.restore(1).unwrap()["a.rpm"], b"package");
    }
    // Put again without having been looked at: what is damaged is not taken for what is put.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "pbckage").unwrap();
    machine.put(2, FILES);
    assert_eq!(machine.restore(2).unwrap()["a.rpm"], b"package");
}

#[test]
fn a_truncated_entry_is_a_miss() {
    let machine = Machine::local();
    machine.put(1, FILES);
    let path = machine.entry(1);
    let whole = fs::read(&path).unwrap();
    for length in [0, 1, whole.len() / 2, whole.len() - 3] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(machine.restore(1), None, "{length}");
        assert!(machine.notices()[0].contains("refused"));
        assert!(!path.exists());
        machine.put(1, FILES);
    }
    assert_eq!(machine.cache.statistics().refused, 4);
    // The entry of another build in its place.
    machine.put(2, &[("b.rpm", b"other")]);
    fs::copy(machine.entry(2), &path).unwrap();
    assert_eq!(machine.restore(1), None);
    assert!(machine.notices()[0].contains("entry of build 0202"));
}

#[test]
fn two_files_of_one_name_are_refused() {
    let machine = Machine::local();
    let mut new = result(machine.dir.path(), FILES);
    new.files.push(new.files[0].clone());
    let error = machine.cache.put(&key(1), new).unwrap_err();
    assert!(error.to_string().contains("two objects"), "{error}");
    assert_eq!(machine.cache.get(&key(1)).unwrap(), None);
    let mut new = result(machine.dir.path(), FILES);
    new.files[0].1 = machine.dir.path().join("missing");
    let error = machine.cache.put(&key(1), new).unwrap_err();
    assert!(
        error.to_string().contains("missing") && !error.is_miss(),
        "{error}"
    );
}

#[test]
fn sizes_are_by_kind() {
    let machine = Machine::local();
    machine.put(1, FILES);
    // The same package again, which is there once.
    machine.put(2, &[("a.rpm", b"package"), ("other", b"12345")]);
    let usage = folder(&machine).usage().unwrap();
    let bytes = |kind| usage.objects[&kind].bytes;
    assert_eq!(usage.entries.files, 2);
    assert_eq!(bytes(ObjectKind::Package), 7);
    assert_eq!(bytes(ObjectKind::Log), 3);
    assert_eq!(bytes(ObjectKind::Provenance), 2);
    assert_eq!(bytes(ObjectKind::Other), 5);
    assert_eq!(usage.total().bytes, usage.entries.bytes + 17);
}

#[test]
fn a_collection_takes_what_is_old_and_not_in_use() {
    let machine = Machine::local();
    let other = Machine::local();
    // The other machine's cache is not open on this folder: nothing of it is in use here.
    let path = machine.dir.path().join("cache");
    for number in 1..=3 {
        machine.put(number, &[("a.rpm", &[number; 100]), ("shared.log", b"same")]);
        let time = SystemTime::now() - Duration::from_secs(1000 * u64::from(4 - number));
        fs::File::open(machine.entry(number))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    let folder = Folder::open(&path).unwrap();
    let all = folder
        .collect(Some(SystemTime::now()), Collection::Remove)
        .unwrap();
    assert_eq!(
        (all.entries, all.objects, all.in_use),
        (0, 0, 3),
        "it is all in use"
    );
    let notices = machine.notices();
    let dir = machine.dir;
    drop(machine.cache);
    drop(other);
    let uses = folder.uses().unwrap();
    assert_eq!(uses.len(), 3);
    let entry = uses[2].bytes - 100;
    // The newest, with what all three share, and no more.
    let since = lazuli_cache::cutoff(uses, entry + 110);
    let dry = folder.collect(since, Collection::DryRun).unwrap();
    assert_eq!((dry.entries, dry.objects), (2, 2));
    assert_eq!(
        folder.usage().unwrap().entries.files,
        3,
        "a dry run removes nothing"
    );
    let done = folder.collect(since, Collection::Remove).unwrap();
    assert_eq!(done, dry);
    assert_eq!(folder.usage().unwrap().total().bytes, done.kept);
    let done = folder
        .collect(Some(SystemTime::now()), Collection::Remove)
        .unwrap();
    assert_eq!((done.entries, done.objects, done.kept), (1, 2, 0));
    assert_eq!(notices, [""; 0]);
    drop(dir);
}

#[test]
fn a_use_makes_young() {
    let machine = Machine::local();
    machine.put(1, FILES);
    let old = SystemTime::now() - Duration::from_secs(9000);
    fs::File::open(machine.entry(1))
        .unwrap()
        .set_modified(old)
        .unwrap();
    machine.restore(1).unwrap();
    assert!(folder(&machine).uses().unwrap()[0].last > old + Duration::from_secs(8000));
}

#[test]
fn damage_is_found_and_removed() {
    let machine = Machine::local();
    let entry = machine.put(1, FILES);
    machine.put(2, &[("b.rpm", b"other")]);
    let folder = folder(&machine);
    let verify = |on_damage| folder.verify(on_damage, &mut |_, _| ()).unwrap();
    let clean = verify(OnDamage::Report);
    assert_eq!((clean.entries, clean.objects, clean.bytes), (2, 4, 17));
    assert_eq!(clean.damaged, []);
    let object = machine.object(entry.object("a.rpm").unwrap().sha256.as_str());
    fs::remove_file(&object).unwrap();
    fs::write(&object, "pbckage").unwrap();
    fs::write(machine.entry(2), "{").unwrap();
    let found = verify(OnDamage::Report);
    let paths: Vec<_> = found.damaged.iter().map(|damage| damage.path.clone()).collect();
    assert_eq!(paths, [machine.entry(2), object.clone()]);
    assert_eq!(verify(OnDamage::Remove), found);
    assert!(!object.exists() && !machine.entry(2).exists());
    assert_eq!(verify(OnDamage::Report).damaged, []);
}
