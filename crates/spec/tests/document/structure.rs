//! How a text is parted.

use lazuli_spec::{Document, LineKind, PackageRef};

use crate::SPEC;

#[test]
fn sections_have_names_packages_and_lines() {
    let document = Document::parse(SPEC.as_bytes());
    let shown: Vec<String> = document
        .sections()
        .iter()
        .map(|section| {
            let package = match &section.package {
                PackageRef::Main => String::new(),
                PackageRef::Suffix(name) => format!(" {name}"),
                PackageRef::Full(name) => format!(" -n {name}"),
            };
            format!("{}{package} {}", section.name, section.lines.start + 1)
        })
        .collect();
    assert_eq!(
        shown,
        [
            " 1",
            "description 34",
            "package devel 37",
            "description devel 42",
            "package doc 46",
            "description doc 50",
            "package -n python3-%{srcname} 54",
            "description -n python3-%{srcname} 60",
            "prep 63",
            "build 72",
            "install 77",
            "check 83",
            "post -n python3-%{srcname} 86",
            "postun devel 88",
            "files 91",
            "files devel 95",
            "files doc 99",
            "files -n python3-%{srcname} 103",
            "changelog 106",
        ]
    );
}

#[test]
fn headers_are_read_as_rpm_reads_them() {
    for (header, expected) in [
        ("%files", ("files", PackageRef::Main)),
        ("%FILES devel", ("files", PackageRef::Suffix("devel".into()))),
        (
            "%files -f list devel",
            ("files", PackageRef::Suffix("devel".into())),
        ),
        ("%files -n lib -f list", ("files", PackageRef::Full("lib".into()))),
        ("%post -p <lua> libs", ("post", PackageRef::Suffix("libs".into()))),
        ("%post -p /bin/sh", ("post", PackageRef::Main)),
        (
            "%triggerin -n x -- bash < 5",
            ("triggerin", PackageRef::Full("x".into())),
        ),
        ("%triggerin -- bash", ("triggerin", PackageRef::Main)),
        (
            "%filetriggerin -P 100 y -- /usr",
            ("filetriggerin", PackageRef::Suffix("y".into())),
        ),
        (
            "%description -l cs devel",
            ("description", PackageRef::Suffix("devel".into())),
        ),
        (
            "%package -n %{?scl:a b}c",
            ("package", PackageRef::Full("%{?scl:a b}c".into())),
        ),
        ("%package -n \"q\"", ("package", PackageRef::Full("q".into()))),
        ("%build -a", ("build", PackageRef::Main)),
        (
            "%generate_buildrequires",
            ("generate_buildrequires", PackageRef::Main),
        ),
    ] {
        let document = Document::parse(format!("Name: x\n{header}\n").as_bytes());
        let section = &document.sections()[1];
        assert_eq!((section.name, section.package.clone()), expected, "{header}");
    }
    for text in [
        "%filesystem x",
        "%files(x)",
        "%%files",
        "%{files}",
        "files",
        "#%files",
        "%verify(not md5) /x",
    ] {
        let document = Document::parse(format!("Name: x\n{text}\n").as_bytes());
        assert_eq!(document.sections().len(), 1, "{text}");
    }
}

#[test]
fn lines_are_told_apart() {
    for (line, expected) in [
        ("", LineKind::Blank),
        (" \t", LineKind::Blank),
        ("# x", LineKind::Comment),
        ("%dnl x", LineKind::Comment),
        ("%if 1", LineKind::If),
        ("  %ifarch x86_64", LineKind::If),
        ("%if(1)", LineKind::If),
        ("%iffy", LineKind::Text),
        ("%elif 1", LineKind::Else),
        ("%else", LineKind::Else),
        ("%endif # x", LineKind::EndIf),
        ("%define x 1", LineKind::Definition),
        ("%global x 1", LineKind::Definition),
        ("Name: x", LineKind::Tag),
        ("  name :x", LineKind::Tag),
        ("Requires(pre,post): x", LineKind::Tag),
        ("Patch%{n}: x", LineKind::Tag),
        ("Source10: a:b", LineKind::Tag),
        ("%{?x:Name: x}", LineKind::Text),
        ("name x: y", LineKind::Text),
        ("1x: y", LineKind::Text),
    ] {
        let document = Document::parse(line.as_bytes());
        let kind = document.line_kind(0);
        assert_eq!(kind.unwrap_or(LineKind::Blank), expected, "{line}");
    }
}

#[test]
fn macros_of_several_lines_hide_what_is_in_them() {
    for (text, hidden) in [
        ("%define a \\\n%files\\\n%if\nName: x\n", 2),
        ("%{lua:\n%files\n}\nName: x\n", 2),
        ("x %(a\n%if\n)\nName: x\n", 2),
        ("%{expand:%{b\n}}\nName: x\n", 1),
        ("%%{a\nName: x\n", 0),
        ("a \\\nName: x\n", 0),
        // A brace that nobody closes hides nothing.
        ("%{lua:\n%files\nName: x\n", 0),
    ] {
        let document = Document::parse(text.as_bytes());
        let count =
            (0..document.line_count()).filter(|line| document.line_kind(*line) == Some(LineKind::Continued));
        assert_eq!(count.count(), hidden, "{text}");
    }
}

#[test]
fn tags_have_their_parts() {
    let document = Document::parse(SPEC.as_bytes());
    let tags = document.tags(None).unwrap();
    let shown: Vec<String> = tags
        .iter()
        .filter(|tag| matches!(tag.family.as_str(), "source" | "patch" | "requires"))
        .map(|tag| {
            format!(
                "{} {:?} {:?} {}",
                tag.family, tag.number, tag.qualifier, tag.value
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "source Some(0) None https://example.org/%{name}-%{version}.tar.gz",
            "source Some(1) None sample.conf",
            "source Some(2) None fedora.conf",
            "patch Some(0) None fix-build.patch",
            "patch Some(1) None https://example.org/%{name}-fix-tests.patch",
            "patch Some(10) None CVE-2024-1.patch",
            "requires None None python3-%{srcname} = %{version}-%{release}",
            "requires None None %{name}-devel%{?_isa} = %{version}",
            "requires None Some(\"post\") coreutils",
        ]
    );
    for name in [
        "devel",
        "python-sample-devel",
        "%{name}-devel",
        "python-%{srcname}-devel",
    ] {
        assert_eq!(document.tags(Some(name)).unwrap()[0].value, "Headers", "{name}");
    }
    for name in ["python3-sample", "python3-%{srcname}"] {
        assert_eq!(document.tags(Some(name)).unwrap()[0].value, "Python", "{name}");
    }
    for name in ["python-sample", "%{name}"] {
        assert_eq!(document.tags(Some(name)).unwrap()[0].family, "name", "{name}");
    }
    let lua = document.tags(Some("python3-sample")).unwrap();
    assert_eq!(lua.len(), 1);
}
