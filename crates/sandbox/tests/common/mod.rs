//! Roots with a shell, and what must hold in each of them.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

pub(crate) mod hostile;
pub(crate) mod layers;
pub(crate) mod sealed;

use lazuli_sandbox::{Options, run_in_root};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

pub(crate) fn skip_unless_root() -> bool {
    let skip = !rustix::process::geteuid().is_root();
    if skip {
        eprintln!("SKIPPED: this test takes root (an ordinary user's way is tested by ordinary_user.rs)");
    }
    skip
}

pub(crate) fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

/// A root with the machine's shell and its libraries, and no /proc, /dev, /tmp and /run.
pub(crate) fn bare_root() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    dir
}

pub(crate) fn fill(root: &Path) {
    for program in [
        "/bin/sh",
        "/bin/ls",
        "/usr/bin/id",
        "/usr/bin/chown",
        "/usr/bin/stat",
    ] {
        copy_program(Path::new(program), root);
    }
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::create_dir_all(root.join("root")).unwrap();
    std::fs::write(root.join("etc/plain"), "no program").unwrap();
}

/// Copies a program of the machine, with its libraries, to where it is in a root.
pub(crate) fn copy_program(program: &Path, root: &Path) {
    let real = program.canonicalize().unwrap();
    copy(&real, &root.join(program.strip_prefix("/").unwrap()));
    let output = Command::new("ldd").arg(&real).output().unwrap();
    for word in String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .filter(|w| w.starts_with('/'))
    {
        copy(Path::new(word), &root.join(word.trim_start_matches('/')));
    }
}

fn copy(from: &Path, to: &Path) {
    if !to.exists() {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

/// Every path below a root with its owner and mode.
pub(crate) fn listing(root: &Path) -> BTreeMap<String, (u32, u32, u32)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let meta = entry.path().symlink_metadata().unwrap();
            let name = entry
                .path()
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            found.insert(name, (meta.uid(), meta.gid(), meta.mode()));
            if meta.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

/// Whether some process of the machine has these words in its command line.
pub(crate) fn process_with(words: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let text = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(words)
    })
}

/// What every sandbox promises, whoever started it.
pub(crate) fn check_isolation(root: &Path) {
    let options = Options {
        environment: vec![("SOURCE_DATE_EPOCH".to_owned(), "5".to_owned())],
        ..Options::default()
    };
    let script = r#"
        set -e
        echo "env: $(set | while read -r l; do case $l in HOME=*|LC_ALL=*|PATH=*|SOURCE_DATE_EPOCH=*) echo -n "$l ";; esac; done)"
        echo "host: $(cat_first /proc/sys/kernel/hostname)"
        echo "processes: $(cd /proc; echo [0-9]*)"
        echo "root: $(cd /; echo *)"
        echo "dev: $(cd /dev; echo *)"
        echo "id: $(id -u) $(id -g) $(id -G)"
        n=0; while read -r l; do n=$((n+1)); done < /proc/net/dev; echo "interfaces: $((n-2))"
        n=0; while read -r l; do n=$((n+1)); done < /proc/net/route; echo "route lines: $n"
        echo gone > /dev/null
        echo "tmp: $(echo /tmp/*) $(stat -c %a /tmp)"
        : > /etc/owned; chown 33:999 /etc/owned; stat -c 'owner: %u %g' /etc/owned
        while read -r a b; do case $a in NoNewPrivs:) echo "privileges: $b";; esac; done < /proc/self/status
    "#;
    let script = format!("cat_first() {{ read -r line < $1; echo $line; }}\n{script}");
    let output = run_in_root(root, &shell(&script), &options).unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{output:?} {text} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let expected = "host: lazuli\nprocesses: 1 2 ";
    assert!(text.contains(expected), "{text}");
    for line in [
        "dev: fd full null random shm stderr stdin stdout tty urandom zero",
        "id: 0 0 0",
        "interfaces: 1",
        "route lines: 0",
        "tmp: /tmp/* 1777",
        "owner: 33 999",
        "privileges: 1",
    ] {
        assert!(text.lines().any(|l| l == line), "`{line}` is missing in:\n{text}");
    }
    assert!(
        text.contains("SOURCE_DATE_EPOCH='5'") && text.contains("LC_ALL='C.UTF-8'"),
        "{text}"
    );
    assert!(!text.contains("CARGO"), "{text}");
    std::fs::remove_file(root.join("etc/owned")).unwrap();
}
