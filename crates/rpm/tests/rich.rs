//! Rich dependencies: what we take and refuse is what rpm takes and refuses.

#![allow(clippy::unwrap_used)]

mod support;

use lazuli_rpm::{RichContext, RichDependency};
use proptest::prelude::*;
use std::process::Command;
use support::{Rpm, has, run_any};

/// A text, and what it prints as; `None` if it is refused.
const CASES: &[(&str, Option<&str>)] = &[
    ("(a and b)", Some("(a and b)")),
    ("( a   or b or c )", Some("(a or b or c)")),
    ("(a and b( )", Some("(a and b( )")),
    ("(a\u{b}and\u{b}b >= 1\u{b})", Some("(a and b >= 1)")),
    ("(a >= 1 if b)", Some("(a >= 1 if b)")),
    ("(a if b else c)", Some("(a if b else c)")),
    ("(a unless b else c)", Some("(a unless b else c)")),
    ("(a with b with c)", Some("(a with b with c)")),
    ("(a without b)", Some("(a without b)")),
    ("(a with (b or c))", Some("(a with (b or c))")),
    (
        "(libc.so.6(GLIBC_2.34)(64bit) and b)",
        Some("(libc.so.6(GLIBC_2.34)(64bit) and b)"),
    ),
    (
        "(a >= 1:2.0~rc1-3 with a < 2)",
        Some("(a >= 1:2.0~rc1-3 with a < 2)"),
    ),
    ("((a or b) and (c or d))", Some("((a or b) and (c or d))")),
    ("((a or b) if (c and d))", Some("((a or b) if (c and d))")),
    ("((a if b) if c)", Some("((a if b) if c)")),
    ("(a and (b if c))", Some("(a and (b if c))")),
    ("(a or (b unless c))", Some("(a or (b unless c))")),
    ("(/usr/bin/a or b)", Some("(/usr/bin/a or b)")),
    ("((a with b) or c)", Some("((a with b) or c)")),
    ("((a if b) and c and d)", Some("((a if b) and c and d)")),
    ("((a with b) without c)", Some("((a with b) without c)")),
    ("(a if (b or c))", Some("(a if (b or c))")),
    ("(a if (b if c))", Some("(a if (b if c))")),
    ("(a if (b unless c))", Some("(a if (b unless c))")),
    ("(a unless (b if c))", Some("(a unless (b if c))")),
    ("(a unless (b unless c))", Some("(a unless (b unless c))")),
    ("(a or (b if c))", None),
    ("(a and (b unless c))", None),
    ("((a or b) or (c if d))", None),
    ("(a if b else (c unless d))", None),
    ("(a if b else (c if d))", Some("(a if b else (c if d))")),
    (
        "(a unless b else (c unless d))",
        Some("(a unless b else (c unless d))"),
    ),
    ("(a unless b else (c if d))", None),
    ("((a unless b) if c)", None),
    ("((a if b) unless c)", None),
    ("(a or (b and (c if d)))", Some("(a or (b and (c if d)))")),
    ("(a with (b and c))", None),
    ("(a with (b if c))", None),
    ("(a without (b and c))", None),
    ("(a without b without c)", None),
    ("(a and b or c)", None),
    ("(a if b if c)", None),
    ("(a else b)", None),
    ("(a if b else c else d)", None),
    ("(a and)", None),
    ("(a b)", None),
    ("(and b)", None),
    ("(a and b", None),
    ("(a and b))", None),
    ("(a and b) c", None),
    ("(a >= and b)", None),
    ("()", None),
    ("(a)", Some("a")),
    ("((a and b))", Some("(a and b)")),
    ("(a with b or c)", None),
    ("(a xor b)", None),
];

#[test]
fn parses_and_prints() {
    for (text, expected) in CASES {
        let parsed = RichDependency::parse(text);
        assert_eq!(
            parsed.as_ref().ok().map(ToString::to_string).as_deref(),
            *expected,
            "{text}: {parsed:?}"
        );
        if let Ok(parsed) = parsed {
            assert_eq!(RichDependency::parse(&parsed.to_string()).unwrap(), parsed);
        }
    }
}

/// `rpmspec` parses dependencies as rpmbuild does.
#[test]
fn rpm_agrees() {
    if !has("rpmspec") {
        return;
    }
    let rpm = Rpm::new();
    for (context, tag) in [(RichContext::All, "Requires"), (RichContext::Any, "Conflicts")] {
        for (text, _) in CASES {
            let ours = RichDependency::parse(text).is_ok_and(|parsed| parsed.check(context).is_ok());
            let spec = format!(
                "Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n{tag}: {text}\n%description\nx\n%files\n"
            );
            let path = rpm.write("x.spec", spec.as_bytes());
            // rpm 4.18 takes the first but gives it no meaning; the second is two dependencies to it.
            if ["(a else b)", "(a and b) c"].contains(text) {
                continue;
            }
            let output = run_any(Command::new("rpmspec").args(["-q", "--requires"]).arg(path));
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(ours, output.status.success(), "{tag}: {text}: {said}");
        }
    }
}

#[test]
fn names_its_capabilities() {
    let parsed = RichDependency::parse("((a >= 1 or b) if (c without d) else e)").unwrap();
    let names: Vec<_> = parsed
        .capabilities()
        .into_iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["a >= 1", "b", "c", "d", "e"]);
    assert!(matches!(
        RichDependency::parse("plain >= 2").unwrap(),
        RichDependency::Simple(_)
    ));
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), " or b)".repeat(depth));
    assert!(RichDependency::parse(&nested(32)).is_ok());
    let error = RichDependency::parse(&nested(33)).unwrap_err();
    assert_eq!(error.reason, "it nests deeper than 32");
    assert!(RichDependency::parse(&"(".repeat(60_000)).is_err());
    assert!(RichDependency::parse(&format!("(a or {})", "b".repeat(70_000))).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics(text in "[()ab<>= ,é]{0,30}|(\\(|\\)| |a|b|and|or|if|else|unless|with|without|>=|1)( (\\(|\\)|a|and|or|if|else|with|1)){0,12}") {
        if let Ok(parsed) = RichDependency::parse(&text) {
            prop_assert_eq!(RichDependency::parse(&parsed.to_string()).unwrap(), parsed);
        }
    }
}
