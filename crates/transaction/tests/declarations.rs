//! Users, alternatives, presets and finalisers.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Bench, CLOCK, make, skip_unless_root};
use lazuli_rpm::FileEntry;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

#[test]
fn users_are_there_before_files() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    let owned = |path: &str, user: &str, group: &str| FileEntry {
        user: user.to_owned(),
        group: group.to_owned(),
        ..FileEntry::directory(path, 0o2750)
    };
    let report = bench.install(vec![
        make("users", "1-1")
            .file(
                "/usr/lib/sysusers.d/basic.conf",
                0o644,
                "u root 0 \"Super User\" /root /bin/bash\ng shadow 42\nu daemon 1\nu mail 8:12\ng adm 4\nm mail adm\n",
            )
            .file("/usr/lib/sysusers.d/zz.conf", 0o644, "u auto - \"Automatic\" /var/lib/auto\nu! second -:adm\n"),
        make("files", "1-1")
            .entry(owned("/var/lib/auto", "auto", "adm"))
            .entry(owned("/var/mail", "mail", "mail"))
            .entry(owned("/var/who", "nobody-knows", "root")),
    ]);
    assert_eq!(
        bench.read("/etc/passwd"),
        "root:x:0:0:Super User:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\n\
         mail:x:8:12::/:/usr/sbin/nologin\nauto:x:999:999:Automatic:/var/lib/auto:/usr/sbin/nologin\n\
         second:x:998:4::/:/usr/sbin/nologin\n"
    );
    assert_eq!(
        bench.read("/etc/group"),
        "root:x:0:\nshadow:x:42:\ndaemon:x:1:\nmail:x:12:\nadm:x:4:mail\nauto:x:999:\n"
    );
    assert_eq!(
        bench.read("/etc/shadow").lines().next_back(),
        Some("second:!*:19675:::::1:")
    );
    assert!(bench.read("/etc/gshadow").contains("adm:!*::mail\n"));
    let meta = bench.path("/etc/shadow").metadata().unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid(), meta.gid()), (0o640, 0, 42));
    let meta = bench.path("/var/lib/auto").metadata().unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid(), meta.gid()), (0o2750, 999, 4));
    let meta = bench.path("/var/who").metadata().unwrap();
    assert_eq!(
        (meta.mode() & 0o7777, meta.uid()),
        (0o750, 0),
        "no special rights for an unknown owner"
    );
    assert_eq!(
        report.notes,
        ["user nobody-knows is unknown: /var/who belongs to root"]
    );
    // Later declarations add, and change nothing that is there.
    let before = bench.read("/etc/passwd");
    bench.install(vec![make("more", "1-1").file(
        "/usr/lib/sysusers.d/more.conf",
        0o644,
        "u third -\nm third adm\n",
    )]);
    assert_eq!(
        bench.read("/etc/passwd"),
        format!("{before}third:x:997:997::/:/usr/sbin/nologin\n")
    );
    assert!(bench.read("/etc/group").contains("adm:x:4:mail,third\n"));
}

