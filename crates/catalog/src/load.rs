//! Reading a project's files: the root file, what it includes, and the layers that come after the project.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{locate, parse_config};
use crate::error::Error;
use crate::files::Files;
use crate::glob::{Exclusions, Globber};
use crate::schema::{ConfigFile, normalise};

/// Most files of one project.
const MAX_FILES: usize = 100_000;
/// Longest chain of files that include each other.
const MAX_INCLUDE_DEPTH: usize = 64;

/// What is built in: the layer that goes before the project. In messages it has this name instead of a path.
pub(crate) const BUILT_IN: &str = "(built in)";
const BUILT_IN_TEXT: &str = include_str!("defaults.toml");

/// Files that come after the project, each with its own includes. The catalog does not look for them: whoever loads it
/// reads the environment and the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// The user's own file, `lazuli/config.toml` or `azldev/config.toml` in the folder of configuration files. It may be
    /// missing.
    pub user_config: Option<PathBuf>,
    /// Further files, in order: `--config-file`. They must be there.
    pub config_files: Vec<PathBuf>,
}

/// A file that was loaded.
#[derive(Debug, Clone)]
pub(crate) struct LoadedFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) config: ConfigFile,
}

/// Loads what is built in, `root` and all that it includes, and the files of `options`: each file before those that it
/// includes, depth first.
pub(crate) fn load_all(
    globber: &Globber<'_>,
    files: &dyn Files,
    root: &Path,
    options: &LoadOptions,
) -> Result<Vec<LoadedFile>, Error> {
    let user = options.user_config.iter().filter(|path| files.is_file(path));
    let roots: Vec<PathBuf> = std::iter::once(root)
        .chain(user.map(PathBuf::as_path))
        .chain(options.config_files.iter().map(PathBuf::as_path))
        .map(normalise)
        .collect();
    let mut loader = Loader {
        parsed: read_all(globber, files, &roots)?,
        loaded: Vec::new(),
        seen: BTreeSet::new(),
        chain: Vec::new(),
        found: Vec::new(),
    };
    match parse_config(Path::new(BUILT_IN), BUILT_IN_TEXT) {
        Ok(config) => loader.loaded.push(LoadedFile {
            path: BUILT_IN.into(),
            text: BUILT_IN_TEXT.to_owned(),
            config,
        }),
        Err(diagnostics) => return Err(diagnostics.into()),
    }
    for root in &roots {
        loader.load(root)?;
    }
    match Diagnostics::from_vec(loader.found) {
        Some(diagnostics) => Err(Error::Invalid(diagnostics)),
        None => Ok(loader.loaded),
    }
}

/// A file as it was read: its text, what is in it, and what its includes are.
struct Read {
    text: String,
    config: Result<ConfigFile, Diagnostics>,
    /// The matches of each entry of `includes`.
    includes: Vec<Result<Vec<PathBuf>, io::Error>>,
}

/// Reads and parses `roots` and all files that are included, several at once. Each wave is what the wave before it
/// includes.
fn read_all(
    globber: &Globber<'_>,
    files: &dyn Files,
    roots: &[PathBuf],
) -> Result<BTreeMap<PathBuf, io::Result<Read>>, Error> {
    let mut parsed: BTreeMap<PathBuf, io::Result<Read>> = BTreeMap::new();
    let mut wave: BTreeSet<PathBuf> = roots.iter().cloned().collect();
    while !wave.is_empty() {
        if parsed.len() + wave.len() > MAX_FILES {
            return Err(Error::TooManyFiles { limit: MAX_FILES });
        }
        let read: Vec<(PathBuf, io::Result<Read>)> = std::mem::take(&mut wave)
            .into_par_iter()
            .map(|path| {
                let read = read(globber, files, &path);
                (path, read)
            })
            .collect();
        let targets = read
            .iter()
            .filter_map(|(_, read)| read.as_ref().ok())
            .flat_map(|read| read.includes.iter().flatten().flatten());
        let next: BTreeSet<PathBuf> = targets.cloned().collect();
        parsed.extend(read);
        wave = next
            .into_iter()
            .filter(|path| !parsed.contains_key(path))
            .collect();
    }
    Ok(parsed)
}

fn read(globber: &Globber<'_>, files: &dyn Files, path: &Path) -> io::Result<Read> {
    let text = files.read(path)?;
    let config = parse_config(path, &text);
    let folder = path.parent().unwrap_or(Path::new(""));
    let expand = |include: &str| -> io::Result<Vec<PathBuf>> {
        let matches = globber.expand(folder, include, &Exclusions::default())?;
        Ok(matches.iter().map(|path| normalise(path)).collect())
    };
    let includes = config
        .iter()
        .flat_map(|config| &config.includes)
        .map(|include| expand(include.as_str()))
        .collect();
    Ok(Read {
        text,
        config,
        includes,
    })
}

/// Puts what was read into its order.
struct Loader {
    parsed: BTreeMap<PathBuf, io::Result<Read>>,
    loaded: Vec<LoadedFile>,
    seen: BTreeSet<PathBuf>,
    /// The files that include the one at hand, the root first.
    chain: Vec<PathBuf>,
    found: Vec<Diagnostic>,
}

impl Loader {
    fn load(&mut self, path: &Path) -> Result<(), Error> {
        // What another file has included already stays where it is.
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let Some(read) = self.parsed.remove(path) else {
            return Ok(());
        };
        let Read {
            text,
            config,
            includes,
        } = read.map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let config = match config {
            Ok(config) => config,
            Err(diagnostics) => {
                // The other files are put in all the same, so that their errors are seen too.
                self.found.extend(diagnostics.as_slice().iter().cloned());
                return Ok(());
            }
        };
        let globs = config.includes.clone();
        let index = self.loaded.len();
        self.loaded.push(LoadedFile {
            path: path.to_owned(),
            text,
            config,
        });
        self.chain.push(path.to_owned());
        for (entry, (include, matches)) in globs.iter().zip(includes).enumerate() {
            let targets = matches.map_err(|source| Error::Include {
                file: path.to_owned(),
                include: include.to_string(),
                source,
            })?;
            if targets.is_empty() && !include.is_pattern() {
                let folder = path.parent().unwrap_or(Path::new(""));
                let help = format!(
                    "looked for {}",
                    normalise(&folder.join(include.as_str())).display()
                );
                self.find(
                    index,
                    entry,
                    format!("included file `{include}` is not there"),
                    Some(help),
                );
            }
            for target in targets {
                if self.chain.contains(&target) {
                    let from = self.chain.iter().skip_while(|file| **file != target);
                    let circle: Vec<String> = from
                        .chain([&target])
                        .map(|file| file.display().to_string())
                        .collect();
                    let help = format!("the circle is {}", circle.join(" → "));
                    self.find(
                        index,
                        entry,
                        "files include each other in a circle".to_owned(),
                        Some(help),
                    );
                } else if self.chain.len() >= MAX_INCLUDE_DEPTH {
                    let message = format!("more than {MAX_INCLUDE_DEPTH} files include one another");
                    self.find(index, entry, message, None);
                } else {
                    self.load(&target)?;
                }
            }
        }
        self.chain.pop();
        Ok(())
    }

    /// Notes an error at an entry of the `includes` of a loaded file.
    fn find(&mut self, file: usize, entry: usize, message: String, help: Option<String>) {
        let Some(file) = self.loaded.get(file) else { return };
        let location = locate(
            &file.path,
            &file.text,
            &["includes".to_owned(), entry.to_string()],
        );
        let mut diagnostic = Diagnostic::new(message, location);
        diagnostic.help = help;
        self.found.push(diagnostic);
    }
}
