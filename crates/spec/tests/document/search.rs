//! Lines at the ends of sections, and search and replace.

use lazuli_spec::{Document, Edit, EditError, Reach, Scope, Substitute};
use regex::bytes::{Regex, RegexBuilder};

use crate::{SPEC, edit, lines, refusal};

fn section(name: &'static str) -> Scope<'static> {
    Scope::Section { name, package: None }
}

#[test]
fn lines_go_to_the_ends_of_content() {
    let of = |name, package| Scope::Section {
        name,
        package: Some(package),
    };
    for (scope, at_start, at_end) in [
        (section("%build"), 73, 76),
        (section("build"), 73, 76),
        // Before the conditional that the next section is in.
        (of("%description", "devel"), 43, 44),
        (of("%files", "devel"), 96, 97),
        (of("%files", "doc"), 100, 101),
        (of("%package", "python3-sample"), 55, 59),
        (section("%changelog"), 107, 109),
        (section("%install"), 78, 82),
        (Scope::WholeSpec, 1, 109),
    ] {
        let start = edit(SPEC, |document| {
            document.prepend_lines(scope, &lines(&["a", "b"]))
        });
        assert_eq!(
            start,
            format!("+{at_start} a\n+{} b\n", at_start + 1),
            "{scope:?}"
        );
        let end = edit(SPEC, |document| document.append_lines(scope, &lines(&["a\nb"])));
        assert_eq!(end, format!("+{at_end} a\n+{} b\n", at_end + 1), "{scope:?}");
    }
}

#[test]
fn ends_of_lines_stay_as_they_are() {
    for (spec, expected) in [
        ("Name: x\r\n%build\r\nmake\r\n", "+4 a␍\n+5 b␍\n"),
        ("Name: x\n%build\nmake", "-3 make␃\n+3 make\n+4 a\n+5 b␃\n"),
        ("Name: x\r\n%build\r\nmake", "-3 make␃\n+3 make␍\n+4 a␍\n+5 b␃\n"),
        ("Name: x\n%build", "-2 %build␃\n+2 %build\n+3 a\n+4 b␃\n"),
        ("Name: x\n%build\n\n\n%install\n", "+3 a\n+4 b\n"),
        // Each branch has its own section.
        (
            "%if 1\n%build\n%else\n%build\nx\n%endif\n%install\n",
            "+3 a\n+4 b\n+8 a\n+9 b\n",
        ),
    ] {
        let shown = edit(spec, |document| {
            document.append_lines(section("%build"), &lines(&["a", "b\r"]))
        });
        assert_eq!(shown, expected, "{spec:?}");
    }
}

fn each_line(
    pattern: &str,
    substitute: Substitute<'_>,
    scope: Scope<'_>,
) -> impl FnOnce(&mut Document) -> Result<Edit, EditError> {
    let pattern = Regex::new(pattern).unwrap();
    move |document: &mut Document| {
        document.replace(scope, &pattern, Reach::EachLine, substitute, pattern.as_str())
    }
}

#[test]
fn replaces_in_each_line() {
    let literal = Substitute::Literal;
    for (pattern, substitute, scope, expected) in [
        (
            "--enable-old",
            literal("--enable-new"),
            section("%build"),
            "-74     --enable-old\n+74     --enable-new\n",
        ),
        (
            "make",
            literal("$0"),
            section("%check"),
            "-84 make check\n+84 $0 check\n",
        ),
        (
            "(m)ake (c)",
            Substitute::Captures("${2}$1-$$"),
            section("%check"),
            "-84 make check\n+84 cm-$heck\n",
        ),
        (
            "^Name:.*",
            literal("Name: y"),
            Scope::WholeSpec,
            "-8 Name:           python-%{srcname}\n+8 Name: y\n",
        ),
        // Whatever the package, and not in the header.
        (
            "devel|doc",
            literal("Z"),
            section("%files"),
            "-93 %{devel_dir}/config\n+93 %{Z_dir}/config\n-98 %if %{with docs}\n+98 %if %{with Zs}\n-100 %doc doc\n+100 %Z Z\n",
        ),
        // The whole spec has its headers too.
        (
            "%check",
            literal("%conf"),
            Scope::WholeSpec,
            "-83 %check\n+83 %conf\n",
        ),
    ] {
        assert_eq!(
            edit(SPEC, each_line(pattern, substitute, scope)),
            expected,
            "{pattern}"
        );
    }
    let crlf = "Name: x\r\n%build\r\nmake all\r\n";
    assert_eq!(
        edit(crlf, each_line("all$", literal("some"), section("%build"))),
        "-3 make all␍\n+3 make some␍\n"
    );
}

#[test]
fn replaces_across_lines() {
    let pattern = RegexBuilder::new(r"\\\n\s+--enable-old$")
        .multi_line(true)
        .build()
        .unwrap();
    let literal = Substitute::Literal;
    let shown = edit(SPEC, |document| {
        document.replace(section("%build"), &pattern, Reach::WholeText, literal("--x"), "")
    });
    assert_eq!(
        shown,
        "-73 %configure --disable-static \\\n-74     --enable-old\n+73 %configure --disable-static --x\n"
    );
    // What is reported is what changed, in lines.
    let mut document = Document::parse(b"%build\na\nb\nc\nd\n");
    let pattern = Regex::new("b\nc").unwrap();
    let done = document
        .replace(section("%build"), &pattern, Reach::WholeText, literal("x"), "")
        .unwrap();
    assert_eq!(
        done.changes,
        [lazuli_spec::LineChange::Changed {
            lines: 3..=3,
            count: 1
        }]
    );
    assert_eq!(document.to_bytes(), b"%build\na\nx\nd\n");
}

#[test]
fn what_does_not_match_is_explained() {
    let literal = Substitute::Literal;
    assert_eq!(
        refusal(SPEC, each_line("--enable-odl", literal("x"), section("%build"))),
        "NoMatch: the pattern matches nothing\nin: %build\nlooked for: --enable-odl\nnearest: 74: --enable-old\n"
    );
    assert_eq!(
        refusal(SPEC, each_line("%make_install", literal("x"), section("%build"))),
        "NoMatch: the pattern matches nothing\nin: %build\nlooked for: %make_install\n\
         hint: it matches in %install, line 78\n"
    );
    assert_eq!(
        refusal(SPEC, each_line(r"static \\\n", literal("x"), section("%build"))),
        "NoMatch: the pattern matches nothing\nin: %build\nlooked for: static \\\\\\n\n\
         nearest: 73: %configure --disable-static \\\nhint: it matches across the ends of lines: set `multi-line = true`\n"
    );
    assert_eq!(
        refusal(
            SPEC,
            each_line("make check", literal("make check"), section("%check"))
        ),
        "NoChange: the pattern matches, but what takes the place of the match is the same text\nin: %check\n\
         looked for: make check\nnearest: 84: make check\nhint: upstream may have made this change: drop the overlay\n"
    );
}

#[test]
fn results_have_a_limit() {
    let long = "x".repeat(1 << 20);
    let spec = format!("%build\n{}\n", "a".repeat(100));
    let shown = refusal(
        &spec,
        each_line("a", Substitute::Literal(&long), section("%build")),
    );
    assert_eq!(
        shown,
        "Refused: the result of the replacement would be longer than 67108864 bytes\n"
    );
}
