//! What an image's definition adds to the initrd.

use lazuli_disk::{Entry, Kind, Tree, TreePath};
use lazuli_image::Error;
use lazuli_image::initrd::{InitrdSettings, build};

use crate::support;

const EPOCH: i64 = 1_700_000_000;

fn root() -> Tree {
    let mut root = support::root();
    support::add(&mut root, "/usr/bin/tool", 0o755, b"#!tool\n".to_vec());
    support::add(&mut root, "/usr/share/tool/data/a", 0o640, b"a".to_vec());
    for (path, target) in [
        ("/usr/bin/also", "tool"),
        ("/usr/lib/tool", "../share/tool/data"),
        ("/etc/later", "/run/later"),
    ] {
        root.add(Entry::symlink(path, target).unwrap()).unwrap();
    }
    root.finish().unwrap()
}

fn initrd(change: &dyn Fn(&mut InitrdSettings)) -> Result<Tree, Error> {
    let mut settings = InitrdSettings::new(EPOCH);
    change(&mut settings);
    Ok(build(&root(), &settings)?.tree)
}

/// The paths that a change brings.
fn gained(change: &dyn Fn(&mut InitrdSettings)) -> Vec<String> {
    let (before, after) = (initrd(&|_| {}).unwrap(), initrd(change).unwrap());
    let new = after
        .entries()
        .iter()
        .filter(|entry| before.get(&entry.path) != Some(entry));
    new.map(|entry| entry.path.to_string()).collect()
}

#[test]
fn more_of_the_root_goes_in() {
    let check = |path: &str, expected: &[&str]| {
        assert_eq!(
            gained(&|settings| settings.extra_files = vec![path.to_owned()]),
            expected,
            "{path}"
        );
    };
    check("/usr/bin/tool", &["/usr/bin/tool"]);
    check("/bin/tool", &["/usr/bin/tool"]);
    check("/usr/bin/also", &["/usr/bin/also", "/usr/bin/tool"]);
    check("/etc/later", &["/etc/later"]);
    check("/usr/share/tool", &["/usr/share", "/usr/share/tool"]);
    check(
        "/usr/lib/tool",
        &[
            "/usr/lib/tool",
            "/usr/share",
            "/usr/share/tool",
            "/usr/share/tool/data",
        ],
    );
    let error = initrd(&|settings| settings.extra_files = vec!["/usr/bin/none".to_owned()]).unwrap_err();
    assert!(matches!(error, Error::Missing { .. }), "{error}");
}

#[test]
fn what_is_its_own_comes_last() {
    let own = || Entry::symlink("/usr/lib/systemd/system/default.target", "rescue.target").unwrap();
    let change = |settings: &mut InitrdSettings| settings.own = vec![own()];
    assert_eq!(gained(&change), ["/usr/lib/systemd/system/default.target"]);
    let tree = initrd(&change).unwrap();
    let path = TreePath::new("/usr/lib/systemd/system/default.target").unwrap();
    let entry = tree.get(&path).unwrap();
    assert_eq!(entry.kind, Kind::Symlink((*b"rescue.target").into()));
    assert_eq!(entry.mtime, EPOCH, "all have the one time");
}
