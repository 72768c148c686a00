//! Tags: added, inserted, set, updated, removed.

use crate::{SPEC, edit, refusal};

#[test]
fn a_tag_goes_behind_its_family() {
    for (tag, value, expected) in [
        ("BuildRequires", "cmake", "+28 BuildRequires:  cmake\n"),
        ("Source9999", "macros", "+19 Source9999:     macros\n"),
        ("Patch11", "a.patch", "+23 Patch11:        a.patch\n"),
        ("Requires", "x", "+30 Requires:       x\n"),
        ("Requires(post)", "x", "+31 Requires(post): x\n"),
        ("Requires(pre)", "x", "+31 Requires(pre):  x\n"),
        ("ExclusiveArch", "x86_64", "+31 ExclusiveArch:  x86_64\n"),
        ("requires", "x", "+30 requires:       x\n"),
    ] {
        let shown = edit(SPEC, |document| document.add_tag(None, tag, value));
        // Blanks are lined up with the tag before where that is; the line's number is what counts here.
        assert_eq!(squeezed(&shown), squeezed(expected), "{tag}");
        assert_eq!(
            edit(SPEC, |document| document.insert_tag(None, tag, value)),
            shown,
            "{tag}"
        );
    }
    let shown = edit(SPEC, |document| document.add_tag(None, "BuildRequires", "cmake"));
    assert_eq!(shown, "+28 BuildRequires:  cmake\n");
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn in_subpackages_too() {
    let shown = edit(SPEC, |document| document.add_tag(Some("devel"), "Provides", "x"));
    assert_eq!(shown, "+40 Provides:       x\n");
    // A preamble whose conditional begins before it.
    let shown = edit(SPEC, |document| document.add_tag(Some("doc"), "Requires", "x"));
    assert_eq!(shown, "+49 Requires: x\n");
    let shown = edit(SPEC, |document| {
        document.insert_tag(Some("python3-sample"), "Requires", "x")
    });
    assert_eq!(shown, "+56 Requires:       x\n");
}

#[test]
fn never_into_a_conditional() {
    for (spec, expected) in [
        (
            "Name: x\n%if 1\nSource0: a\n%endif\nLicense: MIT\n",
            "+5 Source1: b\n",
        ),
        (
            "Name: x\n%if 1\n%if 2\nSource0: a\n%endif\n%else\n%endif\n",
            "+8 Source1: b\n",
        ),
        (
            "Name: x\nSource0: %{lua:\nprint(1)\n}\nLicense: x\n",
            "+5 Source1: b\n",
        ),
        ("Name: x\n%description\n", "+2 Source1: b\n"),
        ("%global x 1\n\n%description\n", "+2 Source1: b\n"),
        ("", "+1 Source1: b\n"),
        ("Name: x", "-1 Name: x␃\n+1 Name: x\n+2 Source1: b␃\n"),
        ("Name: x\r\n\r\n", "+2 Source1: b␍\n"),
        // The conditional goes on in the next section.
        (
            "Name: x\n%if 1\nSource0: a\n%package y\n%endif\n",
            "+2 Source1: b\n",
        ),
        ("%if 1\nSource0: a\n%package y\n%endif\n", "+1 Source1: b\n"),
    ] {
        assert_eq!(
            edit(spec, |document| document.insert_tag(None, "Source1", "b")),
            expected,
            "{spec:?}"
        );
    }
}

#[test]
fn only_the_value_changes() {
    for (tag, value, expected) in [
        (
            "Version",
            "2.0",
            "-9 Version:        1.2.3\n+9 Version:        2.0\n",
        ),
        (
            "version",
            "2.0",
            "-9 Version:        1.2.3\n+9 Version:        2.0\n",
        ),
        (
            "Requires(post)",
            "x",
            "-30 Requires(post): coreutils\n+30 Requires(post): x\n",
        ),
        ("Version", "1.2.3", "! the tag `Version` has this value already\n"),
    ] {
        for set in [false, true] {
            let shown = edit(SPEC, |document| match set {
                true => document.set_tag(None, tag, value),
                false => document.update_tag(None, tag, value),
            });
            assert_eq!(shown, expected, "{tag} {set}");
        }
    }
    let shown = edit(SPEC, |document| document.set_tag(Some("doc"), "Summary", "D"));
    assert_eq!(shown, "-47 Summary: Documentation\n+47 Summary: D\n");
    let shown = edit(SPEC, |document| document.set_tag(None, "Epoch", "1"));
    assert_eq!(shown, "+31 Epoch: 1\n");
}

#[test]
fn all_branches_and_lines_of_a_tag() {
    let branches = "%if 1\nVersion: 1\n%else\nVersion:2 \n%endif\n";
    assert_eq!(
        edit(branches, |document| document.update_tag(None, "Version", "3")),
        "-2 Version: 1\n+2 Version: 3\n-4 Version:2 \n+4 Version: 3 \n"
    );
    let long = "Version: %{lua:\nprint(1)\n}  \nRelease: 1\n";
    assert_eq!(
        edit(long, |document| document.update_tag(None, "Version", "3")),
        "-1 Version: %{lua:\n-2 print(1)\n-3 }  \n+1 Version: 3\n"
    );
    assert_eq!(
        edit(long, |document| document.remove_tag(None, "Version", None)),
        "-1 Version: %{lua:\n-2 print(1)\n-3 }  \n"
    );
    assert_eq!(
        edit("Epoch:\nName: x\r\n", |document| document
            .update_tag(None, "Epoch", "1")),
        "-1 Epoch:\n+1 Epoch: 1\n"
    );
    let latin1 = b"Name: x\nSummary: caf\xe9 \xff\nVersion: 1\n";
    let mut document = lazuli_spec::Document::parse(latin1);
    document.update_tag(None, "Summary", "caf").unwrap();
    document.update_tag(None, "Version", "2").unwrap();
    assert_eq!(document.to_bytes(), b"Name: x\nSummary: caf\nVersion: 2\n");
}

#[test]
fn tags_are_removed_by_name_and_value() {
    for (tag, value, expected) in [
        ("URL", None, "-13 URL:            https://example.org/%{name}\n"),
        ("BuildRequires", Some("GCC"), "-23 BuildRequires:  gcc\n"),
        (
            "BuildRequires",
            Some("make  >= 4"),
            "-24 BuildRequires:  make >= 4\n",
        ),
        (
            "BuildRequires",
            None,
            "-23 BuildRequires:  gcc\n-24 BuildRequires:  make >= 4\n-26 BuildRequires:  doxygen\n",
        ),
        ("Source2", None, "-17 Source2:        fedora.conf\n"),
    ] {
        assert_eq!(
            edit(SPEC, |document| document.remove_tag(None, tag, value)),
            expected,
            "{tag}"
        );
    }
}

#[test]
fn a_tag_that_is_there_is_not_added() {
    assert_eq!(
        refusal(SPEC, |document| document.add_tag(None, "Version", "2")),
        "TagExists: the tag `Version: 1.2.3` is there already\nin: the preamble\nlooked for: no `Version`\n\
         nearest: 9: Version:        1.2.3\nhint: to give it another value, use `spec-update-tag` or `spec-set-tag`\n"
    );
    assert_eq!(
        refusal(SPEC, |document| document.add_tag(
            None,
            "BuildRequires",
            "make >=  4"
        )),
        "TagExists: the tag `BuildRequires: make >= 4` is there already\nin: the preamble\n\
         looked for: no `BuildRequires: make >= 4`\nnearest: 24: BuildRequires:  make >= 4\n\
         hint: upstream has it too by now: drop this overlay\n"
    );
    assert!(refusal(SPEC, |document| document.add_tag(None, "Source1", "x")).starts_with("TagExists"));
}
