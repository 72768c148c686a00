//! Reading a project's files. Everything of this crate that touches the disk is here, behind [`Files`].

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{locate, parse_config};
use crate::error::Error;
use crate::schema::{ConfigFile, normalise};
use crate::value::FileGlob;

/// The names of a project's root file; the first that is there counts.
pub const ROOT_FILES: [&str; 2] = ["lazuli.toml", "azldev.toml"];

/// Most files of one project.
const MAX_FILES: usize = 100_000;
/// Longest chain of files that include each other.
const MAX_INCLUDE_DEPTH: usize = 64;
/// Largest configuration file in bytes.
const MAX_FILE_SIZE: u64 = 16 << 20;
/// Deepest folder that `**` looks into.
const MAX_FOLDER_DEPTH: usize = 64;

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, or a link to one.
    File,
    /// A folder.
    Folder,
    /// A link to a folder: entered by its name, not by `**`, so that loops end.
    LinkedFolder,
    /// Anything else.
    Other,
}

/// Where files are read from: the disk, or memory in tests.
pub trait Files {
    /// The text of a file.
    ///
    /// # Errors
    /// As the source has them; a text that is not UTF-8 is [`io::ErrorKind::InvalidData`].
    fn read(&self, path: &Path) -> io::Result<String>;

    /// Whether there is a file.
    fn is_file(&self, path: &Path) -> bool;

    /// The entries of a folder, in any order.
    ///
    /// # Errors
    /// As the source has them.
    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>>;
}

/// The files of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        let size = std::fs::metadata(path)?.len();
        if size > MAX_FILE_SIZE {
            let message = format!("the file has {size} bytes, more than {MAX_FILE_SIZE}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        std::fs::read_to_string(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            // A name that is not UTF-8 cannot be written in TOML, so no glob means it.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let own = entry.file_type()?;
            let kind = match own.is_symlink() {
                true => match std::fs::metadata(entry.path()) {
                    Ok(target) if target.is_dir() => EntryKind::LinkedFolder,
                    Ok(target) if target.is_file() => EntryKind::File,
                    _ => EntryKind::Other,
                },
                false if own.is_dir() => EntryKind::Folder,
                false if own.is_file() => EntryKind::File,
                false => EntryKind::Other,
            };
            entries.push(FolderEntry { name, kind });
        }
        Ok(entries)
    }
}

/// The root file of the project that `start` is in: `lazuli.toml`, or else `azldev.toml`, in `start` or the nearest
/// folder above it that has one. `start` may also be a root file itself. Of a relative path, only the folders that it
/// names are looked into: give an absolute one to look above the working folder.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn find_root(files: &dyn Files, start: &Path) -> Result<PathBuf, Error> {
    if files.is_file(start) {
        return Ok(start.to_owned());
    }
    let candidates = start
        .ancestors()
        .flat_map(|folder| ROOT_FILES.map(|name| folder.join(name)));
    for candidate in candidates {
        if files.is_file(&candidate) {
            return Ok(candidate);
        }
    }
    Err(Error::NotFound {
        start: start.to_owned(),
    })
}

/// A file that was loaded.
#[derive(Debug, Clone)]
pub(crate) struct LoadedFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) config: ConfigFile,
}

/// Loads `root` and all that it includes: each file before those that it includes, depth first.
pub(crate) fn load_all(files: &dyn Files, root: &Path) -> Result<Vec<LoadedFile>, Error> {
    let mut loader = Loader {
        files,
        loaded: Vec::new(),
        seen: BTreeSet::new(),
        chain: Vec::new(),
        found: Vec::new(),
    };
    loader.load(root)?;
    match Diagnostics::from_vec(loader.found) {
        Some(diagnostics) => Err(Error::Invalid(diagnostics)),
        None => Ok(loader.loaded),
    }
}

