//! The `.deb` file itself (deb(5)): an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*`.

use std::collections::HashMap;
use std::io::{self, Read};

use crate::ar::{self, Member};
use crate::binary::{Binary, BinaryError};
use crate::compression::{Compression, read_error};
use crate::control::ControlError;
use crate::entry::{Entry, EntryKind, EntryPath, MAX_PATH_LENGTH};
use crate::metadata::Control;
use crate::tarball::{RawEntry, TarError, TarReader};

/// How much a `.deb` may unfold to. All limits are in bytes unless their name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The uncompressed size of `control.tar`.
    pub control_bytes: u64,
    /// The uncompressed size of `data.tar`.
    pub data_bytes: u64,
    /// The number of entries of `data.tar`.
    pub entries: usize,
    /// The memory that a decompressor may take.
    pub decompressor_memory: u64,
}

impl Default for Limits {
    /// Twice and more what the largest packages of Debian need.
    fn default() -> Self {
        Self {
            control_bytes: 64 << 20,
            data_bytes: 16 << 30,
            entries: 2_000_000,
            decompressor_memory: 512 << 20,
        }
    }
}

/// A `.deb`: everything of its control archive, and a way through its file archive.
#[derive(Debug, Clone)]
pub struct Deb<'a> {
    control: Control,
    data: Member<'a>,
    compression: Compression,
    limits: Limits,
}

