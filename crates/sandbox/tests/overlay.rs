//! Overlays, by the machine's root. (The same as an ordinary user: `ordinary_user.rs`.)
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use lazuli_sandbox::{MAX_LAYERS, Overlay, Scratch, mount_overlay, private_mounts};
use rustix::mount::{MountFlags, UnmountFlags};
use std::path::Path;

#[test]
fn layers_keep_what_they_are_given() {
    if common::skip_unless_root() {
        return;
    }
    private_mounts().unwrap();
    let dir = tempfile::tempdir().unwrap();
    common::layers::check_layers(dir.path());
}

#[test]
fn layers_may_lie_in_memory() {
    if common::skip_unless_root() {
        return;
    }
    private_mounts().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let _memory = Scratch::mount(dir.path(), 64 << 20).unwrap();
    common::layers::check_layers(dir.path());
}

#[test]
fn a_build_writes_to_the_upper_layer() {
    if common::skip_unless_root() {
        return;
    }
    private_mounts().unwrap();
    common::sealed::check_on_layers();
}

#[test]
fn many_layers_fit() {
    if common::skip_unless_root() {
        return;
    }
    private_mounts().unwrap();
    let dir = tempfile::Builder::new()
        .prefix(&"long-".repeat(30))
        .tempdir()
        .unwrap();
    let folder = |name: String| {
        let path = dir.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    };
    let lower: Vec<_> = (0..MAX_LAYERS).map(|n| folder(format!("layer-{n}"))).collect();
    std::fs::write(lower.last().unwrap().join("deep"), "x").unwrap();
    let (upper, work, target) = (
        folder("upper".into()),
        folder("work".into()),
        folder("target".into()),
    );
    let mut overlay = Overlay { lower, upper, work };
    let mounted = mount_overlay(&overlay, &target).unwrap();
    assert!(target.join("deep").exists());
    mounted.unmount().unwrap();
    overlay.lower.push(target.clone());
    let error = mount_overlay(&overlay, &target).unwrap_err().to_string();
    assert!(error.contains("1 to 128 lower layers, not 129"), "{error}");
}

#[test]
fn errors_name_the_layer() {
    if common::skip_unless_root() {
        return;
    }
    let overlay = Overlay {
        lower: vec!["/nowhere/at/all".into()],
        upper: "/tmp".into(),
        work: "/tmp".into(),
    };
    let error = mount_overlay(&overlay, Path::new("/tmp"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("opening the layer /nowhere/at/all"), "{error}");
    // A file system that keeps no attributes of users.
    private_mounts().unwrap();
    let dir = tempfile::tempdir().unwrap();
    rustix::mount::mount("ramfs", dir.path(), "ramfs", MountFlags::empty(), None).unwrap();
    for name in ["upper", "work"] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
    }
    let overlay = Overlay {
        lower: vec!["/tmp".into()],
        upper: dir.path().join("upper"),
        work: dir.path().join("work"),
    };
    let error = mount_overlay(&overlay, Path::new("/tmp")).unwrap_err();
    assert!(error.to_string().contains("keeps no attributes"), "{error}");
    assert!(error.hint().is_some());
    rustix::mount::unmount(dir.path(), UnmountFlags::DETACH).unwrap();
}
