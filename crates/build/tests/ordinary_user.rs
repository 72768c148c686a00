//! A build by an ordinary user: own `main`, since a user namespace takes a process of one thread.
//!
//! Started by root, the test copies itself to where a user may run it, finds or makes a user with subordinate ids, and
//! starts the copy as that user. Started by an ordinary user, it goes straight on.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

mod common;

use common::Record;
use common::distribution::{base_names, job, repositories, stock};
use lazuli_build::{BuildSettings, Buildroots, Cancel, ContentIndex, Keep, Stocked, build};
use lazuli_sandbox::{Settings, Standing, enter};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitCode};
use std::sync::Mutex;

const USER: &str = "lazuli-test";

fn main() -> ExitCode {
    if rustix::process::geteuid().is_root() {
        as_root();
    } else {
        as_user();
    }
    ExitCode::SUCCESS
}

/// What a user with subordinate ids can do: make a buildroot with all owners, build in it, and leave nothing behind.
fn as_user() {
    assert!(matches!(
        enter(Settings::default()).unwrap(),
        Standing::Inside { .. }
    ));
    let Some(repositories) = repositories() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let stock = stock(&repositories);
    let index = Mutex::new(ContentIndex::in_memory());
    let base = stock.base(&base_names(), &mut index.lock().unwrap()).unwrap();
    let buildroots = Buildroots::open(dir.path().join("buildroots")).unwrap();
    let roots = Stocked {
        buildroots: &buildroots,
        stock: &stock,
        base: &base,
        index: &index,
    };
    let (work, results) = (dir.path().join("work"), dir.path().join("results"));
    let settings = BuildSettings {
        work: &work,
        results: &results,
        keep: Keep::Never,
        signer: None,
        previous: &[],
        builder: "urn:lazuli:test",
    };
    let mut job = job();
    job.requires.push("zlib1g-dev".to_owned());
    let record = Record::default();
    let built = build(&job, &roots, &settings, &record, &Cancel::default())
        .unwrap()
        .unwrap_or_else(|failure| panic!("{}\n{}", failure.reason, record.text()));
    assert!(built.packages.len() >= 3);
    assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0, "nothing is left");
    println!(
        "built as an ordinary user in {:.1} s, buildroot included",
        built.elapsed.as_secs_f64()
    );
}

fn as_root() {
    // As the user would, but before all that is done for nothing.
    if repositories().is_none() {
        return;
    }
    for program in ["newuidmap", "newgidmap", "useradd", "setpriv"] {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .unwrap();
        if !found.status.success() {
            eprintln!("SKIPPED: `{program}` is not installed (packages uidmap, passwd, util-linux)");
            return;
        }
    }
    if !Command::new("id").arg(USER).output().unwrap().status.success() {
        let made = Command::new("useradd").args(["-m", USER]).output().unwrap();
        assert!(
            made.status.success(),
            "useradd: {}",
            String::from_utf8_lossy(&made.stderr)
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let readable = || std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(dir.path(), readable()).unwrap();
    let copy = dir.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    std::fs::set_permissions(&copy, readable()).unwrap();
    let group = Command::new("id").args(["-g", USER]).output().unwrap().stdout;
    let group = String::from_utf8(group).unwrap();
    let status = Command::new("setpriv")
        .args([format!("--reuid={USER}"), format!("--regid={}", group.trim())])
        .arg("--clear-groups")
        .arg(&copy)
        .current_dir("/")
        .env("TMPDIR", "/tmp")
        .status()
        .unwrap();
    assert!(status.success(), "as {USER}: {status}");
}
