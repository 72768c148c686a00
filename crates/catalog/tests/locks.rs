//! Lock files: the text is stable, comes back as it went, and merges line by line.
#![allow(clippy::unwrap_used)]

use expect_test::expect;
use lazuli_catalog::{
    Architecture, DebianArchitecture, DebianVersion, DistroName, DistroVersion, LockFile, LockedPackage,
    LockedSuite, PackageName, PoolPath, Sha256Digest, SuiteName, Timestamp,
};
use proptest::prelude::*;

fn package(
    name: &str,
    version: &str,
    source: &str,
    source_version: &str,
    content: u8,
) -> (PackageName, LockedPackage) {
    let package = LockedPackage {
        version: DebianVersion::new(version).unwrap(),
        architecture: DebianArchitecture::new("amd64").unwrap(),
        size: 1_499_632,
        sha256: Sha256Digest::from_bytes([content; 32]),
        filename: PoolPath::new(format!("pool/main/{name}_{version}_amd64.deb")).unwrap(),
        source: PackageName::new(source).unwrap(),
        source_version: DebianVersion::new(source_version).unwrap(),
    };
    (PackageName::new(name).unwrap(), package)
}

fn lock(packages: impl IntoIterator<Item = (PackageName, LockedPackage)>) -> LockFile {
    let mut lock = LockFile::new(
        DistroName::new("lazuli").unwrap(),
        DistroVersion::new("2").unwrap(),
        Architecture::X86_64,
    );
    for (suite, date) in [
        ("trixie", "2025-09-06T10:33:46Z"),
        ("trixie-security", "2025-09-07T00:00:00Z"),
    ] {
        let date = Timestamp::new(date).unwrap();
        let suite = SuiteName::new(suite).unwrap();
        lock.suites.insert(
            suite,
            LockedSuite {
                date,
                inrelease_sha256: Sha256Digest::from_bytes([1; 32]),
            },
        );
    }
    lock.packages.extend(packages);
    lock
}

