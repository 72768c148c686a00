//! What must hold before a package is written.

use crate::header::entry_text;
use crate::metadata::check_path;
use crate::{Dependency, FileEntry, HeaderError, Metadata, Nevra, RichContext, RichDependency, SignError};
use std::collections::HashMap;
use std::io;

/// Why a package cannot be built.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum BuildError {
    #[error("`{value}` cannot be the {field} of a package: {reason}")]
    BadField {
        field: &'static str,
        value: String,
        reason: String,
    },
    #[error("a source package cannot be built (source_rpm is empty)")]
    SourcePackage,
    #[error("the path `{path}` cannot be packaged: {reason}")]
    BadPath { path: String, reason: &'static str },
    #[error("`{path}` is listed twice")]
    DuplicatePath { path: String },
    #[error("`{path}` is a hard link of `{first}`, but its {field} differs")]
    HardLinkMismatch {
        path: String,
        first: String,
        field: &'static str,
    },
    #[error("failed to read the content of `{path}`: {source}")]
    Content { path: String, source: io::Error },
    #[error("`{path}` has {found} bytes of content, but its entry says {expected}")]
    SizeMismatch { path: String, expected: u64, found: u64 },
    #[error("the content of `{path}` does not match its SHA-256 (expected {expected}, found {found})")]
    DigestMismatch {
        path: String,
        expected: String,
        found: String,
    },
    #[error("failed to compress the payload: {source}")]
    Compress { source: io::Error },
    #[error("failed to write the header of {package}: {source}")]
    Header { package: String, source: HeaderError },
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Longest name, version or release: file names end at 255 bytes.
const FIELD_MAX: usize = 200;

/// Checks what rpmbuild checks of the fields that make the package's name, and the dependencies.
pub(super) fn metadata(metadata: &Metadata) -> Result<(), BuildError> {
    let Nevra { name, evr, arch } = &metadata.nevra;
    characters("name", name, "-._+")?;
    characters("version", &evr.version, "._+~^")?;
    characters("release", &evr.release, "._+~^")?;
    characters("architecture", arch, "_")?;
    if metadata.source_rpm.as_deref().unwrap_or_default().is_empty() {
        return Err(BuildError::SourcePackage);
    }
    let (all, any) = (Some(RichContext::All), Some(RichContext::Any));
    let kinds = [
        (&metadata.requires, all),
        (&metadata.provides, None),
        (&metadata.conflicts, any),
        (&metadata.obsoletes, None),
        (&metadata.recommends, all),
        (&metadata.suggests, all),
        (&metadata.supplements, any),
        (&metadata.enhances, any),
    ];
    kinds
        .into_iter()
        .try_for_each(|(list, context)| list.iter().try_for_each(|d| dependency(d, context)))
}

fn characters(field: &'static str, value: &str, marks: &str) -> Result<(), BuildError> {
    let fail = |reason: String| BuildError::BadField {
        field,
        value: value.to_owned(),
        reason,
    };
    if value.len() > FIELD_MAX {
        return Err(fail(format!("it has more than {FIELD_MAX} bytes")));
    }
    if !value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        return Err(fail("it must start with a letter, a digit or `_`".to_owned()));
    }
    match value
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !marks.contains(*c))
    {
        Some(bad) => Err(fail(format!("it must not hold `{bad}`"))),
        None if value.contains("..") => Err(fail("it must not hold `..`".to_owned())),
        None => Ok(()),
    }
}

