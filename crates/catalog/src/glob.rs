//! Globs over the files of a project.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::files::{EntryKind, Files, FolderEntry};
use crate::schema::{Local, normalise};
use crate::value::FileGlob;

/// Deepest folder that `**` looks into.
const MAX_FOLDER_DEPTH: usize = 64;

/// The files that `glob` matches below `folder`, sorted by their paths. A literal path gives that file, if it is there.
///
/// # Errors
/// A folder cannot be read. A folder that is not there has no matches.
pub fn expand(files: &dyn Files, folder: &Path, glob: &FileGlob) -> io::Result<Vec<PathBuf>> {
    Globber::new(files).expand(folder, glob.as_str(), &Exclusions::default())
}

/// Expands globs, and lists each folder once for all of them.
pub(crate) struct Globber<'f> {
    files: &'f dyn Files,
    folders: Mutex<BTreeMap<PathBuf, Arc<Vec<FolderEntry>>>>,
}

/// Paths that a glob does not look at.
#[derive(Default)]
pub(crate) struct Exclusions {
    matcher: globset::GlobSet,
    /// Folders of which nothing at all is wanted: those of globs that end in `/**`.
    pruned: globset::GlobSet,
}

impl Exclusions {
    /// The globs are relative to the folders of the files that they stand in.
    pub(crate) fn new(globs: &[Local<FileGlob>]) -> Exclusions {
        let mut matcher = globset::GlobSetBuilder::new();
        let mut pruned = globset::GlobSetBuilder::new();
        let compile = |text: &str| globset::GlobBuilder::new(text).literal_separator(true).build();
        for glob in globs {
            let whole = normalise(&glob.folder().join(glob.as_str()))
                .to_string_lossy()
                .into_owned();
            // A glob of which the parts compile, compiles; the type has checked them.
            matcher = add(matcher, compile(&whole));
            if let Some(folder) = whole.strip_suffix("/**") {
                pruned = add(pruned, compile(folder));
            }
        }
        let build = |set: globset::GlobSetBuilder| set.build().unwrap_or_else(|_| globset::GlobSet::empty());
        Exclusions {
            matcher: build(matcher),
            pruned: build(pruned),
        }
    }
}

fn add(
    mut set: globset::GlobSetBuilder,
    glob: Result<globset::Glob, globset::Error>,
) -> globset::GlobSetBuilder {
    if let Ok(glob) = glob {
        set.add(glob);
    }
    set
}

impl<'f> Globber<'f> {
    pub(crate) fn new(files: &'f dyn Files) -> Globber<'f> {
        Globber {
            files,
            folders: Mutex::default(),
        }
    }

    /// As [`expand`], without what is excluded.
    pub(crate) fn expand(&self, folder: &Path, glob: &str, without: &Exclusions) -> io::Result<Vec<PathBuf>> {
        let mut found = BTreeSet::new();
        let (base, parts) = match glob.strip_prefix('/') {
            Some(rest) => (Path::new("/"), rest),
            None => (folder, glob),
        };
        let parts: Vec<&str> = parts
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        let mut walk = Walk {
            globber: self,
            without,
            found: &mut found,
        };
        walk.descend(base.to_owned(), &parts, 0)?;
        Ok(found.into_iter().collect())
    }

    /// The entries of a folder; none if it is not there.
    pub(crate) fn list(&self, folder: &Path) -> io::Result<Arc<Vec<FolderEntry>>> {
        let known = |folders: &BTreeMap<PathBuf, Arc<Vec<FolderEntry>>>| folders.get(folder).cloned();
        if let Some(entries) = known(&self.folders.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(entries);
        }
        let here = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let absent = |error: &io::Error| {
            matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            )
        };
        let entries = match self.files.list(here) {
            Err(error) if absent(&error) => Vec::new(),
            entries => entries?,
        };
        let entries = Arc::new(entries);
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.insert(folder.to_owned(), Arc::clone(&entries));
        Ok(entries)
    }
}

struct Walk<'w, 'f> {
    globber: &'w Globber<'f>,
    without: &'w Exclusions,
    found: &'w mut BTreeSet<PathBuf>,
}

impl Walk<'_, '_> {
    fn descend(&mut self, folder: PathBuf, parts: &[&str], depth: usize) -> io::Result<()> {
        let Some((part, rest)) = parts.split_first() else {
            return Ok(());
        };
        if !self.without.pruned.is_empty() && self.without.pruned.is_match(normalise(&folder)) {
            return Ok(());
        }
        if *part == "**" {
            return self.descend_anywhere(folder, parts, rest, depth);
        }
        if !part.contains(['*', '?', '[', '{']) {
            let path = folder.join(part);
            if !rest.is_empty() {
                return self.descend(path, rest, depth);
            }
            if self.globber.files.is_file(&path) {
                self.find(path);
            }
            return Ok(());
        }
        let glob =
            globset::Glob::new(part).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let matcher = glob.compile_matcher();
        let entries = self.globber.list(&folder)?;
        for entry in entries.iter().filter(|entry| matcher.is_match(&entry.name)) {
            let path = folder.join(&entry.name);
            match (entry.kind, rest.is_empty()) {
                (EntryKind::File, true) => self.find(path),
                (EntryKind::Folder | EntryKind::LinkedFolder, false) => self.descend(path, rest, depth)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// `**`: no folder at all, or any folder and then again `**`. A final `**` means every file below.
    fn descend_anywhere(
        &mut self,
        folder: PathBuf,
        parts: &[&str],
        rest: &[&str],
        depth: usize,
    ) -> io::Result<()> {
        let rest: &[&str] = if rest.is_empty() { &["*"] } else { rest };
        self.descend(folder.clone(), rest, depth)?;
        if depth < MAX_FOLDER_DEPTH {
            let entries = self.globber.list(&folder)?;
            for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Folder) {
                self.descend(folder.join(&entry.name), parts, depth + 1)?;
            }
        }
        Ok(())
    }

    fn find(&mut self, path: PathBuf) {
        // A relative base may hold `..`, which the exclusions do not.
        if self.without.matcher.is_empty() || !self.without.matcher.is_match(normalise(&path)) {
            self.found.insert(path);
        }
    }
}
