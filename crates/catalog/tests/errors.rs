//! Errors in files: what is said of each file in `fixtures/bad` is in the file of the same name with the ending `.txt`.
//! `UPDATE_EXPECT=1 cargo test` writes those anew.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use expect_test::{expect, expect_file};
use lazuli_catalog::{parse_config, parse_overlay_file};

#[test]
fn bad_files_are_refused_with_their_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bad");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    assert!(files.len() >= 10, "the fixtures are there");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let error = parse_config(Path::new(path.file_name().unwrap()), &text).unwrap_err();
        expect_file![path.with_extension("txt")].assert_eq(&format!("error: {error}\n"));
    }
}

#[test]
fn places_are_exact() {
    let text = "[images.server]\npackages = [\"a\"]\nrecommends = 1\n";
    let error = parse_config(Path::new("x.toml"), text).unwrap_err();
    let [one] = error.as_slice() else {
        panic!("{error}")
    };
    assert_eq!(&text[one.location.span.clone()], "1");
    assert_eq!((one.location.line, one.location.column), (3, 14));
    assert_eq!(one.location.text, "recommends = 1");
    assert_eq!(one.label.as_deref(), Some("expected true or false"));
}

#[test]
fn overlay_files_have_their_own_rules() {
    let text = r#"
[[overlays]]
type = "file-remove"
file = "x"
metadata = { category = "azl-pruning" }
"#;
    let error = parse_overlay_file(Path::new("1.overlay.toml"), text).unwrap_err();
    expect![[r#"
        an overlay file needs [metadata]
         --> 1.overlay.toml:1:1
          |
        1 | 
          | ^
          = help: add [metadata] with `category = …`

        error: an overlay of an overlay file has no metadata of its own
         --> 1.overlay.toml:2:1
          |
        2 | [[overlays]]
          | ^^^^^^^^^^^^
          = help: the file's [metadata] holds for all its overlays"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn a_flood_of_errors_is_cut_off() {
    let text: String = (0..500).map(|index| format!("key{index} = 1\n")).collect();
    let error = parse_config(Path::new("x.toml"), &text).unwrap_err();
    assert_eq!(error.as_slice().len(), lazuli_catalog::Diagnostics::MAX);
}

mod damage {
    use super::*;
    use proptest::prelude::*;

    const FILES: [&str; 3] = [
        include_str!("fixtures/complete/components/all.toml"),
        include_str!("fixtures/complete/images/server.toml"),
        include_str!("fixtures/azldev/base/comps/bash/bash.comp.toml"),
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn damaged_text_never_panics(
            file in 0..FILES.len(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..6),
        ) {
            let mut text: Vec<char> = FILES[file].chars().collect();
            for (at, with) in edits {
                let at = at.index(text.len());
                text[at] = with;
            }
            let text: String = text.into_iter().collect();
            if let Err(error) = parse_config(Path::new("x.toml"), &text) {
                prop_assert!(!error.to_string().is_empty());
                for one in &error {
                    prop_assert!(one.location.line >= 1 && one.location.span.start <= text.len());
                }
            }
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        for (open, close) in [("[", "]"), ("{a=", "}")] {
            let text = format!("includes = {}{}", open.repeat(100_000), close.repeat(100_000));
            assert!(parse_config(Path::new("x.toml"), &text).is_err());
        }
    }
}
