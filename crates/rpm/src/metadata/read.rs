//! From a header to [`Metadata`].

use super::{ChangelogEntry, FileEntry, FileFlags, Metadata, Scriptlet, ScriptletKind};
use crate::dependency::DependencyTags;
use crate::header::entry_text;
use crate::{Comparison, Dependency, Evr, Header, HeaderError, Nevra, Sense, Tag};
use std::collections::HashMap;

/// Numbers of hash algorithms in FILEDIGESTALGO and its like (RFC 4880, section 9.4).
const ALGORITHM_SHA256: u32 = 8;

/// The file type bits of a mode, and the types that matter here.
const S_IFMT: u16 = 0o170_000;
const S_IFREG: u16 = 0o100_000;
const S_IFDIR: u16 = 0o040_000;
const S_IFLNK: u16 = 0o120_000;

/// A scriptlet's kind, the tag of its body and that of its interpreter.
pub(crate) const SCRIPTLET_TAGS: [(ScriptletKind, Tag, Tag); 7] = [
    (ScriptletKind::Pre, Tag::PREIN, Tag::PREINPROG),
    (ScriptletKind::Post, Tag::POSTIN, Tag::POSTINPROG),
    (ScriptletKind::PreUn, Tag::PREUN, Tag::PREUNPROG),
    (ScriptletKind::PostUn, Tag::POSTUN, Tag::POSTUNPROG),
    (ScriptletKind::PreTrans, Tag::PRETRANS, Tag::PRETRANSPROG),
    (ScriptletKind::PostTrans, Tag::POSTTRANS, Tag::POSTTRANSPROG),
    (ScriptletKind::Verify, Tag::VERIFYSCRIPT, Tag::VERIFYSCRIPTPROG),
];

pub(super) fn metadata(header: &Header) -> Result<Metadata, HeaderError> {
    let text = |tag| header.string(tag).map(Option::unwrap_or_default);
    let required = |tag| {
        header
            .string(tag)?
            .filter(|s| !s.is_empty())
            .ok_or(HeaderError::Missing { tag })
    };
    let is_source = !header.contains(Tag::SOURCERPM);
    let evr = Evr::new(
        header.u32(Tag::EPOCH)?.unwrap_or(0),
        required(Tag::VERSION)?,
        required(Tag::RELEASE)?,
    );
    // Imported public keys are headers without an architecture.
    let arch = header.string(Tag::ARCH)?.unwrap_or_else(|| "noarch".to_owned());
    Ok(Metadata {
        nevra: Nevra {
            name: required(Tag::NAME)?,
            evr,
            arch,
        },
        summary: text(Tag::SUMMARY)?,
        description: text(Tag::DESCRIPTION)?,
        license: text(Tag::LICENSE)?,
        url: text(Tag::URL)?,
        vendor: text(Tag::VENDOR)?,
        packager: text(Tag::PACKAGER)?,
        group: text(Tag::GROUP)?,
        distribution: text(Tag::DISTRIBUTION)?,
        build_time: header.u32(Tag::BUILDTIME)?.unwrap_or(0),
        build_host: text(Tag::BUILDHOST)?,
        source_rpm: header.string(Tag::SOURCERPM)?,
        vcs: text(Tag::VCS)?,
        os: text(Tag::OS)?,
        platform: text(Tag::PLATFORM)?,
        requires: dependencies(header, DependencyTags::REQUIRES)?,
        provides: dependencies(header, DependencyTags::PROVIDES)?,
        conflicts: dependencies(header, DependencyTags::CONFLICTS)?,
        obsoletes: dependencies(header, DependencyTags::OBSOLETES)?,
        recommends: dependencies(header, DependencyTags::RECOMMENDS)?,
        suggests: dependencies(header, DependencyTags::SUGGESTS)?,
        supplements: dependencies(header, DependencyTags::SUPPLEMENTS)?,
        enhances: dependencies(header, DependencyTags::ENHANCES)?,
        files: files(header, is_source)?,
        changelog: changelog(header)?,
        scriptlets: scriptlets(header)?,
    })
}

