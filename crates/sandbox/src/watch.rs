//! Looking at the processes of a run, where no control group counts for us.
//!
//! What is looked at is a `/proc` of the run's own pid namespace, that its first process sent us: no other process of the
//! machine is in it, and the program cannot reach or cover it.
//!
//! Memory is what a process has for itself (anonymous pages), what it shares without a file, its page tables, and System
//! V segments. The sum over processes counts pages twice that two share since a fork; it is an upper bound, and cheap.
//! Only where it passes the limit, the proportional sizes are asked for, in which each page counts once.
//!
//! Not seen: shared memory without a name that a process has filled and then let go of (`MADV_DONTNEED`), and buffers of
//! pipes and sockets, which the number of open files bounds. For these, and for what grows between two looks, the kernel
//! is told to take these processes first if the machine has no memory left.

use crate::output::{Status, Usage};
use rustix::fs::{Dir, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Between two looks, usually.
const CALM: Duration = Duration::from_millis(100);

/// Between two looks when half of a limit is used up.
const TENSE: Duration = Duration::from_millis(20);

/// The next look is at least so many times as far away as the last one took: looking takes a tenth of one CPU at most.
const SPARING: u32 = 9;

/// The most bytes read from one file of `/proc`. `status` has about 1,500.
const MAX_FILE: usize = 64 * 1024;

/// The same for the list of segments: 4096 of them are as many as there can be.
const MAX_SEGMENTS_FILE: usize = 1 << 20;

/// What is looked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    pub(crate) memory: Option<u64>,
    pub(crate) processes: Option<u32>,
}

/// One who looks.
pub(crate) struct Watch {
    bounds: Bounds,
    processes: OwnedFd,
    segments: Option<OwnedFd>,
    next: Instant,
    buffer: Vec<u8>,
}

/// The memory of a process, or of several, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Share {
    /// Anonymous pages, and what of them is swapped.
    own: u64,
    /// Page tables.
    tables: u64,
    /// What is shared without a file, or is in files in memory.
    shared: u64,
}

/// What one look found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    memory: u64,
    tasks: u32,
}

impl Watch {
    pub(crate) fn new(bounds: Bounds, processes: OwnedFd, segments: Option<OwnedFd>) -> Self {
        Self {
            bounds,
            processes,
            segments,
            next: Instant::now(),
            buffer: vec![0; MAX_FILE],
        }
    }

    /// When to look again.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Looks, if it is time. Answers what the run is to be ended for.
    pub(crate) fn look(&mut self, usage: &mut Usage) -> Option<Status> {
        let began = Instant::now();
        if began < self.next {
            return None;
        }
        let (seen, reason) = self.judge();
        usage.memory = usage.memory.max(seen.memory);
        usage.processes = usage.processes.max(seen.tasks);
        let half = |used: u64, limit: Option<u64>| limit.is_some_and(|limit| used >= limit / 2);
        let tense = half(seen.memory, self.bounds.memory)
            || half(seen.tasks.into(), self.bounds.processes.map(u64::from));
        let pause = if tense { TENSE } else { CALM };
        self.next = Instant::now() + pause.max(began.elapsed() * SPARING);
        reason
    }

    fn judge(&mut self) -> (Seen, Option<Status>) {
        // The namespace ends under our eyes at the end of each run: what cannot be read is not there.
        let Ok(mut seen) = self.count(Exactness::UpperBound) else {
            return (Seen::default(), None);
        };
        if let Some(processes) = self.bounds.processes
            && seen.tasks >= processes
        {
            return (seen, Some(Status::ProcessLimit { processes }));
        }
        if let Some(bytes) = self.bounds.memory
            && seen.memory > bytes
        {
            seen = self.count(Exactness::Proportional).unwrap_or(seen);
            if seen.memory > bytes {
                return (seen, Some(Status::MemoryLimit { bytes }));
            }
        }
        (seen, None)
    }

    fn count(&mut self, exactness: Exactness) -> Result<Seen, Errno> {
        let (mut tasks, mut sum) = (0u32, Share::default());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(&self.processes, c".", flags, Mode::empty())?;
        for entry in Dir::new(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            // The first one is ours: its memory is a copy of the caller's.
            if !name.first().is_some_and(u8::is_ascii_digit) || name == b"1" {
                continue;
            }
            let name = String::from_utf8_lossy(name);
            let status = Self::read(&mut self.buffer, &self.processes, &format!("{name}/status"));
            let (share, threads) = parse_status(status);
            tasks = tasks.saturating_add(threads);
            let share = match exactness {
                Exactness::UpperBound => share,
                Exactness::Proportional => {
                    let path = format!("{name}/smaps_rollup");
                    let exact = parse_share(Self::read(&mut self.buffer, &self.processes, &path));
                    Share {
                        tables: share.tables,
                        ..exact.unwrap_or(share)
                    }
                }
            };
            sum.own = sum.own.saturating_add(share.own).saturating_add(share.tables);
            sum.shared = sum.shared.saturating_add(share.shared);
        }
        // Segments are there whether mapped or not; what is mapped of them is in the sum already.
        let shared = sum.shared.max(self.segments());
        Ok(Seen {
            memory: sum.own.saturating_add(shared),
            tasks,
        })
    }

