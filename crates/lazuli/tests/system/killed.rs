//! Commands that are killed: nothing half-made under a final name, no process and no mount left, and the next run goes on
//! to the same bytes.
//!
//! What a run must make is what the project has made already: builds are the same to the bit. Each command runs in an output
//! folder of its own, with the project's key and cache, and is killed at moments over its whole length. The moments are
//! fixed parts of the time that an undisturbed run takes; what is happening then differs from run to run.

use crate::command::{out, project, server, succeed};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// As kill(1) calls them, and what a shell would show less 128.
const INTERRUPT: (&str, i32) = ("-INT", 2);
const KILL: (&str, i32) = ("-KILL", 9);
/// How long what a killed process started may take to be gone.
const REAPED: Duration = Duration::from_secs(10);
/// How often that is looked at.
const POLL: Duration = Duration::from_millis(20);
/// What marks the processes of a run, in their environment.
const MARK: &str = "LAZULI_TEST_RUN";

/// Folders of an output folder that hold what was made.
const MADE: [&str; 2] = ["repo", "images"];
/// Files that are the same in the project's own output folder, whatever else was asked for there.
const SHARED: &[&str] = &["*.rpm", "*.qcow2"];

/// Files below an output folder, with their digests.
type Files = BTreeMap<PathBuf, String>;

/// An output folder, where one command is run again and again.
struct Place {
    dir: tempfile::TempDir,
    arguments: &'static [&'static str],
}

impl Place {
    fn new(arguments: &'static [&'static str]) -> Self {
        server();
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { dir, arguments }
    }

    fn start(&self) -> Child {
        // What a shell started in the background has SIGINT ignored, and we with it.
        Command::new("env")
            .args(["--default-signal=INT", env!("CARGO_BIN_EXE_lazuli")])
            .args(self.arguments)
            .arg("--project")
            .arg(project())
            .arg("--out")
            .arg(self.dir.path())
            .env("LAZULI_SIGNING_KEY", out().join("keys/signing.key"))
            .env(MARK, self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs to the end; how long that took.
    fn finish(&self) -> Duration {
        let start = Instant::now();
        let output = self.start().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{:?}: {}\n{said}",
            self.arguments,
            output.status
        );
        start.elapsed()
    }

    /// Sends a signal after a while, and looks at what is left. Says whether it came in time.
    fn kill(&self, after: Duration, (name, number): (&str, i32), whole: &Files) -> bool {
        let child = self.start();
        // The moment is what is tested: there is nothing to wait for.
        std::thread::sleep(after);
        let pid = child.id().to_string();
        // Of no effect on a process that has ended and is not yet waited for.
        let _ = Command::new("kill").args([name, &pid]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let what = format!(
            "{:?} after {after:?} with {name}: {}\n{said}",
            self.arguments, output.status
        );
        if !output.status.success() {
            assert_eq!(output.status.signal(), Some(number), "{what}");
            let last = said.lines().last().unwrap_or_default();
            assert!(
                number != INTERRUPT.1 || last.starts_with("interrupted: "),
                "{what}"
            );
        }
        self.nothing_runs(&what);
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let ours = self.dir.path().to_str().unwrap();
        assert!(!mounts.contains(ours), "{what}: a mount is left:\n{mounts}");
        for (path, digest) in self.files() {
            let is_final = !path.to_string_lossy().contains("/.");
            let is_whole = whole.get(&path) == Some(&digest);
            assert!(!is_final || is_whole, "{what}: {} is half-made", path.display());
        }
        !output.status.success()
    }

    /// Waits until no process has our mark: a sandbox is ended by the kernel soon after the process that made it.
    fn nothing_runs(&self, what: &str) {
        let mark = format!("{MARK}={}", self.dir.path().display());
        let start = Instant::now();
        loop {
            let running = marked(&mark);
            if running.is_empty() {
                return;
            }
            assert!(start.elapsed() < REAPED, "{what}: these still run: {running:?}");
            std::thread::sleep(POLL);
        }
    }

    /// What the command made: all files with their digests; of hidden ones, which hold times, only that they are there.
    fn files(&self) -> Files {
        let mut files = digests(self.dir.path(), &["*"]);
        for (path, digest) in &mut files {
            if path.to_string_lossy().contains("/.") {
                digest.clear();
            }
        }
        files
    }

    /// The whole test of one command: a run, runs that are killed at parts of its length, and one that must go on from there.
    fn survives(&self, interrupted: &[f64], killed: &[f64]) {
        let time = self.finish();
        let whole = self.files();
        let project = digests(&out(), SHARED);
        let shared: Vec<_> = whole
            .iter()
            .filter(|(path, _)| project.contains_key(*path))
            .collect();
        assert!(!shared.is_empty(), "nothing is as in {}", out().display());
        for (path, digest) in shared {
            assert_eq!(&project[path], digest, "{}", path.display());
        }
        for (signal, moments) in [(INTERRUPT, interrupted), (KILL, killed)] {
            let mut in_time = 0;
            for part in moments {
                for made in MADE {
                    let _missing = std::fs::remove_dir_all(self.dir.path().join(made));
                }
                in_time += usize::from(self.kill(time.mul_f64(*part), signal, &whole));
            }
            assert!(
                in_time > 0,
                "{:?}: every {} came too late",
                self.arguments,
                signal.0
            );
        }
        self.finish();
        let again = self.files();
        let paths = whole.keys().chain(again.keys());
        let differ: BTreeSet<&PathBuf> = paths
            .filter(|path| whole.get(*path) != again.get(*path))
            .collect();
        assert!(
            differ.is_empty(),
            "{:?}: not as after the first run: {differ:?}",
            self.arguments
        );
        let work = std::fs::read_dir(self.dir.path().join("work"));
        let left = work.map(|entries| entries.count()).unwrap_or_default();
        assert_eq!(left, 0, "{:?}: unfinished work is left", self.arguments);
    }
}

/// Processes with a mark in their environment.
fn marked(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        // A process may end while it is looked at.
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment
            .split(|byte| *byte == 0)
            .any(|one| one == mark.as_bytes())
        {
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&command).replace('\0', " "));
        }
    }
    found
}

/// SHA-256 of the files below [`MADE`] in an output folder whose names are like one of `names`, as sha256sum(1) says.
fn digests(out: &Path, names: &[&str]) -> Files {
    let mut find = Command::new("sh");
    find.args(["-c", "find repo images -type f \\( -false \"$@\" \\) -print0 2>/dev/null | xargs -0 -r -P 2 -n 32 sha256sum", "sh"]);
    find.args(names.iter().flat_map(|name| ["-o", "-name", name]));
    let text = succeed(find.current_dir(out));
    let lines = text.lines().map(|line| line.split_once("  ").unwrap());
    lines
        .map(|(digest, path)| (PathBuf::from(path), digest.to_owned()))
        .collect()
}

#[test]
fn import_survives_being_killed() {
    Place::new(&["import"]).survives(&[0.3], &[0.6]);
}

#[test]
fn repository_survives_being_killed() {
    Place::new(&["repo", "create"]).survives(&[0.6], &[0.75]);
}

#[test]
fn image_survives_being_killed() {
    let place = Place::new(&["image", "build", "server", "--formats", "qcow2"]);
    place.survives(&[0.5], &[0.65, 0.85]);
}
