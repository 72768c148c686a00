//! Overlays: each kind, failures, atomicity, archives, build options.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod archives;
mod hostile;
mod kinds;
mod options;
mod whole;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use lazuli_catalog::schema::{Overlay, OverlayAction};
use lazuli_component::overlay::{Applied, FileAction, OverlayFailure, OverlayStep, apply};
use lazuli_component::{Content, SourcePath, SourceTree};

const SPEC: &str = "Name: sample
Version: 1.0
Release: 1
Summary: A sample
License: MIT
Source0: sample-1.0.tar.gz
Patch0: first.patch
Patch1: second.patch
BuildRequires: gcc

%description
A sample.

%package devel
Summary: Headers

%description devel
Headers.

%prep
%autosetup -p1

%build
%configure --disable-static \\
    --enable-old
make

%check
make check

%files
/usr/bin/sample

%files devel
/usr/include/sample.h
";

/// A file that overlays bring along.
fn local(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("patches/new.patch") => Ok(b"new patch\n".to_vec()),
        Some("files/extra.conf") => Ok(b"extra\n".to_vec()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    }
}

fn tree(files: &[(&str, &[u8])]) -> SourceTree {
    let mut tree = SourceTree::new(SourcePath::new("sample.spec").unwrap(), SPEC);
    for (name, content) in files {
        tree.put(SourcePath::new(*name).unwrap(), content.to_vec());
    }
    tree
}

fn sample() -> SourceTree {
    tree(&[
        ("first.patch", b"one\n"),
        ("second.patch", b"two\n"),
        ("Makefile", b"all:\n\tcc -O1 x.c\n\tcc -O1 y.c\n"),
        ("conf/a.conf", b"x = 1\n"),
        ("conf/deep/b.conf", b"x = 2\r\ny = 3\r\n"),
    ])
}

/// The overlays of a text, `[[overlays]]` tables as in an overlay file.
fn overlays(text: &str) -> Vec<(OverlayAction, Option<String>)> {
    let mut file: BTreeMap<String, Vec<Overlay>> =
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let overlays = file.remove("overlays").unwrap();
    overlays
        .into_iter()
        .map(|overlay| (overlay.action().unwrap(), overlay.description))
        .collect()
}

fn run(tree: &mut SourceTree, text: &str) -> Result<Applied, Box<OverlayFailure>> {
    let overlays = overlays(text);
    let steps: Vec<OverlayStep<'_>> = overlays
        .iter()
        .enumerate()
        .map(|(at, (action, description))| OverlayStep {
            action,
            description: description.as_deref(),
            place: Some((PathBuf::from("sample.comp.toml"), 10 * (at + 1))),
        })
        .collect();
    apply(tree, &steps, &local)
}

/// All contents of a tree.
fn contents(tree: &SourceTree) -> BTreeMap<String, Vec<u8>> {
    let read = |content: &Content| content.read().unwrap().to_vec();
    tree.files()
        .map(|(path, file)| (path.to_string(), read(&file.content)))
        .collect()
}

/// Applies one overlay and shows what differs then, and what was reported.
fn change(tree: &SourceTree, text: &str) -> String {
    let mut new = tree.clone();
    let applied =
        run(&mut new, &format!("[[overlays]]\n{text}")).unwrap_or_else(|failure| panic!("{failure}"));
    let (before, after) = (contents(tree), contents(&new));
    let mut shown = String::new();
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        match (before.get(name), after.get(name)) {
            (Some(_), None) => writeln!(shown, "deleted {name}").unwrap(),
            (None, Some(content)) => {
                writeln!(shown, "added {name} {:?}", String::from_utf8_lossy(content)).unwrap()
            }
            (Some(old), Some(new)) if old != new => {
                let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
                let diff = similar::TextDiff::from_lines(&*old, &*new);
                for line in diff
                    .iter_all_changes()
                    .filter(|line| line.tag() != similar::ChangeTag::Equal)
                {
                    writeln!(shown, "{name}:{}{:?}", line.tag(), line.value()).unwrap();
                }
            }
            _ => {}
        }
    }
    for overlay in &applied.overlays {
        for change in &overlay.changes {
            let member = change
                .member
                .as_ref()
                .map(|member| format!("({member})"))
                .unwrap_or_default();
            writeln!(shown, "= {}{member} {}", change.file, action(&change.action)).unwrap();
        }
        for warning in &overlay.warnings {
            writeln!(shown, "! {warning}").unwrap();
        }
    }
    shown
}

fn action(action: &FileAction) -> String {
    match action {
        FileAction::Inserted { lines } => format!("inserted {lines:?}"),
        FileAction::Changed { lines, count } => format!("changed {lines:?} {count}"),
        FileAction::Removed { lines } => format!("removed {lines:?}"),
        FileAction::Added => "added".to_owned(),
        FileAction::Deleted => "deleted".to_owned(),
        FileAction::Renamed { to } => format!("renamed {to}"),
    }
}

/// Applies overlays of which the last must fail, and shows why. The tree must be as it was.
fn failure(tree: &SourceTree, text: &str) -> String {
    let mut new = tree.clone();
    let failure = run(&mut new, text).expect_err("the overlay must fail");
    assert!(tree.changes(&new).is_empty());
    failure.to_string()
}

fn one_failure(tree: &SourceTree, text: &str) -> String {
    failure(tree, &format!("[[overlays]]\n{text}"))
}
