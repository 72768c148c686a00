//! What takes a process of its own: a caller that is killed, and a terminal. Own `main`, which starts itself again.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]
#![allow(unsafe_code)]

mod common;

use lazuli_sandbox::{Options, Overlay, Status, Streams, User, mount_overlay, private_mounts, run_in_root};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

const MARK: &str = "sleep\u{0}7193557";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["victim", root] => victim(Path::new(root)),
        ["shell", root, program] => shell(Path::new(root), program),
        _ if common::skip_unless_root() => {}
        _ => {
            a_killed_caller_leaves_nothing();
            a_shell_has_the_terminal("/bin/sh");
            a_shell_has_the_terminal("/bin/bash");
            println!("apart: all well");
        }
    }
}

fn myself(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(words);
    command
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

/// Runs on an overlay, until it is killed.
fn victim(base: &Path) {
    private_mounts().unwrap();
    let overlay = Overlay {
        lower: vec![base.join("lower")],
        upper: base.join("upper"),
        work: base.join("work"),
    };
    let mounted = mount_overlay(&overlay, &base.join("root")).unwrap();
    let script = "setsid sleep 7193557 & sleep 7193557";
    let _never = run_in_root(mounted.path(), &common::shell(script), &Options::build());
}

fn a_killed_caller_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["lower", "upper", "work", "root"] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
    }
    common::sealed::fill(&dir.path().join("lower"));
    let mut victim = myself(&["victim", dir.path().to_str().unwrap()]).spawn().unwrap();
    wait_until("it runs", || common::process_with(MARK));
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until("all is dead", || !common::process_with(MARK));
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(dir.path().to_str().unwrap()), "{mounts}");
}

fn shell(root: &Path, program: &str) {
    // As the caller, before and after: the terminal is ours.
    let ours = || rustix::process::getpgrp() == foreground();
    assert!(ours());
    let options = Options {
        streams: Streams::Terminal,
        timeout: Duration::MAX,
        user: User::Unprivileged { uid: 1000, gid: 1000 },
        working_directory: "/build".into(),
        environment: vec![("PS1".to_owned(), "ready> ".to_owned())],
        ..Options::build()
    };
    let argv: Vec<String> = match program {
        "/bin/bash" => vec![program.to_owned(), "--norc".to_owned(), "-i".to_owned()],
        _ => vec![program.to_owned(), "-i".to_owned()],
    };
    let output = run_in_root(root, &argv, &options).unwrap();
    assert_eq!(output.status, Status::Exited(7));
    assert!(ours());
    println!("back: {}", output.status);
}

fn foreground() -> rustix::process::Pid {
    // SAFETY: a plain system call.
    rustix::process::Pid::from_raw(unsafe { libc::tcgetpgrp(0) }).unwrap()
}

/// A terminal, and one that works at it.
struct Person {
    terminal: File,
    seen: String,
    child: Child,
}

impl Person {
    fn at(mut command: Command) -> Self {
        let (mut terminal, mut other) = (-1, -1);
        let null = std::ptr::null_mut();
        // SAFETY: both numbers outlive the call; name, mode and size are not wanted.
        let made =
            unsafe { libc::openpty(&raw mut terminal, &raw mut other, null, null.cast(), null.cast()) };
        assert_eq!(made, 0);
        // SAFETY: the kernel has just made these descriptors for us.
        let (terminal, other) = unsafe { (OwnedFd::from_raw_fd(terminal), OwnedFd::from_raw_fd(other)) };
        let number = other.as_raw_fd();
        for stream in [Command::stdin, Command::stdout, Command::stderr] {
            stream(&mut command, other.try_clone().unwrap());
        }
        // SAFETY: system calls on numbers only, as is allowed between fork and exec.
        unsafe {
            command.pre_exec(move || {
                if libc::setsid() < 0 || libc::ioctl(number, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        drop((command, other));
        Self {
            terminal: terminal.into(),
            seen: String::new(),
            child,
        }
    }

    /// Reads until these words have come since the last call.
    fn sees(&mut self, words: &str) {
        let began = Instant::now();
        loop {
            if let Some(at) = self.seen.find(words) {
                self.seen.drain(..at + words.len());
                return;
            }
            assert!(began.elapsed() < PATIENCE, "`{words}` is not in:\n{}", self.seen);
            let mut buffer = [0u8; 4096];
            let count = self.terminal.read(&mut buffer);
            let count = count.unwrap_or_else(|e| panic!("{e}: `{words}` is not in:\n{}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    fn types(&mut self, words: &str) {
        self.terminal.write_all(words.as_bytes()).unwrap();
    }
}

fn a_shell_has_the_terminal(program: &str) {
    let root = common::sealed::root();
    if program == "/bin/bash" {
        common::copy_program(Path::new(program), root.path());
    }
    let mut person = Person::at(myself(&["shell", root.path().to_str().unwrap(), program]));
    person.sees("ready> ");
    person.types("sleep 7193559\n");
    person.sees("\n");
    wait_until("it sleeps", || common::process_with("sleep\u{0}7193559"));
    person.types("\u{1a}");
    person.sees("Stopped");
    person.sees("ready> ");
    person.types("fg\n");
    person.sees("sleep 7193559");
    person.types("\u{3}");
    person.sees("ready> ");
    person.types("echo $((40 + 2)) $(id -u)\n");
    person.sees("42 1000");
    person.sees("ready> ");
    person.types("exit 7\n");
    person.sees("back: exit code 7");
    assert!(person.child.wait().unwrap().success());
    assert!(!common::process_with("sleep\u{0}7193559"));
}
