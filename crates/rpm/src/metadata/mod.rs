//! What a package says of itself, as plain values: the domain side of a header.

mod read;

pub(crate) use read::{SCRIPTLET_TAGS, check_path};

use crate::{Dependency, Header, HeaderError, Nevra};
use std::collections::HashSet;

bitflags::bitflags! {
    /// The bits of RPMTAG_FILEFLAGS (rpmfiles.h).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct FileFlags: u32 {
        /// `%config`
        const CONFIG = 1 << 0;
        /// `%doc`
        const DOC = 1 << 1;
        /// `%config(missingok)`
        const MISSINGOK = 1 << 3;
        /// `%config(noreplace)`
        const NOREPLACE = 1 << 4;
        /// `%ghost`
        const GHOST = 1 << 6;
        /// `%license`
        const LICENSE = 1 << 7;
        /// Bits without a name here are kept.
        const _ = !0;
    }
}

/// One file, directory or link of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Absolute path with `/` between its parts, without a final `/`. Bytes, since names need not be UTF-8.
    pub path: Vec<u8>,
    /// `st_mode`: file type and permission bits.
    pub mode: u16,
    /// Owner by name.
    pub user: String,
    /// Group by name.
    pub group: String,
    /// Size of the content in bytes; for a symbolic link the length of its target; for a directory 0.
    pub size: u64,
    /// Modification time, seconds since 1970.
    pub mtime: u32,
    /// SHA-256 of a regular file's content; `None` for all else.
    pub digest: Option<[u8; 32]>,
    /// Target of a symbolic link; empty for all else.
    pub link_target: Vec<u8>,
    /// `%config`, `%doc` and so on.
    pub flags: FileFlags,
    /// File capabilities in text form (`cap_net_raw=ep`); empty if there are none.
    pub capabilities: String,
    /// Inode number within the package: regular files that share one are hard links of each other.
    pub inode: u32,
    /// Device number of a character or block device (`major << 8 | minor`).
    pub rdev: u16,
}

/// One entry of the changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// Seconds since 1970.
    pub time: u32,
    /// `Name <address> - version`.
    pub author: String,
    /// The text.
    pub text: String,
}

/// When a scriptlet runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum ScriptletKind {
    Pre,
    Post,
    PreUn,
    PostUn,
    PreTrans,
    PostTrans,
    Verify,
}

/// A scriptlet. Lazuli's own packages have none; foreign ones may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlet {
    /// When it runs.
    pub kind: ScriptletKind,
    /// Interpreter and its arguments; `<lua>` for the embedded one.
    pub interpreter: Vec<String>,
    /// The script.
    pub body: String,
}

/// All that a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Name, EVR, architecture.
    pub nevra: Nevra,
    /// One line.
    pub summary: String,
    /// Many lines.
    pub description: String,
    /// SPDX expression.
    pub license: String,
    /// Home page; empty if unknown.
    pub url: String,
    /// Who ships the package.
    pub vendor: String,
    /// Who made it; empty if unknown.
    pub packager: String,
    /// RPM group; `Unspecified` by habit.
    pub group: String,
    /// Distribution name; may be empty.
    pub distribution: String,
    /// Seconds since 1970; fixed by the input, never the clock.
    pub build_time: u32,
    /// Build host, a constant for reproducibility.
    pub build_host: String,
    /// Name of the source package file (`bash-5.2-1.src.rpm`); `None` marks a source package itself.
    pub source_rpm: Option<String>,
    /// Version control or origin reference (RPMTAG_VCS): where the content came from, with its digest.
    pub vcs: String,
    /// Operating system: `linux`.
    pub os: String,
    /// Platform, such as `x86_64-lazuli-linux-gnu`.
    pub platform: String,
    /// Requires.
    pub requires: Vec<Dependency>,
    /// Provides, with `name = evr` and `name(arch) = evr` of the package itself.
    pub provides: Vec<Dependency>,
    /// Conflicts.
    pub conflicts: Vec<Dependency>,
    /// Obsoletes.
    pub obsoletes: Vec<Dependency>,
    /// Recommends.
    pub recommends: Vec<Dependency>,
    /// Suggests.
    pub suggests: Vec<Dependency>,
    /// Supplements.
    pub supplements: Vec<Dependency>,
    /// Enhances.
    pub enhances: Vec<Dependency>,
    /// Files. A built package has them sorted by path; a parsed one in its header's order.
    pub files: Vec<FileEntry>,
    /// Changelog, newest first.
    pub changelog: Vec<ChangelogEntry>,
    /// Scriptlets.
    pub scriptlets: Vec<Scriptlet>,
}

