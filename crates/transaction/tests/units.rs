//! Enabling and disabling units by name, against `systemctl --root`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use lazuli_transaction::{Root, links_of_disabling, links_of_enabling, system_units};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const UNITS: &[(&str, &str)] = &[
    ("ssh.service", "WantedBy=multi-user.target\nAlias=sshd.service"),
    ("web.service", "WantedBy=multi-user.target\nAlso=web.socket"),
    ("web.socket", "WantedBy=sockets.target"),
    ("line@.service", "WantedBy=getty.target\nDefaultInstance=tty1"),
    ("disk@.service", "RequiredBy=dev-%i.device"),
    ("kept.service", "WantedBy=multi-user.target"),
    ("static.service", ""),
];

fn root() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let units = folder.path().join("usr/lib/systemd/system");
    std::fs::create_dir_all(&units).unwrap();
    std::fs::create_dir_all(folder.path().join("etc/systemd/system")).unwrap();
    for (name, install) in UNITS {
        std::fs::write(units.join(name), format!("[Unit]\n[Install]\n{install}\n")).unwrap();
    }
    std::os::unix::fs::symlink("ssh.service", units.join("secure-shell.service")).unwrap();
    folder
}

/// All links below `/etc/systemd/system`, as `path target`.
fn links(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![folder.join("etc/systemd/system")];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(at).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                let target = std::fs::read_link(entry.path()).unwrap();
                let path = entry.path();
                let path = path.strip_prefix(folder).unwrap();
                found.insert(format!("/{} {}", path.display(), target.display()));
            }
        }
    }
    found
}

/// Runs systemctl on a root; `None` where it is not there.
fn systemctl(folder: &Path, verb: &str, units: &[&str]) -> Option<()> {
    let output = Command::new("systemctl")
        .arg("--root")
        .arg(folder)
        .arg(verb)
        .args(units)
        .output();
    let Ok(output) = output else {
        println!("SKIPPED: systemctl is not here; install systemd");
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(())
}

#[test]
fn links_are_those_of_systemctl() {
    let folder = root();
    let root = Root::open(folder.path()).unwrap();
    let enabled = [
        "ssh.service",
        "web.service",
        "line@.service",
        "line@ttyS0.service",
        "disk@vdb.service",
        "kept.service",
    ];
    let expected: BTreeSet<String> = enabled
        .iter()
        .flat_map(|name| links_of_enabling(&root, name).unwrap())
        .map(|(path, target)| format!("{path} {target}"))
        .collect();
    assert_eq!(expected.len(), 8);
    if systemctl(folder.path(), "enable", &enabled).is_none() {
        return;
    }
    assert_eq!(links(folder.path()), expected);

    let disabled = [
        "ssh.service",
        "web.service",
        "line@ttyS0.service",
        "disk@.service",
    ];
    let mut rest = expected;
    for name in disabled {
        for gone in links_of_disabling(&root, name).unwrap() {
            rest.retain(|line| line.split(' ').next() != Some(&gone));
        }
    }
    systemctl(folder.path(), "disable", &disabled);
    assert_eq!(links(folder.path()), rest);
    let left: Vec<&str> = rest.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        left,
        [
            "/etc/systemd/system/getty.target.wants/line@tty1.service",
            "/etc/systemd/system/multi-user.target.wants/kept.service",
        ]
    );
}

#[test]
fn units_that_cannot_be_enabled_are_named() {
    let folder = root();
    let root = Root::open(folder.path()).unwrap();
    std::os::unix::fs::symlink("/dev/null", folder.path().join("etc/systemd/system/kept.service")).unwrap();
    for (name, expected) in [
        ("none.service", "there is no unit `none.service`"),
        ("../ssh.service", "there is no unit `../ssh.service`"),
        ("ssh.conf", "there is no unit `ssh.conf`"),
        (
            "secure-shell.service",
            "unit `secure-shell.service` is a link to ssh.service",
        ),
        ("kept.service", "unit `kept.service` is a link to /dev/null"),
        (
            "static.service",
            "unit `static.service` has no [Install] section: it is started by what needs it",
        ),
        (
            "disk@.service",
            "unit `disk@.service` is a template: name an instance of it",
        ),
    ] {
        assert_eq!(links_of_enabling(&root, name).unwrap_err().to_string(), expected);
    }
    let names = system_units(&root).unwrap();
    assert_eq!((names.len(), names[0].as_str()), (8, "disk@.service"));
}