    /// Bytes in System V segments.
    fn segments(&mut self) -> u64 {
        let Some(segments) = &self.segments else { return 0 };
        let mut text = Vec::new();
        while text.len() < MAX_SEGMENTS_FILE {
            // A page at a time is what the kernel gives.
            match rustix::io::pread(segments, self.buffer.as_mut_slice(), text.len() as u64) {
                Ok(count) if count > 0 => {
                    text.extend_from_slice(self.buffer.get(..count).unwrap_or_default());
                }
                _ => break,
            }
        }
        parse_segments(&String::from_utf8_lossy(&text))
    }

    fn read<'a>(buffer: &'a mut [u8], folder: &OwnedFd, path: &str) -> &'a [u8] {
        let open = rustix::fs::openat(folder, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let count = open
            .and_then(|file| rustix::io::read(&file, &mut *buffer))
            .unwrap_or(0);
        buffer.get(..count).unwrap_or_default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exactness {
    UpperBound,
    Proportional,
}

/// The lines `Name:  number` of a file of `/proc`.
fn fields(text: &[u8]) -> impl Iterator<Item = (&[u8], u64)> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let digits = value
            .iter()
            .skip_while(|byte| !byte.is_ascii_digit())
            .take_while(|byte| byte.is_ascii_digit());
        let number = digits.fold(0u64, |n, digit| {
            n.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        });
        Some((name, number))
    })
}

/// Memory and threads, of a `status` (proc_pid_status(5)).
fn parse_status(text: &[u8]) -> (Share, u32) {
    let (mut share, mut threads) = (Share::default(), 0u32);
    for (name, value) in fields(text) {
        match name {
            b"VmPTE" => share.tables = value << 10,
            b"RssAnon" | b"VmSwap" => share.own = share.own.saturating_add(value << 10),
            b"RssShmem" => share.shared = value << 10,
            b"Threads" => threads = u32::try_from(value).unwrap_or(u32::MAX),
            _ => {}
        }
    }
    (share, threads)
}

/// A process's share, of a `smaps_rollup`; none if it is gone.
fn parse_share(text: &[u8]) -> Option<Share> {
    let mut share = None;
    for (name, value) in fields(text) {
        let found: &mut Share = share.get_or_insert_default();
        match name {
            b"Pss_Anon" | b"SwapPss" => found.own = found.own.saturating_add(value << 10),
            b"Pss_Shmem" => found.shared = value << 10,
            _ => {}
        }
    }
    share
}

/// Bytes of all segments, of a `sysvipc/shm`: the columns are named in its first line.
fn parse_segments(text: &str) -> u64 {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let column = |wanted: &str| names.iter().position(|name| *name == wanted);
    let (Some(resident), Some(swapped)) = (column("rss"), column("swap")) else {
        return 0;
    };
    let sizes = lines.map(|line| {
        let size = |index: usize| line.split_whitespace().nth(index).and_then(|v| v.parse().ok());
        size(resident)
            .unwrap_or(0u64)
            .saturating_add(size(swapped).unwrap_or(0))
    });
    sizes.fold(0, u64::saturating_add)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_kernel_are_read() {
        let share = |own: u64, tables: u64, shared: u64| Share {
            own: own << 10,
            tables: tables << 10,
            shared: shared << 10,
        };
        let status =
            b"Name:\tcc1\nVmRSS:\t  900 kB\nRssAnon:\t    100 kB\nRssFile:\t 700 kB\nRssShmem:\t 20 kB\n\
                       VmPTE:\t 4 kB\nVmSwap:\t 1 kB\nThreads:\t3\n";
        assert_eq!(parse_status(status), (share(101, 4, 20), 3));
        assert_eq!(parse_status(b""), (Share::default(), 0));
        let rollup = b"5-7 ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss: 8 kB\nPss_Anon:  5 kB\nPss_File: 2 kB\n\
                       Pss_Shmem: 1 kB\nSwapPss: 1 kB\n";
        assert_eq!(parse_share(rollup), Some(share(6, 0, 1)));
        assert_eq!(parse_share(b""), None);
        let segments = "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n\
                        0 1 600 8192 2 2 0 1000 1000 1000 1000 0 0 0 4096 1\n\
                        0 2 600 8192 2 2 1 1000 1000 1000 1000 0 0 0 8192 0\n";
        assert_eq!(parse_segments(segments), 12289);
        assert_eq!(parse_segments(""), 0);
    }
}
