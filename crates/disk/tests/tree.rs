//! Trees: what they promise, and what they refuse.
#![allow(clippy::unwrap_used)]

mod support;

use lazuli_disk::{Entry, Error, Kind, ScanOptions, Tree, TreePath};
use support::{bytes, folder};

#[test]
fn paths() {
    for (given, expected) in [
        ("", ""),
        ("/", ""),
        ("//etc//", "!"),
        ("/etc/passwd", "etc/passwd"),
        ("a", "a"),
        ("...", "..."),
    ] {
        match TreePath::new(given) {
            Ok(path) => assert_eq!(path.as_bytes(), expected.as_bytes(), "{given}"),
            Err(_) => assert_eq!(expected, "!", "{given}"),
        }
    }
    for refused in [
        "..",
        "a/../b",
        "a/..",
        "./a",
        "a/./b",
        "a//b",
        "a/",
        "a\0b",
        &"x".repeat(256),
        &"x/".repeat(2050),
    ] {
        assert!(
            matches!(TreePath::new(refused), Err(Error::InvalidPath { .. })),
            "{refused}"
        );
    }
    let path = TreePath::new("usr/lib/os-release").unwrap();
    assert_eq!(path.name(), b"os-release");
    assert_eq!(path.parent_bytes(), Some(&b"usr/lib"[..]));
    assert!(path.is_within(&TreePath::new("usr/lib").unwrap()));
    assert!(!path.is_within(&TreePath::new("usr/li").unwrap()));
}

#[test]
fn parents_are_added_and_everything_is_sorted() {
    let mut tree = Tree::builder();
    tree.parent_time(7);
    for path in ["z/y/x", "a-b", "a/b", "a.b"] {
        tree.add(Entry::file(path, 0o644, bytes("")).unwrap()).unwrap();
    }
    let tree = tree.finish().unwrap();
    let paths: Vec<String> = tree
        .entries()
        .iter()
        .map(|entry| entry.path.to_string())
        .collect();
    assert_eq!(paths, ["/", "/a", "/a-b", "/a.b", "/a/b", "/z", "/z/y", "/z/y/x"]);
    let added = tree.get(&TreePath::new("z/y").unwrap()).unwrap();
    assert_eq!((added.mode, added.mtime), (0o755, 7));
}

#[test]
fn refusals() {
    let mut tree = Tree::builder();
    tree.add(Entry::file("a", 0o644, bytes("")).unwrap()).unwrap();
    assert!(matches!(
        tree.add(Entry::directory("/a", 0o755).unwrap()),
        Err(Error::Duplicate { .. })
    ));

    type Make = fn(&mut lazuli_disk::TreeBuilder);
    let cases: [(&str, Make); 6] = [
        ("below", |tree| {
            drop(tree.add(Entry::file("a/b/c", 0o644, bytes("")).unwrap()))
        }),
        ("missing", |tree| {
            drop(tree.add(Entry::hard_link("l", "nothing").unwrap()))
        }),
        ("directory", |tree| {
            drop(tree.add(Entry::hard_link("l", "/").unwrap()))
        }),
        ("itself", |tree| {
            drop(tree.add(Entry::hard_link("l", "a").unwrap()));
            drop(tree.add(Entry::hard_link("m", "l").unwrap()));
        }),
        ("root must be", |tree| {
            drop(tree.add(Entry::file("", 0o644, bytes("")).unwrap()))
        }),
        ("link target", |tree| {
            drop(tree.add(Entry::symlink("l", "").unwrap()))
        }),
    ];
    for (expected, make) in cases {
        let mut tree = tree.clone();
        make(&mut tree);
        let error = tree.finish().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn builders_change_trees() {
    let mut tree = support::variety();
    assert_eq!(tree.remove(&TreePath::new("usr").unwrap()), 3);
    // The target of a link is gone.
    assert!(matches!(tree.clone().finish(), Err(Error::BadHardLink { .. })));
    tree.remove(&TreePath::new("a-link-before-its-target").unwrap());
    let tree = tree.finish().unwrap();
    assert!(tree.get(&TreePath::new("usr").unwrap()).is_none());
    let mut again = tree.clone().into_builder();
    again
        .get_mut(&TreePath::new("etc/hostname").unwrap())
        .unwrap()
        .uid = 5;
    let again = again.finish().unwrap();
    assert_ne!(tree, again);
    assert_eq!(tree.entries().len(), again.entries().len());
}

#[test]
fn scans_read_everything() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (_guard, root) = folder();
    std::fs::create_dir_all(root.join("b/c")).unwrap();
    std::fs::write(root.join("b/c/file"), "text").unwrap();
    std::fs::set_permissions(root.join("b/c/file"), PermissionsExt::from_mode(0o4711)).unwrap();
    std::fs::hard_link(root.join("b/c/file"), root.join("a")).unwrap();
    symlink("/nowhere/at/all", root.join("link")).unwrap();
    symlink("..", root.join("b/loop")).unwrap();
    let tree = Tree::scan(
        &root,
        &ScanOptions {
            clamp_mtime: Some(1000),
            exclude: None,
        },
    )
    .unwrap();
    let get = |path: &str| tree.get(&TreePath::new(path).unwrap()).unwrap();
    assert_eq!(tree.entries().len(), 7);
    assert!(tree.entries().iter().all(|entry| entry.mtime == 1000));
    // The first name in order is the file.
    assert!(matches!(&get("a").kind, Kind::File(content) if content.size() == 4));
    assert_eq!(get("a").mode, 0o4711);
    assert_eq!(get("b/c/file").kind, Kind::HardLink(TreePath::new("a").unwrap()));
    assert_eq!(get("link").kind, Kind::Symlink((*b"/nowhere/at/all").into()));
    assert!(matches!(
        Tree::scan(&root.join("missing"), &ScanOptions::default()),
        Err(Error::Io { .. })
    ));
}
