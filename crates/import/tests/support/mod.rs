//! Packages made by hand, and what tests want of them.
#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::path::Path;
use std::process::Command;

use lazuli_deb::{Deb, Limits, Sha256Digest};
use lazuli_import::{ImportError, ImportSettings, Imported, Origin, import};

/// A `.deb` in the making.
pub struct TestDeb {
    control: Vec<(String, Vec<u8>)>,
    data: tar::Builder<Vec<u8>>,
}

impl TestDeb {
    pub fn new(control: &str) -> Self {
        let text = format!("{}\n", control.trim());
        Self {
            control: vec![("control".to_owned(), text.into_bytes())],
            data: tar::Builder::new(Vec::new()),
        }
    }

    /// The smallest package, with more control fields if there are any.
    pub fn simple(fields: &str) -> Self {
        Self::new(&format!(
            "Package: sample\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: A <a@example.org>\nDescription: a sample\n{fields}"
        ))
    }

    pub fn control_file(mut self, name: &str, content: &str) -> Self {
        self.control.push((name.to_owned(), content.as_bytes().to_vec()));
        self
    }

    pub fn file(self, path: &str, mode: u32, content: &[u8]) -> Self {
        self.owned(path, mode, ("root", 0), ("root", 0), content)
    }

    pub fn owned(
        mut self,
        path: &str,
        mode: u32,
        user: (&str, u64),
        group: (&str, u64),
        content: &[u8],
    ) -> Self {
        let mut header = header(tar::EntryType::Regular, mode);
        header.set_username(user.0).unwrap();
        header.set_uid(user.1);
        header.set_groupname(group.0).unwrap();
        header.set_gid(group.1);
        header.set_size(content.len() as u64);
        self.data.append_data(&mut header, path, content).unwrap();
        self
    }

    pub fn directory(mut self, path: &str, mode: u32) -> Self {
        let mut header = header(tar::EntryType::Directory, mode);
        self.data
            .append_data(&mut header, path, std::io::empty())
            .unwrap();
        self
    }

    pub fn symlink(mut self, path: &str, target: &str) -> Self {
        let mut header = header(tar::EntryType::Symlink, 0o777);
        self.data.append_link(&mut header, path, target).unwrap();
        self
    }

    pub fn hard_link(mut self, path: &str, target: &str) -> Self {
        let mut header = header(tar::EntryType::Link, 0o644);
        self.data.append_link(&mut header, path, target).unwrap();
        self
    }

    /// A file with an extended attribute, as tar writes it in a PAX header.
    pub fn with_attribute(mut self, path: &str, mode: u32, name: &str, value: &[u8]) -> Self {
        let key = format!("SCHILY.xattr.{name}");
        self.data.append_pax_extensions([(key.as_str(), value)]).unwrap();
        self.file(path, mode, b"content")
    }

    pub fn build(self) -> Vec<u8> {
        let mut control = tar::Builder::new(Vec::new());
        for (name, content) in &self.control {
            let mut header = header(tar::EntryType::Regular, 0o755);
            header.set_size(content.len() as u64);
            control
                .append_data(&mut header, format!("./{name}"), content.as_slice())
                .unwrap();
        }
        let mut deb = ar::Builder::new(Vec::new());
        let members = [
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar", control.into_inner().unwrap()),
            ("data.tar", self.data.into_inner().unwrap()),
        ];
        for (name, bytes) in members {
            let header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
            deb.append(&header, bytes.as_slice()).unwrap();
        }
        deb.into_inner().unwrap()
    }
}

fn header(kind: tar::EntryType, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(1_700_000_000);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root").unwrap();
    header.set_groupname("root").unwrap();
    header.set_size(0);
    header
}

pub fn origin(deb: &[u8]) -> Origin {
    let parsed = Deb::parse(deb, Limits::default()).unwrap();
    let binary = parsed.binary();
    Origin {
        archive: "debian".to_owned(),
        suite: "trixie".to_owned(),
        package: binary.name.clone(),
        version: binary.version.clone(),
        sha256: Sha256Digest::of(deb),
        source: binary.source_name.clone(),
        source_version: binary.source_version.clone(),
    }
}

pub fn imported(deb: &[u8], settings: &ImportSettings) -> Result<Imported, ImportError> {
    import(deb, &origin(deb), settings)
}

/// Files as `mode user:group path -> target {flags} [capabilities]`, a line each.
pub fn files(imported: &Imported) -> String {
    let mut out = String::new();
    for file in &imported.metadata.files {
        let text = String::from_utf8_lossy;
        out.push_str(&format!(
            "{:06o} {}:{} {}",
            file.mode,
            file.user,
            file.group,
            text(&file.path)
        ));
        if !file.link_target.is_empty() {
            out.push_str(&format!(" -> {}", text(&file.link_target)));
        }
        if !file.flags.is_empty() {
            out.push_str(&format!(" {:?}", file.flags));
        }
        if !file.capabilities.is_empty() {
            out.push_str(&format!(" [{}]", file.capabilities));
        }
        out.push('\n');
    }
    out
}

pub fn content(imported: &Imported, path: &str) -> String {
    String::from_utf8(
        imported
            .contents
            .get(path.as_bytes())
            .unwrap_or_default()
            .to_vec(),
    )
    .unwrap()
}

pub fn findings(imported: &Imported) -> String {
    imported
        .report
        .findings
        .iter()
        .map(|f| format!("{:?}: {f}\n", f.severity()))
        .collect()
}

/// Runs a program; `None` with a loud word if it is not installed.
pub fn run(program: &str, arguments: &[&str], file: Option<&Path>) -> Option<(bool, String)> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(file)
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
    match command.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Some((
                output.status.success(),
                text + &String::from_utf8_lossy(&output.stderr),
            ))
        }
        Err(error) => {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("SKIPPED: {program} cannot be run: {error}");
            }
            None
        }
    }
}
