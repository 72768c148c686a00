//! Sections and sub-packages taken out.

use crate::{SPEC, edit, refusal};

#[test]
fn sections_go_with_their_headers() {
    assert_eq!(
        edit(SPEC, |document| document.remove_section("%check", None)),
        "-83 %check\n-84 make check\n-85 \n"
    );
    // What follows is in a conditional of its own, which stays.
    assert_eq!(
        edit(SPEC, |document| document.remove_section("%files", Some("devel"))),
        "-95 %files devel\n-96 %{_includedir}/*\n-97 \n"
    );
    assert_eq!(
        edit(SPEC, |document| document.remove_section("%files", Some("doc"))),
        "-99 %files doc\n-100 %doc doc\n"
    );
    // A conditional that is inside goes too.
    assert_eq!(
        edit(SPEC, |document| document.remove_section("%install", None)),
        "-77 %install\n-78 %make_install\n-79 %if %{with docs}\n-80 cp -a doc %{buildroot}\n-81 %endif\n-82 \n"
    );
    // The last one, without an end of its last line.
    assert_eq!(
        edit("%build\nx\n%check\ny", |document| document
            .remove_section("%check", None)),
        "-3 %check\n-4 y␃\n"
    );
}

#[test]
fn subpackages_go_wholly() {
    assert_eq!(
        edit(SPEC, |document| document.remove_subpackage("doc")),
        "-46 %package doc\n-47 Summary: Documentation\n-48 BuildArch: noarch\n-49 \n-50 %description doc\n\
         -51 Documentation.\n-99 %files doc\n-100 %doc doc\n"
    );
    let expected = "-54 %package -n python3-%{srcname}\n-55 Summary:        Python\n-56 %{lua:\n\
         -57 print(\"Provides: x\")\n-58 }\n-59 \n-60 %description -n python3-%{srcname}\n-61 Python.\n-62 \n\
         -85 \n-86 %post -n python3-%{srcname} -p /sbin/ldconfig\n\
         -102 \n-103 %files -n python3-%{srcname} -f files.list\n-104 %{python3_sitelib}/%{srcname}\n\
         ! line 28 in the preamble still names python3-sample: \
         `Requires: python3-%{srcname} = %{version}-%{release}`\n";
    for name in ["python3-%{srcname}", "python3-sample"] {
        assert_eq!(
            edit(SPEC, |document| document.remove_subpackage(name)),
            expected,
            "{name}"
        );
    }
}

#[test]
fn macros_that_others_use_stay() {
    let expected = "-37 %package devel\n-38 Summary:        Headers\n-39 Requires:       %{name} = %{version}\n-41 \n\
         -42 %description devel\n-43 Headers.\n-44 \n-88 %postun devel -p <lua>\n-89 print(\"x\")\n-90 \n\
         -94 \n-95 %files devel\n-96 %{_includedir}/*\n\
         ! definitions of macros that other parts of the spec use were kept\n\
         ! line 29 in the preamble still names python-sample-devel: \
         `Requires: %{name}-devel%{?_isa} = %{version}`\n";
    for name in ["devel", "%{name}-devel", "python-sample-devel"] {
        assert_eq!(
            edit(SPEC, |document| document.remove_subpackage(name)),
            expected,
            "{name}"
        );
    }
    // One that needs another, in a conditional; one that nobody uses.
    let spec = "Name: x\n%package y\n%if 1\n%define a %{b}\n%define c 1\n%else\n%define d 1\n%endif\n%define b 2\n%files\n%{a}\n";
    assert_eq!(
        edit(spec, |document| document.remove_subpackage("y")),
        "-2 %package y\n-5 %define c 1\n-7 %define d 1\n\
         ! definitions of macros that other parts of the spec use were kept\n"
    );
}

#[test]
fn branches_stay_in_balance() {
    let spec = "%if 1\n%files a\nx\n%else\n%files a\ny\n%endif\n\n# about b\n%if 2\n%define z 1\n%files b\nz\n%endif\n";
    assert_eq!(
        edit(spec, |document| document.remove_section("%files", Some("a"))),
        "-2 %files a\n-3 x\n-5 %files a\n-6 y\n"
    );
}

#[test]
fn what_a_conditional_shares_is_refused() {
    let spec = "Name: x\n%build\na\n%if 1\n%check\nb\n%endif\nc\n%install\n";
    assert_eq!(
        refusal(spec, |document| document.remove_section("%check", None)),
        "Conditional: a conditional block begins or ends in the middle of %check\nin: %check\n\
         looked for: a section that conditionals enclose as a whole\nnearest: 8: c\n\
         hint: line 8 belongs to another section when the conditional of line 7 is false: change the conditionals with \
         `spec-search-replace` first\n"
    );
    let open = "Name: x\n%if 1\n%check\nb\n";
    assert_eq!(
        refusal(open, |document| document.remove_section("%check", None)),
        "Conditional: the conditional in line 2 has no other end\nnearest: 2: %if 1\n"
    );
}
