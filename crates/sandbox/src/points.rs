//! Mount points in a root: made where they are missing, and removed afterwards.

use crate::error::SandboxError;
use crate::mounts::open_inside;
use crate::options::Bind;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// The path of a bind's target relative to the root; it must be absolute and plain.
pub(crate) fn inside(root: &Path, target: &Path) -> Result<PathBuf, SandboxError> {
    let relative = target.strip_prefix("/").ok();
    let plain = relative.filter(|path| path.components().all(|part| matches!(part, Component::Normal(_))));
    plain
        .filter(|path| !path.as_os_str().is_empty())
        .map(Path::to_owned)
        .ok_or_else(|| SandboxError::BadRequest {
            root: root.to_owned(),
            reason: format!("`{}` is no absolute path to bind to", target.display()),
        })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
}

/// Mount points that had to be made in the root, to be removed again.
pub(crate) struct MountPoints {
    root: PathBuf,
    descriptor: OwnedFd,
    made: Vec<(PathBuf, Kind)>,
}

impl MountPoints {
    /// Opens the root.
    pub(crate) fn new(root: &Path) -> Result<Self, SandboxError> {
        let descriptor = rustix::fs::open(
            root,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|e| SandboxError::io("opening", root, e))?;
        Ok(Self {
            root: root.to_owned(),
            descriptor,
            made: Vec::new(),
        })
    }

    /// Makes what is missing. Whoever makes something has the root for himself until it is removed again: a mount
    /// point that goes away takes the mounts of others with it. Where all is there, many run at once.
    pub(crate) fn make(&mut self, binds: &[Bind]) -> Result<(), SandboxError> {
        let mut wanted: Vec<_> = ["proc", "dev", "tmp", "run"]
            .map(|name| (PathBuf::from(name), Kind::Folder))
            .into();
        for bind in binds {
            let kind = if bind.source.is_dir() {
                Kind::Folder
            } else {
                Kind::File
            };
            wanted.push((inside(&self.root, &bind.target)?, kind));
        }
        self.lock(FlockOperation::LockShared)?;
        let missing = wanted
            .iter()
            .any(|(at, _)| open_inside(self.descriptor.as_fd(), at, OFlags::PATH).is_err());
        if missing {
            // Not atomic, so that what is missing is found out again below, by `ensure`.
            self.lock(FlockOperation::LockExclusive)?;
        }
        wanted.iter().try_for_each(|(at, kind)| self.ensure(at, *kind))
    }

    fn lock(&self, how: FlockOperation) -> Result<(), SandboxError> {
        rustix::io::retry_on_intr(|| rustix::fs::flock(&self.descriptor, how))
            .map_err(|e| SandboxError::io("locking", &self.root, e))
    }

    fn ensure(&mut self, relative: &Path, kind: Kind) -> Result<(), SandboxError> {
        let mut at = PathBuf::new();
        let parts: Vec<_> = relative.components().collect();
        for (index, part) in parts.iter().enumerate() {
            at.push(part);
            let kind = if index + 1 == parts.len() {
                kind
            } else {
                Kind::Folder
            };
            self.ensure_one(&at, kind)?;
        }
        Ok(())
    }

    fn ensure_one(&mut self, at: &Path, kind: Kind) -> Result<(), SandboxError> {
        let fail = |e: Errno| SandboxError::io("making the mount point", self.root.join(at), e);
        if open_inside(self.descriptor.as_fd(), at, OFlags::PATH).is_ok() {
            return Ok(());
        }
        // The folder above exists by now; resolved inside the root, a link cannot lead out of it.
        let (parent, name) = (
            at.parent().unwrap_or(Path::new("")),
            at.file_name().unwrap_or_default(),
        );
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        let folder =
            open_inside(self.descriptor.as_fd(), parent, OFlags::PATH | OFlags::DIRECTORY).map_err(fail)?;
        match kind {
            Kind::Folder => rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755)).map_err(fail)?,
            Kind::File => {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                drop(rustix::fs::openat(&folder, name, flags, Mode::from_raw_mode(0o644)).map_err(fail)?);
            }
        }
        self.made.push((at.to_owned(), kind));
        Ok(())
    }

    /// Removes what was made.
    pub(crate) fn remove(&mut self) -> Result<(), SandboxError> {
        let mut first = Ok(());
        while let Some((at, kind)) = self.made.pop() {
            let path = self.root.join(&at);
            let removed = match kind {
                Kind::Folder => std::fs::remove_dir(&path),
                Kind::File => std::fs::remove_file(&path),
            };
            match removed {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound && first.is_ok() => {
                    first = Err(SandboxError::io("removing the mount point", path, e));
                }
                _ => {}
            }
        }
        first
    }
}

impl Drop for MountPoints {
    fn drop(&mut self) {
        // Only reached with something left when setting up failed, and that error is the one to report.
        let _left = self.remove();
    }
}
