//! The beginning of a file, kept for the next try.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::SourceError;
use crate::store::remove;

/// A download that has begun. Whoever has it holds the lock of its digest.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    /// Beside it: where its bytes come from.
    origin_path: PathBuf,
}

/// Where the bytes of a part come from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct PartOrigin {
    /// The address, without passwords.
    pub(super) url: String,
    /// The strong entity tag of that content (RFC 9110, section 8.8.3), if the server gave one.
    pub(super) etag: Option<String>,
}

impl Part {
    pub(super) fn at(path: PathBuf) -> Self {
        let mut origin_path = path.clone().into_os_string();
        origin_path.push(".from");
        Self {
            path,
            origin_path: origin_path.into(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes there are.
    pub(super) fn length(&self) -> Result<u64, SourceError> {
        match std::fs::metadata(&self.path) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(SourceError::io("look at", &self.path)(error)),
        }
    }

    /// Where they come from. Not knowing it is no harm: the digest of the whole decides.
    pub(super) fn origin(&self) -> Option<PartOrigin> {
        serde_json::from_slice(&std::fs::read(&self.origin_path).ok()?).ok()
    }

    /// Empties it for bytes from an address.
    pub(super) fn restart(&self, origin: &PartOrigin) -> Result<File, SourceError> {
        self.discard()?;
        let text = serde_json::to_vec(origin).unwrap_or_default();
        std::fs::write(&self.origin_path, text).map_err(SourceError::io("write", &self.origin_path))?;
        self.open()
    }

    /// Opens it for further bytes.
    pub(super) fn go_on(&self) -> Result<File, SourceError> {
        let mut file = self.open()?;
        file.seek(SeekFrom::End(0))
            .map_err(SourceError::io("write", &self.path))?;
        Ok(file)
    }

    fn open(&self) -> Result<File, SourceError> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)
            .map_err(SourceError::io("open", &self.path))
    }

    /// Forgets all of it.
    pub(super) fn discard(&self) -> Result<(), SourceError> {
        remove(&self.path)?;
        remove(&self.origin_path)
    }

    /// Removes what is left when the content has its name.
    pub(super) fn finish(&self) -> Result<(), SourceError> {
        remove(&self.origin_path)
    }
}
