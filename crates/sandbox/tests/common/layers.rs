//! What every overlay must keep, whoever mounted it.
#![allow(dead_code)]

use lazuli_sandbox::{Overlay, mount_overlay};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn capability(path: &Path) -> String {
    let output = Command::new("getcap").arg(path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0u8; 64];
    rustix::fs::lgetxattr(path, name, &mut value)
        .ok()
        .map(|count| value[..count].to_vec())
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Writes through three layers, one after the other, and looks at each result from the next.
pub(crate) fn check_layers(base: &Path) {
    let dir = |name: &str| {
        let path = base.join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    let (lower, first, second, target) = (dir("lo:w,er"), dir("first"), dir("second"), dir("target"));
    fill(&lower);
    let overlay = Overlay {
        lower: vec![lower.clone()],
        upper: first.clone(),
        work: dir("work"),
    };
    let mounted = mount_overlay(&overlay, &target).unwrap();
    assert_eq!(mounted.path(), target);
    write_first(&lower, &target);
    mounted.unmount().unwrap();
    assert!(names(&target).is_empty(), "it is gone");
    assert!(lower.join("gone").exists() && lower.join("replaced/hidden").exists());
    let whiteout = first.join("gone").symlink_metadata().unwrap();
    assert!(whiteout.file_type().is_char_device() && whiteout.rdev() == 0);
    let opaque = attribute(&first.join("replaced"), "user.overlay.opaque");
    assert_eq!(opaque.as_deref(), Some(b"y".as_slice()));

    let overlay = Overlay {
        lower: vec![first, lower],
        upper: second,
        work: dir("work-2"),
    };
    let mounted = mount_overlay(&overlay, &target).unwrap();
    look_and_write(&target);
    drop(mounted);
    assert!(names(&target).is_empty(), "it is gone when it is dropped");
    fs::remove_dir_all(base.join("work/work")).unwrap();
}

fn fill(lower: &Path) {
    fs::create_dir_all(lower.join("kept/old")).unwrap();
    fs::create_dir_all(lower.join("replaced")).unwrap();
    for name in ["kept/old/file", "replaced/hidden", "gone", "program", "one"] {
        fs::write(lower.join(name), name).unwrap();
    }
    fs::hard_link(lower.join("one"), lower.join("two")).unwrap();
    chown(lower.join("program"), Some(33), Some(44)).unwrap();
    set_mode(&lower.join("program"), 0o6755);
}

/// Removes, replaces, links and marks.
fn write_first(lower: &Path, target: &Path) {
    let options = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let line = options
        .lines()
        .find(|line| line.contains(" overlay ") && line.contains("/target "))
        .unwrap();
    let (_, shown) = line.split_once(" - ").unwrap();
    assert!(!shown.contains("first") && !shown.contains("er,"), "{shown}");
    let before = target.join("one").metadata().unwrap();
    assert_eq!(before.ino(), target.join("two").metadata().unwrap().ino());
    assert_eq!(before.nlink(), 2);
    fs::remove_file(target.join("gone")).unwrap();
    fs::remove_dir_all(target.join("replaced")).unwrap();
    fs::create_dir(target.join("replaced")).unwrap();
    fs::write(target.join("replaced/new"), "new").unwrap();
    fs::write(target.join("a"), "linked").unwrap();
    fs::hard_link(target.join("a"), target.join("b")).unwrap();
    symlink("nowhere", target.join("link")).unwrap();
    fs::copy(lower.join("program"), target.join("setuid")).unwrap();
    chown(target.join("setuid"), Some(1), Some(2)).unwrap();
    set_mode(&target.join("setuid"), 0o4755);
    fs::write(target.join("capable"), "x").unwrap();
    let set = Command::new("setcap")
        .arg("cap_net_raw=ep")
        .arg(target.join("capable"))
        .output()
        .unwrap();
    assert!(set.status.success(), "{set:?}");
    // Renaming a folder of a lower layer copies it: programs fall back to that.
    let renamed = fs::rename(target.join("kept"), target.join("moved"));
    assert!(renamed.is_err(), "folders are not redirected");
}

/// Sees what was written, and copies some of it up.
fn look_and_write(target: &Path) {
    assert_eq!(
        names(target),
        [
            "a", "b", "capable", "kept", "link", "one", "program", "replaced", "setuid", "two"
        ]
    );
    assert_eq!(names(&target.join("replaced")), ["new"]);
    let (a, b) = (target.join("a"), target.join("b"));
    let (a, b) = (a.metadata().unwrap(), b.metadata().unwrap());
    assert_eq!((a.ino(), a.nlink()), (b.ino(), 2));
    let program = target.join("program").metadata().unwrap();
    assert_eq!(
        (program.uid(), program.gid(), program.mode() & 0o7777),
        (33, 44, 0o6755)
    );
    let setuid = target.join("setuid").metadata().unwrap();
    assert_eq!(
        (setuid.uid(), setuid.gid(), setuid.mode() & 0o7777),
        (1, 2, 0o4755)
    );
    assert_eq!(capability(&target.join("capable")), "cap_net_raw=ep");
    // Copying up keeps all that, too.
    let appended = fs::OpenOptions::new()
        .append(true)
        .open(target.join("kept/old/file"));
    std::io::Write::write_all(&mut appended.unwrap(), b"!").unwrap();
    let times = target.join("capable").metadata().unwrap();
    chown(target.join("kept"), Some(7), None).unwrap();
    set_mode(&target.join("capable"), 0o600);
    assert_eq!(capability(&target.join("capable")), "cap_net_raw=ep");
    assert_eq!(target.join("capable").metadata().unwrap().mtime(), times.mtime());
    assert_eq!(
        fs::read_to_string(target.join("kept/old/file")).unwrap(),
        "kept/old/file!"
    );
}
