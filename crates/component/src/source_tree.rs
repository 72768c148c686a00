//! A spec and its sources: names and contents, sorted by name, in memory or in the store.
//!
//! ```text
//!  folder, dist-git, store ──▶ SourceTree ──overlay::apply, overlay::prepare──▶ SourceTree ──▶ rendered folder
//! ```
//!
//! A copy of a tree is cheap: contents are shared. Large files stay in the content-addressed store that they were
//! fetched to, named by digest, and are read when someone needs their bytes; the digest is checked then.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lazuli_catalog::Sha256Digest;

/// Most files of one tree.
const MAX_FILES: usize = 20_000;
/// Deepest folder of a tree.
const MAX_DEPTH: usize = 32;
/// Longest name of a file, with its folders, in bytes.
const MAX_PATH: usize = 1024;
/// Largest file that is read into memory, in bytes.
const MAX_FILE_SIZE: u64 = 4 << 30;

/// The name of a file in a tree: relative, parts parted by `/`, none of them `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePath(String);

impl SourcePath {
    /// Checks a name.
    ///
    /// # Errors
    /// [`TreeError::BadPath`] when it is empty, absolute, too long, has control characters or a part that is empty, `.`
    /// or `..`.
    pub fn new(path: impl Into<String>) -> Result<SourcePath, TreeError> {
        let path = path.into();
        let reason = if path.is_empty() {
            Some("it is empty")
        } else if path.len() > MAX_PATH {
            Some("it is longer than 1024 bytes")
        } else if path.chars().any(char::is_control) {
            Some("it has a control character")
        } else if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            Some("a part of it is empty, `.` or `..`")
        } else {
            None
        };
        match reason {
            Some(reason) => Err(TreeError::BadPath { path, reason }),
            None => Ok(SourcePath(path)),
        }
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder, without a final slash; empty at the top.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.0.rfind('/').map_or("", |at| &self.0[..at])
    }

    /// Whether it is a spec by its name.
    #[must_use]
    pub fn is_spec(&self) -> bool {
        self.0.ends_with(".spec")
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Borrow<str> for SourcePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SourcePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for SourcePath {
    type Error = TreeError;

    fn try_from(path: &str) -> Result<Self, TreeError> {
        SourcePath::new(path)
    }
}

/// A file in the content-addressed store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Where it is.
    pub path: PathBuf,
    /// What its bytes must hash to.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// A file of the store, read when its bytes are needed.
    Stored(Arc<StoredFile>),
    /// A symbolic link with this target, kept as it is.
    Link(Arc<str>),
}

impl Content {
    /// The bytes. Those of the store are read and checked against their digest.
    ///
    /// # Errors
    /// [`TreeError::Io`], [`TreeError::Digest`], [`TreeError::TooLarge`], [`TreeError::NotAFile`] of a link.
    pub fn read(&self) -> Result<Arc<[u8]>, TreeError> {
        match self {
            Content::Bytes(bytes) => Ok(Arc::clone(bytes)),
            Content::Stored(stored) => {
                let bytes = read_limited(&stored.path)?;
                let found = Sha256Digest::of(&bytes);
                if found != stored.sha256 {
                    return Err(TreeError::Digest {
                        path: stored.path.clone(),
                        expected: stored.sha256.to_string(),
                        found: found.to_string(),
                    });
                }
                Ok(bytes.into())
            }
            Content::Link(target) => Err(TreeError::NotAFile {
                path: PathBuf::from(&**target),
            }),
        }
    }

    /// The size in bytes; of a link, that of its target's name.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Stored(stored) => stored.size,
            Content::Link(target) => target.len() as u64,
        }
    }

    /// The digest of the bytes; of a link, that of its target's name. A file of the store is not read for it.
    #[must_use]
    pub fn sha256(&self) -> Sha256Digest {
        match self {
            Content::Bytes(bytes) => Sha256Digest::of(bytes),
            Content::Stored(stored) => stored.sha256.clone(),
            Content::Link(target) => Sha256Digest::of(target.as_bytes()),
        }
    }

    /// Whether two contents are the same, by their bytes or their digests.
    #[must_use]
    pub fn same(&self, other: &Content) -> bool {
        match (self, other) {
            (Content::Bytes(one), Content::Bytes(two)) => Arc::ptr_eq(one, two) || one == two,
            (Content::Link(one), Content::Link(two)) => one == two,
            (Content::Link(_), _) | (_, Content::Link(_)) => false,
            (one, two) => one.size() == two.size() && one.sha256() == two.sha256(),
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Content::Bytes(bytes.into())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Content::Bytes(text.as_bytes().into())
    }
}

