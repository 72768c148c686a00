//! What an initrd consists of, as data: which programs, units and rules of the root go in, and the few files that are
//! the initrd's own.
//!
//! The parts and why they are there:
//!
//! | part | why |
//! |---|---|
//! | `systemd`, `systemd-executor`, `systemctl` | the init of the initrd; `systemctl` switches to the root |
//! | `systemd-udevd`, `udevadm`, five rule files | makes `/dev/disk/by-partuuid/…` and tells systemd of devices |
//! | `systemd-modules-load`, `libkmod` | loads the drivers of disks by a list: all buses need not be walked |
//! | `systemd-fstab-generator` | makes `sysroot.mount` of `root=` |
//! | `systemd-fsck`, `e2fsck` | checks the root file system after a crash |
//! | `systemd-sysroot-fstab-check` | `/usr` and the like from the root's own `fstab` |
//! | no journal | messages go to the kernel's log, from where the root's journal takes them |
//! | no shell | nobody can log in to an initrd; on failure it says why and restarts the machine |

/// Programs that must be there: the path in the root, which is also the path in the initrd.
pub(super) const PROGRAMS: &[&str] = &[
    "/usr/bin/mount",
    "/usr/bin/sleep",
    "/usr/bin/systemctl",
    "/usr/bin/udevadm",
    "/usr/bin/umount",
    "/usr/lib/systemd/system-generators/systemd-fstab-generator",
    "/usr/lib/systemd/systemd",
    "/usr/lib/systemd/systemd-fsck",
    "/usr/lib/systemd/systemd-modules-load",
    "/usr/lib/systemd/systemd-shutdown",
    "/usr/lib/systemd/systemd-sysroot-fstab-check",
    "/usr/lib/systemd/systemd-udevd",
    "/usr/sbin/e2fsck",
    "/usr/sbin/fsck",
    "/usr/sbin/fsck.ext4",
];

/// Programs that go in where the root has them: systemd starts services through the executor since version 255.
pub(super) const OPTIONAL_PROGRAMS: &[&str] = &["/usr/lib/systemd/systemd-executor"];

/// Libraries that are loaded by name while running (`dlopen`), and so are in no `DT_NEEDED`.
pub(super) const LOADED_LIBRARIES: &[&str] = &["libkmod.so.2"];

/// Units of the root that go in as they are.
pub(super) const UNITS: &[&str] = &[
    "basic.target",
    "emergency.target",
    "final.target",
    "initrd-cleanup.service",
    "initrd-fs.target",
    "initrd-parse-etc.service",
    "initrd-root-device.target",
    "initrd-root-fs.target",
    "initrd-switch-root.service",
    "initrd-switch-root.target",
    "initrd-udevadm-cleanup-db.service",
    "initrd-usr-fs.target",
    "initrd.target",
    "local-fs-pre.target",
    "local-fs.target",
    "paths.target",
    "poweroff.target",
    "reboot.target",
    "rescue.target",
    "shutdown.target",
    "slices.target",
    "sockets.target",
    "swap.target",
    "sysinit.target",
    "systemd-fsck@.service",
    "systemd-fsck-root.service",
    "systemd-modules-load.service",
    "systemd-poweroff.service",
    "systemd-reboot.service",
    "systemd-udev-trigger.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-udevd.service",
    "timers.target",
    "umount.target",
];

/// Which unit is started by which target.
pub(super) const WANTS: &[(&str, &str)] = &[
    ("sockets.target", "systemd-udevd-control.socket"),
    ("sockets.target", "systemd-udevd-kernel.socket"),
    ("sysinit.target", "systemd-modules-load.service"),
    ("sysinit.target", "systemd-udev-trigger.service"),
    ("sysinit.target", "systemd-udevd.service"),
];

/// udev rules of the root that go in: names and tags of disks, and nothing else.
pub(super) const RULES: &[&str] = &[
    "50-udev-default.rules",
    "60-block.rules",
    "60-persistent-storage.rules",
    "80-drivers.rules",
    "99-systemd.rules",
];

/// Folders that are mount points, or that programs expect.
pub(super) const FOLDERS: &[&str] = &[
    "dev", "etc", "proc", "root", "run", "sys", "sysroot", "tmp", "var",
];

/// Links: path and target.
pub(super) const LINKS: &[(&str, &str)] = &[
    ("etc/os-release", "initrd-release"),
    ("init", "usr/lib/systemd/systemd"),
    ("usr/lib/systemd/system/ctrl-alt-del.target", "reboot.target"),
    ("usr/lib/systemd/system/default.target", "initrd.target"),
    ("var/run", "../run"),
];

/// Small files that are the initrd's own: path and content.
pub(super) const FILES: &[(&str, &str)] = &[
    ("etc/group", "root:x:0:\ntty:x:5:\ndisk:x:6:\nkmem:x:15:\n"),
    ("etc/machine-id", ""),
    ("etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n"),
    ("etc/shadow", "root:!*:::::::\n"),
    (
        "etc/systemd/system.conf",
        // What programs print goes to the console: without a journal, `kmsg` is not possible for them.
        "[Manager]\nLogTarget=kmsg\nDefaultStandardOutput=tty\nDefaultStandardError=tty\n",
    ),
    (
        // What emergency.target starts. There is no shell: the console of a cloud machine is no place to log in without
        // a password, and a machine that waits for a person is worse than one that tries again.
        "usr/lib/systemd/system/emergency.service",
        "[Unit]\n\
         Description=The root file system could not be started. This machine restarts in 30 seconds\n\
         DefaultDependencies=no\nConflicts=shutdown.target\nBefore=shutdown.target\n\n\
         [Service]\nType=oneshot\nExecStart=sleep 30\nExecStopPost=systemctl --no-block --force reboot\n",
    ),
    (
        // The drivers of disks are loaded by name, so only the disks that were there before udev started need an event.
        "usr/lib/systemd/system/systemd-udev-trigger.service.d/10-initrd.conf",
        "[Service]\nExecStart=\nExecStart=-udevadm trigger --action=add --subsystem-match=block\n",
    ),
];
