//! Laying files: one worker a core, each with one package at a time.
//!
//! Folders are made first, by one worker, so that workers never wait for each other; then files, links and devices. In a
//! fresh root files are written where they belong; elsewhere under a temporary name, and moved when they are whole.
//! Every file's SHA-256 is checked against the verified header while it is written.

mod file;

use crate::accounts::Ids;
use crate::package::{VerifiedPackage, read};
use crate::plan::{Action, Install, Plan, PlannedDirectory};
use crate::root::split;
use crate::{Progress, Root, Step, TransactionError};
use file::{FileWriter, Place};
use lazuli_rpm::{Package, PackageError};
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Gid, Mode, Uid};
use rustix::io::Errno;
use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many folders a worker holds open.
const MAX_OPEN_FOLDERS: usize = 128;

/// What laying needs to know.
pub(crate) struct Layer<'a> {
    pub(crate) root: &'a Root,
    pub(crate) plan: &'a Plan,
    pub(crate) ids: Ids,
    pub(crate) progress: &'a dyn Progress,
    /// Bytes of package files that are laid, of so many in all: shared between batches.
    pub(crate) done: &'a AtomicU64,
    pub(crate) total: u64,
    pub(crate) notes: &'a Mutex<BTreeSet<String>>,
}

impl Layer<'_> {
    /// Makes the folders of a batch of packages. Answers those that no package owns and had to be made.
    pub(crate) fn directories(&self, installs: &[&Install]) -> Result<MadeFolders, TransactionError> {
        let wanted: std::collections::HashSet<_> = installs
            .iter()
            .flat_map(|install| install.package.metadata.files.iter().zip(&install.actions))
            .filter(|(_, action)| **action == Action::Directory)
            .map(|(file, _)| self.plan.aliases.resolve(&file.path))
            .collect();
        let mut made = MadeFolders::default();
        for directory in &self.plan.directories {
            if wanted.contains(directory.path.as_slice()) {
                let is_new = self.directory(directory, &mut made.implicit)?;
                if is_new {
                    made.owned.push((directory.path.clone(), directory.mtime));
                }
            }
        }
        // Parents that no package owns.
        let parents: BTreeSet<Vec<u8>> = installs
            .iter()
            .flat_map(|install| install.package.metadata.files.iter().zip(&install.actions))
            .filter(|(_, action)| {
                matches!(
                    action,
                    Action::Write | Action::WriteBeside(_) | Action::SaveAndWrite(_)
                )
            })
            .map(|(file, _)| split(&self.plan.aliases.resolve(&file.path)).0.to_vec())
            .collect();
        for parent in parents {
            made.implicit.extend(self.root.ensure_folder(&parent)?);
        }
        Ok(made)
    }

    /// Makes one folder and sets its owner and mode; whether it is new.
    fn directory(
        &self,
        directory: &PlannedDirectory,
        implicit: &mut Vec<Vec<u8>>,
    ) -> Result<bool, TransactionError> {
        let path = directory.path.as_slice();
        let fail = |e: Errno| self.root.error("making the folder", path, e);
        let (above, name) = split(path);
        let owner = self.owner(&directory.user, &directory.group, path);
        let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
        let mode = Mode::from_raw_mode(u32::from(directory.mode & owner.mode_mask));
        if name.is_empty() {
            let folder = rustix::fs::openat(
                self.root.folder(b"").map_err(fail)?,
                c".",
                rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
                Mode::empty(),
            );
            let folder = folder.map_err(fail)?;
            rustix::fs::fchown(&folder, Some(uid), Some(gid)).map_err(fail)?;
            rustix::fs::fchmod(&folder, mode).map_err(fail)?;
            return Ok(self.plan.is_fresh);
        }
        implicit.extend(self.root.ensure_folder(above)?);
        let (parent, name) = self.root.parent(path).map_err(fail)?;
        let is_new = match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o700)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(e) => return Err(fail(e)),
        };
        if !is_new {
            let stat = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(fail)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {}
                // The administrator moved it and left a link; what it leads to is his.
                FileType::Symlink => {
                    self.root.folder(path).map_err(fail)?;
                    return Ok(false);
                }
                _ => return Err(fail(Errno::NOTDIR)),
            }
        }
        rustix::fs::chownat(&parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).map_err(fail)?;
        rustix::fs::chmodat(&parent, name, mode, AtFlags::empty()).map_err(fail)?;
        Ok(is_new)
    }

    /// Lays the files of a batch of packages, largest first, so that no core waits for a large one at the end.
    pub(crate) fn files(&self, installs: &[&Install]) -> Result<(), TransactionError> {
        let mut order: Vec<&Install> = installs.to_vec();
        order.sort_by_key(|install| std::cmp::Reverse(install.package.file_size));
        let results: Vec<(String, Result<(), TransactionError>)> = order
            .par_iter()
            .with_max_len(1)
            .map(|install| (install.package.name(), self.package(install)))
            .collect();
        let failures = results
            .into_iter()
            .filter_map(|(name, result)| result.err().map(|e| (name, e)));
        match failures.min_by(|left, right| left.0.cmp(&right.0)) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn package(&self, install: &Install) -> Result<(), TransactionError> {
        let verified = &install.package;
        let bytes = read(&verified.path)?;
        let refuse = |source: PackageError| TransactionError::Package {
            file: verified.path.clone(),
            source,
        };
        let package = Package::parse(&bytes).map_err(refuse)?;
        // Against the header that was verified, whatever the file holds by now.
        let mut payload = package.payload(&verified.metadata).map_err(refuse)?;
        let mut worker = Worker {
            layer: self,
            install,
            folders: HashMap::new(),
            writer: FileWriter::new(self.plan.is_fresh),
        };
        while let Some(mut entry) = payload.next_entry().map_err(refuse)? {
            worker.entry(&mut entry, verified)?;
        }
        let done = self.done.fetch_add(verified.file_size, Ordering::Relaxed) + verified.file_size;
        let clamp = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        self.progress
            .advanced(Step::Install, clamp(done), clamp(self.total));
        Ok(())
    }

    pub(crate) fn owner(&self, user: &str, group: &str, path: &[u8]) -> Owner {
        let (uid, gid) = (self.ids.user(user), self.ids.group(group));
        let mut owner = Owner {
            uid: uid.unwrap_or(0),
            gid: gid.unwrap_or(0),
            mode_mask: 0o7777,
        };
        if uid.is_none() || gid.is_none() {
            // As rpm does: root instead, and never with the rights of root for whoever runs it.
            owner.mode_mask = 0o1777;
            let kind = if uid.is_none() {
                ("user", user)
            } else {
                ("group", group)
            };
            self.note(format!(
                "{} {} is unknown: {} belongs to root",
                kind.0,
                kind.1,
                crate::root::text(path)
            ));
        }
        owner
    }

    fn note(&self, words: String) {
        if let Ok(mut notes) = self.notes.lock() {
            notes.insert(words);
        }
    }
}

