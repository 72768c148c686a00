//! A small Debian archive in a temporary folder, signed by a throw-away key, served as `file:`.
#![allow(clippy::unwrap_used, clippy::print_stderr, dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use lazuli_catalog::SuiteName;
use lazuli_catalog::value::ArchiveComponent;
use lazuli_deb::{Architecture, PackageName, Sha256Digest};
use lazuli_upstream::{DebianArchive, Expiry, LockedPackage, Progress, Settings, Suite};

pub fn quiet(_: &Progress) {}

pub fn name(text: &str) -> PackageName {
    PackageName::parse(text).unwrap()
}

pub fn names(texts: &[&str]) -> Vec<PackageName> {
    texts.iter().map(|text| name(text)).collect()
}

/// A key of GnuPG in a home of its own.
pub struct Key {
    home: tempfile::TempDir,
    pub public: PathBuf,
}

impl Key {
    /// Makes a key; `None` where there is no gpg.
    pub fn new() -> Option<Self> {
        // Not below a long path: the socket of gpg's agent has at most 108 bytes.
        let home = tempfile::Builder::new().prefix("lzk").tempdir_in("/tmp").unwrap();
        let public = home.path().join("archive.gpg");
        let key = Self { home, public };
        let made = key.gpg(&[
            "--passphrase",
            "",
            "--quick-gen-key",
            "Archive <a@example.org>",
            "ed25519",
            "sign",
            "0",
        ]);
        if !made {
            eprintln!("SKIPPED: gpg is not there, or makes no keys");
            return None;
        }
        assert!(key.gpg(&["--output", key.public.to_str().unwrap(), "--export"]));
        Some(key)
    }

    fn gpg(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("gpg");
        command
            .args(["--batch", "--yes", "--quiet", "--homedir"])
            .arg(self.home.path())
            .args(arguments);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    pub fn clearsign(&self, text: &Path, output: &Path) {
        let paths = [output.to_str().unwrap(), text.to_str().unwrap()];
        assert!(self.gpg(&[
            "--digest-algo",
            "SHA256",
            "--output",
            paths[0],
            "--clearsign",
            paths[1]
        ]));
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--kill", "all"])
            .status();
    }
}

/// The archive: suites with packages.
pub struct Mirror {
    pub folder: tempfile::TempDir,
    pub key: Key,
    /// For each suite the paragraphs of its packages, without what the archive adds.
    suites: BTreeMap<String, Vec<String>>,
    /// Further fields of every `Release`.
    pub fields: String,
}

impl Mirror {
    /// Makes an archive without suites; `None`, with a loud message, where apt or gpg is not there.
    pub fn new() -> Option<Self> {
        if Command::new("apt-get")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_err()
        {
            eprintln!("SKIPPED: apt-get is not there");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        Some(Self {
            folder,
            key: Key::new()?,
            suites: BTreeMap::new(),
            fields: String::new(),
        })
    }

    /// The archive that has the suite: security suites are in one of their own.
    fn root(&self, suite: &str) -> PathBuf {
        let name = if suite.ends_with("-security") {
            "debian-security"
        } else {
            "debian"
        };
        self.folder.path().join(name)
    }

    /// Adds a package; `more` are further lines of its paragraph.
    pub fn package(&mut self, suite: &str, name: &str, version: &str, more: &str) -> &mut Self {
        let content = format!("the package {name} {version}");
        let file = format!("pool/main/{name}_{}_all.deb", version.rsplit(':').next().unwrap());
        let path = self.root(suite).join(&file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &content).unwrap();
        let paragraph = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: M <m@example.org>\n{more}\
             Filename: {file}\nSize: {}\nSHA256: {}\nDescription: the {name} program\n",
            content.len(),
            Sha256Digest::of(content.as_bytes())
        );
        self.suites.entry(suite.to_owned()).or_default().push(paragraph);
        self
    }

    pub fn remove(&mut self, suite: &str, name: &str) -> &mut Self {
        let head = format!("Package: {name}\n");
        self.suites
            .get_mut(suite)
            .unwrap()
            .retain(|paragraph| !paragraph.starts_with(&head));
        self
    }

