//! The files of one commit, as a source of files for the catalog.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Component, Path};
use std::sync::Arc;

use lazuli_catalog::{EntryKind, Files, FolderEntry};

use super::{GitError, GitRepository, Objects, not_understood, text};
use crate::files::ProjectFiles;
use crate::source_tree::{Content, FileMode, SourceFile, SourcePath, SourceTree, TreeError};

/// Most links that are followed for one name.
const MAX_LINKS: usize = 16;

/// All files of a commit. Paths are those that the work tree has, so that a project reads the same at every revision.
#[derive(Clone)]
pub struct GitTree {
    repository: GitRepository,
    commit: String,
    objects: Arc<Objects>,
    /// Each path in the tree, with what it is.
    entries: Arc<BTreeMap<String, Entry>>,
    /// The names in each folder.
    folders: Arc<BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Clone)]
enum Entry {
    File {
        id: String,
        mode: FileMode,
    },
    Link(String),
    Folder,
    /// A commit of another repository.
    Submodule,
}

impl fmt::Debug for GitTree {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "GitTree({} of {})",
            self.commit,
            self.repository.folder().display()
        )
    }
}

impl GitTree {
    pub(super) fn read(repository: &GitRepository, commit: String) -> Result<GitTree, GitError> {
        let listing = text(repository.run(["ls-tree", "-r", "-z", "--full-tree", &commit])?);
        let mut entries = BTreeMap::new();
        for line in listing.split('\0').filter(|line| !line.is_empty()) {
            // `mode type id<TAB>path`
            let (meta, path) = line
                .split_once('\t')
                .ok_or_else(|| not_understood("ls-tree", line))?;
            let mut meta = meta.split(' ');
            let (mode, _, id) = (meta.next(), meta.next(), meta.next());
            let id = id.ok_or_else(|| not_understood("ls-tree", line))?.to_owned();
            let entry = match mode {
                Some("120000") => Entry::Link(id),
                Some("160000") => Entry::Submodule,
                Some("100755") => Entry::File {
                    id,
                    mode: FileMode::Executable,
                },
                _ => Entry::File {
                    id,
                    mode: FileMode::Plain,
                },
            };
            for (at, _) in path.match_indices('/') {
                entries.entry(path[..at].to_owned()).or_insert(Entry::Folder);
            }
            entries.insert(path.to_owned(), entry);
        }
        let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
        folders.insert(String::new(), Vec::new());
        for path in entries.keys() {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            folders
                .entry(folder.to_owned())
                .or_default()
                .push(name.to_owned());
        }
        Ok(GitTree {
            repository: repository.clone(),
            commit,
            objects: Arc::new(repository.objects()?),
            entries: Arc::new(entries),
            folders: Arc::new(folders),
        })
    }

    /// The full id of the commit.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// A spec and what is beside it and below: the files of its folder, as [`SourceTree::load`] takes them from the disk.
    ///
    /// # Errors
    /// There is no such spec, or an object can't be read.
    pub fn source_tree(&self, spec: &Path) -> Result<SourceTree, TreeError> {
        let failed = |source| TreeError::Io {
            path: spec.to_owned(),
            source,
        };
        let (path, _) = self.find(spec).map_err(failed)?;
        let (folder, spec_name) = path.rsplit_once('/').unwrap_or(("", &path));
        let prefix = match folder.is_empty() {
            true => String::new(),
            false => format!("{folder}/"),
        };
        let spec_name = SourcePath::new(spec_name)?;
        let mut tree = SourceTree::new(spec_name, "");
        for (path, entry) in self.entries.range(prefix.clone()..) {
            let Some(name) = path.strip_prefix(&prefix) else {
                break;
            };
            if name.split('/').any(|part| part.starts_with('.')) {
                continue;
            }
            let file = match entry {
                Entry::File { id, mode } => SourceFile {
                    content: self.object(id).map_err(failed)?.into(),
                    mode: *mode,
                },
                Entry::Link(id) => {
                    let target = String::from_utf8(self.object(id).map_err(failed)?);
                    let target = target.map_err(|_| TreeError::NotUtf8 { path: path.into() })?;
                    Content::Link(target.into()).into()
                }
                Entry::Folder | Entry::Submodule => continue,
            };
            tree.insert(SourcePath::new(name)?, file);
        }
        Ok(tree)
    }

