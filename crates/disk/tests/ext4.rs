//! The ext4 writer against e2fsprogs and the kernel.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::path::Path;

use lazuli_disk::ext4::{self, Journal, Settings};
use lazuli_disk::{Content, Entry, Error, Kind, Region, ScanOptions, Tree, TreePath};
use support::{EPOCH, bytes, folder, has, image, must, noise, run, sparse_file, variety};
use uuid::{Uuid, uuid};

const UUID: Uuid = uuid!("6c617a75-6c69-4a6f-8f2e-000000000001");
const MIB: u64 = 1 << 20;

fn settings(size: u64) -> Settings {
    Settings {
        label: "lazuli-root".to_owned(),
        ..Settings::new(size, UUID, EPOCH)
    }
}

fn write(tree: &Tree, settings: &Settings, path: &Path) {
    let layout = ext4::plan(tree, settings).unwrap();
    image(path, settings.size, |region| layout.write(region));
}

/// `e2fsck` finds nothing to say: neither a fault nor an optimisation.
fn check(path: &Path) {
    if !has("e2fsck") {
        return;
    }
    let (success, text) = run("e2fsck", &["-fn", path.to_str().unwrap()]);
    assert!(success, "{text}");
    let expected = |line: &&str| {
        line.is_empty()
            || line.starts_with("Pass ")
            || line.starts_with("e2fsck ")
            || line.contains(" files (")
    };
    let complaints: Vec<&str> = text.lines().filter(|line| !expected(line)).collect();
    assert!(complaints.is_empty(), "{text}");
}

/// Every entry of the tree is read back by our own reader, with all its attributes and contents.
fn read_back(tree: &Tree, path: &Path) {
    let file = std::fs::File::open(path).unwrap();
    let reader = ext4::Reader::open(Region::whole(&file, path).unwrap()).unwrap();
    let found = reader.walk().unwrap();
    let found: Vec<_> = found.iter().filter(|found| found.path != b"lost+found").collect();
    assert_eq!(found.len(), tree.entries().len());
    for (entry, found) in tree.entries().iter().zip(found) {
        assert_eq!(entry.path.as_bytes(), found.path);
        let target = match &entry.kind {
            Kind::HardLink(target) => tree.get(target).unwrap(),
            _ => entry,
        };
        let expected = (target.st_mode(), target.uid, target.gid, [target.mtime; 4]);
        assert_eq!(
            expected,
            (found.mode, found.uid, found.gid, found.times),
            "{}",
            entry.path
        );
        assert_eq!(target.xattrs, found.xattrs, "{}", entry.path);
        match &target.kind {
            Kind::File(Content::Bytes(bytes)) => {
                assert!(reader.content(found).unwrap() == **bytes, "{}", entry.path)
            }
            Kind::File(content) => assert_eq!(content.size(), found.size),
            Kind::Symlink(link) => assert_eq!(reader.content(found).unwrap(), **link),
            _ => {}
        }
    }
}

#[test]
fn every_kind_of_entry_in_every_size() {
    let (_guard, folder) = folder();
    let tree = variety().finish().unwrap();
    for (index, size) in [12 * MIB, 64 * MIB, 200 * MIB, 1024 * MIB, 3000 * MIB + 4096 * 77]
        .into_iter()
        .enumerate()
    {
        let path = folder.join(format!("{index}.img"));
        write(&tree, &settings(size), &path);
        check(&path);
        read_back(&tree, &path);
    }
}

