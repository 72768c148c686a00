//! A build on the distribution's own buildroot: packages of the project's repositories, laid by our transaction engine.
//!
//! It takes what `lazuli import --buildroot` makes; where the project has no such repositories the test is skipped.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::distribution::{base_names, job, repositories, stock};
use common::{Record, paths, skip};
use lazuli_build::verify::verify;
use lazuli_build::{
    BuildJob, BuildSettings, Buildroots, Built, Cancel, ContentIndex, InputFile, Keep, Severity, Stocked,
    build,
};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// A warm buildroot takes no longer to set up; the machine may be busy, so the best of some tries counts.
const WARM: Duration = Duration::from_millis(500);
const TRIES: usize = 5;

/// A spec that needs a library which the base does not have, and says so only when it is asked.
const GENERATED: &str = "\
Name: generated
Version: 1
Release: 1
Summary: A test
License: MIT
BuildArch: noarch
%description
A test.
%generate_buildrequires
echo zlib1g-dev
%build
test -e /usr/include/zlib.h
%files
";

#[test]
fn the_distributions_buildroot_builds() {
    if skip(&[]) {
        return;
    }
    let Some(repositories) = repositories() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let stock = stock(&repositories);
    let index = Mutex::new(ContentIndex::in_memory());
    let base = stock.base(&base_names(), &mut index.lock().unwrap()).unwrap();
    let buildroots = Buildroots::open(dir.path().join("buildroots")).unwrap();
    let cold = buildroots.prepare(&base, &base).unwrap();
    let roots = Stocked {
        buildroots: &buildroots,
        stock: &stock,
        base: &base,
        index: &index,
    };
    eprintln!(
        "base of {} packages: made in {:.2} s, {} MiB",
        base.packages().len(),
        cold.elapsed.as_secs_f64(),
        buildroots.size().unwrap() >> 20
    );
    let start = std::time::Instant::now();
    let requires = ["zlib1g-dev".to_owned()];
    stock.with(&base, &requires, &mut index.lock().unwrap()).unwrap();
    eprintln!("resolved in {:.3} s", start.elapsed().as_secs_f64());
    let record = Record::default();
    let work = dir.path().join("work");
    let run = |job: &BuildJob, name: &str| -> Built {
        let results = dir.path().join(name);
        let settings = settings(&work, &results);
        build(job, &roots, &settings, &record, &Cancel::default())
            .unwrap()
            .unwrap_or_else(|failure| panic!("{}\n{}", failure.reason, record.text()))
    };
    let first = run(&job(), "first");
    let set_up = |built: &Built| -> Duration {
        let set_up = |phase: &lazuli_build::Phase| {
            matches!(
                phase,
                lazuli_build::Phase::Buildroot | lazuli_build::Phase::Inputs
            )
        };
        built
            .phases
            .iter()
            .filter(|(phase, _)| set_up(phase))
            .map(|(_, spent)| *spent)
            .sum()
    };
    let warm = (0..TRIES).map(|_| set_up(&run(&job(), "again"))).min().unwrap();
    eprintln!(
        "a warm buildroot is set up in {:.3} s; the build took {:.2} s",
        warm.as_secs_f64(),
        first.elapsed.as_secs_f64()
    );
    assert!(warm < WARM, "{warm:?}");
    let bad: Vec<String> = first
        .findings
        .iter()
        .filter(|f| f.severity >= Severity::Warning)
        .map(ToString::to_string)
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let debug = first
        .packages
        .iter()
        .filter(|package| package.nevra.name.ends_with("-debuginfo"))
        .count();
    assert!(debug > 0, "{:?}", first.packages);

    // What the spec generates is in a layer of its own; rpmbuild itself finds it in the database, which it can read.
    let results = dir.path().join("generated");
    let generating = common::job("generated", GENERATED, &[]);
    let generated = build(
        &generating,
        &roots,
        &settings(&work, &results),
        &record,
        &Cancel::default(),
    )
    .unwrap()
    .unwrap_or_else(|failure| panic!("{}\n{}", failure.reason, record.text()));
    assert_eq!(generated.generated, ["zlib1g-dev"]);
    let text = common::log(&generated.log);
    assert!(!text.contains("cannot open"), "{text}");
    let names: Vec<&str> = generated
        .buildroot
        .packages()
        .iter()
        .map(|p| p.nevra.name.as_str())
        .collect();
    assert!(names.contains(&"zlib1g-dev"), "{names:?}");

    // A new release with the same sources: nothing but the version is new, debug information included.
    let mut bumped = job();
    let InputFile { content, .. } = &bumped.spec;
    let lazuli_build::InputContent::Bytes(text) = content else {
        panic!()
    };
    let text = String::from_utf8(text.clone())
        .unwrap()
        .replace("Release:        3", "Release:        4");
    bumped.spec = InputFile::bytes("hello.spec", text);
    bumped.expected.evr = None;
    bumped.epoch.0 += 1;
    let second = run(&bumped, "second");
    let changed: Vec<&str> = first
        .packages
        .iter()
        .zip(&second.packages)
        .filter(|(old, new)| old.content != new.content)
        .map(|(old, _)| old.nevra.name.as_str())
        .collect();
    assert!(changed.is_empty(), "{changed:?}");

    let results = dir.path().join("verified");
    let files = paths(&first);
    let settings = settings(&work, &results);
    let verification = verify(
        &job(),
        &files,
        &roots,
        &settings,
        1 << 30,
        &record,
        &Cancel::default(),
    )
    .unwrap()
    .unwrap();
    assert!(verification.is_reproducible(), "{:#?}", verification.differences);
}

fn settings<'a>(work: &'a Path, results: &'a Path) -> BuildSettings<'a> {
    BuildSettings {
        work,
        results,
        keep: Keep::Never,
        signer: None,
        previous: &[],
        builder: "urn:lazuli:test",
    }
}