/// Whether a file is a program: all of a mode that git keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileMode {
    /// 0644.
    #[default]
    Plain,
    /// 0755.
    Executable,
}

/// A file of a tree.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// What is in it.
    pub content: Content,
    /// Whether it is a program.
    pub mode: FileMode,
}

impl From<Content> for SourceFile {
    fn from(content: Content) -> Self {
        SourceFile {
            content,
            mode: FileMode::Plain,
        }
    }
}

/// A spec and its sources.
#[derive(Debug, Clone)]
pub struct SourceTree {
    spec: SourcePath,
    files: BTreeMap<SourcePath, SourceFile>,
}

/// A tree could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A name that no file can have.
    #[error("the file name `{path}` cannot be used: {reason}")]
    BadPath {
        /// The name.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// The disk.
    #[error("failed to read {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A limit is exceeded.
    #[error("{} is larger than {limit} allow", path.display())]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// The limit, in words.
        limit: &'static str,
    },
    /// A file of the store is not what its name says.
    #[error("{} has the digest {found}, not {expected}: the store is damaged", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A device, a socket, or a link where a file is needed.
    #[error("{} is not a plain file", path.display())]
    NotAFile {
        /// What it is about.
        path: PathBuf,
    },
    /// There is no spec, or none of the name.
    #[error("there is no spec `{spec}` among the sources")]
    NoSpec {
        /// Its name.
        spec: String,
    },
    /// A name is not UTF-8.
    #[error("the name of {} is not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
}

impl SourceTree {
    /// A tree of a spec alone.
    #[must_use]
    pub fn new(spec: SourcePath, content: impl Into<Content>) -> SourceTree {
        let files = BTreeMap::from([(spec.clone(), SourceFile::from(content.into()))]);
        SourceTree { spec, files }
    }

    /// All files of `folder` and the folders in it, but for those whose name begins with a dot (`.git`, `.gitignore`).
    /// This is the one function here that walks the disk. Links are kept as links.
    ///
    /// # Errors
    /// [`TreeError`]; there must be a file named `spec`.
    pub fn load(folder: &Path, spec: SourcePath) -> Result<SourceTree, TreeError> {
        let mut files = BTreeMap::new();
        load_folder(folder, "", MAX_DEPTH, &mut files)?;
        if !files.contains_key(&spec) {
            return Err(TreeError::NoSpec {
                spec: spec.to_string(),
            });
        }
        Ok(SourceTree { spec, files })
    }

    /// The spec's name.
    #[must_use]
    pub fn spec_path(&self) -> &SourcePath {
        &self.spec
    }

