//! Locks of components.
#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};
use lazuli_catalog::{CommitId, ComponentLock, Fingerprint};
use proptest::prelude::*;

/// As azldev writes it.
const AZLDEV: &str = "# Managed by azldev component update. Do not edit manually.
version = 1
import-commit = '0123456789abcdef0123456789abcdef01234567'
upstream-commit = 'fedcba9876543210fedcba9876543210fedcba98'
manual-bump = 2
input-fingerprint = 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'
resolution-input-hash = 'sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210'
";

#[test]
fn what_azldev_writes_comes_back_as_it_was() {
    for text in [
        AZLDEV,
        "version = 1\n",
        "# one\n# two\nversion = 1\ninput-fingerprint = 'sha256:00'\n",
        "version = 1\nother = \"x\"\n\n[[transitions]]\nfrom = \"a\"\nto = \"b\"\n",
    ] {
        let lock = ComponentLock::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(lock.to_string(), text);
    }
    let lock = ComponentLock::parse(AZLDEV).unwrap();
    assert_eq!(lock.manual_bump, 2);
    assert_eq!(
        lock.upstream_commit.unwrap().as_str(),
        "fedcba9876543210fedcba9876543210fedcba98"
    );
}

#[test]
fn a_new_lock_says_who_wrote_it() {
    let mut lock = ComponentLock::default();
    lock.upstream_commit = Some(CommitId::new("0123456789").unwrap());
    lock.input_fingerprint = Some(Fingerprint::new("sha256:00").unwrap());
    expect![[r#"
        # Written by `lazuli component update`. Do not edit by hand.
        version = 1
        upstream-commit = '0123456789'
        input-fingerprint = 'sha256:00'
    "#]]
    .assert_eq(&lock.to_string());
    assert_eq!(ComponentLock::parse(&lock.to_string()).unwrap(), lock);
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&ComponentLock::parse(text).unwrap_err().to_string());
}

#[test]
fn bad_locks_are_refused_with_their_place() {
    check(
        "import-commit = '0123456789'\n",
        expect![[r#"
        missing field `version`
         --> lock:1:1
          |
        1 | import-commit = '0123456789'
          | ^
          = help: locks are written by `lazuli component update`; after a merge conflict, run it again"#]],
    );
    check(
        "version = 2\nimport-commit = 7\n",
        expect![[r#"
        locks of version 2 are not known
         --> lock:1:11
          |
        1 | version = 2
          |           ^
          = help: this program reads version 1; a newer one made this file"#]],
    );
    check(
        "version = 1\n<<<<<<< HEAD\n",
        expect![[r#"
        key with no value, expected `=`
         --> lock:2:9
          |
        2 | <<<<<<< HEAD
          |         ^
          = help: locks are written by `lazuli component update`; after a merge conflict, run it again"#]],
    );
    check(
        "version = 1\nupstream-commit = 'main'\n",
        expect![[r#"
        `main` is not a git commit: expected 7 to 40 hexadecimal digits
         --> lock:2:19
          |
        2 | upstream-commit = 'main'
          |                   ^^^^^^
          = help: locks are written by `lazuli component update`; after a merge conflict, run it again"#]],
    );
    check(
        "version = 1\nmanual-bump = -1\n",
        expect![[r#"
        invalid value: integer `-1`, expected u32
         --> lock:2:15
          |
        2 | manual-bump = -1
          |               ^^
          = help: locks are written by `lazuli component update`; after a merge conflict, run it again"#]],
    );
    check(
        "version = 1\ninput-fingerprint = \"it's\"\n",
        expect![[r#"
        `it's` is not a fingerprint: expected letters, digits and `.:+/=_-`, at most 256 of them
         --> lock:2:21
          |
        2 | input-fingerprint = "it's"
          |                     ^^^^^^
          = help: locks are written by `lazuli component update`; after a merge conflict, run it again"#]],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn locks_come_back_as_they_went(
        import in prop::option::of("[0-9a-f]{7,40}"),
        upstream in prop::option::of("[0-9a-f]{7,40}"),
        manual_bump in any::<u32>(),
        fingerprint in prop::option::of("[a-z0-9]{1,8}:[0-9a-f]{64}"),
    ) {
        let mut lock = ComponentLock::default();
        lock.import_commit = import.map(|text| CommitId::new(text).unwrap());
        lock.upstream_commit = upstream.map(|text| CommitId::new(text).unwrap());
        lock.manual_bump = manual_bump;
        lock.input_fingerprint = fingerprint.clone().map(|text| Fingerprint::new(text).unwrap());
        lock.resolution_input_hash = fingerprint.map(|text| Fingerprint::new(text).unwrap());
        prop_assert_eq!(&ComponentLock::parse(&lock.to_string()).unwrap(), &lock);
    }

    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = AZLDEV.as_bytes().to_vec();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(lock) = ComponentLock::parse(&String::from_utf8_lossy(&bytes)) {
            prop_assert_eq!(&ComponentLock::parse(&lock.to_string()).unwrap(), &lock);
        }
    }
}
