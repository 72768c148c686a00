//! The image and its packages, as the tools of others see them from outside.

use crate::command::{has, image_file, lazuli, out, server, succeed, text};
use std::path::PathBuf;
use std::process::Command;

/// Partition starts in bytes, as sfdisk says.
fn partitions(raw: &PathBuf) -> Vec<(u64, u64, String)> {
    let json = succeed(Command::new("sfdisk").arg("--json").arg(raw));
    let table: serde_json::Value = serde_json::from_str(&json).unwrap();
    let number = |value: &serde_json::Value| value.as_u64().unwrap();
    table["partitiontable"]["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            (
                number(&p["start"]) * 512,
                number(&p["size"]) * 512,
                p["type"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn disk_formats_agree() {
    let raw = image_file(".raw");
    if !has("qemu-img") || !has("sfdisk") {
        return;
    }
    let qcow2 = image_file(".qcow2");
    succeed(Command::new("qemu-img").arg("check").arg(&qcow2));
    succeed(Command::new("qemu-img").arg("compare").arg(&raw).arg(&qcow2));
    let vhd = image_file(".vhd");
    let compare = ["compare", "-f", "raw", "-F", "vpc"];
    succeed(Command::new("qemu-img").args(compare).arg(&raw).arg(&vhd));
    let length = std::fs::metadata(&vhd).unwrap().len();
    assert_eq!(
        (length - 512) % (1 << 20),
        0,
        "Azure wants whole MiB before the footer"
    );

    succeed(Command::new("sfdisk").arg("--verify").arg(&raw));
    let types: Vec<String> = partitions(&raw).into_iter().map(|(_, _, kind)| kind).collect();
    // The Discoverable Partitions Specification: EFI system partition, root of x86-64.
    assert_eq!(
        types,
        [
            "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
            "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
        ]
    );
}

#[test]
fn file_systems_are_sound() {
    let raw = image_file(".raw");
    if !has("e2fsck") || !has("mdir") {
        return;
    }
    let parts = partitions(&raw);
    let esp = format!("{}@@{}", raw.display(), parts[0].0);
    let listing = succeed(Command::new("mdir").args(["-/", "-b", "-i", &esp, "::"]));
    for file in ["/EFI/BOOT/BOOTX64.EFI", "/EFI/Linux/", "/loader/loader.conf"] {
        assert!(
            listing.to_uppercase().contains(&file.to_uppercase()),
            "{file} in {listing}"
        );
    }
    let root = format!("{}?offset={}", raw.display(), parts[1].0);
    succeed(Command::new("e2fsck").args(["-f", "-n", &root]));
}

#[test]
fn packages_are_standard_and_signed() {
    server();
    if !has("rpm") {
        return;
    }
    let repository = out().join("repo/2/x86_64");
    let keys = tempfile::tempdir().unwrap();
    let key = repository.join("repodata/repomd.xml.key");
    let rpm = || {
        let mut command = Command::new("rpm");
        command.arg("--dbpath").arg(keys.path());
        command
    };
    succeed(rpm().arg("--import").arg(&key));
    let mut packages: Vec<PathBuf> = std::fs::read_dir(&repository)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "rpm"))
        .collect();
    packages.sort();
    assert!(packages.len() > 200, "{} packages", packages.len());
    let checked = succeed(rpm().arg("-K").args(&packages));
    let bad: Vec<&str> = checked
        .lines()
        .filter(|line| !line.ends_with("digests signatures OK"))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let scripts = succeed(rpm().args(["-qp", "--scripts"]).args(&packages));
    assert_eq!(scripts, "", "our packages have no scriptlets");
    text(
        "repo check",
        &lazuli(&["repo", "check", repository.to_str().unwrap()]),
    );
}

#[test]
fn dnf_sees_the_same_repository() {
    server();
    if !has("dnf") {
        return;
    }
    let repository = out().join("repo/2/x86_64");
    let cache = tempfile::tempdir().unwrap();
    let mut dnf = Command::new("dnf");
    dnf.args([
        "-q",
        "--repofrompath",
        &format!("lazuli,{}", repository.display()),
        "--repo",
        "lazuli",
    ]);
    dnf.args([
        "--setopt=reposdir=/dev/null",
        "--setopt=lazuli.repo_gpgcheck=0",
        "--forcearch=x86_64",
    ]);
    dnf.arg(format!("--setopt=cachedir={}", cache.path().display()));
    let listed = succeed(dnf.args(["repoquery", "--qf", "%{name}"]));
    let mut names: Vec<&str> = listed.lines().collect();
    names.sort_unstable();
    let files = std::fs::read_dir(&repository).unwrap();
    let count = files
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "rpm")
        })
        .count();
    assert_eq!(names.len(), count);
    for name in ["bash", "lazuli-release", "lz", "systemd"] {
        assert!(names.binary_search(&name).is_ok(), "{name}");
    }
}

#[test]
fn a_second_build_is_the_same_to_the_bit() {
    server();
    text("image verify", &lazuli(&["image", "verify", "server"]));
}

#[test]
fn every_script_is_understood_or_reviewed() {
    server();
    text("component lint", &lazuli(&["component", "lint"]));
}
