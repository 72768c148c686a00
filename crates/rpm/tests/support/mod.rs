//! What the tests of this crate share: a package with everything in it, and the real rpm.

#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use lazuli_rpm::{
    BuiltPackage, ChangelogEntry, Comparison, Dependency, Evr, FileEntry, FileFlags, Metadata, Nevra,
    PackageBuilder, Sense,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// 2024-01-01.
pub const TIME: u32 = 1_704_067_200;

pub type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

/// Whether a tool is there; says loudly when a test does not run.
#[allow(clippy::print_stderr)]
pub fn has(tool: &str) -> bool {
    let found = Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("SKIPPED: `{tool}` is not installed, so this test proves nothing");
    }
    found
}

/// Runs a command and returns its standard output; fails with everything it said.
pub fn run(command: &mut Command) -> String {
    let output = run_any(command);
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command in a clean environment.
pub fn run_any(command: &mut Command) -> Output {
    command
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC");
    command.output().unwrap()
}

/// A temporary folder with an rpm database of its own.
pub struct Rpm {
    pub dir: tempfile::TempDir,
}

impl Rpm {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The package with everything in it, and its file.
    pub fn everything(&self) -> (BuiltPackage, PathBuf) {
        let (metadata, contents) = everything();
        let built = build(&metadata, &contents);
        let path = self.write("everything.rpm", &built.to_bytes());
        (built, path)
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new("rpm");
        command.arg("--dbpath").arg(self.path("db"));
        command
    }

    /// `rpm --dbpath … arguments`.
    pub fn rpm(&self, arguments: &[&str]) -> String {
        run(self.command().args(arguments))
    }

    /// `rpm -qp arguments PACKAGE`.
    pub fn query(&self, package: &Path, arguments: &[&str]) -> String {
        run(self.command().arg("-qp").args(arguments).arg(package))
    }
}

/// All relations of a package, each with the option of `rpm -q` that lists it.
pub fn relations(metadata: &Metadata) -> [(&'static str, &[Dependency]); 8] {
    [
        ("--requires", &metadata.requires),
        ("--provides", &metadata.provides),
        ("--conflicts", &metadata.conflicts),
        ("--obsoletes", &metadata.obsoletes),
        ("--recommends", &metadata.recommends),
        ("--suggests", &metadata.suggests),
        ("--supplements", &metadata.supplements),
        ("--enhances", &metadata.enhances),
    ]
}

pub fn evr(text: &str) -> Evr {
    Evr::parse(text).unwrap()
}

pub fn dependency(text: &str) -> Dependency {
    Dependency::parse(text).unwrap()
}

pub fn dependencies(texts: &[&str]) -> Vec<Dependency> {
    texts.iter().map(|text| dependency(text)).collect()
}

/// A package with every feature, and its contents.
pub fn everything() -> (Metadata, Contents) {
    let nevra = Nevra {
        name: "every-thing".into(),
        evr: evr("3:1.2~rc1+dfsg-4.lz1"),
        arch: "x86_64".into(),
    };
    let mut contents = Contents::new();
    let mut files = Vec::new();
    let mut add = |path: &str, permissions: u16, bytes: &[u8]| {
        contents.insert(path.as_bytes().to_vec(), bytes.to_vec());
        FileEntry {
            mtime: TIME,
            ..FileEntry::regular(path, permissions, bytes.len() as u64, None)
        }
    };
    files.push(add("/usr/bin/tool", 0o755, b"#!/bin/sh\necho tool\n"));
    files.push(add("/usr/bin/raise", 0o4755, b"setuid"));
    files.push(FileEntry {
        capabilities: "cap_net_raw=ep".into(),
        ..add("/usr/bin/ping", 0o755, b"ping")
    });
    let config = FileFlags::CONFIG | FileFlags::NOREPLACE;
    files.push(FileEntry {
        flags: config,
        ..add("/etc/tool.conf", 0o640, b"key = value\n")
    });
    files.push(FileEntry {
        flags: FileFlags::DOC,
        ..add("/usr/share/doc/tool/README", 0o644, b"Read me")
    });
    files.push(FileEntry {
        flags: FileFlags::LICENSE,
        ..add("/usr/share/doc/tool/copyright", 0o644, b"MIT")
    });
    files.push(add("/usr/share/tool/empty", 0o644, b""));
    files.push(add("/usr/share/tool/grüße – 中文", 0o644, "Inhalt".as_bytes()));
    files.push(add("/usr/share/tool/with space", 0o600, b"x"));
    files.push(add(
        "/usr/share/tool-data/a",
        0o644,
        b"sorts between tool and tool/",
    ));
    for size in [1, 2, 3, 4, 5, 4095, 4096, 4097, 65_536, 200_000] {
        let bytes: Vec<u8> = (0..size)
            .map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        files.push(add(&format!("/usr/share/tool/size{size}"), 0o644, &bytes));
    }
    for name in ["a", "b", "c"] {
        let file = add(
            &format!("/usr/share/tool/link-{name}"),
            0o644,
            b"one inode, three names",
        );
        files.push(FileEntry { inode: 77, ..file });
    }
    for name in ["x", "y"] {
        files.push(FileEntry {
            inode: 78,
            ..add(&format!("/usr/share/tool/zero-{name}"), 0o644, b"")
        });
    }
    let ghost = FileEntry {
        flags: FileFlags::GHOST,
        ..FileEntry::regular("/var/log/tool.log", 0o644, 0, None)
    };
    files.push(FileEntry { mtime: TIME, ..ghost });
    for (path, permissions) in [
        ("/usr/share/tool", 0o755),
        ("/var/lib/tool", 0o1777),
        ("/usr/share/tool/deep/er", 0o750),
    ] {
        files.push(FileEntry {
            mtime: TIME,
            ..FileEntry::directory(path, permissions)
        });
    }
    files.push(FileEntry {
        mtime: TIME,
        ..FileEntry::symlink("/usr/bin/alias", "tool")
    });
    files.push(FileEntry {
        mtime: TIME,
        ..FileEntry::symlink("/etc/tool.link", "../usr/share/tool/gone")
    });
    for file in &mut files {
        if file.path.starts_with(b"/var/lib") {
            (file.user, file.group) = ("daemon".into(), "adm".into());
        }
    }
    let requires = vec![
        Dependency {
            sense: Sense::SCRIPT_PRE,
            ..dependency("/bin/sh")
        },
        dependency("libc.so.6(GLIBC_2.34)(64bit)"),
        dependency("foo >= 2:1.0-1"),
        dependency("foo < 3"),
        dependency("(bar >= 1 or baz or (qux with quux))"),
    ];
    let metadata = Metadata {
        summary: "Package with everything – Übersicht".into(),
        description: "First line.\n\nSecond paragraph, with ümlauts.".into(),
        license: "MIT AND (Apache-2.0 OR GPL-2.0-or-later)".into(),
        url: "https://example.org/?a=b&c".into(),
        vendor: "Lazuli".into(),
        packager: "Somebody <somebody@example.org>".into(),
        distribution: "Lazuli 2".into(),
        build_time: TIME,
        build_host: "localhost".into(),
        source_rpm: Some("source-name-1.2~rc1-4.src.rpm".into()),
        vcs: "deb:source-name@1.2~rc1-4#sha256:00".into(),
        requires,
        provides: vec![
            dependency("virtual = 5"),
            dependency("/bin/tool"),
            Dependency {
                sense: Sense::FIND_PROVIDES,
                ..dependency("libtool.so.1()(64bit)")
            },
        ],
        conflicts: dependencies(&["enemy < 2", "foe"]),
        obsoletes: dependencies(&["ancestor <= 1.0-9"]),
        recommends: dependencies(&["nice", "(nicer if nice)"]),
        suggests: dependencies(&["maybe = 1^git1"]),
        supplements: dependencies(&["(host and tool)"]),
        enhances: dependencies(&["editor"]),
        files,
        changelog: vec![
            ChangelogEntry {
                time: TIME,
                author: "A <a@example.org> - 2".into(),
                text: "- newer\n- ünd".into(),
            },
            ChangelogEntry {
                time: TIME - 86_400,
                author: "B <b@example.org> - 1".into(),
                text: "- older".into(),
            },
        ],
        ..Metadata::new(nevra)
    };
    (metadata, contents)
}

pub fn build(metadata: &Metadata, contents: &Contents) -> BuiltPackage {
    PackageBuilder::new(metadata.clone())
        .build(contents, None)
        .unwrap()
}

/// A package without files and dependencies.
pub fn empty() -> Metadata {
    let nevra = Nevra {
        name: "empty".into(),
        evr: Evr::new(0, "0", "0"),
        arch: "noarch".into(),
    };
    Metadata {
        summary: "Nothing".into(),
        license: "MIT".into(),
        ..Metadata::new(nevra)
    }
}

pub fn versioned(name: &str, comparison: Comparison, text: &str) -> Dependency {
    Dependency::versioned(name, comparison, evr(text))
}

/// Two files of three names each, whose names take turns in the order of paths.
pub fn interleaved_links() -> (Metadata, Contents) {
    let mut metadata = empty();
    let mut contents = Contents::new();
    for number in 1..=3 {
        for (inode, name, bytes) in [(5, "one", "first"), (6, "two", "the second")] {
            let path = format!("/usr/share/links/{number}-{name}");
            metadata.files.push(FileEntry {
                inode,
                mtime: TIME,
                ..FileEntry::regular(path.clone(), 0o644, bytes.len() as u64, None)
            });
            contents.insert(path.into_bytes(), bytes.into());
        }
    }
    (metadata, contents)
}
