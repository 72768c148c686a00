//! A Debian archive of source packages, made by the tools of dpkg-dev and GnuPG.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    missing_docs
)]

#[path = "../../../upstream/tests/mirror/mod.rs"]
pub mod mirror;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use lazuli_catalog::SuiteName;
use lazuli_catalog::value::ArchiveComponent;
use lazuli_deb::{Architecture, Sha256Digest};
use lazuli_upstream::{Expiry, Settings, Suite};
use mirror::Key;

/// An archive with the suite `trixie`, in a folder.
pub struct Archive {
    pub folder: tempfile::TempDir,
    pub key: Key,
}

fn run(command: &mut Command) -> Option<Vec<u8>> {
    let output = command.stderr(Stdio::piped()).output().ok()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(output.stdout)
}

impl Archive {
    /// `None`, with a loud message, where a tool is not there.
    pub fn new() -> Option<Self> {
        for tool in ["dpkg-source", "dpkg-scansources", "apt-get"] {
            if Command::new(tool)
                .arg("--version")
                .stdout(Stdio::null())
                .status()
                .is_err()
            {
                eprintln!("SKIPPED: {tool} is not there");
                return None;
            }
        }
        let archive = Self {
            folder: tempfile::tempdir().unwrap(),
            key: Key::new()?,
        };
        fs::create_dir_all(archive.pool()).unwrap();
        Some(archive)
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("debian")
    }

    pub fn pool(&self) -> PathBuf {
        self.root().join("pool/main")
    }

    /// Makes a source package by `dpkg-source`; with a revision it has a tarball of its upstream.
    pub fn package(&self, name: &str, upstream: &str, revision: Option<&str>) -> &Self {
        let version = match revision {
            Some(revision) => format!("{upstream}-{revision}"),
            None => upstream.to_owned(),
        };
        let work = tempfile::tempdir().unwrap();
        let tree = work.path().join(format!("{name}-{upstream}"));
        fs::create_dir_all(tree.join("debian/source")).unwrap();
        fs::write(tree.join("main.c"), format!("/* {name} {upstream} */\n")).unwrap();
        let format = if revision.is_some() {
            "3.0 (quilt)"
        } else {
            "3.0 (native)"
        };
        if revision.is_some() {
            let tarball = work.path().join(format!("{name}_{upstream}.orig.tar.gz"));
            let mut tar = Command::new("tar");
            tar.args(["--exclude=debian", "-czf"])
                .arg(tarball)
                .arg("-C")
                .arg(work.path());
            run(tar.arg(tree.file_name().unwrap())).unwrap();
        }
        fs::write(tree.join("debian/source/format"), format!("{format}\n")).unwrap();
        let control = format!(
            "Source: {name}\nMaintainer: M <m@example.org>\nStandards-Version: 4.7.0\n\nPackage: {name}\nArchitecture: all\nDescription: x\n x\n"
        );
        fs::write(tree.join("debian/control"), control).unwrap();
        let changelog = format!(
            "{name} ({version}) trixie; urgency=low\n\n  * x\n\n -- M <m@example.org>  Sat, 12 Sep 2020 07:55:41 +0000\n"
        );
        fs::write(tree.join("debian/changelog"), changelog).unwrap();
        run(Command::new("dpkg-source")
            .arg("-b")
            .arg(&tree)
            .current_dir(work.path()))
        .unwrap();
        for entry in fs::read_dir(work.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, self.pool().join(path.file_name().unwrap())).unwrap();
            }
        }
        self
    }

    /// Names a tarball in a `.dsc` as it is now: tar packs another one each time.
    pub fn rebuild_dsc(&self, dsc: &str, tarball: &str) -> &Self {
        let content = fs::read(self.pool().join(tarball)).unwrap();
        let path = self.pool().join(dsc);
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| {
            let weak = line.starts_with("Files:") || line.starts_with("Checksums-Sha1:");
            !weak
                && line
                    .trim()
                    .split(' ')
                    .next()
                    .is_none_or(|word| ![32, 40].contains(&word.len()))
        });
        let lines = lines.map(|line| match line.ends_with(tarball) {
            true => format!(" {} {} {tarball}", Sha256Digest::of(&content), content.len()),
            false => line.to_owned(),
        });
        let lines: Vec<String> = lines.collect();
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        self
    }

    /// Signs a `.dsc` as its uploader would.
    pub fn sign(&self, dsc: &str) -> &Self {
        let (path, signed) = (self.pool().join(dsc), self.folder.path().join("signed"));
        self.key.clearsign(&path, &signed);
        fs::copy(signed, path).unwrap();
        self
    }

    /// Lists by `dpkg-scansources`, and the signed `InRelease`.
    pub fn publish(&self) -> &Self {
        let sources = run(Command::new("dpkg-scansources")
            .arg("pool")
            .current_dir(self.root()))
        .unwrap();
        self.publish_list(&sources)
    }

    pub fn publish_list(&self, sources: &[u8]) -> &Self {
        let dists = self.root().join("dists/trixie");
        fs::create_dir_all(dists.join("main/source")).unwrap();
        fs::write(dists.join("main/source/Sources"), sources).unwrap();
        let release = format!(
            "Origin: Probe\nSuite: stable\nCodename: trixie\nDate: Sat, 12 Sep 2020 07:55:41 UTC\nArchitectures: all amd64\n\
             Components: main\nSHA256:\n {} {} main/source/Sources\n",
            Sha256Digest::of(sources),
            sources.len()
        );
        let text = self.folder.path().join("Release");
        fs::write(&text, release).unwrap();
        self.key.clearsign(&text, &dists.join("InRelease"));
        self
    }

    pub fn list(&self) -> PathBuf {
        self.root().join("dists/trixie/main/source/Sources")
    }

    /// The archive's settings, with a mirror and a folder for caches.
    pub fn settings(&self, mirror: &str, cache: &Path) -> Settings {
        Settings {
            suites: vec![Suite {
                name: SuiteName::new("trixie").unwrap(),
                mirror: None,
            }],
            components: vec![ArchiveComponent::new("main").unwrap()],
            architecture: Architecture::parse("amd64").unwrap(),
            keyring: self.key.public.clone(),
            cache: cache.to_owned(),
            mirror: Some(mirror.to_owned()),
            expiry: Expiry::Refuse,
            now: SystemTime::now(),
        }
    }

    /// Its address as a folder.
    pub fn address(&self) -> String {
        format!("file:{}", self.root().display())
    }
}
