//! Whether what is installed is as it was laid: `rpm -V`, in short.

use crate::accounts::Ids;
use crate::plan::{Disk, OnDisk};
use crate::{InstalledPackage, Root, TransactionError};
use lazuli_rpm::{FileEntry, FileFlags, Nevra};
use rayon::prelude::*;
use std::fmt;

/// In what a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Aspect {
    Missing,
    Size,
    Mode,
    Digest,
    Device,
    Link,
    User,
    Group,
    Time,
    Capabilities,
}

/// One file that is not as it was laid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whose it is.
    pub package: Nevra,
    /// Its path.
    pub path: String,
    /// Whether it is configuration, which may be changed.
    pub is_config: bool,
    /// In what it differs.
    pub aspects: Vec<Aspect>,
}

impl fmt::Display for Difference {
    /// As `rpm -V` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_config { 'c' } else { ' ' };
        if self.aspects.contains(&Aspect::Missing) {
            return write!(f, "missing   {kind} {}", self.path);
        }
        let letters = [
            (Aspect::Size, 'S'),
            (Aspect::Mode, 'M'),
            (Aspect::Digest, '5'),
            (Aspect::Device, 'D'),
            (Aspect::Link, 'L'),
            (Aspect::User, 'U'),
            (Aspect::Group, 'G'),
            (Aspect::Time, 'T'),
            (Aspect::Capabilities, 'P'),
        ];
        let flags: String = letters
            .iter()
            .map(|(aspect, letter)| {
                if self.aspects.contains(aspect) {
                    *letter
                } else {
                    '.'
                }
            })
            .collect();
        write!(f, "{flags}  {kind} {}", self.path)
    }
}

/// Compares packages with what is in the root; folders and files that packages only claim are not looked into.
pub fn verify(root: &Root, packages: &[InstalledPackage]) -> Result<Vec<Difference>, TransactionError> {
    let ids = Ids::of_root(root)?;
    let found: Vec<Vec<Difference>> = packages
        .par_iter()
        .map(|package| {
            let mut differences = Vec::new();
            for (file, present) in package.metadata.files.iter().zip(&package.present) {
                if !*present || file.is_ghost() {
                    continue;
                }
                let aspects = compare(root, &ids, file)?;
                if !aspects.is_empty() {
                    differences.push(Difference {
                        package: package.metadata.nevra.clone(),
                        path: crate::root::text(&file.path),
                        is_config: file.flags.contains(FileFlags::CONFIG),
                        aspects,
                    });
                }
            }
            Ok(differences)
        })
        .collect::<Result<_, TransactionError>>()?;
    Ok(found.into_iter().flatten().collect())
}

const TYPE: u32 = 0o170_000;

fn compare(root: &Root, ids: &Ids, file: &FileEntry) -> Result<Vec<Aspect>, TransactionError> {
    let stat = root
        .stat(&file.path)
        .map_err(|e| root.error("reading", &file.path, e))?;
    let Some(stat) = stat else {
        let is_allowed = file.flags.contains(FileFlags::MISSINGOK);
        return Ok(if is_allowed {
            Vec::new()
        } else {
            vec![Aspect::Missing]
        });
    };
    let mut aspects = Vec::new();
    let mut differs = |aspect: Aspect, is_different: bool| {
        if is_different {
            aspects.push(aspect);
        }
    };
    let same_type = stat.st_mode & TYPE == u32::from(file.mode) & TYPE;
    if file.is_symlink() {
        let target = root
            .read_link(&file.path)
            .map_err(|e| root.error("reading", &file.path, e))?;
        differs(Aspect::Mode, !same_type);
        differs(Aspect::Link, target.as_deref() != Some(&file.link_target));
    } else {
        differs(Aspect::Mode, stat.st_mode & 0o177_777 != u32::from(file.mode));
    }
    if file.is_regular() && same_type {
        differs(Aspect::Size, u64::try_from(stat.st_size) != Ok(file.size));
        let digest = match root.look(&file.path)? {
            OnDisk::Regular(digest) => Some(digest),
            _ => None,
        };
        differs(Aspect::Digest, file.digest.is_some() && digest != file.digest);
        differs(Aspect::Time, stat.st_mtime != i64::from(file.mtime));
    }
    differs(Aspect::User, ids.user(&file.user) != Some(stat.st_uid));
    differs(Aspect::Group, ids.group(&file.group) != Some(stat.st_gid));
    if file.is_regular() && same_type {
        differs(
            Aspect::Capabilities,
            capabilities(root, file)? != wanted_capabilities(file),
        );
    }
    Ok(aspects)
}

fn wanted_capabilities(file: &FileEntry) -> Option<Vec<u8>> {
    let text = Some(&file.capabilities).filter(|text| !text.is_empty())?;
    crate::capability::encode(text).ok().map(|bytes| bytes.to_vec())
}

fn capabilities(root: &Root, file: &FileEntry) -> Result<Option<Vec<u8>>, TransactionError> {
    let fail = |e| root.error("reading the capabilities of", &file.path, e);
    let open = root.open_file(&file.path).map_err(fail)?;
    let mut buffer = [0; 64];
    match rustix::fs::fgetxattr(&open, crate::capability::ATTRIBUTE, &mut buffer[..]) {
        Ok(count) => Ok(Some(buffer.get(..count).unwrap_or_default().to_vec())),
        Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP) => Ok(None),
        Err(e) => Err(fail(e)),
    }
}
