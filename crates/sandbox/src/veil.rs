//! What is laid over `/proc` so that it tells nothing of the machine: fixed texts, and emptiness over all that is not
//! known to be harmless. A file that a newer kernel brings is empty until somebody has looked at it.
//!
//! [`Veil::new`] runs before the new process is made; the rest between `clone3` and `execve`, see `child`.
#![allow(unsafe_code)]

use crate::mounts::{attach, make_read_only, new_memory, open_below, write_file};
use rustix::fs::{FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;
use rustix::mount::{MountAttrFlags, OpenTreeFlags, UnmountFlags};
use rustix::thread::{ClockId, UnshareFlags};
use std::ffi::{CStr, CString};
use std::fmt::Write as _;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// What of `/proc` stays as it is, beside links and what has a text. `sys` is for reading; `sysvipc` is the namespace's;
/// `uptime` counts from the start; `version` says what `uname` says; `filesystems` is a list of words.
const KEPT: &[&CStr] = &[c"sys", c"sysvipc", c"uptime", c"version", c"filesystems"];

/// What `/etc/machine-id` and the kernel's boot id are, everywhere.
const MACHINE_ID: &str = "00000000000040008000000000000001\n";
const BOOT_ID: &str = "00000000-0000-4000-8000-000000000002\n";

/// How much memory a machine seems to have where there is no limit.
const SHOWN_MEMORY: u64 = 4 << 30;

/// One file with a fixed text.
struct Text {
    /// Its name while it is made.
    name: CString,
    /// Where it is seen, relative to the root. Where there is nothing, nothing is covered.
    target: CString,
    contents: Vec<u8>,
}

/// All texts.
pub(crate) struct Veil {
    texts: Vec<Text>,
}

impl Veil {
    /// The texts for so many CPUs, and so much memory.
    pub(crate) fn new(cpus: u32, memory: Option<u64>) -> Self {
        let texts = [
            ("proc/cpuinfo", cpuinfo(cpus)),
            ("proc/meminfo", meminfo(memory.unwrap_or(SHOWN_MEMORY))),
            ("proc/stat", stat(cpus)),
            ("proc/loadavg", "0.00 0.00 0.00 1/1 1\n".to_owned()),
            ("proc/sys/kernel/random/boot_id", BOOT_ID.to_owned()),
            ("etc/machine-id", MACHINE_ID.to_owned()),
        ];
        let texts = texts
            .into_iter()
            .enumerate()
            .map(|(number, (target, contents))| Text {
                name: CString::new(number.to_string()).unwrap_or_default(),
                target: CString::new(target).unwrap_or_default(),
                contents: contents.into_bytes(),
            });
        Self {
            texts: texts.collect(),
        }
    }

    /// Whether a file at the top of `/proc` has a text.
    fn has(&self, name: &CStr) -> bool {
        self.texts
            .iter()
            .any(|text| text.target.to_bytes().strip_prefix(b"proc/") == Some(name.to_bytes()))
    }
}

/// CPUs with what every one of their architecture has. (Programs that want to know more ask the CPU.)
fn cpuinfo(cpus: u32) -> String {
    let mut text = String::new();
    for number in 0..cpus {
        let _infallible = if cfg!(target_arch = "x86_64") {
            write!(
                text,
                "processor\t: {number}\nvendor_id\t: unknown\ncpu family\t: 6\nmodel\t\t: 0\n\
                 model name\t: x86-64\nstepping\t: 0\ncpu MHz\t\t: 1000.000\ncache size\t: 1024 KB\n\
                 physical id\t: 0\nsiblings\t: {cpus}\ncore id\t\t: {number}\ncpu cores\t: {cpus}\n\
                 flags\t\t: fpu tsc cx8 cmov mmx fxsr sse sse2 syscall nx lm\nbogomips\t: 2000.00\n\n"
            )
        } else {
            write!(
                text,
                "processor\t: {number}\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU architecture: 8\n\n"
            )
        };
    }
    text
}

fn meminfo(bytes: u64) -> String {
    let kib = bytes / 1024;
    format!(
        "MemTotal:       {kib:>8} kB\nMemFree:        {kib:>8} kB\nMemAvailable:   {kib:>8} kB\n\
         Buffers:               0 kB\nCached:                0 kB\nSwapCached:            0 kB\n\
         Active:                0 kB\nInactive:              0 kB\nSwapTotal:             0 kB\n\
         SwapFree:              0 kB\nShmem:                 0 kB\nHugePages_Total:       0\n\
         HugePages_Free:        0\nHugepagesize:       2048 kB\n"
    )
}

/// The C library counts the lines of CPUs for `sysconf(_SC_NPROCESSORS_ONLN)`.
fn stat(cpus: u32) -> String {
    let mut text = "cpu  0 0 0 0 0 0 0 0 0 0\n".to_owned();
    for number in 0..cpus {
        let _infallible = writeln!(text, "cpu{number} 0 0 0 0 0 0 0 0 0 0");
    }
    text.push_str("intr 0\nctxt 0\nbtime 0\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n");
    text
}

/// Lets the time since boot count from now, for the processes that this one starts.
pub(crate) fn restart_clock() -> Result<(), Errno> {
    // SAFETY: `CLONE_FILES` is not among the flags, so no file descriptor changes its meaning.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWTIME) }?;
    for (name, clock) in [
        (b"monotonic -".as_slice(), ClockId::Monotonic),
        (b"boottime -".as_slice(), ClockId::Boottime),
    ] {
        let seconds = rustix::time::clock_gettime(clock).tv_sec;
        let mut line = Line::default();
        line.push(name);
        line.push_number(seconds.unsigned_abs());
        line.push(b" 0\n");
        write_file(c"/proc/self/timens_offsets", line.bytes())?;
    }
    Ok(())
}

/// A short line, made without allocating. What is beyond its end is left out, and the kernel then refuses the rest.
#[derive(Default)]
struct Line {
    bytes: [u8; 32],
    length: usize,
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(slot) = self.bytes.get_mut(self.length) {
                *slot = *byte;
                self.length += 1;
            }
        }
    }

    fn push_number(&mut self, number: u64) {
        let mut power = 1u64;
        while number / power >= 10 {
            power *= 10;
        }
        while power > 0 {
            // One decimal digit.
            self.push(&[b'0' + (number / power % 10) as u8]);
            power /= 10;
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Names of what is empty, beside the texts.
const NOTHING: &CStr = c"nothing";
const NOBODY: &CStr = c"nobody";

/// Covers. `proc` is mounted in the root already; `/tmp` is not yet covered, and lends its place.
pub(crate) fn cover(root: &OwnedFd, proc: &OwnedFd, veil: &Veil) -> Result<(), Errno> {
    let flags = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let texts = new_memory(c"0755", None, flags)?;
    // The kernel copies no mount that is attached nowhere (before Linux 6.15).
    attach(&texts, &open_below(root, c"tmp")?)?;
    for text in &veil.texts {
        write_text(&texts, &text.name, &text.contents)?;
    }
    write_text(&texts, NOTHING, b"")?;
    rustix::fs::mkdirat(&texts, NOBODY, Mode::from_raw_mode(0o555))?;
    make_read_only(&texts, 0)?;
    let system = part(proc, c"sys")?;
    make_read_only(&system, libc::AT_RECURSIVE)?;
    attach(&system, &entry(proc, c"sys")?)?;
    for text in &veil.texts {
        match open_below(root, &text.target) {
            Ok(target) => attach(&part(&texts, &text.name)?, &target)?,
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => return Err(errno),
        }
    }
    cover_unknown(proc, &texts, veil)?;
    // Taken away by the working directory, which no link can lead astray.
    rustix::process::fchdir(&texts)?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH)
}

fn write_text(texts: &OwnedFd, name: &CStr, contents: &[u8]) -> Result<(), Errno> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(texts, name, flags, Mode::from_raw_mode(0o444))?;
    // In memory, a write of this size is never a short one.
    rustix::io::write(&file, contents).map(drop)
}

