//! Universes of packages from a few words, and what solutions look like in words.
#![allow(dead_code)]

use lazuli_repodata::{Algorithm, Checksum, FileKind, PackageRecord, RecordFile};
use lazuli_rpm::{Comparison, Dependency, Evr, Nevra, Sense};
use lazuli_solve::{Job, PackageId, Pool, Problem, Reason, Solution, Spec, Upgrade, install_order, solve};
use std::fmt::Write as _;

/// One package: `name-version-release.arch; requires a, b >= 2; provides x = 1; files /usr/bin/x`.
pub(crate) fn record(text: &str) -> PackageRecord {
    let mut parts = text.split(';').map(str::trim);
    let nevra = parts.next().unwrap();
    let (rest, arch) = nevra.rsplit_once('.').unwrap();
    let (rest, release) = rest.rsplit_once('-').unwrap();
    let (name, version) = rest.rsplit_once('-').unwrap();
    let (epoch, version) = version
        .split_once(':')
        .map_or((0, version), |(e, v)| (e.parse().unwrap(), v));
    let evr = Evr::new(epoch, version, release);
    let own = Dependency::versioned(name, Comparison::Equal, evr.clone());
    let (name, arch) = (name.to_owned(), arch.to_owned());
    let checksum = Checksum::of(Algorithm::Sha256, text.as_bytes());
    let mut record = PackageRecord::new(Nevra { name, evr, arch }, checksum, format!("{nevra}.rpm"));
    record.provides.push(own);
    for part in parts.filter(|part| !part.is_empty()) {
        let (kind, list) = part.split_once(' ').unwrap();
        let dependencies = list.split(',').map(|one| Dependency::parse(one.trim()).unwrap());
        match kind {
            "requires" => record.requires.extend(dependencies),
            "prerequires" => {
                record.requires.extend(dependencies.map(|one| Dependency {
                    sense: Sense::PREREQ,
                    ..one
                }));
            }
            "provides" => record.provides.extend(dependencies),
            "conflicts" => record.conflicts.extend(dependencies),
            "obsoletes" => record.obsoletes.extend(dependencies),
            "recommends" => record.recommends.extend(dependencies),
            "supplements" => record.supplements.extend(dependencies),
            "files" => record.files.extend(list.split(',').map(|path| RecordFile {
                path: path.trim().into(),
                kind: FileKind::File,
            })),
            other => panic!("unknown part {other}"),
        }
    }
    record
}

/// Packages, one a line: `available …`, `installed …`, `automatic …` (installed as a dependency), `other …` (a second
/// repository with the priority number 50).
pub(crate) fn pool(universe: &str) -> Pool {
    let of = |kind: &str| -> Vec<PackageRecord> {
        let lines = universe.lines().map(str::trim);
        lines
            .filter_map(|line| line.strip_prefix(kind))
            .map(|rest| record(rest.trim()))
            .collect()
    };
    let mut pool = Pool::new("x86_64");
    pool.add_installed(of("installed "), |_| false).unwrap();
    pool.add_installed(of("automatic "), |_| true).unwrap();
    pool.add_repository("base", 99, of("available "), None).unwrap();
    pool.add_repository("other", 50, of("other "), None).unwrap();
    pool
}

/// A job of words: `install a, b; remove c; upgrade; upgrade d; weak off; protect e; …`.
pub(crate) fn job(text: &str) -> Job {
    let mut job = Job::default();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (kind, list) = part.split_once(' ').unwrap_or((part, ""));
        let names = || {
            list.split(',')
                .map(|one| one.trim().to_owned())
                .collect::<Vec<_>>()
        };
        let specs = || {
            names()
                .iter()
                .map(|one| Spec::parse(one).unwrap())
                .collect::<Vec<_>>()
        };
        match kind {
            "install" => job.install = specs(),
            "remove" => job.remove = specs(),
            "reinstall" => job.reinstall = specs(),
            "downgrade" => job.downgrade = specs(),
            "exclude" => job.exclude = specs(),
            "upgrade" if list.is_empty() => job.upgrade = Upgrade::All,
            "upgrade" => job.upgrade = Upgrade::Only(specs()),
            "sync" => job.sync = true,
            "autoremove" => job.autoremove = true,
            "erase" => job.allow.erase = true,
            "weak" => job.weak = lazuli_solve::Weak::Ignore,
            "favour" => job.favour = names(),
            "multi" => job.install_only = names(),
            "protect" => job.protected = names(),
            other => panic!("unknown job {other}"),
        }
    }
    job
}

pub(crate) fn name(pool: &Pool, id: PackageId) -> String {
    pool.record(id).nevra.to_string()
}

fn why(pool: &Pool, reason: &Reason) -> String {
    match reason {
        Reason::User(spec) => format!("asked for `{spec}`"),
        Reason::Upgrade => "upgrade".into(),
        Reason::DependencyOf(id) => format!("needed by {}", name(pool, *id)),
        Reason::WeakOf(id) => format!("weak of {}", name(pool, *id)),
        Reason::ObsoletedBy(id) => format!("obsoleted by {}", name(pool, *id)),
        Reason::Needs(id) => format!("needs {}", name(pool, *id)),
        Reason::ConflictsWith(id) => format!("conflicts with {}", name(pool, *id)),
        Reason::Unneeded => "unneeded".into(),
        Reason::Other => "other".into(),
    }
}

/// A solution in words, in the order of installation.
pub(crate) fn tell(pool: &Pool, result: &Result<Solution, Problem>) -> String {
    let mut out = String::new();
    let solution = match result {
        Ok(solution) => solution,
        Err(problem) => {
            writeln!(out, "{problem}").unwrap();
            problem
                .hints
                .iter()
                .for_each(|hint| writeln!(out, "hint: {hint}").unwrap());
            return out;
        }
    };
    for id in install_order(pool, solution) {
        if let Some(step) = solution.install.iter().find(|step| step.package == id) {
            writeln!(out, "install {} ({})", name(pool, id), why(pool, &step.reason)).unwrap();
        }
        for (word, list) in [
            ("upgrade", &solution.upgrade),
            ("downgrade", &solution.downgrade),
            ("reinstall", &solution.reinstall),
        ] {
            if let Some(step) = list.iter().find(|step| step.new == id) {
                let (old, new) = (name(pool, step.old), name(pool, step.new));
                writeln!(out, "{word} {old} to {new} ({})", why(pool, &step.reason)).unwrap();
            }
        }
    }
    for step in &solution.remove {
        writeln!(
            out,
            "remove {} ({})",
            name(pool, step.package),
            why(pool, &step.reason)
        )
        .unwrap();
    }
    for spec in &solution.nothing_to_do {
        writeln!(out, "nothing to do for {spec}").unwrap();
    }
    out
}

/// Solves a job of words in a universe of words.
pub(crate) fn check(universe: &str, wanted: &str, expected: expect_test::Expect) {
    let pool = pool(universe);
    let job = job(wanted);
    let result = solve(&pool, &job);
    expected.assert_eq(&tell(&pool, &result));
    assert_eq!(result, solve(&pool, &job), "the second answer differs");
}
