//! A build by an ordinary user: own `main`, since a user namespace takes a process of one thread.
//!
//! Started by root, the test copies itself to where a user may run it, finds or makes a user with subordinate ids, and
//! starts the copy as that user. Started by an ordinary user, it goes straight on.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

mod common;

use common::{Bench, hello, skip};
use lazuli_sandbox::{Settings, Standing, enter};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitCode};

const USER: &str = "lazuli-test";

fn main() -> ExitCode {
    if rustix::process::geteuid().is_root() {
        as_root();
    } else {
        as_user();
    }
    ExitCode::SUCCESS
}

/// What a user with subordinate ids can do: build, and leave nothing behind.
fn as_user() {
    assert!(matches!(
        enter(Settings::default()).unwrap(),
        Standing::Inside { .. }
    ));
    if skip(&["rpmbuild", "gcc"]) {
        return;
    }
    let bench = Bench::new();
    let built = bench.built(&hello(), "hello");
    assert_eq!(built.packages.len(), 3);
    bench.assert_clean();
    println!("built as an ordinary user");
}

fn as_root() {
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
