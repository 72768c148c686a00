//! Whatever the text: it is kept byte for byte, and an edit changes nothing but its lines.

use lazuli_spec::{Document, Edit, EditError, LineChange, LineKind, Reach, Scope, Substitute};
use proptest::prelude::*;
use regex::bytes::Regex;

/// Lines that specs are made of.
const LINES: [&str; 36] = [
    "",
    "Name: x",
    "Version: 1",
    "Source0: a",
    "Source:  b",
    "Patch1: p.patch",
    "Patch: q.patch",
    "BuildRequires: gcc",
    "Requires(post): y",
    "# comment",
    "%if 1",
    "%ifarch x86_64",
    "%else",
    "%elif 2",
    "%endif",
    "%package devel",
    "%package -n lib",
    "%files",
    "%files devel",
    "%files -n lib -f list",
    "%description devel",
    "%prep",
    "%build",
    "%patchlist",
    "p2.patch",
    "%patch1 -p1",
    "%patch -P 1 -P 2",
    "%autosetup",
    "%global a 1",
    "%define b() \\",
    "continued \\",
    "%{lua:",
    "}",
    "make %{?a} \\",
    " %{a}",
    "caf\u{e9} text",
];

fn spec() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(LINES.to_vec());
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n"]);
    (prop::collection::vec((line, end), 0..40), any::<bool>()).prop_map(|(lines, ended)| {
        let mut text: Vec<u8> = lines
            .iter()
            .flat_map(|(line, end)| [line.as_bytes(), end.as_bytes()].concat())
            .collect();
        if !ended {
            while text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                text.pop();
            }
        }
        text
    })
}

type Change = fn(&mut Document) -> Result<Edit, EditError>;

/// One edit of each kind.
const CHANGES: [Change; 15] = [
    |document| document.add_tag(None, "BuildRequires", "cmake"),
    |document| document.insert_tag(Some("devel"), "Source7", "z"),
    |document| document.set_tag(None, "Epoch", "9"),
    |document| document.update_tag(None, "Version", "7"),
    |document| document.remove_tag(None, "Source0", None),
    |document| document.append_lines(Scope::WholeSpec, &["x".into(), "y".into()]),
    |document| document.prepend_lines(Scope::WholeSpec, &["x".into()]),
    |document| {
        document.append_lines(
            Scope::Section {
                name: "%files",
                package: Some("devel"),
            },
            &["x".into()],
        )
    },
    |document| {
        document.prepend_lines(
            Scope::Section {
                name: "%build",
                package: None,
            },
            &["x".into()],
        )
    },
    |document| document.remove_section("%build", None),
    |document| document.remove_subpackage("devel"),
    |document| document.remove_subpackage("lib"),
    |document| document.add_patch(None, "new.patch").map(|(edit, _)| edit),
    |document| {
        document
            .remove_patches("p", &|name| name.starts_with('p'))
            .map(|(edit, _)| edit)
    },
    |document| {
        let pattern = Regex::new("make|gcc|x").unwrap();
        document.replace(
            Scope::WholeSpec,
            &pattern,
            Reach::EachLine,
            Substitute::Literal("cc"),
            "make",
        )
    },
];

/// The lines of a text with their ends.
fn pieces(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// What an edit says that it did, done to the old lines, must give the new ones: all else is the same.
fn only_named_lines_differ(old: &[u8], new: &[u8], edit: &Edit) {
    let (old, new) = (pieces(old), pieces(new));
    let (mut from, mut to) = (0, 0);
    let mut inserted_at_end = false;
    for change in &edit.changes {
        match change {
            LineChange::Inserted(lines) => {
                let kept = lines.start() - 1 - to;
                for at in 0..kept {
                    let (one, two) = (old[from + at], new[to + at]);
                    // The old last line may get an end, when lines come behind it.
                    let last = from + at + 1 == old.len() && !one.ends_with(b"\n");
                    assert!(one == two || last && two.starts_with(one) && two.len() <= one.len() + 2);
                    inserted_at_end |= last;
                }
                from += kept;
                to = *lines.end();
            }
            LineChange::Removed(lines) => {
                let kept = lines.start() - 1 - from;
                assert_eq!(old[from..from + kept], new[to..to + kept]);
                (from, to) = (*lines.end(), to + kept);
            }
            LineChange::Changed { lines, .. } => {
                let kept = lines.start() - 1 - to;
                assert_eq!(old[from..from + kept], new[to..to + kept]);
                // A line that changes stays a line here: no replacement above has an end of line in it.
                (from, to) = (from + kept + (lines.end() + 1 - lines.start()), *lines.end());
            }
        }
    }
    assert_eq!(old[from..], new[to..], "inserted at the end: {inserted_at_end}");
}

/// How many conditionals are open at the end, and whether one was closed too often.
fn balance(document: &Document) -> (i32, bool) {
    let mut depth = 0;
    let mut below = false;
    for line in 0..document.line_count() {
        match document.line_kind(line) {
            Some(LineKind::If) => depth += 1,
            Some(LineKind::EndIf) => depth -= 1,
            _ => {}
        }
        below |= depth < 0;
    }
    (depth, below)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_kept(text in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(Document::parse(&text).to_bytes(), text);
    }

    #[test]
    fn sections_cover_the_file(text in spec()) {
        let document = Document::parse(&text);
        prop_assert_eq!(document.to_bytes(), text);
        let mut at = 0;
        for section in document.sections() {
            prop_assert_eq!(section.lines.start, at);
            prop_assert!(section.body.start >= section.lines.start && section.body.end == section.lines.end);
            at = section.lines.end;
        }
        prop_assert_eq!(at, document.line_count());
    }

    #[test]
    fn an_edit_changes_its_lines_alone(text in spec(), which in 0..CHANGES.len()) {
        let before = Document::parse(&text);
        let mut document = before.clone();
        match CHANGES[which](&mut document) {
            Err(_) => prop_assert_eq!(document.to_bytes(), text),
            Ok(edit) => {
                let new = document.to_bytes();
                // A tag of several lines that becomes one is the only change that has fewer lines.
                let several = before.tags(None).is_ok_and(|tags| tags.iter().any(|tag| tag.value.contains('\n')));
                if !(which == 3 && several) {
                    only_named_lines_differ(&text, &new, &edit);
                }
                prop_assert_eq!(balance(&document), balance(&before));
                // What is kept in memory is what the text says.
                let again = Document::parse(&new);
                prop_assert_eq!(again.sections(), document.sections());
            }
        }
    }

    #[test]
    fn an_edit_twice_is_the_same(text in spec(), which in 0..CHANGES.len()) {
        let run = || {
            let mut document = Document::parse(&text);
            let done = CHANGES[which](&mut document);
            (document.to_bytes(), done)
        };
        prop_assert_eq!(run(), run());
    }
}
