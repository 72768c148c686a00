//! The real dnf on our repositories.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod common;

use common::{build, options};
use lazuli_compose::{FolderFetcher, Rollback, Signatures, create, open_repository};
use lazuli_solve::{Job, Pool, Spec, solve};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const UNIVERSE: [&str; 14] = [
    "app-1-1; requires lib >= 2, /usr/bin/tool, (plugin if extra), mail",
    "app-2-1; requires lib >= 3, /usr/bin/tool, (plugin if extra), mail; recommends docs",
    "lib-2-1",
    "lib-3-1; conflicts oldlib",
    "lib-4-1; requires nothing-has-this",
    "tool-1-1; files /usr/bin/tool, /usr/share/tool/data",
    "plugin-1-1; requires /usr/share/tool/data",
    "extra-1-1",
    "docs-1-1; requires reader",
    "reader-1-1",
    "postfix-1-1; provides mail",
    "theme-1-1; supplements reader",
    "successor-2-1; obsoletes oldlib < 5; provides oldlib = 5",
    "oldlib-1-1",
];

fn dnf(repository: &Path, root: &Path, arguments: &[&str]) -> Option<String> {
    let cache = root.join("cache");
    let output = Command::new("dnf")
        .args([
            "--setopt=reposdir=/dev/null",
            "--setopt=gpgcheck=0",
            "--releasever=1",
            "--noplugins",
        ])
        .arg(format!("--repofrompath=x,{}", repository.display()))
        .arg(format!("--setopt=cachedir={}", cache.display()))
        .arg(format!("--installroot={}", root.display()))
        .args(arguments)
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: dnf is missing");
        return None;
    };
    // `--assumeno` ends with an error after it has told what it would do.
    Some(String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr))
}

/// The packages that dnf's table of a transaction lists.
fn table(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [name, "noarch", evr, "x", ..] => Some(format!("{name}-{evr}.noarch")),
            _ => None,
        }
    });
    rows.collect()
}

#[test]
fn dnf_reads_it_and_resolves_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let repository = dir.path().join("repository");
    for text in UNIVERSE {
        build(&repository, text, None);
    }
    create(&repository, &options(None)).unwrap();
    let fetcher = FolderFetcher {
        root: repository.clone(),
    };
    let opened = open_repository(&fetcher, Signatures::Unchecked, Rollback::FirstContact).unwrap();
    let records = opened.packages().unwrap();

    let root = dir.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let format = "%{name}-%{evr}.%{arch}|%{summary}|%{installsize}|%{location}";
    let Some(listed) = dnf(&repository, &root, &["--quiet", "repoquery", "--qf", format]) else {
        return;
    };
    let listed: BTreeSet<&str> = listed.lines().collect();
    let ours: BTreeSet<String> = records
        .iter()
        .map(|one| {
            format!(
                "{}|{}|{}|{}",
                one.nevra, one.summary, one.size.installed, one.location
            )
        })
        .collect();
    assert_eq!(listed, ours.iter().map(String::as_str).collect());
    let owners = dnf(
        &repository,
        &root,
        &["--quiet", "repoquery", "--file", "/usr/share/tool/data"],
    )
    .unwrap();
    assert_eq!(owners.trim(), "tool-0:1-1.noarch");

    let mut pool = Pool::new("x86_64");
    let lists = {
        let repository = repository.clone();
        Box::new(move || {
            let fetcher = FolderFetcher {
                root: repository.clone(),
            };
            let opened = open_repository(&fetcher, Signatures::Unchecked, Rollback::FirstContact)?;
            Ok(opened.filelists()?)
        })
    };
    pool.add_repository("x", 99, records, Some(lists)).unwrap();
    for wanted in [
        &["app"][..],
        &["app", "extra"],
        &["oldlib", "reader"],
        &["app-1-1", "theme"],
    ] {
        let specs = wanted.iter().map(|text| Spec::parse(text).unwrap()).collect();
        let solution = solve(
            &pool,
            &Job {
                install: specs,
                ..Job::default()
            },
        )
        .unwrap();
        let ours: BTreeSet<String> = solution
            .incoming()
            .map(|id| pool.record(id).nevra.to_string())
            .collect();
        let arguments: Vec<&str> = ["install", "--assumeno"].iter().chain(wanted).copied().collect();
        let text = dnf(&repository, &root, &arguments).unwrap();
        assert_eq!(ours, table(&text), "{wanted:?}: {text}");
    }
}