fn dependencies(header: &Header, tags: DependencyTags) -> Result<Vec<Dependency>, HeaderError> {
    let names = header.byte_strings(tags.name)?;
    let versions = optional(header.byte_strings(tags.version)?, tags.version, names.len())?;
    let flags = optional(header.u32s(tags.flags)?, tags.flags, names.len())?;
    let mut found = Vec::with_capacity(names.len());
    for (at, name) in names.into_iter().enumerate() {
        let sense = Sense::from_bits_retain(flags.get(at).copied().unwrap_or(0));
        let version = versions.get(at).map(|v| entry_text(v)).unwrap_or_default();
        let constraint = match Comparison::from_sense(sense) {
            Some(comparison) if !version.is_empty() => Some((comparison, evr_or_text(&version))),
            _ => None,
        };
        found.push(Dependency {
            name: entry_text(name),
            constraint,
            sense: sense - Sense::COMPARISON,
        });
    }
    Ok(found)
}

/// Foreign packages have versions which are no EVR, such as `:1`; rpm compares them as they are, and so do
/// we.
fn evr_or_text(text: &str) -> Evr {
    Evr::parse(text).unwrap_or_else(|_| Evr::new(0, text, ""))
}

/// Allows an absent array, but no array of another length.
fn optional<T>(values: Vec<T>, tag: Tag, expected: usize) -> Result<Vec<T>, HeaderError> {
    if values.is_empty() || values.len() == expected {
        return Ok(values);
    }
    Err(HeaderError::WrongCount {
        tag,
        expected,
        found: values.len(),
    })
}

/// Demands an array of a length.
fn exactly<T>(values: Vec<T>, tag: Tag, expected: usize) -> Result<Vec<T>, HeaderError> {
    match values.len() {
        found if found == expected => Ok(values),
        0 => Err(HeaderError::Missing { tag }),
        found => Err(HeaderError::WrongCount { tag, expected, found }),
    }
}

/// The full paths, from directories and base names or, in packages of the last century, as they are.
fn paths(header: &Header) -> Result<Vec<Vec<u8>>, HeaderError> {
    let names = header.byte_strings(Tag::BASENAMES)?;
    if names.is_empty() {
        return Ok(header
            .byte_strings(Tag::OLDFILENAMES)?
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect());
    }
    let directories = header.byte_strings(Tag::DIRNAMES)?;
    let indexes = exactly(header.u32s(Tag::DIRINDEXES)?, Tag::DIRINDEXES, names.len())?;
    let join = |(name, index): (&[u8], u32)| match directories.get(index as usize) {
        Some(directory) => Ok([directory, name].concat()),
        None => {
            let reason = format!(
                "{index} is no index into DIRNAMES, which has {}",
                directories.len()
            );
            Err(HeaderError::BadValue {
                tag: Tag::DIRINDEXES,
                reason,
            })
        }
    };
    names.into_iter().zip(indexes).map(join).collect()
}

/// Refuses every path that a package could climb out of a root with, before any caller sees it.
pub(crate) fn check_path(path: &[u8], is_source: bool) -> Result<(), &'static str> {
    if path == b"/" {
        return Ok(());
    }
    let relative = match path.strip_prefix(b"/") {
        Some(relative) => relative,
        None if is_source && !path.contains(&b'/') => path,
        None => return Err("it is not absolute"),
    };
    if path.contains(&0) {
        return Err("it has a zero byte");
    }
    for part in relative.split(|&b| b == b'/') {
        match part {
            b"" => return Err("it has an empty part"),
            b"." | b".." => return Err("it has a part `.` or `..`"),
            _ => {}
        }
    }
    Ok(())
}

