//! Where unit files and the links to them are read from.

use crate::{Root, TransactionError};
use rustix::fs::FileType;

/// What is at a path, itself and not what it links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitFile {
    /// A regular file.
    Regular,
    /// A symbolic link, with its target.
    Link(String),
    /// Something else, such as a folder.
    Other,
}

/// A tree with unit files: a root on the disk, or the tree of an image in memory. Paths are absolute, inside the tree.
pub trait UnitFiles {
    /// What is at a path; `None` if there is nothing.
    fn unit_file(&self, path: &str) -> Result<Option<UnitFile>, TransactionError>;

    /// The text of a regular file; empty if it is not there.
    fn text(&self, path: &str) -> Result<String, TransactionError>;

    /// The names in a folder, sorted; none if it is not there.
    fn names(&self, folder: &str) -> Result<Vec<String>, TransactionError>;
}

impl UnitFiles for Root {
    fn unit_file(&self, path: &str) -> Result<Option<UnitFile>, TransactionError> {
        let fail = |error| self.error("reading", path.as_bytes(), error);
        let Some(stat) = self.stat(path.as_bytes()).map_err(fail)? else {
            return Ok(None);
        };
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Some(UnitFile::Regular),
            FileType::Symlink => {
                let target = self.read_link(path.as_bytes()).map_err(fail)?;
                target.map(|target| UnitFile::Link(crate::root::text(&target)))
            }
            _ => Some(UnitFile::Other),
        })
    }

    fn text(&self, path: &str) -> Result<String, TransactionError> {
        Ok(self.read_text(path)?.unwrap_or_default())
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, TransactionError> {
        let names = self.list(folder.as_bytes())?;
        Ok(names.iter().map(|name| crate::root::text(name)).collect())
    }
}
