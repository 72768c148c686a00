//! Packages that we build, read by the real rpm.

#![allow(clippy::unwrap_used)]

mod support;

use lazuli_rpm::{Compression, FileEntry, Metadata, PackageBuilder};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use support::{Rpm, build, empty, everything, has, relations, run, run_any};

/// What `rpm -qp --qf FORMAT` says of each file, one to a line, from our metadata.
fn expected_dump(metadata: &Metadata) -> String {
    let line = |file: &FileEntry| {
        let digest = file.digest.map_or("0".repeat(64), hex::encode);
        let target = String::from_utf8_lossy(&file.link_target);
        let flag = |bit: u32| u32::from(file.flags.bits() & bit != 0);
        format!(
            "{} {} {} {digest} 0{:o} {} {} {} {} {} {}\n",
            String::from_utf8_lossy(&file.path),
            file.size,
            file.mtime,
            file.mode,
            file.user,
            file.group,
            flag(1),
            flag(2),
            file.rdev,
            if target.is_empty() { "X" } else { &target },
        )
    };
    metadata.files.iter().map(line).collect()
}

#[test]
fn rpm_reads_every_field() {
    if !has("rpm") {
        return;
    }
    let rpm = Rpm::new();
    let (built, path) = rpm.everything();
    let metadata = &built.metadata;

    let fields = [
        ("%{NAME}", "every-thing"),
        ("%{EPOCHNUM}", "3"),
        ("%{VERSION}", "1.2~rc1+dfsg"),
        ("%{RELEASE}", "4.lz1"),
        ("%{ARCH}", "x86_64"),
        ("%{SUMMARY}", "Package with everything – Übersicht"),
        ("%{DESCRIPTION}", "First line.\n\nSecond paragraph, with ümlauts."),
        ("%{LICENSE}", "MIT AND (Apache-2.0 OR GPL-2.0-or-later)"),
        ("%{URL}", "https://example.org/?a=b&c"),
        ("%{VENDOR}", "Lazuli"),
        ("%{PACKAGER}", "Somebody <somebody@example.org>"),
        ("%{DISTRIBUTION}", "Lazuli 2"),
        ("%{GROUP}", "Unspecified"),
        ("%{BUILDTIME}", "1704067200"),
        ("%{BUILDHOST}", "localhost"),
        ("%{SOURCERPM}", "source-name-1.2~rc1-4.src.rpm"),
        ("%{VCS}", "deb:source-name@1.2~rc1-4#sha256:00"),
        ("%{OS}", "linux"),
        ("%{PLATFORM}", "x86_64-lazuli-linux-gnu"),
        (
            "%{PAYLOADFORMAT} %{PAYLOADCOMPRESSOR} %{PAYLOADFLAGS}",
            "cpio zstd 3",
        ),
        ("%{ENCODING}", "utf-8"),
    ];
    for (format, expected) in fields {
        assert_eq!(rpm.query(&path, &["--qf", format]), expected, "{format}");
    }
    assert_eq!(
        rpm.query(&path, &["--qf", "%{LONGSIZE}"]),
        metadata.installed_size().to_string()
    );
    assert_eq!(rpm.query(&path, &["--dump"]), expected_dump(metadata));
    assert_eq!(rpm.query(&path, &["--scripts"]), "");
    let changes = rpm.query(
        &path,
        &["--qf", "[%{CHANGELOGTIME} %{CHANGELOGNAME} %{CHANGELOGTEXT}|]"],
    );
    let expected: String = metadata
        .changelog
        .iter()
        .map(|c| format!("{} {} {}|", c.time, c.author, c.text))
        .collect();
    assert_eq!(changes, expected);
    let caps = rpm.query(&path, &["--qf", "[%{FILENAMES}=%{FILECAPS}\n]"]);
    assert!(caps.contains("/usr/bin/ping=cap_net_raw=ep\n"), "{caps}");
    // The file's size and SHA-256, and the archive's size.
    let sizes = rpm.query(&path, &["--qf", "%{LONGSIGSIZE} %{LONGARCHIVESIZE}"]);
    let archive = zstd::decode_all(&*built.payload).unwrap();
    let signed = built.header_range.len() + built.payload.len();
    assert_eq!(sizes, format!("{signed} {}", archive.len()));
}

