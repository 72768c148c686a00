//! Headers for the rpm database, against the bytes that the real rpm stores and what it reads.

#![allow(clippy::unwrap_used)]

mod support;

use lazuli_rpm::{FileState, Header, HeaderError, InstallFacts, Metadata, Package, Tag, installed_header};
use std::path::Path;
use std::process::Command;
use support::{Rpm, TIME, build, empty, everything, has, run, run_any};

/// Reads all blobs of an rpm database with Python's sqlite3.
fn blobs(database: &Path) -> Vec<Vec<u8>> {
    let program = "import sqlite3, sys\n\
        for (blob,) in sqlite3.connect(sys.argv[1]).execute('select blob from Packages order by hnum'): print(blob.hex())";
    let output = run(Command::new("python3")
        .args(["-c", program])
        .arg(database.join("rpmdb.sqlite")));
    output.lines().map(|line| hex::decode(line).unwrap()).collect()
}

fn facts(metadata: &Metadata) -> InstallFacts {
    InstallFacts {
        install_time: TIME + 60,
        install_tid: TIME + 59,
        install_color: 0,
        file_states: vec![FileState::Normal; metadata.files.len()],
    }
}

fn blob_of(package: &[u8]) -> Vec<u8> {
    let package = Package::parse(package).unwrap();
    installed_header(
        package.signature(),
        package.header(),
        &facts(&package.metadata().unwrap()),
    )
    .unwrap()
}

#[test]
fn same_bytes_as_rpm_stores() {
    if !has("rpm") || !has("python3") {
        return;
    }
    let (metadata, contents) = everything();
    for metadata in [metadata, empty()] {
        let rpm = Rpm::new();
        let bytes = build(&metadata, &contents).to_bytes();
        let path = rpm.write("p.rpm", &bytes);
        rpm.rpm(&["-i", "--justdb", "--nodeps", path.to_str().unwrap()]);
        let stored = blobs(&rpm.path("db")).pop().unwrap();

        let header = Header::from_blob(&stored).unwrap();
        let package = Package::parse(&bytes).unwrap();
        let one = |tag| header.u32(tag).unwrap().unwrap();
        let states = header
            .entry(Tag::FILESTATES)
            .map_or(&[][..], |entry| header.data(entry));
        // With --justdb nothing is unpacked, but the states are as if it were.
        assert!(states.iter().all(|&state| state == 0), "{states:?}");
        let facts = InstallFacts {
            install_time: one(Tag::INSTALLTIME),
            install_tid: one(Tag::INSTALLTID),
            install_color: one(Tag::INSTALLCOLOR),
            file_states: vec![FileState::Normal; states.len()],
        };
        let ours = installed_header(package.signature(), package.header(), &facts).unwrap();
        let tags = |header: &Header| header.entries().iter().map(|e| e.tag).collect::<Vec<_>>();
        assert_eq!(
            tags(&Header::from_blob(&ours).unwrap()),
            tags(&header),
            "{}",
            metadata.nevra
        );
        assert!(ours == stored, "the bytes of {} differ", metadata.nevra);
        assert_eq!(
            Metadata::from_header(&header).unwrap(),
            package.metadata().unwrap()
        );
    }
}

#[test]
fn rpm_reads_imported_headers() {
    if !has("rpm") {
        return;
    }
    let rpm = Rpm::new();
    let (metadata, contents) = everything();
    let built = build(&metadata, &contents);
    let mut stream = Vec::new();
    for bytes in [built.to_bytes(), build(&empty(), &contents).to_bytes()] {
        // An export has the magic in front of each header.
        stream.extend([0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0]);
        stream.extend(blob_of(&bytes));
    }
    let export = rpm.write("export", &stream);
    let mut import = Command::new("rpmdb");
    import
        .arg("--dbpath")
        .arg(rpm.path("db"))
        .arg("--importdb")
        .stdin(std::fs::File::open(export).unwrap());
    run(&mut import);

    assert_eq!(
        rpm.rpm(&["-qa"]),
        "every-thing-1.2~rc1+dfsg-4.lz1.x86_64\nempty-0-0.noarch\n"
    );
    let paths: String = built
        .metadata
        .files
        .iter()
        .map(|f| format!("{}\n", String::from_utf8_lossy(&f.path)))
        .collect();
    assert_eq!(rpm.rpm(&["-ql", "every-thing"]), paths);
    assert_eq!(
        rpm.rpm(&["-qf", "/usr/bin/tool"]),
        "every-thing-1.2~rc1+dfsg-4.lz1.x86_64\n"
    );
    assert_eq!(
        rpm.rpm(&["-q", "--whatprovides", "virtual"]),
        "every-thing-1.2~rc1+dfsg-4.lz1.x86_64\n"
    );
    let info = rpm.rpm(&["-qi", "every-thing"]);
    assert!(info.contains("Install Date: Mon Jan  1 00:01:00 2024"), "{info}");
    let format = "%{INSTALLTID} %{SIGMD5} %{SHA256HEADER} %{LONGSIGSIZE} [%{FILESTATES}]";
    let format = rpm.rpm(&["-q", "--qf", format, "every-thing"]);
    let states = "normal".repeat(built.metadata.files.len());
    assert!(format.starts_with(&format!("{} ", TIME + 59)), "{format}");
    assert!(
        format.ends_with(&states) || format.ends_with(&"0".repeat(built.metadata.files.len())),
        "{format}"
    );
    // The header's digests are checked whenever rpm reads it from the database.
    let verified = run_any(rpm.command().args(["-V", "--nofiles", "--nodeps", "every-thing"]));
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn rpm_sees_a_changed_byte() {
    if !has("rpm") {
        return;
    }
    let rpm = Rpm::new();
    let (metadata, contents) = everything();
    let mut blob = blob_of(&build(&metadata, &contents).to_bytes());
    let at = blob.windows(12).position(|w| w == b"Somebody <so").unwrap();
    blob[at] ^= 1;
    let export = rpm.write(
        "export",
        &[&[0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0][..], &blob].concat(),
    );
    let mut import = Command::new("rpmdb");
    import
        .arg("--dbpath")
        .arg(rpm.path("db"))
        .arg("--importdb")
        .stdin(std::fs::File::open(export).unwrap());
    run_any(&mut import);
    let said = run_any(rpm.command().args(["-qi", "every-thing"]));
    let said = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(!said.contains("Packager"), "rpm took a damaged header:\n{said}");
}

#[test]
fn refuses_what_does_not_fit() {
    let (metadata, contents) = everything();
    let bytes = build(&metadata, &contents).to_bytes();
    let package = Package::parse(&bytes).unwrap();
    let files = metadata.files.len();
    let mut few = facts(&metadata);
    few.file_states.pop();
    assert_eq!(
        installed_header(package.signature(), package.header(), &few),
        Err(HeaderError::WrongCount {
            tag: Tag::FILESTATES,
            expected: files,
            found: files - 1
        })
    );
    // What is installed already cannot be installed again.
    let installed = Header::from_blob(&blob_of(&bytes)).unwrap();
    assert_eq!(
        installed_header(package.signature(), &installed, &facts(&metadata)),
        Err(HeaderError::Duplicate {
            tag: Tag::INSTALLTIME
        })
    );
}
