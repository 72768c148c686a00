//! A server that speaks as much of S3 as is needed, and does wrong as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The largest body that is taken.
const BODY_MAX: usize = 64 << 20;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `500 Internal Server Error`.
    Broken,
    /// `403 Forbidden`.
    Forbidden,
    /// The connection ends without an answer.
    HangUp,
    /// The answer ends half-way.
    CutOff,
    /// There is never an answer.
    Silent,
    /// A byte is another one.
    WrongByte,
    /// There is a byte more.
    Longer,
}

/// When something is done wrong.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) fault: Fault,
    pub(crate) method: &'static str,
    /// A part of the path.
    pub(crate) path: &'static str,
    /// How often; then it is done right.
    pub(crate) times: usize,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    rules: Vec<Rule>,
    requests: Vec<String>,
}

/// The server; it ends with the test's process.
pub(crate) struct Toxic {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Toxic {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    /// Address and options of the bucket.
    pub(crate) fn remote(&self) -> (String, Vec<(String, String)>) {
        let options = [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", "user".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ];
        let options = options.map(|(name, value)| (name.to_owned(), value));
        ("s3://bucket/some/prefix".to_owned(), options.to_vec())
    }

    pub(crate) fn fault(&self, fault: Fault, method: &'static str, path: &'static str, times: usize) {
        self.state.lock().unwrap().rules.push(Rule {
            fault,
            method,
            path,
            times,
        });
    }

    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    /// Requests since the last look, as `METHOD PATH`.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    /// Paths of all that is kept.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }

    /// Changes what is kept under paths with this part.
    pub(crate) fn change(&self, part: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut state = self.state.lock().unwrap();
        let objects = state.objects.iter_mut().filter(|(path, _)| path.contains(part));
        objects.for_each(|(_, content)| change(content));
    }

    pub(crate) fn get(&self, part: &str) -> Vec<u8> {
        let state = self.state.lock().unwrap();
        let (_, content) = state
            .objects
            .iter()
            .find(|(path, _)| path.contains(part))
            .unwrap();
        content.clone()
    }
}

struct Request {
    method: String,
    path: String,
    /// The first byte that is wanted.
    from: usize,
    body: Vec<u8>,
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut from) = (0, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        match name {
            "content-length" => length = value.parse().ok()?,
            "range" => from = value.strip_prefix("bytes=")?.split('-').next()?.parse().ok()?,
            _ => {}
        }
    }
    assert!(length <= BODY_MAX);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = path.split('?').next()?.to_owned();
    Some(Request {
        method,
        path,
        from,
        body,
    })
}

/// One request for each connection.
fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(request) = read(&mut reader) else { return };
    let fault = {
        let mut state = state.lock().unwrap();
        let line = format!("{} {}", request.method, request.path);
        state.requests.push(line);
        let rule = state
            .rules
            .iter_mut()
            .find(|rule| rule.times > 0 && rule.method == request.method && request.path.contains(rule.path));
        rule.map(|rule| {
            rule.times -= 1;
            rule.fault
        })
    };
    if fault == Some(Fault::HangUp) {
        return;
    }
    if fault == Some(Fault::Silent) {
        // Until the client has had enough.
        let _ = reader.read(&mut [0]);
        return;
    }
    let (status, mut body) = match fault {
        Some(Fault::Broken) => ("500 Internal Server Error", b"<Error/>".to_vec()),
        Some(Fault::Forbidden) => ("403 Forbidden", b"<Error/>".to_vec()),
        _ => answer(&request, state),
    };
    let total = body.len();
    let mut head = String::new();
    if request.method != "PUT" && status.starts_with('2') {
        match fault {
            Some(Fault::WrongByte) => body[total / 2] ^= 1,
            Some(Fault::Longer) => body.push(b'+'),
            _ => {}
        }
        if request.from > 0 {
            head += &format!("Content-Range: bytes {}-{}/{total}\r\n", request.from, total - 1);
            body.drain(..request.from);
        }
    }
    let status = if request.from > 0 {
        "206 Partial Content"
    } else {
        status
    };
    head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"{total}\"\r\n\
         Last-Modified: Tue, 01 Dec 2026 12:00:00 GMT\r\nConnection: close\r\n{head}\r\n",
        body.len()
    );
    let cut = match fault {
        Some(Fault::CutOff) => body.len() / 2,
        _ => body.len(),
    };
    let mut stream = stream;
    let _ = stream.write_all(head.as_bytes());
    if request.method != "HEAD" {
        let _ = stream.write_all(&body[..cut]);
    }
}

fn answer(request: &Request, state: &Mutex<State>) -> (&'static str, Vec<u8>) {
    let mut state = state.lock().unwrap();
    match request.method.as_str() {
        "PUT" => {
            state.objects.insert(request.path.clone(), request.body.clone());
            ("200 OK", Vec::new())
        }
        "GET" | "HEAD" => match state.objects.get(&request.path) {
            Some(content) => ("200 OK", content.clone()),
            None => ("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
        },
        _ => ("405 Method Not Allowed", Vec::new()),
    }
}
