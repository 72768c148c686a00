//! Packages made on the spot, roots to put them into, and the real rpm to ask.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

use lazuli_rpm::{Compression, Evr, FileEntry, FileFlags, Metadata, Nevra, PackageBuilder};
use lazuli_transaction::{
    Aliases, Clock, Docs, Options, PackageFile, Plan, Quiet, Report, Request, Root, TransactionError, Trust,
    Wanted, execute, open_packages, read_installed,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const CLOCK: u32 = 1_700_000_000;

pub(crate) fn skip_unless_root() -> bool {
    let skip = !rustix::process::geteuid().is_root();
    if skip {
        eprintln!("SKIPPED: this test takes root");
    }
    skip
}

pub(crate) fn has_rpm() -> bool {
    let found = Command::new("rpm")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("SKIPPED: `rpm` is not installed");
    }
    found
}

/// A package to be made.
pub(crate) struct Make {
    pub(crate) metadata: Metadata,
    contents: BTreeMap<Vec<u8>, Vec<u8>>,
}

pub(crate) fn make(name: &str, evr: &str) -> Make {
    let mut metadata = Metadata::new(Nevra {
        name: name.to_owned(),
        evr: Evr::parse(evr).unwrap(),
        arch: "x86_64".to_owned(),
    });
    metadata.summary = format!("The package {name}");
    metadata.description = "For tests.".to_owned();
    metadata.license = "MIT".to_owned();
    metadata.build_time = 1_600_000_000;
    metadata.build_host = "test".to_owned();
    Make {
        metadata,
        contents: BTreeMap::new(),
    }
}

impl Make {
    pub(crate) fn entry(mut self, mut entry: FileEntry) -> Self {
        entry.mtime = 1_500_000_000;
        self.metadata.files.push(entry);
        self
    }

    pub(crate) fn file(self, path: &str, mode: u16, content: &str) -> Self {
        self.file_as(path, mode, content, |_| {})
    }

    pub(crate) fn file_as(
        mut self,
        path: &str,
        mode: u16,
        content: &str,
        change: impl FnOnce(&mut FileEntry),
    ) -> Self {
        let mut entry = FileEntry::regular(path, mode, content.len() as u64, None);
        change(&mut entry);
        self.contents
            .insert(path.as_bytes().to_vec(), content.as_bytes().to_vec());
        self.entry(entry)
    }

    pub(crate) fn config(self, path: &str, content: &str, more: FileFlags) -> Self {
        self.file_as(path, 0o644, content, |entry| {
            entry.flags = FileFlags::CONFIG | more
        })
    }

    pub(crate) fn dir(self, path: &str, mode: u16) -> Self {
        self.entry(FileEntry::directory(path, mode))
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.entry(FileEntry::symlink(path, target))
    }

    /// Builds the package into a folder.
    pub(crate) fn into(self, dir: &Path) -> PathBuf {
        let path = dir.join(format!(
            "{}-{}-{}.rpm",
            self.metadata.nevra.name, self.metadata.nevra.evr.version, self.metadata.nevra.evr.release
        ));
        let built = PackageBuilder::new(self.metadata)
            .compression(Compression::Zstd { level: 1 })
            .build(&self.contents, None)
            .unwrap();
        std::fs::write(&path, built.to_bytes()).unwrap();
        path
    }
}

/// A folder for packages and a root.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
    pub(crate) root: Root,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("packages")).unwrap();
        let root = Root::open_or_create(&dir.path().join("root")).unwrap();
        Self { dir, root }
    }

    /// The same around a root that is there.
    pub(crate) fn with_root(root: Root) -> Self {
        Self { root, ..Self::new() }
    }

    pub(crate) fn packages(&self) -> PathBuf {
        self.dir.path().join("packages")
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    pub(crate) fn target(&self, path: &str) -> String {
        std::fs::read_link(self.path(path))
            .map(|p| p.display().to_string())
            .unwrap_or_else(|e| e.to_string())
    }

    pub(crate) fn plan(
        &self,
        files: &[PathBuf],
        remove: &[&str],
        docs: Docs,
    ) -> Result<Plan, TransactionError> {
        let files: Vec<PackageFile> = files
            .iter()
            .map(|path| PackageFile {
                path: path.clone(),
                sha256: None,
                wanted: Wanted::ByUser,
            })
            .collect();
        let install = open_packages(&files, Trust::Unchecked, &Quiet)?;
        let installed = read_installed(&self.root)?;
        let goes = |name: &str| {
            remove.contains(&name)
                || install
                    .iter()
                    .any(|package| package.metadata().nevra.name == name)
        };
        let remove = installed
            .iter()
            .filter(|p| goes(&p.metadata.nevra.name))
            .map(|p| p.number)
            .collect();
        Plan::new(Request {
            install,
            remove,
            installed: &installed,
            aliases: Aliases::of_root(&self.root)?,
            disk: &self.root,
            docs,
        })
    }

    pub(crate) fn change(&self, files: &[PathBuf], remove: &[&str]) -> Result<Report, TransactionError> {
        let plan = self.plan(files, remove, Docs::Install)?;
        execute(&plan, &self.root, &Options::new(Clock::new(CLOCK)))
    }

    pub(crate) fn install(&self, packages: Vec<Make>) -> Report {
        let files: Vec<PathBuf> = packages
            .into_iter()
            .map(|package| package.into(&self.packages()))
            .collect();
        self.change(&files, &[]).unwrap()
    }

    /// What the real rpm says of the root: its output, errors too.
    pub(crate) fn rpm(&self, arguments: &[&str]) -> String {
        rpm(self.root.path(), arguments)
    }
}

pub(crate) fn rpm(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("rpm")
        .args([
            "--root",
            root.to_str().unwrap(),
            "--dbpath",
            "/usr/lib/sysimage/rpm",
        ])
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let noise = ["RPM should not be used directly", "However assuming you know"];
    text.lines()
        .filter(|line| !noise.iter().any(|n| line.contains(n)))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// A line of a table.
pub(crate) fn sql(root: &Path, query: &str) -> String {
    let output = Command::new("sqlite3")
        .arg(root.join("usr/lib/sysimage/rpm/rpmdb.sqlite"))
        .arg(query)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The machine's shell and some tools, with their libraries, for scriptlets and finalisers.
pub(crate) fn add_shell(root: &Path) {
    for program in ["/bin/sh", "/bin/cat", "/bin/cp", "/usr/bin/env"] {
        let real = Path::new(program).canonicalize().unwrap();
        let copy = |from: &Path, to: PathBuf| {
            if !to.exists() {
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::copy(from, to).unwrap();
            }
        };
        copy(&real, root.join(program.trim_start_matches('/')));
        let output = Command::new("ldd").arg(&real).output().unwrap();
        for word in String::from_utf8_lossy(&output.stdout)
            .split_whitespace()
            .filter(|w| w.starts_with('/'))
        {
            copy(Path::new(word), root.join(word.trim_start_matches('/')));
        }
    }
}

/// Tells every path below a folder.
pub(crate) fn walk(folder: &Path, tell: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        tell(&entry.path());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), tell);
        }
    }
}
