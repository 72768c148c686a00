//! Errors as a compiler gives them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use lazuli_spec::{Macros, MemoryFiles, ReadOptions, Settings, Spec};

use crate::support::PORTABLE_MACROS;

fn rendered(lines: &str) -> String {
    let files = BTreeMap::from([
        ("bad.inc".to_owned(), b"Requires: ok\nRequires: (a or\n".to_vec()),
        ("loop.inc".to_owned(), b"%include loop.inc\n".to_vec()),
    ]);
    let mut macros = Macros::new(Settings {
        files: Arc::new(MemoryFiles(files)),
        ..Settings::default()
    });
    macros.load_text("test", PORTABLE_MACROS.as_bytes()).unwrap();
    let text = format!("Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n{lines}");
    match Spec::read(text.as_bytes(), macros, &ReadOptions::for_file("x.spec").strict()) {
        Ok(_) => "it is read".to_owned(),
        Err(error) => error.render(),
    }
}

fn check(lines: &str, expected: &[&str]) {
    let mut all = String::new();
    for line in expected {
        writeln!(all, "{line}").unwrap();
    }
    assert_eq!(rendered(lines), all, "of {lines}");
}

#[test]
fn a_word_is_marked() {
    check(
        "BuildRequries:  gcc\n%description\n",
        &[
            "error: unknown tag `BuildRequries`",
            " --> x.spec:6:1",
            "  |",
            "6 | BuildRequries:  gcc",
            "  | ^^^^^^^^^^^^^",
            "hint: did you mean `buildrequires`?",
        ],
    );
    check(
        "Requires: a >= 1, b >= 1:2:3\n%description\n",
        &[
            "error: `b >= 1:2:3` is no dependency: the version `1:2:3` has more than one `:`",
            " --> x.spec:6:19",
            "  |",
            "6 | Requires: a >= 1, b >= 1:2:3",
            "  |                   ^^^^^^^^^^",
        ],
    );
    check(
        "%description\nText.\n%post -p sh\n",
        &[
            "error: %post: the interpreter `sh` must begin with `/`",
            " --> x.spec:8:10",
            "  |",
            "8 | %post -p sh",
            "  |          ^^",
        ],
    );
}

#[test]
fn what_macros_made_marks_the_line() {
    check(
        "%global list a >=\n%{?name:Requires: %{list}}\n%description\n",
        &[
            "error: `a >=` is no dependency: a version is missing after the comparison",
            " --> x.spec:7:1",
            "  |",
            "7 | %{?name:Requires: %{list}}",
            "  | ^^^^^^^^^^^^^^^^^^^^^^^^^^",
        ],
    );
    check(
        "%python_thing x\n%description\n",
        &[
            "error: unknown tag `%python_thing x`",
            " --> x.spec:6:1",
            "  |",
            "6 | %python_thing x",
            "  | ^^^^^^^^^^^^^^^",
            "hint: the macro `python_thing` is not defined; define it, or write `%{?python_thing}`",
        ],
    );
}

#[test]
fn brackets_and_conditionals_that_are_open() {
    check(
        "Requires: a\n%global x %{?y\nRequires: b\n%description\n",
        &[
            "error: a macro or line continuation that begins here never ends",
            " --> x.spec:7:1",
            "  |",
            "7 | %global x %{?y",
            "  | ^^^^^^^^^^^^^^",
            "hint: close the bracket, or write `%%` for a plain `%`",
        ],
    );
    check(
        "%if 1\nRequires: a\n%description\n",
        &[
            "error: %if has no %endif",
            " --> x.spec:6",
            "hint: add the %endif that closes it",
        ],
    );
    check(
        "%if 0\n%else\n%elif 1\n%endif\n",
        &[
            "error: %elif comes after the %else of the %if in line 6",
            " --> x.spec:8:1",
            "  |",
            "8 | %elif 1",
            "  | ^^^^^^^",
        ],
    );
    check(
        "%if 1 +\n%endif\n",
        &[
            "error: bad condition of %if: unexpected end of expression: 1 +",
            " --> x.spec:6:1",
            "  |",
            "6 | %if 1 +",
            "  | ^^^^^^^",
        ],
    );
}

#[test]
fn packages_that_are_missing() {
    check(
        "%description\n%package -n libx\nSummary: s\n%description -n libx\n%files libx\n",
        &[
            "error: %files names the package `x-libx`, which no %package declares before it",
            "  --> x.spec:10:8",
            "   |",
            "10 | %files libx",
            "   |        ^^^^",
            "hint: write `%files -n libx` for the package `libx`",
        ],
    );
    check(
        "%description\n%package sub\n%description sub\n",
        &[
            "error: `x-sub` has no Summary",
            " --> x.spec:7",
            "hint: add a line `Summary: …`",
        ],
    );
    check(
        "Requires: a\n",
        &[
            "error: `x` has no %description",
            " --> x.spec:1",
            "hint: begin its text with a line `%description`",
        ],
    );
}

#[test]
fn errors_of_included_files_name_them() {
    check(
        "%include bad.inc\n%description\n",
        &[
            "error: `(a or` is no dependency: the rich dependency has no end",
            " --> bad.inc:2:11",
            "  |",
            "2 | Requires: (a or",
            "  |           ^^^^^",
        ],
    );
    assert!(
        rendered("%include loop.inc\n").contains("limit of 64"),
        "{}",
        rendered("%include loop.inc\n")
    );
}

#[test]
fn columns_count_characters() {
    check(
        "URL: ä b\n%description\n",
        &[
            "error: the tag `URL` takes a single word, but has `ä b`",
            " --> x.spec:6:6",
            "  |",
            "6 | URL: ä b",
            "  |      ^^^",
        ],
    );
}
