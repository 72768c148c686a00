//! What one entry of a `.deb`'s file archive says.

use std::fmt;

/// A path inside a package, as bytes: relative to the root, without `.`, `..`, empty components, or a slash at either
/// end. The root folder itself is the empty path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryPath(Vec<u8>);

/// The longest path that is taken, in bytes (Linux' `PATH_MAX`).
pub const MAX_PATH_LENGTH: usize = 4096;

/// The longest component of a path, in bytes (Linux' `NAME_MAX`).
pub const MAX_COMPONENT_LENGTH: usize = 255;

impl EntryPath {
    /// Normalises a path of an archive: `./usr/bin/` becomes `usr/bin`.
    ///
    /// Refuses absolute paths, `..`, NUL bytes, and what no Linux file system would hold.
    pub fn parse(raw: &[u8]) -> Result<Self, &'static str> {
        if raw.first() == Some(&b'/') {
            return Err("it is absolute");
        }
        if raw.len() > MAX_PATH_LENGTH {
            return Err("it is too long");
        }
        if raw.contains(&0) {
            return Err("it holds a NUL byte");
        }
        let mut path = Vec::with_capacity(raw.len());
        for component in raw.split(|c| *c == b'/') {
            match component {
                b"" | b"." => continue,
                b".." => return Err("it holds `..`"),
                long if long.len() > MAX_COMPONENT_LENGTH => return Err("one of its components is too long"),
                _ => {}
            }
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(component);
        }
        Ok(Self(path))
    }

    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root folder.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folders above, from the nearest to below the root.
    pub fn ancestors(&self) -> impl Iterator<Item = &[u8]> {
        let mut end = self.0.len();
        std::iter::from_fn(move || {
            end = self.0[..end].iter().rposition(|c| *c == b'/')?;
            Some(&self.0[..end])
        })
    }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryPath({self})")
    }
}

/// What kind of file an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Directory,
    /// A regular file of that many bytes.
    File {
        /// Its size in bytes.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// The link's text, as it is (it may be absolute or climb: it is never followed here).
        target: Vec<u8>,
    },
    /// Another name of a regular file that came earlier in the same archive.
    Hardlink {
        /// The path of that file.
        target: EntryPath,
    },
    /// A character device.
    CharDevice {
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

/// One entry of the file archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it goes.
    pub path: EntryPath,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits with setuid, setgid and sticky: `mode & 0o7777`.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The owner's name; empty where only the number is given.
    pub user: String,
    /// The group's name; empty where only the number is given.
    pub group: String,
    /// When it was last changed, in seconds since 1970.
    pub mtime: i64,
    /// Extended attributes (`security.capability`, …), in the order of the archive.
    pub xattrs: Vec<(String, Vec<u8>)>,
}
