//! cpio archives in the `newc` format, for initrds.
//!
//! Specification: the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`. The root directory itself
//! is left out, as the kernel has one already.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use crate::{Content, Entry, Error, Kind, Result, Tree};

/// The archive's length is a multiple of this, as of other tools, and compressed parts can follow aligned.
const BLOCK: u64 = 512;
const TRAILER: &[u8] = b"TRAILER!!!";

/// Writes the tree as one archive and gives its length in bytes.
///
/// Inode numbers count up from 1 in the order of the tree. Of several names of one file the last has the content, as
/// the format has it. Extended attributes are left out: the format has none. Times before 1970 become 1970.
///
/// # Errors
/// [`Error::Unrepresentable`] for files of 4 GiB and more; [`Error::Changed`]; [`Error::Io`] (of the output, with the
/// path `cpio archive`).
pub fn write(tree: &Tree, out: impl Write) -> Result<u64> {
    let mut writer = Writer { out, length: 0 };
    // By index of the file that the names belong to: its names, in order.
    let mut names: HashMap<usize, Vec<usize>> = HashMap::new();
    let owner_of = |index: usize| match &tree.entries()[index].kind {
        Kind::HardLink(target) => tree.index_of(target.as_bytes()).unwrap_or(index),
        _ => index,
    };
    for index in 0..tree.entries().len() {
        names.entry(owner_of(index)).or_default().push(index);
    }
    for (index, entry) in tree.entries().iter().enumerate().skip(1) {
        let owner = owner_of(index);
        let all = &names[&owner];
        let has_content = all.last() == Some(&index);
        let links = if entry.is_directory() { 2 } else { all.len() as u32 };
        writer.entry(entry, &tree.entries()[owner], owner as u32, links, has_content)?;
    }
    writer.header(&[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], TRAILER)?;
    writer.pad(BLOCK)?;
    writer.out.flush().map_err(failed)?;
    Ok(writer.length)
}

fn failed(source: std::io::Error) -> Error {
    Error::io("write", Path::new("cpio archive"), source)
}

struct Writer<W> {
    out: W,
    length: u64,
}

impl<W: Write> Writer<W> {
    fn entry(&mut self, name: &Entry, file: &Entry, inode: u32, links: u32, has_content: bool) -> Result<()> {
        let size = match &file.kind {
            Kind::File(content) if has_content => content.size(),
            Kind::Symlink(target) if has_content => target.len() as u64,
            _ => 0,
        };
        let size = u32::try_from(size).map_err(|_| Error::Unrepresentable {
            path: name.path.to_string(),
            format: "cpio",
            problem: format!("it has {size} bytes, {} is the most", u32::MAX),
        })?;
        let (major, minor) = match file.kind {
            Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => (major, minor),
            _ => (0, 0),
        };
        let mtime = u32::try_from(file.mtime.max(0)).unwrap_or(u32::MAX);
        let mode = u32::from(file.st_mode());
        self.header(
            &[
                inode, mode, file.uid, file.gid, links, mtime, size, 0, 0, major, minor,
            ],
            name.path.as_bytes(),
        )?;
        match &file.kind {
            Kind::File(Content::Bytes(bytes)) if has_content => self.put(bytes)?,
            Kind::File(Content::HostFile { path, size }) if has_content => self.copy(path, *size)?,
            Kind::Symlink(target) if has_content => self.put(target)?,
            _ => {}
        }
        self.pad(4)
    }

    /// The fields of a header but the last two: length of the name, and the checksum, which this format does not have.
    fn header(&mut self, fields: &[u32; 11], name: &[u8]) -> Result<()> {
        let mut header = String::with_capacity(110);
        header.push_str("070701");
        for field in fields.iter().copied().chain([name.len() as u32 + 1, 0]) {
            header.push_str(&format!("{field:08X}"));
        }
        self.put(header.as_bytes())?;
        self.put(name)?;
        self.put(&[0])?;
        self.pad(4)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        self.out.write_all(bytes).map_err(failed)
    }

    fn copy(&mut self, path: &Path, size: u64) -> Result<()> {
        copy_host_file(path, size, &mut self.out, failed)?;
        self.length += size;
        Ok(())
    }

    fn pad(&mut self, alignment: u64) -> Result<()> {
        let missing = self.length.next_multiple_of(alignment) - self.length;
        self.put(&vec![0; missing as usize])
    }
}

/// Copies a host file of a known size to a stream.
pub(crate) fn copy_host_file(
    path: &Path,
    size: u64,
    out: &mut impl Write,
    failed: impl Fn(std::io::Error) -> Error,
) -> Result<()> {
    let mut file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut buffer = vec![0; 64 << 10];
    let mut copied = 0;
    loop {
        let count = file.read(&mut buffer).map_err(|e| Error::io("read", path, e))?;
        copied += count as u64;
        if (count == 0 && copied < size) || copied > size {
            return Err(Error::Changed {
                path: path.to_owned(),
                expected: size,
                found: copied,
            });
        }
        if count == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..count]).map_err(&failed)?;
    }
}
