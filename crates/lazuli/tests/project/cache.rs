//! `lazuli cache`: what is in a cache folder, what goes, what is damaged, what is shared.

use lazuli_cache::{Cache, CacheKey, NewEntry, ObjectName, Settings};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(86_400);

/// A cache folder with a bit of everything, some of it old.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let cache = Cache::open(Settings::local(folder.path("cache/builds"))).unwrap();
        for (number, days) in [("1", 50), ("2", 1)] {
            let file = folder.write("source", 0, &vec![number.as_bytes()[0]; 1 << 20]);
            let new = NewEntry {
                files: vec![(ObjectName::new("a.rpm").unwrap(), file)],
                facts: BTreeMap::new(),
                finished: SystemTime::now(),
                took: DAY,
            };
            let key = number.repeat(64);
            cache.put(&CacheKey::new(&key).unwrap(), new).unwrap();
            let (fan, rest) = key.split_at(2);
            folder.age(&format!("cache/builds/entries/{fan}/{rest}.json"), days);
        }
        let digest = hex::encode(Sha256::digest(b"deb"));
        folder.write(
            &format!("cache/upstream/debs/{}/{digest}.deb", &digest[..2]),
            50,
            b"deb",
        );
        let digest = hex::encode(Sha256::digest(b"source"));
        let (fan, rest) = digest.split_at(2);
        folder.write(&format!("cache/sources/objects/{fan}/{rest}"), 1, b"source");
        let digest = hex::encode(Sha256::digest(b"package"));
        folder.write("cache/packages/abc.rpm", 20, b"package");
        folder.write(
            "cache/packages/abc.json",
            50,
            format!("{{\"sha256\":\"{digest}\"}}").as_bytes(),
        );
        folder.write("cache/strange/file", 50, b"12");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, days: u32, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        self.age(name, days);
        path
    }

    /// Makes a file as old as if it was used last so many days ago.
    fn age(&self, name: &str, days: u32) {
        let time = SystemTime::now() - DAY * days;
        let times = std::fs::FileTimes::new().set_modified(time).set_accessed(time);
        let file = std::fs::File::open(self.path(name)).unwrap();
        file.set_times(times).unwrap();
    }

    fn lazuli(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lazuli"))
            .args(["cache", "--cache"])
            .arg(self.path("cache"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("LAZULI_SIGNING_KEY")
            .env_remove("LAZULI_BUILD_CACHE")
            .output()
            .unwrap()
    }

    /// The facts of a command that succeeds.
    fn facts(&self, arguments: &[&str]) -> Value {
        let output = self.lazuli(&[arguments, &["--json"]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Of each kind, a number.
fn numbers(facts: &Value, name: &str) -> BTreeMap<String, u64> {
    let kinds = facts["kinds"].as_array().unwrap().iter();
    let numbers = kinds.map(|kind| {
        (
            kind["kind"].as_str().unwrap().to_owned(),
            kind[name].as_u64().unwrap(),
        )
    });
    numbers.collect()
}

#[test]
fn sizes_are_shown_by_kind() {
    let folder = Folder::new();
    let files = numbers(&folder.facts(&["size"]), "files");
    let expected = [
        ("builds/entries", 2),
        ("builds/packages", 2),
        ("debs", 1),
        ("packages", 2),
        ("sources", 1),
        ("strange", 1),
    ];
    assert_eq!(
        files,
        expected.map(|(kind, count)| (kind.to_owned(), count)).into()
    );
    let output = folder.lazuli(&["size"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = format!("{:<20} {:>8} files {:>12}\n", "builds/packages", 2, "2.0 MiB");
    assert!(text.contains(&line), "{text}");
    // Nothing is made where nothing is.
    let empty = Folder(tempfile::tempdir().unwrap());
    assert_eq!(empty.facts(&["size"])["bytes"], 0);
    assert!(!empty.path("cache").exists());
}

#[test]
fn what_is_old_goes() {
    let folder = Folder::new();
    let gone = |arguments: &[&str]| numbers(&folder.facts(&[&["gc"], arguments].concat()), "files");
    let of = |builds: u64, debs, packages, sources| {
        let kinds = [
            ("builds", builds),
            ("debs", debs),
            ("packages", packages),
            ("sources", sources),
            ("specs", 0),
        ];
        BTreeMap::from(kinds.map(|(kind, count)| (kind.to_owned(), count)))
    };
    assert_eq!(gone(&[]), of(0, 0, 0, 0), "without a limit nothing goes");
    // The record of the package is old, the package is not.
    assert_eq!(gone(&["--max-age", "30d", "--dry-run"]), of(2, 1, 0, 0));
    assert_eq!(
        gone(&["--max-age", "30d", "--dry-run"]),
        of(2, 1, 0, 0),
        "a dry run removes nothing"
    );
    // By size: the older build was used last a moment before the package of the same day.
    assert_eq!(gone(&["--max-size", "1.5M", "--dry-run"]), of(2, 0, 0, 0));
    assert_eq!(gone(&["--max-age", "30d"]), of(2, 1, 0, 0));
    assert_eq!(gone(&["--max-age", "30d"]), of(0, 0, 0, 0));
    assert_eq!(gone(&["--max-size", "1M"]), of(2, 0, 2, 0));
    assert!(
        folder.path("cache/strange/file").exists(),
        "what is not known stays"
    );
    let fresh = folder.write("cache/upstream/debs/00/00.deb", 0, b"just fetched");
    assert_eq!(gone(&["--max-size", "0"])["debs"], 0);
    assert!(fresh.exists(), "what was used just now may be in use");
    let output = folder.lazuli(&["gc", "--max-size", "20X"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn damage_is_reported_and_removed() {
    let folder = Folder::new();
    assert_eq!(folder.facts(&["verify"])["damaged"], serde_json::json!([]));
    let object = find(&folder.path("cache/builds/objects"));
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, "other").unwrap();
    folder.write("cache/packages/abc.rpm", 0, b"pbckage");
    let source = find(&folder.path("cache/sources/objects"));
    std::fs::write(&source, "soorce").unwrap();
    let output = folder.lazuli(&["verify"]);
    assert_eq!(output.status.code(), Some(5));
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    for path in [&object, &source, &folder.path("cache/packages/abc.rpm")] {
        assert!(
            text.contains(&format!("{}: its bytes have", path.display())),
            "{text}"
        );
    }
    assert!(
        said.contains("3 damaged files\nhint: `lazuli cache verify --remove`"),
        "{said}"
    );
    assert!(folder.lazuli(&["verify", "--remove"]).status.success());
    assert!(!object.exists() && !source.exists());
    assert!(
        !folder.path("cache/packages/abc.rpm").exists() && !folder.path("cache/packages/abc.json").exists()
    );
    assert!(folder.lazuli(&["verify"]).status.success());
}

#[test]
fn results_are_pushed() {
    let folder = Folder::new();
    let new = Command::new(env!("CARGO_BIN_EXE_lazuli"))
        .args(["project", "new", "p", "--quiet"])
        .current_dir(folder.0.path())
        .output()
        .unwrap();
    assert!(new.status.success(), "{}", String::from_utf8_lossy(&new.stderr));
    let shared = folder.path("shared");
    let url = format!("file://{}", shared.display());
    let push =
        |more: &[&str]| folder.lazuli(&[&["push", "--project", "p", "--build-cache", &url], more].concat());
    let away = push(&[]);
    assert!(!away.status.success());
    assert!(String::from_utf8_lossy(&away.stderr).contains("is away"));
    std::fs::create_dir(&shared).unwrap();
    let readonly = push(&["--build-cache-readonly"]);
    assert_eq!(readonly.status.code(), Some(1));
    let done = push(&["--json"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let facts: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&facts["results"], &facts["shared"]), (&2.into(), &2.into()));
    let entry = std::fs::read_to_string(find(&shared.join("entries"))).unwrap();
    assert!(entry.contains("-----BEGIN PGP SIGNATURE-----"), "{entry}");
}

/// The first file below a folder.
fn find(folder: &Path) -> PathBuf {
    let first = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    match first.is_dir() {
        true => find(&first),
        false => first,
    }
}
