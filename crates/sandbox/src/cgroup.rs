//! A control group (version 2) for one run, where the machine lets us make one: the kernel then counts memory and
//! processes itself, and no look is needed.
//!
//! A group that has processes cannot pass controllers on to groups below it, and our own has: us. So the run's group is
//! made beside ours, in the group above, if that is ours to write to, as it is below a systemd user manager
//! (`Delegate=yes`), or for root. Nothing is moved: the first process is born in the group (`CLONE_INTO_CGROUP`).

use crate::limits::Limits;
use crate::output::{Status, Usage};
use std::fs::{self, File};
use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// What the names of our groups begin with; then comes the process that made it, and a number.
const PREFIX: &str = "lazuli-run-";

/// The period of `cpu.max`, in microseconds.
const CPU_PERIOD: u64 = 100_000;

/// How often a group is removed that the kernel still says is busy: its processes are dead, but not yet gone.
const MAX_REMOVALS: usize = 100;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A group. Dropped, it is removed; its processes are dead by then.
#[derive(Debug)]
pub(crate) struct Cgroup {
    path: PathBuf,
    folder: File,
    memory: Option<u64>,
    processes: Option<u32>,
}

/// Where groups can be made, and which controllers they would have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    path: PathBuf,
    controllers: Vec<String>,
}

impl Cgroup {
    /// Makes one that keeps the limits. An error says why there can be none: then they are kept otherwise.
    pub(crate) fn make(limits: &Limits, cpus: Option<NonZeroU32>) -> Result<Self, String> {
        let mut wanted = Vec::new();
        wanted.extend(limits.memory.map(|_| "memory"));
        wanted.extend(limits.processes.map(|_| "pids"));
        let mounts = read("/proc/self/mountinfo").map_err(|e| e.to_string())?;
        let own = read("/proc/self/cgroup").map_err(|e| e.to_string())?;
        let own = own_group(&mounts, &own).ok_or("no cgroup of version 2 is mounted")?;
        let place = place(&own, &wanted)?;
        remove_abandoned(&place.path);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = place
            .path
            .join(format!("{PREFIX}{}-{number}", std::process::id()));
        let fail = |e: io::Error| format!("{}: {e}", path.display());
        fs::create_dir(&path).map_err(fail)?;
        let folder = match File::open(&path) {
            Ok(folder) => folder,
            Err(e) => {
                // Nothing is in it yet.
                let _left = fs::remove_dir(&path);
                return Err(fail(e));
            }
        };
        let group = Self {
            path,
            folder,
            memory: limits.memory,
            processes: limits.processes,
        };
        group
            .set(&place, cpus)
            .map_err(|e| format!("{}: {e}", group.path.display()))?;
        Ok(group)
    }

    fn set(&self, place: &Place, cpus: Option<NonZeroU32>) -> io::Result<()> {
        let write = |name: &str, value: String| fs::write(self.path.join(name), value);
        if let Some(bytes) = self.memory {
            write("memory.max", bytes.to_string())?;
            // All of the run or nothing of it: a build that lost one process is no build.
            write("memory.oom.group", "1".to_owned())?;
            match write("memory.swap.max", "0".to_owned()) {
                // A kernel without swap accounting.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        if let Some(processes) = self.processes {
            // The first process is ours.
            write("pids.max", u64::from(processes).saturating_add(1).to_string())?;
        }
        if let Some(cpus) = cpus
            && place.controllers.iter().any(|name| name == "cpu")
        {
            write(
                "cpu.max",
                format!("{} {CPU_PERIOD}", u64::from(cpus.get()) * CPU_PERIOD),
            )?;
        }
        Ok(())
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// What the run is to be ended for, or was ended for by the kernel.
    pub(crate) fn look(&self, usage: &mut Usage) -> Option<Status> {
        let text = |name: &str| read(self.path.join(name)).unwrap_or_default();
        let number = |name: &str| text(name).trim().parse::<u64>().unwrap_or(0);
        usage.memory = usage
            .memory
            .max(number("memory.peak"))
            .max(number("memory.current"));
        let tasks = u32::try_from(number("pids.current").saturating_sub(1)).unwrap_or(u32::MAX);
        usage.processes = usage.processes.max(tasks);
        if let Some(bytes) = self.memory
            && event(&text("memory.events"), "oom_kill") > 0
        {
            return Some(Status::MemoryLimit { bytes });
        }
        // The resource limit, which counts the same, may have refused one before the group would have.
        if let Some(processes) = self.processes
            && (tasks >= processes || event(&text("pids.events"), "max") > 0)
        {
            return Some(Status::ProcessLimit { processes });
        }
        None
    }

    /// Ends all processes at once (since Linux 5.14; before, the end of the pid namespace does it).
    pub(crate) fn kill(&self) {
        let _older = fs::write(self.path.join("cgroup.kill"), "1");
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for _ in 0..MAX_REMOVALS {
            match fs::remove_dir(&self.path) {
                Err(e) if e.kind() == io::ErrorKind::ResourceBusy => std::thread::yield_now(),
                // What is left is removed by the next run in the same place.
                _ => return,
            }
        }
    }
}

fn read(path: impl AsRef<Path>) -> io::Result<String> {
    fs::read_to_string(path)
}

/// The value of a key in a file of lines `key value`.
fn event(text: &str, key: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
        .unwrap_or(0)
}

/// The folder of the process's own group, of the texts of `mountinfo` and `cgroup` (proc(5), cgroups(7)).
fn own_group(mounts: &str, groups: &str) -> Option<PathBuf> {
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (mount, system) = line.split_once(" - ")?;
        if !system.starts_with("cgroup2 ") {
            return None;
        }
        let mut fields = mount.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let below = Path::new(own).strip_prefix(root).ok()?;
        Some(Path::new(point).join(below))
    })
}