/// A copy of a mount's part, as a mount of its own.
fn part(mount: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    rustix::mount::open_tree(mount, name, flags)
}

fn entry(proc: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(proc, name, flags, Mode::empty())
}

fn cover_unknown(proc: &OwnedFd, texts: &OwnedFd, veil: &Veil) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(proc, c".", flags, Mode::empty())?;
    let mut space = [MaybeUninit::<u8>::uninit(); 4096];
    let mut entries = RawDir::new(&folder, &mut space);
    while let Some(found) = entries.next() {
        let found = found?;
        let name = found.file_name();
        let process = name.to_bytes().first().is_some_and(u8::is_ascii_digit);
        let above = matches!(name.to_bytes(), b"." | b"..");
        if process || above || KEPT.contains(&name) || veil.has(name) {
            continue;
        }
        let cover = match found.file_type() {
            FileType::Symlink => continue,
            FileType::Directory => NOBODY,
            _ => NOTHING,
        };
        attach(&part(texts, cover)?, &entry(proc, name)?)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_made_without_allocating() {
        let mut line = Line::default();
        line.push(b"monotonic -");
        line.push_number(9_876_543_210);
        line.push(b" 0\n");
        assert_eq!(line.bytes(), b"monotonic -9876543210 0\n");
        let mut zero = Line::default();
        zero.push_number(0);
        assert_eq!(zero.bytes(), b"0");
    }

    #[test]
    fn texts_count_cpus() {
        assert_eq!(cpuinfo(3).matches("processor\t:").count(), 3);
        assert_eq!(stat(3).lines().filter(|l| l.starts_with("cpu")).count(), 4);
        assert!(meminfo(4 << 30).starts_with("MemTotal:        4194304 kB\n"));
    }
}
