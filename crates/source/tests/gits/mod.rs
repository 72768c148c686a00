//! Repositories for tests, and servers for them: git's own daemon, and HTTP with git's own backend.
#![allow(clippy::unwrap_used, clippy::print_stderr, dead_code, unreachable_pub)]

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lazuli_source::{DistGit, UrlTemplate, Variable};

use crate::server::{Answer, Asked, Server};

/// A working tree and the folder that servers serve: `rpms/NAME.git`.
pub struct Upstream {
    pub folder: tempfile::TempDir,
    name: String,
    time: i64,
}

impl Upstream {
    /// `None`, with a loud message, where there is no git.
    pub fn new(name: &str) -> Option<Self> {
        if Command::new("git")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_err()
        {
            eprintln!("SKIPPED: git is not there");
            return None;
        }
        let upstream = Self {
            folder: tempfile::tempdir().unwrap(),
            name: name.to_owned(),
            // 2025-01-01
            time: 1_735_689_600,
        };
        upstream.git(&["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [
            ("uploadpack.allowFilter", "true"),
            ("uploadpack.allowAnySHA1InWant", "true"),
        ] {
            upstream.git(&["config", key, value]);
        }
        Some(upstream)
    }

    /// The repository is served with its working tree: its `.git` folder is what clients see.
    pub fn tree(&self) -> PathBuf {
        let path = self.folder.path().join("rpms").join(&self.name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, b"")
    }

    pub fn git_with(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = Command::new("git");
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "A Uthor"),
            ("GIT_AUTHOR_EMAIL", "author@example.org"),
            ("GIT_COMMITTER_NAME", "C Ommitter"),
            ("GIT_COMMITTER_EMAIL", "committer@example.org"),
        ] {
            command.env(name, value);
        }
        let mut child = command
            .env("GIT_AUTHOR_DATE", format!("{} +0200", self.time - 100))
            .env("GIT_COMMITTER_DATE", format!("{} +0000", self.time))
            .args(["-c", "core.quotePath=false", "-C"])
            .arg(self.tree())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn write(&self, path: &str, content: &[u8]) -> &Self {
        let path = self.tree().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Commits all that is there, a day later than the commit before. Gives the commit.
    pub fn commit(&mut self, message: &str) -> String {
        self.time += 86_400;
        self.git(&["add", "--all"]);
        self.git(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--allow-empty-message",
            "-m",
            message,
        ]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The time of the last commit, in seconds since 1970.
    pub fn time(&self) -> i64 {
        self.time
    }

    /// A branch of its own whose only commit has these entries, as `git mktree` or `hash-object` takes them.
    pub fn raw_tree(&mut self, entries: &[(&str, &str, &[u8])]) -> String {
        let mut tree = Vec::new();
        for (mode, name, id) in entries {
            tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            tree.extend_from_slice(id);
        }
        let tree = self.git_with(
            &["hash-object", "-t", "tree", "--literally", "-w", "--stdin"],
            &tree,
        );
        self.git(&["commit-tree", &tree, "-m", "raw"])
    }

    /// The raw id of a blob.
    pub fn blob(&self, content: &[u8]) -> Vec<u8> {
        let id = self.git_with(&["hash-object", "-w", "--stdin"], content);
        (0..id.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap())
            .collect()
    }

    /// Serves it by git's daemon.
    pub fn daemon(&self) -> Daemon {
        Daemon::start(self.folder.path(), |_| true)
    }

    /// A repository of these servers as clients see it.
    pub fn at(&self, base: &str, branch: Option<&str>) -> DistGit {
        let template = format!("{base}/rpms/$pkg/.git");
        DistGit {
            template: UrlTemplate::parse(&template, &[Variable::Package]).unwrap(),
            package: self.name.clone(),
            branch: branch.map(str::to_owned),
        }
    }
}

/// git's daemon, one process for each connection.
pub struct Daemon {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Daemon {
    /// `serve` says of each connection, by its number, whether it is served or closed at once.
    pub fn start(folder: &Path, serve: impl Fn(usize) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, folder) = (connections.clone(), folder.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !serve(count.fetch_add(1, Ordering::SeqCst)) {
                    continue;
                }
                let input = OwnedFd::from(stream.try_clone().unwrap());
                let child = Command::new("git")
                    .args(["daemon", "--inetd", "--export-all", "--log-destination=none"])
                    .arg(format!("--base-path={}", folder.display()))
                    .args(["--", folder.to_str().unwrap()])
                    .env("GIT_CONFIG_NOSYSTEM", "1")
                    .env("GIT_CONFIG_GLOBAL", "/dev/null")
                    .env_remove("REMOTE_ADDR")
                    .stdin(Stdio::from(input))
                    .stdout(Stdio::from(OwnedFd::from(stream)))
                    .stderr(Stdio::null())
                    .spawn();
                std::thread::spawn(move || child.unwrap().wait());
            }
        });
        Self { address, connections }
    }

    pub fn base(&self) -> String {
        format!("git://{}", self.address)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Serves repositories over HTTP, by git's own backend (git-http-backend(1)).
pub fn smart(folder: &Path) -> Server {
    let folder = folder.to_owned();
    Server::start(move |asked, answer| backend(&folder, asked, answer))
}

fn backend(folder: &Path, asked: &Asked, answer: &mut Answer) {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let mut command = Command::new("git");
    if let Some(protocol) = asked.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    if asked.header("content-encoding") == Some("gzip") {
        command.env("HTTP_CONTENT_ENCODING", "gzip");
    }
    let mut child = command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("REQUEST_METHOD", &asked.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", asked.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", asked.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stdin, body) = (child.stdin.take().unwrap(), asked.body.clone());
    std::thread::spawn(move || stdin.write_all(&body));
    let output = child.wait_with_output().unwrap().stdout;
    // CGI: headers, an empty line, the body; the status is a header (RFC 3875, section 6).
    let end = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let mut headers: Vec<(&str, &str)> = head.lines().filter_map(|line| line.split_once(": ")).collect();
    let status = headers.iter().find(|(name, _)| *name == "Status");
    let status = status.map_or(200, |(_, value)| value[..3].parse().unwrap());
    headers.retain(|(name, _)| *name != "Status" && *name != "Content-Length");
    answer.whole(status, &headers, output.get(end + 4..).unwrap_or_default());
}

/// Serves the files of repositories as they lie there: a server that knows nothing of git.
pub fn dumb(folder: &Path) -> Server {
    let folder = folder.to_owned();
    Server::start(move |asked, answer| {
        let path = asked.path.split('?').next().unwrap().trim_start_matches('/');
        match std::fs::read(folder.join(path)) {
            Ok(content) => answer.whole(200, &[], &content),
            Err(_) => answer.whole(404, &[], b""),
        }
    })
}