#[test]
fn settings_that_change_the_layout() {
    let (_guard, folder) = folder();
    let tree = variety().finish().unwrap();
    let base = settings(300 * MIB);
    let cases = [
        Settings {
            journal: Journal::None,
            ..base.clone()
        },
        Settings {
            journal: Journal::Bytes(200 * MIB),
            ..base.clone()
        },
        Settings {
            growth_limit: 0,
            ..base.clone()
        },
        Settings {
            growth_limit: u64::MAX,
            ..base.clone()
        },
        Settings {
            bytes_per_inode: 2048,
            ..base.clone()
        },
        Settings {
            bytes_per_inode: 1 << 20,
            reserved_percent: 50,
            ..base.clone()
        },
        // Short last groups: none, one that is left off, one with a backup and just enough room.
        Settings {
            size: 384 * MIB,
            ..base.clone()
        },
        Settings {
            size: 384 * MIB + 4096 * 20,
            ..base.clone()
        },
        Settings {
            size: 384 * MIB + 4096 * 180,
            ..base.clone()
        },
        // A flexible group of one short group.
        Settings {
            size: 2048 * MIB + 40 * MIB,
            ..base.clone()
        },
        // More groups than descriptors fit into one block.
        Settings {
            size: 40 << 30,
            ..base.clone()
        },
    ];
    for (index, settings) in cases.iter().enumerate() {
        let path = folder.join(format!("{index}.img"));
        write(&tree, settings, &path);
        check(&path);
        read_back(&tree, &path);
    }
}

#[test]
fn empty_and_one_file() {
    let (_guard, folder) = folder();
    let path = folder.join("fs.img");
    write(&Tree::builder().finish().unwrap(), &settings(16 * MIB), &path);
    check(&path);
    let mut tree = Tree::builder();
    tree.add(Entry::file("hello", 0o644, bytes("hello\n")).unwrap())
        .unwrap();
    let tree = tree.finish().unwrap();
    write(&tree, &settings(16 * MIB), &path);
    check(&path);
    read_back(&tree, &path);
    if has("debugfs") {
        assert!(must("debugfs", &["-R", "cat /hello", path.to_str().unwrap()]).contains("hello\n"));
    }
}

#[test]
fn lost_and_found_of_the_tree_is_kept() {
    let (_guard, folder) = folder();
    let path = folder.join("fs.img");
    let mut tree = Tree::builder();
    tree.add(Entry::directory("lost+found", 0o711).unwrap().owned_by(5, 6))
        .unwrap();
    tree.add(Entry::file("lost+found/#12", 0o600, bytes("saved")).unwrap())
        .unwrap();
    write(&tree.finish().unwrap(), &settings(16 * MIB), &path);
    check(&path);
    let mut tree = Tree::builder();
    tree.add(Entry::symlink("lost+found", "elsewhere").unwrap())
        .unwrap();
    let tree = tree.finish().unwrap();
    assert!(matches!(
        ext4::plan(&tree, &settings(16 * MIB)),
        Err(Error::Unrepresentable { .. })
    ));
}

/// Directories whose hash tree has one level, two levels, names of one hash, and names that are no ASCII.
#[test]
fn large_directories() {
    let (_guard, folder) = folder();
    let path = folder.join("fs.img");
    let mut tree = Tree::builder();
    for index in 0..10_000 {
        tree.add(Entry::file(format!("one/file-{index}"), 0o644, bytes("")).unwrap())
            .unwrap();
        let long = format!("{index:0>200}ü{}", "é".repeat(26));
        tree.add(Entry::symlink(format!("two/{long}"), "x").unwrap())
            .unwrap();
    }
    for index in 0..300 {
        tree.add(Entry::directory(format!("three/näme-{index}-\u{fffd}"), 0o755).unwrap())
            .unwrap();
    }
    let tree = tree.finish().unwrap();
    let settings = settings(256 * MIB);
    write(&tree, &settings, &path);
    check(&path);
    read_back(&tree, &path);
    if has("debugfs") {
        let image = path.to_str().unwrap();
        assert!(must("debugfs", &["-R", "htree /two", image]).contains("Indirect levels: 1"));
        assert!(must("debugfs", &["-R", "htree /one", image]).contains("Indirect levels: 0"));
    }
}

