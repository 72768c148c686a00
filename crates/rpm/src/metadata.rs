//! What a package says of itself, as plain values: the domain side of a header.

use crate::{Dependency, Nevra};

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
    /// Files, sorted by path.
    pub files: Vec<FileEntry>,
    /// Changelog, newest first.
    pub changelog: Vec<ChangelogEntry>,
    /// Scriptlets.
    pub scriptlets: Vec<Scriptlet>,
}
