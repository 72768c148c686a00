//! A full disk: an error that names the file and says what to do, nothing half-made, and with room again the command works.
//!
//! The disk is memory of a limited size, mounted where only the commands of one script see it.

use crate::command::{has, out, project, server, text};
use std::collections::BTreeMap;
use std::process::Command;

/// Lays down what is there before (`$prepare`), leaves as many KiB as `$room` says, runs a command (`"$@"`), says its exit code
/// and what is there now, makes room, and runs it again.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs -o size=6g,mode=755 tmpfs "$disk"
cd "$disk"
eval "$prepare"
list() { find . -type f -print0 | xargs -0 -r sha256sum | sed "s/^/$1 /"; }
mount -o "remount,size=$(($(df --output=used -k . | tail -1) + room))k" "$disk"
code=0
"$program" "$@" --project "$project" --out "$disk/out" > /dev/null || code=$?
echo "code $code"
list full
mount -o remount,size=6g "$disk"
"$program" "$@" --quiet --project "$project" --out "$disk/out" > /dev/null
list room
"#;

/// A command that does not fit first.
struct Case {
    /// Shell words that lay down what is there before; the folder is the disk.
    prepare: &'static str,
    /// KiB that are left.
    room: u32,
    arguments: &'static [&'static str],
    /// What the file that did not fit is called, in part.
    names: &'static str,
    /// What the end of a file must be that is there at last.
    makes: &'static str,
}

impl Case {
    fn check(&self) {
        if !has("unshare") {
            return;
        }
        server();
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // Root of the machine, or of a namespace with the caller's subordinate ids, which the files of an image need.
        let uid = text("id", &Command::new("id").arg("-u").output().unwrap());
        let enter: &[&str] = match uid.trim() {
            "0" => &["--mount"],
            _ => &["--mount", "--map-root-user", "--map-auto"],
        };
        let output = Command::new("unshare")
            .args(enter)
            .args(["sh", "-c", SCRIPT, "sh"])
            .args(self.arguments)
            .env("prepare", self.prepare)
            .env("room", self.room.to_string())
            .env("disk", dir.path())
            .env("program", env!("CARGO_BIN_EXE_lazuli"))
            .env("project", project())
            .env("packages", out().join("repo/2/x86_64"))
            .env("LAZULI_SIGNING_KEY", out().join("keys/signing.key"))
            .output()
            .unwrap();
        let facts = text(&format!("{:?}", self.arguments), &output);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(facts.lines().next(), Some("code 4"), "{said}");
        for part in ["error: ", self.names, "o space", "\nhint: make room"] {
            assert!(said.contains(part), "no `{part}` in: {said}");
        }
        assert!(said.lines().count() < 8, "it is said once: {said}");

        let (full, room) = (files(&facts, "full "), files(&facts, "room "));
        for (path, digest) in &full {
            assert_eq!(room.get(path), Some(digest), "{path} is half-made, or left over");
        }
        assert!(
            !full.keys().any(|path| path.ends_with(self.makes)) || self.makes == ".rpm",
            "{full:?}"
        );
        assert!(room.keys().any(|path| path.ends_with(self.makes)), "{room:?}");
    }
}

/// Paths and digests of what was listed under a word, but for the notes of `repo create` on file times.
fn files<'f>(facts: &'f str, word: &str) -> BTreeMap<&'f str, &'f str> {
    let lines = facts
        .lines()
        .filter_map(|line| line.strip_prefix(word)?.split_once("  "));
    let files = lines.map(|(digest, path)| (path, digest));
    files.filter(|(path, _)| !path.ends_with(NOTES)).collect()
}

/// Where `repo create` keeps what it needs not read again.
const NOTES: &str = "/.lazuli-digests";

#[test]
fn import_says_that_the_disk_is_full() {
    let case = Case {
        prepare: "",
        room: 30 << 10,
        arguments: &["import"],
        names: "/out/repo/2/x86_64/",
        makes: ".rpm",
    };
    case.check();
}

#[test]
fn repository_says_that_the_disk_is_full() {
    let case = Case {
        prepare: "mkdir out packages; cp \"$packages\"/bash-*.rpm \"$packages\"/coreutils-*.rpm packages",
        room: 16,
        arguments: &["repo", "create", "packages"],
        names: "packages/",
        makes: "/repomd.xml",
    };
    case.check();
}

#[test]
fn image_says_that_the_disk_is_full() {
    let case = Case {
        prepare: "",
        // The packages fit, and those on their way; the disk does not.
        room: 300 << 10,
        arguments: &["image", "build", "server", "--formats", "qcow2"],
        names: "/out/images/server/",
        makes: ".qcow2",
    };
    case.check();
}