#[test]
fn many_small_files() {
    let (_guard, folder) = folder();
    let path = folder.join("fs.img");
    let mut tree = Tree::builder();
    for index in 0..50_000u32 {
        let content = noise(u64::from(index), (index % 700) as usize);
        let name = format!("d{}/e{}/f{index}", index % 7, index % 1000);
        tree.add(
            Entry::file(name, 0o644, Content::bytes(content))
                .unwrap()
                .owned_by(index, index / 2),
        )
        .unwrap();
    }
    let tree = tree.finish().unwrap();
    let size = ext4::minimum_size(&tree, &settings(0)).unwrap();
    write(&tree, &settings(size), &path);
    check(&path);
    read_back(&tree, &path);
}

/// A file of 3 GiB with holes, in a file system whose fixed blocks break it into more extents than the inode holds.
#[test]
fn large_files_have_extent_trees() {
    let (_guard, folder) = folder();
    let (path, source) = (folder.join("fs.img"), folder.join("source"));
    let file = sparse_file(&source, (3 << 30) + 5);
    for index in 0..30u64 {
        use std::os::unix::fs::FileExt;
        file.write_all_at(&noise(index, 5000), index * 107_000_001)
            .unwrap();
    }
    let mut tree = Tree::builder();
    tree.add(Entry::file("large", 0o644, Content::host_file(&source).unwrap()).unwrap())
        .unwrap();
    let tree = tree.finish().unwrap();
    let size = ext4::minimum_size(&tree, &settings(0)).unwrap();
    write(&tree, &settings(size), &path);
    check(&path);
    assert!(
        path.metadata().unwrap().blocks() * 512 < 16 * MIB,
        "the image is not sparse"
    );
    let image = std::fs::File::open(&path).unwrap();
    let reader = ext4::Reader::open(Region::whole(&image, &path).unwrap()).unwrap();
    let found = reader
        .walk()
        .unwrap()
        .into_iter()
        .find(|found| found.path == b"large")
        .unwrap();
    assert!(found.extents.len() > 4, "{:?}", found.extents);
    for index in 0..30u64 {
        let mut read = vec![0; 5000];
        reader.read_at(&found, index * 107_000_001, &mut read).unwrap();
        assert!(read == noise(index, 5000), "part {index}");
    }
    use std::os::unix::fs::MetadataExt;
}

#[test]
fn the_same_bytes_every_time() {
    let (_guard, folder) = folder();
    let tree = variety().finish().unwrap();
    let images = ["a.img", "b.img"].map(|name| folder.join(name));
    for path in &images {
        write(&tree, &settings(64 * MIB), path);
    }
    assert!(std::fs::read(&images[0]).unwrap() == std::fs::read(&images[1]).unwrap());
}

/// Two copies of a folder, made in opposite orders at different times, give the same image.
#[test]
fn the_same_bytes_from_two_staged_copies() {
    let (_guard, folder) = folder();
    let mut images = Vec::new();
    for (name, reverse) in [("one", false), ("two", true)] {
        let root = folder.join(name);
        let mut numbers: Vec<u32> = (0..200).collect();
        if reverse {
            numbers.reverse();
        }
        for number in numbers {
            let parent = root.join(format!("folder-{}", number % 7));
            std::fs::create_dir_all(&parent).unwrap();
            let file = parent.join(format!("file-{number}"));
            std::fs::write(&file, noise(u64::from(number), 3000)).unwrap();
            std::fs::hard_link(&file, parent.join(format!("a-link-{number}"))).unwrap();
            std::os::unix::fs::symlink("target", parent.join(format!("symlink-{number}"))).unwrap();
        }
        std::fs::write(root.join("left-out"), "x").unwrap();
        let exclude = |path: &TreePath| path.as_bytes() == b"left-out";
        let options = ScanOptions {
            clamp_mtime: Some(i64::from(EPOCH)),
            exclude: Some(&exclude),
        };
        let tree = Tree::scan(&root, &options).unwrap();
        assert_eq!(
            tree.entries()
                .iter()
                .filter(|entry| matches!(entry.kind, Kind::HardLink(_)))
                .count(),
            200
        );
        let path = folder.join(format!("{name}.img"));
        write(&tree, &settings(32 * MIB), &path);
        check(&path);
        images.push(std::fs::read(&path).unwrap());
    }
    assert!(images[0] == images[1]);
}

