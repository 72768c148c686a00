//! Several processes with one folder. The test starts itself as children.

use crate::build::{Machine, key, result};
use lazuli_cache::{Cache, Collection, Folder, OnDamage, Placement, Settings};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

const FOLDER: &str = "LAZULI_TEST_FOLDER";

/// How many builds each process puts and takes.
const BUILDS: u8 = 40;

/// Starts a part of this file in another process.
fn start(name: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("processes::{name}"),
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os(FOLDER).unwrap())
}

/// What a build gives: one file that is the same in all, one of its own.
fn content(number: u8) -> [Vec<u8>; 2] {
    [b"the same".repeat(1000), vec![number; 5000]]
}

#[test]
#[ignore = "a part of `processes_share_a_folder`, which starts it"]
fn builder() {
    let cache = Cache::open(Settings::local(folder())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for number in 0..BUILDS {
        let [same, own] = content(number);
        let new = result(dir.path(), &[("same.rpm", &same), ("own.rpm", &own)]);
        cache.put(&key(number), new).unwrap();
        let target = dir.path().join("restored");
        // What this process has put is in use by it: no collection takes it.
        let entry = cache.restore(&key(number), &target, Placement::Link).unwrap();
        assert!(entry.is_some(), "build {number} is gone");
        assert!(
            std::fs::read(target.join("own.rpm")).unwrap() == own,
            "build {number}"
        );
        assert!(
            std::fs::read(target.join("same.rpm")).unwrap() == same,
            "build {number}"
        );
    }
}

#[test]
fn processes_share_a_folder() {
    let machine = Machine::local();
    let path = machine.dir.path().join("cache");
    let mut children = [start("builder", &path), start("builder", &path)];
    let folder = Folder::open(&path).unwrap();
    let mut rounds = 0_u32;
    while children
        .iter_mut()
        .any(|child| child.try_wait().unwrap().is_none())
    {
        folder
            .collect(Some(SystemTime::now()), Collection::Remove)
            .unwrap();
        rounds += 1;
    }
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
    assert!(rounds > 1, "nothing was collected meanwhile");
    let found = folder.verify(OnDamage::Report, &mut |_, _| ()).unwrap();
    assert_eq!(found.damaged, []);
    folder
        .collect(Some(SystemTime::now()), Collection::Remove)
        .unwrap();
    assert_eq!(
        folder.usage().unwrap().total().files,
        0,
        "all are gone, and nothing is in use"
    );
}

#[test]
#[ignore = "a part of `what_a_process_uses_is_kept_until_it_ends`, which starts it"]
fn user() {
    let cache = Cache::open(Settings::local(folder())).unwrap();
    assert!(cache.get(&key(1)).unwrap().is_some());
    println!("\nusing");
    std::io::stdout().flush().unwrap();
    // Until it is ended.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[test]
fn what_a_process_uses_is_kept_until_it_ends() {
    let machine = Machine::local();
    machine.put(1, &[("a.rpm", b"used")]);
    machine.put(2, &[("b.rpm", b"not used")]);
    let Machine { dir, cache, .. } = machine;
    drop(cache);
    let path = dir.path().join("cache");
    let folder = Folder::open(&path).unwrap();
    let mut child = start("user", &path);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "using"), "it said nothing");
    let collect = || {
        folder
            .collect(Some(SystemTime::now()), Collection::Remove)
            .unwrap()
    };
    let done = collect();
    assert_eq!((done.entries, done.objects, done.in_use), (1, 1, 1));
    child.kill().unwrap();
    child.wait().unwrap();
    let done = collect();
    assert_eq!((done.entries, done.objects, done.in_use), (1, 1, 0));
}
