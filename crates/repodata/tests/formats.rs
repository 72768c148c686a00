//! The formats, against createrepo_c and against hostile input.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use lazuli_repodata::{
    Algorithm, Checksum, DataEntry, FileKind, MetadataError, Repomd, compression, filelists, other, primary,
    updateinfo,
};
use lazuli_rpm::{Comparison, Dependency, Evr, Nevra, Sense};
use std::path::Path;
use std::process::Command;

const SPEC: &str = r#"
Name: sample
Version: 1.0
Release: 1
Epoch: 3
Summary: sample & <thing>
License: MIT
URL: http://x/?a=1&b=2
BuildArch: noarch
Requires: a >= 1.0, b < 2:3-4
Requires(pre): shadow
Requires: (x or y)
Provides: bar = 2
Conflicts: c < 2
Recommends: r
Suggests: s
Supplements: z
Enhances: e
Obsoletes: old < 3
%description
Line one.
  Indented "quote" & <b>, tab	and ümläut.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc/t.d %{buildroot}/usr/share/t
echo '#!/bin/sh' > %{buildroot}/usr/bin/t; chmod 755 %{buildroot}/usr/bin/t
echo hi > "%{buildroot}/usr/share/t/f & <g>"
touch %{buildroot}/etc/ghost
%files
/usr/bin/t
/etc/t.d
%ghost /etc/ghost
/usr/share/t
%changelog
* Mon Jan 02 2023 Me <me@x> - 1.0-1
- did & thing
- 'other' "thing"
* Sun Jan 01 2023 Me <me@x> - 0.9-1
- first
"#;

fn run(command: &mut Command) -> bool {
    match command.output() {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{command:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            true
        }
        Err(error) => {
            eprintln!("SKIPPED: {command:?}: {error}");
            false
        }
    }
}

/// A repository of the sample package, made by rpmbuild and createrepo_c.
fn sample_repository(dir: &Path, compression: &str) -> bool {
    std::fs::write(dir.join("sample.spec"), SPEC).unwrap();
    let rpms = dir.join("rpms");
    std::fs::create_dir(&rpms).unwrap();
    run(Command::new("rpmbuild")
        .arg("-bb")
        .arg("--define")
        .arg(format!("_topdir {}", dir.join("top").display()))
        .arg("--define")
        .arg(format!("_rpmdir {}", rpms.display()))
        .arg(dir.join("sample.spec")))
        && run(Command::new("createrepo_c")
            .args([
                "--quiet",
                "--no-database",
                "--revision",
                "123",
                "--set-timestamp-to-revision",
            ])
            .arg(format!("--general-compress-type={compression}"))
            .arg(&rpms))
}

#[test]
fn what_createrepo_c_writes_is_read_and_written_the_same() {
    for compression in ["gz", "xz"] {
        let dir = tempfile::tempdir().unwrap();
        if !sample_repository(dir.path(), compression) {
            return;
        }
        let root = dir.path().join("rpms");
        let repomd_xml = std::fs::read(root.join("repodata/repomd.xml")).unwrap();
        let repomd = Repomd::parse(&repomd_xml).unwrap();
        assert_eq!(
            String::from_utf8(repomd.to_xml()).unwrap(),
            String::from_utf8(repomd_xml).unwrap()
        );
        assert_eq!((repomd.revision.as_str(), repomd.freshness()), ("123", 123));
        let open = |kind: &str| {
            let entry = repomd.get(kind).unwrap();
            String::from_utf8(
                entry
                    .open(&std::fs::read(root.join(&entry.location)).unwrap())
                    .unwrap(),
            )
            .unwrap()
        };

        let text = open("primary");
        let mut records = primary::parse(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(primary::write(&records)).unwrap(), text);
        let record = &records[0];
        assert_eq!(record.nevra.to_string(), "sample-3:1.0-1.noarch");
        assert_eq!(
            record.description,
            "Line one.\n  Indented \"quote\" & <b>, tab\tand ümläut."
        );
        assert_eq!(record.files.len(), 3);
        assert!(record.requires.contains(&Dependency::versioned(
            "b",
            Comparison::Less,
            Evr::new(2, "3", "4")
        )));
        assert!(
            record
                .requires
                .iter()
                .any(|d| d.name == "shadow" && d.sense.contains(Sense::PREREQ))
        );
        assert!(record.requires.iter().any(Dependency::is_rich));

        let text = open("filelists");
        filelists::attach(&mut records, filelists::parse(text.as_bytes()).unwrap());
        assert_eq!(String::from_utf8(filelists::write(&records)).unwrap(), text);
        assert!(
            records[0]
                .files
                .iter()
                .any(|f| f.path == "/usr/share/t/f & <g>" && f.kind == FileKind::File)
        );

        let text = open("other");
        other::attach(&mut records, other::parse(text.as_bytes()).unwrap());
        assert_eq!(String::from_utf8(other::write(&records)).unwrap(), text);
        assert_eq!(records[0].changelogs[0].author, "Me <me@x> - 1.0-1");
    }
}

