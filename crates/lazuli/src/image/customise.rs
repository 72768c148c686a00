//! From an installed root to the tree of an image: what the image's own definition adds, leaves out and sets.

use crate::failure::{Kind, OrFail, Result};
use lazuli_catalog::value::PathMatcher;
use lazuli_catalog::{FileContent, ResolvedImage};
use lazuli_disk::{Content, Entry, ScanOptions, Tree, TreeBuilder, TreePath};
use std::path::Path;

/// Where an administrator's masks and wants of units are.
const UNITS: &str = "etc/systemd/system";

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
    let mut editor = Editor {
        builder: tree.into_builder(),
        time,
    };
    editor.builder.parent_time(time);
    for link in &image.symlinks {
        editor.link(link.path.as_str(), &link.target)?;
    }
    for unit in &image.system.mask_units {
        editor.link(&format!("{UNITS}/{}", unit.as_str()), "/dev/null")?;
    }
    for file in &image.files {
        let content = match &file.content {
            FileContent::Inline(text) => text.clone().into_bytes(),
            FileContent::File(path) => std::fs::read(path).or_fail(Kind::Project)?,
        };
        editor.file(file.path.as_str(), file.mode, content)?;
    }
    Ok(editor.builder.finish()?)
}

struct Editor {
    builder: TreeBuilder,
    time: i64,
}

impl Editor {
    fn link(&mut self, path: &str, target: &str) -> Result<()> {
        self.builder.replace(Entry::symlink(path, target)?.at(self.time));
        Ok(())
    }

    fn file(&mut self, path: &str, mode: u32, content: Vec<u8>) -> Result<()> {
        let mode = u16::try_from(mode).or_fail(Kind::Project)?;
        self.builder
            .replace(Entry::file(path, mode, Content::bytes(content))?.at(self.time));
        Ok(())
    }
}
