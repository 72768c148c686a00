//! The files of a package, between the `.deb` and the RPM.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read};
use std::sync::Arc;

use lazuli_deb::{Architecture, Deb, Entry, EntryKind, VisitError};
use lazuli_rpm::{Content, ContentSource, FileEntry, FileFlags};

use crate::capability::to_text;
use crate::error::ImportError;
use crate::paths::{is_alias, merged_bytes, moved_target};
use crate::scripts::KnownFile;

/// `S_IFMT` values (inode(7)).
mod file_type {
    pub(super) const FIFO: u16 = 0o010_000;
    pub(super) const CHARACTER: u16 = 0o020_000;
    pub(super) const DIRECTORY: u16 = 0o040_000;
    pub(super) const BLOCK: u16 = 0o060_000;
    pub(super) const REGULAR: u16 = 0o100_000;
    pub(super) const SYMLINK: u16 = 0o120_000;
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    Regular {
        content: Arc<[u8]>,
        /// Names of one file share a number; 0 if there is only one.
        links: u32,
    },
    Symlink {
        target: Vec<u8>,
    },
    Character {
        rdev: u16,
    },
    Block {
        rdev: u16,
    },
    Fifo,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Permission bits, `0o7777` at most.
    pub(crate) mode: u16,
    pub(crate) user: String,
    pub(crate) group: String,
    pub(crate) mtime: u32,
    /// As text; empty if there are none.
    pub(crate) capabilities: String,
    /// Whether an administrator's changes are kept.
    pub(crate) config: bool,
}

impl Node {
    /// A file of root's.
    pub(crate) fn new(kind: Kind, mode: u16, mtime: u32) -> Self {
        let root = || "root".to_owned();
        Self {
            kind,
            mode,
            user: root(),
            group: root(),
            mtime,
            capabilities: String::new(),
            config: false,
        }
    }

    pub(crate) fn file(content: impl Into<Arc<[u8]>>, mode: u16, mtime: u32) -> Self {
        Self::new(
            Kind::Regular {
                content: content.into(),
                links: 0,
            },
            mode,
            mtime,
        )
    }

    pub(crate) fn content(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Regular { content, .. } => Some(content),
            _ => None,
        }
    }

    /// Whether the directory is like those that nobody has to own.
    pub(crate) fn is_plain_directory(&self) -> bool {
        self.kind == Kind::Directory && self.mode == 0o755 && self.user == "root" && self.group == "root"
    }

    /// Whether two files may be one after the move to `/usr`.
    fn agrees(&self, other: &Self) -> bool {
        let kind = match (&self.kind, &other.kind) {
            (Kind::Regular { content: a, .. }, Kind::Regular { content: b, .. }) => a == b,
            (a, b) => a == b,
        };
        kind && self.mode == other.mode && self.user == other.user && self.group == other.group
    }
}

/// All files by absolute path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: BTreeMap<Vec<u8>, Node>,
}

/// Whether a package brings the links of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// It is the base package: `/bin`, `/var/run` and so on become links.
    Brings,
    /// It is any other.
    Finds,
}

impl Tree {
    /// Reads the files of a `.deb`, moved to `/usr`. Times after `latest` become `latest`.
    pub(crate) fn read(deb: &Deb<'_>, layout: Layout, latest: Option<u32>) -> Result<Self, ImportError> {
        let mut reader = Reader {
            tree: Self::default(),
            links: HashMap::new(),
            next: 1,
            layout,
            latest,
        };
        deb.visit_files(|entry, content| reader.entry(entry, content))
            .map_err(|error| match error {
                VisitError::Deb(error) => ImportError::Deb(error),
                VisitError::Visitor(error) => error,
            })?;
        Ok(reader.tree)
    }

    /// Puts in the links of the layout that the base package of an older release lacks.
    pub(crate) fn complete_layout(&mut self, architecture: &Architecture) {
        let time = self
            .nodes
            .values()
            .map(|node| node.mtime)
            .max()
            .unwrap_or_default();
        let loader = (architecture.as_str() == "amd64").then_some("lib64");
        for name in ["bin", "lib", "sbin"].into_iter().chain(loader) {
            let target = format!("usr/{name}").into_bytes();
            let path = format!("/{name}").into_bytes();
            self.nodes
                .entry(path)
                .or_insert_with(|| Node::new(Kind::Symlink { target }, 0o777, time));
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path.as_bytes())
    }

    /// What the recogniser may know of the files.
    pub(crate) fn known_files(&self) -> BTreeMap<String, KnownFile> {
        let known = |node: &Node| match &node.kind {
            Kind::Directory => KnownFile::Directory,
            Kind::Regular { content, .. } => KnownFile::Regular {
                mode: node.mode,
                empty: content.is_empty(),
            },
            Kind::Symlink { .. } => KnownFile::Symlink,
            _ => KnownFile::Special,
        };
        let text = |path: &Vec<u8>| String::from_utf8(path.clone()).ok();
        self.nodes
            .iter()
            .filter_map(|(path, node)| Some((text(path)?, known(node))))
            .collect()
    }

