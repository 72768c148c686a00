//! The order of mapped versions is dpkg's order.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use lazuli_deb::Version;
use lazuli_import::to_evr;
use lazuli_rpm::Evr;
use proptest::prelude::*;

/// Versions of real packages that exercise every rule, with their mapped forms.
const SAMPLES: &str = include_str!("data/versions.txt");

fn mapped(version: &str) -> Evr {
    to_evr(&Version::parse(version).unwrap()).unwrap()
}

/// Compares as RPM does, without the tie break that makes `Evr`'s order total.
fn rpm_order(left: &Evr, right: &Evr) -> Ordering {
    let part = |a: &str, b: &str| rpm_vercmp(a, b);
    left.epoch
        .cmp(&right.epoch)
        .then_with(|| part(&left.version, &right.version))
        .then_with(|| part(&left.release, &right.release))
}

fn rpm_vercmp(left: &str, right: &str) -> Ordering {
    Evr::new(0, left, "").compare_open(&Evr::new(0, right, ""))
}

/// What is wrong with a pair, if anything.
fn disagreement(left: &Version, right: &Version) -> Option<String> {
    let (a, b) = (to_evr(left).unwrap(), to_evr(right).unwrap());
    let (debian, rpm) = (left.cmp(right), rpm_order(&a, &b));
    (debian != rpm).then(|| format!("{left} {debian:?} {right} for dpkg, but {a} {rpm:?} {b} for rpm"))
}

#[test]
fn readable_forms() {
    let mut rendered = String::new();
    for line in SAMPLES.lines() {
        match line.split_once('\t') {
            Some((debian, _)) if !debian.starts_with('#') => {
                rendered.push_str(&format!("{debian}\t{}\n", mapped(debian)));
            }
            _ => rendered.push_str(&format!("{line}\n")),
        }
    }
    expect_test::expect_file!["data/versions.txt"].assert_eq(&rendered);
}

#[test]
fn all_pairs_of_the_samples_keep_their_order() {
    let versions: Vec<Version> = SAMPLES
        .lines()
        .filter_map(|l| Version::parse(l.split('\t').next()?).ok())
        .collect();
    assert!(versions.len() > 60);
    for left in &versions {
        for right in &versions {
            assert_eq!(disagreement(left, right), None);
        }
    }
}

#[test]
fn colon_in_the_upstream_version_is_refused() {
    assert!(to_evr(&Version::parse("1:2:3-1").unwrap()).is_err());
}

#[test]
fn no_character_that_rpm_refuses() {
    for line in SAMPLES.lines().filter_map(|l| l.split('\t').next()) {
        let Ok(version) = Version::parse(line) else {
            continue;
        };
        let evr = to_evr(&version).unwrap();
        for c in evr.version.chars().chain(evr.release.chars()) {
            assert!(c.is_ascii_alphanumeric() || "._+~^".contains(c), "{evr}");
        }
    }
}

