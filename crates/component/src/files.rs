//! Where the files of a project are read from: its folder, or a commit of it.

use std::io;
use std::path::Path;

use lazuli_catalog::{Disk, Files, Sha256Digest};

use crate::source_tree::FileMode;

/// Largest file that is read whole, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// The files of a project, bytes as well as text. [`Files`] has texts only, but patches come in any encoding.
pub trait ProjectFiles: Files + Sync {
    /// The content of a file.
    ///
    /// # Errors
    /// As the source has them.
    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Whether a file is a program; a plain one where nobody knows.
    fn mode(&self, path: &Path) -> FileMode {
        let _ = path;
        FileMode::Plain
    }

    /// The digest of a file's content.
    ///
    /// # Errors
    /// As [`read_bytes`](Self::read_bytes).
    fn digest(&self, path: &Path) -> io::Result<Sha256Digest> {
        self.read_bytes(path).map(|content| Sha256Digest::of(&content))
    }
}

impl ProjectFiles for Disk {
    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        let size = std::fs::metadata(path)?.len();
        if size > MAX_FILE {
            let message = format!("the file has {size} bytes, more than {MAX_FILE}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        std::fs::read(path)
    }

    fn mode(&self, path: &Path) -> FileMode {
        use std::os::unix::fs::PermissionsExt as _;
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.permissions().mode() & 0o100 != 0 => FileMode::Executable,
            _ => FileMode::Plain,
        }
    }
}
