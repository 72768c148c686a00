//! Comparison of disks says in which file, structure or sector they differ.
#![allow(clippy::unwrap_used)]

mod support;

use lazuli_disk::{Content, Entry, Kind, TreePath, compare, fat};
use support::disk::{MIB, disk, esp_files, write_disk};
use support::{EPOCH, bytes, folder, noise, variety};

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