    /// Keeps the files that `keep` wants, and drops directories that have become empty by that.
    pub(crate) fn retain(&mut self, keep: impl Fn(&[u8], &Node) -> bool) {
        let gone: BTreeSet<Vec<u8>> = self
            .nodes
            .iter()
            .filter(|(path, node)| !keep(path, node))
            .map(|(path, _)| path.clone())
            .collect();
        self.nodes.retain(|path, _| !gone.contains(path));
        let mut emptied: BTreeSet<Vec<u8>> = gone.iter().filter_map(|path| parent(path)).collect();
        // From the deepest up: a directory that goes may leave its own parent empty.
        while let Some(path) = emptied.pop_last() {
            let is_plain = self.nodes.get(&path).is_some_and(Node::is_plain_directory);
            if is_plain && !self.has_children(&path) {
                self.nodes.remove(&path);
                emptied.extend(parent(&path));
            }
        }
    }

    fn has_children(&self, path: &[u8]) -> bool {
        let mut inside = path.to_vec();
        inside.push(b'/');
        self.nodes
            .range(inside.clone()..)
            .next()
            .is_some_and(|(next, _)| next.starts_with(&inside))
    }

    /// The files as rpm has them, and their contents.
    pub(crate) fn into_entries(self) -> (Vec<FileEntry>, Contents) {
        let mut contents = BTreeMap::new();
        let mut entries = Vec::with_capacity(self.nodes.len());
        for (path, node) in self.nodes {
            let flags = flags(&path, &node);
            let (kind, size, link_target, rdev, inode) = match node.kind {
                Kind::Directory => (file_type::DIRECTORY, 0, Vec::new(), 0, 0),
                Kind::Regular { content, links } => {
                    let size = content.len() as u64;
                    contents.insert(path.clone(), content);
                    (file_type::REGULAR, size, Vec::new(), 0, links)
                }
                Kind::Symlink { target } => (file_type::SYMLINK, target.len() as u64, target, 0, 0),
                Kind::Character { rdev } => (file_type::CHARACTER, 0, Vec::new(), rdev, 0),
                Kind::Block { rdev } => (file_type::BLOCK, 0, Vec::new(), rdev, 0),
                Kind::Fifo => (file_type::FIFO, 0, Vec::new(), 0, 0),
            };
            // rpm gives every symbolic link all permissions, as Linux does.
            let mode = if kind == file_type::SYMLINK {
                0o777
            } else {
                node.mode
            };
            entries.push(FileEntry {
                path,
                mode: kind | mode,
                user: node.user,
                group: node.group,
                size,
                mtime: node.mtime,
                digest: None,
                link_target,
                flags,
                capabilities: node.capabilities,
                inode,
                rdev,
            });
        }
        (entries, Contents(contents))
    }
}

/// `%config`, `%doc` and `%license` by where a file lies.
fn flags(path: &[u8], node: &Node) -> FileFlags {
    let mut flags = FileFlags::empty();
    if node.config {
        flags |= FileFlags::CONFIG | FileFlags::NOREPLACE;
    }
    if node.kind == Kind::Directory {
        return flags;
    }
    let in_doc = path.starts_with(b"/usr/share/doc/");
    if in_doc && path.ends_with(b"/copyright") || path.starts_with(b"/usr/share/common-licenses/") {
        flags |= FileFlags::LICENSE;
    } else if in_doc || path.starts_with(b"/usr/share/man/") || path.starts_with(b"/usr/share/info/") {
        flags |= FileFlags::DOC;
    }
    flags
}

pub(crate) fn parent(path: &[u8]) -> Option<Vec<u8>> {
    let slash = path.iter().rposition(|c| *c == b'/')?;
    (slash > 0).then(|| path[..slash].to_vec())
}

/// The contents of a package's regular files.
#[derive(Debug, Clone, Default)]
pub struct Contents(pub(crate) BTreeMap<Vec<u8>, Arc<[u8]>>);

impl Contents {
    /// The content of a path.
    pub fn get(&self, path: &[u8]) -> Option<&[u8]> {
        self.0.get(path).map(|content| &**content)
    }
}

impl ContentSource for Contents {
    fn content(&self, file: &FileEntry) -> io::Result<Content<'_>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the import has no content for this path");
        self.get(&file.path)
            .map(|bytes| Content::Bytes(Cow::Borrowed(bytes)))
            .ok_or_else(missing)
    }
}

struct Reader {
    tree: Tree,
    /// Archive paths of regular files, for hard links: where they went.
    links: HashMap<Vec<u8>, Vec<u8>>,
    next: u32,
    layout: Layout,
    latest: Option<u32>,
}

