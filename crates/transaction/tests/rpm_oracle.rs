//! What we lay and record, against the real rpm.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Bench, Make, has_rpm, make, rpm, skip_unless_root, sql};
use lazuli_rpm::{Dependency, FileFlags, Sense};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

fn rich_package() -> Make {
    let mut alpha = make("alpha", "2:1.0-1")
        .dir("/etc/alpha", 0o755)
        .config("/etc/alpha/alpha.conf", "a = 1\n", FileFlags::NOREPLACE)
        .file("/usr/bin/alpha", 0o4755, "#!/bin/sh\n")
        .file("/usr/bin/beta", 0o755, "beta\n")
        .file_as("/usr/bin/ping", 0o755, "ping\n", |f| {
            f.capabilities = "cap_net_raw=ep".to_owned()
        })
        .link("/usr/bin/gamma", "alpha")
        .file_as("/usr/share/doc/alpha/README", 0o644, "read me\n", |f| {
            f.flags = FileFlags::DOC
        })
        .dir("/var/tmp", 0o1777)
        .file_as("/usr/share/alpha/one", 0o644, "linked\n", |f| f.inode = 7)
        .file_as("/usr/share/alpha/two", 0o644, "linked\n", |f| f.inode = 7)
        .file("/usr/share/alpha/empty", 0o600, "")
        .file("/usr/share/alpha/\u{e9}", 0o644, &"x".repeat(700_000));
    let metadata = &mut alpha.metadata;
    metadata.requires = ["/bin/sh", "bravo >= 1", "bravo", "libc.so.6()(64bit)"]
        .iter()
        .map(|text| Dependency::parse(text).unwrap())
        .chain([Dependency {
            sense: Sense::SCRIPT_PRE,
            ..Dependency::any("charlie")
        }])
        .collect();
    for (list, name) in [
        (&mut metadata.provides, "virtual = 3"),
        (&mut metadata.conflicts, "foo < 1"),
        (&mut metadata.obsoletes, "old < 2"),
        (&mut metadata.recommends, "rec"),
        (&mut metadata.suggests, "sug"),
        (&mut metadata.supplements, "sup"),
        (&mut metadata.enhances, "enh"),
    ] {
        list.push(Dependency::parse(name).unwrap());
    }
    alpha
}

