//! The seeds of all targets: those that must be understood, and those that were findings once.
#![allow(clippy::unwrap_used)]

use lazuli_fuzz::TARGETS;
use std::path::{Path, PathBuf};

fn inputs(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn seeds_are_understood() {
    for (name, target) in TARGETS {
        let seeds = inputs(&root().join("seeds").join(name));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in seeds {
            let verdict = target(&std::fs::read(&seed).unwrap());
            assert_eq!(verdict, Ok(()), "{}", seed.display());
        }
    }
}

#[test]
fn findings_stay_fixed() {
    for (name, target) in TARGETS {
        for finding in inputs(&root().join("findings").join(name)) {
            // Whether it is accepted is not said: it must end, and not panic.
            let _ = target(&std::fs::read(&finding).unwrap());
        }
    }
}

#[test]
fn seeds_cut_short_end_well() {
    for (name, target) in TARGETS {
        for seed in inputs(&root().join("seeds").join(name)) {
            let whole = std::fs::read(&seed).unwrap();
            // A prime step, so that cuts fall on all kinds of places.
            for length in (0..whole.len()).step_by(37) {
                let _ = target(&whole[..length]);
            }
        }
    }
}
