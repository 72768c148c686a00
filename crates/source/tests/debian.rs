//! Debian source packages, from an archive that the tools of dpkg-dev and GnuPG make.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

#[path = "../../upstream/tests/mirror/mod.rs"]
mod mirror;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use lazuli_catalog::SuiteName;
use lazuli_catalog::value::ArchiveComponent;
use lazuli_deb::{Architecture, PackageName, Sha256Digest, Version};
use lazuli_source::{DebianRequest, Fetched, Freshness, Request, SourceError, SourceFiles};
use lazuli_upstream::{Expiry, Settings, Suite, UpstreamError};
use mirror::{Key, has_proxy, serve, tamper};
use server::{World, quiet};

/// An archive with the suite `trixie`, in a folder.
struct Archive {
    folder: tempfile::TempDir,
    key: Key,
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
    fn new() -> Option<Self> {
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

    fn root(&self) -> PathBuf {
        self.folder.path().join("debian")
    }

    fn pool(&self) -> PathBuf {
        self.root().join("pool/main")
    }

    /// Makes a source package by `dpkg-source`; with a revision it has a tarball of its upstream.
    fn package(&self, name: &str, upstream: &str, revision: Option<&str>) -> &Self {
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

    /// Signs a `.dsc` as its uploader would.
    fn sign(&self, dsc: &str) -> &Self {
        let (path, signed) = (self.pool().join(dsc), self.folder.path().join("signed"));
        self.key.clearsign(&path, &signed);
        fs::copy(signed, path).unwrap();
        self
    }

    /// Lists by `dpkg-scansources`, and the signed `InRelease`.
    fn publish(&self) -> &Self {
        let sources = run(Command::new("dpkg-scansources")
            .arg("pool")
            .current_dir(self.root()))
        .unwrap();
        self.publish_list(&sources)
    }

    fn publish_list(&self, sources: &[u8]) -> &Self {
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

    fn list(&self) -> PathBuf {
        self.root().join("dists/trixie/main/source/Sources")
    }

    fn request(&self, mirror: &str, world: &World, package: &str, version: Option<&str>) -> DebianRequest {
        let archive = Settings {
            suites: vec![Suite {
                name: SuiteName::new("trixie").unwrap(),
                mirror: None,
            }],
            components: vec![ArchiveComponent::new("main").unwrap()],
            architecture: Architecture::parse("amd64").unwrap(),
            keyring: self.key.public.clone(),
            cache: world.folder.path().join("cache"),
            mirror: Some(mirror.to_owned()),
            expiry: Expiry::Refuse,
            now: SystemTime::now(),
        };
        DebianRequest {
            archive,
            package: PackageName::parse(package).unwrap(),
            version: version.map(|version| Version::parse(version).unwrap()),
            files: SourceFiles::All,
            freshness: Freshness::Cached,
        }
    }

    fn local(&self, world: &World, package: &str, version: Option<&str>) -> DebianRequest {
        self.request(
            &format!("file:{}", self.root().display()),
            world,
            package,
            version,
        )
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn source_packages_are_fetched() {
    let Some(archive) = Archive::new() else { return };
    archive
        .package("hello", "2.10", Some("3"))
        .package("hello", "2.12", Some("1"))
        .package("native", "7", None);
    archive.sign("hello_2.12-1.dsc").publish();
    let world = World::new();
    let sources = world.sources();
    let newest = sources
        .debian(&archive.local(&world, "hello", None), &quiet)
        .unwrap();
    assert_eq!(
        (
            newest.version.as_str(),
            newest.suite.as_str(),
            newest.format.as_str()
        ),
        ("2.12-1", "trixie", "3.0 (quilt)")
    );
    assert_eq!(
        sources.read(&newest.dsc.as_ref().unwrap().file).unwrap(),
        read(&archive.pool().join("hello_2.12-1.dsc"))
    );
    let names: Vec<&str> = newest.pristine.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["hello_2.12.orig.tar.gz"]);
    assert_eq!(newest.others.len(), 1);
    for file in newest.pristine.iter().chain(&newest.others) {
        assert_eq!(
            sources.read(&file.file).unwrap(),
            read(&archive.pool().join(file.name.as_str()))
        );
        assert!(
            fs::symlink_metadata(&file.file.path).unwrap().is_file(),
            "no link to the mirror"
        );
    }
    let old = sources
        .debian(&archive.local(&world, "hello", Some("2.10-3")), &quiet)
        .unwrap();
    assert_eq!(old.dsc.unwrap().name.as_str(), "hello_2.10-3.dsc");
    let native = sources
        .debian(&archive.local(&world, "native", None), &quiet)
        .unwrap();
    assert_eq!(native.pristine.len(), 1);
    assert!(world.parts().is_empty());

    // Of the pristine tarballs alone nothing else need be there.
    fs::remove_file(archive.pool().join("hello_2.10-3.dsc")).unwrap();
    fs::remove_file(archive.pool().join("hello_2.10-3.debian.tar.xz")).unwrap();
    let other = World::new();
    let mut request = archive.local(&other, "hello", Some("2.10-3"));
    request.files = SourceFiles::Pristine;
    let found = other.sources().debian(&request, &quiet).unwrap();
    assert_eq!(found.pristine[0].name.as_str(), "hello_2.10.orig.tar.gz");
    assert!(found.dsc.is_none() && found.others.is_empty());
    request.files = SourceFiles::All;
    assert!(other.sources().debian(&request, &quiet).is_err());

    // The files of the archive are gone; what was fetched once is there.
    fs::remove_dir_all(archive.pool()).unwrap();
    let requests = [Request::Debian(Box::new(archive.local(&world, "hello", None)))];
    let results = world.offline().fetch_all(&requests, &quiet);
    assert!(
        matches!(&results[0], Ok(Fetched::Debian(found)) if *found == newest),
        "{results:?}"
    );
    let other = World::new();
    let error = other
        .offline()
        .debian(&archive.local(&other, "hello", None), &quiet)
        .unwrap_err();
    assert!(matches!(error, SourceError::Offline { .. }), "{error}");
}

#[test]
fn source_packages_come_over_http() {
    let Some(archive) = Archive::new() else { return };
    if has_proxy() {
        return;
    }
    archive.package("hello", "2.12", Some("1")).publish();
    let (world, address) = (World::new(), serve(archive.folder.path().to_owned()));
    let request = archive.request(&format!("http://{address}/debian"), &world, "hello", None);
    let found = world.sources().debian(&request, &quiet).unwrap();
    assert_eq!(found.others.len(), 1);
    // What is not in the lists is looked for in newer ones.
    archive.package("later", "1", None).publish();
    let request = archive.request(&format!("http://{address}/debian"), &world, "later", None);
    assert_eq!(
        world.sources().debian(&request, &quiet).unwrap().version.as_str(),
        "1"
    );
}

#[test]
fn each_link_of_the_chain_is_checked() {
    let Some(archive) = Archive::new() else { return };
    archive.package("hello", "2.12", Some("1")).publish();
    let fetch = |world: &World| {
        world
            .sources()
            .debian(&archive.local(world, "hello", None), &quiet)
    };
    fetch(&World::new()).unwrap();
    let orig = archive.pool().join("hello_2.12.orig.tar.gz");
    let good = read(&orig);

    // A tarball.
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    fs::write(&orig, &wrong).unwrap();
    let world = World::new();
    let error = fetch(&world).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("hello_2.12.orig.tar.gz") || text.contains("Hash Sum mismatch"),
        "{text}"
    );
    fs::write(&orig, &good).unwrap();
    fetch(&world).unwrap();

    // The .dsc, which the list names.
    let dsc = archive.pool().join("hello_2.12-1.dsc");
    let good_dsc = read(&dsc);
    tamper(&dsc, "Maintainer: M", "Maintainer: N");
    assert!(fetch(&World::new()).is_err());
    // A .dsc that the list names, but which names other files than the list.
    let list = fs::read_to_string(archive.list()).unwrap();
    let text = String::from_utf8(good_dsc.clone()).unwrap();
    let digest = Sha256Digest::of(&good).to_string();
    let other = text.replace(&digest, &"0".repeat(64));
    fs::write(&dsc, &other).unwrap();
    let lying = list.replace(
        &Sha256Digest::of(&good_dsc).to_string(),
        &Sha256Digest::of(other.as_bytes()).to_string(),
    );
    // apt compares all digests that the list has; ours is the one that counts.
    let only: Vec<&str> = lying.split('\n').collect();
    let start = only.iter().position(|line| line.starts_with("Files:")).unwrap();
    let end = start
        + 1
        + only[start + 1..]
            .iter()
            .position(|line| !line.starts_with(' '))
            .unwrap();
    let sha1 = only
        .iter()
        .position(|line| line.starts_with("Checksums-Sha1:"))
        .unwrap();
    let sha1_end = sha1
        + 1
        + only[sha1 + 1..]
            .iter()
            .position(|line| !line.starts_with(' '))
            .unwrap();
    let kept: Vec<&str> = only
        .iter()
        .enumerate()
        .filter(|(number, _)| !(start..end).contains(number) && !(sha1..sha1_end).contains(number))
        .map(|(_, line)| *line)
        .collect();
    archive.publish_list(kept.join("\n").as_bytes());
    let error = fetch(&World::new()).unwrap_err();
    assert!(
        error.to_string().contains("names other files than the list does"),
        "{error}"
    );
    fs::write(&dsc, &good_dsc).unwrap();

    // The list.
    archive.publish();
    tamper(&archive.list(), "Version: 2.12-1", "Version: 2.13-1");
    assert!(matches!(
        fetch(&World::new()),
        Err(SourceError::Upstream(UpstreamError::Apt { .. }))
    ));
    // The list in our own cache, where apt does not look.
    archive.publish();
    let world = World::new();
    fetch(&world).unwrap();
    let cached = mirror::cached_list(&world.folder.path().join("cache"), "main_source_Sources");
    let content = read(&cached);
    fs::remove_file(&cached).unwrap();
    fs::write(&cached, &content).unwrap();
    tamper(&cached, "Version: 2.12-1", "Version: 2.13-1");
    let error = fetch(&world).unwrap_err();
    assert!(
        matches!(&error, SourceError::Upstream(UpstreamError::Digest { file, .. }) if file.ends_with("Sources")),
        "{error}"
    );
    assert!(error.hint().is_some());

    // The signature.
    let Some(other) = Key::new() else { return };
    let world = World::new();
    let mut request = archive.local(&world, "hello", None);
    request.archive.keyring.clone_from(&other.public);
    assert!(matches!(
        world.sources().debian(&request, &quiet),
        Err(SourceError::Upstream(_))
    ));
}

#[test]
fn what_is_not_there_is_named() {
    let Some(archive) = Archive::new() else { return };
    archive.package("hello", "2.12", Some("1")).publish();
    let world = World::new();
    let error = world
        .sources()
        .debian(&archive.local(&world, "absent", None), &quiet)
        .unwrap_err();
    assert_eq!(error.to_string(), "the Debian archive has no package absent");
    let error = world
        .sources()
        .debian(&archive.local(&world, "hello", Some("9-1")), &quiet)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the Debian archive no longer has hello 9-1 (it has 2.12-1)"
    );
    let good = fs::read_to_string(archive.list()).unwrap();
    for (from, to, expected) in [
        ("hello_2.12.orig.tar.gz", "../../evil.tar.gz", "leads elsewhere"),
        (
            "Checksums-Sha256:",
            "Checksums-Other:",
            "has no field `Checksums-Sha256`",
        ),
        (".dsc", ".dsk", "exactly one .dsc"),
        ("Version: 2.12-1", "Version: -", "is no version"),
    ] {
        archive.publish_list(good.replace(from, to).as_bytes());
        let world = World::new();
        let error = world
            .sources()
            .debian(&archive.local(&world, "hello", None), &quiet)
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
