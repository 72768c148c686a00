//! What the integration tests share: tools as oracles, and trees to try.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::print_stderr)]

pub mod disk;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use lazuli_disk::{Content, Entry, Region, Result, Tree, TreeBuilder};

/// A time that all tests use.
pub const EPOCH: u32 = 1_700_000_000;

/// Whether a tool is there; says so if not.
pub fn has(tool: &str) -> bool {
    let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
    let found = folders.iter().any(|folder| Path::new(folder).join(tool).exists());
    if !found {
        eprintln!("SKIPPED: `{tool}` is not installed, and nothing was checked with it");
    }
    found
}

/// Runs a tool to its end and gives its exit status with all that it printed.
pub fn run(tool: &str, arguments: &[&str]) -> (bool, String) {
    let path = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
    let output = Command::new(tool)
        .args(arguments)
        .env("PATH", path)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Runs a tool, which must succeed.
pub fn must(tool: &str, arguments: &[&str]) -> String {
    let (success, text) = run(tool, arguments);
    assert!(success, "{tool} {arguments:?} failed:\n{text}");
    text
}

/// A fresh sparse file of a size.
pub fn sparse_file(path: &Path, size: u64) -> File {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.set_len(size).unwrap();
    file
}

/// Writes with `write` into a fresh file of a size.
pub fn image(path: &Path, size: u64, write: impl FnOnce(Region<'_>) -> Result<()>) {
    let file = sparse_file(path, size);
    write(Region::new(&file, path, 0, size)).unwrap();
}

/// Pseudo-random bytes, always the same for a seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

pub fn bytes(content: impl AsRef<[u8]>) -> Content {
    Content::bytes(content.as_ref())
}

/// A tree with one of everything.
pub fn variety() -> TreeBuilder {
    let mut tree = Tree::builder();
    tree.parent_time(i64::from(EPOCH));
    let time = i64::from(EPOCH) - 1000;
    let capability = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let acl = b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xe8\x03\0\0\x04\0\x04\0\xff\xff\xff\xff\x10\0\x04\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff".to_vec();
    let entries = [
        Entry::directory("etc", 0o755).unwrap(),
        Entry::file("etc/hostname", 0o644, bytes("lazuli\n")).unwrap(),
        Entry::file("etc/empty", 0o600, bytes("")).unwrap(),
        Entry::file("etc/shadow", 0o640, bytes("root:*:\n"))
            .unwrap()
            .owned_by(0, 42),
        Entry::file("usr/bin/ping", 0o755, bytes(noise(1, 70_000)))
            .unwrap()
            .with_xattr("security.capability", capability),
        Entry::file("usr/bin/sudo", 0o4755, bytes(noise(2, 4096))).unwrap(),
        Entry::hard_link("usr/bin/sudoedit", "usr/bin/sudo").unwrap(),
        Entry::hard_link("a-link-before-its-target", "usr/bin/sudo").unwrap(),
        Entry::symlink("bin", "usr/bin").unwrap(),
        Entry::symlink("fifty-nine", "x".repeat(59)).unwrap(),
        Entry::symlink("sixty", "y".repeat(60)).unwrap(),
        Entry::symlink("long-link", "z/".repeat(2000)).unwrap(),
        Entry::file("big", 0o644, bytes(noise(3, 5_000_001))).unwrap(),
        Entry::file("zeros", 0o644, bytes(vec![0; 1 << 20])).unwrap(),
        Entry::file("x".repeat(255), 0o644, bytes("long name")).unwrap(),
        Entry::file("grüße-und-日本語", 0o644, bytes("utf-8"))
            .unwrap()
            .owned_by(70_000, 4_000_000_000),
        Entry::file("old", 0o644, bytes("1960")).unwrap().at(-300_000_000),
        Entry::file("far", 0o644, bytes("2100"))
            .unwrap()
            .at(4_102_444_800),
        Entry::directory("var/tmp", 0o1777).unwrap(),
        Entry::directory("var/log/journal", 0o2755)
            .unwrap()
            .owned_by(0, 999)
            .with_xattr("system.posix_acl_default", acl.clone()),
        Entry::file("var/log/acl", 0o644, bytes("acl"))
            .unwrap()
            .with_xattr("system.posix_acl_access", acl),
        Entry::file("large-xattr", 0o644, bytes("x"))
            .unwrap()
            .with_xattr("user.large", noise(4, 3000)),
        Entry::file("many-xattrs", 0o644, bytes("x"))
            .unwrap()
            .with_xattr("user.zz", "in the body")
            .with_xattr("user.empty", "")
            .with_xattr("trusted.b", noise(5, 100))
            .with_xattr("security.ima", noise(6, 203))
            .with_xattr("user.a", noise(7, 61)),
        Entry::new(
            lazuli_disk::TreePath::new("dev/null").unwrap(),
            lazuli_disk::Kind::CharDevice { major: 1, minor: 3 },
            0o666,
        ),
        Entry::new(
            lazuli_disk::TreePath::new("dev/nvme").unwrap(),
            lazuli_disk::Kind::BlockDevice {
                major: 259,
                minor: 700_000,
            },
            0o660,
        ),
        Entry::new(
            lazuli_disk::TreePath::new("run/fifo").unwrap(),
            lazuli_disk::Kind::Fifo,
            0o600,
        ),
        Entry::new(
            lazuli_disk::TreePath::new("run/socket").unwrap(),
            lazuli_disk::Kind::Socket,
            0o777,
        ),
    ];
    for entry in entries {
        let mtime = if entry.mtime == 0 { time } else { entry.mtime };
        tree.add(entry.at(mtime)).unwrap();
    }
    tree
}

/// A folder of the test's own.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

/// A file system that is mounted over a loop device until this is dropped.
pub struct Mounted(PathBuf);

impl Mounted {
    /// Mounts an image read-only; `None`, and a word, where that is not allowed.
    pub fn new(image: &Path, at: &Path) -> Option<Self> {
        let (success, text) = run(
            "mount",
            &["-o", "loop,ro", image.to_str().unwrap(), at.to_str().unwrap()],
        );
        if !success {
            eprintln!(
                "SKIPPED: no loop mount here ({}), and the kernel was not asked",
                text.trim()
            );
            return None;
        }
        Some(Self(at.to_owned()))
    }
}

impl Mounted {
    /// Mounts a small tmpfs; `None`, and a word, where that is not allowed.
    pub fn tmpfs(at: &Path, size: &str) -> Option<Self> {
        let (success, text) = run(
            "mount",
            &[
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size}"),
                "tmpfs",
                at.to_str().unwrap(),
            ],
        );
        if !success {
            eprintln!(
                "SKIPPED: no tmpfs mount here ({}), and a full disk was not tried",
                text.trim()
            );
            return None;
        }
        Some(Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run("umount", &[self.0.to_str().unwrap()]);
    }
}