    /// The spec's bytes.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn spec_bytes(&self) -> Result<Arc<[u8]>, TreeError> {
        match self.files.get(&self.spec) {
            Some(file) => file.content.read(),
            None => Err(TreeError::NoSpec {
                spec: self.spec.to_string(),
            }),
        }
    }

    /// Gives the spec other bytes.
    pub fn set_spec(&mut self, content: impl Into<Content>) {
        self.put(self.spec.clone(), content.into());
    }

    /// A file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&SourceFile> {
        self.files.get(path)
    }

    /// Whether there is a file of that name.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// All files, sorted by name, the spec among them.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&SourcePath, &SourceFile)> {
        self.files.iter()
    }

    /// Puts a whole file in, in the place of one of the same name.
    pub fn insert(&mut self, path: SourcePath, file: SourceFile) -> Option<SourceFile> {
        self.files.insert(path, file)
    }

    /// Gives a file other content; its mode stays. A new file is a plain one.
    pub fn put(&mut self, path: SourcePath, content: impl Into<Content>) {
        let content = content.into();
        match self.files.get_mut(&path) {
            Some(file) => file.content = content,
            None => {
                self.files.insert(path, content.into());
            }
        }
    }

    /// Takes a file out. The spec stays: a tree always has one.
    pub fn remove(&mut self, path: &str) -> Option<SourceFile> {
        match path == self.spec.as_str() {
            true => None,
            false => self.files.remove(path),
        }
    }

    /// What is different in `other`, by name.
    #[must_use]
    pub fn changes<'a>(&'a self, other: &'a SourceTree) -> Vec<(&'a SourcePath, TreeChange<'a>)> {
        let mut changes = Vec::new();
        for (path, old) in &self.files {
            match other.files.get(path) {
                None => changes.push((path, TreeChange::Removed { old })),
                Some(new) if old.mode != new.mode || !old.content.same(&new.content) => {
                    changes.push((path, TreeChange::Changed { old, new }));
                }
                Some(_) => {}
            }
        }
        let added = other
            .files
            .iter()
            .filter(|(path, _)| !self.files.contains_key(*path));
        changes.extend(added.map(|(path, new)| (path, TreeChange::Added { new })));
        changes.sort_by_key(|(path, _)| *path);
        changes
    }
}

/// How a file differs between two trees.
#[derive(Debug, Clone, Copy)]
pub enum TreeChange<'a> {
    /// Only the other tree has it.
    Added {
        /// As it is there.
        new: &'a SourceFile,
    },
    /// The other tree does not have it.
    Removed {
        /// As it is here.
        old: &'a SourceFile,
    },
    /// Both have it, and it is not the same.
    Changed {
        /// As it is here.
        old: &'a SourceFile,
        /// As it is there.
        new: &'a SourceFile,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> TreeError {
    let path = path.to_owned();
    move |source| TreeError::Io { path, source }
}

pub(crate) fn read_limited(path: &Path) -> Result<Vec<u8>, TreeError> {
    let file = fs::File::open(path).map_err(io_error(path))?;
    let mut bytes = Vec::new();
    let limit = MAX_FILE_SIZE + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(io_error(path))?;
    match bytes.len() as u64 > MAX_FILE_SIZE {
        true => Err(TreeError::TooLarge {
            path: path.to_owned(),
            limit: "4 GiB",
        }),
        false => Ok(bytes),
    }
}

fn load_folder(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut BTreeMap<SourcePath, SourceFile>,
) -> Result<(), TreeError> {
    for entry in fs::read_dir(folder).map_err(io_error(folder))? {
        let entry = entry.map_err(io_error(folder))?;
        let path = entry.path();
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| TreeError::NotUtf8 { path: path.clone() })?;
        if name.starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(io_error(&path))?;
        let key = format!("{prefix}{name}");
        if kind.is_dir() {
            if depth == 0 {
                return Err(TreeError::TooLarge {
                    path,
                    limit: "32 folders of depth",
                });
            }
            load_folder(&path, &format!("{key}/"), depth - 1, files)?;
            continue;
        }
        let file = load_file(&path, kind)?;
        files.insert(SourcePath::new(key)?, file);
        if files.len() > MAX_FILES {
            return Err(TreeError::TooLarge {
                path: folder.to_owned(),
                limit: "20,000 files",
            });
        }
    }
    Ok(())
}

fn load_file(path: &Path, kind: fs::FileType) -> Result<SourceFile, TreeError> {
    if kind.is_symlink() {
        let target = fs::read_link(path).map_err(io_error(path))?;
        let target = target.into_os_string().into_string();
        let target = target.map_err(|_| TreeError::NotUtf8 {
            path: path.to_owned(),
        })?;
        return Ok(Content::Link(target.into()).into());
    }
    if !kind.is_file() {
        return Err(TreeError::NotAFile {
            path: path.to_owned(),
        });
    }
    let mode = fs::metadata(path).map_err(io_error(path))?.permissions().mode();
    Ok(SourceFile {
        content: read_limited(path)?.into(),
        mode: match mode & 0o100 {
            0 => FileMode::Plain,
            _ => FileMode::Executable,
        },
    })
}
