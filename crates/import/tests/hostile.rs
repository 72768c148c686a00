//! Damaged and malicious packages: an error, never a panic, and nothing half-made.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use lazuli_deb::Sha256Digest;
use lazuli_import::{
    Declarations, ImportError, ImportInput, ImportPlaces, ImportSettings, Symlink, import, import_all,
};
use support::{TestDeb, files, imported, origin};

fn refused(deb: TestDeb) -> String {
    imported(&deb.build(), &ImportSettings::default())
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default()
}

#[test]
fn two_files_that_become_one() {
    let two = |content: &[u8]| {
        TestDeb::simple("")
            .file("./bin/x", 0o755, b"one")
            .file("./usr/bin/x", 0o755, content)
    };
    assert_eq!(
        refused(two(b"two")),
        "`/usr/bin/x` is there twice after the move to /usr, and the two differ"
    );
    let same = imported(&two(b"one").build(), &ImportSettings::default()).unwrap();
    assert_eq!(files(&same), "100755 root:root /usr/bin/x\n");
}

#[test]
fn owners_without_names() {
    let with = |user, id| TestDeb::simple("").owned("./x", 0o644, (user, id), ("", 0), b"");
    assert_eq!(
        refused(with("", 33)),
        "`/x` belongs to the id 33, which has no name"
    );
    assert_eq!(refused(with("", 0)), "");
}

#[test]
fn capabilities() {
    let attribute = |hex: &str| {
        let value = hex::decode(hex).unwrap();
        TestDeb::simple("").with_attribute("./usr/bin/ping", 0o755, "security.capability", &value)
    };
    let good = imported(
        &attribute("0100000200200000000000000000000000000000").build(),
        &ImportSettings::default(),
    );
    assert_eq!(
        files(&good.unwrap()),
        "100755 root:root /usr/bin/ping [cap_net_raw=ep]\n"
    );
    assert!(refused(attribute("ffff")).contains("capabilities that have no text form: ffff"));
}

#[test]
fn paths_that_lead_out() {
    for deb in [
        TestDeb::simple("").hard_link("./x", "./missing"),
        TestDeb::simple("")
            .symlink("./usr/lib/a", "/etc")
            .file("./usr/lib/a/passwd", 0o644, b"x"),
    ] {
        assert_ne!(refused(deb), "");
    }
    for path in ["../x", "/etc/../../x", "relative"] {
        let link = Symlink {
            path: path.to_owned(),
            target: "y".to_owned(),
        };
        let declare = Declarations {
            symlinks: vec![link],
            ..Declarations::default()
        };
        let settings = ImportSettings {
            declare,
            ..ImportSettings::default()
        };
        let result = imported(&TestDeb::simple("").build(), &settings);
        assert!(matches!(result, Err(ImportError::DeclaredPath { .. })), "{path}");
    }
}

#[test]
fn another_package_than_was_asked_for() {
    let deb = TestDeb::simple("").build();
    let good = origin(&deb);
    let mut other = good.clone();
    other.package = "other".parse().unwrap();
    let error = import(&deb, &other, &ImportSettings::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the package is sample 1.0-1, but other 1.0-1 was expected"
    );
    let mut other = good;
    other.sha256 = Sha256Digest::of(b"other");
    assert!(matches!(
        import(&deb, &other, &ImportSettings::default()),
        Err(ImportError::Digest { .. })
    ));
}

