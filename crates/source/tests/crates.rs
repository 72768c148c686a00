//! Crates, by the machine's cargo, from a registry in a folder.
#![allow(clippy::unwrap_used, missing_docs)]

mod registry;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use lazuli_catalog::Sha256Digest;
use lazuli_source::{
    Compression, CrateRequest, CrateSelection, Fetched, FileName, NamedFile, Request, SourceError, Sources,
};
use registry::Registry;
use server::{World, quiet};

/// What tests ask of a registry.
trait Ask {
    fn sources(&self, world: &World) -> Sources;
}

impl Ask for Registry {
    fn sources(&self, world: &World) -> Sources {
        world.with(|settings| settings.cargo.environment = self.environment())
    }
}

fn named(name: &str, version: &str) -> CrateRequest {
    CrateRequest {
        what: CrateSelection::Named {
            name: name.to_owned(),
            version: version.to_owned(),
        },
        time: 1_700_000_000,
        compression: Compression::Zstd,
        vendor_sha256: None,
    }
}

fn locked(content: &str) -> CrateRequest {
    CrateRequest {
        what: CrateSelection::Lock {
            name: FileName::new("tool").unwrap(),
            content: content.as_bytes().to_vec(),
        },
        compression: Compression::Gzip,
        ..named("", "")
    }
}

/// A Cargo.lock, version 4. The registry's address has no part in what is fetched.
fn lock_of(crates: &[(&str, &str, &str)]) -> String {
    let mut text = "version = 4\n\n[[package]]\nname = \"tool\"\nversion = \"0.1.0\"\n".to_owned();
    for (name, version, sum) in crates {
        text.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+https://index.example/index\"\nchecksum = \"{sum}\"\n"
        ));
    }
    text
}

/// Path, mode, time, user and content of each member, by the `tar` crate.
fn members(sources: &Sources, file: &NamedFile) -> BTreeMap<String, (u32, u64, u64, String)> {
    let bytes = sources.read(&file.file).unwrap();
    let plain: Box<dyn Read> = match file.name.as_str().ends_with(".zst") {
        true => Box::new(zstd::Decoder::new(&bytes[..]).unwrap()),
        false => Box::new(flate2::read::GzDecoder::new(&bytes[..])),
    };
    let mut archive = tar::Archive::new(plain);
    let mut members = BTreeMap::new();
    let mut last = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        assert!(last < path, "{last} stands before {path}");
        last.clone_from(&path);
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        let header = entry.header();
        let (mode, time, user) = (
            header.mode().unwrap(),
            header.mtime().unwrap(),
            header.uid().unwrap(),
        );
        members.insert(path, (mode, time, user, content));
    }
    members
}

#[test]
fn a_crate_comes_with_what_its_lock_names() {
    let Some(registry) = Registry::new() else { return };
    let old = registry.add("leaf", "1.0.0", &[], &[("run.sh", "#!/bin/sh\n")]);
    registry.add("leaf", "1.1.0", &[], &[]);
    let middle = registry.add("middle", "0.5.0", &[("leaf", "1"), ("extra?", "1")], &[]);
    let extra = registry.add("extra", "1.0.0", &[], &[]);
    let lock = lock_of(&[
        ("extra", "1.0.0", &extra),
        ("leaf", "1.0.0", &old),
        ("middle", "0.5.0", &middle),
    ]);
    let long = format!("deep/{}/x", "d".repeat(120));
    let sum = registry.add(
        "tool",
        "2.0.0",
        &[("middle", "0.5")],
        &[("Cargo.lock", &lock), (&long, "deep")],
    );

    let world = World::new();
    let sources = registry.sources(&world);
    let request = named("tool", "2.0.0");
    // What a killed run leaves is removed by the next.
    fs::create_dir_all(
        world
            .folder
            .path()
            .join("cache/sources/parts/incoming-stale/first"),
    )
    .unwrap();
    let found = sources.crates(&request, &quiet).unwrap();
    assert_eq!(found.package.as_ref().unwrap().sha256.as_str(), sum);
    let names: Vec<String> = found
        .crates
        .iter()
        .map(|one| format!("{} {}", one.name, one.version))
        .collect();
    assert_eq!(names, ["extra 1.0.0", "leaf 1.0.0", "middle 0.5.0"]);
    assert_eq!(sources.read(&found.lock.file).unwrap(), lock.as_bytes());
    let source = found.source.clone().unwrap();
    assert_eq!(
        (source.name.as_str(), found.vendor.name.as_str()),
        ("tool-2.0.0.tar.zst", "tool-2.0.0-vendor.tar.zst")
    );
    let inside = members(&sources, &source);
    assert_eq!(inside["tool-2.0.0/Cargo.lock"].3, lock);
    assert_eq!(inside[&format!("tool-2.0.0/{long}")].3, "deep");
    assert!(!inside.keys().any(|path| path.contains("checksum")));
    let vendor = members(&sources, &found.vendor);
    // The version of the lock, though there is a newer one, and what only a feature needs.
    assert_eq!(
        vendor["vendor/leaf-1.0.0/run.sh"],
        (0o755, 1_700_000_000, 0, "#!/bin/sh\n".to_owned())
    );
    assert!(vendor.contains_key("vendor/extra-1.0.0/.cargo-checksum.json"));
    assert!(
        !vendor
            .keys()
            .any(|path| path.contains("1.1.0") || path.contains("tool"))
    );
    assert!(world.parts().is_empty());

    // The same bytes from another cache, the same result from this one without the registry.
    let other = World::new();
    let again = registry.sources(&other).crates(&request, &quiet).unwrap();
    assert_eq!(again.vendor.file.sha256, found.vendor.file.sha256);
    assert_eq!(again.source.unwrap().file.sha256, source.file.sha256);
    fs::remove_dir_all(registry.root()).unwrap();
    let results = world
        .offline()
        .fetch_all(&[Request::Crate(request.clone())], &quiet);
    assert!(
        matches!(&results[0], Ok(Fetched::Crate(same)) if *same == found),
        "{results:?}"
    );
    let mut pinned = request.clone();
    pinned.vendor_sha256 = Some(Sha256Digest::of(b"other"));
    let error = world.offline().crates(&pinned, &quiet).unwrap_err();
    assert!(matches!(error, SourceError::NotReproduced { .. }), "{error}");
    let error = World::new().offline().crates(&request, &quiet).unwrap_err();
    assert!(matches!(error, SourceError::Offline { .. }), "{error}");
    let absent = registry
        .sources(&World::new())
        .crates(&request, &quiet)
        .unwrap_err();
    assert!(matches!(absent, SourceError::Cargo { .. }), "{absent}");
}

