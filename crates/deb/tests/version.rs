//! The order of versions, against dpkg's own.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::process::{Command, Stdio};

use lazuli_deb::Version;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

/// Versions that were made to be hard, and all that can be put together from a few hard pieces.
fn hard_versions() -> Vec<String> {
    let pieces = [
        "0", "00", "1", "01", "10", "9", "~", "~~", "a", "Z", "+", ".", "-", "~1", "+1", "a0", "0a", ".0",
    ];
    let mut all: Vec<String> = Vec::new();
    for first in ["0", "1", "1:0", "0:1", "00", "10"] {
        for second in pieces {
            for third in pieces {
                let text = format!("{first}{second}{third}");
                if Version::parse(&text).is_ok() {
                    all.push(text);
                }
            }
        }
    }
    all.push("2147483647:0".to_owned());
    all
}

/// The versions of everything that dpkg and apt know on this machine.
fn real_versions() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    if let Ok(output) = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Version}\\n"])
        .output()
    {
        all.extend(
            String::from_utf8(output.stdout)
                .unwrap()
                .lines()
                .map(str::to_owned),
        );
    }
    let script = "apt-get indextargets --format '$(FILENAME)' 'Created-By: Packages' \
                  | while read -r f; do test -e \"$f\" && /usr/lib/apt/apt-helper cat-file \"$f\"; done \
                  | sed -n 's/^Version: //p' | sort -u";
    if let Ok(output) = Command::new("sh")
        .args(["-c", script])
        .stderr(Stdio::null())
        .output()
    {
        all.extend(
            String::from_utf8(output.stdout)
                .unwrap()
                .lines()
                .map(str::to_owned),
        );
    }
    all.retain(|text| !text.is_empty());
    all
}

/// Asks dpkg's perl library for the order of each pair.
fn dpkg_order(pairs: &[(&str, &str)]) -> Option<Vec<Ordering>> {
    let script = "use Dpkg::Version; while (<STDIN>) { my ($a, $b) = split; \
                  print version_compare_relation(Dpkg::Version->new($a), '<<', Dpkg::Version->new($b)) ? '<' \
                  : version_compare_relation(Dpkg::Version->new($a), '=', Dpkg::Version->new($b)) ? '=' : '>' }";
    let mut child = Command::new("perl")
        .args(["-e", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let text: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    let orders = output.stdout.iter().map(|sign| match sign {
        b'<' => Ordering::Less,
        b'=' => Ordering::Equal,
        _ => Ordering::Greater,
    });
    let orders: Vec<Ordering> = orders.collect();
    (output.status.success() && orders.len() == pairs.len()).then_some(orders)
}

/// A small deterministic generator (xorshift64*): the same pairs on every run.
fn random(state: &mut u64) -> usize {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize
}

#[test]
fn agrees_with_dpkg() {
    let hard = hard_versions();
    let real: Vec<String> = real_versions().into_iter().collect();
    for text in &real {
        assert!(Version::parse(text).is_ok(), "a real version is refused: {text}");
    }
    let mut state = 42;
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for list in [&hard, &real] {
        // Neighbours in the order of characters differ in little, which is where orders go wrong.
        pairs.extend(
            list.windows(2)
                .take(8000)
                .map(|pair| (pair[0].as_str(), pair[1].as_str())),
        );
        if !list.is_empty() {
            let mut pick = || list[random(&mut state) % list.len()].as_str();
            pairs.extend((0..6000).map(|_| (pick(), pick())));
        }
    }
    let Some(orders) = dpkg_order(&pairs) else {
        eprintln!("SKIPPED agrees_with_dpkg: perl with Dpkg::Version (package libdpkg-perl) is not there");
        return;
    };
    let build = RandomState::new();
    for ((a, b), order) in pairs.iter().zip(orders) {
        let (left, right) = (version(a), version(b));
        assert_eq!(left.cmp(&right), order, "{a} and {b}");
        assert_eq!(right.cmp(&left), order.reverse(), "{b} and {a}");
        if order.is_eq() {
            assert_eq!(
                build.hash_one(&left),
                build.hash_one(&right),
                "equal but hashed apart: {a} and {b}"
            );
        }
    }
    assert!(pairs.len() > 8000, "only {} pairs were compared", pairs.len());
}

#[test]
fn agrees_with_the_dpkg_program() {
    let cases = [
        ("1.0", "1.0-0"),
        ("1.0~rc1", "1.0"),
        ("1:0", "9"),
        ("1.0-1~", "1.0-1"),
        ("1.0+b1", "1.0.1"),
        ("1.", "1.0"),
        // Beyond 64 bits: the program compares digit by digit, the perl library does not.
        ("18446744073709551616-1", "18446744073709551617-1"),
        ("1.340282366920938463463374607431768211456", "1.99"),
    ];
    for (a, b) in cases {
        let Ok(status) = Command::new("dpkg")
            .args(["--compare-versions", a, "lt", b])
            .stderr(Stdio::null())
            .status()
        else {
            eprintln!("SKIPPED agrees_with_the_dpkg_program: dpkg is not there");
            return;
        };
        assert_eq!(status.success(), version(a) < version(b), "{a} lt {b}");
    }
}

#[test]
fn has_parts() {
    let check = |text, epoch, upstream, revision: Option<&str>| {
        let version = version(text);
        assert_eq!(
            (version.epoch(), version.upstream(), version.revision()),
            (epoch, upstream, revision)
        );
        assert_eq!(version.to_string(), text);
    };
    check("1.0", 0, "1.0", None);
    check("2:1.0-3", 2, "1.0", Some("3"));
    check("1.0-rc-3+b1", 0, "1.0-rc", Some("3+b1"));
    check("1:2:3~x-4", 1, "2:3~x", Some("4"));
    assert_eq!(version("3:1.2-4").without_epoch(), "1.2-4");
}

#[test]
fn refuses() {
    for text in [
        "",
        ":1",
        "a:1",
        "1:",
        "1-",
        "a1",
        "1_2",
        "1 2",
        "1:-1",
        "-1",
        "2147483648:1",
        "1-1:2",
        "1é",
        "+1:1",
    ] {
        assert!(Version::parse(text).is_err(), "{text}");
    }
    assert!(Version::parse(&"1".repeat(2000)).is_err());
    let error = Version::parse("1.0-").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`1.0-` is no Debian version: the revision is empty"
    );
}

#[test]
fn equal_versions_are_one_in_a_set() {
    let set: HashSet<Version> = ["1.0", "1.00", "0:1.0", "1.0-0", "1.0-00", "1.", "01.0"]
        .map(version)
        .into();
    assert_eq!(set.len(), 1);
    let set: HashSet<Version> = ["1.0", "1.0-1", "1.0~", "1.0.", "1.0.0"].map(version).into();
    assert_eq!(set.len(), 4, "1.0. and 1.0.0 alone are equal");
}
