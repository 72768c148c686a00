//! Layers: folders that are seen as one, with what is written going to the topmost.

use crate::error::SandboxError;
use std::path::{Path, PathBuf};

/// Most lower layers of one overlay: the kernel takes 500, and one page of options, which this number fits into.
pub const MAX_LAYERS: usize = 128;

/// The folders of an overlay.
///
/// A layer that was an `upper` once is a `lower` of the next. Its format is the same whoever made it, the machine's root
/// or an ordinary user: whiteouts are character devices 0:0, opaque folders have the attribute `user.overlay.opaque`
/// (mount option `userxattr`), folders that were renamed are copies (`redirect_dir=nofollow`), files are whole
/// (`metacopy=off`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// What is only read, topmost first. At least one, at most [`MAX_LAYERS`].
    pub lower: Vec<PathBuf>,
    /// Where what is written goes.
    pub upper: PathBuf,
    /// An empty folder on the file system of `upper`, for the kernel. It leaves a folder in it, which is to be removed
    /// with it.
    pub work: PathBuf,
}

/// An overlay that is mounted. Dropped, it is unmounted.
#[derive(Debug)]
pub struct Mounted {
    target: PathBuf,
}

impl Mounted {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.target
    }

    /// Unmounts it, and says if that did not go.
    pub fn unmount(self) -> Result<(), SandboxError> {
        todo!()
    }
}

/// Mounts an overlay over a folder.
///
/// It takes root, of a user namespace (after [`crate::enter`]) or of the machine; the latter should have called
/// [`crate::private_mounts`], so that nobody else sees the mount, and that it ends with the process however that ends.
/// The mount's options name no path of the machine.
pub fn mount_overlay(overlay: &Overlay, target: &Path) -> Result<Mounted, SandboxError> {
    let _ = (overlay, target);
    todo!()
}
