//! Runs as builds have them, by the machine's root. (The same as an ordinary user: `ordinary_user.rs`.)
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use lazuli_sandbox::{Cancel, Options, Status, Streams, run_in_root, run_streaming};
use std::time::{Duration, Instant};

#[test]
fn the_view_is_fixed() {
    if common::skip_unless_root() {
        return;
    }
    let root = common::sealed::root();
    common::sealed::check_view(root.path());
}

#[test]
fn what_is_hostile_is_refused() {
    if common::skip_unless_root() {
        return;
    }
    let root = common::hostile::root();
    common::hostile::check_refusals(root.path());
}

#[test]
fn what_is_greedy_is_ended() {
    if common::skip_unless_root() {
        return;
    }
    let root = common::hostile::root();
    common::hostile::check_limits(root.path());
}

#[test]
fn lines_come_in_order_as_they_are_written() {
    if common::skip_unless_root() {
        return;
    }
    let root = common::sealed::root();
    // The program goes on only when the line that it wrote has arrived: a word in a file that the sink makes.
    let word = root.path().join("word");
    let script = "echo one; until [ -e /word ]; do :; done; echo two >&2; printf three";
    let mut lines = Vec::new();
    let mut sink = |line: &[u8]| {
        lines.push(String::from_utf8_lossy(line).into_owned());
        std::fs::write(&word, "x").unwrap();
    };
    let argv = common::shell(script);
    let output = run_streaming(root.path(), &argv, &Options::build(), &mut sink).unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lines, ["one\n", "two\n", "three"]);
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let output = run_in_root(root.path(), &argv, &Options::build()).unwrap();
    assert_eq!(output.stdout, b"one\ntwo\nthree");
}

#[test]
fn too_much_output_is_cut_and_said() {
    if common::skip_unless_root() {
        return;
    }
    let root = common::sealed::root();
    let options = Options {
        streams: Streams::Lines { limit: 2 << 20 },
        ..Options::build()
    };
    let script = "yes 0123456 | head -c 3145728";
    let output = run_in_root(root.path(), &common::shell(script), &options).unwrap();
    assert!(output.status.success() && output.truncated, "{output:?}");
    assert_eq!(output.stdout.len(), 2 << 20);
    let note = "output limit of 2 MiB reached: 1048576 bytes are left out";
    assert!(output.notes.iter().any(|n| n == note), "{:?}", output.notes);
}

#[test]
fn silence_and_cancelling_end_a_run() {
    if common::skip_unless_root() {
        return;
    }
    let root = common::sealed::root();
    let mut options = Options::build();
    options.limits.idle = Some(Duration::from_secs(1));
    let script = "echo begun; setsid sleep 7193551 & while :; do :; done";
    let output = run_in_root(root.path(), &common::shell(script), &options).unwrap();
    let after = Duration::from_secs(1);
    assert_eq!(output.status, Status::Idle { after });
    assert_eq!(output.status.to_string(), "killed: no output for 1 s");
    assert_eq!(output.stdout, b"begun\n");
    assert!(!common::process_with("sleep\u{0}7193551"));

    let cancel = Cancel::new();
    let options = Options {
        cancel: Some(cancel.clone()),
        ..Options::build()
    };
    let mut began = None;
    let mut sink = |_: &[u8]| {
        cancel.cancel();
        began = Some(Instant::now());
    };
    let output = run_streaming(root.path(), &common::shell(script), &options, &mut sink).unwrap();
    assert_eq!(output.status, Status::Cancelled);
    assert_eq!(output.status.to_string(), "cancelled");
    assert!(began.unwrap().elapsed() < Duration::from_secs(2));
    assert!(!common::process_with("sleep\u{0}7193551"));
}