#[test]
fn the_minimum_size_is_enough_and_less_is_not() {
    let mut large = variety();
    for index in 0..3000 {
        let entry = Entry::file(
            format!("many/{}/{index}", index % 10),
            0o644,
            Content::bytes(noise(index, 30_000)),
        )
        .unwrap();
        large
            .add(entry.with_xattr("user.large", noise(index, 500)))
            .unwrap();
    }
    for tree in [Tree::builder(), variety(), large] {
        let tree = tree.finish().unwrap();
        let size = ext4::minimum_size(&tree, &settings(0)).unwrap();
        let layout = ext4::plan(&tree, &settings(size)).unwrap();
        assert!(
            layout.free() < 4 * MIB,
            "{} of {size} bytes are free",
            layout.free()
        );
        match ext4::plan(&tree, &settings(size - MIB)) {
            Err(Error::TooSmall { needed, .. }) => assert!(needed <= size),
            other => panic!("{:?}", other.map(|layout| layout.free())),
        }
    }
}

#[test]
fn refusals() {
    let (_guard, folder) = folder();
    let tree = |entry: Entry| {
        let mut tree = Tree::builder();
        tree.add(entry).unwrap();
        tree.finish().unwrap()
    };
    let plain = || Entry::file("f", 0o644, bytes("x")).unwrap();
    let unrepresentable = [
        plain().with_xattr("user.huge", noise(1, 5000)),
        plain().with_xattr("strange.name", "x"),
        plain().with_xattr("user.", "x"),
        plain().with_xattr("system.posix_acl_access", "no list"),
        plain().at(1 << 40),
    ];
    for entry in unrepresentable {
        let result = ext4::plan(&tree(entry.clone()), &settings(16 * MIB)).map(|_| ());
        assert!(
            matches!(result, Err(Error::Unrepresentable { .. })),
            "{entry:?}: {result:?}"
        );
    }
    let long = Settings {
        label: "x".repeat(17),
        ..settings(16 * MIB)
    };
    assert!(matches!(
        ext4::plan(&tree(plain()), &long),
        Err(Error::Settings { .. })
    ));

    // A source that changed after it was planned.
    let source = folder.join("source");
    std::fs::write(&source, "before").unwrap();
    let tree = tree(Entry::file("f", 0o644, Content::host_file(&source).unwrap()).unwrap());
    let layout = ext4::plan(&tree, &settings(16 * MIB)).unwrap();
    std::fs::write(&source, "and after").unwrap();
    let path = folder.join("fs.img");
    let file = sparse_file(&path, 16 * MIB);
    let result = layout.write(Region::new(&file, &path, 0, 16 * MIB));
    assert!(
        matches!(
            result,
            Err(Error::Changed {
                expected: 6,
                found: 9,
                ..
            })
        ),
        "{result:?}"
    );
    // A region that is too short is no way to write behind its end.
    std::fs::write(&source, "before").unwrap();
    let result = layout.write(Region::new(&file, &path, 0, 15 * MIB));
    assert!(result.is_err() || file.metadata().unwrap().len() == 16 * MIB);
}

