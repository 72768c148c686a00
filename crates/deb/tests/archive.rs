//! The `.deb` reader against dpkg-deb, and against every kind of entry and compression.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod writer;

use std::io::Read;
use std::process::{Command, Stdio};

use lazuli_deb::{
    Changelog, Copyright, Deb, EntryKind, Limits, ScriptKind, TriggerDirection, TriggerWaiting,
};
use writer::{Tar, ar, check_error, deb, list};

#[test]
fn reads_what_dpkg_deb_writes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("DEBIAN")).unwrap();
    std::fs::create_dir_all(root.join("usr/share")).unwrap();
    std::fs::create_dir_all(root.join("etc")).unwrap();
    let long = format!("usr/share/{}", "long".repeat(40));
    std::fs::write(
        root.join("DEBIAN/control"),
        "Package: probe\nVersion: 1:2-3\nArchitecture: all\nMaintainer: A <a@b>\nDescription: d\n",
    )
    .unwrap();
    std::fs::write(
        root.join("DEBIAN/conffiles"),
        "/etc/probe\nremove-on-upgrade /etc/gone\n",
    )
    .unwrap();
    std::fs::write(
        root.join("DEBIAN/triggers"),
        "# c\nactivate-noawait ldconfig\ninterest /usr/share\n",
    )
    .unwrap();
    std::fs::write(
        root.join("DEBIAN/md5sums"),
        format!("{}  usr/share/a b\n", "0".repeat(32)),
    )
    .unwrap();
    std::fs::write(root.join("DEBIAN/shlibs"), "libx 1 probe\n").unwrap();
    std::fs::write(root.join("DEBIAN/templates"), "t\n").unwrap();
    std::fs::write(root.join("DEBIAN/postinst"), "#!/bin/sh\n").unwrap();
    Command::new("chmod")
        .arg("755")
        .arg(root.join("DEBIAN/postinst"))
        .status()
        .unwrap();
    std::fs::write(root.join("etc/probe"), "conf").unwrap();
    std::fs::write(root.join(&long), "content").unwrap();
    std::fs::write(root.join("usr/share/a b"), "").unwrap();
    std::fs::hard_link(root.join(&long), root.join("usr/share/other")).unwrap();
    std::os::unix::fs::symlink("../../etc/probe", root.join("usr/share/link")).unwrap();

    for compression in ["none", "gzip", "xz", "zstd"] {
        let output = folder.path().join(format!("{compression}.deb"));
        let status = Command::new("dpkg-deb")
            .args([
                "--root-owner-group",
                "--uniform-compression",
                &format!("-Z{compression}"),
                "--build",
            ])
            .args([&root, &output])
            .env("SOURCE_DATE_EPOCH", "1000")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED reads_what_dpkg_deb_writes ({compression}): dpkg-deb is not there or too old");
            continue;
        }
        let bytes = std::fs::read(output).unwrap();
        let deb = Deb::parse(&bytes, Limits::default()).unwrap();
        let control = deb.control();
        assert_eq!(deb.binary().version.as_str(), "1:2-3");
        assert_eq!(control.scripts[&ScriptKind::Postinst], b"#!/bin/sh\n");
        assert_eq!(control.conffiles[0].path.to_string(), "/etc/probe");
        assert!(!control.conffiles[0].remove_on_upgrade && control.conffiles[1].remove_on_upgrade);
        assert_eq!(control.triggers[0].waiting, TriggerWaiting::NoAwait);
        assert_eq!(control.triggers[1].direction, TriggerDirection::Interest);
        assert_eq!(
            control.md5sums.keys().next().unwrap().to_string(),
            "/usr/share/a b"
        );
        assert_eq!(control.shlibs.as_deref(), Some(&b"libx 1 probe\n"[..]));
        assert_eq!(control.others.keys().collect::<Vec<_>>(), ["templates"]);
        let mut lines = list(&bytes, Limits::default()).unwrap();
        lines.sort();
        let lines: Vec<String> = lines
            .iter()
            .filter(|line| !line.ends_with("dir"))
            .cloned()
            .collect();
        let long = format!("/{long}");
        let conf = lines.iter().find(|line| line.starts_with("/etc/probe ")).unwrap();
        assert!(
            conf.contains(" 0:0 root:root ") && conf.ends_with("file \"conf\""),
            "{conf}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("/usr/share/link 777") && line.ends_with("-> ../../etc/probe"))
        );
        let linked = lines.iter().filter(|line| line.contains(&long)).count();
        assert_eq!(linked, 2, "the file and its other name: {lines:?}");
    }
}

