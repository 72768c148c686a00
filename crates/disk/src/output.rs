//! Output files that appear under their final name only when complete.
use crate::Result;
use std::fs::File;
use std::path::Path;

/// A file being written under a temporary name beside its final one; dropped, it vanishes.
#[derive(Debug)]
pub struct OutputFile {
    file: File,
}

impl OutputFile {
    /// Starts the output that shall be `path`.
    pub fn create(_path: &Path) -> Result<Self> {
        todo!()
    }
    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }
    /// fsync, rename to the final name, fsync of the folder.
    pub fn commit(self) -> Result<()> {
        todo!()
    }
}