/// The kernel sees what the tree says: needs root, for a loop mount.
#[test]
fn the_kernel_agrees() {
    let (_guard, folder) = folder();
    let path = folder.join("fs.img");
    let mount = folder.join("mount");
    std::fs::create_dir(&mount).unwrap();
    let tree = variety().finish().unwrap();
    write(&tree, &settings(64 * MIB), &path);
    let Some(_mounted) = support::Mounted::new(&path, &mount) else {
        return;
    };
    // Device nodes can be seen without being opened.
    let exclude = |path: &TreePath| path.as_bytes() == b"lost+found";
    let seen = Tree::scan(
        &mount,
        &ScanOptions {
            clamp_mtime: None,
            exclude: Some(&exclude),
        },
    )
    .unwrap();
    assert_eq!(seen.entries().len(), tree.entries().len());
    let names = |tree: &Tree, owner: &TreePath| -> usize {
        tree.entries()
            .iter()
            .filter(|e| matches!(&e.kind, Kind::HardLink(target) if target == owner))
            .count()
    };
    for (expected, seen_entry) in tree.entries().iter().zip(seen.entries()) {
        assert_eq!(expected.path, seen_entry.path);
        let resolve = |tree: &Tree, entry: &Entry| match &entry.kind {
            Kind::HardLink(target) => tree.get(target).unwrap().clone(),
            _ => entry.clone(),
        };
        let (one, other) = (resolve(&tree, expected), resolve(&seen, seen_entry));
        assert_eq!(
            names(&tree, &one.path),
            names(&seen, &other.path),
            "{}",
            expected.path
        );
        let attributes = |entry: &Entry| (entry.st_mode(), entry.uid, entry.gid, entry.mtime);
        assert_eq!(attributes(&one), attributes(&other), "{}", expected.path);
        // Labels of the host's security modules are not scanned.
        let mut xattrs = one.xattrs.clone();
        xattrs.retain(|name, _| name != b"security.ima");
        assert_eq!(xattrs, other.xattrs, "{}", expected.path);
        match (&one.kind, &other.kind) {
            (Kind::File(Content::Bytes(bytes)), Kind::File(Content::HostFile { path, .. })) => {
                assert!(std::fs::read(path).unwrap() == **bytes, "{}", expected.path);
            }
            (one, other) => assert_eq!(one, other, "{}", expected.path),
        }
    }
}

/// After growing, offline here (the booted tests grow it while it is mounted), it is still whole.
#[test]
fn it_can_grow() {
    if !has("resize2fs") {
        return;
    }
    let (_guard, folder) = folder();
    let path = folder.join("fs.img");
    let tree = variety().finish().unwrap();
    write(&tree, &settings(1024 * MIB), &path);
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(20 << 30).unwrap();
    must("resize2fs", &[path.to_str().unwrap()]);
    check(&path);
    let dump = must("dumpe2fs", &["-h", path.to_str().unwrap()]);
    assert!(
        dump.contains("resize_inode") && !dump.contains("meta_bg"),
        "{dump}"
    );
}

/// `debugfs` and the tree agree, without root.
#[test]
fn debugfs_agrees() {
    if !has("debugfs") {
        return;
    }
    let (_guard, folder) = folder();
    let path = folder.join("fs.img");
    let tree = variety().finish().unwrap();
    write(&tree, &settings(64 * MIB), &path);
    let image = path.to_str().unwrap();
    let out = folder.join("out");
    for entry in tree.entries() {
        let name = String::from_utf8_lossy(entry.path.as_bytes()).into_owned();
        if let Kind::File(Content::Bytes(bytes)) = &entry.kind {
            must(
                "debugfs",
                &["-R", &format!("dump \"/{name}\" {}", out.display()), image],
            );
            assert!(std::fs::read(&out).unwrap() == **bytes, "{name}");
        }
    }
    let stat = must("debugfs", &["-R", "stat /usr/bin/sudo", image]);
    assert!(
        stat.contains("Mode:  04755") && stat.contains("Links: 3"),
        "{stat}"
    );
    let stat = must("debugfs", &["-R", "stat /etc/shadow", image]);
    assert!(stat.contains("User:     0   Group:    42"), "{stat}");
    let attributes = must("debugfs", &["-R", "ea_list /usr/bin/ping", image]);
    assert!(attributes.contains("security.capability (20)"), "{attributes}");
    let device = must("debugfs", &["-R", "stat /dev/nvme", image]);
    assert!(device.contains("259:700000"), "{device}");
}
