//! Which packages own a path, and whether they agree.

use super::ByPath;
use crate::{Aliases, InstalledPackage, VerifiedPackage};
use lazuli_rpm::{FileEntry, Metadata, Nevra};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Two packages that want different things at one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The path.
    pub path: String,
    /// One package.
    pub left: Nevra,
    /// The other one.
    pub right: Nevra,
    /// In what they differ.
    pub difference: &'static str,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} and of {}: {}",
            self.path, self.left, self.right, self.difference
        )
    }
}

/// One claim on a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) metadata: &'a Metadata,
    pub(super) file: &'a FileEntry,
    /// Position of the package in the request, and of the file in the package; `None` for what is installed.
    pub(super) incoming: Option<(usize, usize)>,
}

/// All claims on the paths of packages to lay.
pub(super) struct Owners<'a> {
    claims: ByPath<'a, Vec<Claim<'a>>>,
    /// Paths in the order in which they were first claimed, so that nothing depends on hashes.
    order: Vec<std::borrow::Cow<'a, [u8]>>,
}

impl<'a> Owners<'a> {
    pub(super) fn new(
        install: &'a [VerifiedPackage],
        staying: &[&'a InstalledPackage],
        aliases: &Aliases,
    ) -> Self {
        let total = install.iter().map(|package| package.metadata.files.len()).sum();
        let mut claims: ByPath<'a, Vec<Claim<'a>>> = HashMap::with_capacity(total);
        let mut order = Vec::with_capacity(total);
        for (position, package) in install.iter().enumerate() {
            for (at, file) in package.metadata.files.iter().enumerate() {
                let path = aliases.resolve(&file.path);
                let claim = Claim {
                    metadata: &package.metadata,
                    file,
                    incoming: Some((position, at)),
                };
                let all = claims.entry(path.clone()).or_default();
                if all.is_empty() {
                    order.push(path);
                }
                all.push(claim);
            }
        }
        for package in staying {
            for (file, present) in package.metadata.files.iter().zip(&package.present) {
                if let Some(all) = present
                    .then(|| claims.get_mut(&aliases.resolve(&file.path)))
                    .flatten()
                {
                    all.push(Claim {
                        metadata: &package.metadata,
                        file,
                        incoming: None,
                    });
                }
            }
        }
        Self { claims, order }
    }

    /// Whether a package to lay owns a path.
    pub(super) fn is_incoming(&self, path: &[u8]) -> bool {
        self.claims.contains_key(path)
    }

    /// All paths with their claims, in a fixed order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[Claim<'a>])> {
        self.order
            .iter()
            .filter_map(|path| Some((path.as_ref(), self.claims.get(path)?.as_slice())))
    }

    /// Files of packages to lay which another one lays as well (by position of package and file), and all conflicts.
    pub(super) fn compare(&self) -> (HashSet<(usize, usize)>, Vec<Conflict>) {
        let mut shared = HashSet::new();
        let mut conflicts = Vec::new();
        for (path, claims) in self.iter() {
            if let [first, others @ ..] = claims {
                for other in others {
                    conflicts.extend(
                        difference(first.file, other.file).map(|why| conflict(path, first, other, why)),
                    );
                }
            }
            // The last one lays it, as the last one would win if they were laid one after the other.
            let mut layers = claims
                .iter()
                .filter(|claim| !claim.file.is_ghost())
                .filter_map(|claim| claim.incoming);
            layers.next_back();
            shared.extend(layers);
        }
        conflicts.extend(self.blocked_folders());
        conflicts.sort();
        conflicts.dedup();
        (shared, conflicts)
    }

    /// Paths below what another package has as a file or link.
    fn blocked_folders(&self) -> Vec<Conflict> {
        let mut seen: HashSet<&[u8]> = HashSet::new();
        let mut conflicts = Vec::new();
        for (path, claims) in self.iter() {
            let mut folder = crate::root::split(path).0;
            while !folder.is_empty() && seen.insert(folder) {
                let blocking = self
                    .claims
                    .get(folder)
                    .and_then(|all| all.iter().find(|c| !c.file.is_directory()));
                if let (Some(blocking), Some(claim)) = (blocking, claims.first())
                    && !blocking.file.is_ghost()
                {
                    conflicts.push(conflict(
                        folder,
                        blocking,
                        claim,
                        "a file or link in one, a folder in the other",
                    ));
                }
                folder = crate::root::split(folder).0;
            }
        }
        conflicts
    }
}

fn conflict(path: &[u8], left: &Claim<'_>, right: &Claim<'_>, difference: &'static str) -> Conflict {
    Conflict {
        path: crate::root::text(path),
        left: left.metadata.nevra.clone(),
        right: right.metadata.nevra.clone(),
        difference,
    }
}

/// In what two files at one path differ, if they cannot be shared. Folders always can, and what nobody lays.
fn difference(left: &FileEntry, right: &FileEntry) -> Option<&'static str> {
    const TYPE: u16 = 0o170_000;
    if left.is_ghost() || right.is_ghost() || (left.is_directory() && right.is_directory()) {
        return None;
    }
    if left.mode & TYPE != right.mode & TYPE {
        return Some("different kinds of file");
    }
    if left.is_symlink() {
        return (left.link_target != right.link_target).then_some("different targets");
    }
    if left.is_regular() && (left.size != right.size || left.digest != right.digest) {
        return Some("different content");
    }
    if !left.is_regular() && left.rdev != right.rdev {
        return Some("different devices");
    }
    if left.mode != right.mode {
        return Some("different modes");
    }
    if left.user != right.user || left.group != right.group {
        return Some("different owners");
    }
    (left.capabilities != right.capabilities).then_some("different capabilities")
}
