//! The tree of a file system as a value: a sorted list of entries.
//!
//! A [`Tree`] is what every writer of this crate takes. It holds numeric owners, modes, times and extended attributes
//! itself, so that none of them depends on the host, and it is sorted by path, so that neither does the order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Error, Result};

/// The longest name of one component, as of every Linux file system.
pub const MAX_NAME: usize = 255;
/// The longest path of an entry; `PATH_MAX` less the final zero.
pub const MAX_PATH: usize = 4095;

/// A path inside a tree: components joined by `/`, no leading or trailing slash, no `.` or `..`; empty for the root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Arc<[u8]>);

impl TreePath {
    /// The root directory.
    pub fn root() -> Self {
        Self(Arc::from(&b""[..]))
    }

    /// Validates a path. Slashes at the start are taken off, so absolute paths may be given.
    pub fn new(path: impl AsRef<[u8]>) -> Result<Self> {
        let given = path.as_ref();
        let invalid = |reason| Error::InvalidPath {
            path: String::from_utf8_lossy(given).into_owned(),
            reason,
        };
        let start = given.iter().position(|&b| b != b'/').unwrap_or(given.len());
        let path = &given[start..];
        if path.len() > MAX_PATH {
            return Err(invalid("it is longer than 4095 bytes"));
        }
        if path.contains(&0) {
            return Err(invalid("it has a zero byte"));
        }
        if !path.is_empty() {
            for component in path.split(|&b| b == b'/') {
                match component {
                    b"" => return Err(invalid("it has an empty component")),
                    b"." | b".." => return Err(invalid("it has a `.` or `..` component")),
                    name if name.len() > MAX_NAME => {
                        return Err(invalid("a component is longer than 255 bytes"));
                    }
                    _ => {}
                }
            }
        }
        Ok(Self(Arc::from(path)))
    }

    /// The bytes, without a leading slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root directory.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &[u8] {
        match self.0.iter().rposition(|&b| b == b'/') {
            Some(slash) => &self.0[slash + 1..],
            None => &self.0,
        }
    }

    /// The bytes of the directory above; `None` for the root.
    pub fn parent_bytes(&self) -> Option<&[u8]> {
        if self.is_root() {
            return None;
        }
        Some(
            self.0
                .iter()
                .rposition(|&b| b == b'/')
                .map_or(&b""[..], |slash| &self.0[..slash]),
        )
    }

    /// The path of `name` below this one.
    pub fn join(&self, name: impl AsRef<[u8]>) -> Result<Self> {
        if self.is_root() {
            return Self::new(name);
        }
        Self::new([self.as_bytes(), b"/", name.as_ref()].concat())
    }

    /// Whether this path is `other` or lies below it.
    pub fn is_within(&self, other: &TreePath) -> bool {
        other.is_root()
            || self
                .0
                .strip_prefix(other.as_bytes())
                .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the bytes of a regular file come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Bytes in memory.
    Bytes(Arc<[u8]>),
    /// A file of the host, read while writing. Its size is fixed here; a change is an error.
    HostFile {
        /// Where it is.
        path: PathBuf,
        /// How many bytes it has.
        size: u64,
    },
}

impl Content {
    /// Content from bytes.
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// Content of a host file, by its present size.
    pub fn host_file(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let size = std::fs::metadata(&path)
            .map_err(|e| Error::io("read the size of", &path, e))?
            .len();
        Ok(Self::HostFile { path, size })
    }