/// The group itself, where it passes the controllers on already (the machine's first one may, with processes in it),
/// or the one above it.
fn place(own: &Path, wanted: &[&str]) -> Result<Place, String> {
    let mut reason = "no group above passes them on".to_owned();
    for path in [Some(own), own.parent()].into_iter().flatten() {
        let Ok(text) = read(path.join("cgroup.subtree_control")) else {
            continue;
        };
        let controllers: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let missing: Vec<&str> = wanted
            .iter()
            .filter(|name| !controllers.iter().any(|has| has == *name))
            .copied()
            .collect();
        if missing.is_empty() {
            return Ok(Place {
                path: path.to_owned(),
                controllers,
            });
        }
        reason = format!(
            "{} passes no controller {} on",
            path.display(),
            missing.join(" and ")
        );
    }
    Err(reason)
}

/// Groups of processes that were killed.
fn remove_abandoned(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split('-').next());
        if let Some(owner) = owner
            && !Path::new("/proc").join(owner).exists()
        {
            // Another run may be faster, and one in another pid namespace may use it: the kernel then refuses.
            let _left = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MOUNTS: &str = "25 30 0:23 / /sys rw - sysfs sysfs rw\n\
                          31 25 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_own_group_is_found() {
        let own = own_group(MOUNTS, "0::/user.slice/app.scope\n");
        assert_eq!(
            own.as_deref(),
            Some(Path::new("/sys/fs/cgroup/user.slice/app.scope"))
        );
        let hybrid = "12:memory:/a\n0::/b\n";
        assert_eq!(
            own_group(MOUNTS, hybrid).as_deref(),
            Some(Path::new("/sys/fs/cgroup/b"))
        );
        let part = MOUNTS.replace("0:27 /", "0:27 /docker/x");
        let own = own_group(&part, "0::/docker/x/y\n");
        assert_eq!(own.as_deref(), Some(Path::new("/sys/fs/cgroup/y")));
        assert_eq!(own_group(&part, "0::/other\n"), None);
        assert_eq!(own_group("", "0::/\n"), None);
        assert_eq!(own_group(MOUNTS, "1:cpu:/\n"), None);
    }

    #[test]
    fn events_are_read() {
        let text = "low 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 1\n";
        assert_eq!(event(text, "oom_kill"), 1);
        assert_eq!(event(text, "oom"), 2);
        assert_eq!(event(text, "none"), 0);
    }

    #[test]
    fn the_place_passes_controllers_on() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own");
        fs::create_dir(&own).unwrap();
        fs::write(own.join("cgroup.subtree_control"), "\n").unwrap();
        fs::write(dir.path().join("cgroup.subtree_control"), "cpu memory\n").unwrap();
        let found = place(&own, &["memory"]).unwrap();
        assert_eq!(found.path, dir.path());
        assert_eq!(found.controllers, ["cpu", "memory"]);
        let error = place(&own, &["memory", "pids"]).unwrap_err();
        assert!(error.ends_with("passes no controller pids on"), "{error}");
    }

    #[test]
    fn limits_are_written_and_read() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits {
            memory: Some(1 << 30),
            processes: Some(10),
            ..Limits::default()
        };
        let group = Cgroup {
            path: dir.path().to_owned(),
            folder: File::open(dir.path()).unwrap(),
            memory: limits.memory,
            processes: limits.processes,
        };
        let place = Place {
            path: dir.path().to_owned(),
            controllers: vec!["cpu".to_owned()],
        };
        group.set(&place, NonZeroU32::new(2)).unwrap();
        let text = |name: &str| read(dir.path().join(name)).unwrap();
        assert_eq!(
            [text("memory.max"), text("pids.max"), text("cpu.max")],
            ["1073741824", "11", "200000 100000"]
        );
        let mut usage = Usage::default();
        assert_eq!(group.look(&mut usage), None);
        fs::write(dir.path().join("memory.peak"), "4096\n").unwrap();
        fs::write(dir.path().join("pids.events"), "max 1\n").unwrap();
        assert_eq!(
            group.look(&mut usage),
            Some(Status::ProcessLimit { processes: 10 })
        );
        assert_eq!(usage.memory, 4096);
        fs::write(dir.path().join("memory.events"), "oom_kill 1\n").unwrap();
        assert_eq!(
            group.look(&mut usage),
            Some(Status::MemoryLimit { bytes: 1 << 30 })
        );
    }
}
