//! What rendering asks of a spec: its version, and the files that it needs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use lazuli_spec::{Document, Files, MacroBase, ReadOptions, Spec, SpecError};

use crate::source_tree::{SourceTree, TreeError};

/// Where rpm's `%{_sourcedir}` is while a spec is read: the files of the tree are there.
const SOURCE_FOLDER: &str = "/builddir/build/SOURCES";

/// A spec can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReaderError {
    /// It is not a spec.
    #[error(transparent)]
    Spec(#[from] Box<SpecError>),
    /// Its file.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// What a spec says of itself.
#[derive(Debug, Clone)]
pub struct SpecSummary {
    /// The name of the main package.
    pub name: String,
    /// `[EPOCH:]VERSION`.
    pub version: String,
    /// `[EPOCH:]VERSION-RELEASE`.
    pub evr: String,
    /// The names of its sources and patches, as this target has them, in the order of the spec. What could not be
    /// expanded is in them as it stands.
    pub sources: Vec<String>,
    /// What is needed of the files beside it.
    pub references: References,
}

/// The files that a spec needs.
#[derive(Debug, Clone)]
pub struct References {
    names: BTreeSet<String>,
    patterns: GlobSet,
}

impl References {
    /// Whether a file, by its path in the tree, is needed or may be.
    #[must_use]
    pub fn needs(&self, path: &str) -> bool {
        self.names.contains(path) || self.patterns.is_match(path)
    }
}

/// Reads specs with the macros of a distribution.
#[derive(Clone)]
pub struct SpecReader {
    macros: MacroBase,
}

impl std::fmt::Debug for SpecReader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SpecReader")
    }
}

impl SpecReader {
    /// With these macros.
    #[must_use]
    pub fn new(macros: MacroBase) -> SpecReader {
        SpecReader { macros }
    }

    /// `[EPOCH:]VERSION` of a spec that stands alone; nothing if it can't be read.
    #[must_use]
    pub fn version(&self, spec: &[u8]) -> Option<String> {
        if let Some(version) = plain_version(spec) {
            return Some(version);
        }
        let spec = Spec::read(spec, self.macros.context(), &ReadOptions::default()).ok()?;
        let version = version_of(&spec);
        // What could not be expanded is no version.
        (!version.is_empty() && !version.contains('%')).then_some(version)
    }

    /// Reads the spec of a tree, which may include and load other files of it.
    ///
    /// # Errors
    /// It is not a spec.
    pub fn read(&self, tree: &SourceTree) -> Result<SpecSummary, ReaderError> {
        let bytes = tree.spec_bytes()?;
        let files = Arc::new(TreeFiles {
            tree: tree.clone(),
            below: Arc::clone(&self.macros.context().settings().files),
            read: Mutex::default(),
        });
        let mut macros = self.macros.context();
        macros.settings_mut().files = Arc::clone(&files) as Arc<dyn Files>;
        macros.set("_sourcedir", SOURCE_FOLDER, lazuli_spec::Level::COMMAND_LINE);
        let options = ReadOptions::for_file(tree.spec_path().as_str());
        let spec = Spec::read(&bytes, macros, &options).map_err(Box::new)?;
        let mut names = files.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        names.extend(spec.included.iter().map(|path| within(path).to_owned()));
        let mut patterns = GlobSetBuilder::new();
        let mut taken = BTreeSet::new();
        for source in &spec.sources {
            taken.insert(source.position.line);
            add(source.file_name(), &mut names, &mut patterns);
        }
        for (line, value) in declared(&bytes) {
            if !taken.contains(&line) {
                let name = value.rsplit('/').next().unwrap_or(&value);
                add(name, &mut names, &mut patterns);
            }
        }
        Ok(SpecSummary {
            name: spec.name().to_owned(),
            version: version_of(&spec),
            evr: spec.evr(),
            sources: spec
                .sources
                .iter()
                .map(|source| source.file_name().to_owned())
                .collect(),
            references: References {
                names,
                patterns: patterns.build().unwrap_or_default(),
            },
        })
    }
}

