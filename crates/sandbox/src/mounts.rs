//! The mounts of a sandbox. Called between `clone3` and `execve`: system calls on prepared data only, see `child`.
#![allow(unsafe_code)]

use crate::child::last_error;
use crate::devices::{Dev, mount_dev};
use crate::prepared::{Prepared, PreparedBind, Size};
use crate::report::{Failure, Step, at};
use crate::veil;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

const PROC_ATTRIBUTES: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID
    .union(MountAttrFlags::MOUNT_ATTR_NODEV)
    .union(MountAttrFlags::MOUNT_ATTR_NOEXEC);

/// How often a path is resolved that others change at the same time.
const MAX_TRIES: usize = 128;

/// Opens a path as if the given folder were the root, whatever links say.
pub(crate) fn open_inside(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    resolve(root, path, flags)
}

pub(crate) fn open_below(root: &OwnedFd, path: &CStr) -> Result<OwnedFd, Errno> {
    resolve(root.as_fd(), path, OFlags::PATH)
}

fn resolve<P: rustix::path::Arg + Copy>(
    root: BorrowedFd<'_>,
    path: P,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let mut tries = 0;
    loop {
        tries += 1;
        match rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            // Something was renamed while a `..` was followed: the kernel asks to try again (openat2(2)).
            Err(Errno::AGAIN | Errno::INTR) if tries < MAX_TRIES => {}
            other => return other,
        }
    }
}

pub(crate) fn attach(mount: &OwnedFd, target: &OwnedFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", target, c"", flags)
}

/// Builds all mounts and changes to the new root. `degraded` is told what had to be done in another way.
pub(crate) fn set_up(prepared: &Prepared, degraded: &dyn Fn(Failure)) -> Result<(), Failure> {
    rustix::mount::mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(at(Step::Private))?;
    if prepared.veil.is_some()
        && let Err(errno) = veil::restart_clock()
    {
        degraded(at(Step::Clock)(errno));
    }
    let root = mount_root(prepared).map_err(at(Step::Root))?;
    let proc = mount_proc(&root, prepared, degraded)?;
    let size = prepared.scratch.as_ref();
    let dev = match &prepared.veil {
        None => Dev::Plain,
        Some(veil) => {
            veil::cover(&root, &proc, veil).map_err(at(Step::Veil))?;
            Dev::Sealed
        }
    };
    mount_dev(&root, dev, size).map_err(at(Step::Dev))?;
    mount_empty(&root, c"tmp", c"1777", size).map_err(at(Step::Scratch))?;
    mount_empty(&root, c"run", c"0755", size).map_err(at(Step::Scratch))?;
    match mount_empty(&root, c"sys", c"0555", size) {
        Ok(_) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(at(Step::Scratch)(errno)),
    }
    for bind in &prepared.binds {
        bind_into(&root, bind).map_err(at(Step::Bind))?;
    }
    pivot(&root).map_err(at(Step::Pivot))?;
    rustix::system::sethostname(&prepared.hostname).map_err(at(Step::Name))
}

/// A view of all processes of the namespace, that is attached nowhere.
pub(crate) fn processes() -> Result<OwnedFd, Errno> {
    new_mount(c"proc", &[], PROC_ATTRIBUTES)
}

/// The list of System V shared memory segments of this process's namespace, whoever reads it.
pub(crate) fn shared_segments(proc: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::openat(proc, c"sysvipc/shm", flags, Mode::empty())
}

/// Writes a file of the kernel's, in one piece.
pub(crate) fn write_file(path: &CStr, bytes: &[u8]) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    rustix::io::write(&file, bytes).map(drop)
}

/// Mounts the root on itself, since only a mount can become a root. Answers the new mount: a path would still
/// lead to the old one where the root is `/`.
fn mount_root(prepared: &Prepared) -> Result<OwnedFd, Errno> {
    let tree = clone_tree(&prepared.root)?;
    if prepared.inert_files {
        let inert = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
        set_attributes(&tree, inert, libc::AT_RECURSIVE)?;
    }
    rustix::mount::move_mount(
        &tree,
        c"",
        CWD,
        prepared.root.as_c_str(),
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )?;
    Ok(tree)
}