struct Loader<'f> {
    files: &'f dyn Files,
    loaded: Vec<LoadedFile>,
    seen: BTreeSet<PathBuf>,
    /// The files that include the one at hand, the root first.
    chain: Vec<PathBuf>,
    found: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn load(&mut self, path: &Path) -> Result<(), Error> {
        let path = normalise(path);
        if !self.seen.insert(path.clone()) {
            return Ok(());
        }
        if self.loaded.len() >= MAX_FILES {
            return Err(Error::TooManyFiles { limit: MAX_FILES });
        }
        let text = self.files.read(&path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let config = match parse_config(&path, &text) {
            Ok(config) => config,
            Err(diagnostics) => {
                // The other files are read all the same, so that their errors are seen too.
                self.found.extend(diagnostics.as_slice().iter().cloned());
                return Ok(());
            }
        };
        let includes = config.includes.clone();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        self.loaded.push(LoadedFile {
            path: path.clone(),
            text: text.clone(),
            config,
        });
        self.chain.push(path.clone());
        for (index, include) in includes.iter().enumerate() {
            let at = || locate(&path, &text, &["includes".to_owned(), index.to_string()]);
            let matches = expand(self.files, &folder, include).map_err(|source| Error::Include {
                file: path.clone(),
                include: include.to_string(),
                source,
            })?;
            if matches.is_empty() && !include.is_pattern() {
                let message = format!("included file `{include}` is not there");
                let help = format!(
                    "looked for {}",
                    normalise(&folder.join(include.as_str())).display()
                );
                self.found.push(Diagnostic::new(message, at()).help(help));
            }
            for target in matches {
                let target = normalise(&target);
                if self.chain.contains(&target) {
                    let from = self.chain.iter().skip_while(|file| **file != target);
                    let circle: Vec<String> = from
                        .chain([&target])
                        .map(|file| file.display().to_string())
                        .collect();
                    let help = format!("the circle is {}", circle.join(" → "));
                    self.found
                        .push(Diagnostic::new("files include each other in a circle", at()).help(help));
                } else if self.chain.len() >= MAX_INCLUDE_DEPTH {
                    let message = format!("more than {MAX_INCLUDE_DEPTH} files include one another");
                    self.found.push(Diagnostic::new(message, at()));
                } else {
                    self.load(&target)?;
                }
            }
        }
        self.chain.pop();
        Ok(())
    }
}

/// The files that `glob` matches below `folder`, sorted by their paths. A literal path gives that file, if it is there.
///
/// # Errors
/// A folder cannot be read. A folder that is not there has no matches.
pub fn expand(files: &dyn Files, folder: &Path, glob: &FileGlob) -> io::Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    let (base, parts) = match glob.as_str().strip_prefix('/') {
        Some(rest) => (Path::new("/"), rest),
        None => (folder, glob.as_str()),
    };
    let parts: Vec<&str> = parts
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    descend(files, base.to_owned(), &parts, 0, &mut found)?;
    Ok(found.into_iter().collect())
}

fn descend(
    files: &dyn Files,
    folder: PathBuf,
    parts: &[&str],
    depth: usize,
    found: &mut BTreeSet<PathBuf>,
) -> io::Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        return Ok(());
    };
    if *part == "**" {
        // No folder at all, or any folder and then again `**`. A final `**` means every file below.
        let rest: &[&str] = if rest.is_empty() { &["*"] } else { rest };
        descend(files, folder.clone(), rest, depth, found)?;
        if depth < MAX_FOLDER_DEPTH {
            for entry in list(files, &folder)? {
                if entry.kind == EntryKind::Folder {
                    descend(files, folder.join(&entry.name), parts, depth + 1, found)?;
                }
            }
        }
        return Ok(());
    }
    if !part.contains(['*', '?', '[', '{']) {
        let path = folder.join(part);
        if !rest.is_empty() {
            return descend(files, path, rest, depth, found);
        }
        if files.is_file(&path) {
            found.insert(path);
        }
        return Ok(());
    }
    let glob =
        globset::Glob::new(part).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let matcher = glob.compile_matcher();
    for entry in list(files, &folder)?
        .into_iter()
        .filter(|entry| matcher.is_match(&entry.name))
    {
        let path = folder.join(&entry.name);
        match (entry.kind, rest.is_empty()) {
            (EntryKind::File, true) => {
                found.insert(path);
            }
            (EntryKind::Folder | EntryKind::LinkedFolder, false) => descend(files, path, rest, depth, found)?,
            _ => {}
        }
    }
    Ok(())
}

fn list(files: &dyn Files, folder: &Path) -> io::Result<Vec<FolderEntry>> {
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    match files.list(here) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        entries => entries,
    }
}