/// Folders that did not exist before.
#[derive(Debug, Default)]
pub(crate) struct MadeFolders {
    /// Those of packages, with their time.
    pub(crate) owned: Vec<(Vec<u8>, u32)>,
    /// Those above packaged files that no package owns.
    pub(crate) implicit: Vec<Vec<u8>>,
}

/// Whose a file is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Bits of the mode that are allowed.
    pub(crate) mode_mask: u16,
}

/// One package being laid.
struct Worker<'l> {
    layer: &'l Layer<'l>,
    install: &'l Install,
    folders: HashMap<Vec<u8>, Rc<OwnedFd>>,
    writer: FileWriter,
}

impl Worker<'_> {
    fn entry(
        &mut self,
        entry: &mut lazuli_rpm::PayloadEntry<'_>,
        verified: &VerifiedPackage,
    ) -> Result<(), TransactionError> {
        let names: Vec<usize> = std::iter::once(entry.index())
            .chain(entry.links().iter().copied())
            .collect();
        let is_laid = |at: &usize| {
            matches!(
                self.install.actions.get(*at),
                Some(Action::Write | Action::WriteBeside(_) | Action::SaveAndWrite(_))
            )
        };
        let mut laid = names.into_iter().filter(is_laid);
        let Some(first) = laid.next() else { return Ok(()) };
        let others: Vec<usize> = laid.collect();
        let first_place = self.place(first)?;
        let Some(file) = verified.metadata.files.get(first) else {
            return Ok(());
        };
        let owner = self.layer.owner(&file.user, &file.group, &file.path);
        let notes = self
            .writer
            .lay(&first_place, file, owner, entry)
            .map_err(|error| match error {
                file::LayError::Package(source) => TransactionError::Package {
                    file: verified.path.clone(),
                    source,
                },
                file::LayError::Io(source) => self.layer.root.error("laying", &file.path, source),
            })?;
        if let Some(words) = notes {
            self.layer.note(words);
        }
        for other in others {
            let place = self.place(other)?;
            self.writer
                .link(&first_place, &place)
                .map_err(|e| self.layer.root.error("laying the hard link", &place.path, e))?;
        }
        Ok(())
    }

    /// Where a file goes; what is there is moved aside if the plan says so.
    fn place(&mut self, at: usize) -> Result<Place, TransactionError> {
        let files = &self.install.package.metadata.files;
        let missing = || TransactionError::io("laying", &self.install.package.path, Errno::INVAL);
        let file = files.get(at).ok_or_else(missing)?;
        let mut path = self.layer.plan.aliases.resolve(&file.path).into_owned();
        let root = self.layer.root;
        let folder = self.folder(split(&path).0)?;
        match self.install.actions.get(at) {
            Some(Action::WriteBeside(ending)) => path.extend_from_slice(ending.as_bytes()),
            Some(Action::SaveAndWrite(ending)) => {
                let name = split(&path).1.to_vec();
                let saved = [&name, ending.as_bytes()].concat();
                rustix::fs::renameat(&folder, name.as_slice(), &folder, saved.as_slice())
                    .map_err(|e| root.error("moving aside", &path, e))?;
            }
            _ => {}
        }
        Ok(Place { folder, path })
    }

    fn folder(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>, TransactionError> {
        if let Some(found) = self.folders.get(path) {
            return Ok(Rc::clone(found));
        }
        if self.folders.len() >= MAX_OPEN_FOLDERS {
            self.folders.clear();
        }
        let opened = self.layer.root.folder(path);
        let opened = Rc::new(opened.map_err(|e| self.layer.root.error("opening the folder", path, e))?);
        self.folders.insert(path.to_vec(), Rc::clone(&opened));
        Ok(opened)
    }
}
