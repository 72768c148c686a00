//! Whole disks: partition table, EFI system partition, formats, comparison, and a host that is full.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::path::{Path, PathBuf};

use lazuli_disk::disk::{DiskWriter, Partition, PartitionContent};
use lazuli_disk::fat;
use lazuli_disk::gpt::{Attributes, derive_uuid, partition_type};
use lazuli_disk::qcow2::{self, Compression};
use lazuli_disk::{Content, Entry, Error, Kind, OutputFile, Tree, TreePath, compare, ext4, vhd};
use support::{EPOCH, bytes, folder, has, must, noise, run, variety};
use uuid::{Uuid, uuid};

const SEED: Uuid = uuid!("6c617a75-6c69-4a6f-8f2e-0000000000ff");
const MIB: u64 = 1 << 20;

fn esp_files() -> Vec<fat::File> {
    let file = |path: &str, content: Vec<u8>| fat::File::new(path, Content::bytes(content));
    vec![
        file("EFI/BOOT/BOOTX64.EFI", noise(11, 150_000)),
        file("EFI/Linux/lazuli-6.12.48-2.efi", noise(12, 3_000_000)),
        file("EFI/Linux/lazuli-6.12.49-1.efi", noise(13, 4096)),
        file("loader/loader.conf", b"timeout 0\n".to_vec()),
        file("loader/entries.srel", b"type1\n".to_vec()),
        file("loader/empty", Vec::new()),
        file("loader/größe 日本.txt", b"names".to_vec()),
        file(&format!("long/{}", "n".repeat(255)), b"long".to_vec()),
        file("exactly-13-un", b"thirteen units".to_vec()),
    ]
}

fn esp_settings(size: u64) -> fat::Settings {
    fat::Settings {
        size,
        volume_id: 0x1234_ABCD,
        label: "ESP".to_owned(),
        epoch: EPOCH,
    }
}

/// A disk with an ESP, a root file system and a raw partition.
fn write_disk(path: &Path, tree: &Tree, files: &[fat::File]) -> Result<(), Error> {
    let partition = |name: &str, kind, size, attributes| Partition {
        name: name.to_owned(),
        kind,
        guid: derive_uuid(SEED, name),
        attributes,
        size,
    };
    let growing = Attributes::GROW_FILE_SYSTEM;
    let mut writer = DiskWriter::create(
        path,
        derive_uuid(SEED, "disk"),
        vec![
            partition("esp", partition_type::ESP, 40 * MIB, Attributes::NONE),
            partition(
                "raw",
                partition_type::LINUX,
                5000,
                Attributes::NO_AUTO.with(Attributes::READ_ONLY),
            ),
            partition("root", partition_type::ROOT_X86_64, 64 * MIB, growing),
        ],
    )?;
    let root = ext4::plan(
        tree,
        &ext4::Settings::new(64 * MIB, derive_uuid(SEED, "root fs"), EPOCH),
    )?;
    let esp = fat::plan(files, &esp_settings(40 * MIB))?;
    let raw = Content::bytes(noise(21, 5000));
    let contents: [(usize, &dyn PartitionContent); 3] = [(0, &esp), (1, &raw), (2, &root)];
    writer.write(&contents)?;
    writer.set_guid(1, derive_uuid(SEED, "another"))?;
    writer.finish()
}

