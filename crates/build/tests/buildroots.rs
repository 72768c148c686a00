//! Buildroots of packages that are made on the spot: what is in them, that they are made once, and never half.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Make, make, skip};
use lazuli_build::{
    BuildError, Buildroots, ContentIndex, Origin, PackageSet, ResolveError, RootSource, Stock, Stocked,
    package_record,
};
use lazuli_repodata::PackageRecord;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// How many files the package has that a killed process lays.
const FILES: usize = 400;
/// Tells the test's own program to make a base and be killed.
const CHILD: &str = "LAZULI_TEST_MAKE_BASE";

/// Repositories of imported and built packages, and a cache.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for part in ["imported", "built"] {
            std::fs::create_dir(dir.path().join(part)).unwrap();
        }
        Self { dir }
    }

    fn folder(&self, origin: Origin) -> PathBuf {
        self.dir.path().join(match origin {
            Origin::Imported => "imported",
            Origin::Built => "built",
        })
    }

    fn add(&self, origin: Origin, package: Make) {
        package.into(&self.folder(origin));
    }

    fn stock(&self) -> Stock {
        let mut stock = Stock::new("x86_64");
        for origin in [Origin::Imported, Origin::Built] {
            let folder = self.folder(origin);
            stock.add(origin, &folder, records(&folder));
        }
        stock
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }
}

fn records(folder: &Path) -> Vec<PackageRecord> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths
        .iter()
        .map(|path| package_record(path, &name(path)).unwrap())
        .collect()
}

fn base_packages(world: &World) {
    world.add(
        Origin::Imported,
        make("filesystem", "1-1")
            .dir("/etc")
            .dir("/usr")
            .dir("/usr/lib")
            .dir("/usr/include"),
    );
    world.add(
        Origin::Imported,
        make("compiler", "1-1")
            .requires("filesystem")
            .requires("libz")
            .file("/usr/lib/cc", "cc"),
    );
    world.add(
        Origin::Imported,
        make("zlib1g", "1-1")
            .provides("libz")
            .file("/usr/lib/libz", "imported")
            .file("/usr/lib/gone", "x"),
    );
    world.add(
        Origin::Imported,
        make("zlib1g-dev", "1-1")
            .requires("zlib1g = 1-1")
            .file("/usr/include/z.h", "imported"),
    );
    world.add(
        Origin::Imported,
        make("unrelated", "1-1").file("/usr/lib/unrelated", "x"),
    );
}

