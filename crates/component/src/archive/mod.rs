//! Archives of sources, edited in memory: members changed and taken out, all else as it was.
//!
//! A tar archive is unpacked, walked block by block, and written anew: a member that is not touched is copied with its
//! headers, byte for byte; one that is changed keeps its header but for the size. So order, owners, modes and times
//! stay, and the compression's settings are fixed: the same edit gives the same bytes anywhere. In a zip archive even
//! the compressed bytes of untouched members stay.
//!
//! Nothing is unpacked to the disk. Archives with members that would leave their folder, that lie below a link, or that
//! are devices are refused all the same.

mod compression;
mod error;
mod folder;
mod tar;
mod zip;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use compression::Compression;

pub use error::ArchiveError;
pub use folder::pack_folder;

/// Most bytes of an archive, unpacked.
const MAX_UNPACKED: u64 = 4 << 30;
/// Most members of an archive.
const MAX_MEMBERS: usize = 500_000;
/// Longest name of a member in bytes.
const MAX_NAME: usize = 4096;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A further name of a file.
    HardLink,
    /// A file with holes, which is not edited.
    Sparse,
}

/// A member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, without a leading `./` and a final slash.
    pub path: String,
    /// What it is.
    pub kind: MemberKind,
    /// Where a link points to.
    target: Option<String>,
}

/// What becomes of a member.
#[derive(Debug, Clone, Default)]
enum Fate {
    #[default]
    Stays,
    Changed(Vec<u8>),
    Removed,
}

/// An archive that is being edited.
#[derive(Debug)]
pub struct Archive {
    format: Format,
    members: Vec<Member>,
    /// For each member, the one that has its content, if it is a file.
    files: Vec<Option<usize>>,
    fates: Vec<Fate>,
}

#[derive(Debug)]
enum Format {
    Tar(tar::Tar, Compression),
    Zip(zip::Zip),
}

impl Archive {
    /// Reads an archive: tar, plain or compressed by gzip, xz, bzip2 or zstd, or zip.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn open(bytes: &[u8]) -> Result<Archive, ArchiveError> {
        let (format, members) = if bytes.starts_with(b"PK") {
            let (zip, members) = zip::Zip::read(bytes)?;
            (Format::Zip(zip), members)
        } else {
            let compression = Compression::of(bytes)?;
            let (tar, members) = tar::Tar::read(compression.unpack(bytes)?)?;
            (Format::Tar(tar, compression), members)
        };
        check(&members)?;
        let fates = vec![Fate::Stays; members.len()];
        Ok(Archive {
            format,
            files: files(&members),
            members,
            fates,
        })
    }

    /// The members that are still there, with their places.
    pub fn members(&self) -> impl Iterator<Item = (usize, &Member)> {
        let all = self.members.iter().enumerate();
        all.filter(|(at, _)| !matches!(self.fates[*at], Fate::Removed))
    }

    /// The one folder at the top, if all members are in one.
    #[must_use]
    pub fn root(&self) -> Option<&str> {
        let mut roots = self
            .members
            .iter()
            .map(|member| match member.path.split_once('/') {
                Some((root, _)) => Some(root),
                None if member.kind == MemberKind::Folder => Some(member.path.as_str()),
                None => None,
            });
        let first = roots.next()??;
        roots.all(|root| root == Some(first)).then_some(first)
    }

    /// The member that has a file's content: of a hard link, the one that it is a further name of.
    #[must_use]
    pub fn file_of(&self, at: usize) -> Option<usize> {
        self.files.get(at).copied().flatten()
    }

    /// The content of a file.
    ///
    /// # Errors
    /// [`ArchiveError`]: damage, limits, or the member is no file.
    pub fn content(&self, at: usize) -> Result<Cow<'_, [u8]>, ArchiveError> {
        let no_member = || ArchiveError::unsupported("a member that is not there");
        let member = self.members.get(at).ok_or_else(no_member)?;
        if member.kind != MemberKind::File {
            return Err(ArchiveError::unsupported(format!(
                "`{}`, which is no plain file,",
                member.path
            )));
        }
        match (&self.fates[at], &self.format) {
            (Fate::Removed, _) => Err(no_member()),
            (Fate::Changed(bytes), _) => Ok(Cow::Borrowed(bytes)),
            (Fate::Stays, Format::Tar(tar, _)) => Ok(Cow::Borrowed(tar.content(at))),
            (Fate::Stays, Format::Zip(zip)) => zip.content(at).map(Cow::Owned),
        }
    }

    /// Gives a file other content.
    ///
    /// # Errors
    /// [`ArchiveError::Unsupported`].
    pub fn replace(&mut self, at: usize, content: Vec<u8>) -> Result<(), ArchiveError> {
        self.content(at)?;
        if let Format::Tar(tar, _) = &self.format {
            tar.check_resizable(at, content.len() as u64)?;
        }
        self.fates[at] = Fate::Changed(content);
        Ok(())
    }

    /// Takes a member out, and with it nothing else.
    ///
    /// # Errors
    /// [`ArchiveError::Unsupported`] when a hard link that stays needs it.
    pub fn remove(&mut self, places: &[usize]) -> Result<(), ArchiveError> {
        let gone: BTreeSet<usize> = places.iter().copied().collect();
        for (at, link) in self.members().filter(|(at, _)| !gone.contains(at)) {
            let needed = self.file_of(at).filter(|file| gone.contains(file));
            if let Some(needed) = needed.and_then(|file| self.members.get(file)) {
                let what = format!("`{}`, of which `{}` is a hard link,", needed.path, link.path);
                return Err(ArchiveError::unsupported(what));
            }
        }
        for place in gone {
            if let Some(fate) = self.fates.get_mut(place) {
                *fate = Fate::Removed;
            }
        }
        Ok(())
    }

    /// Whether anything was edited.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.fates.iter().any(|fate| !matches!(fate, Fate::Stays))
    }

    /// The archive's bytes with all edits.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn pack(&self) -> Result<Vec<u8>, ArchiveError> {
        match &self.format {
            Format::Tar(tar, compression) => compression.pack(|out| tar.write(&self.fates, out)),
            Format::Zip(zip) => zip.write(&self.fates),
        }
    }
}

