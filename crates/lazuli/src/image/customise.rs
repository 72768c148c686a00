//! From an installed root to the tree of an image: what the image's own definition adds, leaves out and sets.
//!
//! All of it happens in the tree; the root on the disk stays as the packages made it. Files and links come first, so that
//! units among them can be enabled; then the settings of the system; masks come last, since they win.

use crate::failure::{Failure, Kind, OrFail, Result};
use lazuli_catalog::value::PathMatcher;
use lazuli_catalog::{FileContent, FileEntry, ImageCapabilities, ResolvedImage, nearest};
use lazuli_disk::{Content, Entry, ScanOptions, Tree, TreeBuilder, TreePath};
use lazuli_image::View;
use std::path::Path;

pub(super) mod initrd;
mod system;
mod units;

/// Reads the root, with no time later than `time`, and applies the image's definition.
pub fn tree(root: &Path, image: &ResolvedImage, time: u64) -> Result<Tree> {
    let excluded = PathMatcher::new(&image.exclude_files);
    let time = i64::try_from(time).or_fail(Kind::Project)?;
    let skip = |path: &TreePath| excluded.matches(&format!("/{}", String::from_utf8_lossy(path.as_bytes())));
    let options = ScanOptions {
        clamp_mtime: Some(time),
        exclude: (!excluded.is_empty()).then_some(&skip),
    };
    let tree = Tree::scan(root, &options).or_fail(Kind::Environment)?;
    apply(tree, image, time)
        .map_err(|failure| failure.context(format!("the definition of the image `{}`", image.name)))
}

/// Applies the image's definition to the tree of its packages.
fn apply(tree: Tree, image: &ResolvedImage, time: i64) -> Result<Tree> {
    let files = files(&View::new(&tree), &image.files, time)?;
    let mut editor = Editor::new(tree, time);
    for link in &image.symlinks {
        editor.link(link.path.as_str(), &link.target)?;
    }
    for file in files {
        editor.builder.replace(file);
    }
    let tree = system::apply(editor.builder.finish()?, &image.system, time)?;
    let tree = units::apply(tree, &image.system, time)?;
    check_capabilities(&View::new(&tree), &image.capabilities)?;
    Ok(tree)
}

/// Where programs are that change which packages are installed.
const PACKAGE_MANAGERS: [&str; 8] = [
    "/usr/bin/lz",
    "/usr/bin/apt-get",
    "/usr/bin/dnf",
    "/usr/bin/dnf5",
    "/usr/bin/microdnf",
    "/usr/bin/tdnf",
    "/usr/bin/yum",
    "/usr/bin/zypper",
];
/// Where systemd is.
const SYSTEMD: [&str; 1] = ["/usr/lib/systemd/systemd"];

/// What is said of the image must be so, for tests and users choose by it.
fn check_capabilities(view: &View<'_>, said: &ImageCapabilities) -> Result<()> {
    let check = |key: &str, said: Option<bool>, programs: &[&str]| -> Result<()> {
        let mut found = None;
        for path in programs {
            if view.find(path)?.is_some() {
                found = found.or(Some(*path));
            }
        }
        match (said, found) {
            (Some(true), None) => {
                let message = format!(
                    "`{key}` is true, but the image has none of {}",
                    programs.join(", ")
                );
                Err(Failure::message(Kind::Project, message))
            }
            (Some(false), Some(path)) => {
                let message = format!("`{key}` is false, but the image has {path}");
                Err(Failure::message(Kind::Project, message))
            }
            _ => Ok(()),
        }
    };
    check("systemd", said.systemd, &SYSTEMD)?;
    check(
        "runtime-package-management",
        said.runtime_package_management,
        &PACKAGE_MANAGERS,
    )
}

/// Files of the definition as entries; their owners are those that the tree knows.
fn files(view: &View<'_>, files: &[FileEntry], time: i64) -> Result<Vec<Entry>> {
    let entry = |file: &FileEntry| {
        let content = match &file.content {
            FileContent::Inline(text) => text.clone().into_bytes(),
            FileContent::File(path) => std::fs::read(path).map_err(|error| {
                Failure::new(Kind::Project, error).context(format!("failed to read {}", path.display()))
            })?,
        };
        let mode = u16::try_from(file.mode).or_fail(Kind::Project)?;
        let uid = account(view, "/etc/passwd", "user", &file.owner)?;
        let gid = account(view, "/etc/group", "group", &file.group)?;
        let entry = Entry::file(file.path.as_str(), mode, Content::bytes(content))?;
        Ok(entry.owned_by(uid, gid).at(time))
    };
    files.iter().map(entry).collect()
}

/// The number of a user or a group: the third field of its line in passwd(5) or group(5).
fn account(view: &View<'_>, file: &str, what: &str, name: &str) -> Result<u32> {
    if name == "root" {
        return Ok(0);
    }
    let text = view.read_text(file)?.unwrap_or_default();
    let lines = || text.lines().filter_map(|line| line.split_once(':'));
    let found = lines().find(|(known, _)| *known == name);
    let number = found.and_then(|(_, rest)| rest.split(':').nth(1)?.parse().ok());
    number.ok_or_else(|| {
        let names = lines().map(|(known, _)| known);
        missing(&format!("{what} `{name}`"), nearest(name, names))
    })
}

/// Something is named that is not in the image.
fn missing(what: &str, near: Option<&str>) -> Failure {
    let failure = Failure::message(Kind::Project, format!("there is no {what} in the image"));
    match near {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure,
    }
}

/// A tree that is being changed. What is added belongs to root, and is of the build's time.
struct Editor {
    builder: TreeBuilder,
    time: i64,
}

impl Editor {
    fn new(tree: Tree, time: i64) -> Self {
        let mut builder = tree.into_builder();
        builder.parent_time(time);
        Self { builder, time }
    }

    fn link(&mut self, path: &str, target: &str) -> Result<()> {
        self.builder.replace(Entry::symlink(path, target)?.at(self.time));
        Ok(())
    }

    /// A file that all may read.
    fn file(&mut self, path: &str, content: String) -> Result<()> {
        let content = Content::bytes(content.into_bytes());
        self.builder
            .replace(Entry::file(path, 0o644, content)?.at(self.time));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
