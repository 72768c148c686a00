//! Images of a small root: reproducible, readable by other tools, and never half there.

use std::path::Path;
use std::process::Command;

use lazuli_disk::{Entry, TreePath};
use lazuli_image::build::{Built, build};
use lazuli_image::finalise::Growth;
use lazuli_image::manifest::Manifest;
use lazuli_image::{Error, Format, ImageSpec, verify};

use crate::support;

fn spec() -> ImageSpec {
    let mut spec = ImageSpec::new("server", "2.0", 1_700_000_000);
    spec.esp_size = 40 << 20;
    spec.root_free = 16 << 20;
    spec.packages = support::packages();
    spec
}

fn make(spec: &ImageSpec, out: &Path) -> Built {
    build(spec, support::root().finish().unwrap(), out, &|_| {}).unwrap()
}

/// Runs a tool of the host; `None`, with a loud word, where it is missing.
fn tool(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{program}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(_) => {
            eprintln!("SKIPPED: {program} is missing");
            None
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn two_builds_are_the_same_to_the_bit_in_every_format() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let built = make(&spec(), a.path());
    make(&spec(), b.path());
    let expected = [
        "lazuli-server-2.0.cdx.json",
        "lazuli-server-2.0.manifest.json",
        "lazuli-server-2.0.qcow2",
        "lazuli-server-2.0.raw",
        "lazuli-server-2.0.spdx.json",
        "lazuli-server-2.0.vhd",
    ];
    assert_eq!(names(a.path()), expected, "nothing else is left");
    assert_eq!(verify::compare(a.path(), b.path()).unwrap(), []);

    let text = std::fs::read(&built.manifest_path).unwrap();
    let manifest: Manifest = serde_json::from_slice(&text).unwrap();
    assert_eq!(manifest, built.manifest);
    assert_eq!(manifest.packages[0].name, "bash", "packages are sorted");
    let root = &manifest.partitions[1];
    assert!(
        manifest
            .kernel
            .command_line
            .starts_with(&format!("root=PARTUUID={} rw", root.uuid))
    );
    for artefact in &manifest.artefacts {
        let path = a.path().join(&artefact.file);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), artefact.size);
        if let Some(line) = tool("sha256sum", &[path.to_str().unwrap()]) {
            assert!(line.starts_with(&artefact.sha256), "{line}");
        }
    }
    for (format, path) in &built.images {
        let name = match format {
            Format::Raw => "raw",
            Format::Qcow2 => "qcow2",
            Format::Vhd => "vpc",
        };
        let raw = a.path().join("lazuli-server-2.0.raw");
        let compare = [
            "compare",
            "-f",
            "raw",
            "-F",
            name,
            raw.to_str().unwrap(),
            path.to_str().unwrap(),
        ];
        if let Some(answer) = tool("qemu-img", &compare) {
            assert!(answer.contains("Images are identical"), "{format:?}: {answer}");
        }
    }
}

#[test]
fn another_input_gives_other_ids() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut spec = spec();
    spec.formats = vec![Format::Qcow2];
    let one = make(&spec, a.path());
    assert!(
        !a.path().join("lazuli-server-2.0.raw").exists(),
        "nobody asked for it"
    );
    spec.packages[0].sha256 = "00".repeat(32);
    let two = make(&spec, b.path());
    assert_ne!(one.manifest.disk_uuid, two.manifest.disk_uuid);
    assert_ne!(one.manifest.partitions[1].uuid, two.manifest.partitions[1].uuid);
    assert!(!verify::compare(a.path(), b.path()).unwrap().is_empty());
}

#[test]
fn other_tools_read_the_disk() {
    let out = tempfile::tempdir().unwrap();
    let mut spec = spec();
    spec.formats = vec![Format::Raw];
    let built = make(&spec, out.path());
    let raw = built.images[0].1.to_str().unwrap();
    if let Some(table) = tool("sgdisk", &["-v", "-p", raw]) {
        assert!(table.contains("No problems found"), "{table}");
        assert!(table.contains("EF00") && table.contains("8304"), "{table}");
    }
    let (esp, root) = (&built.manifest.partitions[0], &built.manifest.partitions[1]);
    if let Some(list) = tool(
        "mdir",
        &["-/", "-b", "-i", &format!("{raw}@@{}", esp.offset), "::"],
    ) {
        let mut list: Vec<&str> = list.lines().filter(|l| !l.ends_with('/')).collect();
        list.sort_unstable();
        let expected = [
            "::/EFI/BOOT/BOOTX64.EFI",
            "::/EFI/Linux/lazuli-2.0.efi",
            "::/EFI/systemd/systemd-bootx64.efi",
            "::/loader/loader.conf",
        ];
        assert_eq!(list, expected);
    }
    let debugfs = [
        "-R",
        "cat /etc/hostname",
        &format!("{raw}?offset={}", root.offset),
    ];
    if let Some(name) = tool("debugfs", &debugfs) {
        assert_eq!(name, "lazuli\n");
    }
}

