//! Servers that others wrote: Azurite for Azure Blob, moto for S3. They are installed below `target` at the first run.

use crate::build::{Machine, remote, signing_key};
use lazuli_cache::RemoteSettings;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const AZURITE: &str = "azurite@3.35.0";
/// Only what S3 needs.
const MOTO: [&str; 3] = ["moto[s3]==5.2.5", "flask", "flask-cors"];

const ACCOUNT: &str = "lazuli";
const CONTAINER: &str = "builds";

/// How many lines a server may say before it says where it listens.
const LINES_MAX: usize = 50;

/// A server, which ends with this.
struct Server {
    child: Child,
    address: String,
    /// What else it says goes nowhere, but must have somewhere to go.
    _output: std::thread::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server on a port that is free, and waits until it says which.
    fn start(command: &mut Command) -> Self {
        // What it says comes on either.
        let (reader, writer) = std::io::pipe().unwrap();
        let child = command
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        // The command keeps its ends of the pipe; without them, the end of the server is the end of what it says.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut lines = BufReader::new(reader).lines();
        let mut said = Vec::new();
        let address = lines.by_ref().take(LINES_MAX).find_map(|line| {
            let line = line.unwrap();
            let address = line.split_once("http://").map(|(_, rest)| {
                let end = rest.find(|char: char| !(char.is_ascii_digit() || ".:".contains(char)));
                rest[..end.unwrap_or(rest.len())].to_owned()
            });
            said.push(line);
            address
        });
        let address = address.unwrap_or_else(|| panic!("{command:?}: {said:#?}"));
        let output = std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            _output: output,
        }
    }
}

fn succeed(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
}

/// Whether a program is there; says loudly if not.
fn has(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    if !is_there {
        eprintln!("SKIPPED: there is no `{program}`");
    }
    is_there
}

/// A folder below `target` that is made once: under another name first, so that it is whole.
fn installed(name: &str, install: impl Fn(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if !folder.exists() {
        // A Python environment cannot be moved: a mark says that it is whole.
        std::fs::create_dir_all(&folder).unwrap();
    }
    let lock = std::fs::File::open(&folder).unwrap();
    lock.lock().unwrap();
    let whole = folder.join("whole");
    if !whole.exists() {
        install(&folder);
        std::fs::write(whole, "").unwrap();
    }
    folder
}

/// Shares large and small files between two machines, through the server.
fn shares(settings: impl Fn() -> RemoteSettings) {
    let large: Vec<u8> = (0..18_u32 << 20).map(|number| (number % 249) as u8).collect();
    let files: &[(&str, &[u8])] = &[("a.rpm", &large), ("build.log", b"log"), ("empty", b"")];
    let machine = Machine::with(Some(settings()));
    assert_eq!(machine.restore(1), None);
    assert_eq!(machine.notices(), [""; 0], "a miss is no failure");
    machine.put(1, files);
    machine.put(2, &[("b.rpm", b"small")]);
    let done = machine.cache.finish();
    assert_eq!((done.shared, done.not_shared), (2, 0), "{:?}", machine.notices());
    assert!(done.uploaded > large.len() as u64);
    // Another machine.
    let other = Machine::with(Some(settings()));
    let found = other
        .restore(1)
        .unwrap_or_else(|| panic!("{:?}", other.notices()));
    assert!(found["a.rpm"] == large && found["build.log"] == b"log" && found["empty"].is_empty());
    assert_eq!(other.restore(2).unwrap()["b.rpm"], b"small");
    // What is there is not sent again, but for the entry.
    other.put(1, files);
    assert!(other.cache.finish().uploaded < 10_000);
    // Somebody else's results.
    let mut stranger = settings();
    stranger.trusted = crate::build::ring(&signing_key("a stranger"));
    let stranger = Machine::with(Some(stranger));
    assert_eq!(stranger.restore(1), None);
    assert!(stranger.notices()[0].contains("no key"), "they are not believed");
}

/// With the account of the server: a container is made, as no part of the cache does it.
const MAKE_CONTAINER: &str = r#"
const [address, account, key, container] = process.argv.slice(1);
const crypto = require("crypto"), http = require("http");
const date = new Date().toUTCString(), version = "2021-08-06";
const path = `/${account}/${container}`;
const text = `PUT${"\n".repeat(12)}x-ms-date:${date}\nx-ms-version:${version}\n/${account}${path}\nrestype:container`;
const mac = crypto.createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
const headers = { "x-ms-date": date, "x-ms-version": version, authorization: `SharedKey ${account}:${mac}`, "content-length": 0 };
http.request(`http://${address}${path}?restype=container`, { method: "PUT", headers }, (answer) => {
  answer.resume();
  if (answer.statusCode !== 201) { console.error(answer.statusCode, answer.statusMessage); process.exit(1); }
}).end();
"#;

#[test]
fn azure_blob() {
    if !has("node") || !has("npm") {
        return;
    }
    let folder = installed("azurite", |folder| {
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
        ]);
        succeed(npm.arg(folder).arg(AZURITE));
    });
    // The account is the test's own: 64 bytes that are no secret, in base64.
    let key = "dGVzdA==";
    let program = folder.join("node_modules/azurite/dist/src/blob/main.js");
    let server = Server::start(
        Command::new("node")
            .arg(program)
            .args(["--blobPort", "0", "--inMemoryPersistence", "--silent"])
            .args(["--skipApiVersionCheck", "--disableTelemetry"])
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{key}")),
    );
    let mut node = Command::new("node");
    succeed(node.args(["-e", MAKE_CONTAINER, &server.address, ACCOUNT, key, CONTAINER]));
    let endpoint = format!("http://{}/{ACCOUNT}", server.address);
    let options = [
        ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
        ("AZURE_STORAGE_ACCOUNT_KEY", key),
        ("AZURE_STORAGE_ENDPOINT", &endpoint),
        ("AZURE_ALLOW_HTTP", "true"),
    ];
    let signing = signing_key("shared");
    shares(|| remote(&format!("az://{CONTAINER}/lazuli/2"), &options, &signing));
}

#[test]
fn s3() {
    if !has("python3") {
        return;
    }
    let folder = installed("moto", |folder| {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(folder));
        let mut pip = Command::new(folder.join("bin/python3"));
        succeed(pip.args(["-m", "pip", "install", "--quiet"]).args(MOTO));
    });
    let server = Server::start(
        Command::new(folder.join("bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONUNBUFFERED", "1"),
    );
    let script = "import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], method='PUT')).read()";
    let bucket = format!("http://{}/builds", server.address);
    succeed(Command::new("python3").args(["-c", script, &bucket]));
    let endpoint = format!("http://{}", server.address);
    let options = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "user"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ];
    let signing = signing_key("shared");
    shares(|| remote("s3://builds/lazuli/2", &options, &signing));
}
