//! The mounts of a sandbox. Called between `clone3` and `execve`: system calls on prepared data only, see `child`.
#![allow(unsafe_code)]

use crate::child::{Failure, Prepared, PreparedBind, Step, at, last_error};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Devices that are seen inside.
const DEVICES: &[(&CStr, &CStr)] = &[
    (c"null", c"/dev/null"),
    (c"zero", c"/dev/zero"),
    (c"full", c"/dev/full"),
    (c"random", c"/dev/random"),
    (c"urandom", c"/dev/urandom"),
    (c"tty", c"/dev/tty"),
];

/// Links in `/dev`.
const DEVICE_LINKS: &[(&CStr, &CStr)] = &[
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
];

/// How often a path is resolved that others change at the same time.
const MAX_TRIES: usize = 128;

/// Opens a path as if the given folder were the root, whatever links say.
pub(crate) fn open_inside(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    resolve(root, path, flags)
}

fn open_below(root: &OwnedFd, path: &CStr) -> Result<OwnedFd, Errno> {
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

fn attach(mount: &OwnedFd, target: &OwnedFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", target, c"", flags)
}

/// Builds all mounts and changes to the new root. `degraded` is told what had to be done in another way.
pub(crate) fn set_up(prepared: &Prepared, degraded: &dyn Fn(Failure)) -> Result<(), Failure> {
    rustix::mount::mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(at(Step::Private))?;
    let root = mount_root(prepared).map_err(at(Step::Root))?;
    mount_proc(&root, degraded)?;
    mount_dev(&root).map_err(at(Step::Dev))?;
    mount_empty(&root, c"tmp", c"1777").map_err(at(Step::Scratch))?;
    mount_empty(&root, c"run", c"0755").map_err(at(Step::Scratch))?;
    match mount_empty(&root, c"sys", c"0555") {
        Ok(_) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(at(Step::Scratch)(errno)),
    }
    for bind in &prepared.binds {
        bind_into(&root, bind).map_err(at(Step::Bind))?;
    }
    pivot(&root).map_err(at(Step::Pivot))?;
    rustix::system::sethostname(&prepared.hostname).map_err(at(Step::Name))
}

/// Mounts the root on itself, since only a mount can become a root. Answers the new mount: a path would still
/// lead to the old one where the root is `/`.
fn mount_root(prepared: &Prepared) -> Result<OwnedFd, Errno> {
    let tree = clone_tree(&prepared.root)?;
    rustix::mount::move_mount(
        &tree,
        c"",
        CWD,
        prepared.root.as_c_str(),
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )?;
    Ok(tree)
}

fn clone_tree(path: &CStr) -> Result<OwnedFd, Errno> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    rustix::mount::open_tree(CWD, path, flags)
}

fn new_mount(kind: &CStr, mode: Option<&CStr>, attributes: MountAttrFlags) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    if let Some(mode) = mode {
        rustix::mount::fsconfig_set_string(&context, c"mode", mode)?;
    }
    rustix::mount::fsconfig_create(&context)?;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn mount_proc(root: &OwnedFd, degraded: &dyn Fn(Failure)) -> Result<(), Failure> {
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let target = open_below(root, c"proc").map_err(at(Step::Proc))?;
    // Where parts of the machine's /proc are covered (containers do so), the kernel refuses a fresh one in a user
    // namespace: then the machine's is shown.
    let mount = match new_mount(c"proc", None, attributes) {
        Ok(mount) => mount,
        Err(errno) => {
            degraded(at(Step::Proc)(errno));
            clone_tree(c"/proc").map_err(at(Step::Proc))?
        }
    };
    attach(&mount, &target).map_err(at(Step::Proc))
}

fn mount_empty(root: &OwnedFd, path: &CStr, mode: &CStr) -> Result<OwnedFd, Errno> {
    let target = open_below(root, path)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let mount = new_mount(c"tmpfs", Some(mode), attributes)?;
    attach(&mount, &target)?;
    Ok(mount)
}

fn mount_dev(root: &OwnedFd) -> Result<(), Errno> {
    let dev = mount_empty(root, c"dev", c"0755")?;
    for (name, source) in DEVICES {
        let tree = match clone_tree(source) {
            Ok(tree) => tree,
            // A machine without that device.
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        drop(rustix::fs::openat(
            &dev,
            *name,
            flags,
            Mode::from_raw_mode(0o666),
        )?);
        let point = rustix::fs::openat(&dev, *name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        attach(&tree, &point)?;
    }
    for (name, target) in DEVICE_LINKS {
        rustix::fs::symlinkat(*target, &dev, *name)?;
    }
    rustix::fs::mkdirat(&dev, c"shm", Mode::from_raw_mode(0o1777))?;
    rustix::fs::chmodat(&dev, c"shm", Mode::from_raw_mode(0o1777), AtFlags::empty())
}

fn bind_into(root: &OwnedFd, bind: &PreparedBind) -> Result<(), Errno> {
    let tree = clone_tree(&bind.source)?;
    if bind.read_only {
        make_read_only(&tree)?;
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

fn make_read_only(tree: &OwnedFd) -> Result<(), Errno> {
    let attributes = MountAttributes {
        set: libc::MOUNT_ATTR_RDONLY,
        ..MountAttributes::default()
    };
    // SAFETY: the path is a C string and the attributes outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
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
