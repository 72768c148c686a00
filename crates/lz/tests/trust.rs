//! Repositories over the network: signatures, rollbacks, damage, and servers that misbehave.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Lz, Make, Server, Toxin, index, key, sample, skip_unless_root};
use lazuli_openpgp::SigningKey;

struct Setup {
    lz: Lz,
    key: SigningKey,
    server: Server,
}

fn setup() -> Setup {
    let (lz, key) = (Lz::new(), key());
    sample(&lz.path("repo"), Some(&key));
    index(&lz.path("repo"), Some(&key), 10);
    let server = Server::new(&lz.path("repo"));
    std::fs::write(lz.path("key.asc"), key.certificate().unwrap()).unwrap();
    let setup = Setup { lz, key, server };
    setup.configure("metadata_expire=0");
    setup
}

impl Setup {
    fn configure(&self, more: &str) {
        self.lz.configure(&format!(
            "[test]\nbaseurl={}\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://{}\n{more}\n",
            self.server.url,
            self.lz.path("key.asc").display()
        ));
    }
}

#[test]
fn signed_repositories_are_used() {
    if skip_unless_root() {
        return;
    }
    let setup = setup();
    assert_eq!(setup.lz.ok(&["makecache"]), "test: 5 packages\n");
    setup.lz.ok(&["-y", "install", "app"]);
    assert_eq!(
        std::fs::read_to_string(setup.lz.root("/usr/bin/app")).unwrap(),
        "app 1"
    );
    // What is fresh is not fetched again.
    setup.configure("metadata_expire=1h");
    setup.server.log.lock().unwrap().clear();
    setup.lz.ok(&["list", "available"]);
    assert_eq!(*setup.server.log.lock().unwrap(), Vec::<String>::new());
    setup.lz.ok(&["--refresh", "list", "available"]);
    let log = setup.server.log.lock().unwrap().clone();
    assert_eq!(
        log,
        ["repodata/repomd.xml", "repodata/repomd.xml.asc"],
        "unchanged metadata is not fetched again"
    );
    setup.lz.ok(&["clean"]);
    let error = setup.lz.fails(4, &["-C", "list", "available"]);
    assert!(
        error.contains("there is no metadata of repository `test` in the cache"),
        "{error}"
    );
}

#[test]
fn bad_signatures_are_refused() {
    if skip_unless_root() {
        return;
    }
    let setup = setup();
    // Another key.
    index(&setup.lz.path("repo"), Some(&key()), 11);
    let error = setup.lz.fails(5, &["list", "available"]);
    assert!(
        error.contains("repository `test`: the signature repodata/repomd.xml.asc is not good"),
        "{error}"
    );
    // No signature.
    index(&setup.lz.path("repo"), None, 12);
    let error = setup.lz.fails(4, &["list", "available"]);
    assert!(error.contains("repomd.xml.asc"), "{error}");
    // A signature over other bytes.
    index(&setup.lz.path("repo"), Some(&setup.key), 13);
    setup.server.poison("repomd.xml.asc", Toxin::Garble);
    setup.lz.fails(5, &["list", "available"]);
    // A package of somebody else in a signed repository.
    setup.server.toxins.lock().unwrap().clear();
    let alien = Make {
        name: "alien",
        evr: "1-1",
        requires: &[],
        recommends: &[],
        files: &[("/usr/bin/alien", "a")],
    };
    alien.build(&setup.lz.path("repo"), Some(&key()));
    index(&setup.lz.path("repo"), Some(&setup.key), 14);
    let error = setup.lz.fails(5, &["-y", "install", "alien"]);
    assert!(
        error.contains("alien") && error.contains("the package's signature is refused"),
        "{error}"
    );
    assert!(!setup.lz.root("/usr/bin/alien").exists());
}

#[test]
fn old_metadata_is_refused_even_after_clean() {
    if skip_unless_root() {
        return;
    }
    let setup = setup();
    let old = setup.lz.path("old");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let status = std::process::Command::new("cp")
            .arg("-a")
            .arg(from)
            .arg(to)
            .status()
            .unwrap();
        assert!(status.success());
    };
    copy(&setup.lz.path("repo/repodata"), &old);
    index(&setup.lz.path("repo"), Some(&setup.key), 20);
    setup.lz.ok(&["makecache"]);
    std::fs::remove_dir_all(setup.lz.path("repo/repodata")).unwrap();
    copy(&old, &setup.lz.path("repo/repodata"));
    let error = setup.lz.fails(5, &["makecache"]);
    assert!(error.contains("revision 10, last seen 20"), "{error}");
    setup.lz.ok(&["clean"]);
    let error = setup.lz.fails(5, &["makecache"]);
    assert!(error.contains("revision 10, last seen 20"), "{error}");
}

#[test]
fn damage_on_the_way_is_found_and_busy_servers_are_asked_again() {
    if skip_unless_root() {
        return;
    }
    let setup = setup();
    setup.server.poison("primary", Toxin::Garble);
    let error = setup.lz.fails(5, &["list", "available"]);
    assert!(error.contains("primary"), "{error}");
    setup.server.toxins.lock().unwrap().clear();
    setup.server.poison("primary", Toxin::Busy(2));
    setup.server.poison("repomd.xml.asc", Toxin::Half(1));
    assert_eq!(setup.lz.ok(&["makecache"]), "test: 5 packages\n");
    setup.server.poison("app-", Toxin::Half(2));
    setup.lz.ok(&["-y", "--no-weak-deps", "install", "app"]);
    setup.server.poison("extra-", Toxin::Garble);
    let error = setup.lz.fails(5, &["-y", "install", "extra"]);
    assert!(
        error.contains("extra-1-1.x86_64: the fetched package does not have the promised checksum"),
        "{error}"
    );
    setup.server.poison("extra-", Toxin::Busy(100));
    let error = setup.lz.fails(4, &["-y", "install", "extra"]);
    assert!(error.contains("503"), "{error}");
}

#[test]
fn a_network_repository_without_a_key_is_refused() {
    if skip_unless_root() {
        return;
    }
    let setup = setup();
    let place = format!("web={}", setup.server.url);
    let error = setup.lz.fails(1, &["--repo-path", &place, "list", "available"]);
    assert!(error.contains("hint: name its key with --gpg-key"), "{error}");
    let key = setup.lz.path("key.asc");
    let key = key.to_str().unwrap();
    std::fs::remove_file(setup.lz.path("repos.d/test.repo")).unwrap();
    let text = setup.lz.ok(&[
        "--repo-path",
        &place,
        "--gpg-key",
        key,
        "list",
        "available",
        "app",
    ]);
    assert_eq!(text, "app.x86_64  2:1.0-1  web\n");
}
