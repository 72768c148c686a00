//! Files in memory, for tests of loading.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lazuli_catalog::{EntryKind, Files, FolderEntry};

/// Files in memory, by absolute path.
pub(crate) struct Memory(BTreeMap<PathBuf, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>> {
        let mut entries = BTreeMap::new();
        for path in self.0.keys() {
            let Ok(rest) = path.strip_prefix(folder) else {
                continue;
            };
            let mut parts = rest.components();
            let Some(first) = parts.next() else { continue };
            let kind = if parts.next().is_some() {
                EntryKind::Folder
            } else {
                EntryKind::File
            };
            entries.insert(first.as_os_str().to_str().unwrap().to_owned(), kind);
        }
        Ok(entries
            .into_iter()
            .map(|(name, kind)| FolderEntry { name, kind })
            .collect())
    }
}

pub(crate) fn memory(files: &[(&str, &str)]) -> Memory {
    Memory(
        files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))
            .collect(),
    )
}