impl Reader {
    fn entry(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), ImportError> {
        let mut archived = vec![b'/'];
        archived.extend_from_slice(entry.path.as_bytes());
        let alias = is_alias(&archived);
        if self.layout_link(&archived, entry) {
            return Ok(());
        }
        let path = if alias && matches!(entry.kind, EntryKind::Symlink { .. }) {
            archived.clone()
        } else {
            // `EntryPath` never climbs, so that there is always a path.
            merged_bytes(&archived).unwrap_or_else(|| archived.clone())
        };
        let kind = self.kind(entry, &archived, &path, content)?;
        let mtime = u32::try_from(entry.mtime.max(0)).unwrap_or(u32::MAX);
        let node = Node {
            kind,
            mode: (entry.mode & 0o7777) as u16,
            user: owner(&entry.user, entry.uid, &path)?,
            group: owner(&entry.group, entry.gid, &path)?,
            mtime: self.latest.map_or(mtime, |latest| mtime.min(latest)),
            capabilities: capabilities(entry, &path)?,
            config: false,
        };
        self.insert(path, node)
    }

    /// Of the base package, directories that are links in the layout.
    fn layout_link(&mut self, archived: &[u8], entry: &Entry) -> bool {
        let target: &[u8] = match archived {
            b"/var/run" => b"../run",
            b"/var/lock" => b"../run/lock",
            _ if is_alias(archived) && self.layout == Layout::Brings => b"",
            _ => return false,
        };
        if entry.kind != EntryKind::Directory {
            return false;
        }
        if self.layout == Layout::Brings {
            let target = if target.is_empty() {
                [b"usr", archived].concat()
            } else {
                target.to_vec()
            };
            let mtime = u32::try_from(entry.mtime.max(0)).unwrap_or(u32::MAX);
            let node = Node::new(
                Kind::Symlink { target },
                0o777,
                self.latest.map_or(mtime, |l| mtime.min(l)),
            );
            self.tree.nodes.insert(archived.to_vec(), node);
        }
        true
    }

    fn kind(
        &mut self,
        entry: &Entry,
        archived: &[u8],
        path: &[u8],
        content: &mut dyn Read,
    ) -> Result<Kind, ImportError> {
        let device = |major: u32, minor: u32| {
            let number = u8::try_from(major).ok().zip(u8::try_from(minor).ok());
            let (major, minor) = number.ok_or_else(|| ImportError::Device { path: shown(path) })?;
            Ok::<u16, ImportError>(u16::from(major) << 8 | u16::from(minor))
        };
        Ok(match &entry.kind {
            EntryKind::Directory => Kind::Directory,
            EntryKind::File { size } => {
                // The reader has checked the size against what the archive may unfold to.
                let mut bytes = Vec::with_capacity(usize::try_from(*size).unwrap_or_default().min(64 << 20));
                content
                    .read_to_end(&mut bytes)
                    .map_err(|source| ImportError::Read {
                        path: shown(path),
                        source,
                    })?;
                self.links.insert(archived.to_vec(), path.to_vec());
                Kind::Regular {
                    content: bytes.into(),
                    links: 0,
                }
            }
            EntryKind::Symlink { target } => Kind::Symlink {
                target: moved_target(archived, path, target),
            },
            EntryKind::Hardlink { target } => {
                let mut from = vec![b'/'];
                from.extend_from_slice(target.as_bytes());
                let missing = || ImportError::HardLink {
                    path: shown(path),
                    target: shown(&from),
                };
                let first = self.links.get(&from).ok_or_else(missing)?;
                let node = self.tree.nodes.get_mut(first).ok_or_else(missing)?;
                let Kind::Regular { content, links } = &mut node.kind else {
                    return Err(missing());
                };
                if *links == 0 {
                    *links = self.next;
                    self.next += 1;
                }
                Kind::Regular {
                    content: content.clone(),
                    links: *links,
                }
            }
            EntryKind::CharDevice { major, minor } => Kind::Character {
                rdev: device(*major, *minor)?,
            },
            EntryKind::BlockDevice { major, minor } => Kind::Block {
                rdev: device(*major, *minor)?,
            },
            EntryKind::Fifo => Kind::Fifo,
        })
    }

    fn insert(&mut self, path: Vec<u8>, node: Node) -> Result<(), ImportError> {
        match self.tree.nodes.get(&path) {
            // Two directories become one; a directory in `/usr` knows best.
            Some(old) if old.kind == Kind::Directory && node.kind == Kind::Directory => {
                if old.is_plain_directory() {
                    self.tree.nodes.insert(path, node);
                }
                Ok(())
            }
            Some(old) if !old.agrees(&node) => Err(ImportError::Merge { path: shown(&path) }),
            Some(_) => Ok(()),
            None => {
                self.tree.nodes.insert(path, node);
                Ok(())
            }
        }
    }
}

/// An owner's name; archives may leave root's out.
fn owner(name: &str, id: u32, path: &[u8]) -> Result<String, ImportError> {
    match (name, id) {
        ("", 0) => Ok("root".to_owned()),
        ("", id) => Err(ImportError::NumericOwner {
            path: shown(path),
            id,
        }),
        (name, _) => Ok(name.to_owned()),
    }
}

fn capabilities(entry: &Entry, path: &[u8]) -> Result<String, ImportError> {
    match entry
        .xattrs
        .iter()
        .find(|(name, _)| name == "security.capability")
    {
        None => Ok(String::new()),
        Some((_, value)) => to_text(value).ok_or_else(|| ImportError::Capabilities {
            path: shown(path),
            value: hex::encode(value),
        }),
    }
}

/// A path for people.
pub(crate) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
