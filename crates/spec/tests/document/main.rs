//! The lossless editor: edits and their differences, errors, and that nothing else changes.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod errors;
mod patches;
mod properties;
mod removal;
mod rpmspec;
mod search;
mod structure;
mod tags;

use std::fmt::Write as _;

use lazuli_spec::{Document, Edit, EditError};

/// A spec with most of what editors stumble over.
const SPEC: &str = include_str!("sample.spec");

/// Makes an edit and shows it as `-`, `+` lines with their numbers, and the warnings behind `!`.
fn edit(spec: &str, change: impl FnOnce(&mut Document) -> Result<Edit, EditError>) -> String {
    let mut document = Document::parse(spec.as_bytes());
    let done = change(&mut document).unwrap_or_else(|error| panic!("{error:?}"));
    let mut shown = difference(spec, &String::from_utf8(document.to_bytes()).unwrap());
    for warning in done.warnings {
        writeln!(shown, "! {warning}").unwrap();
    }
    shown
}

/// Makes an edit that must fail, and shows why. The document must be as it was.
fn refusal(spec: &str, change: impl FnOnce(&mut Document) -> Result<Edit, EditError>) -> String {
    let mut document = Document::parse(spec.as_bytes());
    let error = change(&mut document).expect_err("the edit must fail");
    assert_eq!(document.to_bytes(), spec.as_bytes());
    let mut shown = format!("{:?}: {}\n", error.kind, error.problem);
    let context = error.context;
    for (what, value) in [
        ("in", context.section),
        ("looked for", context.looked_for),
        (
            "nearest",
            context
                .nearest
                .map(|near| format!("{}: {}", near.line, near.text)),
        ),
        ("hint", context.hint),
    ] {
        if let Some(value) = value {
            writeln!(shown, "{what}: {value}").unwrap();
        }
    }
    shown
}

fn difference(before: &str, after: &str) -> String {
    let mut shown = String::new();
    let diff = similar::TextDiff::from_lines(before, after);
    for change in diff.iter_all_changes() {
        let (sign, number) = match change.tag() {
            similar::ChangeTag::Equal => continue,
            similar::ChangeTag::Delete => ('-', change.old_index()),
            similar::ChangeTag::Insert => ('+', change.new_index()),
        };
        let text = change.value();
        let end = match (text.ends_with("\r\n"), text.ends_with('\n')) {
            (true, _) => "␍",
            (false, true) => "",
            (false, false) => "␃",
        };
        writeln!(
            shown,
            "{sign}{} {}{end}",
            number.unwrap() + 1,
            text.trim_end_matches(['\r', '\n'])
        )
        .unwrap();
    }
    shown
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