/// The name of a member as it is compared: without `./` before it and slashes behind it.
///
/// # Errors
/// [`ArchiveError::Hostile`] for a name that would leave the folder that the archive is unpacked in.
fn member_path(name: &[u8]) -> Result<String, ArchiveError> {
    let text = String::from_utf8_lossy(name).into_owned();
    if name.len() > MAX_NAME {
        return Err(ArchiveError::TooLarge {
            limit: "4,096 bytes in the name of a member",
        });
    }
    let hostile = |reason| Err(ArchiveError::hostile(&text, reason));
    if text.starts_with('/') || text.starts_with('\\') {
        return hostile("its name is absolute");
    }
    if text.contains('\0') {
        return hostile("its name has a zero byte");
    }
    if text.split('/').any(|part| part == "..") {
        return hostile("its name leaves the folder");
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    Ok(parts.join("/"))
}

/// For each member, the one that has its content: itself, or the last file before it that a hard link names.
fn files(members: &[Member]) -> Vec<Option<usize>> {
    let mut by_path: BTreeMap<&str, usize> = BTreeMap::new();
    let mut files = Vec::with_capacity(members.len());
    for (at, member) in members.iter().enumerate() {
        files.push(match (member.kind, &member.target) {
            (MemberKind::File | MemberKind::Sparse, _) => {
                by_path.insert(&member.path, at);
                Some(at)
            }
            (MemberKind::HardLink, Some(target)) => by_path.get(target.as_str()).copied(),
            _ => None,
        });
    }
    files
}

fn check(members: &[Member]) -> Result<(), ArchiveError> {
    let mut links: BTreeSet<&str> = BTreeSet::new();
    for member in members {
        let above = member.path.match_indices('/').map(|(at, _)| &member.path[..at]);
        for folder in above {
            if links.contains(folder) {
                return Err(ArchiveError::hostile(
                    &member.path,
                    "it lies below a symbolic link",
                ));
            }
        }
        if member.kind == MemberKind::Link {
            links.insert(&member.path);
        }
    }
    Ok(())
}
