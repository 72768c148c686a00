//! The way of an ordinary user: own `main`, since a user namespace takes a process of one thread.
//!
//! Started by root, the test copies itself to where a user may run it, finds or makes a user with subordinate ids,
//! and starts the copy as that user. Started by an ordinary user, it goes straight on.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

mod common;

use lazuli_sandbox::{
    Options, SandboxError, Settings, Standing, already_inside, enter, run_in_root, standing,
};
use rustix::mount::{MountFlags, UnmountFlags};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, ExitCode};

const USER: &str = "lazuli-test";

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("inside") => inside(),
        Some("poor") => poor(),
        _ if rustix::process::geteuid().is_root() => return as_root(),
        _ => inside(),
    }
    ExitCode::SUCCESS
}

/// What an ordinary user with subordinate ids can do.
fn inside() {
    let own = rustix::process::getuid().as_raw();
    assert_eq!(standing().unwrap(), Standing::OrdinaryUser);
    assert!(!already_inside());
    let dir = tempfile::tempdir().unwrap();
    common::fill(dir.path());
    let too_many = enter(Settings { ids: 4_000_000 }).unwrap_err();
    assert!(
        matches!(too_many, SandboxError::NoSubordinateIds { .. }),
        "{too_many}"
    );
    assert_eq!(
        enter(Settings::default()).unwrap(),
        Standing::Inside { ids: 65_536 }
    );
    assert!(rustix::process::geteuid().is_root() && already_inside());
    assert_eq!(
        enter(Settings::default()).unwrap(),
        Standing::Inside { ids: 65_536 },
        "twice is once"
    );
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    chown(&file, Some(65_535), Some(1)).unwrap();
    let meta = file.metadata().unwrap();
    assert_eq!((meta.uid(), meta.gid()), (65_535, 1));
    assert!(
        chown(&file, Some(65_536), None).is_err(),
        "ids past the map do not exist"
    );
    std::fs::remove_file(&file).unwrap();
    let before = common::listing(dir.path());
    common::check_isolation(dir.path());
    assert_eq!(common::listing(dir.path()), before);
    let layers = tempfile::tempdir().unwrap();
    common::layers::check_layers(layers.path());
    let root = common::sealed::root();
    common::sealed::check_view(root.path());
    common::sealed::check_on_layers();
    let root = common::hostile::root();
    common::hostile::check_refusals(root.path());
    common::hostile::check_limits(root.path());
    check_covered_proc(root.path());
    println!("inside as user {own}: all well");
}

/// Where parts of /proc are covered, nothing runs that shall not see what is below the covers.
fn check_covered_proc(root: &Path) {
    // One that is whole is enough for the kernel, and others may have mounted some.
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let covers: Vec<String> = mounts
        .lines()
        .filter_map(|line| line.split_once(" ")?.1.split_once(" proc "))
        .map(|(path, _)| format!("{path}/sys"))
        .collect();
    for cover in &covers {
        rustix::mount::mount("tmpfs", cover, "tmpfs", MountFlags::empty(), None).unwrap();
    }
    let error = run_in_root(root, &common::shell("true"), &Options::build()).unwrap_err();
    assert!(error.to_string().contains("mounting /proc"), "{error}");
    assert!(error.hint().unwrap().contains("procMount"), "{error}");
    for cover in &covers {
        rustix::mount::unmount(cover, UnmountFlags::DETACH).unwrap();
    }
    let output = run_in_root(root, &common::shell("true"), &Options::build()).unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// What a user without subordinate ids is told.
fn poor() {
    let error = enter(Settings::default()).unwrap_err();
    assert!(
        matches!(error, SandboxError::NoSubordinateIds { found: 0, .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("usermod --add-subuids"), "{error}");
    println!("poor: told so");
}

fn as_root() -> ExitCode {
    for program in ["newuidmap", "newgidmap", "useradd", "setpriv"] {
        if !Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .unwrap()
            .status
            .success()
        {
            eprintln!("SKIPPED: `{program}` is not installed (packages uidmap, passwd, util-linux)");
            return ExitCode::SUCCESS;
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
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = dir.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    for (user, task) in [(USER, "inside"), ("nobody", "poor")] {
        let status = Command::new("setpriv")
            .args([
                format!("--reuid={user}"),
                format!("--regid={}", group_of(user)),
                "--clear-groups".to_owned(),
            ])
            .arg(&copy)
            .arg(task)
            .current_dir("/")
            .env("TMPDIR", "/tmp")
            .status()
            .unwrap();
        assert!(status.success(), "{task} as {user}: {status}");
    }
    ExitCode::SUCCESS
}

fn group_of(user: &str) -> String {
    let output = Command::new("id").args(["-g", user]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
