//! What this machine gives to builds.

use lazuli_build::Limits as BuildLimits;
use lazuli_build::schedule::{Effort, Limits};
use std::num::NonZeroUsize;
use std::time::Duration;

/// Time that an expensive build may take for each run of rpmbuild.
const EXPENSIVE_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// Bytes that one build may write.
const DISK: u64 = 64 << 30;
/// The share of the machine's memory that one build may take: what takes more would make the machine useless.
const MEMORY_SHARE: (u64, u64) = (3, 4);

/// How many builds at once: as many as were asked for, or as there are processors; and as memory allows.
pub fn limits(jobs: Option<NonZeroUsize>) -> Limits {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Limits {
        jobs: jobs.unwrap_or(cores),
        cores,
        memory: memory("MemAvailable:").unwrap_or(u64::MAX),
    }
}

/// What one build may take.
pub fn limits_of(effort: Effort) -> BuildLimits {
    let (part, whole) = MEMORY_SHARE;
    let usual = BuildLimits::default();
    BuildLimits {
        timeout: match effort {
            Effort::Ordinary => usual.timeout,
            Effort::Expensive => EXPENSIVE_TIMEOUT,
        },
        memory: memory("MemTotal:").map(|bytes| bytes / whole * part),
        disk: Some(DISK),
        ..usual
    }
}

/// Memory that the sandbox of one of so many builds may be made in.
pub fn scratch(jobs: usize) -> u64 {
    let (part, whole) = MEMORY_SHARE;
    let available = memory("MemAvailable:").unwrap_or(0);
    available / whole * part / u64::try_from(jobs).unwrap_or(u64::MAX).max(1)
}

/// A line of proc(5), `meminfo`, in bytes.
fn memory(line: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let rest = text.lines().find_map(|one| one.strip_prefix(line))?;
    let kib: u64 = rest.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}
