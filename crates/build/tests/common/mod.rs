//! Buildroots, jobs and packages for tests.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

pub(crate) mod distribution;

use lazuli_build::{
    Architecture, BuildError, BuildJob, BuildOptions, BuildSettings, Buildroot, Built, Cancel, ContentDigest,
    Digest, Event, Expected, Failure, InputFile, Keep, Limits, Macros, Observer, Origin, PackageSet,
    RootPackage, RootSource, SourceDateEpoch, build,
};
use lazuli_rpm::{Compression, Evr, FileEntry, Metadata, Nevra, PackageBuilder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

pub(crate) const EPOCH: u32 = 1_700_000_000;

/// Whether the machine lacks what a test takes; says so.
pub(crate) fn skip(programs: &[&str]) -> bool {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: this test takes root");
        return true;
    }
    let is_there = |program: &&str| Command::new(program).arg("--version").output().is_ok();
    match programs.iter().find(|program| !is_there(program)) {
        Some(program) => {
            eprintln!("SKIPPED: `{program}` is not installed");
            true
        }
        None => false,
    }
}

/// The tree that builds run on: that of the machine, unless another one is named. Tests look at what the builder does,
/// not at the packages below it; with the machine's own rpm, gcc and make they take a second each.
pub(crate) fn tree() -> PathBuf {
    std::env::var_os("LAZULI_TEST_BUILDROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

/// A folder for layers above the tree: the kernel takes none that is below it on the same file system.
pub(crate) fn bench() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("lazuli-build-")
        .tempdir_in("/dev/shm")
        .unwrap()
}

/// The tree as a buildroot, whatever is required.
pub(crate) struct Tree;

impl RootSource for Tree {
    fn root(&self, _requires: &[String]) -> Result<Buildroot, BuildError> {
        let package = RootPackage {
            nevra: nevra("gcc", "14.2-1"),
            digest: Digest::of(b"gcc"),
            content: ContentDigest(Digest::of(b"content")),
            path: "/packages/gcc.rpm".into(),
            origin: Origin::Imported,
        };
        Ok(Buildroot::of_folders(
            vec![tree()],
            PackageSet::new(vec![package]),
        ))
    }
}

pub(crate) fn nevra(name: &str, evr: &str) -> Nevra {
    Nevra {
        name: name.to_owned(),
        evr: Evr::parse(evr).unwrap(),
        arch: "x86_64".to_owned(),
    }
}

/// A job of a spec and sources.
pub(crate) fn job(component: &str, spec: &str, sources: &[(&str, &str)]) -> BuildJob {
    let macros = [
        ("dist", ".lz2"),
        ("vendor", "Lazuli"),
        ("debug_package", "%{nil}"),
    ];
    BuildJob {
        component: component.to_owned(),
        spec: InputFile::bytes(format!("{component}.spec"), spec),
        sources: sources
            .iter()
            .map(|(name, text)| InputFile::bytes(*name, *text))
            .collect(),
        requires: vec!["gcc".to_owned()],
        options: BuildOptions {
            defines: BTreeMap::new(),
            ..BuildOptions::default()
        },
        macros: Macros(macros.map(|(n, v)| (n.to_owned(), v.to_owned())).into()),
        architecture: Architecture::new(std::env::consts::ARCH).unwrap(),
        epoch: SourceDateEpoch(EPOCH),
        allowances: lazuli_build::Allowances::default(),
        expected: Expected::default(),
        limits: Limits {
            timeout: Duration::from_secs(120),
            processors: 2,
            ..Limits::default()
        },
    }
}

/// The program, its library and its -devel package.
pub(crate) fn hello() -> BuildJob {
    let mut job = job(
        "hello",
        include_str!("../data/hello.spec"),
        &[
            ("hello.c", include_str!("../data/hello.c")),
            ("greet.c", include_str!("../data/greet.c")),
            ("greet.h", include_str!("../data/greet.h")),
        ],
    );
    job.expected = Expected {
        evr: Some("2.1-3.lz2".to_owned()),
        packages: ["hello", "libgreet", "libgreet-devel"]
            .map(str::to_owned)
            .to_vec(),
    };
    job
}

/// Remembers what it was told.
#[derive(Default)]
pub(crate) struct Record(pub(crate) Mutex<Vec<String>>);

impl Observer for Record {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::Phase(phase) => format!("== {phase}"),
            Event::Line { text, .. } => (*text).to_owned(),
            Event::Note(text) => format!("note: {text}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Record {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

/// A place where builds are done.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) record: Record,
    pub(crate) keep: Keep,
    pub(crate) previous: Vec<PathBuf>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            dir: bench(),
            record: Record::default(),
            keep: Keep::Never,
            previous: Vec::new(),
        }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub(crate) fn results(&self, name: &str) -> PathBuf {
        self.dir.path().join("results").join(name)
    }

    pub(crate) fn run(&self, job: &BuildJob, name: &str) -> Result<Built, Failure> {
        let results = self.results(name);
        let work = self.work();
        let settings = BuildSettings {
            work: &work,
            results: &results,
            keep: self.keep,
            signer: None,
            previous: &self.previous,
            builder: "urn:lazuli:test",
        };
        build(job, &Tree, &settings, &self.record, &Cancel::default())
            .unwrap_or_else(|error| panic!("{error}\n{}", self.record.text()))
    }

    /// The build must give packages.
    pub(crate) fn built(&self, job: &BuildJob, name: &str) -> Built {
        self.run(job, name)
            .unwrap_or_else(|failure| panic!("{}\n{}", failure.reason, self.record.text()))
    }

    /// Nothing of builds is left but what was asked for.
    pub(crate) fn assert_clean(&self) {
        let left: Vec<_> = std::fs::read_dir(self.work()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// All package files of a build.
pub(crate) fn paths(built: &Built) -> Vec<PathBuf> {
    let all = built.packages.iter().chain([&built.source_package]);
    all.map(|package| package.path.clone()).collect()
}

/// The log as text.
pub(crate) fn log(path: &Path) -> String {
    let file = std::fs::File::open(path).unwrap();
    String::from_utf8(zstd::decode_all(file).unwrap()).unwrap()
}

/// A package to be made.
pub(crate) struct Make {
    pub(crate) metadata: Metadata,
    contents: BTreeMap<Vec<u8>, Vec<u8>>,
}

pub(crate) fn make(name: &str, evr: &str) -> Make {
    let mut metadata = Metadata::new(nevra(name, evr));
    metadata.summary = format!("The package {name}");
    metadata.license = "MIT".to_owned();
    metadata.build_time = EPOCH;
    Make {
        metadata,
        contents: BTreeMap::new(),
    }
}

impl Make {
    pub(crate) fn dir(mut self, path: &str) -> Self {
        self.metadata.files.push(FileEntry::directory(path, 0o755));
        self
    }

    pub(crate) fn file(mut self, path: &str, content: &str) -> Self {
        let entry = FileEntry::regular(path, 0o644, content.len() as u64, None);
        self.contents.insert(path.into(), content.into());
        self.metadata.files.push(entry);
        self
    }

    pub(crate) fn requires(mut self, text: &str) -> Self {
        self.metadata
            .requires
            .push(lazuli_rpm::Dependency::parse(text).unwrap());
        self
    }

    pub(crate) fn provides(mut self, text: &str) -> Self {
        self.metadata
            .provides
            .push(lazuli_rpm::Dependency::parse(text).unwrap());
        self
    }

    pub(crate) fn into(self, dir: &Path) {
        let path = dir.join(format!("{}.rpm", self.metadata.nevra));
        let built = PackageBuilder::new(self.metadata)
            .compression(Compression::Zstd { level: 1 })
            .build(&self.contents, None)
            .unwrap();
        std::fs::write(&path, built.to_bytes()).unwrap();
    }
}