/// Thousands of damaged copies of one package.
#[test]
fn truncated_and_flipped() {
    let script = "#!/bin/sh\nset -e\ncase \"$1\" in configure) adduser --system x;; *) exit 1;; esac\n";
    let deb = TestDeb::simple("Depends: aa (>= 1), bb | cc\n")
        .control_file("postinst", script)
        .control_file("conffiles", "/etc/x\n")
        .file("./etc/x", 0o644, b"x")
        .file("./usr/bin/x", 0o755, b"\x7fELF\x02\x01\x01not really")
        .hard_link("./usr/bin/y", "./usr/bin/x")
        .build();
    let good = origin(&deb);
    let try_one = |bytes: &[u8]| {
        let mut origin = good.clone();
        origin.sha256 = Sha256Digest::of(bytes);
        if let Ok(imported) = import(bytes, &origin, &ImportSettings::default()) {
            drop(imported.build(None));
        }
    };
    for cut in (0..deb.len()).step_by(13) {
        try_one(&deb[..cut]);
    }
    let mut state = 1u64;
    for _ in 0..2_000 {
        // A linear congruential generator: the same damage on every run.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = deb.clone();
        let at = (state >> 33) as usize % bytes.len();
        bytes[at] ^= 1 << (state >> 20 & 7);
        try_one(&bytes);
    }
}

#[test]
fn a_batch_with_one_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (output, cache) = (folder.path().join("out"), folder.path().join("cache"));
    let good = TestDeb::simple("").file("./usr/bin/x", 0o755, b"x").build();
    let bad = TestDeb::simple("")
        .file("./bin/x", 0o755, b"one")
        .file("./usr/bin/x", 0o755, b"two")
        .build();
    let settings = Arc::new(ImportSettings::default());
    let inputs: Vec<ImportInput> = [("good.deb", &good), ("bad.deb", &bad)]
        .into_iter()
        .map(|(name, bytes)| {
            let file = folder.path().join(name);
            std::fs::write(&file, bytes).unwrap();
            ImportInput {
                file,
                origin: origin(bytes),
                settings: settings.clone(),
            }
        })
        .collect();
    let places = ImportPlaces {
        output: &output,
        cache: Some(&cache),
    };
    let results = import_all(&inputs, None, places, &|_| {});
    let summary = results[0].as_ref().unwrap();
    assert!(matches!(results[1], Err(ImportError::Merge { .. })));
    let names = |folder: &std::path::Path| {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&output), ["sample-1.0-1.x86_64.rpm"]);
    let first = std::fs::read(output.join(&summary.file_name)).unwrap();
    assert_eq!(Sha256Digest::of(&first).to_string(), summary.sha256);
    assert_eq!(names(&cache).len(), 2);

    // From the cache it is the same to the bit; a damaged entry of the cache is made anew.
    let cached = std::sync::atomic::AtomicUsize::new(0);
    let count = |event: lazuli_import::ImportEvent<'_>| {
        if matches!(event, lazuli_import::ImportEvent::Finished { cached: true, .. }) {
            cached.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    };
    for damage in [false, true] {
        if damage {
            let entry = names(&cache).into_iter().find(|n| n.ends_with(".rpm")).unwrap();
            std::fs::write(cache.join(entry), b"damaged").unwrap();
        }
        std::fs::remove_dir_all(&output).unwrap();
        let again = import_all(&inputs[..1], None, places, &count);
        assert_eq!(again[0].as_ref().unwrap(), summary);
        assert_eq!(std::fs::read(output.join(&summary.file_name)).unwrap(), first);
    }
    assert_eq!(cached.into_inner(), 1);

    // Other settings, other result.
    let other = ImportSettings {
        vendor: "Other".to_owned(),
        ..ImportSettings::default()
    };
    let input = ImportInput {
        settings: Arc::new(other),
        ..inputs[0].clone()
    };
    let changed = import_all(&[input], None, places, &|_| {});
    assert_ne!(changed[0].as_ref().unwrap().sha256, summary.sha256);
}

/// An output folder that cannot be written: an error that names it, and nothing under a final name.
#[test]
fn nowhere_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = TestDeb::simple("").build();
    let file = folder.path().join("x.deb");
    std::fs::write(&file, &bytes).unwrap();
    let input = ImportInput {
        origin: origin(&bytes),
        settings: Arc::default(),
        file: file.clone(),
    };
    let places = ImportPlaces {
        output: &file,
        cache: None,
    };
    let results = import_all(&[input], None, places, &|_| {});
    let text = results[0].as_ref().unwrap_err().to_string();
    assert!(
        text.contains("failed to write") && text.contains("x.deb/sample-1.0-1"),
        "{text}"
    );
}
