//! Which file of a project a new component belongs in: where a person would look for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::catalog::{Catalog, Definition};
use crate::edit::NewComponent;
use crate::schema::normalise;
use crate::value::ComponentName;

/// Where a new component belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The file.
    pub file: PathBuf,
    /// Whether it is there already.
    pub existing: ExistingFile,
    /// Why it is this one, for people.
    pub reason: PlacementReason,
}

/// Whether a file is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingFile {
    /// It is.
    There,
    /// It must be made; an include of the project finds it.
    ToBeMade,
}

/// Why a component belongs in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlacementReason {
    /// Other components have files of their own, of names like this one.
    OwnFile,
    /// No other file has as many components.
    LargestList,
    /// No other file has any.
    RootFile,
}

impl Catalog {
    /// The file in which a new component belongs: one of its own, if it says anything of itself and others have such
    /// files or an include looks for them; else the one with most components; else the root file.
    #[must_use]
    pub fn place_for(&self, name: &ComponentName, component: &NewComponent) -> Placement {
        let list = self.largest_list();
        let own = match component.is_plain() && list.is_some() {
            true => None,
            false => self.own_file(name),
        };
        if let Some(file) = own {
            return Placement {
                file,
                existing: ExistingFile::ToBeMade,
                reason: PlacementReason::OwnFile,
            };
        }
        match list {
            Some(file) => Placement {
                file: file.to_owned(),
                existing: ExistingFile::There,
                reason: PlacementReason::LargestList,
            },
            None => Placement {
                file: self.root_file.clone(),
                existing: ExistingFile::There,
                reason: PlacementReason::RootFile,
            },
        }
    }

    /// How many components a file defines.
    fn counts(&self) -> BTreeMap<&Path, Vec<&ComponentName>> {
        let mut counts: BTreeMap<&Path, Vec<&ComponentName>> = BTreeMap::new();
        for name in self
            .config
            .components
            .keys()
            .filter(|name| !self.is_discovered(name))
        {
            counts.entry(self.file_of_component(name)).or_default().push(name);
        }
        counts
    }

    /// The file with most components, if one has several, or has one that it is not named after.
    fn largest_list(&self) -> Option<&Path> {
        let counts = self.counts();
        let lists = counts.iter().filter(|(file, names)| match names.as_slice() {
            [only] => own_pattern(file, only, only).is_none(),
            _ => true,
        });
        // Of several, the first in the alphabet.
        let largest =
            lists.max_by(|(left, one), (right, other)| one.len().cmp(&other.len()).then(right.cmp(left)));
        largest.map(|(file, _)| *file)
    }

    /// The path of a file for one component alone, as other components have theirs, or as an include looks for it.
    fn own_file(&self, name: &ComponentName) -> Option<PathBuf> {
        let includes = self.include_matcher();
        let mut votes: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (file, names) in self.counts() {
            let [only] = names.as_slice() else { continue };
            let path = own_pattern(file, only, name);
            if let Some(path) = path.filter(|path| includes.is_match(path)) {
                *votes.entry(path).or_default() += 1;
            }
        }
        let most = votes
            .into_iter()
            .max_by(|(left, one), (right, other)| one.cmp(other).then(right.cmp(left)));
        most.map(|(path, _)| path)
            .or_else(|| self.own_file_by_include(name))
    }

    /// What the includes of all files would find.
    fn include_matcher(&self) -> globset::GlobSet {
        let mut set = globset::GlobSetBuilder::new();
        for (folder, include) in &self.includes {
            let whole = normalise(&folder.join(include.as_str()));
            let glob = globset::GlobBuilder::new(&whole.to_string_lossy())
                .literal_separator(true)
                .build();
            if let Ok(glob) = glob {
                set.add(glob);
            }
        }
        set.build().unwrap_or_else(|_| globset::GlobSet::empty())
    }

    /// What an include like `components/**/*.comp.toml` or `components/*.toml` would find for this name.
    fn own_file_by_include(&self, name: &ComponentName) -> Option<PathBuf> {
        self.includes.iter().find_map(|(folder, include)| {
            let (before, last) = include
                .as_str()
                .rsplit_once('/')
                .unwrap_or(("", include.as_str()));
            let ending = last
                .strip_prefix('*')
                .filter(|ending| !ending.contains(['*', '?', '[', '{']))?;
            // An ending that says what else it is for, such as `*.distro.toml`, is none of components'.
            let is_ours =
                ending.starts_with(".comp") || before.split('/').any(|part| part.starts_with("comp"));
            let fixed = before.strip_suffix("**").map(|rest| rest.trim_end_matches('/'));
            if !is_ours || fixed.unwrap_or(before).contains(['*', '?', '[', '{']) {
                return None;
            }
            let folder = match fixed {
                Some(fixed) => folder.join(fixed).join(name.as_str()),
                None => folder.join(before),
            };
            Some(normalise(&folder.join(format!("{name}{ending}"))))
        })
    }

    /// Whether something else than an entry of `[components]` makes a component, and what to say of it.
    #[must_use]
    pub fn made_by(&self, name: &ComponentName) -> Option<String> {
        match self.definitions.get(name)? {
            Definition::Template(template) => Some(format!("[component-templates.{template}]")),
            Definition::SpecFile(group) => Some(format!("`specs` of [component-groups.{group}]")),
            Definition::OverlayFolder => Some("`overlay-files` of [default-component-config]".to_owned()),
        }
    }
}

/// The path of a file with `new` in the place of `name`, if the file is named after `name`; a folder of its first letter
/// changes with it.
fn own_pattern(file: &Path, name: &ComponentName, new: &ComponentName) -> Option<PathBuf> {
    let file_name = file.file_name()?.to_str()?;
    let ending = file_name
        .strip_prefix(name.as_str())
        .filter(|ending| ending.starts_with('.'))?;
    let first = |name: &ComponentName| {
        name.as_str()
            .chars()
            .take(1)
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let mut path: PathBuf = PathBuf::new();
    let folder = file.parent().unwrap_or(Path::new(""));
    for part in folder.components() {
        let text = part.as_os_str().to_str();
        match text {
            Some(text) if text == name.as_str() => path.push(new.as_str()),
            Some(text) if text == first(name) => path.push(first(new)),
            _ => path.push(part),
        }
    }
    Some(path.join(format!("{new}{ending}")))
}
