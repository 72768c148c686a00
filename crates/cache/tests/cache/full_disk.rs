//! A full disk: an error that says so, nothing half-made, and with room again it works. The disk is memory of a limited size,
//! mounted where only one process sees it; the test starts itself there.

use crate::build::{key, result};
use lazuli_cache::{Cache, CacheError, Collection, Folder, OnDamage, Settings};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

const DISK: &str = "LAZULI_TEST_DISK";

#[test]
#[ignore = "a part of `a_full_disk_is_said`, which starts it"]
fn child() {
    let disk = PathBuf::from(std::env::var_os(DISK).unwrap());
    let path = disk.join("cache");
    let cache = Cache::open(Settings::local(&path)).unwrap();
    let sources = tempfile::tempdir().unwrap();
    let put = |number: u8, size: usize| {
        let new = result(sources.path(), &[("a.rpm", &vec![number; size])]);
        cache.put(&key(number), new)
    };
    put(1, 300 << 10).unwrap();
    for size in [4 << 20, 900 << 10] {
        let error = put(2, size).unwrap_err();
        let CacheError::Io { source, path, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(source.kind(), ErrorKind::StorageFull, "{error}");
        assert!(path.starts_with(&disk), "{error}");
        assert!(!error.is_miss());
        assert_eq!(cache.get(&key(2)).unwrap(), None);
        assert_eq!(std::fs::read_dir(disk.join("cache/incoming")).unwrap().count(), 0);
    }
    // Room for the object, and none for its entry.
    let filler = disk.join("filler");
    std::fs::write(&filler, vec![0; 500 << 10]).unwrap();
    let mut written = 0;
    while written < 1 << 20 {
        let full = std::fs::write(disk.join(format!("filler-{written}")), [0; 4096]);
        if full.is_err() {
            break;
        }
        written += 4096;
    }
    put(3, 8).unwrap_err();
    assert_eq!(cache.get(&key(3)).unwrap(), None);
    assert!(cache.get(&key(1)).unwrap().is_some());
    std::fs::remove_file(&filler).unwrap();
    put(2, 400 << 10).unwrap();
    drop(cache);
    let folder = Folder::open(&path).unwrap();
    let found = folder.verify(OnDamage::Report, &mut |_, _| ()).unwrap();
    assert_eq!((found.entries, found.damaged), (2, vec![]));
    folder.collect(None, Collection::Remove).unwrap();
    assert_eq!(folder.usage().unwrap().total().files, 4);
}

#[test]
fn a_full_disk_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let id = Command::new("id").arg("-u").output().unwrap();
    let enter: &[&str] = match String::from_utf8_lossy(&id.stdout).trim() {
        "0" => &["--mount"],
        _ => &["--mount", "--map-root-user"],
    };
    let script = r#"mount -t tmpfs -o size=1m tmpfs "$LAZULI_TEST_DISK" && exec "$0" "$@""#;
    let output = Command::new("unshare")
        .args(enter)
        .args(["sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full_disk::child", "--ignored", "--nocapture"])
        .env(DISK, dir.path())
        .output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("SKIPPED: there is no `unshare`");
            return;
        }
        output => output.unwrap(),
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
