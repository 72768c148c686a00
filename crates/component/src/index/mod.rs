//! The specs of a whole project, read in parallel, and not again until they change.
//!
//! A distribution has thousands of specs, and most commands ask something of all of them: names and versions, who
//! provides what, in what order they are built. [`SpecIndex::read`] answers from a cache where a spec is as it was. Specs are
//! read whole, for builds require files by their paths, and `%files` is text that a quick look would leave out.

mod cache;
mod facts;
mod folder;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lazuli_spec::{Depth, Level, MacroBase, ReadOptions, Spec, SpecError};
use rayon::prelude::*;

pub use facts::{PackageFacts, SpecFacts};

use cache::{Cache, Entry, Stamp};
use folder::FolderFiles;

/// Largest spec in bytes.
const SPEC_MAX: u64 = 16 << 20;

/// A spec that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpecLocation {
    /// The component.
    pub component: String,
    /// Its spec.
    pub path: PathBuf,
    /// Build conditions that are switched on and off.
    pub with: Vec<String>,
    /// Build conditions that are switched off.
    pub without: Vec<String>,
}

/// Why there are no facts of a spec.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file can't be read.
    #[error("failed to read the spec {}: {source}", path.display())]
    Io {
        /// The spec.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than any spec.
    #[error("{} has {size} bytes, more than the {SPEC_MAX} that a spec may have", path.display())]
    TooLarge {
        /// The spec.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// It is no spec.
    #[error(transparent)]
    Spec(#[from] Box<SpecError>),
}

/// What was read.
#[derive(Debug)]
pub struct SpecIndex {
    /// The facts of each spec that was asked for, in that order.
    pub specs: Vec<(SpecLocation, Result<Arc<SpecFacts>, IndexError>)>,
    /// How many came from the cache.
    pub cached: usize,
}

impl IndexError {
    /// Whether there is no such file.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, IndexError::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
    }
}

impl SpecIndex {
    /// Reads specs, with a cache if a file for it is given.
    ///
    /// `reader` names all that decides what a spec means beside its text: the version of this program and a digest of the
    /// macros. A cache of another reader is not used. A cache that can't be written is no error: the next run reads anew.
    pub fn read(locations: Vec<SpecLocation>, macros: &MacroBase, cache: Option<(&Path, &str)>) -> Self {
        let known = cache.map_or_else(Cache::default, |(path, reader)| Cache::open(path, reader));
        let read: Vec<(SpecLocation, Outcome)> = locations
            .into_par_iter()
            .map(|location| one(location, macros, &known))
            .collect();
        let cached = read
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Cached(_)))
            .count();
        if let Some((path, reader)) = cache {
            let fresh = read
                .iter()
                .any(|(_, outcome)| matches!(outcome, Outcome::Read(_)));
            let entries = entries(&read);
            // What can't be read is in no cache, and is no reason to write it again each time.
            if fresh || known.len() != entries.len() {
                let _ = Cache::write(path, reader, &entries);
            }
        }
        let specs = read
            .into_iter()
            .map(|(location, outcome)| (location, outcome.into_facts()));
        Self {
            specs: specs.collect(),
            cached,
        }
    }

    /// Reads one spec. Files that it loads must be in its folder; they are what `%{_sourcedir}` names.
    pub fn read_spec(location: &SpecLocation, macros: &MacroBase, depth: Depth) -> Result<Spec, IndexError> {
        read_spec(location, macros, depth).map(|(spec, _)| spec)
    }
}

/// The spec, and the files that it loaded.
fn read_spec(
    location: &SpecLocation,
    macros: &MacroBase,
    depth: Depth,
) -> Result<(Spec, Vec<PathBuf>), IndexError> {
    let io = |source| IndexError::Io {
        path: location.path.clone(),
        source,
    };
    let size = std::fs::metadata(&location.path).map_err(io)?.len();
    if size > SPEC_MAX {
        return Err(IndexError::TooLarge {
            path: location.path.clone(),
            size,
        });
    }
    let bytes = std::fs::read(&location.path).map_err(io)?;
    let folder = location.path.parent().unwrap_or(Path::new("."));
    let files = Arc::new(FolderFiles::new(folder));
    let mut context = macros.context();
    context.settings_mut().files = Arc::<FolderFiles>::clone(&files);
    context.set_literal("_sourcedir", folder.to_string_lossy().as_bytes(), Level::SPEC);
    let mut options = ReadOptions::for_file(location.path.to_string_lossy().into_owned());
    options.depth = depth;
    options.with.clone_from(&location.with);
    options.without.clone_from(&location.without);
    let spec = Spec::read(&bytes, context, &options).map_err(Box::new)?;
    Ok((spec, files.loaded()))
}

enum Outcome {
    Cached(Arc<Entry>),
    Read(Arc<Entry>),
    Failed(IndexError),
}

impl Outcome {
    fn into_facts(self) -> Result<Arc<SpecFacts>, IndexError> {
        match self {
            Outcome::Cached(entry) | Outcome::Read(entry) => Ok(Arc::clone(&entry.facts)),
            Outcome::Failed(error) => Err(error),
        }
    }
}

/// The same file with other switches is another spec.
fn key(location: &SpecLocation) -> String {
    let mut key = location.path.to_string_lossy().into_owned();
    for (sign, names) in [("\0+", &location.with), ("\0-", &location.without)] {
        names.iter().for_each(|name| key.extend([sign, name]));
    }
    key
}

fn one(location: SpecLocation, macros: &MacroBase, known: &Cache) -> (SpecLocation, Outcome) {
    if let Some(entry) = known.get(&key(&location)) {
        let entry = Arc::clone(entry);
        return (location, Outcome::Cached(entry));
    }
    // Stamped before it is read: what changes in between is read again the next time.
    let outcome = stamps(std::slice::from_ref(&location.path)).and_then(|mut found| {
        let (spec, loaded) = read_spec(&location, macros, Depth::Full)?;
        found.extend(stamps(&loaded)?);
        Ok(Arc::new(Entry {
            stamps: found,
            facts: Arc::new(SpecFacts::of(&spec)),
        }))
    });
    (location, outcome.map_or_else(Outcome::Failed, Outcome::Read))
}

fn stamps(paths: &[PathBuf]) -> Result<Vec<(String, Stamp)>, IndexError> {
    let stamp = |path: &PathBuf| match Stamp::read(path) {
        Ok(stamp) => Ok((path.to_string_lossy().into_owned(), stamp)),
        Err(source) => Err(IndexError::Io {
            path: path.clone(),
            source,
        }),
    };
    paths.iter().map(stamp).collect()
}

fn entries(read: &[(SpecLocation, Outcome)]) -> HashMap<String, Arc<Entry>> {
    let kept = read.iter().filter_map(|(location, outcome)| match outcome {
        Outcome::Cached(entry) | Outcome::Read(entry) => Some((key(location), Arc::clone(entry))),
        Outcome::Failed(_) => None,
    });
    kept.collect()
}