#[test]
fn reads_every_kind_of_entry() {
    let long_name = "n".repeat(200);
    let mut tar = Tar::default();
    tar.dir("./")
        .dir("./usr/")
        .file("./usr/file", b"content")
        .dir("./dev");
    tar.special("./dev/null", b'3', 1, 3)
        .special("./dev/sda", b'4', 8, 0)
        .special("./run/fifo", b'6', 0, 0);
    tar.link("./usr/sym", b'2', "/absolute/../x")
        .link("./usr/hard", b'1', "./usr/file");
    tar.long(b'L', long_name.as_bytes()).file("cut", b"x");
    tar.long(b'K', "t".repeat(300).as_bytes())
        .link("./usr/longlink", b'2', "cut");
    tar.pax(&[
        ("path", b"pax/path"),
        ("mtime", b"12.75"),
        ("uid", b"70000"),
        ("uname", b"somebody"),
    ]);
    tar.file("./ignored", b"1");
    tar.pax(&[
        ("SCHILY.xattr.security.capability", b"\x01\0\0\x02\n=\0"),
        ("comment", b"x"),
        ("size", b"3"),
    ]);
    tar.file_with_size("./usr/cap", b"abc", 0);
    let lines = list(&deb(&tar.finish()), Limits::default()).unwrap();
    let expected = [
        "/ 755 0:0 root:root 7 dir".to_owned(),
        "/usr 755 0:0 root:root 7 dir".to_owned(),
        "/usr/file 644 0:0 root:root 7 file \"content\"".to_owned(),
        "/dev 755 0:0 root:root 7 dir".to_owned(),
        "/dev/null 644 0:0 root:root 7 char 1:3".to_owned(),
        "/dev/sda 644 0:0 root:root 7 block 8:0".to_owned(),
        "/run/fifo 644 0:0 root:root 7 fifo".to_owned(),
        "/usr/sym 644 0:0 root:root 7 -> /absolute/../x".to_owned(),
        "/usr/hard 644 0:0 root:root 7 == /usr/file".to_owned(),
        format!("/{long_name} 644 0:0 root:root 7 file \"x\""),
        format!("/usr/longlink 644 0:0 root:root 7 -> {}", "t".repeat(300)),
        "/pax/path 644 70000:0 somebody:root 12 file \"1\"".to_owned(),
        "/usr/cap 644 0:0 root:root 7 file \"abc\"security.capability".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn reads_every_compression() {
    use std::io::Write;

    let mut tar = Tar::default();
    let tar = tar.file("./a", b"content").finish();
    let pack = |suffix: &str, bytes: &[u8]| {
        let data = format!("data.tar{suffix}");
        ar(&[
            ("debian-binary", b"2.0\n"),
            ("control.tar", &writer::control()),
            ("_extra", b"odd"),
            (&data, bytes),
        ])
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&tar).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&tar).unwrap();
    for (suffix, bytes) in [
        ("", tar.clone()),
        (".gz", gzip.finish().unwrap()),
        (".bz2", bzip2.finish().unwrap()),
        (".xz", xz.finish().unwrap()),
        (".zst", zstd::encode_all(&tar[..], 1).unwrap()),
    ] {
        let whole = pack(suffix, &bytes);
        assert_eq!(list(&whole, Limits::default()).unwrap().len(), 1, "{suffix}");
        // The last byte of every compression belongs to a checksum or an end mark; that of tar to its end mark.
        let cut = pack(
            suffix,
            &bytes[..bytes.len() - if suffix.is_empty() { 1025 } else { 1 }],
        );
        assert!(list(&cut, Limits::default()).is_err(), "a cut {suffix} was taken");
        let garbage = pack(suffix, &[&bytes[..], b"garbage"].concat());
        assert!(
            list(&garbage, Limits::default()).is_err(),
            "a {suffix} with garbage behind it was taken"
        );
    }
    check_error(
        &pack(".lzma", b""),
        "the member `data.tar.lzma`: its compression is unknown",
    );
}

/// Real packages, where a folder of them is named: the same entries as `dpkg-deb --contents` gives.
#[test]
fn reads_real_packages() {
    let Some(folder) = std::env::var_os("LAZULI_TEST_DEBS") else {
        eprintln!("SKIPPED reads_real_packages: LAZULI_TEST_DEBS names no folder of .deb files");
        return;
    };
    let (mut machine_readable, mut changelogs) = ([0, 0], [0, 0]);
    for path in std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if path.extension().is_none_or(|extension| extension != "deb") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let deb = Deb::parse(&bytes, Limits::default())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut ours = Vec::new();
        deb.visit_files(|entry, content| {
            let mut bytes = Vec::new();
            let read = content.read_to_end(&mut bytes)? as u64;
            assert!(matches!(entry.kind, EntryKind::File { size } if size == read) || read == 0);
            let name = entry.path.to_string();
            if name.starts_with("/usr/share/doc/") && name.ends_with("/copyright") && read > 0 {
                machine_readable[usize::from(Copyright::parse(&String::from_utf8_lossy(&bytes)).is_ok())] +=
                    1;
            }
            if name.starts_with("/usr/share/doc/") && name.ends_with("/changelog.Debian.gz") && read > 0 {
                let mut text = Vec::new();
                flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text)?;
                let changelog = Changelog::parse(&text, usize::MAX);
                assert!(!changelog.entries.is_empty(), "{name}: {:?}", changelog.problem);
                changelogs[usize::from(changelog.problem.is_none())] += 1;
                if let Some(problem) = changelog.problem {
                    eprintln!("{name}: {} entries, then {problem}", changelog.entries.len());
                }
            }
            let slash = if entry.kind == EntryKind::Directory && !entry.path.is_root() {
                "/"
            } else {
                ""
            };
            let arrow = match &entry.kind {
                EntryKind::Symlink { target } => format!(" -> {}", String::from_utf8_lossy(target)),
                EntryKind::Hardlink { target } => format!(" link to .{target}"),
                _ => String::new(),
            };
            ours.push(format!(
                "{}/{} .{}{slash}{arrow}",
                entry.user, entry.group, entry.path
            ));
            Ok::<(), std::io::Error>(())
        })
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let output = Command::new("dpkg-deb")
            .arg("--contents")
            .arg(&path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let theirs: Vec<String> = text
            .lines()
            .map(|line| {
                let mut words = line.split_once(' ').unwrap().1.trim_start().splitn(2, ' ');
                let owner = words.next().unwrap();
                format!("{owner} {}", &line[line.find(" ./").unwrap() + 1..])
            })
            .collect();
        assert_eq!(ours, theirs, "{}", path.display());
    }
    eprintln!("copyright files (for people, for machines): {machine_readable:?}");
    eprintln!("changelogs (in part, wholly understood): {changelogs:?}");
    assert!(machine_readable[1] > machine_readable[0] && changelogs[1] > changelogs[0]);
}
