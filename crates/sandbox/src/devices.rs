//! `/dev`, and the loopback. Called between `clone3` and `execve`: system calls on prepared data only, see `child`.
#![allow(unsafe_code)]

use crate::child::last_error;
use crate::mounts::{attach, clone_tree, make_read_only, new_memory, new_mount, open_below};
use crate::prepared::Size;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};

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

/// What `/dev` has beside devices.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dev {
    /// A folder for shared memory.
    Plain,
    /// Shared memory and terminals of its own; no more can be added.
    Sealed,
}

/// Builds `/dev`. Each memory file system has at most `size` bytes.
pub(crate) fn mount_dev(root: &OwnedFd, kind: Dev, size: Option<&Size>) -> Result<(), Errno> {
    let target = open_below(root, c"dev")?;
    let flags = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    // The devices are mounts of their own, which do not have the flag `nodev`.
    let dev = new_mount(c"tmpfs", &[(c"mode", c"0755")], flags)?;
    attach(&dev, &target)?;
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
        attach(&tree, &point(&dev, name)?)?;
    }
    for (name, target) in DEVICE_LINKS {
        rustix::fs::symlinkat(*target, &dev, *name)?;
    }
    rustix::fs::mkdirat(&dev, c"shm", Mode::from_raw_mode(0o1777))?;
    rustix::fs::chmodat(&dev, c"shm", Mode::from_raw_mode(0o1777), AtFlags::empty())?;
    if kind == Dev::Plain {
        return Ok(());
    }
    let shm = new_memory(c"1777", size, flags)?;
    attach(&shm, &point(&dev, c"shm")?)?;
    mount_terminals(&dev)?;
    make_read_only(&dev, 0)
}

fn point(dev: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(dev, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

/// Pseudo-terminals that are no others' (devpts: each mount has its own since Linux 4.7).
fn mount_terminals(dev: &OwnedFd) -> Result<(), Errno> {
    rustix::fs::mkdirat(dev, c"pts", Mode::from_raw_mode(0o755))?;
    rustix::fs::symlinkat(c"pts/ptmx", dev, c"ptmx")?;
    let flags = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let options = [(c"ptmxmode", c"0666"), (c"mode", c"0620")];
    let terminals = new_mount(c"devpts", &options, flags)?;
    attach(&terminals, &point(dev, c"pts")?)
}

/// The part of `struct ifreq` (netdevice(7)) that is used.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; 16],
    flags: i16,
    rest: [u8; 22],
}

/// Switches on the loopback of a new network namespace; the kernel gives it its addresses.
pub(crate) fn switch_on_loopback() -> Result<(), Errno> {
    let socket =
        rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let mut request = InterfaceRequest {
        name: *b"lo\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        flags: libc::IFF_UP as i16,
        rest: [0; 22],
    };
    // SAFETY: the request has the size of `struct ifreq`, and outlives the call.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) } < 0 {
        return Err(last_error());
    }
    Ok(())
}