    /// The path within the tree of what a path leads to, through links, and what is there.
    fn find(&self, path: &Path) -> io::Result<(String, &Entry)> {
        let mut path = self.repository.tree_path(path).ok_or_else(|| missing(path))?;
        for _ in 0..MAX_LINKS {
            match self.entries.get(&path) {
                Some(Entry::Link(id)) => path = self.follow(&path, id)?,
                Some(entry) => return Ok((path, entry)),
                None if path.is_empty() => return Ok((path, &Entry::Folder)),
                // A folder on the way may be a link.
                None => match self.link_above(&path) {
                    Some((link, id, rest)) => path = format!("{}/{rest}", self.follow(link, id)?),
                    None => return Err(missing(Path::new(&path))),
                },
            }
        }
        Err(io::Error::other(format!("more than {MAX_LINKS} links at {path}")))
    }

    fn link_above<'p>(&self, path: &'p str) -> Option<(&'p str, &String, &'p str)> {
        path.match_indices('/')
            .find_map(|(at, _)| match self.entries.get(&path[..at]) {
                Some(Entry::Link(id)) => Some((&path[..at], id, &path[at + 1..])),
                _ => None,
            })
    }

    fn follow(&self, link: &str, id: &str) -> io::Result<String> {
        let target = self.object(id)?;
        let target =
            String::from_utf8(target).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let folder = Path::new(link).parent().unwrap_or(Path::new(""));
        let mut parts: Vec<String> = Vec::new();
        for part in folder.join(&target).components() {
            match part {
                Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
                Component::ParentDir if !parts.is_empty() => {
                    parts.pop();
                }
                Component::CurDir => {}
                _ => return Err(missing(Path::new(link))),
            }
        }
        Ok(parts.join("/"))
    }

    fn object(&self, id: &str) -> io::Result<Vec<u8>> {
        match self.objects.read(id) {
            Ok(Some(content)) => Ok(content),
            Ok(None) => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("object {id} is not in the repository"),
            )),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

fn missing(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("{} is not in the commit", path.display()),
    )
}

impl Files for GitTree {
    fn read(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read_bytes(path)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn is_file(&self, path: &Path) -> bool {
        matches!(self.find(path), Ok((_, Entry::File { .. })))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>> {
        let (path, entry) = self.find(folder)?;
        let names = match entry {
            Entry::Folder => self.folders.get(&path),
            _ => return Err(io::Error::new(io::ErrorKind::NotADirectory, path)),
        };
        let kind = |name: &String| match self.entries.get(&join(&path, name)) {
            Some(Entry::File { .. }) => EntryKind::File,
            Some(Entry::Folder) => EntryKind::Folder,
            Some(Entry::Link(_)) => match self.find(&folder.join(name)) {
                Ok((_, Entry::File { .. })) => EntryKind::File,
                Ok((_, Entry::Folder)) => EntryKind::LinkedFolder,
                _ => EntryKind::Other,
            },
            _ => EntryKind::Other,
        };
        let names = names.into_iter().flatten();
        Ok(names
            .map(|name| FolderEntry {
                name: name.clone(),
                kind: kind(name),
            })
            .collect())
    }
}

impl ProjectFiles for GitTree {
    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.find(path)? {
            (_, Entry::File { id, .. }) => self.object(id),
            (path, _) => Err(io::Error::new(io::ErrorKind::IsADirectory, path)),
        }
    }

    fn mode(&self, path: &Path) -> FileMode {
        match self.find(path) {
            Ok((_, Entry::File { mode, .. })) => *mode,
            _ => FileMode::Plain,
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    match folder.is_empty() {
        true => name.to_owned(),
        false => format!("{folder}/{name}"),
    }
}