/// The same package files, installed by us and by rpm, give the same database: tables, indexes, rows, headers.
#[test]
fn the_database_is_what_rpm_makes() {
    if skip_unless_root() || !has_rpm() {
        return;
    }
    let bench = Bench::new();
    let files = [
        rich_package().into(&bench.packages()),
        make("bravo", "3-1").dir("/", 0o755).into(&bench.packages()),
    ];
    bench.change(&files, &[]).unwrap();
    let other = tempfile::tempdir().unwrap();
    for file in &files {
        let output = rpm(
            other.path(),
            &["-i", "--nodeps", "--nosignature", file.to_str().unwrap()],
        );
        assert_eq!(output, "");
    }
    let schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name";
    assert_eq!(sql(bench.root.path(), schema), sql(other.path(), schema));
    for table in sql(
        other.path(),
        "SELECT name FROM sqlite_schema WHERE type = 'table'",
    )
    .lines()
    {
        if matches!(table, "Packages" | "Installtid") || table.starts_with("sqlite_stat") {
            continue;
        }
        let query = format!("SELECT * FROM '{table}' ORDER BY rowid");
        assert_eq!(
            sql(bench.root.path(), &query),
            sql(other.path(), &query),
            "{table}"
        );
    }
    // Headers differ in the time and transaction only.
    let tags = "%{nevra} %{sigmd5} %{sha1header} %{sha256header} %{archivesize} %{sigsize} [%{filestates} ] %{installcolor}\\n";
    let query = ["-qa", "--qf", tags];
    assert_eq!(bench.rpm(&query), rpm(other.path(), &query));
    assert_eq!(
        sql(
            bench.root.path(),
            "PRAGMA integrity_check; PRAGMA foreign_key_check;"
        ),
        "ok\n"
    );
    assert_eq!(
        bench.rpm(&["-q", "alpha", "--qf", "%{installtime} %{installtid}"]),
        "1700000000 1700000000\n"
    );
    let leftovers: Vec<_> = std::fs::read_dir(bench.path("/usr/lib/sysimage/rpm"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "rpmdb.sqlite" && name != ".rpm.lock")
        .collect();
    assert!(
        leftovers
            .iter()
            .all(|name| name.ends_with("-wal") || name.ends_with("-shm")),
        "{leftovers:?}"
    );
}

#[test]
fn rpm_agrees_with_what_is_laid() {
    if skip_unless_root() || !has_rpm() {
        return;
    }
    let bench = Bench::new();
    let report = bench.install(vec![
        rich_package(),
        make("bravo", "3-1").file("/usr/share/bravo", 0o644, "b"),
    ]);
    assert_eq!(
        (report.installed, report.removed, report.notes.as_slice()),
        (2, 0, [].as_slice())
    );
    let names = std::fs::read_dir(bench.path("/usr/lib/sysimage/rpm"))
        .unwrap()
        .count();
    assert_eq!(names, 2, "the database and the lock, and no log");
    let mut all: Vec<_> = bench.rpm(&["-qa"]).lines().map(str::to_owned).collect();
    all.sort();
    assert_eq!(all, ["alpha-1.0-1.x86_64", "bravo-3-1.x86_64"]);
    assert_eq!(bench.rpm(&["-Va", "--nodeps"]), "");
    assert_eq!(
        bench.rpm(&["-qf", "/usr/bin/gamma", "/usr/share/bravo"]),
        "alpha-1.0-1.x86_64\nbravo-3-1.x86_64\n"
    );
    let listed = bench.rpm(&["-ql", "alpha"]);
    assert!(listed.lines().all(|path| bench.exists(path)), "{listed}");
    assert_eq!(listed.lines().count(), 12);
    assert_eq!(
        bench.path("/usr/bin/alpha").metadata().unwrap().mode() & 0o7777,
        0o4755
    );
    let (one, two) = (
        bench.path("/usr/share/alpha/one"),
        bench.path("/usr/share/alpha/two"),
    );
    assert_eq!(one.metadata().unwrap().ino(), two.metadata().unwrap().ino());
    assert_eq!(
        bench.path("/usr/bin/alpha").metadata().unwrap().mtime(),
        1_500_000_000
    );
    assert_eq!(
        bench.path("/etc/alpha").metadata().unwrap().mtime(),
        1_500_000_000
    );
    assert_eq!(
        bench.path("/usr").metadata().unwrap().mtime(),
        i64::from(common::CLOCK)
    );
    let output = Command::new("getcap").arg(bench.path("/usr/bin/ping")).output();
    if let Ok(output) = output {
        assert!(String::from_utf8_lossy(&output.stdout).contains("cap_net_raw=ep"));
    }
    assert_eq!(bench.target("/var/lib/rpm"), "../../usr/lib/sysimage/rpm");
}

#[test]
fn rpm_goes_on_where_we_stopped() {
    if skip_unless_root() || !has_rpm() {
        return;
    }
    let bench = Bench::new();
    bench.install(vec![rich_package()]);
    let further = make("delta", "1-1")
        .file("/usr/share/delta", 0o644, "d")
        .into(&bench.packages());
    assert_eq!(
        bench.rpm(&["-i", "--nodeps", "--nosignature", further.to_str().unwrap()]),
        ""
    );
    assert_eq!(bench.rpm(&["-e", "--nodeps", "alpha"]), "");
    assert!(!bench.exists("/usr/bin/alpha") && bench.exists("/usr/share/delta"));
    // And we after rpm, which has switched the database to a write-ahead log.
    bench.install(vec![make("echo", "1-1").file("/usr/share/echo", 0o644, "e")]);
    bench.change(&[], &["delta"]).unwrap();
    assert_eq!(bench.rpm(&["-qa"]), "echo-1-1.x86_64\n");
    assert!(!bench.exists("/usr/share/delta"));
    assert_eq!(bench.rpm(&["-Va"]), "");
    assert_eq!(sql(bench.root.path(), "PRAGMA integrity_check"), "ok\n");
}

#[test]
fn we_see_changes_as_rpm_does() {
    if skip_unless_root() || !has_rpm() {
        return;
    }
    let bench = Bench::new();
    bench.install(vec![rich_package()]);
    std::fs::write(bench.path("/etc/alpha/alpha.conf"), "a = 2\nb = 3\n").unwrap();
    std::fs::set_permissions(
        bench.path("/usr/bin/beta"),
        std::fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    std::fs::remove_file(bench.path("/usr/bin/gamma")).unwrap();
    std::os::unix::fs::chown(bench.path("/var/tmp"), Some(33), Some(44)).unwrap();
    std::fs::write(bench.path("/usr/bin/ping"), "gnip\n").unwrap();
    let installed = lazuli_transaction::read_installed(&bench.root).unwrap();
    let ours = lazuli_transaction::verify(&bench.root, &installed).unwrap();
    let ours: Vec<String> = ours
        .iter()
        .map(|d| d.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let theirs = bench.rpm(&["-Va", "--nodeps"]);
    let theirs: Vec<String> = theirs
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 5);
}
