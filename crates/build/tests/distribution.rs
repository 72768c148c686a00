//! A build on the distribution's own buildroot: packages of the project's repositories, laid by our transaction engine.
//!
//! It takes what `lazuli import --buildroot` makes; where the project has no such repositories the test is skipped.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::distribution::{base_names, job, repositories, stock};
use common::{Record, paths, skip};
use lazuli_build::verify::verify;
use lazuli_build::{
    BuildJob, BuildSettings, Buildroots, Built, Cancel, ContentIndex, InputContent, InputFile, Keep, Phase,
    Severity, Stocked, build,
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

/// What the checks need.
struct Place<'a> {
    dir: &'a Path,
    roots: &'a Stocked<'a>,
    record: Record,
}

impl Place<'_> {
    fn run(&self, job: &BuildJob, name: &str) -> Built {
        let (work, results) = (self.dir.join("work"), self.dir.join(name));
        let settings = settings(&work, &results);
        build(job, self.roots, &settings, &self.record, &Cancel::default())
            .unwrap()
            .unwrap_or_else(|failure| panic!("{}\n{}", failure.reason, self.record.text()))
    }
}

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
    eprintln!(
        "base of {} packages: made in {:.2} s, {} MiB",
        base.packages().len(),
        cold.elapsed.as_secs_f64(),
        buildroots.size().unwrap() >> 20
    );
    let place = Place {
        dir: dir.path(),
        roots: &Stocked {
            buildroots: &buildroots,
            stock: &stock,
            base: &base,
            index: &index,
        },
        record: Record::default(),
    };
    let first = place.run(&job(), "first");
    check_packages(&first);
    check_warm(&place);
    check_generated(&place);
    check_release(&place, &first);
    check_reproducible(&place, &first);
}

/// Nothing is wrong with them, and debug information is apart.
fn check_packages(built: &Built) {
    let findings = built.findings.iter().filter(|f| f.severity >= Severity::Warning);
    let bad: Vec<String> = findings.map(ToString::to_string).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let mut names = built.packages.iter().map(|package| &package.nevra.name);
    assert!(
        names.any(|name| name.ends_with("-debuginfo")),
        "{:?}",
        built.packages
    );
}

fn check_warm(place: &Place<'_>) {
    let set_up = || -> Duration {
        let phases = place.run(&job(), "again").phases;
        let of_set_up = |(phase, _): &&(Phase, Duration)| matches!(phase, Phase::Buildroot | Phase::Inputs);
        phases.iter().filter(of_set_up).map(|(_, spent)| *spent).sum()
    };
    let warm = (0..TRIES).map(|_| set_up()).min().unwrap();
    eprintln!("a warm buildroot is set up in {:.3} s", warm.as_secs_f64());
    assert!(warm < WARM, "{warm:?}");
}

/// What the spec generates is in a layer of its own; rpmbuild itself finds it in the database, which it can read.
fn check_generated(place: &Place<'_>) {
    let built = place.run(&common::job("generated", GENERATED, &[]), "generated");
    assert_eq!(built.generated, ["zlib1g-dev"]);
    let text = common::log(&built.log);
    assert!(!text.contains("cannot open"), "{text}");
    let mut names = built
        .buildroot
        .packages()
        .iter()
        .map(|package| package.nevra.name.as_str());
    assert!(names.any(|name| name == "zlib1g-dev"));
}

/// A new release with the same sources: nothing but the version is new, debug information included.
fn check_release(place: &Place<'_>, first: &Built) {
    let mut bumped = job();
    let InputContent::Bytes(text) = &bumped.spec.content else {
        panic!("the spec is in memory")
    };
    let text = std::str::from_utf8(text)
        .unwrap()
        .replace("Release:        3", "Release:        4");
    bumped.spec = InputFile::bytes("hello.spec", text);
    bumped.expected.evr = None;
    bumped.epoch.0 += 1;
    let second = place.run(&bumped, "second");
    let pairs = first.packages.iter().zip(&second.packages);
    let changed: Vec<&str> = pairs
        .filter(|(old, new)| old.content != new.content)
        .map(|(old, _)| old.nevra.name.as_str())
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
}

fn check_reproducible(place: &Place<'_>, first: &Built) {
    let (work, results) = (place.dir.join("work"), place.dir.join("verified"));
    let verification = verify(
        &job(),
        &paths(first),
        place.roots,
        &settings(&work, &results),
        1 << 30,
        &place.record,
        &Cancel::default(),
    );
    let verification = verification.unwrap().unwrap();
    assert!(verification.is_reproducible(), "{:#?}", verification.differences);
    assert_eq!(verification.varied.len(), 9, "{:?}", verification.varied);
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
