//! Debian source packages, from an archive that the tools of dpkg-dev and GnuPG make.
#![allow(clippy::unwrap_used, missing_docs)]

mod server;
mod source_archive;

use std::fs;
use std::path::Path;

use lazuli_deb::{PackageName, Sha256Digest, Version};
use lazuli_source::{
    DebianFileRequest, DebianRequest, Digest, Fetched, FileName, Freshness, HashAlgorithm, Request,
    SourceError, SourceFiles,
};
use lazuli_upstream::UpstreamError;
use server::{World, quiet};
use source_archive::Archive;
use source_archive::mirror::{self, Key, has_proxy, serve, tamper};

/// What tests ask of an archive.
trait Ask {
    fn request(&self, mirror: &str, world: &World, package: &str, version: Option<&str>) -> DebianRequest;
    fn local(&self, world: &World, package: &str, version: Option<&str>) -> DebianRequest;
    fn tarball(&self, world: &World, package: &str, file: &str, digest: Option<Digest>) -> DebianFileRequest;
}

impl Ask for Archive {
    fn request(&self, mirror: &str, world: &World, package: &str, version: Option<&str>) -> DebianRequest {
        DebianRequest {
            archive: self.settings(mirror, &world.folder.path().join("cache")),
            package: PackageName::parse(package).unwrap(),
            version: version.map(|version| Version::parse(version).unwrap()),
            files: SourceFiles::All,
            freshness: Freshness::Cached,
        }
    }

    fn local(&self, world: &World, package: &str, version: Option<&str>) -> DebianRequest {
        self.request(&self.address(), world, package, version)
    }

    fn tarball(&self, world: &World, package: &str, file: &str, digest: Option<Digest>) -> DebianFileRequest {
        DebianFileRequest {
            archive: self.settings(&self.address(), &world.folder.path().join("cache")),
            package: PackageName::parse(package).unwrap(),
            version: None,
            file: FileName::new(file).unwrap(),
            digest,
            freshness: Freshness::Cached,
        }
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

#[test]
fn a_tarball_is_found_by_its_name_and_digest() {
    let Some(archive) = Archive::new() else { return };
    archive
        .package("hello", "2.10", Some("3"))
        .package("hello", "2.12", Some("1"))
        .publish();
    let world = World::new();
    let name = "hello_2.12.orig.tar.gz";
    let content = read(&archive.pool().join(name));
    // Without a digest the signed list says what it is.
    let found = world
        .sources()
        .debian_file(&archive.tarball(&world, "hello", name, None), &quiet)
        .unwrap();
    assert_eq!(found.sha256.as_str(), Sha256Digest::of(&content).to_string());
    for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha512] {
        let (world, digest) = (World::new(), Digest::of(algorithm, &content));
        let request = archive.tarball(&world, "hello", name, Some(digest.clone()));
        assert_eq!(
            world.sources().debian_file(&request, &quiet).unwrap().sha256,
            found.sha256
        );
        // Another content of that name is none.
        let world = World::new();
        let other = Digest::of(algorithm, b"another");
        let request = archive.tarball(&world, "hello", name, Some(other.clone()));
        let error = world.sources().debian_file(&request, &quiet).unwrap_err();
        assert!(
            matches!(&error, SourceError::NoTarball(it) if it.digest == Some(other.clone()) && it.served.len() == 2),
            "{error}"
        );
        // What is in the store needs no archive: a digest says all.
        let world = World::new();
        world
            .sources()
            .store()
            .insert(&content, std::slice::from_ref(&digest))
            .unwrap();
        let request = archive.tarball(&world, "absent", "other.tar.gz", Some(digest));
        assert_eq!(
            world.offline().debian_file(&request, &quiet).unwrap().sha256,
            found.sha256
        );
    }
}

#[test]
fn a_new_revision_has_the_same_tarball_and_a_new_version_another() {
    let Some(archive) = Archive::new() else { return };
    archive.package("hello", "2.10", Some("3")).publish();
    let name = "hello_2.10.orig.tar.gz";
    let content = read(&archive.pool().join(name));
    let digest = Digest::of(HashAlgorithm::Sha256, &content);
    let world = World::new();
    let request = archive.tarball(&world, "hello", name, Some(digest.clone()));
    world.sources().debian_file(&request, &quiet).unwrap();

    // Another revision of the same upstream version: the tarball is the same, and the old list is no hindrance.
    let renewed = Archive {
        folder: tempfile::tempdir().unwrap(),
        key: archive.key,
    };
    fs::create_dir_all(renewed.pool()).unwrap();
    renewed.package("hello", "2.10", Some("4"));
    fs::write(renewed.pool().join(name), &content).unwrap();
    for end in ["debian.tar.xz", "dsc"] {
        assert!(renewed.pool().join(format!("hello_2.10-4.{end}")).is_file());
    }
    renewed.rebuild_dsc("hello_2.10-4.dsc", name).publish();
    let world = World::new();
    let mut request = renewed.tarball(&world, "hello", name, Some(digest.clone()));
    world.sources().debian_file(&request, &quiet).unwrap();
    // But not where the old revision is named.
    let world = World::new();
    request.archive.cache = world.folder.path().join("cache");
    request.version = Some(Version::parse("2.10-3").unwrap());
    let error = world.sources().debian_file(&request, &quiet).unwrap_err();
    assert!(error.to_string().contains("of version 2.10-3"), "{error}");

    // Another upstream version: what there is now is named, with its digest.
    let Some(moved) = Archive::new() else { return };
    moved.package("hello", "2.12", Some("1")).publish();
    let world = World::new();
    let request = moved.tarball(&world, "hello", name, Some(digest.clone()));
    let error = world.sources().debian_file(&request, &quiet).unwrap_err();
    let now = Sha256Digest::of(&read(&moved.pool().join("hello_2.12.orig.tar.gz")));
    assert_eq!(
        error.to_string(),
        format!(
            "the Debian archive has no {name} with the digest {digest} in the source package hello: it has \
             hello_2.12.orig.tar.gz (sha256 {now}) of version 2.12-1"
        )
    );
    assert!(error.hint().unwrap().contains("moved on"));
    let request = moved.tarball(&world, "absent", name, Some(digest));
    let error = world.sources().debian_file(&request, &quiet).unwrap_err();
    assert!(
        error.hint().unwrap().contains("name of the source package"),
        "{error}"
    );
}
