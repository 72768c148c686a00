//! The store never gives bytes whose digest is wrong.
#![allow(clippy::unwrap_used, missing_docs)]

mod server;

use lazuli_source::{Digest, HashAlgorithm, SourceError, Store};
use server::{Server, World, content, quiet, sha512, wanted};

fn digests(bytes: &[u8]) -> Vec<Digest> {
    HashAlgorithm::ALL
        .map(|algorithm| Digest::of(algorithm, bytes))
        .to_vec()
}

#[test]
fn contents_are_found_by_any_digest() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let stored = store.insert(b"one", &digests(b"one")).unwrap();
    for digest in digests(b"one") {
        assert_eq!(store.find(&digest).unwrap(), Some(stored.clone()), "{digest}");
        assert_eq!(store.read(&digest, 3).unwrap().unwrap(), b"one");
        let error = store.read(&digest, 2).unwrap_err();
        assert!(matches!(error, SourceError::TooLarge { limit: 2, .. }), "{error}");
    }
    assert_eq!(store.find(&sha512(b"two")).unwrap(), None);
    // The same content again, and one that no digest was given for.
    assert_eq!(store.insert(b"one", &[]).unwrap(), stored);
    store.insert(b"three", &[]).unwrap();
    assert_eq!(
        store.find(&sha512(b"three")).unwrap(),
        None,
        "this digest was never computed"
    );
}

#[test]
fn wrong_contents_do_not_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for digest in digests(b"one") {
        let expected = [sha512(b"two"), digest.clone()];
        let error = store.insert(b"two", &expected).unwrap_err();
        let SourceError::Digest { expected, found, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(
            (expected, found),
            (digest.clone(), Digest::of(digest.algorithm(), b"two"))
        );
    }
    let error = store
        .insert_from(&mut &b"three"[..], "three", 4, &[])
        .unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { .. }), "{error}");
    assert_eq!(store.verify(&mut |_, _| ()).unwrap().checked, 0);
    assert_eq!(std::fs::read_dir(folder.path().join("parts")).unwrap().count(), 0);
}

/// Changes a file that is for reading only.
fn overwrite(path: &std::path::Path, content: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, content).unwrap();
}

#[test]
fn damaged_contents_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let one = store.insert(b"one", &digests(b"one")).unwrap();
    let two = store.insert(b"two", &digests(b"two")).unwrap();
    for digest in digests(b"one") {
        overwrite(&one.path, b"onE");
        assert_eq!(store.find(&digest).unwrap(), None);
        assert!(!one.path.exists());
        store.insert(b"one", &[]).unwrap();
        overwrite(&one.path, b"one!");
        assert_eq!(store.read(&digest, 100).unwrap(), None);
        store.insert(b"one", &[]).unwrap();
        assert_eq!(store.find(&digest).unwrap(), Some(one.clone()));
    }
    // A name that leads to another content.
    let (mine, other) = (sha512(b"one"), folder.path().join("names/sha512"));
    let name = other.join(&mine.hex()[..2]).join(&mine.hex()[2..]);
    for lie in [format!("{}\n", two.sha256), "rubbish\n".to_owned(), String::new()] {
        std::fs::write(&name, lie).unwrap();
        assert_eq!(store.find(&mine).unwrap(), None);
        store.insert(b"one", std::slice::from_ref(&mine)).unwrap();
        assert_eq!(store.find(&mine).unwrap(), Some(one.clone()));
    }
}

#[test]
fn all_contents_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let one = store.insert(b"one", &digests(b"one")).unwrap();
    store.insert(b"three", &digests(b"three")).unwrap();
    let mut steps = Vec::new();
    let report = store
        .verify(&mut |count, bytes| steps.push((count, bytes)))
        .unwrap();
    assert_eq!((report.checked, report.bytes, report.dangling), (2, 8, 0));
    assert_eq!(steps.last(), Some(&(2, 8)));
    overwrite(&one.path, b"0ne");
    let report = store.verify(&mut |_, _| ()).unwrap();
    assert_eq!((report.checked, report.bytes, report.dangling), (2, 5, 3));
    assert_eq!(report.damaged, [one.sha256]);
    let again = store.verify(&mut |_, _| ()).unwrap();
    assert_eq!((again.checked, again.damaged.len(), again.dangling), (1, 0, 0));
}

#[test]
fn a_damaged_content_is_fetched_again() {
    let (world, bytes) = (World::new(), content(1000));
    let server = Server::of(&bytes);
    let (sources, request) = (world.sources(), wanted(&bytes, &[server.url("/")]));
    let stored = sources.file(&request, &quiet).unwrap();
    overwrite(&stored.path, &content(999));
    let error = sources.read(&stored).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    assert_eq!(sources.file(&request, &quiet).unwrap(), stored);
    assert_eq!(sources.read(&stored).unwrap(), bytes);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn many_writers_of_one_content() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    store.insert(b"same", &digests(b"same")).unwrap();
                    assert_eq!(store.read(&sha512(b"same"), 10).unwrap().unwrap(), b"same");
                }
            });
        }
    });
    assert_eq!(store.verify(&mut |_, _| ()).unwrap().checked, 1);
}
