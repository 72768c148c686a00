//! Whether two builds of an image are the same, and if not, where they differ.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// How much is compared at once.
const CHUNK: usize = 1 << 20;

/// One difference between two builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A file is in one of the folders only.
    OnlyIn {
        /// The folder.
        folder: PathBuf,
        /// The file's name.
        file: String,
    },
    /// Two files differ, and this is the first byte where they do.
    Bytes {
        /// The file's name.
        file: String,
        /// Offset of the first difference; the end of the shorter where one is the start of the other.
        offset: u64,
    },
    /// Two raw disks differ in a partition's file or a structure of the disk.
    Disk {
        /// The file's name.
        file: String,
        /// What differs.
        detail: lazuli_disk::compare::Difference,
    },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OnlyIn { folder, file } => write!(f, "{file}: only in {}", folder.display()),
            Self::Bytes { file, offset } => write!(
                f,
                "{file}: differs from byte {offset} (sector {}) on",
                offset / 512
            ),
            Self::Disk { file, detail } => write!(f, "{file}: {detail}"),
        }
    }
}

/// Compares all files of two build folders; empty when they are the same to the bit. Hidden files are not looked at.
pub fn compare(a: &Path, b: &Path) -> Result<Vec<Difference>> {
    let (names_a, names_b) = (names(a)?, names(b)?);
    let mut found = Vec::new();
    for (here, there, folder) in [(&names_a, &names_b, a), (&names_b, &names_a, b)] {
        let only = here.iter().filter(|name| !there.contains(name));
        found.extend(only.map(|name| Difference::OnlyIn {
            folder: folder.to_owned(),
            file: name.clone(),
        }));
    }
    for file in names_a.iter().filter(|name| names_b.contains(name)) {
        let (one, two) = (a.join(file), b.join(file));
        let Some(offset) = first_difference(&one, &two)? else {
            continue;
        };
        let details = match file.ends_with(".raw") {
            true => lazuli_disk::compare::disks(&one, &two)?,
            false => Vec::new(),
        };
        if details.is_empty() {
            found.push(Difference::Bytes {
                file: file.clone(),
                offset,
            });
        }
        found.extend(details.into_iter().map(|detail| Difference::Disk {
            file: file.clone(),
            detail,
        }));
    }
    Ok(found)
}

/// The names of the files of a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))? {
        let entry = entry.map_err(|e| Error::io("list", folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry
            .file_type()
            .map_err(|e| Error::io("look at", &entry.path(), e))?
            .is_file();
        if is_file && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The offset of the first byte in which two files differ.
fn first_difference(a: &Path, b: &Path) -> Result<Option<u64>> {
    let open = |path: &Path| File::open(path).map_err(|e| Error::io("open", path, e));
    let (mut file_a, mut file_b) = (open(a)?, open(b)?);
    let (mut chunk_a, mut chunk_b) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut offset = 0u64;
    loop {
        let length_a = fill(&mut file_a, &mut chunk_a).map_err(|e| Error::io("read", a, e))?;
        let length_b = fill(&mut file_b, &mut chunk_b).map_err(|e| Error::io("read", b, e))?;
        let (part_a, part_b) = (&chunk_a[..length_a], &chunk_b[..length_b]);
        if part_a != part_b {
            let same = part_a.iter().zip(part_b).take_while(|(x, y)| x == y).count();
            return Ok(Some(offset + same as u64));
        }
        if length_a == 0 {
            return Ok(None);
        }
        offset += length_a as u64;
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..])? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn differences_are_named() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let write =
            |folder: &Path, name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        write(a.path(), "same", b"1");
        write(b.path(), "same", b"1");
        assert_eq!(compare(a.path(), b.path()).unwrap(), []);
        let mut long = vec![7; CHUNK + 10];
        write(a.path(), "image.vhd", &long);
        long[CHUNK + 3] = 8;
        write(b.path(), "image.vhd", &long);
        write(a.path(), "short", b"12");
        write(b.path(), "short", b"123");
        write(b.path(), "more", b"");
        write(b.path(), ".hidden", b"");
        let found: Vec<String> = compare(a.path(), b.path())
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        let only = format!("more: only in {}", b.path().display());
        assert_eq!(
            found,
            [
                only.as_str(),
                "image.vhd: differs from byte 1048579 (sector 2048) on",
                "short: differs from byte 2 (sector 0) on"
            ]
        );
    }
}
