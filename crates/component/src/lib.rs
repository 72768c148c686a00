//! Components as they will be built: overlays, fingerprints, releases, rendered specs

pub mod overlay;
mod source_tree;

pub use source_tree::{
    Content, FileMode, SourceFile, SourcePath, SourceTree, StoredFile, TreeChange, TreeError,
};
