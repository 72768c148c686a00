//! A small HTTP server on this machine that does what a test wants, also what no server should do.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lazuli_source::{
    Clock, Digest, FileName, FileRequest, HashAlgorithm, Network, RetryPolicy, Settings, SourceError,
    Sources, SystemClock,
};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Where the range that was asked for begins.
    pub fn start(&self) -> usize {
        let range = self
            .header("range")
            .and_then(|range| range.strip_prefix("bytes="));
        range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap())
    }
}

/// The other side of a connection.
pub struct Answer {
    stream: TcpStream,
}

impl Answer {
    /// Status line and headers.
    pub fn head(&mut self, status: u16, headers: &[(&str, &str)]) {
        let mut text = format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        self.bytes(format!("{text}\r\n").as_bytes());
    }

    /// Some of the body. The other side may be gone already.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
    }

    /// A whole answer.
    pub fn whole(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let length = body.len().to_string();
        let mut all = headers.to_vec();
        all.push(("Content-Length", &length));
        self.head(status, &all);
        self.bytes(body);
    }

    /// What a good server gives: all, or the range that is asked for.
    pub fn content(&mut self, asked: &Asked, content: &[u8], tag: &str) {
        let start = asked.start();
        let same = asked.header("if-range").is_none_or(|wanted| wanted == tag);
        match start > 0 && same {
            false => self.whole(200, &[("ETag", tag)], content),
            true if start >= content.len() => {
                let range = format!("bytes */{}", content.len());
                self.whole(416, &[("Content-Range", &range)], b"");
            }
            true => {
                let range = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
                self.whole(
                    206,
                    &[("Content-Range", &range), ("ETag", tag)],
                    &content[start..],
                );
            }
        }
    }

    /// Keeps the connection open until the other side closes it.
    pub fn wait(&mut self) {
        let _ = self.stream.set_read_timeout(Some(Duration::from_secs(20)));
        let _ = self.stream.read(&mut [0; 64]);
    }
}

/// The server; it runs as long as the test does.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, handler) = (asked.clone(), Arc::new(handler));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (log.clone(), handler.clone());
                std::thread::spawn(move || {
                    let Some(asked) = read(&stream) else { return };
                    log.lock().unwrap().push(asked.clone());
                    let mut answer = Answer { stream };
                    handler(&asked, &mut answer);
                    let _ = answer.stream.shutdown(Shutdown::Write);
                });
            }
        });
        Self { address, asked }
    }

    /// A server that has one content at every address.
    pub fn of(content: &[u8]) -> Self {
        let content = content.to_vec();
        Self::start(move |asked, answer| answer.content(asked, &content, "\"one\""))
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut asked = Asked {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    if let Some(length) = asked.header("content-length") {
        asked.body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut asked.body).ok()?;
    } else if asked.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            asked.body.extend_from_slice(&chunk[..size]);
        }
    }
    Some(asked)
}

/// A clock that does not wait, but remembers for how long it should have.
#[derive(Debug, Default)]
pub struct TestClock {
    real: SystemClock,
    pub pauses: Mutex<Vec<Duration>>,
}

impl Clock for TestClock {
    fn elapsed(&self) -> Duration {
        self.real.elapsed()
    }

    fn unix(&self) -> i64 {
        // 2026-01-01: what is younger has not been fetched yet.
        1_767_225_600
    }

    fn sleep(&self, duration: Duration) {
        self.pauses.lock().unwrap().push(duration);
    }
}

/// A cache of its own and a clock that does not wait.
pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Arc<TestClock>,
}

impl World {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
        }
    }

    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.folder.path().join("cache"));
        settings.clock = self.clock.clone();
        settings.http.stall_time = Duration::from_secs(10);
        settings.http.retry = RetryPolicy {
            rounds: 3,
            first_pause: Duration::from_millis(500),
            max_pause: Duration::from_secs(20),
        };
        settings.git.retry = settings.http.retry;
        settings.git.protocols.push("file".to_owned());
        settings
    }

    pub fn sources(&self) -> Sources {
        Sources::open(self.settings()).unwrap()
    }

    pub fn with(&self, change: impl FnOnce(&mut Settings)) -> Sources {
        let mut settings = self.settings();
        change(&mut settings);
        Sources::open(settings).unwrap()
    }

    /// The same cache, but no network.
    pub fn offline(&self) -> Sources {
        self.with(|settings| settings.network = Network::Off)
    }

    pub fn pauses(&self) -> Vec<Duration> {
        self.clock.pauses.lock().unwrap().clone()
    }

    /// What is left of downloads.
    pub fn parts(&self) -> Vec<String> {
        let folder = self.folder.path().join("cache/sources/parts");
        let names = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub fn quiet(_: &lazuli_source::Progress) {}

/// A content of some size in which no two places are alike.
pub fn content(size: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size).map(next).collect()
}

pub fn sha512(content: &[u8]) -> Digest {
    Digest::of(HashAlgorithm::Sha512, content)
}

/// A request for a content by its SHA-512 digest.
pub fn wanted(content: &[u8], urls: &[String]) -> FileRequest {
    FileRequest {
        name: FileName::new("file.tar").unwrap(),
        digest: sha512(content),
        size: None,
        urls: urls.to_vec(),
    }
}

/// The reasons of a failed download, one for each address.
#[track_caller]
pub fn reasons(result: Result<lazuli_source::StoredFile, SourceError>) -> Vec<String> {
    match result {
        Err(SourceError::Download { attempts, .. }) => {
            attempts.into_iter().map(|attempt| attempt.reason).collect()
        }
        other => panic!("{other:?}"),
    }
}