/// Checks one dependency; `context` is `None` where rich ones are not allowed.
fn dependency(dependency: &Dependency, context: Option<RichContext>) -> Result<(), BuildError> {
    let fail = |reason: String| {
        let value = dependency.to_string();
        BuildError::BadField {
            field: "dependency",
            value,
            reason,
        }
    };
    if dependency.is_rich() {
        if dependency.constraint.is_some() {
            return Err(fail("a rich dependency has its versions inside".to_owned()));
        }
        let Some(context) = context else {
            return Err(fail(
                "a rich dependency cannot be provided or obsoleted".to_owned(),
            ));
        };
        let rich = RichDependency::parse(&dependency.name).map_err(|error| fail(error.reason))?;
        return rich.check(context).map_err(|reason| fail(reason.to_owned()));
    }
    let is_bad = |c: char| c.is_whitespace() || c.is_control();
    // Paths may hold spaces.
    let is_path = dependency.name.starts_with('/');
    if dependency.name.is_empty() || (!is_path && dependency.name.contains(is_bad)) {
        return Err(fail("its name is empty or holds a space".to_owned()));
    }
    match &dependency.constraint {
        Some((_, evr)) if evr.version.is_empty() || evr.to_string().contains(is_bad) => {
            Err(fail("its version is empty or holds a space".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Sorts and checks the files, and numbers their inodes from 1 on.
pub(super) fn prepare_files(files: &mut [FileEntry]) -> Result<(), BuildError> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in files.iter() {
        check_path(&file.path, false).map_err(|reason| BuildError::BadPath {
            path: entry_text(&file.path),
            reason,
        })?;
        check_entry(file)?;
    }
    if let Some(pair) = files.windows(2).find(|pair| pair[0].path == pair[1].path) {
        return Err(BuildError::DuplicatePath {
            path: entry_text(&pair[0].path),
        });
    }
    let mut first_of: HashMap<u32, usize> = HashMap::new();
    for at in 0..files.len() {
        let own = at as u32 + 1;
        let given = std::mem::replace(&mut files[at].inode, own);
        if given == 0 || !files[at].is_regular() || files[at].is_ghost() {
            continue;
        }
        let first = *first_of.entry(given).or_insert(at);
        if first != at {
            check_hard_link(&files[first], &files[at])?;
            files[at].inode = first as u32 + 1;
        }
    }
    Ok(())
}

fn check_entry(file: &FileEntry) -> Result<(), BuildError> {
    let fail = |reason| {
        Err(BuildError::BadPath {
            path: entry_text(&file.path),
            reason,
        })
    };
    if file.mode & 0o170_000 == 0 {
        return fail("its mode has no file type");
    }
    if file.is_symlink() {
        if file.link_target.is_empty() || file.link_target.contains(&0) {
            return fail("its link target is empty or holds a zero byte");
        }
        if file.size != file.link_target.len() as u64 {
            return fail("its size is not the length of its link target");
        }
    } else if !file.link_target.is_empty() {
        return fail("it has a link target and is no symbolic link");
    } else if !file.is_regular() && file.size != 0 {
        return fail("it has a size and is no regular file");
    }
    if !file.is_regular() && file.digest.is_some() {
        return fail("it has a digest and is no regular file");
    }
    if !file.is_regular() && !file.capabilities.is_empty() {
        return fail("it has capabilities and is no regular file");
    }
    if file.user.is_empty() || file.group.is_empty() {
        return fail("its owner or group has no name");
    }
    Ok(())
}

/// Names of one inode agree in all that an inode has.
fn check_hard_link(first: &FileEntry, other: &FileEntry) -> Result<(), BuildError> {
    let fields = [
        ("mode", first.mode == other.mode),
        (
            "owner",
            (&first.user, &first.group) == (&other.user, &other.group),
        ),
        ("size", first.size == other.size),
        ("modification time", first.mtime == other.mtime),
        (
            "digest",
            first.digest.is_none() || other.digest.is_none() || first.digest == other.digest,
        ),
        ("capability set", first.capabilities == other.capabilities),
    ];
    match fields.into_iter().find(|(_, agrees)| !agrees) {
        None => Ok(()),
        Some((field, _)) => Err(BuildError::HardLinkMismatch {
            path: entry_text(&other.path),
            first: entry_text(&first.path),
            field,
        }),
    }
}
