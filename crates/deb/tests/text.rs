//! The text formats: relations, control files, index paragraphs, copyright files, changelogs.
#![allow(clippy::unwrap_used, missing_docs)]

use expect_test::{Expect, expect};
use lazuli_deb::{
    Architecture, Binary, Changelog, Copyright, LicenseExpression, PackageName, Relation, Sha256Digest,
    Version, parse_paragraph, parse_paragraphs, parse_relation, parse_relations,
};

fn relations(field: &str) -> String {
    let show = |group: &Vec<Relation>| {
        group
            .iter()
            .map(Relation::to_string)
            .collect::<Vec<_>>()
            .join(" | ")
    };
    match parse_relations(field) {
        Ok(groups) => groups.iter().map(show).collect::<Vec<_>>().join(", "),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn relations_are_read_and_written() {
    let check = |field: &str, expected: &str| assert_eq!(relations(field), expected);
    check("", "");
    check(" , ,\n ", "");
    check(
        "a1 (>= 1) [amd64] <!nocheck> | bb:any, cc",
        "a1 (>= 1) [amd64] <!nocheck> | bb:any, cc",
    );
    check("aa(>=1:2-3)|bb(<<4)", "aa (>= 1:2-3) | bb (<< 4)");
    check("aa (= 1) ,\n bb:native", "aa (= 1), bb:native");
    check("aa (< 1), bb (> 2)", "aa (<= 1), bb (>= 2)");
    check("aa [!amd64 !i386] <a b> <!c>", "aa [!amd64 !i386] <a b> <!c>");
    check("aa:amd64 (>> 1)", "aa:amd64 (>> 1)");
    check(
        "a",
        "error: in the relation `a`: `a` is no package name: it has fewer than two characters",
    );
    check(
        "aa |",
        "error: in the relation ``: `` is no package name: it has fewer than two characters",
    );
    check("aa (1)", "error: the relation `aa (1)` is malformed: no operator");
    check(
        "aa (>= 1",
        "error: the relation `aa (>= 1` is malformed: a bracket is not closed",
    );
    check(
        "aa (>= )",
        "error: in the relation `aa (>= )`: `` is no Debian version: it is empty",
    );
    check(
        "aa (>= 1) (<< 2)",
        "error: the relation `aa (>= 1) (<< 2)` is malformed: it has two version constraints",
    );
    check(
        "aa bb",
        "error: the relation `aa bb` is malformed: something unexpected follows the name",
    );
    check(
        "Aa",
        "error: in the relation `Aa`: `Aa` is no package name: it does not begin with a lower-case letter or a digit",
    );
}

#[test]
fn relations_admit() {
    let check = |relation: &str, version: &str, expected: bool| {
        let relation = parse_relation(relation).unwrap();
        assert_eq!(
            relation.admits(&Version::parse(version).unwrap()),
            expected,
            "{relation} and {version}"
        );
    };
    for (relation, table) in [
        ("aa", [true, true, true]),
        ("aa (<< 2)", [true, false, false]),
        ("aa (<= 2)", [true, true, false]),
        ("aa (= 2)", [false, true, false]),
        ("aa (>= 2)", [false, true, true]),
        ("aa (>> 2)", [false, false, true]),
    ] {
        for (version, expected) in ["2~", "2-0", "2+b1"].into_iter().zip(table) {
            check(relation, version, expected);
        }
    }
}

#[test]
fn relations_hold_on_architectures() {
    let amd64 = Architecture::parse("amd64").unwrap();
    for (relation, expected) in [
        ("aa", true),
        ("aa [amd64]", true),
        ("aa [arm64 linux-any]", true),
        ("aa [any-amd64]", true),
        ("aa [linux-amd64]", true),
        ("aa [arm64 i386]", false),
        ("aa [kfreebsd-any]", false),
        ("aa [!arm64]", true),
        ("aa [!arm64 !amd64]", false),
    ] {
        assert_eq!(
            parse_relation(relation).unwrap().holds_on(&amd64),
            expected,
            "{relation}"
        );
    }
}

#[test]
fn names_and_digests_are_checked() {
    assert!("libstdc++6".parse::<PackageName>().is_ok());
    assert!("0ad".parse::<PackageName>().is_ok());
    for name in ["a", "-aa", "a_b", "aB", "a/b", "é1", &"a".repeat(300)] {
        assert!(name.parse::<PackageName>().is_err(), "{name}");
    }
    assert!("".parse::<Architecture>().is_err());
    assert!("am/d64".parse::<Architecture>().is_err());
    let digest = Sha256Digest::of(b"");
    let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(digest.to_string(), text);
    assert_eq!(text.parse::<Sha256Digest>().unwrap(), digest);
    assert!("e3b0".parse::<Sha256Digest>().is_err());
}

fn check_control(text: &str, expected: Expect) {
    let mut shown = String::new();
    for paragraph in parse_paragraphs(text) {
        match paragraph {
            Ok(paragraph) => {
                shown += &format!("line {}\n", paragraph.line());
                for (name, value) in paragraph.iter() {
                    shown += &format!("  {name} = {value:?}\n");
                }
            }
            Err(error) => shown += &format!("error: {error}\n"),
        }
    }
    expected.assert_eq(&shown);
}

#[test]
fn control_files_are_parsed() {
    check_control(
        "# comment\n\nPackage: a\nDescription: one\n two\n .\n three  \n# inside\n four\nEmpty:\n\n \nB :x:y\n",
        expect![[r#"
            line 3
              Package = "a"
              Description = "one\n two\n .\n three  \n# inside\n four"
              Empty = ""
            line 13
              B = "x:y"
        "#]],
    );
    check_control(
        "Files:\n a\n b",
        expect![[r#"
            line 1
              Files = "\n a\n b"
        "#]],
    );
    check_control(
        "\n continuation\n",
        expect!["error: line 2: a continuation line, but no field stands before it\n"],
    );
    check_control(
        "A: 1\na: 2\n",
        expect!["error: line 2: the field `a` stands twice in one paragraph\n"],
    );
    check_control(
        "A: 1\nnonsense\n",
        expect!["error: line 2: `nonsense` is no `Field: value`\n"],
    );
    check_control(": 1\n", expect!["error: line 1: `: 1` is no `Field: value`\n"]);
    let many: String = (0..2000).map(|n| format!("F{n}: x\n")).collect();
    check_control(
        &many,
        expect!["error: line 1025: the paragraph has more than 1024 fields\n"],
    );
}

#[test]
fn text_fields_are_unfolded() {
    let paragraph = parse_paragraph("D: one\n two\n .\n  three\n# no\n\tfour").unwrap();
    assert_eq!(paragraph.text("d").unwrap(), "one\ntwo\n\n three\nfour");
    assert!(parse_paragraph("").is_err());
    assert!(parse_paragraph("A: 1\n\nB: 2\n").is_err());
    assert_eq!(
        paragraph.required("X").unwrap_err().to_string(),
        "line 1: the paragraph has no field `X`"
    );
}

fn binary(text: &str) -> Result<Binary, String> {
    Binary::from_paragraph(&parse_paragraph(text).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn binary_packages_are_read() {
    let binary = binary(
        "Package: bash\nSource: bash-src (5.2-1)\nVersion: 5.2-1+b2\nArchitecture: amd64\nEssential: yes\n\
         Multi-Arch: foreign\nPre-Depends: libc6 (>= 2.36)\nDepends: base-files (>= 2.1.12), debianutils | other\n\
         Provides: sh (= 1)\nSection: shells\nPriority: required\nMaintainer: A <a@b>\nInstalled-Size: 7164\n\
         Homepage: https://example.org\nFilename: pool/b.deb\nSize: 12\n\
         SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
         Tag: ignored\nDescription: GNU shell\n Long\n .\n text.\n",
    )
    .unwrap();
    expect![[r#"
        Binary {
            name: PackageName(
                "bash",
            ),
            version: Version(5.2-1+b2),
            architecture: Architecture(
                "amd64",
            ),
            source_name: PackageName(
                "bash-src",
            ),
            source_version: Version(5.2-1),
            maintainer: "A <a@b>",
        }"#]]
    .assert_eq(
        &format!("{binary:#?}")
            .split("    depends")
            .next()
            .map(|head| format!("{head}}}"))
            .unwrap(),
    );
    assert_eq!(
        (
            binary.depends.len(),
            binary.depends[1].len(),
            binary.pre_depends.len()
        ),
        (2, 2, 1)
    );
    assert_eq!(binary.provides[0][0].to_string(), "sh (= 1)");
    assert_eq!(
        (binary.synopsis.as_str(), binary.description.as_str()),
        ("GNU shell", "Long\n\ntext.")
    );
    assert_eq!(
        (binary.size, binary.installed_size, binary.essential),
        (Some(12), Some(7164), true)
    );
}

#[test]
fn binary_packages_are_refused() {
    let check = |text: &str, expected: &str| assert_eq!(binary(text).unwrap_err(), expected);
    check("Version: 1\n", "line 1: the paragraph has no field `Package`");
    check(
        "Package: aa\nArchitecture: all\n",
        "line 1: the paragraph has no field `Version`",
    );
    check(
        "Package: aa\nVersion: x\nArchitecture: all\n",
        "package `aa`, field `Version`: `x` is no Debian version: the upstream version does not start with a digit",
    );
    check(
        "Package: aa\nVersion: 1\nArchitecture: all\nDepends: b\n",
        "package `aa`, field `Depends`: in the relation `b`: `b` is no package name: it has fewer than two characters",
    );
    check(
        "Package: aa\nVersion: 1\nArchitecture: all\nSize: -1\n",
        "package `aa`: the field `Size` has the value `-1`, which is not allowed",
    );
    check(
        "Package: aa\nVersion: 1\nArchitecture: all\nSource: bb (1\n",
        "package `aa`: the field `Source` has the value `bb (1`, which is not allowed",
    );
}

#[test]
fn copyright_files_are_parsed() {
    let text = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x\n\n\
                Files: *\nCopyright: 2001 A\n 2002 B\nLicense: GPL-2+\n\nFiles: a b\n c\nCopyright: C\n\
                License: MIT\n Free.\n .\n Really.\n\nLicense: GPL-2+\n Text of it.\n";
    let copyright = Copyright::parse(text).unwrap();
    assert_eq!(copyright.files[0].copyright, "2001 A\n2002 B");
    assert_eq!(copyright.files[1].patterns, ["a", "b", "c"]);
    assert_eq!(copyright.files[1].license.text, "Free.\n\nReally.");
    assert_eq!(copyright.license_text("gpl-2+"), Some("Text of it."));
    assert_eq!(copyright.license_text("BSD"), None);
    assert!(Copyright::parse("This package was debianized by me.\n\nLicense: GPL\n").is_err());
    assert!(Copyright::parse("").is_err());
}

#[test]
fn license_expressions_are_parsed() {
    let check = |text: &str, expected: &str| match LicenseExpression::parse(text) {
        Ok(expression) => assert_eq!(expression.to_string(), expected),
        Err(error) => assert_eq!(format!("error: {}", error.reason), expected),
    };
    check("MIT", "MIT");
    check(
        "GPL-2+ or Artistic and BSD-3-clause",
        "GPL-2+ or (Artistic and BSD-3-clause)",
    );
    check(
        "GPL-2+ or Artistic, and BSD-3-clause",
        "(GPL-2+ or Artistic) and BSD-3-clause",
    );
    check(
        "GPL-2+ with OpenSSL exception or MIT",
        "GPL-2+ with OpenSSL exception or MIT",
    );
    check(
        "GPL-2+ with Autoconf 2.0 exception",
        "GPL-2+ with Autoconf 2.0 exception",
    );
    check("A, B and C", "A and B and C");
    check("A and/or B OR C", "A or B or C");
    check("public domain", "public domain");
    check("", "error: a name is missing");
    check("A and", "error: a name is missing");
    check(
        "A with exception",
        "error: `with` is not followed by an exception",
    );
}

#[test]
fn changelogs_are_parsed() {
    let text = b"bash (5.2-1) unstable experimental; urgency=medium, binary-only=yes\n\n  * One.\n    - two\n\n  * Three.\n\n \
                 -- A B <a@b>  Thu, 29 Feb 2024 23:59:59 +0130\n\nbash (5.1-1) stable; urgency=low\n\n  * Old.\n\n \
                 -- A B <a@b>  Sun,  1 Mar 1970 00:00:00 -0000\n\nOld changelog:\n";
    let changelog = Changelog::parse(text, 10);
    let entry = &changelog.entries[0];
    assert_eq!((entry.source.as_str(), entry.version.as_str()), ("bash", "5.2-1"));
    assert_eq!(entry.distributions, ["unstable", "experimental"]);
    assert_eq!(entry.metadata[1], ("binary-only".to_owned(), "yes".to_owned()));
    assert_eq!(entry.text, "* One.\n  - two\n\n* Three.");
    assert_eq!(
        (entry.maintainer.as_str(), entry.time),
        ("A B <a@b>", 1_709_245_799)
    );
    assert_eq!(changelog.entries[1].time, 59 * 86_400);
    assert_eq!(changelog.problem.unwrap().line, 16);
    let first = Changelog::parse(text, 1);
    assert_eq!((first.entries.len(), first.problem), (1, None));
}

#[test]
fn changelogs_with_damage_give_what_is_before_it() {
    let check = |text: &str, entries: usize, problem: Option<&str>| {
        let changelog = Changelog::parse(text.as_bytes(), usize::MAX);
        assert_eq!(changelog.entries.len(), entries);
        assert_eq!(
            changelog.problem.map(|problem| problem.to_string()).as_deref(),
            problem
        );
    };
    check("", 0, None);
    check(
        "aa (1) x; u=l\n\n  * x\n",
        0,
        Some("changelog, line 4: the last entry has no line with maintainer and date"),
    );
    check(
        "aa (1) x; u=l\n -- A <a>  yesterday\n",
        0,
        Some("changelog, line 2: the date is not of the form `Mon, 02 Jan 2006 15:04:05 +0000`"),
    );
    check(
        "aa (x) x; u=l\n",
        0,
        Some("changelog, line 1: its version is no Debian version"),
    );
    check(
        "aa (1) x; u=l\n -- A <a>  1 Jan 2020 00:00:00 +0000\n\n# vim: x\nLocal variables:\n",
        1,
        None,
    );
}