#[test]
fn metadata_that_is_not_what_was_promised_is_refused() {
    let open = b"<metadata packages=\"0\"></metadata>".to_vec();
    let packed = compression::compress_zstd(&open, 3).unwrap();
    let entry = DataEntry::describe("primary", "primary.xml.zst", &packed, &open, 7);
    assert_eq!(entry.open(&packed).unwrap(), open);
    assert!(primary::parse(&open).unwrap().is_empty());

    let mut flipped = packed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let error = entry.open(&flipped).unwrap_err();
    assert!(
        matches!(&error, MetadataError::ChecksumMismatch { file, .. } if *file == entry.location),
        "{error}"
    );
    assert!(matches!(
        entry.open(&packed[1..]),
        Err(MetadataError::SizeMismatch { .. })
    ));

    // A bomb: small, with a good checksum, but it opens to more than was promised.
    let bomb_open = vec![b' '; 64 << 20];
    let bomb = compression::compress_zstd(&bomb_open, 3).unwrap();
    let lying = DataEntry {
        open_size: Some(1000),
        ..DataEntry::describe("primary", "p.xml.zst", &bomb, &open, 7)
    };
    assert!(matches!(
        lying.open(&bomb),
        Err(MetadataError::TooLarge { limit: 1000, .. })
    ));
    let short = DataEntry {
        open_size: Some(1 << 30),
        ..DataEntry::describe("primary", "p.xml.zst", &bomb, &open, 7)
    };
    assert!(matches!(
        short.open(&bomb),
        Err(MetadataError::SizeMismatch { .. })
    ));
    let other = DataEntry {
        open_size: None,
        ..DataEntry::describe("primary", "p.xml.zst", &bomb, &open, 7)
    };
    assert!(matches!(
        other.open(&bomb),
        Err(MetadataError::ChecksumMismatch { .. })
    ));
    assert!(matches!(
        compression::decompress("primary.xml.bz2", &packed, 10),
        Err(MetadataError::UnknownCompression { .. })
    ));
}

fn repomd_with(location: &str, algorithm: &str) -> String {
    format!(
        "<repomd><revision>1</revision><data type=\"primary\"><checksum type=\"{algorithm}\">{}</checksum>\
         <location href=\"{location}\"/><size>1</size></data></repomd>",
        "00".repeat(32)
    )
}

