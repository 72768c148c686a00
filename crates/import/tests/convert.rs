//! From a `.deb` to an RPM: what comes out, and that rpm says the same.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use lazuli_import::{
    Attributes, Declarations, DeclaredFile, FileCapabilities, FileContent, Finaliser, ImportSettings,
    Symlink, User,
};
use support::{TestDeb, content, files, findings, imported, run};

const COPYRIGHT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2001 A
License: GPL-2+ with OpenSSL exception, and Expat

Files: b
Copyright: 2001 B
License: GPL-3 or Artistic
";

const CHANGELOG: &str = "sample (1:1.0p1-2) unstable; urgency=medium

  * Second.

 -- A Person <a@example.org>  Tue, 14 Nov 2023 22:13:20 +0000

sample (1:1.0p1-1) unstable; urgency=medium

  * First.

 -- A Person <a@example.org>  Mon, 13 Nov 2023 22:13:20 +0000
";

fn full() -> Vec<u8> {
    TestDeb::new(
        "Package: sample
Source: samples (1.0p1-2)
Version: 1:1.0p1-2+deb13u1
Architecture: amd64
Maintainer: A Person <a@example.org>
Pre-Depends: libc6 (>= 2.38)
Depends: adduser, mawk | awk (>= 1.2~), python3:any (<< 3.14), debconf (>= 0.5) | debconf-2.0
Recommends: nice-to-have
Suggests: sample-doc
Enhances: other
Conflicts: sample-old
Breaks: sample-common (<< 1:0.9), elsewhere (<< 2)
Replaces: sample-common (<< 1:0.9), elsewhere (<< 2), movedfiles
Provides: sample-common (= 1:1.0p1-2), virtual-thing
Homepage: https://example.org/
Description: a sample
 It has two paragraphs.
 .
 This is the second.",
    )
    .control_file("conffiles", "/etc/sample.conf\n")
    .directory("./", 0o755)
    .directory("./bin/", 0o755)
    .file("./bin/sample", 0o755, b"#!/bin/sh\n")
    .file("./usr/bin/tool", 0o4755, b"#! /usr/bin/python3 -E\n")
    .file("./usr/bin/example", 0o755, b"#!/usr/bin/env python3\n")
    .symlink("./bin/alias", "../lib/sample/x")
    .symlink("./lib/sample/link", "../../usr/share/sample/data")
    .directory("./etc/", 0o755)
    .file("./etc/sample.conf", 0o644, b"a=b\n")
    .directory("./usr/share/doc/sample/", 0o755)
    .file("./usr/share/doc/sample/copyright", 0o644, COPYRIGHT.as_bytes())
    .file(
        "./usr/share/doc/sample/changelog.Debian",
        0o644,
        CHANGELOG.as_bytes(),
    )
    .file(
        "./usr/share/doc/sample/examples/run",
        0o755,
        b"#!/usr/local/bin/nowhere\n",
    )
    .file("./usr/share/sample/one", 0o644, b"same")
    .hard_link("./usr/share/sample/two", "./usr/share/sample/one")
    .directory("./var/lib/sample/", 0o750)
    .directory("./usr/share/lintian/", 0o755)
    .directory("./usr/share/lintian/overrides/", 0o755)
    .file("./usr/share/lintian/overrides/sample", 0o644, b"x")
    .build()
}

fn settings() -> ImportSettings {
    ImportSettings {
        vendor: "Lazuli".to_owned(),
        distribution: "Lazuli Linux".to_owned(),
        drop_requires: vec!["adduser".to_owned(), "debconf*".to_owned()],
        exclude_files: vec!["/usr/share/lintian/**".to_owned()],
        ..ImportSettings::default()
    }
}

