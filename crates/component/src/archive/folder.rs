//! A tar archive of a folder, that depends on names, contents, modes and links alone.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::compression::Compression;
use super::error::ArchiveError;
use super::{MAX_MEMBERS, MAX_UNPACKED};

/// The time of all members, 2020-01-01T00:00:00Z in seconds since 1970.
const TIME: u64 = 1_577_836_800;

/// Packs what is in a folder; the name says how: `.tar`, or that with `.gz`, `.xz`, `.bz2` or `.zst`, or `.tgz`. The same
/// content gives the same bytes.
///
/// # Errors
/// [`ArchiveError`]: the name says nothing, a file can't be read, or a limit is exceeded.
pub fn pack_folder(folder: &Path, name: &str) -> Result<Vec<u8>, ArchiveError> {
    let compression = by_name(name)
        .ok_or_else(|| ArchiveError::unsupported(format!("an archive with a name like `{name}`")))?;
    let mut paths = Vec::new();
    let failed = |source| ArchiveError::Compression {
        compression: "tar",
        source,
    };
    list(folder, &mut paths).map_err(failed)?;
    paths.sort();
    let size = paths.iter().try_fold(0_u64, |sum, path| {
        fs::symlink_metadata(path).map(|found| sum.saturating_add(found.len()))
    });
    if paths.len() > MAX_MEMBERS || size.map_err(failed)? > MAX_UNPACKED {
        return Err(ArchiveError::TooLarge {
            limit: "500,000 members or 4 GiB",
        });
    }
    compression.pack(|out| append(folder, &paths, out))
}

fn by_name(name: &str) -> Option<Compression> {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match () {
        () if ends(&[".tar"]) => Some(Compression::None),
        () if ends(&[".tar.gz", ".tgz"]) => Some(Compression::Gzip),
        () if ends(&[".tar.xz", ".txz"]) => Some(Compression::Xz),
        () if ends(&[".tar.bz2", ".tbz2"]) => Some(Compression::Bzip2),
        () if ends(&[".tar.zst"]) => Some(Compression::Zstd),
        () => None,
    }
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        paths.push(entry.path());
        if paths.len() <= MAX_MEMBERS && entry.file_type()?.is_dir() {
            list(&entry.path(), paths)?;
        }
    }
    Ok(())
}

fn append(folder: &Path, paths: &[PathBuf], out: &mut dyn Write) -> io::Result<()> {
    let mut builder = tar::Builder::new(out);
    for path in paths {
        let found = fs::symlink_metadata(path)?;
        let name = path.strip_prefix(folder).unwrap_or(path);
        let mut header = tar::Header::new_gnu();
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        let executable = found.is_dir() || found.permissions().mode() & 0o100 != 0;
        header.set_mode(if executable { 0o755 } else { 0o644 });
        if found.is_dir() {
            header.set_entry_type(tar::EntryType::Directory);
            // With a slash at the end, as tar writes folders.
            builder.append_data(&mut header, name.join(""), io::empty())?;
        } else if found.is_symlink() {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            builder.append_link(&mut header, name, fs::read_link(path)?)?;
        } else if found.is_file() {
            let content = fs::read(path)?;
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, content.as_slice())?;
        } else {
            let message = format!("{} is neither a file, a folder nor a link", name.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
    }
    builder.finish()
}