fn names(set: &PackageSet) -> Vec<String> {
    set.packages()
        .iter()
        .map(|p| format!("{}-{}", p.nevra.name, p.nevra.evr))
        .collect()
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_base_is_what_is_named_and_what_that_needs() {
    let world = World::new();
    base_packages(&world);
    let mut index = ContentIndex::in_memory();
    let base = world.stock().base(&words(&["compiler"]), &mut index).unwrap();
    assert_eq!(names(&base), ["compiler-1-1", "filesystem-1-1", "zlib1g-1-1"]);
    // What is built does not change it, though it is preferred elsewhere.
    world.add(
        Origin::Built,
        make("zlib1g", "2-1")
            .provides("libz")
            .file("/usr/lib/libz", "built"),
    );
    let again = world.stock().base(&words(&["compiler"]), &mut index).unwrap();
    assert_eq!(base.digest(), again.digest());
    let missing = world.stock().base(&words(&["nothing"]), &mut index).unwrap_err();
    assert!(
        matches!(missing, BuildError::Resolve(ResolveError::Unsolvable { .. })),
        "{missing}"
    );
}

#[test]
fn built_packages_are_preferred_and_bring_what_they_need() {
    let world = World::new();
    base_packages(&world);
    let mut index = ContentIndex::in_memory();
    let stock = world.stock();
    let base = stock.base(&words(&["compiler"]), &mut index).unwrap();
    let with = |stock: &Stock, requires: &[&str]| {
        let mut index = ContentIndex::in_memory();
        names(&stock.with(&base, &words(requires), &mut index).unwrap())
    };
    assert_eq!(with(&stock, &["libz"]), names(&base), "the base has it");
    assert_eq!(
        with(&stock, &["zlib1g-dev"]),
        ["compiler-1-1", "filesystem-1-1", "zlib1g-1-1", "zlib1g-dev-1-1"]
    );
    let evr = "2-100";
    world.add(
        Origin::Built,
        make("zlib1g", evr)
            .provides("libz")
            .provides("zlib = 2-100")
            .file("/usr/lib/libz", "built"),
    );
    world.add(
        Origin::Built,
        make("zlib1g-dev", evr)
            .requires("zlib1g = 2-100")
            .provides("zlib-devel = 2-100")
            .file("/usr/include/z.h", "built"),
    );
    let stock = world.stock();
    for requires in [["zlib1g-dev"], ["zlib-devel"], ["zlib-devel >= 2"]] {
        assert_eq!(
            with(&stock, &requires),
            [
                "compiler-1-1",
                "filesystem-1-1",
                "zlib1g-2-100",
                "zlib1g-dev-2-100"
            ],
            "{requires:?}"
        );
    }
    assert_eq!(
        with(&stock, &["unrelated"]).len(),
        4,
        "nobody asked for the built library"
    );
    let error = stock
        .with(&base, &words(&["zlib-devel >= 3"]), &mut index)
        .unwrap_err();
    assert!(error.to_string().contains("zlib-devel >= 3"), "{error}");
}

#[test]
fn layers_are_made_once_and_changed_never() {
    if skip(&[]) {
        return;
    }
    let world = World::new();
    base_packages(&world);
    world.add(
        Origin::Built,
        make("zlib1g", "2-1")
            .provides("libz")
            .file("/usr/lib/libz", "built"),
    );
    world.add(
        Origin::Built,
        make("zlib1g-dev", "2-1")
            .requires("zlib1g = 2-1")
            .file("/usr/include/z.h", "built"),
    );
    let stock = world.stock();
    let index = Mutex::new(ContentIndex::in_memory());
    let base = stock
        .base(&words(&["compiler"]), &mut index.lock().unwrap())
        .unwrap();
    let buildroots = Buildroots::open(world.cache()).unwrap();
    let source = Stocked {
        buildroots: &buildroots,
        stock: &stock,
        base: &base,
        index: &index,
    };
    let plain = source.root(&[]).unwrap();
    assert_eq!((plain.layers.len(), plain.made), (1, 1));
    let root = source.root(&words(&["zlib1g-dev"])).unwrap();
    assert_eq!((root.layers.len(), root.made), (2, 1));
    let [upper, below] = [&root.layers[0], &root.layers[1]];
    let read = |layer: &Path, path: &str| std::fs::read_to_string(layer.join(path)).ok();
    assert_eq!(read(upper, "usr/lib/libz").as_deref(), Some("built"));
    assert_eq!(read(upper, "usr/include/z.h").as_deref(), Some("built"));
    assert_eq!(read(upper, "usr/lib/cc"), None, "the layer has only what it adds");
    assert_eq!(
        read(below, "usr/lib/libz").as_deref(),
        Some("imported"),
        "the base is as it was"
    );
    assert!(
        below.join("usr/lib/gone").exists() && upper.join("usr/lib/gone").symlink_metadata().is_ok(),
        "a whiteout"
    );
    assert_eq!(
        source.root(&words(&["zlib1g-dev"])).unwrap().made,
        0,
        "it is found again"
    );
    check_database(&root);

    // Layers in use stay, others go.
    let kept = buildroots.collect(0).unwrap();
    assert_eq!((kept.kept, kept.removed), (2, 0));
    drop(plain);
    drop(root);
    let gone = buildroots.collect(0).unwrap();
    assert_eq!((gone.kept, gone.removed), (0, 2));
    assert!(gone.freed > 0);
    assert_eq!(buildroots.size().unwrap(), 0);
    assert_eq!(source.root(&[]).unwrap().made, 1, "and are made again");
}

/// The database of a layer is that of the whole.
fn check_database(root: &lazuli_build::Buildroot) {
    let merged = tempfile::tempdir().unwrap();
    let (over, work) = (merged.path().join("upper"), merged.path().join("work"));
    for folder in [&over, &work, &merged.path().join("root")] {
        std::fs::create_dir(folder).unwrap();
    }
    let overlay = lazuli_sandbox::Overlay {
        lower: root.layers.clone(),
        upper: over,
        work,
    };
    let mounted = lazuli_sandbox::mount_overlay(&overlay, &merged.path().join("root")).unwrap();
    let installed =
        lazuli_transaction::read_installed(&lazuli_transaction::Root::open(mounted.path()).unwrap()).unwrap();
    let mut found: Vec<String> = installed.iter().map(|p| p.metadata.nevra.to_string()).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "compiler-1-1.x86_64",
            "filesystem-1-1.x86_64",
            "zlib1g-2-1.x86_64",
            "zlib1g-dev-2-1.x86_64"
        ]
    );
    assert!(!mounted.path().join("usr/lib/gone").exists());
    mounted.unmount().unwrap();
}

