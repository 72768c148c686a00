//! A folder over HTTP, for development and tests: GET and HEAD of files below it, nothing else.
//!
//! Production repositories belong on an object store or a web server; all trust is in the signatures.

use crate::failure::{Failure, Kind, OrFail, Result};
use crate::terminal::Terminal;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Longest request line and header, together.
const MAX_REQUEST: u64 = 16 * 1024;
/// Connections at once; more are closed.
const MAX_CONNECTIONS: usize = 64;
/// How long a client may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// A bound server.
pub struct Server {
    listener: TcpListener,
    root: PathBuf,
}

impl Server {
    /// Binds to `address`.
    pub fn bind(root: &Path, address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .or_fail(Kind::Environment)
            .map_err(|failure| {
                failure
                    .context(format!("failed to listen on {address}"))
                    .hint("port 0 takes a free one")
            })?;
        let root = root
            .canonicalize()
            .or_fail(Kind::Failed)
            .map_err(|failure: Failure| {
                failure
                    .context(format!("failed to open {}", root.display()))
                    .hint("run `lazuli repo create` first")
            })?;
        Ok(Self { listener, root })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until the process ends.
    pub fn run(self, terminal: &Terminal) -> Result<()> {
        let busy = Arc::new(AtomicUsize::new(0));
        for stream in self.listener.incoming() {
            let Ok(stream) = stream else { continue };
            if busy.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
                busy.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (root, busy, terminal) = (self.root.clone(), busy.clone(), terminal.clone());
            std::thread::spawn(move || {
                if let Ok(line) = answer(&root, &stream) {
                    terminal.note(line);
                }
                busy.fetch_sub(1, Ordering::Relaxed);
            });
        }
        Ok(())
    }
}

/// Answers one request; gives a line for the log.
fn answer(root: &Path, stream: &TcpStream) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(MAX_REQUEST));
    let mut request = String::new();
    lines.read_line(&mut request)?;
    let mut header = String::new();
    while lines.read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let mut out = stream;
    let (status, length) = match (method, resolve(root, target)) {
        ("GET" | "HEAD", Some(mut file)) => {
            let length = file.metadata()?.len();
            write!(
                out,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            )?;
            if method == "GET" {
                std::io::copy(&mut file, &mut out)?;
            }
            (200, length)
        }
        ("GET" | "HEAD", None) => (404, refuse(out, "404 Not Found")?),
        _ => (405, refuse(out, "405 Method Not Allowed")?),
    };
    out.flush()?;
    Ok(format!("{status} {method} {target} {length}"))
}

fn refuse(mut out: &TcpStream, status: &str) -> std::io::Result<u64> {
    write!(
        out,
        "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    Ok(0)
}

/// The regular file that a request's target names, if it is below `root` after all links are followed.
fn resolve(root: &Path, target: &str) -> Option<File> {
    let path = decode(target.split(['?', '#']).next()?)?;
    let relative = Path::new(path.trim_start_matches('/'));
    if !relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return None;
    }
    let full = root.join(relative).canonicalize().ok()?;
    let file = File::open(&full).ok()?;
    (full.starts_with(root) && file.metadata().ok()?.is_file()).then_some(file)
}

/// Percent-decoding (RFC 3986, section 2.1).
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_files_below_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root").to_owned();
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::write(root.join("a/x+y"), "1").unwrap();
        std::fs::write(dir.path().join("secret"), "2").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("link")).unwrap();
        let root = root.canonicalize().unwrap();
        for (target, there) in [
            ("/a/x+y", true),
            ("/a/x%2By", true),
            ("/a/x+y?q=1", true),
            ("/a", false),
            ("/link", false),
            ("/../secret", false),
            ("/%2e%2e/secret", false),
            ("/a/%zz", false),
            ("", false),
        ] {
            assert_eq!(resolve(&root, target).is_some(), there, "{target}");
        }
    }
}
