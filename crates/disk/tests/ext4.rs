//! The ext4 writer against e2fsprogs and the kernel.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::path::Path;

use lazuli_disk::ext4::{self, Journal, Settings};
use lazuli_disk::{Content, Entry, Tree};
use support::{EPOCH, bytes, folder, has, image, must, noise, run, variety};
use uuid::{Uuid, uuid};

const UUID: Uuid = uuid!("6c617a75-6c69-4a6f-8f2e-000000000001");
const MIB: u64 = 1 << 20;

fn settings(size: u64) -> Settings {
    Settings { label: "lazuli-root".to_owned(), ..Settings::new(size, UUID, EPOCH) }
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
    let complaints: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("Pass ") && !line.starts_with("e2fsck ") && !line.contains(" files ("))
        .collect();
    assert!(complaints.is_empty(), "{text}");
}

#[test]
fn every_kind_of_entry_is_clean() {
    let (_guard, folder) = folder();
    let tree = variety().finish().unwrap();
    for (index, size) in [24 * MIB, 64 * MIB, 200 * MIB, 1024 * MIB, 3000 * MIB + 4096 * 77].into_iter().enumerate() {
        let path = folder.join(format!("{index}.img"));
        write(&tree, &settings(size), &path);
        check(&path);
    }
}