#[test]
fn many_want_one_layer_and_one_makes_it() {
    if skip(&[]) {
        return;
    }
    let world = World::new();
    base_packages(&world);
    let stock = world.stock();
    let base = stock
        .base(&words(&["compiler"]), &mut ContentIndex::in_memory())
        .unwrap();
    let buildroots = Buildroots::open(world.cache()).unwrap();
    let made: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| buildroots.prepare(&base, &base).unwrap().made))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(made, 1);
}

/// What the killed processes of the next test do: make a base, and say when they begin.
fn make_base(dir: &Path) {
    let mut stock = Stock::new("x86_64");
    stock.add(
        Origin::Imported,
        dir.join("imported"),
        records(&dir.join("imported")),
    );
    let base = stock
        .base(&words(&["large"]), &mut ContentIndex::in_memory())
        .unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "BEGIN").unwrap();
    out.flush().unwrap();
    Buildroots::open(dir.join("cache"))
        .unwrap()
        .prepare(&base, &base)
        .unwrap();
}

#[test]
fn a_kill_leaves_no_half_layer() {
    if let Some(dir) = std::env::var_os(CHILD) {
        return make_base(Path::new(&dir));
    }
    if skip(&[]) {
        return;
    }
    let world = World::new();
    let mut large = make("large", "1-1").dir("/usr");
    for number in 0..FILES {
        large = large.file(&format!("/usr/{number}"), &"x".repeat(20_000));
    }
    world.add(Origin::Imported, large);
    let cache = world.cache();
    let mut killed = 0;
    // Killed when so many files are there, up to none at all and nearly all.
    for enough in [0, 1, FILES / 4, FILES / 2, FILES - 10] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["a_kill_leaves_no_half_layer", "--exact", "--nocapture"])
            .env(CHILD, world.dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.by_ref().any(|line| line.unwrap().contains("BEGIN")));
        while child.try_wait().unwrap().is_none() && laid(&cache) < enough {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        killed += usize::from(!status.success());
        for entry in std::fs::read_dir(&cache).into_iter().flatten() {
            let layer = entry.unwrap().path();
            if layer.file_name().unwrap().to_str().unwrap().starts_with("base-") {
                let files = std::fs::read_dir(layer.join("root/usr")).unwrap().count();
                assert!(
                    files >= FILES && layer.join("about.json").is_file(),
                    "half a layer"
                );
            }
        }
    }
    assert!(killed > 0, "every process was faster than its killer");
    let stock = world.stock();
    let base = stock
        .base(&words(&["large"]), &mut ContentIndex::in_memory())
        .unwrap();
    let root = Buildroots::open(&cache).unwrap().prepare(&base, &base).unwrap();
    assert!(std::fs::read_dir(root.layers[0].join("usr")).unwrap().count() >= FILES);
    let left = std::fs::read_dir(&cache)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(
        left.into_iter().all(|name| !name.starts_with("work-")),
        "what was left is removed"
    );
}

/// How many files of the package are in unfinished layers.
fn laid(cache: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(cache) else {
        return 0;
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("work-"))
        .filter_map(|entry| std::fs::read_dir(entry.path().join("root/usr")).ok())
        .map(Iterator::count)
        .sum()
}
