//! Layers: folders that are seen as one, with what is written going to the topmost.

use crate::error::SandboxError;
use rustix::fs::{Mode, OFlags, XattrFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Most lower layers of one overlay: the kernel takes 500, and one page of options, which this number fits into.
pub const MAX_LAYERS: usize = 128;

/// The folders of an overlay.
///
/// A layer that was an `upper` once is a `lower` of the next. Its format is the same whoever made it, the machine's root
/// or an ordinary user: whiteouts are character devices 0:0, opaque folders have the attribute `user.overlay.opaque`
/// (mount option `userxattr`), folders that were renamed are copies (`redirect_dir=nofollow`), files are whole
/// (`metacopy=off`). Hard links within a layer stay what they are; writing to one name of a file of a lower layer parts
/// it from its other names (`index=off`), since links across layers would bind an upper folder to its lower ones for good.
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
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Mounted,
    Unmounted,
}

impl Mounted {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.target
    }

    /// Unmounts it, and says if that did not go.
    pub fn unmount(mut self) -> Result<(), SandboxError> {
        self.state = State::Unmounted;
        rustix::mount::unmount(&self.target, UnmountFlags::DETACH)
            .map_err(|e| SandboxError::io("unmounting the overlay", &self.target, e))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.state == State::Mounted {
            // There is nobody to tell, and the mount ends with the process's mounts in any case.
            let _left = rustix::mount::unmount(&self.target, UnmountFlags::DETACH);
        }
    }
}

/// Mounts an overlay over a folder.
///
/// It takes root, of a user namespace (after [`crate::enter`]) or of the machine; the latter should have called
/// [`crate::private_mounts`], so that nobody else sees the mount, and that it ends with the process however that ends.
/// The mount's options name no path of the machine.
pub fn mount_overlay(overlay: &Overlay, target: &Path) -> Result<Mounted, SandboxError> {
    let bad = |reason: String| SandboxError::BadRequest {
        root: target.to_owned(),
        reason,
    };
    let count = overlay.lower.len();
    if count == 0 || count > MAX_LAYERS {
        return Err(bad(format!(
            "an overlay takes 1 to {MAX_LAYERS} lower layers, not {count}"
        )));
    }
    let lower: Vec<OwnedFd> = overlay
        .lower
        .iter()
        .map(|path| open_folder(path))
        .collect::<Result<_, _>>()?;
    let (upper, work) = (open_folder(&overlay.upper)?, open_folder(&overlay.work)?);
    check_attributes(&overlay.upper)?;
    // Paths of descriptors: short, so that many fit into the page that the kernel takes; without the colons and commas
    // that a path may have; and all that `/proc/self/mountinfo` shows of the machine inside.
    let path = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
    let lower = lower.iter().map(path).collect::<Vec<_>>().join(":");
    let data = format!(
        "lowerdir={lower},upperdir={},workdir={},userxattr,redirect_dir=nofollow,metacopy=off,index=off",
        path(&upper),
        path(&work)
    );
    let data = CString::new(data).map_err(|e| bad(e.to_string()))?;
    rustix::mount::mount(
        "overlay",
        target,
        "overlay",
        MountFlags::NODEV,
        Some(data.as_c_str()),
    )
    .map_err(|e| SandboxError::io("mounting an overlay over", target, e))?;
    Ok(Mounted {
        target: target.to_owned(),
        state: State::Mounted,
    })
}

fn open_folder(path: &Path) -> Result<OwnedFd, SandboxError> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|e| SandboxError::io("opening the layer", path, e))
}

/// Whether the upper folder can hold the kernel's marks. Without them the kernel mounts it nonetheless, and a folder that
/// is removed and made again shows its old contents.
fn check_attributes(upper: &Path) -> Result<(), SandboxError> {
    const PROBE: &str = "user.lazuli.probe";
    let fail = |e: Errno| match e {
        Errno::OPNOTSUPP => SandboxError::NoAttributes {
            path: upper.to_owned(),
        },
        e => SandboxError::io("writing an attribute of", upper, e),
    };
    rustix::fs::setxattr(upper, PROBE, b"", XattrFlags::empty()).map_err(fail)?;
    rustix::fs::removexattr(upper, PROBE).map_err(fail)
}
