//! Reads a staged root into a [`Tree`].
use crate::{Result, Tree, TreePath};
use std::path::Path;

/// How [`Tree::scan`] reads.
#[derive(Default)]
pub struct ScanOptions<'a> {
    /// Times after this one (seconds since 1970) become this one: `SOURCE_DATE_EPOCH`.
    pub clamp_mtime: Option<i64>,
    /// Paths for which this is true are left out, with all below them.
    pub exclude: Option<&'a (dyn Fn(&TreePath) -> bool + Sync)>,
}

impl Tree {
    /// Reads the folder `root`.
    pub fn scan(_root: &Path, _options: &ScanOptions<'_>) -> Result<Tree> {
        todo!()
    }
}