#[test]
fn text_is_one_sorted_line_for_a_package() {
    let lock = lock([
        package("libstdc++6", "14.2.0-19", "gcc-14", "14.2.0-19", 0xab),
        package("bash", "5.2.37-2+b5", "bash", "5.2.37-2", 0x12),
        package("python3.13", "1:3.13~rc1", "python3.13", "1:3.13~rc1", 0),
    ]);
    let text = lock.to_string();
    expect![[r#"
        # Written by `lazuli component update`. Merge line by line; never edit by hand.
        schema = 1
        distro = "lazuli"
        version = "2"
        architecture = "x86_64"

        [suites]
        trixie = { date = "2025-09-06T10:33:46Z", inrelease-sha256 = "0101010101010101010101010101010101010101010101010101010101010101" }
        trixie-security = { date = "2025-09-07T00:00:00Z", inrelease-sha256 = "0101010101010101010101010101010101010101010101010101010101010101" }

        [packages]
        bash = { version = "5.2.37-2+b5", arch = "amd64", size = 1499632, sha256 = "1212121212121212121212121212121212121212121212121212121212121212", file = "pool/main/bash_5.2.37-2+b5_amd64.deb", source-version = "5.2.37-2" }
        "libstdc++6" = { version = "14.2.0-19", arch = "amd64", size = 1499632, sha256 = "abababababababababababababababababababababababababababababababab", file = "pool/main/libstdc++6_14.2.0-19_amd64.deb", source = "gcc-14" }
        "python3.13" = { version = "1:3.13~rc1", arch = "amd64", size = 1499632, sha256 = "0000000000000000000000000000000000000000000000000000000000000000", file = "pool/main/python3.13_1:3.13~rc1_amd64.deb" }
    "#]]
    .assert_eq(&text);
    assert_eq!(LockFile::parse(&text).unwrap(), lock);
    assert_eq!(lock.newest_time(), Some(1_757_203_200));
}

#[test]
fn what_only_builds_need_stands_apart() {
    let mut lock = lock([package("libc6", "2.41-12", "glibc", "2.41-12", 1)]);
    lock.build_packages
        .extend([package("make", "4.4.1-2", "make-dfsg", "4.4.1-2", 2)]);
    let text = lock.to_string();
    let (_, tables) = text.split_once("[packages]").unwrap();
    let names: Vec<_> = tables
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(names, ["", "libc6", "", "[build-packages]", "make"]);
    assert_eq!(LockFile::parse(&text).unwrap(), lock);
    assert!(lock.get(&PackageName::new("make").unwrap()).is_some());
    assert_eq!(lock.all().count(), 2);

    // What moves from one to the other is the same package.
    let mut moved = lock.clone();
    moved.packages.append(&mut moved.build_packages);
    assert!(LockFile::diff(&lock, &moved).is_empty());

    let twice = text.replace("[build-packages]\nmake", "[build-packages]\nlibc6");
    let error = LockFile::parse(&twice).unwrap_err().to_string();
    assert!(
        error.contains("package `libc6` is locked twice: for the distribution and for builds"),
        "{error}"
    );
}

#[test]
fn difference_names_what_came_went_and_changed() {
    let old = lock([
        package("a", "1", "a", "1", 1),
        package("b", "1", "b", "1", 1),
        package("c", "1", "c", "1", 1),
        package("d", "1", "d", "1", 1),
        package("same", "1", "same", "1", 1),
    ]);
    let new = lock([
        package("b", "2", "b", "2", 2),
        package("c", "1", "c", "1", 2),
        package("d", "1", "dd", "1", 1),
        package("e", "1", "e", "1", 1),
        package("same", "1", "same", "1", 1),
    ]);
    let diff = LockFile::diff(&old, &new);
    expect![[r#"
        - a 1
        ~ b 1 → 2
        ~ c 1 (same version, other content)
        ~ d 1 (same content, described otherwise)
        + e 1"#]]
    .assert_eq(&diff.to_string());
    assert!(!diff.is_empty());
    assert!(LockFile::diff(&new, &new).is_empty());
}

#[test]
fn damaged_locks_are_refused_with_their_place() {
    let good = lock([package("bash", "5.2", "bash", "5.2", 1)]).to_string();
    let say = |text: &str| LockFile::parse(text).unwrap_err().to_string();
    let mut said = Vec::new();
    for (from, to) in [
        ("schema = 1", "schema = 2"),
        ("schema = 1\n", ""),
        ("sha256 = \"01", "sha256 = \"XY"),
        ("pool/main", "../main"),
        ("size = 1499632", "size = -1"),
        (", arch = \"amd64\"", ""),
        ("[packages]", "<<<<<<< ours\n[packages]"),
        (", file =", ", colour = 1, file ="),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        said.push(say(&bad));
    }
    let twice = format!("{good}{}\n", good.lines().last().unwrap());
    said.push(say(&twice));
    expect_test::expect_file!["fixtures/locks.expected"]
        .assert_eq(&format!("error: {}\n", said.join("\n\nerror: ")));
}

prop_compose! {
    fn any_package()(
        name in "[a-z0-9][a-z0-9+.-]{0,20}",
        version in "([0-9]:)?[0-9][0-9A-Za-z.+~]{0,12}(-[0-9a-z.+~]{1,6})?",
        source in prop::option::of("[a-z0-9][a-z0-9+.-]{0,20}"),
        source_version in prop::option::of("[0-9][0-9A-Za-z.+~:-]{0,12}"),
        architecture in prop::sample::select(vec!["amd64", "all", "arm64"]),
        size in 0..(i64::MAX as u64),
        digest in any::<[u8; 32]>(),
    ) -> (PackageName, LockedPackage) {
        let version = DebianVersion::new(version).unwrap();
        let locked = LockedPackage {
            architecture: DebianArchitecture::new(architecture).unwrap(),
            size,
            sha256: Sha256Digest::from_bytes(digest),
            filename: PoolPath::new(format!("pool/{name}_{version}.deb")).unwrap(),
            source: PackageName::new(source.unwrap_or_else(|| name.clone())).unwrap(),
            source_version: source_version.map_or_else(|| version.clone(), |text| DebianVersion::new(text).unwrap()),
            version,
        };
        (PackageName::new(name).unwrap(), locked)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn locks_come_back_as_they_went(packages in prop::collection::btree_map(any::<u8>(), any_package(), 0..20)) {
        let lock = lock(packages.into_values());
        let text = lock.to_string();
        let back = LockFile::parse(&text).unwrap();
        prop_assert_eq!(&back, &lock);
        prop_assert_eq!(&back.to_string(), &text);
        prop_assert_eq!(lock.packages.len(), text.lines().skip_while(|line| *line != "[packages]").count() - 1);
    }

    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = lock([package("bash", "5.2", "bash", "5.2", 1)]).to_string().into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        // What counts is that it returns; a changed digit in a digest is still a lock.
        let _ = LockFile::parse(&String::from_utf8_lossy(&bytes));
    }
}