#[test]
fn rpm_reads_every_dependency() {
    if !has("rpm") {
        return;
    }
    let rpm = Rpm::new();
    let (built, path) = rpm.everything();
    let metadata = &built.metadata;
    for (option, expected) in relations(metadata) {
        let lines: String = expected.iter().map(|d| format!("{d}\n")).collect();
        assert_eq!(rpm.query(&path, &[option]), lines, "{option}");
    }
    let requires = rpm.query(&path, &["--requires"]);
    for feature in [
        "rpmlib(CaretInVersions) <= 4.15.0-1",
        "rpmlib(CompressedFileNames) <= 3.0.4-1",
        "rpmlib(FileCaps) <= 4.6.1-1",
        "rpmlib(FileDigests) <= 4.6.0-1",
        "rpmlib(PayloadFilesHavePrefix) <= 4.0-1",
        "rpmlib(PayloadIsZstd) <= 5.4.18-1",
        "rpmlib(RichDependencies) <= 4.12.0-1",
        "rpmlib(TildeInVersions) <= 4.10.0-1",
    ] {
        assert!(
            requires.contains(&format!("{feature}\n")),
            "{feature} is missing in\n{requires}"
        );
    }
    assert!(!requires.contains("LargeFiles"));
    let flags = rpm.query(&path, &["--qf", "[%{REQUIRENAME} %{REQUIREFLAGS:deptype}\n]"]);
    assert!(flags.contains("/bin/sh pre\n"), "{flags}");
}

#[test]
fn rpm_finds_all_digests_good() {
    if !has("rpm") {
        return;
    }
    let rpm = Rpm::new();
    let (metadata, contents) = everything();
    for (name, metadata) in [("full.rpm", metadata), ("empty.rpm", empty())] {
        let path = rpm.write(name, &build(&metadata, &contents).to_bytes());
        let said = run(rpm.command().args(["-Kv"]).arg(&path));
        for line in [
            "Header SHA256 digest: OK",
            "Header SHA1 digest: OK",
            "Payload SHA256 digest: OK",
            "MD5 digest: OK",
        ] {
            assert!(said.contains(line), "{name}: {line} is missing in\n{said}");
        }
        assert!(!said.contains("BAD") && !said.contains("NOT"), "{said}");
    }
}

fn as_root() -> bool {
    run(Command::new("id").arg("-u")).trim() == "0"
}

/// Installs a package into a root of its own, and returns that.
fn install(rpm: &Rpm, package: &Path) -> std::path::PathBuf {
    let root = rpm.path("root");
    std::fs::create_dir_all(root.join("etc")).unwrap();
    // Owners are names: rpm looks them up in the root.
    std::fs::write(root.join("etc/passwd"), "root:x:0:0::/:\ndaemon:x:1:1::/:\n").unwrap();
    std::fs::write(root.join("etc/group"), "root:x:0:\ndaemon:x:1:\nadm:x:4:\n").unwrap();
    run(Command::new("rpm")
        .args(["--dbpath", "/var/lib/rpm", "-i", "--nodeps", "--root"])
        .arg(&root)
        .arg(package));
    root
}

#[test]
fn rpm_installs_and_verifies() {
    if !has("rpm") || !as_root() {
        return;
    }
    let rpm = Rpm::new();
    let (built, path) = rpm.everything();
    let (_, contents) = everything();
    let root = install(&rpm, &path);
    for file in built.metadata.files.iter().filter(|f| !f.is_ghost()) {
        let name = String::from_utf8(file.path.clone()).unwrap();
        let installed = root.join(name.trim_start_matches('/'));
        let facts = installed.symlink_metadata().unwrap();
        assert_eq!(facts.mode(), u32::from(file.mode), "mode of {name}");
        if file.is_regular() {
            assert_eq!(
                std::fs::read(&installed).unwrap(),
                contents[&file.path],
                "content of {name}"
            );
            assert_eq!(facts.mtime(), i64::from(file.mtime), "time of {name}");
            let links = built
                .metadata
                .files
                .iter()
                .filter(|f| f.inode == file.inode)
                .count();
            assert_eq!(facts.nlink(), links as u64, "links of {name}");
        } else if file.is_symlink() {
            let target = std::fs::read_link(&installed).unwrap();
            assert_eq!(target.as_os_str().as_encoded_bytes(), file.link_target);
        }
    }
    assert_eq!(root.join("var/lib/tool").metadata().unwrap().uid(), 1);
    let verified = run_any(
        Command::new("rpm")
            .args([
                "--dbpath",
                "/var/lib/rpm",
                "-V",
                "--nodeps",
                "every-thing",
                "--root",
            ])
            .arg(&root),
    );
    assert_eq!(String::from_utf8_lossy(&verified.stdout), "", "rpm -V");
    assert!(verified.status.success());
}