#[test]
fn the_best_alternative_wins() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    let editor = |name: &str, priority: u32| {
        make(name, "1-1")
            .file(&format!("/usr/bin/{name}"), 0o755, name)
            .file(&format!("/usr/share/man/man1/{name}.1"), 0o644, name)
            .file(
                &format!("/usr/lib/lazuli/alternatives.d/{name}.conf"),
                0o644,
                &format!(
                    "/usr/bin/editor editor /usr/bin/{name} {priority}\n\
                 slave /usr/share/man/man1/editor.1 editor.1 /usr/share/man/man1/{name}.1\n\
                 slave /usr/share/man/da/man1/editor.1 editor.da.1 /usr/share/man/da/man1/{name}.1\n"
                ),
            )
    };
    bench.install(vec![editor("vim", 50), editor("nano", 40)]);
    assert_eq!(bench.target("/usr/bin/editor"), "/etc/alternatives/editor");
    assert_eq!(bench.target("/etc/alternatives/editor"), "/usr/bin/vim");
    assert_eq!(
        bench.target("/etc/alternatives/editor.1"),
        "/usr/share/man/man1/vim.1"
    );
    assert_eq!(
        bench.path("/usr/bin/editor").symlink_metadata().unwrap().mtime(),
        i64::from(CLOCK)
    );
    bench.install(vec![editor("emacs", 60)]);
    assert_eq!(bench.target("/etc/alternatives/editor"), "/usr/bin/emacs");
    // What the administrator chose stays.
    std::fs::remove_file(bench.path("/etc/alternatives/editor")).unwrap();
    std::os::unix::fs::symlink("/usr/bin/nano", bench.path("/etc/alternatives/editor")).unwrap();
    bench.install(vec![editor("ed", 90)]);
    assert_eq!(bench.target("/etc/alternatives/editor"), "/usr/bin/nano");
    // Until it is gone.
    bench.change(&[], &["nano"]).unwrap();
    assert_eq!(bench.target("/etc/alternatives/editor"), "/usr/bin/ed");
    bench.change(&[], &["vim", "emacs", "ed"]).unwrap();
    assert!(!bench.exists("/usr/bin/editor") && !bench.exists("/etc/alternatives/editor"));
    let bad = make("bad", "1-1").file(
        "/usr/lib/lazuli/alternatives.d/bad.conf",
        0o644,
        "\n/usr/bin/x ../x /y 5\n",
    );
    let error = bench
        .change(&[bad.into(&bench.packages())], &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/usr/lib/lazuli/alternatives.d/bad.conf, line 2"),
        "{error}"
    );
}

#[test]
fn presets_enable_units() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    let unit = |name: &str, install: &str| {
        (
            format!("/usr/lib/systemd/system/{name}"),
            format!("[Unit]\n[Install]\n{install}\n"),
        )
    };
    let mut package = make("units", "1-1").file(
        "/usr/lib/systemd/system-preset/50-test.preset",
        0o644,
        "enable ssh.service\nenable getty@.service\nenable many@.service a b\nenable chain.service\ndisable *\n",
    );
    for (path, text) in [
        unit("ssh.service", "WantedBy=multi-user.target\nAlias=sshd.service"),
        unit("off.service", "WantedBy=multi-user.target"),
        unit("getty@.service", "WantedBy=getty.target\nDefaultInstance=tty1"),
        unit("many@.service", "RequiredBy=%i.target"),
        unit("chain.service", "WantedBy=multi-user.target\nAlso=chain.socket"),
        unit("chain.socket", "WantedBy=sockets.target"),
        unit("static.service", ""),
    ] {
        package = package.file(&path, 0o644, &text);
    }
    bench.install(vec![
        package.link("/usr/lib/systemd/system/alias.service", "ssh.service"),
    ]);
    let links = || -> BTreeSet<String> {
        let base = bench.path("/etc/systemd/system");
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(&base).into_iter().flatten().map(Result::unwrap) {
            let is_folder = entry.file_type().unwrap().is_dir();
            let inner = if is_folder {
                std::fs::read_dir(entry.path())
                    .unwrap()
                    .map(|e| e.unwrap().path())
                    .collect()
            } else {
                vec![entry.path()]
            };
            for link in inner {
                let target = std::fs::read_link(&link).unwrap();
                found.insert(format!(
                    "{} {}",
                    link.strip_prefix(&base).unwrap().display(),
                    target.display()
                ));
            }
        }
        found
    };
    let expected = [
        "chain.service",
        "getty@tty1.service",
        "many@a.service",
        "ssh.service",
    ];
    let all = links();
    let text = all.iter().cloned().collect::<Vec<_>>().join("\n");
    assert_eq!(
        text,
        "a.target.requires/many@a.service /usr/lib/systemd/system/many@.service\n\
         b.target.requires/many@b.service /usr/lib/systemd/system/many@.service\n\
         getty.target.wants/getty@tty1.service /usr/lib/systemd/system/getty@.service\n\
         multi-user.target.wants/chain.service /usr/lib/systemd/system/chain.service\n\
         multi-user.target.wants/ssh.service /usr/lib/systemd/system/ssh.service\n\
         sockets.target.wants/chain.socket /usr/lib/systemd/system/chain.socket\n\
         sshd.service /usr/lib/systemd/system/ssh.service"
    );
    for name in expected {
        assert!(all.iter().any(|line| line.contains(name)), "{name}");
    }
    // systemd itself agrees, where it is there to be asked.
    if let Ok(output) = std::process::Command::new("systemctl")
        .args([
            "--root",
            bench.root.path().to_str().unwrap(),
            "is-enabled",
            "ssh.service",
            "off.service",
            "chain.socket",
        ])
        .output()
    {
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "enabled\ndisabled\nenabled\n"
        );
        let output = std::process::Command::new("systemctl")
            .args(["--root", bench.root.path().to_str().unwrap(), "preset-all"])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(links(), all, "`systemctl preset-all` finds nothing to change");
    }
    // An upgrade keeps what the administrator did; a removal takes the links along.
    std::fs::remove_file(bench.path("/etc/systemd/system/multi-user.target.wants/ssh.service")).unwrap();
    let (path, text) = unit("ssh.service", "WantedBy=multi-user.target");
    bench.install(vec![make("units", "2-1").file(&path, 0o644, &text)]);
    assert_eq!(
        links().into_iter().collect::<Vec<_>>(),
        ["sshd.service /usr/lib/systemd/system/ssh.service"]
    );
    bench.change(&[], &["units"]).unwrap();
    assert_eq!(links().len(), 0);
}