#[test]
fn the_kernel_image_has_an_initrd_that_other_tools_read() {
    let out = tempfile::tempdir().unwrap();
    let mut spec = spec();
    spec.formats = vec![Format::Raw];
    let built = make(&spec, out.path());
    assert_eq!(
        built.manifest.kernel.initrd_modules,
        [
            "kernel/scsi_mod.ko",
            "kernel/sd_mod.ko",
            "kernel/virtio_blk.ko",
            "kernel/virtio_scsi.ko"
        ]
    );
    let at = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let esp = format!(
        "{}@@{}",
        built.images[0].1.display(),
        built.manifest.partitions[0].offset
    );
    let (uki, packed, plain) = (at("uki.efi"), at("initrd.zst"), at("initrd.cpio"));
    if tool("mcopy", &["-i", &esp, "::EFI/Linux/lazuli-2.0.efi", &uki]).is_none() {
        return;
    }
    if tool(
        "objcopy",
        &["-O", "binary", "--only-section=.initrd", &uki, &packed],
    )
    .is_none()
        || tool("zstd", &["-q", "-d", &packed, "-o", &plain]).is_none()
    {
        return;
    }
    let Some(list) = tool("cpio", &["--quiet", "-itv", "-F", &plain]) else {
        return;
    };
    assert!(
        list.lines()
            .all(|line| line.split_whitespace().nth(2) == Some("root")),
        "{list}"
    );
    for expected in [
        "init -> usr/lib/systemd/systemd",
        "lib -> usr/lib",
        "etc/initrd-release",
        "usr/lib/modules/6.12.1-test/kernel/virtio_blk.ko",
        "usr/lib/modules/6.12.1-test/modules.dep.bin",
        "usr/lib/systemd/system/sysinit.target.wants/systemd-udevd.service -> ../systemd-udevd.service",
    ] {
        assert!(
            list.lines().any(|line| line.ends_with(expected)),
            "{expected} is missing from\n{list}"
        );
    }
}

/// What a root lacks is named, with what to do; and nothing appears under a final name.
#[test]
fn a_root_that_will_not_do_is_refused() {
    let check = |change: &dyn Fn(&mut lazuli_disk::TreeBuilder), message: &str, hint: bool| {
        let out = tempfile::tempdir().unwrap();
        let mut root = support::root();
        change(&mut root);
        let error = build(&spec(), root.finish().unwrap(), out.path(), &|_| {}).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.hint().is_some(), hint, "{message}");
        assert_eq!(names(out.path()), [""; 0], "{message}");
    };
    let without = |path: &'static str| {
        move |root: &mut lazuli_disk::TreeBuilder| {
            assert!(root.remove(&TreePath::new(path).unwrap()) > 0);
        }
    };
    check(&without("/usr/lib/modules"), "the root has no kernel", true);
    check(
        &|root| support::add_kernel(root, "6.12.2-test"),
        "the root has more than one kernel: 6.12.1-test, 6.12.2-test",
        true,
    );
    check(
        &without("/usr/lib/modules/6.12.1-test/modules.dep"),
        "the root has no `/usr/lib/modules/6.12.1-test/modules.dep`, which the initrd needs",
        true,
    );
    check(
        &without("/usr/lib/systemd/systemd-udevd"),
        "the root has no `/usr/lib/systemd/systemd-udevd`, which the initrd needs",
        false,
    );
    check(
        &without("/usr/lib/systemd/boot"),
        "the root has no `/usr/lib/systemd/boot/efi/linuxx64.efi.stub`, which the kernel image needs",
        true,
    );
    check(
        &|root| {
            root.replace(Entry::symlink("/usr/bin/mount", "mount").unwrap());
        },
        "too many symbolic links while following `/usr/bin/mount` inside the root",
        false,
    );
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let check = |change: &dyn Fn(&mut ImageSpec)| {
        let out = tempfile::tempdir().unwrap();
        let mut spec = spec();
        change(&mut spec);
        let error = build(&spec, support::root().finish().unwrap(), out.path(), &|_| {}).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
        assert_eq!(names(out.path()), [""; 0]);
    };
    check(&|spec| spec.formats.clear());
    check(&|spec| spec.hostname = Some("two words".to_owned()));
    check(&|spec| spec.version = "../2".to_owned());
    check(&|spec| spec.id = String::new());
    check(&|spec| spec.initrd.compression = 40);
    check(&|spec| spec.command_line = "a\0b".to_owned());
}