/// `[EPOCH:]VERSION` where it stands there in plain text, once, outside of any conditional. An upstream may have had
/// hundreds of specs, and most are of this kind: nothing has to be expanded for them.
fn plain_version(spec: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(spec).ok()?;
    let (mut version, mut epoch): (Option<&str>, Option<&str>) = (None, None);
    for line in text.lines() {
        let line = line.trim();
        // What begins with a percent sign may be anything but a plain definition: then the macro engine must say.
        if line.starts_with('%') {
            let word = line.split_whitespace().next().unwrap_or_default();
            match word {
                "%description" | "%package" | "%prep" => break,
                "%global" | "%define" if !line.ends_with('\\') && !line.contains(':') => continue,
                "%bcond" | "%bcond_with" | "%bcond_without" => continue,
                _ => return None,
            }
        }
        let Some((tag, value)) = line.split_once(':') else {
            continue;
        };
        let slot = match tag.trim_end() {
            tag if tag.eq_ignore_ascii_case("version") => &mut version,
            tag if tag.eq_ignore_ascii_case("epoch") => &mut epoch,
            _ => continue,
        };
        let value = value.trim();
        let plain = !value.is_empty()
            && value
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "._+~^".contains(one));
        if !plain || slot.replace(value).is_some() {
            return None;
        }
    }
    let version = version?;
    Some(match epoch {
        Some(epoch) => format!("{epoch}:{version}"),
        None => version.to_owned(),
    })
}

fn version_of(spec: &Spec) -> String {
    match spec.epoch() {
        Some(epoch) => format!("{epoch}:{}", spec.version()),
        None => spec.version().to_owned(),
    }
}

/// All sources and patches that the text declares, with their lines from 1: those of branches that are not taken here
/// too, for another architecture takes them.
fn declared(spec: &[u8]) -> Vec<(u32, String)> {
    let document = Document::parse(spec);
    let mut found = Vec::new();
    let tags = document.tags(None).unwrap_or_default();
    for tag in tags
        .into_iter()
        .filter(|tag| matches!(tag.family.as_str(), "source" | "patch"))
    {
        found.push((line_number(tag.line), tag.value));
    }
    for section in document
        .sections()
        .iter()
        .filter(|one| matches!(one.name, "sourcelist" | "patchlist"))
    {
        for line in section.body.clone() {
            let text = document.line(line);
            let text = text.trim();
            if !text.is_empty() && !text.starts_with('#') && !text.starts_with("%if") {
                found.push((line_number(line), text.to_owned()));
            }
        }
    }
    found
}

fn line_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1) + 1
}

/// A name, or where macros are left in it, a pattern in which they stand for anything: a file that may be meant is kept.
fn add(name: &str, names: &mut BTreeSet<String>, patterns: &mut GlobSetBuilder) {
    if !name.contains('%') {
        names.insert(name.to_owned());
        return;
    }
    let mut pattern = String::new();
    let mut rest = name;
    while let Some(one) = rest.chars().next() {
        let length = match one {
            '%' => {
                pattern.push('*');
                macro_length(rest)
            }
            '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!' => {
                pattern.push('\\');
                pattern.push(one);
                one.len_utf8()
            }
            one => {
                pattern.push(one);
                one.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    if let Ok(glob) = GlobBuilder::new(&pattern).literal_separator(true).build() {
        patterns.add(glob);
    }
}

/// How many bytes the macro at the beginning of a text has: `%name`, `%{…}`, `%(…)`, `%[…]`.
fn macro_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (open, close) = match bytes.get(1) {
        Some(b'{') => (b'{', b'}'),
        Some(b'(') => (b'(', b')'),
        Some(b'[') => (b'[', b']'),
        _ => {
            let name = bytes
                .iter()
                .skip(1)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
            return 1 + name.count();
        }
    };
    let mut depth = 0_usize;
    for (index, byte) in bytes.iter().enumerate().skip(1) {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return index + 1;
            }
        }
    }
    text.len()
}

/// The files of a tree, where rpm would have them; a name without a folder is one of them too. Which of them were read is
/// kept: the spec needs these.
struct TreeFiles {
    tree: SourceTree,
    below: Arc<dyn Files>,
    read: Mutex<BTreeSet<String>>,
}

fn within(path: &str) -> &str {
    let rest = path
        .strip_prefix(SOURCE_FOLDER)
        .map(|rest| rest.trim_start_matches('/'));
    rest.unwrap_or(path).trim_start_matches("./")
}

impl Files for TreeFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let name = within(path);
        match self.tree.get(name) {
            Some(file) => {
                let bytes = file.content.read().map_err(|error| error.to_string())?;
                self.read
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(name.to_owned());
                Ok(bytes.to_vec())
            }
            None => self.below.read(path),
        }
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        match self.tree.contains(within(pattern)) {
            true => vec![pattern.to_owned()],
            false => self.below.glob(pattern),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.tree.contains(within(path)) || self.below.exists(path)
    }
}