fn finaliser(watch: &str, run: &str, order: u32) -> String {
    format!(
        "description = \"test\"\nwatch = [\"{watch}\"]\nrun = [\"/bin/sh\", \"-c\", {run:?}]\n\
         outputs = [\"/var/cache/out{order}\"]\norder = {order}\n"
    )
}

#[test]
fn finalisers_run_when_their_inputs_change() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    common::add_shell(bench.root.path());
    let before = std::fs::read_dir(bench.root.path()).unwrap().count();
    let first = finaliser(
        "/usr/share/data/**",
        "cat /usr/share/data/* > /var/cache/out1 && echo $SOURCE_DATE_EPOCH >> /var/cache/out1",
        1,
    );
    let second = finaliser(
        "/var/cache/out1",
        "cat /var/cache/out1 /var/cache/out1 > /var/cache/out2",
        2,
    );
    let report = bench.install(vec![
        make("finalisers", "1-1")
            .dir("/var/cache", 0o755)
            .file("/usr/lib/lazuli/finalisers.d/b-first.toml", 0o644, &first)
            .file("/usr/lib/lazuli/finalisers.d/a-second.toml", 0o644, &second),
        make("data", "1-1").file("/usr/share/data/a", 0o644, "a\n"),
    ]);
    assert_eq!(report.finalisers, ["b-first", "a-second"]);
    assert_eq!(bench.read("/var/cache/out2"), "a\n1700000000\na\n1700000000\n");
    assert_eq!(
        bench.path("/var/cache/out2").metadata().unwrap().mtime(),
        i64::from(CLOCK)
    );
    assert_eq!(
        bench.path("/var/cache").metadata().unwrap().mtime(),
        1_500_000_000
    );
    // usr and var are new; no mount point is left.
    assert!(std::fs::read_dir(bench.root.path()).unwrap().count() <= before + 2);
    let report = bench.install(vec![make("other", "1-1").file("/usr/share/other", 0o644, "x")]);
    assert_eq!(report.finalisers, Vec::<String>::new());
    let report = bench.change(&[], &["data"]).unwrap_err().to_string();
    assert!(
        report.contains("finaliser `b-first` failed (exit code"),
        "{report}"
    );
    assert!(
        report.contains("/usr/share/data/*"),
        "with what it said: {report}"
    );
    let report = bench.install(vec![make("data", "2-1").file("/usr/share/data/b", 0o644, "b\n")]);
    assert_eq!(report.finalisers, ["b-first", "a-second"]);
    assert!(bench.read("/var/cache/out1").starts_with("b\n"));
    let bad = make("bad", "1-1").file(
        "/usr/lib/lazuli/finalisers.d/bad.toml",
        0o644,
        "description = \"x\"\nwatch = 3\n",
    );
    let error = bench
        .change(&[bad.into(&bench.packages())], &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/usr/lib/lazuli/finalisers.d/bad.toml, line 2"),
        "{error}"
    );
}