#[test]
fn a_crate_without_a_lock_takes_the_newest() {
    let Some(registry) = Registry::new() else { return };
    registry.add("leaf", "1.0.0", &[], &[]);
    registry.add("leaf", "1.1.0", &[], &[]);
    registry.add("tool", "2.0.0", &[("leaf", "1")], &[]);
    let world = World::new();
    let sources = registry.sources(&world);
    let found = sources.crates(&named("tool", "2.0.0"), &quiet).unwrap();
    assert_eq!(
        (found.crates[0].name.as_str(), found.crates[0].version.as_str()),
        ("leaf", "1.1.0")
    );
    let vendor = members(&sources, &found.vendor);
    assert!(vendor.contains_key("vendor/leaf-1.1.0/src/lib.rs"));
    // Its lock gives the same again, also when there is something newer.
    registry.add("leaf", "1.2.0", &[], &[]);
    let lock = String::from_utf8(sources.read(&found.lock.file).unwrap()).unwrap();
    let pinned = sources.crates(&locked(&lock), &quiet).unwrap();
    assert!(pinned.crates.contains(&found.crates[0]) && pinned.package.is_none() && pinned.source.is_none());
}

#[test]
fn what_is_not_in_the_lock_is_refused() {
    let Some(registry) = Registry::new() else { return };
    let leaf = registry.add("leaf", "1.0.0", &[], &[]);
    let middle = registry.add("middle", "0.5.0", &[("leaf", "1")], &[]);
    let world = World::new();
    let sources = registry.sources(&world);
    let check = |crates: &[(&str, &str, &str)], expected: Result<usize, &str>| {
        let found = sources.crates(&locked(&lock_of(crates)), &quiet);
        match (found, expected) {
            (Ok(found), Ok(count)) => assert_eq!(found.crates.len(), count),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, _) => panic!("{found:?}"),
        }
    };
    check(&[("leaf", "1.0.0", &leaf), ("middle", "0.5.0", &middle)], Ok(2));
    check(&[("leaf", "1.0.0", &leaf)], Ok(1));
    check(&[], Ok(0));
    let wrong = "0".repeat(64);
    check(&[("leaf", "1.0.0", &wrong)], Err(&wrong));
    check(
        &[("middle", "0.5.0", &middle)],
        Err("leaf-1.0.0 is not what the Cargo.lock names: it is needed"),
    );
    check(&[("leaf", "9.0.0", &leaf)], Err("cargo failed to fetch tool"));
    check(&[("leaf", "x", &leaf)], Err("no whole version"));
    let git = lock_of(&[("leaf", "1.0.0", &leaf)]).replace("registry+", "git+");
    let error = sources.crates(&locked(&git), &quiet).unwrap_err();
    assert!(
        error.to_string().contains("nothing says what is in it"),
        "{error}"
    );
    for (name, version) in [
        ("../x", "1.0.0"),
        ("x\"", "1.0.0"),
        ("tool", "^1"),
        ("tool", "1.0"),
    ] {
        let error = sources.crates(&named(name, version), &quiet).unwrap_err();
        assert!(matches!(error, SourceError::Settings { .. }), "{error}");
    }
    let small = world.with(|settings| {
        settings.cargo.environment = vec![("CARGO_HOME".into(), registry.home().into())];
        settings.cargo.max_bytes = 100;
    });
    let mut request = locked(&lock_of(&[("leaf", "1.0.0", &leaf)]));
    request.time = 7;
    let error = small.crates(&request, &quiet).unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { .. }), "{error}");
    let none = world.with(|settings| settings.cargo.program = Path::new("/nonexistent/cargo").to_owned());
    request.time = 8;
    let error = none.crates(&request, &quiet).unwrap_err();
    assert_eq!(error.hint(), Some("install cargo"));
}

#[test]
fn a_tampered_crate_is_refused() {
    let Some(registry) = Registry::new() else { return };
    let leaf = registry.add("leaf", "1.0.0", &[], &[]);
    let file = registry.root().join("leaf-1.0.0.crate");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = registry
        .sources(&World::new())
        .crates(&locked(&lock_of(&[("leaf", "1.0.0", &leaf)])), &quiet)
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::Cargo { message, .. } if message.contains("checksum")),
        "{error}"
    );
}