impl Metadata {
    /// Metadata with nothing but a name; meant for `Metadata { summary, ..Metadata::new(nevra) }`.
    ///
    /// The platform follows from the architecture, `Unspecified` is the group, `linux` the system;
    /// `source_rpm` is `NAME-VERSION-RELEASE.src.rpm`, since `None` would mark a source package.
    pub fn new(nevra: Nevra) -> Self {
        let release = if nevra.evr.release.is_empty() {
            "0"
        } else {
            &nevra.evr.release
        };
        Self {
            summary: String::new(),
            description: String::new(),
            license: String::new(),
            url: String::new(),
            vendor: String::new(),
            packager: String::new(),
            group: "Unspecified".to_owned(),
            distribution: String::new(),
            build_time: 0,
            build_host: String::new(),
            source_rpm: Some(format!("{}-{}-{release}.src.rpm", nevra.name, nevra.evr.version)),
            vcs: String::new(),
            os: "linux".to_owned(),
            platform: format!("{}-lazuli-linux-gnu", nevra.arch),
            requires: Vec::new(),
            provides: Vec::new(),
            conflicts: Vec::new(),
            obsoletes: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            supplements: Vec::new(),
            enhances: Vec::new(),
            files: Vec::new(),
            changelog: Vec::new(),
            scriptlets: Vec::new(),
            nevra,
        }
    }

    /// Reads what a main header says, of a package or of the database.
    ///
    /// Files keep the header's order, so that indexes into the header's arrays, `FILESTATES` and the
    /// payload fit. Triggers, and digests other than SHA-256, stay in the header. Paths are absolute and
    /// hold no `..`.
    pub fn from_header(header: &Header) -> Result<Self, HeaderError> {
        read::metadata(header)
    }

    /// What rpm puts into RPMTAG_SIZE: bytes of all regular files and lengths of links' targets, hard links
    /// counted once, `%ghost` files not at all.
    pub fn installed_size(&self) -> u64 {
        let mut inodes = HashSet::new();
        let mut is_first = |f: &FileEntry| !f.is_regular() || f.inode == 0 || inodes.insert(f.inode);
        let counted = self.files.iter().filter(|f| !f.is_ghost() && is_first(f));
        counted.fold(0, |sum, f| sum.saturating_add(f.size))
    }
}

/// The file type bits of a mode.
const S_IFMT: u16 = 0o170_000;

impl FileEntry {
    fn new(path: impl Into<Vec<u8>>, mode: u16) -> Self {
        Self {
            path: path.into(),
            mode,
            user: "root".to_owned(),
            group: "root".to_owned(),
            size: 0,
            mtime: 0,
            digest: None,
            link_target: Vec::new(),
            flags: FileFlags::empty(),
            capabilities: String::new(),
            inode: 0,
            rdev: 0,
        }
    }

    /// A regular file of root; an inode of 0 is replaced by a number of its own when the package is built.
    pub fn regular(path: impl Into<Vec<u8>>, permissions: u16, size: u64, digest: Option<[u8; 32]>) -> Self {
        Self {
            size,
            digest,
            ..Self::new(path, 0o100_000 | (permissions & 0o7777))
        }
    }

    /// A directory of root.
    pub fn directory(path: impl Into<Vec<u8>>, permissions: u16) -> Self {
        Self::new(path, 0o040_000 | (permissions & 0o7777))
    }

    /// A symbolic link of root.
    pub fn symlink(path: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        let link_target = target.into();
        Self {
            size: link_target.len() as u64,
            link_target,
            ..Self::new(path, 0o120_777)
        }
    }

    /// Whether this is a regular file.
    pub fn is_regular(&self) -> bool {
        self.mode & S_IFMT == 0o100_000
    }

    /// Whether this is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & S_IFMT == 0o040_000
    }

    /// Whether the package owns this path without having it.
    pub fn is_ghost(&self) -> bool {
        self.flags.contains(FileFlags::GHOST)
    }

    /// Whether this is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.mode & S_IFMT == 0o120_000
    }
}