fn disk(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    write_disk(&path, &variety().finish().unwrap(), &esp_files()).unwrap();
    path
}

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
fn comparison_names_the_file() {
    let (_guard, folder) = folder();
    let first = disk(&folder, "first.raw");
    let second = disk(&folder, "second.raw");
    assert_eq!(compare::disks(&first, &second).unwrap(), []);
    assert!(std::fs::read(&first).unwrap() == std::fs::read(&second).unwrap());

    let check = |change: &dyn Fn(&mut lazuli_disk::TreeBuilder, &mut Vec<fat::File>), expected: &[&str]| {
        let (mut tree, mut files) = (variety(), esp_files());
        change(&mut tree, &mut files);
        write_disk(&second, &tree.finish().unwrap(), &files).unwrap();
        let found: Vec<String> = compare::disks(&first, &second)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected);
    };
    let path = |path: &str| TreePath::new(path).unwrap();
    check(
        &|tree, _| {
            let mut content = noise(3, 5_000_001);
            content[4_500_000] ^= 1;
            tree.get_mut(&path("big")).unwrap().kind = Kind::File(Content::bytes(content));
        },
        &["partition root: /big: the content differs from byte 4500000 on"],
    );
    check(
        &|tree, _| {
            tree.get_mut(&path("etc/hostname")).unwrap().mode = 0o600;
            tree.get_mut(&path("etc/empty")).unwrap().kind = Kind::File(bytes("no longer"));
            tree.remove(&path("zeros"));
            tree.add(Entry::symlink("zz", "target").unwrap().at(i64::from(EPOCH)))
                .unwrap();
        },
        &[
            "partition root: /etc/empty: size 0 and 9",
            "partition root: /etc/hostname: mode 100644 and 100600",
            "partition root: /zeros: only in the first",
            "partition root: /zz: only in the second",
        ],
    );
    check(
        &|_, files| {
            files[3].content = bytes("timeout 9\n");
            files.push(fat::File::new("new", bytes("")));
        },
        &[
            "partition esp: /loader/loader.conf: the content differs",
            "partition esp: /new: only in the second",
        ],
    );
}

#[test]
fn comparison_names_structures_and_sectors() {
    use std::os::unix::fs::FileExt;
    let (_guard, folder) = folder();
    let first = disk(&folder, "first.raw");
    let root = 42 * MIB;
    let cases = [
        (10, "sectors 0..8 of the disk: the bytes differ"),
        (
            41 * MIB + 100,
            "partition raw: sectors 83968..83976 of the disk: the bytes differ",
        ),
        (
            root + 1024 + 0x78,
            "partition root: superblock of group 0: 1 blocks of 4096 bytes differ, though all files are the same",
        ),
        (
            root + 60 * MIB,
            "partition root: blocks of no file: 1 blocks of 4096 bytes differ, though all files are the same",
        ),
    ];
    for (at, expected) in cases {
        let second = disk(&folder, "second.raw");
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .open(&second)
            .unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x20], at).unwrap();
        let found: Vec<String> = compare::disks(&first, &second)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, [expected]);
    }
}

/// Whatever is broken in an image, comparing says something or gives an error, and does not panic or hang.
#[test]
fn comparison_survives_damage() {
    use std::os::unix::fs::FileExt;
    let (_guard, folder) = folder();
    let first = disk(&folder, "first.raw");
    let second = disk(&folder, "second.raw");
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&second)
        .unwrap();
    let random = noise(99, 8 * 100);
    for step in random.chunks(8) {
        let number = u64::from_le_bytes(step.try_into().unwrap());
        // Metadata is where it hurts: partition table, FAT and its directories, superblock, inodes, directories.
        let areas = [
            (0, 17 * 1024),
            (MIB, 2 * MIB),
            (43 * MIB, 4096 * 2),
            (43 * MIB + 4096 * 129, 4096 * 100),
        ];
        let (start, length) = areas[(number % 4) as usize];
        let at = start + (number >> 8) % length;
        let mut before = [0; 4];
        file.read_exact_at(&mut before, at).unwrap();
        file.write_all_at(&((number >> 32) as u32).to_le_bytes(), at)
            .unwrap();
        match compare::disks(&first, &second) {
            Ok(found) => assert!(!found.is_empty() || before == ((number >> 32) as u32).to_le_bytes()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        file.write_all_at(&before, at).unwrap();
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
        ("vhd", Box::new(|out| vhd::convert(&raw, out, SEED, EPOCH))),
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
            matches!(&error, Error::NoSpace { path } if *path == out),
            "{name}: {error}"
        );
        assert_eq!(
            std::fs::read_dir(&small).unwrap().count(),
            0,
            "{name} left something behind"
        );
    }
}