/// Why a `.deb` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The outer archive is malformed.
    #[error("the ar archive is malformed at offset {offset}: {reason}")]
    Ar {
        /// Where, in bytes.
        offset: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The members are not those of a `.deb`.
    #[error("the member `{member}`: {reason}")]
    Member {
        /// Which member was looked for or at.
        member: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The bytes of a member could not be decompressed.
    #[error("failed to decompress {member}: {source}")]
    Unreadable {
        /// Which member.
        member: String,
        /// What the decompressor says.
        source: io::Error,
    },
    /// A member unfolds to more than [`Limits`] allow.
    #[error("{member} unfolds to more than {limit} bytes")]
    TooLarge {
        /// Which member.
        member: String,
        /// The limit.
        limit: u64,
    },
    /// A member has more entries than [`Limits`] allow.
    #[error("{member} has more than {limit} entries")]
    TooManyEntries {
        /// Which member.
        member: String,
        /// The limit.
        limit: usize,
    },
    /// The tar archive is malformed.
    #[error("{member} is malformed at offset {offset}: {reason}")]
    Tar {
        /// Which member.
        member: String,
        /// Where in the uncompressed bytes.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// An entry is one that no package may have.
    #[error("{member}, entry `{path}`: {reason}")]
    Path {
        /// Which member.
        member: String,
        /// The path as it stands in the archive.
        path: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A file of the control archive is malformed.
    #[error("control archive, {file}, line {line}: {reason}")]
    ControlFile {
        /// Which file.
        file: &'static str,
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The control archive has no file `control`.
    #[error("the control archive has no file `control`")]
    NoControl,
    /// The control paragraph is malformed.
    #[error("control archive, control: {0}")]
    Control(#[from] ControlError),
    /// The control paragraph describes no package.
    #[error("control archive, control: {0}")]
    Binary(#[from] BinaryError),
}

/// Why a walk through the files ended.
#[derive(Debug, thiserror::Error)]
pub enum VisitError<E> {
    /// The archive is damaged or hostile.
    #[error(transparent)]
    Deb(#[from] DebError),
    /// The visitor gave up.
    #[error(transparent)]
    Visitor(E),
}

impl<'a> Deb<'a> {
    /// Reads the control archive of a `.deb` and finds its file archive.
    pub fn parse(bytes: &'a [u8], limits: Limits) -> Result<Self, DebError> {
        let members = ar::members(bytes)?;
        let mut rest = members.iter().filter(|member| !member.name.starts_with('_'));
        check_format(rest.next())?;
        let (control, compression) = tar_member("control.tar", rest.next())?;
        let input = compression
            .reader(control.bytes, limits.control_bytes, &limits)
            .map_err(|source| read_error(control.name, source))?;
        let control = Control::read(control.name, input)?;
        let (data, compression) = tar_member("data.tar", rest.next())?;
        // What follows `data.tar` is for later versions of the format, and is ignored as deb(5) says.
        Ok(Self {
            control,
            data,
            compression,
            limits,
        })
    }

    /// The content of the control archive.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The package that the control paragraph describes.
    pub fn binary(&self) -> &Binary {
        &self.control.binary
    }

    /// Walks through the files in the order of the archive, each checked: `visitor` gets the entry, and a reader of
    /// exactly the bytes of a regular file (of none otherwise). What it leaves unread is skipped.
    ///
    /// Only when this returns `Ok` is the archive known to be whole.
    pub fn visit_files<E>(
        &self,
        mut visitor: impl FnMut(&Entry, &mut dyn Read) -> Result<(), E>,
    ) -> Result<(), VisitError<E>> {
        let member = self.data.name;
        let input = self
            .compression
            .reader(self.data.bytes, self.limits.data_bytes, &self.limits)
            .map_err(|source| read_error(member, source))?;
        let mut tar = TarReader::new(input);
        let mut tree = Tree::default();
        let mut count = 0;
        while let Some(raw) = tar.next_entry().map_err(|error| tar_error(member, error))? {
            count += 1;
            if count > self.limits.entries {
                let limit = self.limits.entries;
                return Err(DebError::TooManyEntries {
                    member: member.to_owned(),
                    limit,
                }
                .into());
            }
            let shown =
                String::from_utf8_lossy(&raw.path[..raw.path.len().min(MAX_PATH_LENGTH)]).into_owned();
            let entry = checked_entry(raw)
                .and_then(|entry| tree.add(&entry).map(|()| entry))
                .map_err(|reason| DebError::Path {
                    member: member.to_owned(),
                    path: shown,
                    reason,
                })?;
            visitor(&entry, &mut tar.content()).map_err(VisitError::Visitor)?;
        }
        Ok(())
    }
}

/// The first member says which version of the format this is: `2.0`, where a larger minor number is compatible.
fn check_format(member: Option<&Member<'_>>) -> Result<(), DebError> {
    let fail = |reason| {
        Err(DebError::Member {
            member: "debian-binary".to_owned(),
            reason,
        })
    };
    match member {
        Some(Member {
            name: "debian-binary",
            bytes,
        }) if bytes.starts_with(b"2.") => Ok(()),
        Some(Member {
            name: "debian-binary",
            ..
        }) => fail("the version of the format is not 2"),
        _ => fail("it is not the first member"),
    }
}

fn tar_member<'a>(
    stem: &'static str,
    member: Option<&Member<'a>>,
) -> Result<(Member<'a>, Compression), DebError> {
    let member = member.ok_or(DebError::Member {
        member: stem.to_owned(),
        reason: "it is missing",
    })?;
    let fail = |reason| DebError::Member {
        member: member.name.to_owned(),
        reason,
    };
    let suffix = member
        .name
        .strip_prefix(stem)
        .ok_or_else(|| fail("it stands where another member is due"))?;
    let compression = Compression::of_suffix(suffix).ok_or_else(|| fail("its compression is unknown"))?;
    Ok((*member, compression))
}

/// Names the member whose tar archive could not be read on.
pub(crate) fn tar_error(member: &str, error: TarError) -> DebError {
    match error {
        TarError::Read(source) => read_error(member, source),
        TarError::Malformed { offset, reason } => DebError::Tar {
            member: member.to_owned(),
            offset,
            reason,
        },
    }
}

/// Checks an entry by itself.
fn checked_entry(raw: RawEntry) -> Result<Entry, &'static str> {
    use tar::EntryType as Type;

    let path = EntryPath::parse(&raw.path)?;
    let kind = match raw.kind {
        Type::Regular | Type::Continuous if raw.path.ends_with(b"/") => {
            return Err("it is a regular file, but its name ends with a slash");
        }
        Type::Regular | Type::Continuous => EntryKind::File { size: raw.size },
        Type::Directory => EntryKind::Directory,
        Type::Symlink => EntryKind::Symlink {
            target: checked_target(raw.link)?,
        },
        Type::Link => {
            let target =
                EntryPath::parse(&raw.link).map_err(|_| "the path of its hard link is not allowed")?;
            EntryKind::Hardlink { target }
        }
        Type::Char => EntryKind::CharDevice {
            major: raw.major,
            minor: raw.minor,
        },
        Type::Block => EntryKind::BlockDevice {
            major: raw.major,
            minor: raw.minor,
        },
        Type::Fifo => EntryKind::Fifo,
        Type::GNUSparse => return Err("sparse files are not supported"),
        Type::XGlobalHeader => return Err("global PAX headers are not supported"),
        _ => return Err("its type is unknown"),
    };
    if raw.size != 0 && !matches!(kind, EntryKind::File { .. }) {
        return Err("it is no regular file, but it has content");
    }
    if path.is_root() && kind != EntryKind::Directory {
        return Err("it is the root, but no folder");
    }
    Ok(Entry {
        path,
        kind,
        mode: raw.mode & 0o7777,
        uid: u32::try_from(raw.uid).map_err(|_| "its owner's number is too large")?,
        gid: u32::try_from(raw.gid).map_err(|_| "its group's number is too large")?,
        user: raw.user,
        group: raw.group,
        mtime: raw.mtime,
        xattrs: raw.xattrs,
    })
}

fn checked_target(target: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    match target.len() {
        0 => Err("its link has no text"),
        1..=MAX_PATH_LENGTH if !target.contains(&0) => Ok(target),
        _ => Err("the text of its link is too long or holds a NUL byte"),
    }
}

/// The paths that were there so far: what no entry may contradict.
#[derive(Default)]
struct Tree {
    seen: HashMap<Vec<u8>, Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// A folder with no entry of its own (yet): something lies below it.
    Implied,
    Directory,
    File,
    Symlink,
    Other,
}

impl Tree {
    /// Takes an entry, or says why it cannot be together with those before: it stands twice, it lies below a link or
    /// a file, or it is a hard link to what is not there.
    fn add(&mut self, entry: &Entry) -> Result<(), &'static str> {
        for ancestor in entry.path.ancestors() {
            match self.seen.get(ancestor) {
                // Its own ancestors were checked when it was added.
                Some(Seen::Implied | Seen::Directory) => break,
                Some(Seen::Symlink) => return Err("it goes through a symbolic link of the same package"),
                Some(_) => return Err("it lies below something that is no folder"),
                None => self.seen.insert(ancestor.to_vec(), Seen::Implied),
            };
        }
        let kind = match &entry.kind {
            EntryKind::Directory => Seen::Directory,
            EntryKind::File { .. } => Seen::File,
            EntryKind::Symlink { .. } => Seen::Symlink,
            EntryKind::Hardlink { target } => match self.seen.get(target.as_bytes()) {
                Some(Seen::File) => Seen::File,
                _ => return Err("it is a hard link to a file that does not stand before it"),
            },
            _ => Seen::Other,
        };
        match self.seen.insert(entry.path.as_bytes().to_vec(), kind) {
            None => Ok(()),
            Some(Seen::Implied) if kind == Seen::Directory => Ok(()),
            Some(Seen::Implied) => Err("something lies below it, but it is no folder"),
            Some(_) => Err("it stands twice in the archive"),
        }
    }
}
