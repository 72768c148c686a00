//! The files that a spec may load: those in its own folder.

use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lazuli_spec::Files;

/// Largest file that a spec loads, in bytes.
const FILE_MAX: u64 = 16 << 20;

/// The files of a folder and below. Everything else is as if it were not there: what a spec says must not depend on the
/// machine that it is read on.
#[derive(Debug)]
pub(super) struct FolderFiles {
    folder: PathBuf,
    loaded: Mutex<Vec<PathBuf>>,
}

impl FolderFiles {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            loaded: Mutex::default(),
        }
    }

    /// The files that were read.
    pub(super) fn loaded(&self) -> Vec<PathBuf> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn inside(&self, path: &str) -> Option<PathBuf> {
        // A relative path is one of the folder, as rpmbuild is run there.
        let path = self.folder.join(path);
        let rest = path.strip_prefix(&self.folder).ok()?;
        rest.components()
            .all(|part| matches!(part, Component::Normal(_)))
            .then_some(path)
    }
}

impl Files for FolderFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = self.inside(path).ok_or("it is not in the folder of the spec")?;
        let metadata = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        if metadata.len() > FILE_MAX {
            return Err(format!("it has more than {FILE_MAX} bytes"));
        }
        let content = std::fs::read(&path).map_err(|error| error.to_string())?;
        self.loaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(path);
        Ok(content)
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        // Macro paths with wildcards are those of a machine; a spec names its files.
        match self.inside(pattern) {
            Some(path) if path.is_file() => vec![pattern.to_owned()],
            _ => Vec::new(),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.inside(path).is_some_and(|path| path.exists())
    }
}
