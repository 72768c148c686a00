//! The file `sources` of a rendered spec: what a build takes from the lookaside cache, as the overlays and the project's
//! own source files leave it.

use std::collections::{BTreeMap, BTreeSet};

use lazuli_catalog::{ResolvedSourceFile, SourceDigest, SourcePlacement};
use lazuli_source::{SourcesFileError, parse_sources};

use crate::provider::{LookasideFile, SOURCES_FILE, digest};
use crate::source_tree::{Content, SourceTree, TreeError};

/// The file `sources` can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourcesError {
    /// It is not understood.
    #[error(transparent)]
    Syntax(#[from] SourcesFileError),
    /// A file of the tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A source file of the project is the upstream's too.
    #[error("source file `{name}` is in the upstream's `sources` already")]
    Taken {
        /// Its name.
        name: String,
    },
    /// A source file takes the place of one that is not there.
    #[error("source file `{name}` replaces one of the upstream, but its `sources` has none of that name")]
    NothingToReplace {
        /// Its name.
        name: String,
    },
    /// What overlays made of an archive is not what the project says.
    #[error("source file `{name}` has the digest {found} after the overlays, not {expected}")]
    Mismatch {
        /// Its name.
        name: String,
        /// The digest in the configuration.
        expected: String,
        /// Its digest.
        found: String,
    },
}

impl SourcesError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            SourcesError::Taken { .. } => {
                Some("if it takes that one's place, say so: `replace-upstream = true` and `replace-reason = \"…\"`".to_owned())
            }
            SourcesError::NothingToReplace { .. } => {
                Some("the name may be misspelt, or the upstream has moved on: leave `replace-upstream` out for a new file".to_owned())
            }
            SourcesError::Mismatch { found, .. } => Some(format!("if that is what it should be: `hash = \"{found}\"`")),
            _ => None,
        }
    }
}

/// What `sources` of a tree names.
///
/// # Errors
/// It is not understood.
pub(crate) fn lookaside_files(tree: &SourceTree) -> Result<Vec<LookasideFile>, SourcesError> {
    let Some(file) = tree.get(SOURCES_FILE) else {
        return Ok(Vec::new());
    };
    let entries = parse_sources(&file.content.read()?)?;
    Ok(entries
        .into_iter()
        .map(|entry| LookasideFile {
            name: entry.name.to_string(),
            hash_type: entry.digest.algorithm().name().to_owned(),
            hash: entry.digest.hex().to_owned(),
        })
        .collect())
}

/// A file that a build takes and that is not in the rendered folder.
#[derive(Debug, Clone)]
pub struct ExternalFile {
    /// Its name.
    pub name: String,
    /// Where its content is.
    pub from: ExternalSource,
}

/// Where the content of an [`ExternalFile`] is.
#[derive(Debug, Clone)]
pub enum ExternalSource {
    /// In the lookaside cache of the upstream.
    Lookaside(LookasideFile),
    /// The project declares it: where it comes from.
    Declared(ResolvedSourceFile),
    /// Here: it was fetched for the overlays, or made by them.
    Known(Content),
}

/// Writes `sources` anew, if it changes, and takes what is in the lookaside cache out of the tree. `fetched` are the files
/// of the lookaside cache that were put into the tree for the overlays, as they were then. Gives all files that are not in
/// the tree now.
///
/// # Errors
/// The project's source files and the upstream's don't fit.
pub(crate) fn settle(
    tree: &mut SourceTree,
    fetched: &BTreeMap<String, Content>,
    declared: &[ResolvedSourceFile],
) -> Result<Vec<ExternalFile>, SourcesError> {
    let before = lookaside_files(tree)?;
    let held = tree.clone();
    let mut after: Vec<LookasideFile> = Vec::new();
    for file in &before {
        match (fetched.get(&file.name), tree.get(&file.name)) {
            (None, _) => after.push(file.clone()),
            (Some(old), Some(new)) if new.content.same(old) => after.push(file.clone()),
            // The overlays took it out.
            (Some(_), None) => {}
            (Some(_), Some(new)) => after.push(hashed(&file.name, &new.content)?),
        }
    }
    for file in declared {
        declare(file, tree, &before, &mut after)?;
    }
    for name in fetched.keys() {
        tree.remove(name);
    }
    let external = external(&after, &held, tree, declared);
    if after != before {
        let text: String = after.iter().map(line).collect();
        let path = crate::source_tree::SourcePath::new(SOURCES_FILE)?;
        tree.put(path, text.into_bytes());
    }
    Ok(external)
}

