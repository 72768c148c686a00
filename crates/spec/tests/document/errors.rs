//! Errors name what was looked for and what is nearest.

use lazuli_spec::Scope;

use crate::{SPEC, lines, refusal};

#[test]
fn tags_that_are_not_there() {
    assert_eq!(
        refusal(SPEC, |document| document.update_tag(None, "Epoch", "1")),
        "NoTag: there is no tag `Epoch`\nin: the preamble\nlooked for: Epoch:\n"
    );
    assert_eq!(
        refusal(SPEC, |document| document.remove_tag(
            None,
            "BuildRequires",
            Some("make >= 3")
        )),
        "NoTag: there is no tag `BuildRequires: make >= 3`\nin: the preamble\nlooked for: BuildRequires: make >= 3\n\
         nearest: 24: BuildRequires:  make >= 4\n"
    );
    assert_eq!(
        refusal(SPEC, |document| document.remove_tag(
            None,
            "BuildRequires",
            Some("make")
        )),
        "NoTag: there is no tag `BuildRequires: make`\nin: the preamble\nlooked for: BuildRequires: make\n\
         nearest: 24: BuildRequires:  make >= 4\n\
         hint: line 24 has more than this value: give the whole value, or use `spec-search-replace`\n"
    );
    assert_eq!(
        refusal(SPEC, |document| document.remove_tag(None, "BuildArch", None)),
        "NoTag: there is no tag `BuildArch`\nin: the preamble\nlooked for: BuildArch:\n\
         nearest: 23: BuildRequires:  gcc\nhint: it is in %package doc, line 48: set `package` accordingly\n"
    );
    assert_eq!(
        refusal(SPEC, |document| document.set_tag(None, "BuildRequires", "x")),
        "Ambiguous: 3 tags `BuildRequires` are there: which one is meant is not said\nin: the preamble\n\
         looked for: one tag `BuildRequires`\nnearest: 23: BuildRequires:  gcc\n\
         hint: use `spec-remove-tag` with the old value and `spec-add-tag`, or `spec-search-replace`\n"
    );
    for name in ["", "A B", "Name:", "Na\nme", "%{x}"] {
        let shown = refusal(SPEC, |document| document.insert_tag(None, name, "x"));
        assert!(shown.starts_with("Refused"), "{shown}");
    }
    let shown = refusal(SPEC, |document| document.set_tag(None, "Version", "1\n2"));
    assert_eq!(
        shown,
        "Refused: the value of the tag `Version` has more than one line\n"
    );
}

#[test]
fn sections_that_are_not_there() {
    let section = |name, package| Scope::Section { name, package };
    for (scope, expected) in [
        (
            section("%buidl", None),
            "NoSection: there is no section %buidl\nin: %buidl\nlooked for: %buidl\nnearest: 72: %build\n\
             hint: nothing is made silently: add the section with lines at the end of the file\n",
        ),
        (
            section("%files", Some("develop")),
            "NoSection: there is no section %files develop\nin: %files develop\nlooked for: %files develop\n\
             nearest: 95: %files devel\nhint: there is %files\n",
        ),
        (
            section("%post", None),
            "NoSection: there is no section %post\nin: %post\nlooked for: %post\n\
             nearest: 88: %postun devel -p <lua>\n\
             hint: there is one for a sub-package, %post -n python3-%{srcname}: name it with `package`\n",
        ),
        (
            section("%package", None),
            "NoSection: there is no section %package\nin: %package\nlooked for: %package\nnearest: 46: %package doc\n\
             hint: there is one for a sub-package, %package devel: name it with `package`\n",
        ),
    ] {
        assert_eq!(
            refusal(SPEC, |document| document.append_lines(scope, &lines(&["x"]))),
            expected
        );
        assert_eq!(
            refusal(SPEC, |document| document.prepend_lines(scope, &lines(&["x"]))),
            expected
        );
    }
    assert_eq!(
        refusal(SPEC, |document| document.remove_subpackage("dvel")),
        "NoPackage: there is no sub-package `dvel`\nlooked for: %package dvel\nnearest: 37: %package devel\n\
         hint: the sub-packages are python-sample-devel, python-sample-doc, python3-sample\n"
    );
    for main in ["", "python-sample", "%{name}"] {
        assert!(refusal(SPEC, |document| document.remove_subpackage(main)).starts_with("Refused"));
    }
}