fn files(header: &Header, is_source: bool) -> Result<Vec<FileEntry>, HeaderError> {
    let paths = paths(header)?;
    let n = paths.len();
    if n == 0 {
        return Ok(Vec::new());
    }
    let modes = exactly(header.u16s(Tag::FILEMODES)?, Tag::FILEMODES, n)?;
    let sizes = match header.contains(Tag::LONGFILESIZES) {
        true => exactly(header.u64s(Tag::LONGFILESIZES)?, Tag::LONGFILESIZES, n)?,
        false => {
            let sizes = exactly(header.u32s(Tag::FILESIZES)?, Tag::FILESIZES, n)?;
            sizes.into_iter().map(u64::from).collect()
        }
    };
    let strings = |tag| optional(header.byte_strings(tag)?, tag, n);
    let numbers = |tag| optional(header.u32s(tag)?, tag, n);
    let (users, groups) = (strings(Tag::FILEUSERNAME)?, strings(Tag::FILEGROUPNAME)?);
    let (digests, targets) = (strings(Tag::FILEDIGESTS)?, strings(Tag::FILELINKTOS)?);
    let capabilities = strings(Tag::FILECAPS)?;
    let (mtimes, flags) = (numbers(Tag::FILEMTIMES)?, numbers(Tag::FILEFLAGS)?);
    let inodes = inodes(header, n)?;
    let rdevs = optional(header.u16s(Tag::FILERDEVS)?, Tag::FILERDEVS, n)?;
    let is_sha256 = header.u32(Tag::FILEDIGESTALGO)? == Some(ALGORITHM_SHA256);

    let text = |values: &[&[u8]], at: usize| values.get(at).map(|v| entry_text(v)).unwrap_or_default();
    let owner = |values: &[&[u8]], at: usize| values.get(at).map_or("root".to_owned(), |v| entry_text(v));
    let number = |values: &[u32], at: usize| values.get(at).copied().unwrap_or(0);
    let mut files = Vec::with_capacity(n);
    for (at, path) in paths.into_iter().enumerate() {
        check_path(&path, is_source).map_err(|why| {
            let reason = format!("the path `{}` is refused: {why}", entry_text(&path));
            HeaderError::BadValue {
                tag: Tag::BASENAMES,
                reason,
            }
        })?;
        let mode = modes[at];
        let is_regular = mode & S_IFMT == S_IFREG;
        let digest = digests
            .get(at)
            .filter(|d| is_regular && is_sha256 && !d.is_empty());
        files.push(FileEntry {
            mode,
            user: owner(&users, at),
            group: owner(&groups, at),
            // Old versions of rpm wrote what `stat` said of directories.
            size: if mode & S_IFMT == S_IFDIR { 0 } else { sizes[at] },
            mtime: number(&mtimes, at),
            digest: digest.map(|d| sha256_of_hex(d)).transpose()?,
            link_target: match mode & S_IFMT == S_IFLNK {
                true => targets.get(at).map(|t| t.to_vec()).unwrap_or_default(),
                false => Vec::new(),
            },
            flags: FileFlags::from_bits_retain(number(&flags, at)),
            capabilities: text(&capabilities, at),
            inode: inodes[at],
            rdev: rdevs.get(at).copied().unwrap_or(0),
            path,
        });
    }
    Ok(files)
}

/// Inode numbers that tell hard links apart: where files lie on several devices, they are numbered anew.
fn inodes(header: &Header, n: usize) -> Result<Vec<u32>, HeaderError> {
    let inodes = optional(header.u32s(Tag::FILEINODES)?, Tag::FILEINODES, n)?;
    if inodes.is_empty() {
        return Ok((1..=n as u32).collect());
    }
    let devices = optional(header.u32s(Tag::FILEDEVICES)?, Tag::FILEDEVICES, n)?;
    if devices.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(inodes);
    }
    let mut numbers = HashMap::new();
    let renumbered = devices.into_iter().zip(inodes).map(|key| {
        let next = numbers.len() as u32 + 1;
        *numbers.entry(key).or_insert(next)
    });
    Ok(renumbered.collect())
}

fn sha256_of_hex(digits: &[u8]) -> Result<[u8; 32], HeaderError> {
    let mut digest = [0; 32];
    hex::decode_to_slice(digits, &mut digest).map_err(|_| HeaderError::BadValue {
        tag: Tag::FILEDIGESTS,
        reason: format!("`{}` is no SHA-256 in hexadecimal", entry_text(digits)),
    })?;
    Ok(digest)
}

fn changelog(header: &Header) -> Result<Vec<ChangelogEntry>, HeaderError> {
    let times = header.u32s(Tag::CHANGELOGTIME)?;
    let names = exactly(
        header.byte_strings(Tag::CHANGELOGNAME)?,
        Tag::CHANGELOGNAME,
        times.len(),
    )?;
    let texts = exactly(
        header.byte_strings(Tag::CHANGELOGTEXT)?,
        Tag::CHANGELOGTEXT,
        times.len(),
    )?;
    let entries = times.into_iter().zip(names).zip(texts);
    Ok(entries
        .map(|((time, name), text)| ChangelogEntry {
            time,
            author: entry_text(name),
            text: entry_text(text),
        })
        .collect())
}

fn scriptlets(header: &Header) -> Result<Vec<Scriptlet>, HeaderError> {
    let mut found = Vec::new();
    for (kind, body, interpreter) in SCRIPTLET_TAGS {
        // `%post -p /sbin/ldconfig` has an interpreter and no body.
        if header.contains(body) || header.contains(interpreter) {
            let body = header.string(body)?.unwrap_or_default();
            found.push(Scriptlet {
                kind,
                interpreter: header.strings(interpreter)?,
                body,
            });
        }
    }
    Ok(found)
}
