//! Repositories made on the spot, a server for them, and `lz` as a process.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

use lazuli_compose::{CreateOptions, MetadataSigner, TrustError, create};
use lazuli_openpgp::{KeyAlgorithm, SigningKey};
use lazuli_rpm::{Compression, Dependency, Evr, FileEntry, Metadata, Nevra, PackageBuilder};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const EPOCH: u64 = 1_750_000_000;

pub(crate) fn skip_unless_root() -> bool {
    let skip = !rustix::process::geteuid().is_root();
    if skip {
        eprintln!("SKIPPED: this test takes root");
    }
    skip
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(
        KeyAlgorithm::Ed25519,
        "Test <test@example.test>",
        at(EPOCH - 1000),
    )
    .unwrap()
}

struct Signs<'k>(&'k SigningKey);

impl MetadataSigner for Signs<'_> {
    fn sign_detached(&self, data: &[u8]) -> Result<Vec<u8>, TrustError> {
        Ok(self.0.sign_detached_armored(data, at(EPOCH))?.into_bytes())
    }

    fn certificate(&self) -> Result<Vec<u8>, TrustError> {
        Ok(self.0.certificate()?.into_bytes())
    }
}

/// A package: name, EVR, requires, recommends, files.
pub(crate) struct Make<'a> {
    pub(crate) name: &'a str,
    pub(crate) evr: &'a str,
    pub(crate) requires: &'a [&'a str],
    pub(crate) recommends: &'a [&'a str],
    pub(crate) files: &'a [(&'a str, &'a str)],
}

impl Make<'_> {
    pub(crate) fn build(&self, dir: &Path, key: Option<&SigningKey>) -> PathBuf {
        let nevra = Nevra {
            name: self.name.to_owned(),
            evr: Evr::parse(self.evr).unwrap(),
            arch: "x86_64".to_owned(),
        };
        let mut metadata = Metadata::new(nevra);
        metadata.summary = format!("The {} of the tests", self.name);
        metadata.description = "First line.\nSecond line.".to_owned();
        metadata.license = "MIT".to_owned();
        metadata.url = "https://example.test/".to_owned();
        metadata.requires = self
            .requires
            .iter()
            .map(|text| Dependency::parse(text).unwrap())
            .collect();
        metadata.recommends = self
            .recommends
            .iter()
            .map(|text| Dependency::parse(text).unwrap())
            .collect();
        let mut contents = BTreeMap::new();
        for (path, content) in self.files {
            metadata.files.push(if *content == "DIR" {
                FileEntry::directory(*path, 0o755)
            } else {
                contents.insert(path.as_bytes().to_vec(), content.as_bytes().to_vec());
                let mut file = FileEntry::regular(*path, 0o755, content.len() as u64, None);
                if path.contains("/owned/") {
                    (file.user, file.group) = ("service".to_owned(), "service".to_owned());
                    file.mode = 0o100_600;
                }
                file
            });
        }
        let signer = key.map(|key| key.signer(at(EPOCH)));
        let built = PackageBuilder::new(metadata)
            .compression(Compression::Zstd { level: 1 })
            .build(
                &contents,
                signer.as_ref().map(|signer| signer as &dyn lazuli_rpm::Signer),
            )
            .unwrap();
        let path = dir.join(format!("{}-{}.x86_64.rpm", self.name, self.evr.replace(':', "_")));
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(&path, built.to_bytes()).unwrap();
        path
    }
}

/// The packages that most tests use.
pub(crate) fn sample(dir: &Path, key: Option<&SigningKey>) {
    for package in [
        Make {
            name: "base",
            evr: "1-1",
            requires: &[],
            recommends: &[],
            files: &[
                (
                    "/usr/lib/sysusers.d/base.conf",
                    "u root 0 - /root /bin/sh\nu service 400 - /var/lib/service\n",
                ),
                ("/etc/base.conf", "base\n"),
            ],
        },
        Make {
            name: "app",
            evr: "2:1.0-1",
            requires: &["lib >= 1", "base", "/usr/share/lib/data"],
            recommends: &["extra"],
            files: &[("/usr/bin/app", "app 1"), ("/var/lib/owned/secret", "s")],
        },
        Make {
            name: "lib",
            evr: "1.5-1",
            requires: &[],
            recommends: &[],
            files: &[("/usr/share/lib/data", "lib")],
        },
        Make {
            name: "extra",
            evr: "1-1",
            requires: &["base"],
            recommends: &[],
            files: &[("/usr/bin/extra", "x")],
        },
        Make {
            name: "broken",
            evr: "1-1",
            requires: &["nothing-has-this >= 3"],
            recommends: &[],
            files: &[],
        },
    ] {
        package.build(dir, key);
    }
}

