//! Dependencies of ELF files are those that rpm finds.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lazuli_import::{MissingSoname, elf_dependencies};

const ELFDEPS: &str = "/usr/lib/rpm/elfdeps";

fn elfdeps(path: &Path, option: &str) -> BTreeSet<String> {
    let mut child = Command::new(ELFDEPS)
        .arg(option)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", path.display()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Regular files of a folder, in order, evenly thinned out to `limit`.
fn files(folder: &str, limit: usize) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.symlink_metadata().is_ok_and(|m| m.is_file()))
        .collect();
    all.sort();
    let step = (all.len() / limit).max(1);
    all.into_iter().step_by(step).collect()
}

#[test]
fn same_as_rpm_on_the_machines_files() {
    if !Path::new(ELFDEPS).exists() {
        eprintln!("SKIPPED: rpm's elfdeps is not installed");
        return;
    }
    let mut compared = 0;
    let folders = [
        ("/usr/lib/x86_64-linux-gnu", 70),
        ("/usr/lib/aarch64-linux-gnu", 150),
        ("/usr/lib/x86_64-linux-gnu/security", 20),
        ("/usr/lib/x86_64-linux-gnu/gconv", 10),
        ("/usr/lib/x86_64-linux-gnu/perl-base/auto/Socket", 5),
        ("/usr/lib/systemd", 30),
        ("/usr/bin", 60),
        ("/usr/sbin", 30),
    ];
    for path in folders.iter().flat_map(|(folder, limit)| files(folder, *limit)) {
        let data = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let ours = elf_dependencies(&data, name, MissingSoname::FileName)
            .unwrap()
            .unwrap_or_default();
        assert_eq!(ours.provides, elfdeps(&path, "--provides"), "{}", path.display());
        // rpm takes no requirements of what has an interpreter but cannot be executed: the C library's own file.
        let requires = elfdeps(&path, "--requires");
        if !requires.is_empty() || ours.requires.is_empty() {
            assert_eq!(ours.requires, requires, "{}", path.display());
        }
        compared += usize::from(ours != Default::default());
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn damage_is_an_error_or_nothing() {
    let data = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let data = &data[..data.len().min(4096)];
    for cut in (0..data.len()).step_by(7) {
        drop(elf_dependencies(&data[..cut], "x", MissingSoname::Nothing));
        let mut flipped = data.to_vec();
        flipped[cut] ^= 0xff;
        drop(elf_dependencies(&flipped, "x", MissingSoname::Nothing));
    }
    assert!(
        elf_dependencies(b"#!/bin/sh\n", "x", MissingSoname::Nothing)
            .unwrap()
            .is_none()
    );
}
