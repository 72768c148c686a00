//! Folders for unfinished work.

use crate::naming;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of the folder in a held one that has the work.
const CONTENT: &str = "content";

/// A folder for unfinished work, held by a lock that ends with the process. Dropped, it and all in it is gone.
///
/// What a killed process leaves behind is removed when the next one makes a folder with the same prefix beside it.
///
/// ```text
/// parent/            locked while a folder is made in it: one at a time
///   PREFIX1234-0/    locked as long as the work lasts
///     content/       where the work is: never locked by its holder, so it can be the parent of other work folders
/// ```
#[derive(Debug)]
pub struct WorkFolder {
    outer: PathBuf,
    content: PathBuf,
    _held: File,
    is_kept: bool,
}

impl WorkFolder {
    /// Makes a folder below `parent`, which is made if it is missing. It may be the [path](Self::path) of another work
    /// folder.
    pub fn create(parent: &Path, prefix: &str) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(parent).map_err(|error| naming("make folder", parent, &error))?;
        // One at a time: a folder that is not held yet must not look abandoned to others.
        let turn = File::open(parent).map_err(|error| naming("open folder", parent, &error))?;
        turn.lock().map_err(|error| naming("lock", parent, &error))?;
        remove_abandoned(parent, prefix)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let outer = parent.join(format!("{prefix}{}-{number}", std::process::id()));
        fs::create_dir(&outer).map_err(|error| naming("make folder", &outer, &error))?;
        let held = File::open(&outer).map_err(|error| naming("open folder", &outer, &error))?;
        held.lock().map_err(|error| naming("lock", &outer, &error))?;
        let content = outer.join(CONTENT);
        fs::create_dir(&content).map_err(|error| naming("make folder", &content, &error))?;
        Ok(Self {
            outer,
            content,
            _held: held,
            is_kept: false,
        })
    }

    /// Where the work is.
    pub fn path(&self) -> &Path {
        &self.content
    }

    /// Removes it now, for its errors.
    pub fn close(mut self) -> io::Result<()> {
        self.is_kept = true;
        fs::remove_dir_all(&self.outer).map_err(|error| naming("remove", &self.outer, &error))
    }

    /// Moves what is in it to the folder `target`, where it stays.
    pub fn keep(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.content, target).map_err(|error| naming("rename", target, &error))?;
        self.close()
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if !self.is_kept {
            // The next run removes what cannot be removed now.
            let _ = fs::remove_dir_all(&self.outer);
        }
    }
}

/// Removes folders with the prefix that no process holds.
fn remove_abandoned(parent: &Path, prefix: &str) -> io::Result<()> {
    let fail = |error: io::Error| naming("read folder", parent, &error);
    for entry in fs::read_dir(parent).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let is_work = entry.file_name().to_string_lossy().starts_with(prefix)
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_work {
            continue;
        }
        let path = entry.path();
        let is_abandoned = File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok());
        if is_abandoned {
            fs::remove_dir_all(&path).map_err(|error| naming("remove", &path, &error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_goes_or_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let parent = dir.path().join("work");
        let folder = WorkFolder::create(&parent, "root-").unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        drop(folder);
        assert!(names(&parent).is_empty());
        WorkFolder::create(&parent, "root-").unwrap().close().unwrap();
        assert!(names(&parent).is_empty());
        let target = parent.join("kept");
        WorkFolder::create(&parent, "root-")
            .unwrap()
            .keep(&target)
            .unwrap();
        assert_eq!(names(&parent), ["kept"]);
    }

    #[test]
    fn only_what_is_abandoned_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["root-1-0", "other", "root-1-0/deep"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("root-file"), "").unwrap();
        let first = WorkFolder::create(dir.path(), "root-").unwrap();
        let second = WorkFolder::create(dir.path(), "root-").unwrap();
        let mut expected = vec!["other".to_owned(), "root-file".to_owned()];
        for folder in [&first, &second] {
            expected.push(folder.outer.file_name().unwrap().to_string_lossy().into_owned());
        }
        expected.sort();
        assert_eq!(names(dir.path()), expected);
    }
    /// The kernel's locks know no owner within a process: were the parent's the one that is held, this would never end.
    #[test]
    fn one_can_be_in_another() {
        let dir = tempfile::tempdir().unwrap();
        let outer = WorkFolder::create(dir.path(), "work-").unwrap();
        let (send, receive) = std::sync::mpsc::channel();
        let parent = outer.path().to_owned();
        std::thread::spawn(move || send.send(WorkFolder::create(&parent, "work-")));
        let inner = receive.recv_timeout(std::time::Duration::from_secs(30));
        let inner = inner.expect("a work folder in another waits for itself").unwrap();
        assert!(inner.path().starts_with(outer.path()));
        let deeper = WorkFolder::create(inner.path(), "deeper-").unwrap();
        let place = deeper.path().to_owned();
        drop(deeper);
        assert!(!place.exists());
        // Making another beside it does not take it for abandoned.
        let beside = WorkFolder::create(outer.path(), "work-").unwrap();
        assert!(inner.path().exists() && beside.path().exists());
        drop((inner, beside));
        assert!(names(outer.path()).is_empty());
    }
}