pub(crate) fn index(dir: &Path, key: Option<&SigningKey>, revision: u64) {
    let signs = key.map(Signs);
    let options = CreateOptions {
        signer: signs.as_ref().map(|s| s as &dyn MetadataSigner),
        revision,
        workers: 1,
        zstd_level: 1,
    };
    create(dir, &options).unwrap();
}

/// `lz` with a cleared environment and its own folders.
pub(crate) struct Lz {
    pub(crate) dir: tempfile::TempDir,
}

impl Lz {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["repos.d", "root"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn root(&self, path: &str) -> PathBuf {
        self.dir.path().join("root").join(path.trim_start_matches('/'))
    }

    /// Writes a repository file.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.path("repos.d/test.repo"), text).unwrap();
    }

    /// Runs it with `--root` and `--repos-dir` set to the test's folders.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lz"))
            .args([
                "--root",
                self.path("root").to_str().unwrap(),
                "--repos-dir",
                self.path("repos.d").to_str().unwrap(),
            ])
            .args([
                "--arch",
                "x86_64",
                "--cache-dir",
                self.path("cache").to_str().unwrap(),
            ])
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.dir.path())
            .env("SOURCE_DATE_EPOCH", EPOCH.to_string())
            .output()
            .unwrap()
    }

    /// Standard output of a run that must succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{out}\n{err}",
            output.status
        );
        out
    }

    /// Standard error of a run that must end with this code.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        err
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the server does to requests of a path.
pub(crate) type Toxins = Arc<Mutex<BTreeMap<String, Toxin>>>;

#[derive(Clone, Debug)]
pub(crate) enum Toxin {
    /// Answers 503 so many times.
    Busy(usize),
    /// Sends half of the content, so many times.
    Half(usize),
    /// Sends other bytes of the same length.
    Garble,
}

/// A folder, served over http on a free port, until the test ends.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) toxins: Toxins,
    /// Paths that were asked for.
    pub(crate) log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn new(dir: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (toxins, log) = (Toxins::default(), Arc::new(Mutex::new(Vec::new())));
        let (dir, poison, entries) = (dir.to_owned(), Arc::clone(&toxins), Arc::clone(&log));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (dir, poison, entries) = (dir.clone(), Arc::clone(&poison), Arc::clone(&entries));
                std::thread::spawn(move || serve(&stream, &dir, &poison, &entries));
            }
        });
        Self { url, toxins, log }
    }

    pub(crate) fn poison(&self, path: &str, toxin: Toxin) {
        self.toxins.lock().unwrap().insert(path.to_owned(), toxin);
    }
}

fn serve(stream: &TcpStream, dir: &Path, toxins: &Toxins, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut out = stream;
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 2 {
            line.clear();
        }
        let path = request.split(' ').nth(1)?.trim_start_matches('/').to_owned();
        log.lock().unwrap().push(path.clone());
        let toxin = {
            let mut toxins = toxins.lock().unwrap();
            let key = toxins.keys().find(|key| path.contains(key.as_str())).cloned();
            key.and_then(|key| match toxins.get_mut(&key)? {
                Toxin::Busy(n) | Toxin::Half(n) if *n == 0 => None,
                toxin => {
                    let now = toxin.clone();
                    if let Toxin::Busy(n) | Toxin::Half(n) = toxin {
                        *n -= 1;
                    }
                    Some(now)
                }
            })
        };
        let content = std::fs::read(dir.join(&path));
        let (status, mut body) = match (&toxin, content) {
            (Some(Toxin::Busy(_)), _) => ("503 Busy", Vec::new()),
            (_, Ok(content)) => ("200 OK", content),
            (_, Err(_)) => ("404 Not Found", Vec::new()),
        };
        let length = body.len();
        match toxin {
            Some(Toxin::Half(_)) => body.truncate(length / 2),
            Some(Toxin::Garble) => body.iter_mut().for_each(|byte| *byte ^= 0x55),
            _ => {}
        }
        write!(out, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n").ok()?;
        out.write_all(&body).ok()?;
        if body.len() < length {
            return None;
        }
    }
}