    /// The length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::HostFile { size, .. } => *size,
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::HostFile { path, size } => write!(f, "{} ({size} bytes)", path.display()),
        }
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File(Content),
    /// A symbolic link, with its target as it stands in the link.
    Symlink(Box<[u8]>),
    /// Another name of the (non-directory, non-link) entry at this path. Its own attributes are ignored.
    HardLink(TreePath),
    /// A character device.
    CharDevice {
        /// Major number, 12 bits.
        major: u32,
        /// Minor number, 20 bits.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number, 12 bits.
        major: u32,
        /// Minor number, 20 bits.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: TreePath,
    /// What it is, with its content.
    pub kind: Kind,
    /// Permission bits with set-id and sticky: the low 12 bits of `st_mode`.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of last change, in seconds since 1970. Every writer uses it for all times of the entry.
    pub mtime: i64,
    /// Extended attributes by full name (`security.capability`), with the values that `getxattr` gives.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Entry {
    /// An entry of root's, of time 0, with no extended attributes.
    pub fn new(path: TreePath, kind: Kind, mode: u16) -> Self {
        Self {
            path,
            kind,
            mode: mode & 0o7777,
            uid: 0,
            gid: 0,
            mtime: 0,
            xattrs: BTreeMap::new(),
        }
    }

    /// A directory.
    pub fn directory(path: impl AsRef<[u8]>, mode: u16) -> Result<Self> {
        Ok(Self::new(TreePath::new(path)?, Kind::Directory, mode))
    }

    /// A regular file.
    pub fn file(path: impl AsRef<[u8]>, mode: u16, content: Content) -> Result<Self> {
        Ok(Self::new(TreePath::new(path)?, Kind::File(content), mode))
    }

    /// A symbolic link.
    pub fn symlink(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Result<Self> {
        Ok(Self::new(
            TreePath::new(path)?,
            Kind::Symlink(target.as_ref().into()),
            0o777,
        ))
    }

    /// Another name for `target`.
    pub fn hard_link(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Result<Self> {
        Ok(Self::new(
            TreePath::new(path)?,
            Kind::HardLink(TreePath::new(target)?),
            0o644,
        ))
    }

    /// The same entry with another owner.
    pub fn owned_by(mut self, uid: u32, gid: u32) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    /// The same entry with another time.
    pub fn at(mut self, mtime: i64) -> Self {
        self.mtime = mtime;
        self
    }

    /// The same entry with one more extended attribute.
    pub fn with_xattr(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.xattrs.insert(name.into(), value.into());
        self
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory)
    }

    /// `st_mode`: the type and the permission bits. Zero type bits for a hard link, whose type is its target's.
    pub fn st_mode(&self) -> u16 {
        let kind = match self.kind {
            Kind::Directory => 0o040000,
            Kind::File(_) => 0o100000,
            Kind::Symlink(_) => 0o120000,
            Kind::HardLink(_) => 0,
            Kind::CharDevice { .. } => 0o020000,
            Kind::BlockDevice { .. } => 0o060000,
            Kind::Fifo => 0o010000,
            Kind::Socket => 0o140000,
        };
        kind | self.mode
    }
}

/// A whole tree: entries sorted by the bytes of their paths, the root first.
///
/// What holds, because only [`TreeBuilder::finish`] makes one: the root is there, every parent is there, before its
/// children, and is a directory; no path is there twice; hard links point to entries that can have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    entries: Vec<Entry>,
}

impl Tree {
    /// An empty builder.
    pub fn builder() -> TreeBuilder {
        TreeBuilder::default()
    }

    /// All entries, sorted by path.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry at a path.
    pub fn get(&self, path: &TreePath) -> Option<&Entry> {
        self.index_of(path.as_bytes()).map(|index| &self.entries[index])
    }

    /// Where the entry of a path is in [`Self::entries`].
    pub(crate) fn index_of(&self, path: &[u8]) -> Option<usize> {
        self.entries
            .binary_search_by(|entry| entry.path.as_bytes().cmp(path))
            .ok()
    }

    /// The sum of the sizes of all regular files, in bytes; a file with several names counts once.
    pub fn content_size(&self) -> u64 {
        self.entries
            .iter()
            .map(|e| {
                if let Kind::File(content) = &e.kind {
                    content.size()
                } else {
                    0
                }
            })
            .sum()
    }

    /// Back to a builder, to change it.
    pub fn into_builder(self) -> TreeBuilder {
        TreeBuilder {
            entries: self.entries.into_iter().map(|e| (e.path.clone(), e)).collect(),
            parent_time: 0,
        }
    }
}

