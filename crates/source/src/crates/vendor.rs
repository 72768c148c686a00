//! One run of `cargo vendor`, and the check of what it brought.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lazuli_catalog::Sha256Digest;

use crate::checkout::TreeMode;
use crate::clock::Clock;
use crate::error::SourceError;
use crate::name::TreePath;
use crate::process::{self, Input, Limits};
use crate::request::LockedCrate;
use crate::settings::CargoSettings;
use crate::tarball::Member;

/// The file in which cargo says what a vendored crate is made of.
const CHECKSUMS: &str = ".cargo-checksum.json";

/// How much cargo may write to standard output, in bytes: the configuration that it proposes.
const MAX_OUTPUT: u64 = 1 << 20;

/// The most files of one crate.
const MAX_FILES: usize = 200_000;

/// How deep the folders of a crate go.
const MAX_DEPTH: usize = 32;

/// Runs cargo in a project that is made for it.
pub(super) struct Vendor<'v> {
    pub(super) settings: &'v CargoSettings,
    pub(super) clock: &'v dyn Clock,
    /// An empty folder.
    pub(super) folder: PathBuf,
    /// What messages call it.
    pub(super) what: &'v str,
}

/// `.cargo-checksum.json`
#[derive(serde::Deserialize)]
struct Checksums {
    files: BTreeMap<String, String>,
    package: Option<String>,
}

