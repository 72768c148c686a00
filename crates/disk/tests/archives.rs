//! cpio and tar archives against GNU cpio and tar.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use lazuli_disk::tar::Names;
use lazuli_disk::{Content, Entry, Kind, Tree, cpio, tar};
use support::{bytes, folder, has, must, variety};

/// Names that differ between what `find` prints below two folders, with types, modes, sizes and link targets.
fn listing(folder: &Path) -> String {
    let format = "%P %y %m %s %l %n %T@\\n";
    let text = must(
        "find",
        &[
            folder.to_str().unwrap(),
            "-mindepth",
            "1",
            "-not",
            "-type",
            "d",
            "-printf",
            format,
        ],
    );
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// A tree that an ordinary user can unpack.
fn unprivileged() -> Tree {
    let mut tree = variety();
    for path in ["dev", "run/socket", "zeros", "old"] {
        tree.remove(&lazuli_disk::TreePath::new(path).unwrap());
    }
    tree.entries_mut().for_each(|entry| {
        (entry.uid, entry.gid) = (0, 0);
        entry.xattrs.clear();
    });
    tree.finish().unwrap()
}

fn expected(tree: &Tree) -> String {
    let links = |entry: &Entry| {
        let is_name = |other: &&Entry| matches!(&other.kind, Kind::HardLink(target) if *target == entry.path);
        1 + tree.entries().iter().filter(is_name).count()
    };
    let mut lines = Vec::new();
    for entry in tree.entries() {
        let file = match &entry.kind {
            Kind::HardLink(target) => tree.get(target).unwrap(),
            _ => entry,
        };
        let (kind, size, link) = match &file.kind {
            Kind::Directory => continue,
            Kind::File(content) => ("f", content.size(), String::new()),
            Kind::Symlink(target) => (
                "l",
                target.len() as u64,
                String::from_utf8_lossy(target).into_owned(),
            ),
            _ => ("p", 0, String::new()),
        };
        let path = String::from_utf8_lossy(entry.path.as_bytes());
        lines.push(format!(
            "{path} {kind} {:o} {size} {link} {} {}.0000000000",
            file.mode,
            links(file),
            file.mtime
        ));
    }
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn cpio_unpacks_as_the_tree_says() {
    let tree = unprivileged();
    let mut archive = Vec::new();
    let length = cpio::write(&tree, &mut archive).unwrap();
    assert_eq!((length, length % 512), (archive.len() as u64, 0));
    let mut again = Vec::new();
    cpio::write(&tree, &mut again).unwrap();
    assert!(archive == again);
    if !has("cpio") {
        return;
    }
    let (_guard, folder) = folder();
    let (file, out) = (folder.join("archive"), folder.join("out"));
    std::fs::write(&file, &archive).unwrap();
    std::fs::create_dir(&out).unwrap();
    let script = format!("cd {} && cpio -idm --quiet < {}", out.display(), file.display());
    must("sh", &["-c", &script]);
    // cpio does not set the times of symbolic links.
    let without_link_times = |text: &str| -> Vec<String> {
        let cut = |line: &str| {
            if line.contains(" l ") {
                line.rsplit_once(' ').unwrap().0.to_owned()
            } else {
                line.to_owned()
            }
        };
        text.lines().map(cut).collect()
    };
    assert_eq!(
        without_link_times(&expected(&tree)),
        without_link_times(&listing(&out))
    );
    for name in ["big", "usr/bin/sudoedit", "etc/hostname"] {
        let entry = tree.get(&lazuli_disk::TreePath::new(name).unwrap()).unwrap();
        if let Kind::File(Content::Bytes(bytes)) = &entry.kind {
            assert!(std::fs::read(out.join(name)).unwrap() == **bytes, "{name}");
        }
    }
    assert_eq!(std::fs::read(out.join("usr/bin/sudoedit")).unwrap().len(), 4096);
}

#[test]
fn tar_unpacks_as_the_tree_says() {
    let tree = unprivileged();
    for names in [Names::Plain, Names::Dotted] {
        let mut archive = Vec::new();
        let length = tar::write(&tree, names, &mut archive).unwrap();
        assert_eq!((length, length % 10240), (archive.len() as u64, 0));
        if !has("tar") {
            return;
        }
        let (_guard, folder) = folder();
        let (file, out) = (folder.join("archive"), folder.join("out"));
        std::fs::write(&file, &archive).unwrap();
        std::fs::create_dir(&out).unwrap();
        must(
            "tar",
            &[
                "-xpf",
                file.to_str().unwrap(),
                "-C",
                out.to_str().unwrap(),
                "--no-same-owner",
            ],
        );
        assert_eq!(expected(&tree), listing(&out));
    }
}

/// Owners, times and sizes beyond the header's fields, and extended attributes, as `tar -tv` shows them.
#[test]
fn tar_has_records_for_what_is_large() {
    let tree = variety().finish().unwrap();
    let mut archive = Vec::new();
    tar::write(&tree, Names::Plain, &mut archive).unwrap();
    if !has("tar") {
        return;
    }
    let (_guard, folder) = folder();
    let file = folder.join("archive");
    std::fs::write(&file, &archive).unwrap();
    let listing = must(
        "tar",
        &[
            "-tvvvf",
            file.to_str().unwrap(),
            "--numeric-owner",
            "--full-time",
            "--xattrs",
            "--xattrs-include=*",
        ],
    );
    for expected in [
        "70000/4000000000",
        "2100-01-01",
        "1960-06-29",
        "security.capability",
        "crw-rw-rw-",
        "usr/bin/sudoedit link to usr/bin/sudo",
    ] {
        assert!(listing.contains(expected), "{expected} is not in\n{listing}");
    }
}

#[test]
fn cpio_refuses_what_it_cannot_hold() {
    let mut tree = Tree::builder();
    let content = Content::HostFile {
        path: "/nowhere".into(),
        size: 1 << 32,
    };
    tree.add(Entry::file("large", 0o644, content).unwrap()).unwrap();
    tree.add(Entry::file("small", 0o644, bytes("x")).unwrap())
        .unwrap();
    let error = cpio::write(&tree.finish().unwrap(), Vec::new()).unwrap_err();
    assert!(error.to_string().contains("4294967296 bytes"), "{error}");
}
