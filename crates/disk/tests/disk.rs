//! Whole disks: partition table, EFI system partition, formats, comparison, and a host that is full.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::path::Path;

use lazuli_disk::fat;
use lazuli_disk::gpt::{derive_uuid, partition_type};
use lazuli_disk::qcow2::{self, Compression};
use lazuli_disk::{Content, Digest, Error, OutputFile, vhd};
use support::disk::{MIB, SEED, disk, esp_files, esp_settings, write_disk};
use support::{EPOCH, bytes, folder, has, must, noise, run, variety};

#[test]
fn partition_tools_accept_the_table() {
    let (_guard, folder) = folder();
    let path = disk(&folder, "disk.raw");
    let image = path.to_str().unwrap();
    if has("sgdisk") {
        let text = must("sgdisk", &["-v", image]);
        assert!(text.contains("No problems found"), "{text}");
        let text = must("sgdisk", &["-i", "3", image]);
        for expected in [
            "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
            "'root'",
            "Attribute flags: 0800000000000000",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }
    if has("sfdisk") {
        let text = must("sfdisk", &["--verify", image]);
        assert!(text.contains("No errors detected"), "{text}");
        let text = must("sfdisk", &["--dump", image]);
        let guid = derive_uuid(SEED, "another").to_string().to_uppercase();
        for expected in [
            "start=        2048, size=       81920",
            guid.as_str(),
            "name=\"esp\"",
            "GUID:60,63",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }
}

/// The constants are those that util-linux has under the names of the specification.
#[test]
fn partition_types_have_their_names() {
    if !has("sfdisk") {
        return;
    }
    let types = must("sfdisk", &["--label", "gpt", "--list-types"]);
    let cases = [
        (partition_type::ESP, "EFI System"),
        (partition_type::XBOOTLDR, "Linux extended boot"),
        (partition_type::ROOT_X86_64, "Linux root (x86-64)"),
        (partition_type::ROOT_X86_64_VERITY, "Linux root verity (x86-64)"),
        (
            partition_type::ROOT_X86_64_VERITY_SIG,
            "Linux root verity sign. (x86-64)",
        ),
        (partition_type::ROOT_ARM64, "Linux root (ARM-64)"),
        (partition_type::ROOT_ARM64_VERITY, "Linux root verity (ARM-64)"),
        (
            partition_type::ROOT_ARM64_VERITY_SIG,
            "Linux root verity sign. (ARM-64)",
        ),
        (partition_type::USR_X86_64, "Linux /usr (x86-64)"),
        (partition_type::USR_X86_64_VERITY, "Linux /usr verity (x86-64)"),
        (
            partition_type::USR_X86_64_VERITY_SIG,
            "Linux /usr verity sign. (x86-64)",
        ),
        (partition_type::USR_ARM64, "Linux /usr (ARM-64)"),
        (partition_type::USR_ARM64_VERITY, "Linux /usr verity (ARM-64)"),
        (
            partition_type::USR_ARM64_VERITY_SIG,
            "Linux /usr verity sign. (ARM-64)",
        ),
        (partition_type::SWAP, "Linux swap"),
        (partition_type::HOME, "Linux home"),
        (partition_type::SRV, "Linux server data"),
        (partition_type::VAR, "Linux variable data"),
        (partition_type::LINUX, "Linux filesystem"),
    ];
    for (uuid, name) in cases {
        let line = format!("{}  {name}", uuid.to_string().to_uppercase());
        assert!(types.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn the_file_systems_are_where_the_table_says() {
    let (_guard, folder) = folder();
    let path = disk(&folder, "disk.raw");
    let bytes = std::fs::read(&path).unwrap();
    let root = folder.join("root.img");
    std::fs::write(&root, &bytes[42 * MIB as usize..106 * MIB as usize]).unwrap();
    if has("e2fsck") {
        must("e2fsck", &["-fn", root.to_str().unwrap()]);
    }
    assert!(bytes[41 * MIB as usize..][..5000] == noise(21, 5000));
    assert_eq!(bytes.len() as u64, 107 * MIB);
}

fn check_fat(path: &Path) {
    if has("fsck.fat") {
        let (success, text) = run("fsck.fat", &["-n", "-v", path.to_str().unwrap()]);
        assert!(success, "{text}");
        let bad = [
            "differ",
            "wrong",
            "Free cluster",
            "Orphan",
            "bad",
            "Bad",
            "Dirty",
            "Reclaim",
        ];
        assert!(
            !text.lines().any(|line| bad.iter().any(|bad| line.contains(bad))),
            "{text}"
        );
    }
}

#[test]
fn fat_of_many_sizes() {
    let (_guard, folder) = folder();
    let path = folder.join("esp.img");
    for mib in [36, 64, 100, 256, 257, 512, 1024, 9 * 1024, 33 * 1024] {
        let size = mib * MIB;
        let layout = fat::plan(&esp_files(), &esp_settings(size)).unwrap();
        support::image(&path, size, |region| layout.write(region));
        check_fat(&path);
        if has("minfo") && mib <= 1024 {
            let info = must("minfo", &["-i", path.to_str().unwrap(), "::"]);
            assert!(
                info.contains("disk type=\"FAT32") && info.contains("serial number: 1234ABCD"),
                "{info}"
            );
        }
    }
    assert!(matches!(
        fat::plan(&[], &esp_settings(20 * MIB)),
        Err(Error::TooSmall { .. })
    ));
    let large = vec![fat::File::new("f", Content::bytes(vec![1; 40 << 20]))];
    assert!(matches!(
        fat::plan(&large, &esp_settings(36 * MIB)),
        Err(Error::TooSmall { .. })
    ));
    let needed = match fat::plan(&[], &esp_settings(MIB)) {
        Err(Error::TooSmall { needed, .. }) => needed,
        other => panic!("{other:?}"),
    };
    fat::plan(&[], &esp_settings(needed)).unwrap();
}

#[test]
fn mtools_read_the_files() {
    if !has("mcopy") {
        return;
    }
    let (_guard, folder) = folder();
    let path = folder.join("esp.img");
    let layout = fat::plan(&esp_files(), &esp_settings(256 * MIB)).unwrap();
    support::image(&path, 256 * MIB, |region| layout.write(region));
    let image = path.to_str().unwrap();
    let out = folder.join("out");
    for file in esp_files().iter().filter(|file| file.path.is_ascii()) {
        let _ = std::fs::remove_file(&out);
        must(
            "mcopy",
            &["-i", image, &format!("::{}", file.path), out.to_str().unwrap()],
        );
        let Content::Bytes(expected) = &file.content else {
            panic!()
        };
        assert!(std::fs::read(&out).unwrap() == **expected, "{}", file.path);
    }
    let listing = must("mdir", &["-i", image, "::EFI/Linux"]);
    for expected in [
        "LAZULI~1 EFI",
        "lazuli-6.12.48-2.efi",
        "2023-11-14  22:13",
        "3000000",
    ] {
        assert!(listing.contains(expected), "{expected} is not in\n{listing}");
    }
    // Adding a file with another tool works, so free space is as it should be.
    std::fs::write(&out, noise(1, 500_000)).unwrap();
    must("mcopy", &["-i", image, out.to_str().unwrap(), "::added.img"]);
    check_fat(&path);
}

#[test]
fn fat_refusals() {
    let plan = |paths: &[&str]| {
        let files: Vec<fat::File> = paths
            .iter()
            .map(|path| fat::File::new(*path, bytes("x")))
            .collect();
        fat::plan(&files, &esp_settings(64 * MIB)).map(|_| ())
    };
    assert!(matches!(plan(&["a", "A"]), Err(Error::Duplicate { .. })));
    assert!(matches!(
        plan(&["EFI", "efi/boot"]),
        Err(Error::ParentNotDirectory { .. } | Error::Duplicate { .. })
    ));
    for path in ["", "a/../b", "a:b", "a?", "dot.", "a\u{7}"] {
        assert!(matches!(plan(&[path]), Err(Error::InvalidPath { .. })), "{path}");
    }
    plan(&["EFI/a", "efi/b", "Efi/C/d"]).unwrap();
    let label = fat::Settings {
        label: "lower".to_owned(),
        ..esp_settings(64 * MIB)
    };
    assert!(matches!(fat::plan(&[], &label), Err(Error::Settings { .. })));
}

#[test]
fn vhd_is_what_qemu_expects() {
    let (_guard, folder) = folder();
    let raw = disk(&folder, "disk.raw");
    let (one, other) = (folder.join("one.vhd"), folder.join("other.vhd"));
    for out in [&one, &other] {
        vhd::convert(&raw, out, derive_uuid(SEED, "vhd"), EPOCH).unwrap();
    }
    let bytes = std::fs::read(&one).unwrap();
    assert!(bytes == std::fs::read(&other).unwrap());
    assert_eq!((bytes.len() - 512) as u64 % MIB, 0);
    assert!(bytes[..bytes.len() - 512] == std::fs::read(&raw).unwrap());
    if has("qemu-img") {
        let info = must("qemu-img", &["info", "-f", "vpc", one.to_str().unwrap()]);
        assert!(info.contains(&format!("({} bytes)", bytes.len() - 512)), "{info}");
        must(
            "qemu-img",
            &[
                "compare",
                "-f",
                "raw",
                "-F",
                "vpc",
                raw.to_str().unwrap(),
                one.to_str().unwrap(),
            ],
        );
    }
}

/// The footer is QEMU's own, but for who made it when and the geometry, which QEMU leaves out where the size is exact.
/// Where it makes a geometry, by rounding the size to one, that is ours too, on both sides of each step of the rules.
#[test]
fn vhd_footers_are_as_qemu_writes_them() {
    if !has("qemu-img") {
        return;
    }
    let (_guard, folder) = folder();
    let path = folder.join("q.vhd");
    let create = |options: &str, size: u64| -> (u64, [u8; 512]) {
        use std::os::unix::fs::FileExt;
        let options = format!("subformat=fixed{options}");
        must(
            "qemu-img",
            &[
                "create",
                "-q",
                "-f",
                "vpc",
                "-o",
                &options,
                path.to_str().unwrap(),
                &size.to_string(),
            ],
        );
        let size = path.metadata().unwrap().len() - 512;
        let mut footer = [0; 512];
        std::fs::File::open(&path)
            .unwrap()
            .read_exact_at(&mut footer, size)
            .unwrap();
        (size, footer)
    };
    for mib in [
        1, 3, 30, 100, 503, 504, 505, 1024, 2048, 10_240, 32_255, 32_768, 100_000,
    ] {
        let (size, theirs) = create(",force_size=on", mib * MIB);
        let ours = vhd::footer(size, SEED, EPOCH);
        // Left out: time, version of the creator, geometry, checksum, UUID.
        for range in [0..24, 28..32, 36..56, 60..64, 84..512] {
            assert_eq!(
                ours[range.clone()],
                theirs[range.clone()],
                "{mib} MiB, bytes {range:?}"
            );
        }
        let (size, theirs) = create("", mib * MIB);
        assert_eq!(
            vhd::footer(size, SEED, EPOCH)[56..60],
            theirs[56..60],
            "{size} bytes"
        );
    }
}

#[test]
fn vhd_pads_to_whole_mebibytes() {
    let (_guard, folder) = folder();
    let (raw, out) = (folder.join("raw"), folder.join("out.vhd"));
    std::fs::write(&raw, noise(1, 1_500_000)).unwrap();
    vhd::convert(&raw, &out, SEED, EPOCH).unwrap();
    assert_eq!(out.metadata().unwrap().len(), 2 * MIB + 512);
}

/// Digests are those of all bytes, wherever the holes are: at the start, inside, at the end, everywhere, nowhere.
#[test]
fn digests_count_holes_as_zeros() {
    use sha2::Digest as _;
    use std::os::unix::fs::FileExt;

    let check = |path: &Path, digest: Digest| {
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(digest.size, bytes.len() as u64, "{path:?}");
        assert_eq!(digest.sha256, *sha2::Sha256::digest(&bytes), "{path:?}");
        let again = Digest::of(&std::fs::File::open(path).unwrap(), path).unwrap();
        assert_eq!(again, digest, "{path:?}");
    };
    let (_guard, folder) = folder();
    let (raw, out) = (folder.join("raw"), folder.join("out.vhd"));
    let cases: [(u64, &[(u64, usize)]); 5] = [
        (3 * MIB, &[(MIB, 70_000), (2 * MIB - 4096, 300_000)]),
        (5 * MIB + 512, &[(0, 1), (4 * MIB, 4096)]),
        (MIB, &[]),
        (2 * MIB, &[(0, 2 << 20)]),
        (1_234_567, &[(0, 1_234_567)]),
    ];
    for (size, data) in cases {
        let file = std::fs::File::create(&raw).unwrap();
        file.set_len(size).unwrap();
        for (position, length) in data {
            file.write_all_at(&noise(7, *length), *position).unwrap();
        }
        let done = vhd::convert(&raw, &out, SEED, EPOCH).unwrap();
        check(&raw, done.raw);
        check(&out, done.vhd);
    }
}

#[test]
fn qcow2_is_what_qemu_expects() {
    let (_guard, folder) = folder();
    let raw = disk(&folder, "disk.raw");
    let other = folder.join("other.raw");
    // Whole clusters, no clusters, the end of the disk within a cluster, and enough for several L2 tables.
    support::sparse_file(&other, (1 << 30) + 12 * 512);
    {
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::options().write(true).open(&other).unwrap();
        for (index, at) in [0, 65_000, 600 * MIB, 600 * MIB + 65536, (1 << 30) + 5 * 512]
            .into_iter()
            .enumerate()
        {
            let content = if index % 2 == 0 {
                noise(index as u64, 300)
            } else {
                vec![b'x'; 70_000]
            };
            file.write_all_at(&content, at).unwrap();
        }
    }
    let empty = folder.join("empty.raw");
    support::sparse_file(&empty, 10 * MIB);
    for raw in [&raw, &other, &empty] {
        for compression in [Compression::None, Compression::Zstd(3)] {
            let out = folder.join("out.qcow2");
            qcow2::convert(raw, &out, compression).unwrap();
            let first = std::fs::read(&out).unwrap();
            qcow2::convert(raw, &out, compression).unwrap();
            assert!(first == std::fs::read(&out).unwrap());
            if !has("qemu-img") {
                continue;
            }
            let (raw, out) = (raw.to_str().unwrap(), out.to_str().unwrap());
            let text = must("qemu-img", &["check", "-f", "qcow2", out]);
            assert!(text.contains("No errors were found"), "{text}");
            must("qemu-img", &["compare", "-f", "raw", "-F", "qcow2", raw, out]);
            // It can be written to, which trusts the refcounts.
            must("qemu-img", &["resize", "-f", "qcow2", out, "+1G"]);
            must("qemu-img", &["check", "-f", "qcow2", out]);
        }
    }
}

#[test]
fn nothing_half_made_gets_its_name() {
    let (_guard, folder) = folder();
    let path = folder.join("output");
    let names = || -> Vec<String> {
        let list = std::fs::read_dir(&folder).unwrap();
        let mut names: Vec<String> = list
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    // Given up: nothing remains.
    drop(OutputFile::create(&path).unwrap());
    assert!(names().is_empty());
    // Two at once: the second is told.
    let first = OutputFile::create(&path).unwrap();
    assert!(matches!(OutputFile::create(&path), Err(Error::Busy { .. })));
    first.region(5).write_at(0, b"first").unwrap();
    assert_eq!(names(), [".output.partial"]);
    first.commit().unwrap();
    assert_eq!(
        (names(), std::fs::read(&path).unwrap()),
        (vec!["output".to_owned()], b"first".to_vec())
    );
    // What a killed process left is taken over, and the old output stays until the new one is complete.
    std::fs::write(folder.join(".output.partial"), "a long rest of a killed process").unwrap();
    let second = OutputFile::create(&path).unwrap();
    second.region(6).write_at(0, b"second").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"first");
    second.commit().unwrap();
    assert_eq!(
        (names(), std::fs::read(&path).unwrap()),
        (vec!["output".to_owned()], b"second".to_vec())
    );
}

/// On a full disk there is a clear error and no output: needs root, for a small tmpfs.
#[test]
fn a_full_disk_is_a_clear_error() {
    let (_guard, folder) = folder();
    let raw = disk(&folder, "disk.raw");
    let small = folder.join("small");
    std::fs::create_dir(&small).unwrap();
    let Some(_mounted) = support::Mounted::tmpfs(&small, "1m") else {
        return;
    };
    type Make<'a> = Box<dyn Fn(&Path) -> Result<(), Error> + 'a>;
    let cases: [(&str, Make<'_>); 4] = [
        (
            "disk",
            Box::new(|out| write_disk(out, &variety().finish().unwrap(), &esp_files())),
        ),
        (
            "vhd",
            Box::new(|out| vhd::convert(&raw, out, SEED, EPOCH).map(drop)),
        ),
        (
            "qcow2",
            Box::new(|out| qcow2::convert(&raw, out, Compression::None)),
        ),
        (
            "compressed",
            Box::new(|out| qcow2::convert(&raw, out, Compression::Zstd(1))),
        ),
    ];
    for (name, make) in cases {
        let out = small.join(name);
        let error = make(&out).unwrap_err();
        assert!(
            matches!(&error, Error::NoSpace { path, .. } if *path == out),
            "{name}: {error}"
        );
        assert_eq!(
            std::fs::read_dir(&small).unwrap().count(),
            0,
            "{name} left something behind"
        );
    }
}
