//! tar archives: ustar headers, with PAX records where those are too small (POSIX.1-2008, "pax Interchange Format").
//!
//! Extended attributes are PAX records `SCHILY.xattr.NAME`, as GNU tar, bsdtar and containers have them.

use std::io::Write;
use std::path::Path;

use crate::cpio::copy_host_file;
use crate::{Content, Entry, Error, Kind, Result, Tree, TreePath};

/// The unit of the format.
const BLOCK: usize = 512;
/// Archives are padded to whole records, as other tools do.
const RECORD: u64 = 20 * BLOCK as u64;

/// How names stand in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `etc/passwd`; the root directory is left out. For layers of containers, and `wsl --import`.
    Plain,
    /// `./etc/passwd`, beginning with `./` itself, which keeps the mode of the root.
    Dotted,
}

/// Writes the tree as one archive and gives its length in bytes. Sockets are left out: the format has none.
///
/// # Errors
/// [`Error::Changed`], [`Error::Io`] (of the output, with the path `tar archive`).
pub fn write(tree: &Tree, names: Names, out: impl Write) -> Result<u64> {
    let mut writer = Writer {
        out,
        length: 0,
        names,
    };
    // A link must come after what it points to, whatever its name: links last, each group in order.
    let (links, others): (Vec<&Entry>, Vec<&Entry>) = tree
        .entries()
        .iter()
        .partition(|entry| matches!(entry.kind, Kind::HardLink(_)));
    for entry in others.into_iter().chain(links) {
        if (entry.path.is_root() && names == Names::Plain) || matches!(entry.kind, Kind::Socket) {
            continue;
        }
        let file = match &entry.kind {
            Kind::HardLink(target) => tree.get(target).unwrap_or(entry),
            _ => entry,
        };
        if !matches!(file.kind, Kind::Socket) {
            writer.entry(entry, file)?;
        }
    }
    writer.put(&[0; 2 * BLOCK])?;
    let missing = writer.length.next_multiple_of(RECORD) - writer.length;
    writer.put(&vec![0; missing as usize])?;
    writer.out.flush().map_err(failed)?;
    Ok(writer.length)
}

fn failed(source: std::io::Error) -> Error {
    Error::io("write", Path::new("tar archive"), source)
}

struct Writer<W> {
    out: W,
    length: u64,
    names: Names,
}

impl<W: Write> Writer<W> {
    fn name(&self, path: &TreePath, is_directory: bool) -> Vec<u8> {
        let mut name = if self.names == Names::Dotted {
            b"./".to_vec()
        } else {
            Vec::new()
        };
        name.extend_from_slice(path.as_bytes());
        if is_directory && !path.is_root() {
            name.push(b'/');
        }
        name
    }

    fn entry(&mut self, entry: &Entry, file: &Entry) -> Result<()> {
        let name = self.name(&entry.path, entry.is_directory());
        let (kind, link, size, (major, minor)) = match &entry.kind {
            Kind::File(content) => (b'0', Vec::new(), content.size(), (0, 0)),
            Kind::HardLink(target) => (b'1', self.name(target, false), 0, (0, 0)),
            Kind::Symlink(target) => (b'2', target.to_vec(), 0, (0, 0)),
            Kind::CharDevice { major, minor } => (b'3', Vec::new(), 0, (*major, *minor)),
            Kind::BlockDevice { major, minor } => (b'4', Vec::new(), 0, (*major, *minor)),
            Kind::Directory => (b'5', Vec::new(), 0, (0, 0)),
            Kind::Fifo | Kind::Socket => (b'6', Vec::new(), 0, (0, 0)),
        };
        let mut header = Header::new(kind);
        let mut pax = Vec::new();
        header.text(0, 100, &name, "path", &mut pax);
        header.octal(100, 8, u64::from(file.mode), "mode", &mut pax);
        header.octal(108, 8, u64::from(file.uid), "uid", &mut pax);
        header.octal(116, 8, u64::from(file.gid), "gid", &mut pax);
        header.octal(124, 12, size, "size", &mut pax);
        match u64::try_from(file.mtime) {
            Ok(mtime) => header.octal(136, 12, mtime, "mtime", &mut pax),
            Err(_) => {
                header.octal(136, 12, 0, "mtime", &mut pax);
                pax_record(&mut pax, b"mtime", file.mtime.to_string().as_bytes());
            }
        }
        header.text(157, 100, &link, "linkpath", &mut pax);
        header.octal(329, 8, u64::from(major), "SCHILY.devmajor", &mut pax);
        header.octal(337, 8, u64::from(minor), "SCHILY.devminor", &mut pax);
        if !matches!(entry.kind, Kind::HardLink(_)) {
            for (name, value) in &entry.xattrs {
                pax_record(&mut pax, &[b"SCHILY.xattr.", name.as_slice()].concat(), value);
            }
        }
        if !pax.is_empty() {
            let mut extended = Header::new(b'x');
            extended.text(0, 100, b"PaxHeaders/entry", "path", &mut Vec::new());
            for (at, width, value) in [
                (100, 8, 0o644),
                (108, 8, 0),
                (116, 8, 0),
                (124, 12, pax.len() as u64),
                (136, 12, 0),
            ] {
                extended.octal(at, width, value, "size", &mut Vec::new());
            }
            self.put(&extended.seal())?;
            self.put(&pax)?;
            self.pad()?;
        }
        self.put(&header.seal())?;
        match &entry.kind {
            Kind::File(Content::Bytes(bytes)) => self.put(bytes)?,
            Kind::File(Content::HostFile { path, size }) => {
                copy_host_file(path, *size, &mut self.out, failed)?;
                self.length += size;
            }
            _ => {}
        }
        self.pad()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        self.out.write_all(bytes).map_err(failed)
    }

    fn pad(&mut self) -> Result<()> {
        let missing = self.length.next_multiple_of(BLOCK as u64) - self.length;
        self.put(&vec![0; missing as usize])
    }
}

struct Header([u8; BLOCK]);

impl Header {
    fn new(kind: u8) -> Self {
        let mut header = [0; BLOCK];
        header[156] = kind;
        header[257..265].copy_from_slice(b"ustar\x0000");
        Self(header)
    }

    /// A name; one that is too long, or not of ASCII, goes to a PAX record too.
    fn text(&mut self, at: usize, width: usize, value: &[u8], key: &str, pax: &mut Vec<u8>) {
        let length = value.len().min(width);
        self.0[at..at + length].copy_from_slice(&value[..length]);
        if value.len() > width || !value.is_ascii() {
            pax_record(pax, key.as_bytes(), value);
        }
    }

    /// A number in octal digits and a zero byte; one that is too large goes to a PAX record, and here it is 0.
    fn octal(&mut self, at: usize, width: usize, value: u64, key: &str, pax: &mut Vec<u8>) {
        let digits = width - 1;
        let fits = value < 1 << (3 * digits);
        let text = format!("{:0digits$o}", if fits { value } else { 0 });
        self.0[at..at + digits].copy_from_slice(text.as_bytes());
        if !fits {
            pax_record(pax, key.as_bytes(), value.to_string().as_bytes());
        }
    }

    /// The header with its checksum: the sum of all bytes, itself taken as blanks.
    fn seal(mut self) -> [u8; BLOCK] {
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|&byte| u32::from(byte)).sum();
        self.0[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

/// Adds `LENGTH KEY=VALUE\n`; the length counts all of the record, its own digits too.
fn pax_record(pax: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    pax.extend_from_slice(length.to_string().as_bytes());
    for part in [&b" "[..], key, b"=", value, b"\n"] {
        pax.extend_from_slice(part);
    }
}
