//! Reads a staged root into a [`Tree`].

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use crate::{Content, Entry, Error, Kind, Result, Tree, TreePath};

/// The kernel's limits: the list of names and each value have at most 64 KiB (`XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
const MAX_XATTR: usize = 64 << 10;

/// Attributes that belong to the host and not to what is staged: labels and measurements that an active security
/// module of the host sets by itself, and the bookkeeping of overlayfs.
const HOST_XATTRS: [&[u8]; 5] = [
    b"security.selinux",
    b"security.ima",
    b"security.evm",
    b"trusted.overlay.",
    b"user.overlay.",
];

/// How [`Tree::scan`] reads.
#[derive(Default, Clone, Copy)]
pub struct ScanOptions<'a> {
    /// Times after this one (seconds since 1970) become this one: `SOURCE_DATE_EPOCH`.
    pub clamp_mtime: Option<i64>,
    /// Paths for which this is true are left out, with all below them.
    pub exclude: Option<&'a (dyn Fn(&TreePath) -> bool + Sync)>,
}

/// What was found at one path. The identity finds hard links and is not kept.
struct Found {
    entry: Entry,
    identity: Option<(u64, u64)>,
}

impl Tree {
    /// Reads the folder `root` with all below it, in parallel. Links are not followed.
    ///
    /// Owners are as the caller's user namespace sees them. Of several names of one file, the first in sorted order
    /// is the file and the others are hard links to it. Attributes of the host's own security modules are left out.
    ///
    /// The folder must not change meanwhile: it is the caller's own.
    pub fn scan(root: &Path, options: &ScanOptions<'_>) -> Result<Tree> {
        let top =
            std::fs::symlink_metadata(root).map_err(|e| Error::io("read the attributes of", root, e))?;
        let mut found = vec![read_entry(root, TreePath::root(), &top, options)?];
        found.extend(scan_folder(root, &TreePath::root(), options)?);
        found.par_sort_unstable_by(|a, b| a.entry.path.cmp(&b.entry.path));

        let mut builder = Tree::builder();
        let mut first_names: BTreeMap<(u64, u64), TreePath> = BTreeMap::new();
        for Found { mut entry, identity } in found {
            if let Some(identity) = identity {
                match first_names.get(&identity) {
                    Some(first) => entry.kind = Kind::HardLink(first.clone()),
                    None => drop(first_names.insert(identity, entry.path.clone())),
                }
            }
            builder.replace(entry);
        }
        builder.finish()
    }
}

fn scan_folder(folder: &Path, path: &TreePath, options: &ScanOptions<'_>) -> Result<Vec<Found>> {
    let listing = std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))?;
    let names: Vec<_> = listing
        .map(|item| item.map(|item| item.file_name()))
        .collect::<Result<_, _>>()
        .map_err(|e| Error::io("list", folder, e))?;
    let parts: Vec<Vec<Found>> = names
        .par_iter()
        .map(|name| {
            let path = path.join(name.as_bytes())?;
            if options.exclude.is_some_and(|exclude| exclude(&path)) {
                return Ok(Vec::new());
            }
            let host = folder.join(name);
            let metadata = std::fs::symlink_metadata(&host)
                .map_err(|e| Error::io("read the attributes of", &host, e))?;
            let mut found = vec![read_entry(&host, path.clone(), &metadata, options)?];
            if metadata.is_dir() {
                found.append(&mut scan_folder(&host, &path, options)?);
            }
            Ok(found)
        })
        .collect::<Result<_>>()?;
    Ok(parts.into_iter().flatten().collect())
}

fn read_entry(host: &Path, path: TreePath, metadata: &Metadata, options: &ScanOptions<'_>) -> Result<Found> {
    let kind = read_kind(host, metadata)?;
    let mut entry =
        Entry::new(path, kind, (metadata.mode() & 0o7777) as u16).owned_by(metadata.uid(), metadata.gid());
    entry.mtime = options
        .clamp_mtime
        .map_or(metadata.mtime(), |clamp| metadata.mtime().min(clamp));
    entry.xattrs = read_xattrs(host)?;
    let identity = (!metadata.is_dir() && metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()));
    Ok(Found { entry, identity })
}

fn read_kind(host: &Path, metadata: &Metadata) -> Result<Kind> {
    let kind = metadata.file_type();
    let (major, minor) = (
        rustix::fs::major(metadata.rdev()),
        rustix::fs::minor(metadata.rdev()),
    );
    Ok(if kind.is_dir() {
        Kind::Directory
    } else if kind.is_file() {
        Kind::File(Content::HostFile {
            path: host.to_owned(),
            size: metadata.len(),
        })
    } else if kind.is_symlink() {
        let target: PathBuf = std::fs::read_link(host).map_err(|e| Error::io("read the link", host, e))?;
        Kind::Symlink(target.as_os_str().as_bytes().into())
    } else if kind.is_char_device() {
        Kind::CharDevice { major, minor }
    } else if kind.is_block_device() {
        Kind::BlockDevice { major, minor }
    } else if kind.is_fifo() {
        Kind::Fifo
    } else {
        Kind::Socket
    })
}

fn read_xattrs(host: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    // Most entries have none, and the list says so without a buffer.
    let length = match rustix::fs::llistxattr_query(host) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => 0,
        Err(e) => return Err(Error::io("list the extended attributes of", host, e)),
    };
    if length == 0 {
        return Ok(BTreeMap::new());
    }
    let mut names = Vec::with_capacity(MAX_XATTR);
    rustix::fs::llistxattr(host, spare_capacity(&mut names))
        .map_err(|e| Error::io("list the extended attributes of", host, e))?;
    let mut xattrs = BTreeMap::new();
    for name in names.split(|&b| b == 0).filter(|name| !name.is_empty()) {
        if HOST_XATTRS.iter().any(|host| name.starts_with(host)) {
            continue;
        }
        let mut value = Vec::with_capacity(MAX_XATTR);
        rustix::fs::lgetxattr(host, OsStr::from_bytes(name), spare_capacity(&mut value))
            .map_err(|e| Error::io("read an extended attribute of", host, e))?;
        value.shrink_to_fit();
        xattrs.insert(name.to_vec(), value);
    }
    Ok(xattrs)
}
