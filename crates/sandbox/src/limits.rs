//! What a program may use up.
//!
//! | limit | where a cgroup (version 2) with the controller can be made | elsewhere |
//! |---|---|---|
//! | memory | `memory.max` | the caller looks at all processes of the pid namespace several times a second, and ends them |
//! | processes | `pids.max` | `RLIMIT_NPROC`, which counts by user namespace; and the look |
//! | open files, file size, address space, core files | resource limits | the same |
//! | `/tmp`, `/run`, `/dev/shm` | the size of each memory file system | the same |
//! | written files | the look | the same |
//! | time, silence | the caller's clock | the same |

use std::path::PathBuf;
use std::time::Duration;

/// The size of the writable layer: a folder whose growth is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerLimit {
    /// The folder, such as the upper one of an [`crate::Overlay`].
    pub path: PathBuf,
    /// How many bytes may be in use below it; each file and folder counts 1 KiB beside its contents.
    pub bytes: u64,
}

/// What a program may use up. `None`: as much as the caller may.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Memory of all processes together, in bytes; pages that several share count once. Files in `/tmp`, `/run` and
    /// `/dev/shm` have their own limit, `scratch`; a control group counts them here as well.
    pub memory: Option<u64>,
    /// Processes and threads at one time. Reaching it ends the run.
    pub processes: Option<u32>,
    /// Open files of each process.
    pub open_files: Option<u64>,
    /// Bytes of each file that is written.
    pub file_size: Option<u64>,
    /// Address space of each process, in bytes. Not memory: some runtimes and all sanitisers reserve far more than they
    /// use, and do not start under a limit that memory would never reach. So builds have none.
    pub address_space: Option<u64>,
    /// Bytes in each of `/tmp`, `/run` and `/dev/shm`, which lie in memory.
    pub scratch: Option<u64>,
    /// The writable layer.
    pub layer: Option<LayerLimit>,
    /// How long it may write nothing. Only with [`crate::Streams::Lines`] and [`crate::Streams::Capture`].
    pub idle: Option<Duration>,
}

impl Limits {
    /// What a build gets where nothing else is said: enough for large programs, too little to harm the machine. The
    /// layer has no limit, since only the caller knows where it is.
    pub fn build() -> Self {
        Self {
            memory: Some(4 << 30),
            processes: Some(4096),
            open_files: Some(4096),
            file_size: Some(16 << 30),
            address_space: None,
            scratch: Some(2 << 30),
            layer: None,
            idle: Some(Duration::from_secs(60 * 60)),
        }
    }
}

/// A number of bytes for people: in the largest unit that leaves no rest, or with one digit after the point.
pub(crate) fn size_words(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    while unit + 1 < UNITS.len() && bytes >= 1 << (10 * (unit + 1)) {
        unit += 1;
    }
    let size = 1u64 << (10 * unit);
    let name = UNITS.get(unit).unwrap_or(&"bytes");
    if bytes.is_multiple_of(size) {
        format!("{} {name}", bytes / size)
    } else {
        let tenths = u128::from(bytes) * 10 / u128::from(size);
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_words() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (4 << 30, "4 GiB"),
            (1536, "1.5 KiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size_words(bytes), words);
        }
    }
}