pub(crate) fn clone_tree(path: &CStr) -> Result<OwnedFd, Errno> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    rustix::mount::open_tree(CWD, path, flags)
}

/// A mount of a new file system, that is attached nowhere yet.
pub(crate) fn new_mount(
    kind: &CStr,
    options: &[(&CStr, &CStr)],
    attributes: MountAttrFlags,
) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (name, value) in options {
        rustix::mount::fsconfig_set_string(&context, *name, *value)?;
    }
    rustix::mount::fsconfig_create(&context)?;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn mount_proc(root: &OwnedFd, prepared: &Prepared, degraded: &dyn Fn(Failure)) -> Result<OwnedFd, Failure> {
    let target = open_below(root, c"proc").map_err(at(Step::Proc))?;
    // Processes of others, the first one among them, are not seen, but by a group that nobody is in: without that word
    // it would be the group 0.
    let hidden: &[(&CStr, &CStr)] = &[(c"hidepid", c"2"), (c"gid", c"65534")];
    let options = if prepared.veil.is_some() { hidden } else { &[] };
    // Where parts of the machine's /proc are covered (containers do so), the kernel refuses a fresh one in a user
    // namespace: then the machine's is shown, but not to those who shall not see it.
    let mount = match new_mount(c"proc", options, PROC_ATTRIBUTES) {
        Ok(mount) => mount,
        Err(errno) if prepared.veil.is_some() => return Err(at(Step::Proc)(errno)),
        Err(errno) => {
            degraded(at(Step::Proc)(errno));
            clone_tree(c"/proc").map_err(at(Step::Proc))?
        }
    };
    attach(&mount, &target).map_err(at(Step::Proc))?;
    Ok(mount)
}

fn mount_empty(root: &OwnedFd, path: &CStr, mode: &CStr, size: Option<&Size>) -> Result<OwnedFd, Errno> {
    let target = open_below(root, path)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let mount = new_memory(mode, size, attributes)?;
    attach(&mount, &target)?;
    Ok(mount)
}

/// A mount of memory of at most so many bytes, that is attached nowhere yet.
pub(crate) fn new_memory(
    mode: &CStr,
    size: Option<&Size>,
    attributes: MountAttrFlags,
) -> Result<OwnedFd, Errno> {
    match size {
        Some(Size { bytes, files }) => {
            let options = [(c"mode", mode), (c"size", bytes), (c"nr_inodes", files)];
            new_mount(c"tmpfs", &options, attributes)
        }
        None => new_mount(c"tmpfs", &[(c"mode", mode)], attributes),
    }
}

fn bind_into(root: &OwnedFd, bind: &PreparedBind) -> Result<(), Errno> {
    let tree = clone_tree(&bind.source)?;
    if bind.read_only {
        make_read_only(&tree, libc::AT_RECURSIVE)?;
    }
    attach(&tree, &open_below(root, &bind.target)?)
}

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
#[derive(Default)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Makes a mount read-only; with `AT_RECURSIVE` those below it, too.
pub(crate) fn make_read_only(tree: &OwnedFd, flags: i32) -> Result<(), Errno> {
    set_attributes(tree, libc::MOUNT_ATTR_RDONLY, flags)
}

fn set_attributes(tree: &OwnedFd, set: u64, flags: i32) -> Result<(), Errno> {
    let attributes = MountAttributes {
        set,
        ..MountAttributes::default()
    };
    // SAFETY: the path is a C string and the attributes outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | flags,
            &raw const attributes,
            std::mem::size_of::<MountAttributes>(),
        )
    };
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

fn pivot(root: &OwnedFd) -> Result<(), Errno> {
    rustix::process::fchdir(root)?;
    // Old root on top of the new one, then taken away: no folder for it is needed (pivot_root(2), notes).
    rustix::process::pivot_root(c".", c".")?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
}