/// Collects entries in any order and makes a [`Tree`] of them.
#[derive(Debug, Clone, Default)]
pub struct TreeBuilder {
    entries: BTreeMap<TreePath, Entry>,
    parent_time: i64,
}

impl TreeBuilder {
    /// The time of the directories that [`Self::finish`] adds, for missing parents; 0 unless set.
    pub fn parent_time(&mut self, mtime: i64) -> &mut Self {
        self.parent_time = mtime;
        self
    }

    /// Adds an entry; one of the same path is an error.
    pub fn add(&mut self, entry: Entry) -> Result<&mut Self> {
        if self.entries.contains_key(&entry.path) {
            return Err(Error::Duplicate {
                path: entry.path.to_string(),
            });
        }
        Ok(self.replace(entry))
    }

    /// Adds an entry, in the place of one of the same path.
    pub fn replace(&mut self, entry: Entry) -> &mut Self {
        self.entries.insert(entry.path.clone(), entry);
        self
    }

    /// Takes an entry out, with all below it, and tells how many there were.
    pub fn remove(&mut self, path: &TreePath) -> usize {
        let before = self.entries.len();
        self.entries.retain(|candidate, _| !candidate.is_within(path));
        before - self.entries.len()
    }

    /// The entry at a path.
    pub fn get(&self, path: &TreePath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The entry at a path, to change it. A change of its `path` field is ignored by [`Self::finish`].
    pub fn get_mut(&mut self, path: &TreePath) -> Option<&mut Entry> {
        self.entries.get_mut(path)
    }

    /// All entries so far.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.values_mut()
    }

    /// Adds missing parents (root's, mode 0755) and checks what a [`Tree`] promises.
    pub fn finish(mut self) -> Result<Tree> {
        self.add_parents();
        for (path, entry) in &mut self.entries {
            entry.path = path.clone();
        }
        for entry in self.entries.values() {
            self.check(entry)?;
        }
        Ok(Tree {
            entries: self.entries.into_values().collect(),
        })
    }

    fn add_parents(&mut self) {
        let mut missing = BTreeSet::from([TreePath::root()]);
        for path in self.entries.keys() {
            let mut path = path.clone();
            while let Some(parent) = path.parent_bytes() {
                let parent = TreePath(Arc::from(parent));
                if self.entries.contains_key(&parent) || !missing.insert(parent.clone()) {
                    break;
                }
                path = parent;
            }
        }
        for path in missing {
            let entry = Entry::new(path.clone(), Kind::Directory, 0o755).at(self.parent_time);
            self.entries.entry(path).or_insert(entry);
        }
    }

    fn check(&self, entry: &Entry) -> Result<()> {
        let path = || entry.path.to_string();
        if let Some(parent) = entry.path.parent_bytes() {
            let parent = TreePath(Arc::from(parent));
            if !self.entries.get(&parent).is_some_and(Entry::is_directory) {
                return Err(Error::ParentNotDirectory {
                    path: path(),
                    parent: parent.to_string(),
                });
            }
        } else if !entry.is_directory() {
            return Err(Error::InvalidPath {
                path: path(),
                reason: "the root must be a directory",
            });
        }
        if let Kind::HardLink(target) = &entry.kind {
            let problem = match self.entries.get(target).map(|target| &target.kind) {
                None => Some("missing"),
                Some(Kind::Directory) => Some("a directory"),
                Some(Kind::HardLink(_)) => Some("a hard link itself"),
                Some(_) => None,
            };
            if let Some(problem) = problem {
                return Err(Error::BadHardLink {
                    path: path(),
                    target: target.to_string(),
                    problem,
                });
            }
        }
        if let Kind::Symlink(target) = &entry.kind
            && (target.is_empty() || target.len() > MAX_PATH || target.contains(&0))
        {
            let reason = "its link target is empty, longer than 4095 bytes, or has a zero byte";
            return Err(Error::InvalidPath { path: path(), reason });
        }
        Ok(())
    }
}
