//! Which package has a file.

use std::collections::{HashMap, HashSet};

use lazuli_rpm::RichDependency;

use crate::component::Component;

/// The files of all packages, by folder.
#[derive(Debug, Default)]
pub(crate) struct Files<'a> {
    /// Paths without a wildcard: a file, or a folder with all below it.
    exact: HashMap<&'a str, Vec<u32>>,
    /// Globs whose folder has no wildcard, by that folder.
    in_folder: HashMap<&'a str, Vec<(&'a str, u32)>>,
    /// The other globs.
    anywhere: Vec<(&'a str, u32)>,
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// A path that ends in a slash names the folder.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl<'a> Files<'a> {
    /// Only files that some dependency names are kept, and folders above these: all others are never asked for, and are
    /// nearly all.
    pub(crate) fn new(components: &'a [Component]) -> Self {
        let mut files = Self::default();
        let wanted = wanted(components);
        let packages = components.iter().flat_map(|component| &component.packages);
        for (package, number) in packages.zip(0_u32..) {
            for path in package.files.iter().map(|path| path.trim_end_matches('/')) {
                if !has_wildcard(path) {
                    if wanted.contains(path) {
                        files.exact.entry(path).or_default().push(number);
                    }
                } else if has_wildcard(folder_of(path)) {
                    files.anywhere.push((path, number));
                } else {
                    files
                        .in_folder
                        .entry(folder_of(path))
                        .or_default()
                        .push((path, number));
                }
            }
        }
        files
    }

    /// The packages that have a file, each once, by number.
    pub(crate) fn packages_with(&self, path: &str) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        let mut part = path;
        // The path itself, then the folders above it.
        while !part.is_empty() {
            found.extend(self.exact.get(part).into_iter().flatten());
            let globs = self.in_folder.get(folder_of(part)).into_iter().flatten();
            found.extend(
                globs
                    .filter(|(glob, _)| matches(glob, part))
                    .map(|(_, package)| *package),
            );
            let globs = self.anywhere.iter().filter(|(glob, _)| matches(glob, part));
            found.extend(globs.map(|(_, package)| *package));
            part = folder_of(part);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The files that dependencies name, and the folders above them.
fn wanted(components: &[Component]) -> HashSet<String> {
    let mut wanted = HashSet::new();
    let mut want = |path: &str| {
        let mut part = path;
        while part.starts_with('/') && wanted.insert(part.to_owned()) {
            part = folder_of(part);
        }
    };
    let packages = components.iter().flat_map(|component| &component.packages);
    let requires = packages.flat_map(|package| &package.requires);
    let builds = components.iter().flat_map(|component| &component.build_requires);
    for dependency in builds.chain(requires) {
        if !dependency.is_rich() {
            want(&dependency.name);
        } else if let Ok(rich) = RichDependency::parse(&dependency.name) {
            rich.capabilities().iter().for_each(|one| want(&one.name));
        }
    }
    wanted
}

/// A glob that can't be read matches nothing: the spec's reader has said so already.
fn matches(glob: &str, path: &str) -> bool {
    globset::GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(path))
}