#[test]
fn the_root_can_have_a_fixed_size() {
    let out = tempfile::tempdir().unwrap();
    let mut spec = spec();
    spec.formats = vec![Format::Raw];
    spec.root_size = Some(64 << 20);
    let built = make(&spec, out.path());
    assert_eq!(built.manifest.partitions[1].size, 64 << 20);
    let mut root = support::root();
    support::add(&mut root, "/usr/large", 0o644, vec![7; 65 << 20]);
    let error = build(&spec, root.finish().unwrap(), out.path(), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("too small"), "{error}");
}

/// What one image's disk is like for other tools: the partition table, and the labels of the file systems.
#[test]
fn disk_and_file_systems_have_the_sizes_and_labels_that_are_set() {
    let out = tempfile::tempdir().unwrap();
    let mut spec = spec();
    spec.formats = vec![Format::Raw];
    spec.disk_size = Some((300 << 20) - 5);
    spec.esp_label = "BOOT-1".to_owned();
    spec.root_label = "Lazuli root".to_owned();
    spec.root_growth = Growth::Never;
    let built = make(&spec, out.path());
    let raw = built.images[0].1.to_str().unwrap();
    assert_eq!(std::fs::metadata(raw).unwrap().len(), 300 << 20);
    assert_eq!(built.manifest.disk_size, 300 << 20);
    let (esp, root) = (&built.manifest.partitions[0], &built.manifest.partitions[1]);
    // The root has what the table's two copies and the ESP leave.
    assert_eq!((esp.size, root.size), (40 << 20, 258 << 20));
    if let Some(table) = tool("sgdisk", &["-v", "-i", "2", raw]) {
        assert!(table.contains("No problems found"), "{table}");
        assert!(table.contains("Attribute flags: 0000000000000000"), "{table}");
    }
    if let Some(label) = tool("mlabel", &["-s", "-i", &format!("{raw}@@{}", esp.offset), "::"]) {
        assert!(label.contains("BOOT-1"), "{label}");
    }
    let superblock = format!("{raw}?offset={}", root.offset);
    if let Some(text) = tool("debugfs", &["-R", "show_super_stats -h", &superblock]) {
        assert!(text.contains("Lazuli root"), "{text}");
        assert!(
            text.lines()
                .any(|line| line.starts_with("Block count:") && line.ends_with(" 66048")),
            "{text}"
        );
    }

    // With a root of its own size, the rest of the disk stays free.
    spec.root_size = Some(64 << 20);
    spec.root_growth = Growth::AtBoot;
    let built = make(&spec, out.path());
    assert_eq!(built.manifest.disk_size, 300 << 20);
    assert_eq!(built.manifest.partitions[1].size, 64 << 20);
    if let Some(table) = tool("sgdisk", &["-v", "-i", "2", raw]) {
        assert!(table.contains("No problems found"), "{table}");
        assert!(table.contains("Attribute flags: 0800000000000000"), "{table}");
    }
}

#[test]
fn a_disk_that_is_too_small_is_refused() {
    let check = |change: &dyn Fn(&mut ImageSpec), expected: &str| {
        let out = tempfile::tempdir().unwrap();
        let mut spec = spec();
        spec.disk_size = Some(100 << 20);
        change(&mut spec);
        let error = build(&spec, support::root().finish().unwrap(), out.path(), &|_| {}).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(names(out.path()), [""; 0]);
    };
    check(
        &|spec| spec.root_free = 80 << 20,
        "leaves 60817408 for the root file system",
    );
    check(
        &|spec| spec.root_size = Some(80 << 20),
        "its partitions and their table need 127926272 bytes",
    );
    check(
        &|spec| spec.disk_size = Some(1),
        "leaves 0 for the root file system",
    );
}

#[test]
fn the_manifest_says_what_the_image_is_for() {
    let out = tempfile::tempdir().unwrap();
    let mut spec = spec();
    spec.formats = vec![Format::Raw];
    spec.labels.insert("vendor".to_owned(), "Lazuli".to_owned());
    spec.capabilities = vec!["machine-bootable".to_owned()];
    spec.channels = vec!["beta".to_owned()];
    let text = std::fs::read(make(&spec, out.path()).manifest_path).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(manifest["labels"]["vendor"], "Lazuli");
    assert_eq!(manifest["capabilities"], serde_json::json!(["machine-bootable"]));
    assert_eq!(manifest["channels"], serde_json::json!(["beta"]));
}

/// A build that fails after an earlier one leaves no manifest that would vouch for files of two builds.
#[test]
fn a_failed_build_takes_the_old_manifest_away() {
    let out = tempfile::tempdir().unwrap();
    let mut spec = spec();
    spec.formats = vec![Format::Raw];
    let manifest = make(&spec, out.path()).manifest_path;
    assert!(manifest.exists());
    spec.esp_size = 1 << 20;
    assert!(build(&spec, support::root().finish().unwrap(), out.path(), &|_| {}).is_err());
    assert!(!manifest.exists());
}