/// rpm follows one set of hard links at a time, so the names of a set must come together.
#[test]
fn rpm_installs_interleaved_hard_links() {
    if !has("rpm") || !as_root() {
        return;
    }
    let rpm = Rpm::new();
    let (metadata, contents) = support::interleaved_links();
    let built = build(&metadata, &contents);
    let root = install(&rpm, &rpm.write("p.rpm", &built.to_bytes()));
    let verified = run_any(
        Command::new("rpm")
            .args(["--dbpath", "/var/lib/rpm", "-V", "--nodeps", "empty", "--root"])
            .arg(&root),
    );
    assert_eq!(String::from_utf8_lossy(&verified.stdout), "", "rpm -V");
    assert!(verified.status.success());
    let inode = |path: &[u8]| {
        let name = std::str::from_utf8(path).unwrap().trim_start_matches('/');
        let installed = root.join(name);
        assert_eq!(std::fs::read(&installed).unwrap(), contents[path], "{name}");
        let facts = installed.metadata().unwrap();
        assert_eq!(facts.nlink(), 3, "links of {name}");
        facts.ino()
    };
    let inodes: Vec<_> = built.metadata.files.iter().map(|f| inode(&f.path)).collect();
    assert_ne!(inodes[0], inodes[1]);
    assert_eq!(inodes, [inodes[0], inodes[1]].repeat(3));
}

#[test]
fn a_thousand_files() {
    if !has("rpm") || !as_root() {
        return;
    }
    let rpm = Rpm::new();
    let mut metadata = empty();
    let mut contents = support::Contents::new();
    for number in 0..1_000_usize {
        let path = format!("/usr/share/many/{:02}/file{number}", number % 37);
        let bytes = path.repeat(number % 97).into_bytes();
        metadata
            .files
            .push(FileEntry::regular(path.clone(), 0o644, bytes.len() as u64, None));
        contents.insert(path.into_bytes(), bytes);
    }
    let built = build(&metadata, &contents);
    let path = rpm.write("p.rpm", &built.to_bytes());
    let root = install(&rpm, &path);
    let verified = run_any(
        Command::new("rpm")
            .args(["--dbpath", "/var/lib/rpm", "-Va", "--nodeps", "--root"])
            .arg(&root),
    );
    assert_eq!(String::from_utf8_lossy(&verified.stdout), "", "rpm -Va");
    let owner = run(Command::new("rpm")
        .args([
            "--dbpath",
            "/var/lib/rpm",
            "-qf",
            "/usr/share/many/07/file44",
            "--root",
        ])
        .arg(&root));
    assert_eq!(owner, "empty-0-0.noarch\n");
}

#[test]
fn rpm_installs_what_is_not_compressed() {
    if !has("rpm") || !as_root() {
        return;
    }
    let rpm = Rpm::new();
    let (metadata, contents) = everything();
    let built = PackageBuilder::new(metadata)
        .compression(Compression::None)
        .build(&contents, None)
        .unwrap();
    let root = install(&rpm, &rpm.write("p.rpm", &built.to_bytes()));
    assert_eq!(
        std::fs::read(root.join("usr/bin/tool")).unwrap(),
        contents[&b"/usr/bin/tool"[..]]
    );
}

#[test]
fn createrepo_finds_the_same_header() {
    if !has("createrepo_c") {
        return;
    }
    let rpm = Rpm::new();
    let (built, path) = rpm.everything();
    std::fs::create_dir(rpm.path("repo")).unwrap();
    run(Command::new("createrepo_c")
        .args(["--quiet", "--general-compress-type=gz", "-o"])
        .arg(rpm.path("repo"))
        .arg(path.parent().unwrap()));
    let list = std::fs::read_dir(rpm.path("repo/repodata")).unwrap().flatten();
    let primary = list
        .map(|e| e.path())
        .find(|p| p.to_str().unwrap().ends_with("primary.xml.gz"))
        .unwrap();
    let text = run(Command::new("gzip").arg("-dc").arg(primary));
    let range = &built.header_range;
    let header = format!(
        "<rpm:header-range start=\"{}\" end=\"{}\"/>",
        range.start, range.end
    );
    assert!(text.contains(&header), "{text}");
    assert!(text.contains(&hex::encode(built.sha256())), "{text}");
    let size = format!(
        "<size package=\"{}\" installed=\"{}\" ",
        built.size(),
        built.metadata.installed_size()
    );
    assert!(text.contains(&size), "{text}");
}
