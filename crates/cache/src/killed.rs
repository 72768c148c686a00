//! A process is killed at each step of each durable change: nothing half-made, and the change can be made again.
//!
//! The test starts itself as a child, which counts the steps and ends itself at the one that it is told.

#![allow(clippy::unwrap_used)]

use crate::failpoint::HOOK;
use crate::{Cache, CacheKey, Collection, Folder, NewEntry, ObjectName, OnDamage, Placement, Settings};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

/// More steps than any change has.
const STEPS_MAX: usize = 100;
const KILL: i32 = 9;

const FOLDER: &str = "LAZULI_TEST_FOLDER";
const CHANGE: &str = "LAZULI_TEST_CHANGE";
const STEP: &str = "LAZULI_TEST_STEP";

fn key(number: u8) -> CacheKey {
    CacheKey::new(format!("{number:02x}").repeat(32)).unwrap()
}

/// Puts a build with two files.
fn put(folder: &Path, number: u8) {
    let source = tempfile::tempdir().unwrap();
    let file = |name: &str, content: String| {
        let path = source.path().join(name);
        std::fs::write(&path, content).unwrap();
        (ObjectName::new(name).unwrap(), path)
    };
    let files = vec![
        file("a.rpm", format!("package {number}")),
        file("build.log", format!("log {number}")),
    ];
    let new = NewEntry {
        files,
        facts: BTreeMap::new(),
        finished: SystemTime::now(),
        took: Duration::from_secs(1),
    };
    Cache::open(Settings::local(folder))
        .unwrap()
        .put(&key(number), new)
        .unwrap();
}

fn change(name: &str, folder: &Path) {
    match name {
        "put" => put(folder, 1),
        "collect" => {
            let folder = Folder::open(folder).unwrap();
            folder
                .collect(Some(SystemTime::now()), Collection::Remove)
                .unwrap();
        }
        other => panic!("no change {other}"),
    }
}

#[test]
#[ignore = "a part of `nothing_is_half_made`, which starts it"]
fn child() {
    static LEFT: AtomicUsize = AtomicUsize::new(0);
    let variable = |name| std::env::var(name).unwrap();
    LEFT.store(variable(STEP).parse().unwrap(), Ordering::Relaxed);
    HOOK.set(|_| {
        if LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    })
    .unwrap();
    change(&variable(CHANGE), Path::new(&variable(FOLDER)));
}

/// Whether the child was killed before the change was whole.
fn is_killed(name: &str, folder: &Path, step: usize) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--ignored"])
        .env(FOLDER, folder)
        .env(CHANGE, name)
        .env(STEP, step.to_string())
        .output()
        .unwrap();
    let is_killed = output.status.signal() == Some(KILL);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        is_killed || (output.status.success() && said.contains("1 passed")),
        "{said}"
    );
    is_killed
}

fn files(folder: &Path, name: &str) -> usize {
    std::fs::read_dir(folder.join(name)).unwrap().count()
}

/// Kills a change at each of its steps; says how many there are.
fn survives(name: &str, prepare: impl Fn(&Path)) -> usize {
    for step in 1..STEPS_MAX {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        prepare(path);
        let was_killed = is_killed(name, path, step);
        let what = format!("{name} at step {step}");
        let folder = Folder::open(path).unwrap();
        let found = folder.verify(OnDamage::Report, &mut |_, _| ()).unwrap();
        assert_eq!(found.damaged, [], "{what}");
        // What is promised is there, even before anybody has tidied up.
        let cache = Cache::open(Settings::local(path)).unwrap();
        for number in 0..4 {
            let is_there = folder.entry_path(&key(number)).exists();
            let target = path.join(format!("restored-{number}"));
            let entry = cache.restore(&key(number), &target, Placement::Copy).unwrap();
            assert_eq!(entry.is_some(), is_there, "{what}: build {number}");
        }
        drop(cache);
        // A collection leaves nothing of the killed one, and what has an entry stays.
        let entries = found.entries;
        folder.collect(None, Collection::Remove).unwrap();
        assert_eq!((files(path, "incoming"), files(path, "leases")), (0, 0), "{what}");
        let usage = folder.usage().unwrap();
        assert_eq!(usage.entries.files, entries, "{what}");
        assert!(
            !usage.objects.contains_key(&crate::ObjectKind::Unnamed),
            "{what}: {usage:?}"
        );
        // And the change can be made now.
        change(name, path);
        let usage = folder.usage().unwrap();
        let expected = if name == "put" { 2 } else { 0 };
        assert_eq!(usage.entries.files, expected, "{what}: {usage:?}");
        if !was_killed {
            return step - 1;
        }
    }
    panic!("{name} has more than {STEPS_MAX} steps");
}

#[test]
fn nothing_is_half_made() {
    let steps = survives("put", |folder| put(folder, 0));
    assert!(steps >= 14, "put has {steps} steps");
    let steps = survives("collect", |folder| (0..3).for_each(|number| put(folder, number)));
    assert!(steps >= 9, "a collection has {steps} steps");
}