#[test]
fn files_are_moved_and_marked() {
    let imported = imported(&full(), &settings()).unwrap();
    expect![[r#"
        100644 root:root /etc/sample.conf FileFlags(CONFIG | NOREPLACE)
        120777 root:root /usr/bin/alias -> ../lib/sample/x
        100755 root:root /usr/bin/example
        100755 root:root /usr/bin/sample
        104755 root:root /usr/bin/tool
        120777 root:root /usr/lib/sample/link -> ../../share/sample/data
        040755 root:root /usr/share/doc/sample
        100644 root:root /usr/share/doc/sample/changelog.Debian FileFlags(DOC)
        100644 root:root /usr/share/doc/sample/copyright FileFlags(LICENSE)
        100755 root:root /usr/share/doc/sample/examples/run FileFlags(DOC)
        100644 root:root /usr/share/sample/one
        100644 root:root /usr/share/sample/two
        040750 root:root /var/lib/sample
    "#]]
    .assert_eq(&files(&imported));
    let inode = |path: &str| {
        imported
            .metadata
            .files
            .iter()
            .find(|f| f.path == path.as_bytes())
            .map(|f| f.inode)
            .unwrap()
    };
    assert_eq!(inode("/usr/share/sample/one"), inode("/usr/share/sample/two"));
    assert_ne!(inode("/usr/share/sample/one"), 0);
    expect![[r#"
        Note: `/usr/bin/tool` is setuid root
    "#]]
    .assert_eq(&findings(&imported));
}

#[test]
fn metadata() {
    let metadata = imported(&full(), &settings()).unwrap().metadata;
    let list = |list: &[lazuli_rpm::Dependency]| list.iter().map(|d| format!("  {d}\n")).collect::<String>();
    let text = format!(
        "{}\n{}\n{}\n{}\n{}\n{}\n{:?}\n{:?}\nrequires\n{}provides\n{}conflicts\n{}obsoletes\n{}recommends\n{}enhances\n{}",
        metadata.nevra,
        metadata.summary,
        metadata.description,
        metadata.license,
        metadata.url,
        metadata.platform,
        metadata.source_rpm,
        metadata.changelog,
        list(&metadata.requires),
        list(&metadata.provides),
        list(&metadata.conflicts),
        list(&metadata.obsoletes),
        list(&metadata.recommends),
        list(&metadata.enhances),
    );
    expect![[r#"
        sample-1:1.0^p1-2+deb13u1.x86_64
        a sample
        It has two paragraphs.

        This is the second.
        (GPL-3.0-only OR Artistic-1.0-Perl) AND LicenseRef-Debian-GPL-2-or-later-with-OpenSSL-exception AND MIT
        https://example.org/
        x86_64-lazuli-linux-gnu
        Some("samples-1.0^p1-2.src.rpm")
        [ChangelogEntry { time: 1700000000, author: "A Person <a@example.org> - 1:1.0^p1-2", text: "* Second." }, ChangelogEntry { time: 1699913600, author: "A Person <a@example.org> - 1:1.0^p1-1", text: "* First." }]
        requires
          (mawk or awk >= 1.2~-0)
          libc6 >= 2.38-0
          python3 < 3.14-0
          /usr/bin/env
          /usr/bin/python3
          /usr/bin/sh
        provides
          sample-common = 1:1.0^p1-2
          virtual-thing = 1:1.0^p1-2+deb13u1
        conflicts
          elsewhere < 2-0
          sample-common < 1:0.9-0
          sample-old
        obsoletes
          sample-common < 1:0.9-0
        recommends
          nice-to-have
        enhances
          other
    "#]].assert_eq(&text);
    assert_eq!(metadata.build_time, 1_700_000_000);
    let origin = lazuli_import::Origin::parse(&metadata.vcs).unwrap();
    assert_eq!(
        (origin.source.as_str(), origin.source_version.as_str()),
        ("samples", "1.0p1-2")
    );
}

#[test]
fn a_real_package_of_dpkg() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("DEBIAN")).unwrap();
    std::fs::create_dir_all(root.join("usr/bin")).unwrap();
    std::fs::write(root.join("usr/bin/x"), "x").unwrap();
    let control = "Package: real\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b>\nDescription: x\n";
    std::fs::write(root.join("DEBIAN/control"), control).unwrap();
    let deb = folder.path().join("real.deb");
    let arguments = ["--root-owner-group", "-b", root.to_str().unwrap()];
    let Some((ok, text)) = run("dpkg-deb", &arguments, Some(&deb)) else {
        return;
    };
    assert!(ok, "{text}");
    let imported = imported(&std::fs::read(deb).unwrap(), &ImportSettings::default()).unwrap();
    assert_eq!(imported.metadata.nevra.to_string(), "real-1-0.noarch");
    assert_eq!(files(&imported), "100644 root:root /usr/bin/x\n");
}

#[test]
fn declarations_become_files() {
    let mut settings = settings();
    settings.user_ids.insert("sampled".to_owned(), 150);
    settings.declare = Declarations {
        users: vec![User {
            name: "sampled".to_owned(),
            uid: None,
            group: None,
            home: Some("/var/lib/sample".to_owned()),
            shell: None,
            comment: Some("Sample daemon".to_owned()),
        }],
        tmpfiles: vec!["d /run/sample 0755 sampled sampled -".to_owned()],
        capabilities: vec![FileCapabilities {
            path: "/bin/sample".to_owned(),
            value: "cap_net_raw=ep".to_owned(),
        }],
        symlinks: vec![Symlink {
            path: "/usr/bin/s".to_owned(),
            target: "sample".to_owned(),
        }],
        files: vec![
            DeclaredFile {
                path: "/etc/extra.conf".to_owned(),
                mode: Some(0o640),
                owner: None,
                group: Some("sampled".to_owned()),
                content: FileContent::Bytes(b"x\n".to_vec()),
                config: None,
            },
            DeclaredFile {
                path: "/usr/lib/sample/copy".to_owned(),
                mode: None,
                owner: None,
                group: None,
                content: FileContent::CopyOf("/usr/share/sample/one".to_owned()),
                config: None,
            },
        ],
        attributes: vec![
            Attributes {
                path: "/var/lib/sample".to_owned(),
                mode: None,
                owner: Some("sampled".to_owned()),
                group: Some("sampled".to_owned()),
            },
            Attributes {
                path: "/nowhere".to_owned(),
                mode: Some(0o600),
                owner: None,
                group: None,
            },
        ],
        finalisers: vec![Finaliser {
            name: "sample-cache".to_owned(),
            description: "cache of \"samples\"".to_owned(),
            watch: vec!["/usr/share/sample/**".to_owned()],
            run: vec!["sample".to_owned(), "--cache".to_owned()],
            outputs: vec!["/var/cache/sample".to_owned()],
            order: 50,
        }],
        remove: vec!["/usr/share/doc/**".to_owned()],
        ..Declarations::default()
    };
    let imported = imported(&full(), &settings).unwrap();
    expect![[r#"
        100640 root:sampled /etc/extra.conf FileFlags(CONFIG | NOREPLACE)
        100644 root:root /etc/sample.conf FileFlags(CONFIG | NOREPLACE)
        120777 root:root /usr/bin/alias -> ../lib/sample/x
        100755 root:root /usr/bin/example
        120777 root:root /usr/bin/s -> sample
        100755 root:root /usr/bin/sample [cap_net_raw=ep]
        104755 root:root /usr/bin/tool
        100644 root:root /usr/lib/lazuli/finalisers.d/sample-cache.toml
        100644 root:root /usr/lib/sample/copy
        120777 root:root /usr/lib/sample/link -> ../../share/sample/data
        100644 root:root /usr/lib/sysusers.d/lazuli-sample.conf
        100644 root:root /usr/lib/tmpfiles.d/lazuli-sample.conf
        100644 root:root /usr/share/sample/one
        100644 root:root /usr/share/sample/two
        040750 sampled:sampled /var/lib/sample
    "#]]
    .assert_eq(&files(&imported));
    let made = [
        "/usr/lib/sysusers.d/lazuli-sample.conf",
        "/usr/lib/tmpfiles.d/lazuli-sample.conf",
        "/usr/lib/lazuli/finalisers.d/sample-cache.toml",
        "/usr/lib/sample/copy",
    ];
    let text: String = made
        .iter()
        .map(|path| format!("== {path}\n{}", content(&imported, path)))
        .collect();
    expect![[r#"
        == /usr/lib/sysusers.d/lazuli-sample.conf
        u sampled 150 "Sample daemon" /var/lib/sample /usr/sbin/nologin
        == /usr/lib/tmpfiles.d/lazuli-sample.conf
        d /run/sample 0755 sampled sampled -
        == /usr/lib/lazuli/finalisers.d/sample-cache.toml
        description = 'cache of "samples"'
        watch = ["/usr/share/sample/**"]
        run = ["sample", "--cache"]
        outputs = ["/var/cache/sample"]
        order = 50
        == /usr/lib/sample/copy
        same"#]]
    .assert_eq(&text);
    expect![[r#"
        Error: `/nowhere` is to get attributes, but is not in the package
        Note: `/usr/bin/sample` is cap_net_raw=ep
        Note: `/usr/bin/tool` is setuid root
    "#]]
    .assert_eq(&findings(&imported));
}

#[test]
fn recognised_actions_become_files() {
    let deb = TestDeb::simple("")
        .control_file(
            "postinst",
            r#"#!/bin/sh
set -e
if [ "$1" = configure ]; then
    adduser --system --group --home /var/lib/sample --no-create-home sampled
    install -d -o sampled -g adm -m 2750 /var/log/sample
    mkdir -p /run/sample
    chgrp sampled /usr/bin/tool
    chmod 2755 /usr/bin/tool
    [ -e /etc/sample/main.conf ] || cp /usr/share/sample/main.conf /etc/sample/main.conf
    if [ ! -e /etc/sample/extra ]; then
        cat > /etc/sample/extra <<-EOF
	# extra
	EOF
    fi
    setcap cap_net_bind_service=ep /usr/bin/server
    update-alternatives --install /usr/bin/editor editor /usr/bin/tool 20 \
        --slave /usr/share/man/man1/editor.1.gz editor.1.gz /usr/share/man/man1/tool.1.gz
    touch /var/log/sample.log
    chown root:adm /var/log/sample.log
    ldconfig
fi
deb-systemd-helper enable sample.service
"#,
        )
        .file("./usr/bin/tool", 0o755, b"tool")
        .file("./bin/server", 0o755, b"server")
        .file("./usr/share/sample/main.conf", 0o644, b"main\n")
        .file(
            "./usr/lib/sysusers.d/sample.conf",
            0o644,
            b"# users\nu! other - \"Other one\" /\ng extra - -\nu no:id\n",
        )
        .build();
    let mut settings = ImportSettings::default();
    settings
        .user_ids
        .extend([("sampled".to_owned(), 150), ("other".to_owned(), 151)]);
    let imported = imported(&deb, &settings).unwrap();
    expect![[r#"
        100644 root:root /etc/sample/extra FileFlags(CONFIG | NOREPLACE)
        100644 root:root /etc/sample/main.conf FileFlags(CONFIG | NOREPLACE)
        100755 root:root /usr/bin/server [cap_net_bind_service=ep]
        102755 root:sampled /usr/bin/tool
        100644 root:root /usr/lib/lazuli/alternatives.d/sample.conf
        100644 root:root /usr/lib/sysusers.d/lazuli-sample.conf
        100644 root:root /usr/lib/sysusers.d/sample.conf
        100644 root:root /usr/lib/tmpfiles.d/lazuli-sample.conf
        100644 root:root /usr/share/sample/main.conf
        042750 sampled:adm /var/log/sample
    "#]]
    .assert_eq(&files(&imported));
    let made = [
        "/usr/lib/sysusers.d/lazuli-sample.conf",
        "/usr/lib/sysusers.d/sample.conf",
        "/usr/lib/tmpfiles.d/lazuli-sample.conf",
        "/usr/lib/lazuli/alternatives.d/sample.conf",
        "/etc/sample/extra",
        "/etc/sample/main.conf",
    ];
    let text: String = made
        .iter()
        .map(|path| format!("== {path}\n{}", content(&imported, path)))
        .collect();
    expect![[r#"
        == /usr/lib/sysusers.d/lazuli-sample.conf
        u sampled 150 - /var/lib/sample /usr/sbin/nologin
        == /usr/lib/sysusers.d/sample.conf
        # users
        u! other 151 "Other one" /
        g extra - -
        u no:id
        == /usr/lib/tmpfiles.d/lazuli-sample.conf
        d /run/sample 0755 root root -
        f /var/log/sample.log 0644 root adm -
        == /usr/lib/lazuli/alternatives.d/sample.conf
        /usr/bin/editor editor /usr/bin/tool 20
        slave /usr/share/man/man1/editor.1.gz editor.1.gz /usr/share/man/man1/tool.1.gz
        == /etc/sample/extra
        # extra
        == /etc/sample/main.conf
        main
    "#]]
    .assert_eq(&text);
    expect![[r#"
        Note: the licence is not known: the package has no copyright file of its own
        Error: group `extra` has no fixed id
        Error: user `no:id` has no fixed id
        Note: `/usr/bin/server` is cap_net_bind_service=ep
        Note: `/usr/bin/tool` is setgid sampled
    "#]]
    .assert_eq(&findings(&imported));
    assert_eq!(imported.report.enable_units, ["sample.service"]);
    assert_eq!(imported.report.finalisers, ["ldconfig"]);
}

#[test]
fn what_rpm_says_of_the_package() {
    let folder = tempfile::tempdir().unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let key = lazuli_openpgp::SigningKey::generate(
        lazuli_openpgp::KeyAlgorithm::Ed25519,
        "T <t@example.org>",
        time,
    );
    let key = key.unwrap();
    let signer = key.signer(time);
    let imported = imported(&full(), &settings()).unwrap();
    let built = imported.build(Some(&signer)).unwrap();
    assert_eq!(
        built.to_bytes(),
        imported.build(Some(&signer)).unwrap().to_bytes()
    );
    let file = folder.path().join("sample.rpm");
    std::fs::write(&file, built.to_bytes()).unwrap();
    let ask = |arguments: &[&str]| run("rpm", arguments, Some(&file));

    let Some((ok, info)) = ask(&["-qip", "--nosignature"]) else {
        return;
    };
    assert!(ok, "{info}");
    let info: String = info
        .lines()
        .filter(|l| !l.starts_with("Signature"))
        .map(|l| format!("{l}\n"))
        .collect();
    expect![[r#"
        Name        : sample
        Epoch       : 1
        Version     : 1.0^p1
        Release     : 2+deb13u1
        Architecture: x86_64
        Install Date: (not installed)
        Group       : Unspecified
        Size        : 575
        License     : (GPL-3.0-only OR Artistic-1.0-Perl) AND LicenseRef-Debian-GPL-2-or-later-with-OpenSSL-exception AND MIT
        Source RPM  : samples-1.0^p1-2.src.rpm
        Build Date  : Tue Nov 14 22:13:20 2023
        Build Host  : localhost
        Vendor      : Lazuli
        URL         : https://example.org/
        Summary     : a sample
        Description :
        It has two paragraphs.

        This is the second.
    "#]].assert_eq(&info);
    let (_, scripts) = ask(&[
        "-qp",
        "--scripts",
        "--triggers",
        "--filetriggers",
        "--nosignature",
    ])
    .unwrap();
    assert_eq!(scripts, "");
    check_list(
        &ask(&["-qp", "--requires", "--nosignature"]).unwrap().1,
        expect![[r#"
        (mawk or awk >= 1.2~-0)
        /usr/bin/env
        /usr/bin/python3
        /usr/bin/sh
        libc6 >= 2.38-0
        python3 < 3.14-0
    "#]],
    );
    check_list(
        &ask(&["-qp", "--provides", "--nosignature"]).unwrap().1,
        expect![[r#"
        sample = 1:1.0^p1-2+deb13u1
        sample(x86-64) = 1:1.0^p1-2+deb13u1
        sample-common = 1:1.0^p1-2
        virtual-thing = 1:1.0^p1-2+deb13u1
    "#]],
    );

    let armored = folder.path().join("key.asc");
    std::fs::write(&armored, key.certificate().unwrap()).unwrap();
    let database = format!("--dbpath={}", folder.path().join("db").display());
    let (ok, text) = run("rpmkeys", &[&database, "--import"], Some(&armored)).unwrap();
    assert!(ok, "{text}");
    let (ok, text) = run("rpmkeys", &[&database, "-Kv"], Some(&file)).unwrap();
    assert!(
        ok && text.contains("Header V4 EdDSA/SHA") && !text.contains("NOKEY"),
        "{text}"
    );
}

fn check_list(text: &str, expected: Expect) {
    let mut lines: Vec<&str> = text.lines().filter(|l| !l.starts_with("rpmlib(")).collect();
    lines.sort_unstable();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}