/// Where each file is that is not in the tree now; `held` is the tree as it was before they were taken out.
fn external(
    listed: &[LookasideFile],
    held: &SourceTree,
    tree: &SourceTree,
    declared: &[ResolvedSourceFile],
) -> Vec<ExternalFile> {
    let names = listed.iter().map(|file| file.name.as_str());
    // What has no digest yet is not listed.
    let unlisted = declared.iter().map(|file| file.filename.as_str());
    let names: BTreeSet<&str> = names
        .chain(unlisted)
        .filter(|name| !tree.contains(name))
        .collect();
    let from = |name: &str| {
        let known = held
            .get(name)
            .map(|file| ExternalSource::Known(file.content.clone()));
        let ours = declared.iter().find(|file| file.filename.as_str() == name);
        let ours = || ours.map(|file| ExternalSource::Declared(file.clone()));
        let listed = || listed.iter().find(|file| file.name == name);
        known
            .or_else(ours)
            .or_else(|| listed().map(|file| ExternalSource::Lookaside(file.clone())))
    };
    let file = |name: &str| {
        let from = from(name)?;
        let name = name.to_owned();
        Some(ExternalFile { name, from })
    };
    names.into_iter().filter_map(file).collect()
}

fn declare(
    file: &ResolvedSourceFile,
    tree: &mut SourceTree,
    before: &[LookasideFile],
    after: &mut Vec<LookasideFile>,
) -> Result<(), SourcesError> {
    let name = file.filename.to_string();
    let place = after.iter().position(|one| one.name == name);
    let listed = before.iter().any(|one| one.name == name);
    match file.placement {
        SourcePlacement::Add if listed => return Err(SourcesError::Taken { name }),
        SourcePlacement::Replace { .. } if !listed => return Err(SourcesError::NothingToReplace { name }),
        _ => {}
    }
    let expected = match &file.digest {
        Some(SourceDigest::Sha256(hash)) => Some(("sha256", hash)),
        Some(SourceDigest::Sha512(hash)) => Some(("sha512", hash)),
        None => None,
    };
    let entry = match (expected, tree.get(&name)) {
        // The overlays made it: what it is must be what was said.
        (Some((kind, expected)), Some(made)) => {
            let found = digest(kind, &made.content.read()?).unwrap_or_default();
            if !found.eq_ignore_ascii_case(expected) {
                let expected = expected.clone();
                return Err(SourcesError::Mismatch {
                    name,
                    expected,
                    found,
                });
            }
            lookaside(&name, kind, &found)
        }
        (Some((kind, hash)), None) => lookaside(&name, kind, hash),
        (None, Some(made)) => hashed(&name, &made.content)?,
        // Nothing is known of it before it is fetched.
        (None, None) => return Ok(()),
    };
    tree.remove(&name);
    match place {
        Some(place) => after[place] = entry,
        None => after.push(entry),
    }
    Ok(())
}

fn lookaside(name: &str, kind: &str, hash: &str) -> LookasideFile {
    LookasideFile {
        name: name.to_owned(),
        hash_type: kind.to_owned(),
        hash: hash.to_ascii_lowercase(),
    }
}

fn hashed(name: &str, content: &Content) -> Result<LookasideFile, SourcesError> {
    let hash = digest("sha512", &content.read()?).unwrap_or_default();
    Ok(lookaside(name, "sha512", &hash))
}

fn line(file: &LookasideFile) -> String {
    match file.hash_type.as_str() {
        // The older form, as it was.
        "md5" => format!("{}  {}\n", file.hash, file.name),
        kind => format!("{} ({}) = {}\n", kind.to_ascii_uppercase(), file.name, file.hash),
    }
}
