//! Writes small packages, good and bad, byte by byte.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use std::io::Read;

use lazuli_deb::{Deb, DebError, Entry, EntryKind, Limits, VisitError};

pub const CONTROL: &[u8] = b"Package: probe\nVersion: 1\nArchitecture: all\nDescription: x\n";

/// A tar archive that may be anything but right.
#[derive(Default)]
pub struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    fn block(&mut self, name: &str, kind: u8, link: &str, size: u64, device: (u32, u32), mode: u32) {
        let mut header = [0; 512];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, &name.as_bytes()[..name.len().min(100)]);
        put(100, format!("{mode:07o}").as_bytes());
        put(108, b"0000000");
        put(116, b"0000000");
        put(
            124,
            format!("{size:011o}")
                .as_bytes()
                .get(..11)
                .unwrap_or(b"77777777777"),
        );
        put(136, b"00000000007");
        put(156, &[kind]);
        put(157, &link.as_bytes()[..link.len().min(100)]);
        put(257, b"ustar  \0");
        put(265, b"root");
        put(297, b"root");
        put(329, format!("{:07o}", device.0).as_bytes());
        put(337, format!("{:07o}", device.1).as_bytes());
        self.bytes.extend(header);
        let at = self.bytes.len() - 512;
        fix_checksum(&mut self.bytes, at);
    }

    fn content(&mut self, content: &[u8]) {
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
    }

    pub fn dir(&mut self, name: &str) -> &mut Self {
        self.block(name, b'5', "", 0, (0, 0), 0o755);
        self
    }

    pub fn file(&mut self, name: &str, content: &[u8]) -> &mut Self {
        self.file_with_size(name, content, content.len() as u64)
    }

    pub fn file_with_size(&mut self, name: &str, content: &[u8], size: u64) -> &mut Self {
        self.block(name, b'0', "", size, (0, 0), 0o644);
        self.content(content);
        self
    }

    pub fn link(&mut self, name: &str, kind: u8, target: &str) -> &mut Self {
        self.block(name, kind, target, 0, (0, 0), 0o644);
        self
    }

    pub fn special(&mut self, name: &str, kind: u8, major: u32, minor: u32) -> &mut Self {
        self.block(name, kind, "", 0, (major, minor), 0o644);
        self
    }

    /// An extension header of any kind.
    pub fn long(&mut self, kind: u8, content: &[u8]) -> &mut Self {
        self.block("././@LongLink", kind, "", content.len() as u64, (0, 0), 0o644);
        self.content(content);
        self
    }

    pub fn pax(&mut self, records: &[(&str, &[u8])]) -> &mut Self {
        let mut content = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while length != rest + length.to_string().len() {
                length += 1;
            }
            content.extend(format!("{length} {key}=").as_bytes());
            content.extend(*value);
            content.push(b'\n');
        }
        self.long(b'x', &content)
    }

    pub fn finish(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.extend([0; 1024]);
        bytes
    }
}

/// Writes the right checksum into the header block at `at`.
pub fn fix_checksum(bytes: &mut [u8], at: usize) {
    let header = &mut bytes[at..at + 512];
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

pub fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        bytes.extend(
            format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                0,
                0,
                0,
                100_644,
                content.len()
            )
            .as_bytes(),
        );
        bytes.extend(*content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

pub fn control() -> Vec<u8> {
    Tar::default().dir("./").file("./control", CONTROL).finish()
}

/// A package with that `data.tar`.
pub fn deb(data: &[u8]) -> Vec<u8> {
    ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar", &control()),
        ("data.tar", data),
    ])
}

/// A small good package, compressed with xz (control) and zstd with a checksum (data).
pub fn package() -> Vec<u8> {
    use std::io::Write;

    let mut tar = Tar::default();
    tar.dir("./")
        .dir("./usr/")
        .file("./usr/a", b"content")
        .link("./usr/b", b'1', "./usr/a");
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    zstd.include_checksum(true).unwrap();
    zstd.write_all(&tar.finish()).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&control()).unwrap();
    ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", &xz.finish().unwrap()),
        ("data.tar.zst", &zstd.finish().unwrap()),
    ])
}

/// Everything that a package has, or why it has not: one line for each entry.
pub fn list(bytes: &[u8], limits: Limits) -> Result<Vec<String>, DebError> {
    let mut lines = Vec::new();
    let visit = |entry: &Entry, content: &mut dyn Read| -> Result<(), std::io::Error> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let what = match &entry.kind {
            EntryKind::Directory => "dir".to_owned(),
            EntryKind::File { size } => {
                assert_eq!(*size, bytes.len() as u64);
                format!(
                    "file {:?}",
                    String::from_utf8_lossy(&bytes[..bytes.len().min(20)])
                )
            }
            EntryKind::Symlink { target } => format!("-> {}", String::from_utf8_lossy(target)),
            EntryKind::Hardlink { target } => format!("== {target}"),
            EntryKind::CharDevice { major, minor } => format!("char {major}:{minor}"),
            EntryKind::BlockDevice { major, minor } => format!("block {major}:{minor}"),
            EntryKind::Fifo => "fifo".to_owned(),
        };
        let Entry {
            path,
            mode,
            uid,
            gid,
            user,
            group,
            mtime,
            xattrs,
            ..
        } = entry;
        let xattrs: Vec<&str> = xattrs.iter().map(|(name, _)| name.as_str()).collect();
        lines.push(format!(
            "{path} {mode:o} {uid}:{gid} {user}:{group} {mtime} {what}{}",
            xattrs.join(" ")
        ));
        Ok(())
    };
    match Deb::parse(bytes, limits)?.visit_files(visit) {
        Ok(()) => Ok(lines),
        Err(VisitError::Deb(error)) => Err(error),
        Err(VisitError::Visitor(error)) => Err(DebError::Unreadable {
            member: "visitor".to_owned(),
            source: error,
        }),
    }
}

pub fn check_error(bytes: &[u8], expected: &str) {
    let error = list(bytes, Limits::default()).unwrap_err().to_string();
    assert!(error.contains(expected), "`{error}` does not hold `{expected}`");
}
