//! The kernel's configuration: each line has a reason and took effect, and the result is graded by what others wrote.
//!
//! This reads `distro/specs/kernel/config-x86_64`, which the build of the kernel proves to be what it is built with; so it
//! needs neither the kernel's sources nor a compiler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const CHECKER: &str = "kernel-hardening-checker";
/// The fragment that the build takes only where it is asked to; `config-x86_64` is without it.
const OPTIONAL: &str = "debug-info-btf.config";
/// What the checker says of a whole configuration fits here; more is no answer of its.
const CHECKS_MAX: usize = 10_000;

fn distro(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../distro")
        .join(path)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("failed to read {}: {e}", path.display()))
}

/// The fragments, by file name.
fn fragments() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(distro("specs/kernel")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "config"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                read(&path),
            )
        })
        .collect()
}

/// A line of a configuration: the symbol, and its value, `n` where it is off.
fn setting(line: &str) -> Option<(&str, &str)> {
    match line.strip_prefix("# ") {
        Some(rest) => rest
            .strip_suffix(" is not set")
            .filter(|name| name.starts_with("CONFIG_"))
            .map(|name| (name, "n")),
        None => line
            .split_once('=')
            .filter(|(name, _)| name.starts_with("CONFIG_")),
    }
}

fn settings(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(setting).collect()
}

/// The lines of a fragment that no comment stands above: a comment holds for what follows up to an empty line.
fn without_reason(text: &str) -> Vec<&str> {
    let mut has_reason = false;
    let mut found = Vec::new();
    for line in text.lines() {
        match setting(line) {
            Some(_) if !has_reason => found.push(line),
            Some(_) => {}
            None => has_reason = line.starts_with('#'),
        }
    }
    found
}

#[test]
fn lines_without_a_reason_are_found() {
    let check = |text: &str, expected: &[&str]| assert_eq!(without_reason(text), expected, "{text}");
    check("# Why.\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n", &[]);
    check("CONFIG_A=y\n", &["CONFIG_A=y"]);
    check("# Why.\nCONFIG_A=y\n\nCONFIG_B=y\n", &["CONFIG_B=y"]);
    check("# CONFIG_A is not set\n", &["# CONFIG_A is not set"]);
}

#[test]
fn each_line_has_a_reason_and_one_place() {
    let fragments = fragments();
    assert!(fragments.len() >= 10, "{:?}", fragments.keys());
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    for (file, text) in &fragments {
        assert_eq!(without_reason(text), Vec::<&str>::new(), "{file}");
        for name in text.lines().filter_map(setting).map(|(name, _)| name) {
            if let Some(other) = places.insert(name, file) {
                panic!("{name} is both in {other} and in {file}");
            }
        }
    }
}

#[test]
fn each_line_took_effect() {
    let result = read(&distro("specs/kernel/config-x86_64"));
    let result = settings(&result);
    for (file, text) in fragments().iter().filter(|(file, _)| *file != OPTIONAL) {
        for (name, asked) in settings(text) {
            let have = result.get(name).copied().unwrap_or("n");
            assert_eq!(have, asked, "{file}: {name}");
        }
    }
}

#[test]
fn the_spec_takes_every_fragment() {
    let spec = read(&distro("specs/kernel/kernel.spec"));
    let sources: BTreeSet<&str> = spec
        .lines()
        .filter(|line| line.starts_with("Source"))
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|name| name.ends_with(".config"))
        .collect();
    let fragments = fragments();
    assert_eq!(sources, fragments.keys().map(String::as_str).collect());
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Hardening {
    checker: String,
    at_least: usize,
    upstream: Upstream,
    deviations: BTreeMap<String, String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Upstream {
    package: String,
    passed: usize,
    failed: usize,
}

#[derive(Debug, serde::Deserialize)]
struct Check {
    option_name: String,
    check_result_bool: bool,
}

/// What the checker says; `None`, with a loud word, where there is no checker.
fn grade(config: &Path) -> Option<(String, Vec<Check>)> {
    let Ok(version) = Command::new(CHECKER).arg("--version").output() else {
        eprintln!("SKIPPED: no {CHECKER} is installed; `make setup` installs it");
        return None;
    };
    let version = String::from_utf8(version.stdout).unwrap();
    let version = version.split_whitespace().last().unwrap().to_owned();
    let output = Command::new(CHECKER)
        .args(["-m", "json", "-c"])
        .arg(config)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let checks: Vec<Check> = serde_json::from_slice(&output.stdout).unwrap();
    assert!((1..CHECKS_MAX).contains(&checks.len()), "{} checks", checks.len());
    Some((version, checks))
}

#[test]
fn the_grade_is_good_and_each_deviation_is_explained() {
    let hardening: Hardening = toml::from_str(&read(&distro("kernel/hardening.toml"))).unwrap();
    for (name, reason) in &hardening.deviations {
        assert!(
            reason.len() > 20 && reason.ends_with('.'),
            "{name}: a reason is a sentence"
        );
    }
    let Some((version, checks)) = grade(&distro("specs/kernel/config-x86_64")) else {
        return;
    };
    let passed = checks.iter().filter(|check| check.check_result_bool).count();
    let upstream = &hardening.upstream;
    eprintln!(
        "{CHECKER} {version}: {passed} of {} passed; {}: {} of {}",
        checks.len(),
        upstream.package,
        upstream.passed,
        upstream.passed + upstream.failed
    );
    assert!(
        passed * 100 >= hardening.at_least * checks.len(),
        "{passed} of {}",
        checks.len()
    );
    assert!(passed * (upstream.passed + upstream.failed) > upstream.passed * checks.len());

    if version != hardening.checker {
        eprintln!(
            "SKIPPED: deviations were explained for {CHECKER} {}, this is {version}",
            hardening.checker
        );
        return;
    }
    let found: BTreeSet<&str> = checks
        .iter()
        .filter(|check| !check.check_result_bool)
        .map(|check| check.option_name.as_str())
        .collect();
    let explained: BTreeSet<&str> = hardening.deviations.keys().map(String::as_str).collect();
    assert_eq!(found, explained);
}
