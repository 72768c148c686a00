//! Where files come from, and which file is a project's root. Everything of this crate that touches the disk is here,
//! behind [`Files`].

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The names of a project's root file; the first that is there counts.
pub const ROOT_FILES: [&str; 2] = ["lazuli.toml", "azldev.toml"];

/// Largest configuration file in bytes.
const MAX_FILE_SIZE: u64 = 16 << 20;

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, or a link to one.
    File,
    /// A folder.
    Folder,
    /// A link to a folder: entered by its name, not by `**`, so that loops end.
    LinkedFolder,
    /// Anything else.
    Other,
}

/// Where files are read from: the disk, or memory in tests. Several are read at once.
pub trait Files: Sync {
    /// The text of a file.
    ///
    /// # Errors
    /// As the source has them; a text that is not UTF-8 is [`io::ErrorKind::InvalidData`].
    fn read(&self, path: &Path) -> io::Result<String>;

    /// Whether there is a file.
    fn is_file(&self, path: &Path) -> bool;

    /// The entries of a folder, in any order.
    ///
    /// # Errors
    /// As the source has them.
    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>>;
}

/// The files of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        let size = std::fs::metadata(path)?.len();
        if size > MAX_FILE_SIZE {
            let message = format!("the file has {size} bytes, more than {MAX_FILE_SIZE}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        std::fs::read_to_string(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            // A name that is not UTF-8 cannot be written in TOML, so no glob means it.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let own = entry.file_type()?;
            let kind = match own.is_symlink() {
                true => match std::fs::metadata(entry.path()) {
                    Ok(target) if target.is_dir() => EntryKind::LinkedFolder,
                    Ok(target) if target.is_file() => EntryKind::File,
                    _ => EntryKind::Other,
                },
                false if own.is_dir() => EntryKind::Folder,
                false if own.is_file() => EntryKind::File,
                false => EntryKind::Other,
            };
            entries.push(FolderEntry { name, kind });
        }
        Ok(entries)
    }
}

/// The root file of the project that `start` is in: `lazuli.toml`, or else `azldev.toml`, in `start` or the nearest
/// folder above it that has one. `start` may also be a root file itself. Of a relative path, only the folders that it
/// names are looked into: give an absolute one to look above the working folder.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn find_root(files: &dyn Files, start: &Path) -> Result<PathBuf, Error> {
    if files.is_file(start) {
        return Ok(start.to_owned());
    }
    let candidates = start
        .ancestors()
        .flat_map(|folder| ROOT_FILES.map(|name| folder.join(name)));
    for candidate in candidates {
        if files.is_file(&candidate) {
            return Ok(candidate);
        }
    }
    Err(Error::NotFound {
        start: start.to_owned(),
    })
}