#[test]
fn hostile_repomd_is_refused() {
    assert!(Repomd::parse(repomd_with("repodata/p.xml.gz", "sha256").as_bytes()).is_ok());
    for location in [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "http://evil/x",
        "",
        "a//b",
        "a\u{7}b",
        "a?b",
    ] {
        let error = Repomd::parse(repomd_with(location, "sha256").as_bytes()).unwrap_err();
        assert!(
            matches!(error, MetadataError::UnsafeLocation { .. }),
            "{location}: {error}"
        );
    }
    for weak in ["md5", "sha", "sha1", ""] {
        let error = Repomd::parse(repomd_with("repodata/p", weak).as_bytes()).unwrap_err();
        assert!(
            matches!(error, MetadataError::ChecksumSyntax { .. }),
            "{weak}: {error}"
        );
    }
    for text in [
        "",
        "<repomd>",
        "<repomd><revision>1</revision>",
        "<other></other>",
        "<!DOCTYPE r [<!ENTITY a 'b'>]><repomd></repomd>",
        "<repomd><revision>&a;</revision></repomd>",
        "\u{feff}<repomd><data></repomd>",
    ] {
        assert!(Repomd::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(Repomd::parse(&[0xff; 100]).is_err());
}

const PACKAGE: &str = "<package type=\"rpm\"><name>a</name><arch>noarch</arch>\
    <version epoch=\"0\" ver=\"1\" rel=\"1\"/><checksum type=\"sha256\" pkgid=\"YES\">\
    0000000000000000000000000000000000000000000000000000000000000000</checksum><location href=\"a.rpm\"/>\
    <format><rpm:requires><rpm:entry name=\"b\" flags=\"GE\" epoch=\"0\" ver=\"1\"/></rpm:requires></format></package>";

#[test]
fn every_truncation_and_many_flips_are_errors_or_values_and_never_panics() {
    let xml = format!("<metadata packages=\"2\">{PACKAGE}{PACKAGE}</metadata>");
    assert_eq!(primary::parse(xml.as_bytes()).unwrap().len(), 2);
    for length in 0..xml.len() {
        assert!(
            primary::parse(&xml.as_bytes()[..length]).is_err(),
            "truncated at {length}"
        );
    }
    for position in 0..xml.len() {
        for bit in [0, 3, 6] {
            let mut bytes = xml.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            let _ = primary::parse(&bytes);
        }
    }
}

#[test]
fn a_comment_cannot_hide_the_end_of_a_package() {
    let xml = format!("<metadata><!-- </package> -->{PACKAGE}<!-- {PACKAGE} --></metadata>");
    assert_eq!(primary::parse(xml.as_bytes()).unwrap().len(), 1);
}

#[test]
fn many_packages_are_the_same_however_they_are_cut() {
    let many: String = (0..20_000)
        .map(|n| PACKAGE.replace("<name>a", &format!("<name>a{n}")))
        .collect();
    let xml = format!("<metadata packages=\"20000\">{many}</metadata>");
    let records = primary::parse(xml.as_bytes()).unwrap();
    assert_eq!(records.len(), 20_000);
    assert!(
        records
            .iter()
            .enumerate()
            .all(|(n, record)| record.nevra.name == format!("a{n}"))
    );
}

#[test]
fn characters_that_xml_cannot_hold_are_left_out() {
    let mut records = primary::parse(format!("<metadata>{PACKAGE}</metadata>").as_bytes()).unwrap();
    records[0].summary = "bell\u{7} null\0 tab\t nl\n cr\r ffff\u{ffff} é <&>\"'".to_owned();
    records[0].location = "a\u{1}\"b&.rpm".to_owned();
    let xml = primary::write(&records);
    let again = primary::parse(&xml).unwrap();
    assert_eq!(again[0].summary, "bell null tab\t nl\n cr\r ffff é <&>\"'");
    assert_eq!(again[0].location, "a\"b&.rpm");
}

#[test]
fn advisories_survive_a_round_trip() {
    let advisory = updateinfo::Advisory {
        id: "LZSA-1".into(),
        kind: "security".into(),
        from: "a@b".into(),
        status: "final".into(),
        title: "T & <t>".into(),
        severity: "Important".into(),
        issued: "2026-01-02 03:04:05".into(),
        updated: String::new(),
        description: "many\nlines".into(),
        solution: "upgrade".into(),
        references: vec![updateinfo::Reference {
            kind: "cve".into(),
            id: "CVE-2026-1".into(),
            href: "https://x/?a&b".into(),
            title: "\"quoted\"".into(),
        }],
        packages: vec![updateinfo::FixedPackage {
            nevra: Nevra {
                name: "n".into(),
                evr: Evr::new(1, "2", "3"),
                arch: "noarch".into(),
            },
            source_rpm: "n-2-3.src.rpm".into(),
            filename: "n-2-3.noarch.rpm".into(),
            checksum: Some(Checksum::of(Algorithm::Sha256, b"x")),
        }],
    };
    let xml = updateinfo::write(std::slice::from_ref(&advisory));
    assert_eq!(updateinfo::parse(&xml).unwrap(), [advisory]);
    for length in 0..xml.len() {
        let _ = updateinfo::parse(&xml[..length]);
    }
}
