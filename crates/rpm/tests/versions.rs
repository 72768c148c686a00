//! The order of versions, against the real rpm; and its laws.

#![allow(clippy::unwrap_used)]

mod support;

use lazuli_rpm::{Comparison, Dependency, Evr};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::cmp::Ordering;
use std::process::Command;
use support::{Rpm, has, run};

/// Pairs that one run compares.
const PAIRS: usize = 5_000;

/// Versions as they come, and as only an enemy writes them.
fn version() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[0-9]{1,4}",
        3 => "[a-z]{1,3}",
        1 => "0{1,3}[0-9]{1,2}",
        1 => "[0-9]{20,25}",
        3 => prop::sample::select(vec![".", "~", "^", "_", "+", "..", "~~", "^~", "~^", ".~"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["rc", "git", "beta", "dfsg", "A", "Z"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

/// A version, often with a release.
fn full() -> impl Strategy<Value = String> {
    (version(), prop::option::of(version())).prop_map(|(version, release)| match release {
        Some(release) => format!("{version}-{release}"),
        None => version,
    })
}

/// Two versions that are often nearly the same.
fn pair() -> impl Strategy<Value = (String, String)> {
    let alike = (version(), full(), full()).prop_map(|(a, b, c)| (format!("{a}{b}"), format!("{a}{c}")));
    prop_oneof![1 => (full(), full()), 2 => alike]
}

#[test]
fn order_is_that_of_rpm() {
    if !has("rpm") {
        return;
    }
    let mut runner = TestRunner::deterministic();
    let pairs: Vec<_> = (0..PAIRS)
        .map(|_| pair().new_tree(&mut runner).unwrap().current())
        .collect();
    let lines: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    let rpm = Rpm::new();
    let input = rpm.write("pairs", lines.as_bytes());
    let output = rpm.path("answers");
    let script = format!(
        "%{{lua: local out = io.open('{}', 'w') for line in io.lines('{}') do \
         local a, b = line:match('(%S+) (%S+)') out:write(rpm.vercmp(a, b), ' ') end out:close()}}",
        output.display(),
        input.display()
    );
    run(Command::new("rpm").args(["--eval", &script]));
    let said = std::fs::read_to_string(output).unwrap();
    let answers: Vec<Ordering> = said
        .split_whitespace()
        .map(|word| word.parse::<i32>().unwrap().cmp(&0))
        .collect();
    assert_eq!(answers.len(), PAIRS);
    for ((a, b), expected) in pairs.iter().zip(answers) {
        // `rpm.vercmp` takes whole EVRs; a `-` splits off a release.
        let ours = whole(a).compare(&whole(b));
        assert_eq!(ours, expected, "{a} against {b}");
    }
}

/// Splits as rpm's parseEVR does: at the last `-`.
fn whole(text: &str) -> Evr {
    let (version, release) = text.rsplit_once('-').unwrap_or((text, ""));
    Evr::new(0, version, release)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_is_total_and_agrees_with_eq(a in version(), b in version(), c in version()) {
        let [a, b, c] = [a, b, c].map(|v| Evr::new(0, v, "1"));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        // The order only refines what rpm compares.
        if a.compare(&b) != Ordering::Equal {
            prop_assert_eq!(a.cmp(&b), a.compare(&b));
        }
    }

    #[test]
    fn text_round_trip(epoch in 0..3_u32, v in "[a-z0-9.~^+_]{1,8}", r in "[a-z0-9.~^+_]{0,8}") {
        let evr = Evr::new(epoch, v, r);
        prop_assert_eq!(Evr::parse(&evr.to_string()).unwrap(), evr);
    }
}

#[test]
fn equal_for_rpm_is_equal_for_dependencies() {
    // rpmvercmp skips separators, so these are the same version, written differently.
    let (a, b) = (Evr::new(0, "1.0", "1"), Evr::new(0, "1..0", "1"));
    assert_eq!(a.compare(&b), Ordering::Equal);
    assert_eq!(a.compare_open(&b), Ordering::Equal);
    assert_ne!(a, b);
    assert_ne!(a.cmp(&b), Ordering::Equal);
    let provide = Dependency::versioned("x", Comparison::Equal, a);
    assert!(provide.overlaps(&Dependency::versioned("x", Comparison::Equal, b)));
    // A version that differs only in writing must not decide before the release does.
    assert_eq!(
        Evr::new(0, "1.0", "2").cmp(&Evr::new(0, "1..0", "1")),
        Ordering::Greater
    );
    assert_eq!(
        Evr::new(0, "1..0", "2").cmp(&Evr::new(0, "1.0", "1")),
        Ordering::Greater
    );
}

#[test]
fn dependencies_match_as_in_rpm() {
    let cases = [
        ("x = 1", "x = 1-5", true),
        ("x = 1-4", "x = 1-5", false),
        ("x > 1", "x = 1-5", false),
        ("x >= 1", "x = 1-5", true),
        ("x < 2", "x = 2~rc1", true),
        ("x < 2", "x = 2^git", false),
        ("x = 1:1", "x = 1", false),
        ("x >= 1", "x = 1:0", true),
        ("x < 1", "x > 2", false),
        ("x < 2", "x > 1", true),
        ("x <= 1", "x >= 1", true),
        ("x < 1", "x >= 1", false),
        ("x", "x = 7", true),
        ("x", "y", false),
    ];
    for (left, right, expected) in cases {
        let (l, r) = (support::dependency(left), support::dependency(right));
        assert_eq!(l.overlaps(&r), expected, "{left} / {right}");
        assert_eq!(r.overlaps(&l), expected, "{right} / {left}");
    }
}

/// Dependencies may name versions that no package can have.
#[test]
fn what_is_written_is_read_back() {
    for text in [
        "1", "1-2", "3:1-2", "0::", "0:1:2-3", "1-2-", "1-2-3", "4:-5-6", "0:1-:2",
    ] {
        let evr = Evr::parse(text).unwrap();
        assert_eq!(Evr::parse(&evr.to_string()), Ok(evr), "{text}");
    }
}