    /// Writes and signs the lists of all suites.
    pub fn publish(&mut self) {
        for (suite, paragraphs) in &self.suites {
            let dists = self.root(suite).join("dists").join(suite);
            fs::create_dir_all(dists.join("main/binary-amd64")).unwrap();
            let packages = paragraphs.join("\n");
            fs::write(dists.join("main/binary-amd64/Packages"), &packages).unwrap();
            let date = Command::new("date")
                .args(["-Ru"])
                .env("LC_ALL", "C")
                .output()
                .unwrap()
                .stdout;
            let release = format!(
                "Origin: Probe\nSuite: stable\nCodename: {suite}\nDate: {}Architectures: all amd64\n\
                 Components: main\n{}SHA256:\n {} {} main/binary-amd64/Packages\n",
                String::from_utf8(date).unwrap().replace("+0000", "UTC"),
                self.fields,
                Sha256Digest::of(packages.as_bytes()),
                packages.len(),
            );
            let text = self.folder.path().join("Release");
            fs::write(&text, release).unwrap();
            self.key.clearsign(&text, &dists.join("InRelease"));
        }
    }

    pub fn uri(&self) -> String {
        format!("file:{}", self.folder.path().join("debian").display())
    }

    /// Settings for the same archive over HTTP.
    pub fn settings_over_http(&self) -> Settings {
        let address = serve(self.folder.path().to_owned());
        let mut settings = self.settings();
        for suite in &mut settings.suites {
            let archive = self.root(suite.name.as_str());
            let archive = archive.file_name().unwrap().to_str().unwrap();
            suite.mirror = Some(format!("http://{address}/{archive}"));
        }
        settings
    }

    pub fn file(&self, suite: &str, path: &str) -> PathBuf {
        self.root(suite).join(path)
    }

    pub fn settings(&self) -> Settings {
        let suite = |name: &String| Suite {
            name: SuiteName::new(name.as_str()).unwrap(),
            mirror: None,
        };
        Settings {
            suites: self.suites.keys().map(suite).collect(),
            components: vec![ArchiveComponent::new("main").unwrap()],
            architecture: Architecture::parse("amd64").unwrap(),
            keyring: self.key.public.clone(),
            cache: self.folder.path().join("the cache"),
            mirror: Some(self.uri()),
            expiry: Expiry::Refuse,
            now: SystemTime::now(),
        }
    }

    pub fn archive(&self) -> DebianArchive {
        DebianArchive::open(self.settings()).unwrap()
    }
}

/// Serves a folder over HTTP/1.1, for as long as the test runs.
pub fn serve(root: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let root = root.clone();
            std::thread::spawn(move || answer(connection, &root));
        }
    });
    address
}

/// Answers requests one after the other until the other side closes.
fn answer(connection: TcpStream, root: &Path) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut writer = connection;
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if reader.read_line(&mut request)? == 0 {
                return Ok(());
            }
        }
        let path = request
            .split(' ')
            .nth(1)
            .unwrap_or("/")
            .trim_start_matches('/')
            .replace("%2b", "+");
        let (status, body) = match fs::read(root.join(path)) {
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", Vec::new()),
        };
        writer
            .write_all(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes())?;
        writer.write_all(&body)?;
    }
}

/// Whether apt would ask a proxy for what is on this machine.
pub fn has_proxy() -> bool {
    let output = Command::new("apt-config")
        .args(["dump", "Acquire::http::Proxy"])
        .output();
    let apt = output.is_ok_and(|output| {
        output.stdout.iter().filter(|byte| **byte == b'"').count() > 0 && !output.stdout.ends_with(b"\"\";\n")
    });
    let proxy = apt || std::env::var_os("http_proxy").is_some();
    if proxy {
        eprintln!("SKIPPED: apt uses a proxy, which cannot reach a server of this test");
    }
    proxy
}

/// Changes one byte of a file.
pub fn tamper(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} does not hold {from}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The lists that apt keeps for us whose names end so.
pub fn cached_list(cache: &Path, end: &str) -> PathBuf {
    let apt = fs::read_dir(cache.join("apt"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut lists = fs::read_dir(apt.join("state/lists"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    lists.find(|path| path.to_str().unwrap().ends_with(end)).unwrap()
}

pub fn texts(packages: &[LockedPackage]) -> Vec<String> {
    packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version))
        .collect()
}
