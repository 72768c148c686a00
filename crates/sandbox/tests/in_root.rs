//! Programs in roots, by the machine's root. (The same as an ordinary user: `ordinary_user.rs`.)
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{bare_root, listing, shell, skip_unless_root};
use lazuli_sandbox::{Access, Bind, Options, Status, Stdin, Streams, run_in_root};
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn isolation_holds() {
    if skip_unless_root() {
        return;
    }
    let root = bare_root();
    common::check_isolation(root.path());
}

#[test]
fn nothing_is_left_in_the_root() {
    if skip_unless_root() {
        return;
    }
    let root = bare_root();
    let before = listing(root.path());
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("data"), "42").unwrap();
    let options = Options {
        binds: vec![
            Bind {
                source: outside.path().to_owned(),
                target: "/mnt/deep/folder".into(),
                access: Access::ReadOnly,
            },
            Bind {
                source: outside.path().join("data"),
                target: "/data".into(),
                access: Access::ReadWrite,
            },
        ],
        ..Options::default()
    };
    let script = "read x < /mnt/deep/folder/data; read y < /data; echo $x$y; echo 43 > /data; echo z > /tmp/z; \
                  echo z > /run/z; (echo no > /mnt/deep/folder/data) 2>/dev/null || echo refused";
    let output = run_in_root(root.path(), &shell(script), &options).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "4242\nrefused\n",
        "{output:?}"
    );
    assert_eq!(
        std::fs::read_to_string(outside.path().join("data")).unwrap(),
        "43\n"
    );
    assert_eq!(listing(root.path()), before);
    assert!(
        !std::fs::read_to_string("/proc/self/mounts")
            .unwrap()
            .contains(root.path().to_str().unwrap())
    );
}

#[test]
fn a_slow_program_is_killed_with_its_children() {
    if skip_unless_root() {
        return;
    }
    let root = bare_root();
    let options = Options {
        timeout: Duration::from_millis(300),
        ..Options::default()
    };
    let began = Instant::now();
    // The mark must outlive nobody: it is looked for among all processes of the machine.
    let script = "echo begun; (while :; do :; done) & while :; do :; done # lazuli-sandbox-mark-7193";
    let output = run_in_root(root.path(), &shell(script), &options).unwrap();
    assert_eq!(output.status, Status::TimedOut);
    assert_eq!(output.stdout, b"begun\n");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(!common::process_with("lazuli-sandbox-mark-7193"));
}

#[test]
fn a_daemon_does_not_outlive_its_starter() {
    if skip_unless_root() {
        return;
    }
    let root = bare_root();
    let script = "(while :; do :; done) & echo started # lazuli-sandbox-mark-5501";
    let output = run_in_root(root.path(), &shell(script), &Options::default()).unwrap();
    assert_eq!(
        (output.status, output.stdout.as_slice()),
        (Status::Exited(0), b"started\n".as_slice())
    );
    assert!(!common::process_with("lazuli-sandbox-mark-5501"));
}

#[test]
fn status_streams_and_limits() {
    if skip_unless_root() {
        return;
    }
    let root = bare_root();
    let run = |script: &str, options: &Options| run_in_root(root.path(), &shell(script), options).unwrap();
    assert_eq!(run("exit 7", &Options::default()).status, Status::Exited(7));
    assert_eq!(
        run("kill -TERM $$", &Options::default()).status,
        Status::Signalled(15)
    );
    let big = Options {
        stdin: Stdin::Bytes(vec![b'x'; 300_000]),
        ..Options::default()
    };
    let output = run("while read -r line; do :; done; echo ${#line}", &big);
    assert_eq!(output.stdout, b"300000\n");
    // A program that does not read its input must neither hang nor kill us.
    assert_eq!(run("exit 3", &big).status, Status::Exited(3));
    let small = Options {
        streams: Streams::Capture { limit: 10 },
        ..Options::default()
    };
    let output = run(
        "i=0; while [ $i -lt 5000 ]; do echo 0123456789; i=$((i+1)); done; echo e >&2",
        &small,
    );
    assert_eq!(
        (output.stdout.as_slice(), output.stderr.as_slice()),
        (b"0123456789".as_slice(), b"e\n".as_slice())
    );
    assert!(output.truncated);
}

#[test]
fn errors_name_what_failed() {
    if skip_unless_root() {
        return;
    }
    let root = bare_root();
    let run = |program: &str| {
        run_in_root(root.path(), &[program.to_owned()], &Options::default())
            .unwrap_err()
            .to_string()
    };
    assert!(run("absent").contains("`absent`"), "{}", run("absent"));
    assert!(run("absent").contains("not there"));
    assert!(
        run("/etc/plain").contains("Permission denied"),
        "{}",
        run("/etc/plain")
    );
    let error = run_in_root(Path::new("/nowhere/at/all"), &shell("true"), &Options::default()).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"));
    let climbing = Options {
        binds: vec![Bind {
            source: "/".into(),
            target: "/../x".into(),
            access: Access::ReadOnly,
        }],
        ..Options::default()
    };
    let error = run_in_root(root.path(), &shell("true"), &climbing).unwrap_err();
    assert!(error.to_string().contains("/../x"));
    assert_eq!(listing(root.path()), listing(bare_root().path()));
}

#[test]
fn a_link_does_not_lead_a_mount_out_of_the_root() {
    if skip_unless_root() {
        return;
    }
    let root = bare_root();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("way")).unwrap();
    let options = Options {
        binds: vec![Bind {
            source: "/etc/passwd".into(),
            target: "/way/out".into(),
            access: Access::ReadOnly,
        }],
        ..Options::default()
    };
    // Inside the root the link's target does not exist, so that the request fails rather than reach outside.
    assert!(run_in_root(root.path(), &shell("true"), &options).is_err());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn threads_may_run_programs_at_once() {
    if skip_unless_root() {
        return;
    }
    let root = bare_root();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let root = root.path();
            scope.spawn(move || {
                let output =
                    run_in_root(root, &shell(&format!("echo {number}")), &Options::default()).unwrap();
                assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{number}\n"));
            });
        }
    });
}