impl Vendor<'_> {
    /// Fetches crates, exactly these versions, and what they need. With a Cargo.lock, cargo takes from it what it can.
    pub(super) fn run(&self, crates: &[(&str, &str)], lock: Option<&[u8]>) -> Result<(), SourceError> {
        let mut manifest =
            "[package]\nname = \"vendored-by-lazuli\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
                            [workspace]\n\n[dependencies]\n"
                .to_owned();
        for (number, (name, version)) in crates.iter().enumerate() {
            // Without default features nothing is needed but what a Cargo.lock has anyway; writing to a String never fails.
            let _ = writeln!(
                manifest,
                "c{number} = {{ package = \"{name}\", version = \"={version}\", default-features = {} }}",
                lock.is_none()
            );
        }
        self.write("Cargo.toml", manifest.as_bytes())?;
        self.write("src/lib.rs", b"")?;
        if let Some(lock) = lock {
            self.write("Cargo.lock", lock)?;
        }
        let mut command = Command::new(&self.settings.program);
        command
            .current_dir(&self.folder)
            .args([
                "vendor",
                "--versioned-dirs",
                "--respect-source-config",
                "--color=never",
            ])
            .arg("vendor")
            .envs(
                self.settings
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .env("LC_ALL", "C.UTF-8");
        let limits = Limits {
            silence: self.settings.max_time,
            time: self.settings.max_time,
            output: MAX_OUTPUT,
        };
        let outcome = process::run(command, Input::Stdio(Stdio::null()), limits, self.clock)?;
        match outcome.success() {
            true => Ok(()),
            false => Err(SourceError::Cargo {
                action: "fetch",
                what: self.what.to_owned(),
                message: outcome.message,
            }),
        }
    }

    /// The Cargo.lock that cargo has written.
    pub(super) fn lock(&self) -> Result<Vec<u8>, SourceError> {
        let path = self.folder.join("Cargo.lock");
        std::fs::read(&path).map_err(SourceError::io("read", &path))
    }

    /// The folder of a crate that was fetched.
    pub(super) fn folder_of(&self, one: &LockedCrate) -> PathBuf {
        let name = format!("{}-{}", one.name, one.version);
        self.folder.join("vendor").join(name)
    }

    /// Whether cargo fetched exactly these crates.
    pub(super) fn check_names(&self, crates: &[LockedCrate]) -> Result<(), SourceError> {
        let folder = self.folder.join("vendor");
        let expected: Vec<PathBuf> = crates.iter().map(|one| self.folder_of(one)).collect();
        let found = match folder.exists() {
            true => entries(&folder)?,
            // cargo makes no folder for nothing.
            false => Vec::new(),
        };
        let name = |path: &Path| {
            path.file_name()
                .unwrap_or(OsStr::new(""))
                .to_string_lossy()
                .into_owned()
        };
        if let Some(more) = found.iter().find(|path| !expected.contains(path)) {
            return Err(SourceError::Crate {
                crate_name: name(more),
                reason: "it is needed, but the Cargo.lock does not name it".to_owned(),
            });
        }
        match expected.iter().find(|path| !found.contains(path)) {
            Some(absent) => Err(SourceError::Crate {
                crate_name: name(absent),
                reason: "cargo did not fetch it".to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The files of a crate, checked: cargo compared the `.crate` file with the checksum of the index; that checksum must be
    /// the Cargo.lock's, and each file must be what cargo unpacked. `left` is how many bytes may still be read.
    pub(super) fn read(&self, one: &LockedCrate, left: &mut u64) -> Result<Vec<Member>, SourceError> {
        let fail = |reason: String| SourceError::Crate {
            crate_name: format!("{} {}", one.name, one.version),
            reason,
        };
        let folder = self.folder_of(one);
        let path = folder.join(CHECKSUMS);
        let bytes = std::fs::read(&path).map_err(SourceError::io("read", &path))?;
        let Checksums { mut files, package } =
            serde_json::from_slice(&bytes).map_err(|error| fail(format!("{CHECKSUMS}: {error}")))?;
        match package {
            Some(package) if package == one.sha256.as_str() => {}
            found => {
                let found = found.unwrap_or_else(|| "none".to_owned());
                return Err(fail(format!(
                    "its checksum is {found}, but {} is in the Cargo.lock",
                    one.sha256
                )));
            }
        }
        let mut members = Vec::new();
        self.walk(&folder, "", 0, left, &mut members)?;
        for member in &members {
            let expected = match member.path.as_str() {
                CHECKSUMS => continue,
                path => files.remove(path),
            };
            let found = Sha256Digest::of(&member.content);
            if expected.as_deref() != Some(found.as_str()) {
                return Err(fail(format!("{} is not what {CHECKSUMS} says", member.path)));
            }
        }
        match files.keys().next() {
            Some(absent) => Err(fail(format!("{absent} is not there"))),
            None => Ok(members),
        }
    }

    fn walk(
        &self,
        folder: &Path,
        prefix: &str,
        depth: usize,
        left: &mut u64,
        members: &mut Vec<Member>,
    ) -> Result<(), SourceError> {
        for path in entries(folder)? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let inner = format!("{prefix}{name}");
            let metadata = std::fs::symlink_metadata(&path).map_err(SourceError::io("look at", &path))?;
            let fail = |reason: &str| SourceError::Crate {
                crate_name: self.what.to_owned(),
                reason: format!("{}: {reason}", path.display()),
            };
            if metadata.is_dir() {
                if depth == MAX_DEPTH {
                    return Err(fail("it is too deep"));
                }
                self.walk(&path, &format!("{inner}/"), depth + 1, left, members)?;
                continue;
            }
            if !metadata.is_file() {
                return Err(fail("it is neither a file nor a folder"));
            }
            if members.len() == MAX_FILES {
                return Err(fail("it is one of too many files"));
            }
            TreePath::new(&inner)?;
            *left = left
                .checked_sub(metadata.len())
                .ok_or_else(|| SourceError::TooLarge {
                    what: format!("the crates of {}", self.what),
                    limit: self.settings.max_bytes,
                })?;
            let content = std::fs::read(&path).map_err(SourceError::io("read", &path))?;
            let mode = match metadata.permissions().mode() & 0o100 {
                0 => TreeMode::Plain,
                _ => TreeMode::Executable,
            };
            members.push(Member::new(inner, mode, content));
        }
        Ok(())
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), SourceError> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(SourceError::io("make the folder", folder))?;
        }
        std::fs::write(&path, content).map_err(SourceError::io("write", &path))
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(SourceError::io("read", folder))? {
        paths.push(entry.map_err(SourceError::io("read", folder))?.path());
    }
    paths.sort();
    Ok(paths)
}