fn part() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        6 => "[0-9]",
        4 => prop::sample::select(vec!["~", "+", ".", "."]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["+deb", "~deb", "ubuntu", "rc", "dfsg", "+~", "~bpo", ".~", "+ds", "z", "zz"])
            .prop_map(str::to_owned),
        1 => "[a-zA-Z]",
        1 => prop::sample::select(vec!["99999999", "20240101", "100000000", "00", "99999998", "123456789012"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(token, 0..7).prop_map(|tokens| tokens.concat())
}

fn version() -> impl Strategy<Value = String> {
    (
        "[0-2]",
        part(),
        prop::option::of("-"),
        part(),
        prop::option::of(part()),
    )
        .prop_map(|(digit, a, hyphen, b, revision)| {
            let mut text = format!("{digit}{a}");
            if let (Some(hyphen), Some(_)) = (&hyphen, &revision) {
                text.push_str(hyphen);
                text.push_str(&b);
            }
            match revision {
                Some(r) if !r.is_empty() => format!("{text}-{r}"),
                _ => text.trim_end_matches('-').to_owned(),
            }
        })
}

/// A version and one that shares a beginning with it: pairs that differ early prove little.
fn pair() -> impl Strategy<Value = (String, String)> {
    (version(), part(), 0usize..20, any::<bool>()).prop_map(|(text, tail, cut, keep)| {
        let cut = cut.min(text.len()).max(1);
        let middle = if keep {
            &text[(cut + 1).min(text.len())..]
        } else {
            ""
        };
        let other = format!("{}{tail}{middle}", &text[..cut]);
        (text, other)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn generated_pairs_keep_their_order((left, right) in pair()) {
        if let (Ok(left), Ok(right)) = (Version::parse(&left), Version::parse(&right)) {
            prop_assert_eq!(disagreement(&left, &right), None);
        }
    }
}

/// Asks rpm itself (its Lua interpreter) and dpkg itself about pairs of samples.
#[test]
fn real_rpm_and_dpkg_agree() {
    if Command::new("rpm").arg("--version").output().is_err() {
        eprintln!("SKIPPED: rpm is not installed");
        return;
    }
    let versions: Vec<Version> = SAMPLES
        .lines()
        .filter_map(|l| Version::parse(l.split('\t').next()?).ok())
        .collect();
    let mut script = String::new();
    let mut expected = Vec::new();
    for pair in versions.windows(2) {
        let (a, b) = (to_evr(&pair[0]).unwrap(), to_evr(&pair[1]).unwrap());
        if a.epoch != b.epoch {
            continue;
        }
        // `rpm.vercmp` takes whole EVRs.
        script.push_str(&format!("io.write(rpm.vercmp('{a}','{b}'), ' ')\n"));
        expected.push((pair[0].cmp(&pair[1]) as i32).to_string());
    }
    let output = Command::new("rpm")
        .args(["--eval", &format!("%{{lua:{}}}", script.replace('%', "%%"))])
        .output()
        .unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    let got: Vec<&str> = answer.split_whitespace().collect();
    assert_eq!(got, expected);
}

/// Every version that the machine's package lists hold: all pairs of one package, and all pairs inside one source.
#[test]
fn whole_archives_keep_their_order() {
    let Some(lists) = machine_lists() else {
        eprintln!("SKIPPED: this machine has no Debian package lists");
        return;
    };
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for paragraph in lists.split("\n\n") {
        let field = |name: &str| {
            paragraph
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
                .map(str::to_owned)
        };
        let (Some(package), Some(version)) = (field("Package"), field("Version")) else {
            continue;
        };
        let source = field("Source").unwrap_or_else(|| package.clone());
        let (source, source_version) = source
            .split_once(" (")
            .map_or((source.as_str(), version.as_str()), |(n, v)| {
                (n, v.trim_end_matches(')'))
            });
        let group = groups.entry(source.to_owned()).or_default();
        group.push(version.clone());
        group.push(source_version.to_owned());
        groups.entry(format!("{package} ")).or_default().push(version);
    }
    let (mut pairs, mut wrong) = (0u64, Vec::new());
    for versions in groups.values_mut() {
        versions.sort();
        versions.dedup();
        let versions: Vec<Version> = versions.iter().filter_map(|v| Version::parse(v).ok()).collect();
        for (at, left) in versions.iter().enumerate() {
            for right in &versions[at + 1..] {
                pairs += 1;
                wrong.extend(disagreement(left, right));
            }
        }
    }
    eprintln!(
        "{} names and sources, {pairs} pairs, {} in another order",
        groups.len(),
        wrong.len()
    );
    let listed: Vec<&str> = include_str!("data/version-exceptions.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .collect();
    wrong.retain(|w| !listed.contains(&w.as_str()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The text of all package lists, by apt's own reader (it knows the compressions).
fn machine_lists() -> Option<String> {
    let folders = ["/var/lib/apt/lists".to_owned()].into_iter().chain(
        std::env::var("LAZULI_TEST_APT_LISTS")
            .ok()
            .into_iter()
            .flat_map(|v| v.split(':').map(str::to_owned).collect::<Vec<_>>()),
    );
    let files: Vec<_> = folders
        .filter_map(|f| std::fs::read_dir(f).ok())
        .flatten()
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| {
            p.file_name()
                .is_some_and(|n| n.to_string_lossy().contains("_Packages"))
        })
        .collect();
    if files.is_empty() {
        return None;
    }
    let mut child = Command::new("/usr/lib/apt/apt-helper")
        .arg("cat-file")
        .args(&files)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.flush().ok()?;
    let output = child.wait_with_output().ok()?;
    String::from_utf8(output.stdout).ok().filter(|t| !t.is_empty())
}
