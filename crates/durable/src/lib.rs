//! The one way in which files and folders get their final name: whole, synced, or not at all.
//!
//! A file is written under a temporary name beside its final one, synced, renamed, and its folder synced. A kill or a
//! power cut at any point leaves the old content or the new, and at worst a temporary file whose name starts with
//! [`TEMPORARY_PREFIX`], which [`reclaim`] removes. Every error names the path.

mod work;

pub use work::WorkFolder;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What names of unfinished files begin with.
pub const TEMPORARY_PREFIX: &str = ".lazuli-tmp-";

/// Writes a file of mode 0644 (less the umask). Missing folders above it are made.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_mode(path, content, 0o644)
}

/// Writes a file that only its owner reads.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write_mode(path, content, 0o600)
}

fn write_mode(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = Pending::create(path, mode)?;
    file.file
        .write_all(content)
        .map_err(|error| naming("write", path, &error))?;
    file.commit()
}

/// How often a temporary name is tried anew that [`reclaim`] took away before it was held.
const MAX_TRIES: usize = 16;

/// A file that is being written, held by a lock. Dropped without [`commit`](Pending::commit), it is gone.
#[derive(Debug)]
pub struct Pending {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl Pending {
    /// Starts a file that will be `target`. Missing folders above it are made.
    pub fn create(target: &Path, mode: u32) -> io::Result<Self> {
        let folder = folder_of(target);
        fs::create_dir_all(folder).map_err(|error| naming("make folder", folder, &error))?;
        let mut tries = 0;
        loop {
            tries += 1;
            let temporary = temporary_beside(target);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&temporary)
                .map_err(|error| naming("create", &temporary, &error))?;
            let is_held = file
                .lock()
                .and_then(|()| file.metadata())
                .map_err(|error| naming("lock", &temporary, &error))?
                .nlink()
                > 0;
            if is_held || tries == MAX_TRIES {
                return Ok(Self {
                    file,
                    temporary,
                    target: target.to_owned(),
                    committed: false,
                });
            }
        }
    }

    /// The open file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Where it is until it is committed.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Syncs the content and gives the file its name.
    pub fn commit(mut self) -> io::Result<()> {
        self.file
            .sync_all()
            .map_err(|error| naming("sync", &self.temporary, &error))?;
        fs::rename(&self.temporary, &self.target).map_err(|error| naming("rename", &self.target, &error))?;
        self.committed = true;
        sync_folder(folder_of(&self.target))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing depends on it; it may be gone already.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Gives a file that another program wrote its final name: synced, then renamed. Missing folders above `target` are made.
///
/// The name itself survives a power cut only after [`sync_folder`] of its folder, which is left to the caller: many files can
/// share one. Both paths must be on one file system.
pub fn adopt(source: &Path, target: &Path) -> io::Result<()> {
    let folder = folder_of(target);
    fs::create_dir_all(folder).map_err(|error| naming("make folder", folder, &error))?;
    File::open(source)
        .and_then(|file| file.sync_all())
        .map_err(|error| naming("sync", source, &error))?;
    fs::rename(source, target).map_err(|error| naming("rename", target, &error))
}

/// Puts the folder `new` in the place of `target`, in one step; what was there before ends under a temporary name and is
/// removed. Both must be on one file system.
pub fn replace_folder(new: &Path, target: &Path) -> io::Result<()> {
    sync_folder(new)?;
    match rustix::fs::renameat_with(
        rustix::fs::CWD,
        new,
        rustix::fs::CWD,
        target,
        rustix::fs::RenameFlags::EXCHANGE,
    ) {
        Ok(()) => {
            sync_folder(folder_of(target))?;
            fs::remove_dir_all(new).map_err(|error| naming("remove", new, &error))
        }
        Err(rustix::io::Errno::NOENT) => {
            fs::rename(new, target).map_err(|error| naming("rename", target, &error))?;
            sync_folder(folder_of(target))
        }
        Err(error) => Err(naming("exchange", target, &error.into())),
    }
}

/// Removes the unfinished files in `folder` whose writers are gone; says how many. A missing folder has none.
pub fn reclaim(folder: &Path) -> io::Result<usize> {
    let fail = |error: io::Error| naming("read folder", folder, &error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(fail)?,
    };
    let mut count = 0;
    for entry in entries {
        let entry = entry.map_err(fail)?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX)
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        let path = entry.path();
        // A file that cannot be opened or locked is finished by somebody right now.
        if !is_ours || !File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            continue;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(naming("remove", &path, &error));
            }
            _ => count += 1,
        }
    }
    Ok(count)
}

/// Makes names in a folder survive a power cut.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(|error| naming("sync folder", folder, &error))
}

/// A name beside `target` that nobody else uses.
pub fn temporary_beside(target: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    folder_of(target).join(format!(
        "{TEMPORARY_PREFIX}{}-{number}-{name}",
        std::process::id()
    ))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn naming(action: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("failed to {action} {}: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn writes_and_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/file");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        write_private(&path, b"three").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write(&path, b"old").unwrap();
        let mut pending = Pending::create(&path, 0o644).unwrap();
        pending.file().write_all(b"half").unwrap();
        drop(pending);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_of_others_are_adopted() {
        let dir = tempfile::tempdir().unwrap();
        let (source, target) = (dir.path().join("incoming"), dir.path().join("a/b/file"));
        fs::write(&source, b"theirs").unwrap();
        adopt(&source, &target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"theirs");
        let error = adopt(&source, &target).unwrap_err();
        assert!(error.to_string().contains("incoming"), "{error}");
    }

    #[test]
    fn what_was_left_unfinished_is_reclaimed() {
        let dir = tempfile::tempdir().unwrap();
        let left = dir.path().join(format!("{TEMPORARY_PREFIX}1-0-file"));
        fs::write(&left, b"half").unwrap();
        fs::write(dir.path().join("other"), b"whole").unwrap();
        let mut pending = Pending::create(&dir.path().join("file"), 0o644).unwrap();
        assert_eq!(
            reclaim(dir.path()).unwrap(),
            1,
            "not the one that is being written"
        );
        assert!(!left.exists());
        pending.file().write_all(b"whole").unwrap();
        pending.commit().unwrap();
        assert_eq!(reclaim(dir.path()).unwrap(), 0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(reclaim(&dir.path().join("missing")).unwrap(), 0);
    }

    #[test]
    fn folders_are_exchanged() {
        let dir = tempfile::tempdir().unwrap();
        let (new, target) = (dir.path().join("new"), dir.path().join("target"));
        for content in ["first", "second"] {
            fs::create_dir(&new).unwrap();
            fs::write(new.join("file"), content).unwrap();
            replace_folder(&new, &target).unwrap();
            assert_eq!(fs::read_to_string(target.join("file")).unwrap(), content);
            assert!(!new.exists());
        }
    }

    #[test]
    fn errors_name_the_path() {
        let error = write(Path::new("/proc/no/such"), b"").unwrap_err();
        assert!(error.to_string().contains("/proc/no"), "{error}");
    }
}
