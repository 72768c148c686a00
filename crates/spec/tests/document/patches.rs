//! Patches put in and taken out.

use lazuli_spec::{Document, Edit, EditError, PatchUse};

use crate::{SPEC, edit, refusal};

fn add(name: &'static str) -> impl FnOnce(&mut Document) -> Result<Edit, EditError> {
    move |document| document.add_patch(None, name).map(|(edit, _)| edit)
}

fn remove(names: &'static [&'static str]) -> impl FnOnce(&mut Document) -> Result<Edit, EditError> {
    let matches = move |name: &str| names.contains(&name);
    move |document| document.remove_patches(names[0], &matches).map(|(edit, _)| edit)
}

#[test]
fn a_patch_gets_the_next_number() {
    assert_eq!(
        edit(SPEC, add("new.patch")),
        "+23 Patch11:        new.patch\n\
         ! nothing in %prep applies all patches: add `%patch -P 11 -p1` with `spec-append-lines` or `spec-search-replace`\n"
    );
    for (spec, expected) in [
        (
            "Name: x\nSource0: a\nLicense: x\n%prep\n%autosetup -p1\n",
            "+3 Patch0: n\n",
        ),
        (
            "Name: x\nPatch: a\nPatch: b\n%prep\n%autosetup -p1\n",
            "+4 Patch2: n\n",
        ),
        (
            "Name: x\nPatch5: a\nPatch: b\nPatch2: c\nPatch: d\n%prep\n%autosetup -p1\n",
            "+6 Patch8: n\n",
        ),
        ("Name: x\n%patchlist\na\n\n%prep\n%autosetup -p1\n", "+4 n\n"),
        ("Name: x\n%patchlist\n%prep\n%autopatch -p1\n", "+3 n\n"),
        (
            "Name: x\nPatch%{n}: a\n%prep\n%autosetup\n",
            "+3 Patch0: n\n! some patches have a macro in their number: it may be the same as the new one's\n",
        ),
    ] {
        assert_eq!(edit(spec, add("n")), expected, "{spec}");
    }
}

#[test]
fn whether_it_is_applied() {
    let seen = |by: &str| PatchUse::Automatic {
        by: by.into(),
        line: 4,
    };
    for (line, expected) in [
        ("%autosetup -p1", seen("%autosetup")),
        ("%{autosetup}", seen("%autosetup")),
        ("%{autosetup -p1}", seen("%autosetup")),
        ("%autosetup -N", PatchUse::Unseen),
        ("#%autosetup", PatchUse::Unseen),
        ("%setup -q", PatchUse::Unseen),
        ("%autopatch -p1", seen("%autopatch")),
        ("%autopatch -p 1", seen("%autopatch")),
        ("%autopatch -p1 -M 2", PatchUse::Unseen),
        ("%autopatch -p1 -m 3 -M9", seen("%autopatch")),
        ("%autopatch -p1 -m4", PatchUse::Unseen),
        ("%autopatch -p1 1 2", PatchUse::Unseen),
        ("git am %{patches}", seen("%{patches}")),
        ("%forgeautosetup", seen("%forgeautosetup")),
    ] {
        let mut document = Document::parse(format!("Patch2: a\n%prep\n{line}\n").as_bytes());
        let (done, used) = document.add_patch(None, "b").unwrap();
        assert_eq!(used, expected, "{line}");
        assert_eq!(done.warnings.is_empty(), used != PatchUse::Unseen, "{line}");
    }
}

#[test]
fn a_patch_goes_with_what_applies_it() {
    assert_eq!(
        edit(SPEC, remove(&["fix-build.patch"])),
        "-19 Patch0:         fix-build.patch\n-65 %patch0 -p1\n"
    );
    // By its file's name, with its macros replaced; one of two numbers in a line.
    assert_eq!(
        edit(SPEC, remove(&["python-sample-fix-tests.patch"])),
        "-20 Patch1:         https://example.org/%{name}-fix-tests.patch\n\
         -66 %patch -P 1 -p1 -b .tests\n-67 %patch -P 10 -P 1 -p1\n+65 %patch -P 10 -p1\n"
    );
    assert_eq!(
        edit(SPEC, remove(&["CVE-2024-1.patch", "%{name}-fix-tests.patch"])),
        "-20 Patch1:         https://example.org/%{name}-fix-tests.patch\n-22 Patch10:        CVE-2024-1.patch\n\
         -66 %patch -P 1 -p1 -b .tests\n-67 %patch -P 10 -P 1 -p1\n"
    );
    let spec = "Patch0: a\nPatch1: b\n%prep\n%patch 1 -p1\n%patch -P1\n  %patch1 -p1\npatch < %{PATCH1}\n%{?x:%patch1}\n# %patch1\n%patch10\n%changelog\n- %patch1\n";
    assert_eq!(
        edit(spec, remove(&["b"])),
        "-2 Patch1: b\n-4 %patch 1 -p1\n-5 %patch -P1\n-6   %patch1 -p1\n\
         ! line 7 still refers to patch 1: `patch < %{PATCH1}`\n! line 8 still refers to patch 1: `%{?x:%patch1}`\n"
    );
    let listed = "Name: x\n%patchlist\na\n# b\nb\n%prep\n%autosetup\n";
    assert_eq!(edit(listed, remove(&["b"])), "-5 b\n");
    // A number that a branch still has.
    let branches = "%if 1\nPatch1: a\n%else\nPatch1: b\n%endif\n%prep\n%patch1\n";
    assert_eq!(edit(branches, remove(&["a"])), "-2 Patch1: a\n");
    let range = "Patch1: a\nPatch2: b\n%prep\n%autopatch -m 2\n";
    assert_eq!(
        edit(range, remove(&["a"])),
        "-1 Patch1: a\n! line 4 applies a range of patches, look at its numbers: `%autopatch -m 2`\n"
    );
}

#[test]
fn numbers_that_are_used_stay() {
    let counted = "Patch: a\nPatch: b\nPatch: c\n%prep\n%patch0\n%patch2 -p1\n";
    assert_eq!(
        edit(counted, remove(&["a"])),
        "-1 Patch: a\n-2 Patch: b\n+1 Patch1: b\n-5 %patch0\n"
    );
    let automatic = "Patch: a\nPatch: b\n%prep\n%autosetup\n";
    assert_eq!(edit(automatic, remove(&["a"])), "-1 Patch: a\n");
    let listed = "%patchlist\na\nb\n%prep\n%patch 1\n";
    assert_eq!(
        refusal(listed, remove(&["a"])),
        "Refused: the other entries of %patchlist would get other numbers, which scripts refer to\nin: %patchlist\n\
         nearest: 3: b\nhint: change the numbers in scripts with `spec-search-replace` first\n"
    );
}

#[test]
fn refusals() {
    assert_eq!(
        refusal(SPEC, add("python-sample-fix-tests.patch")),
        "PatchExists: the spec has the patch `python-sample-fix-tests.patch` already\nin: the preamble\n\
         looked for: no patch `python-sample-fix-tests.patch`\n\
         nearest: 20: Patch1:         https://example.org/%{name}-fix-tests.patch\n\
         hint: upstream has it too by now: drop this overlay, or give the patch another name with `file`\n"
    );
    assert_eq!(
        refusal(SPEC, remove(&["CVE-2024-2.patch"])),
        "NoPatch: the spec has no patch `CVE-2024-2.patch`\nlooked for: CVE-2024-2.patch\n\
         nearest: 22: Patch10:        CVE-2024-1.patch\n"
    );
    for name in ["", "a\nb", "%{x}"] {
        assert!(refusal(SPEC, add(name)).starts_with("Refused"));
    }
}
