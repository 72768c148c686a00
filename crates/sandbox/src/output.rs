//! What became of a program.

use crate::limits::size_words;
use std::time::Duration;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It was killed since it took too long.
    TimedOut,
    /// It was killed since it wrote nothing for so long.
    Idle {
        /// The limit.
        after: Duration,
    },
    /// It was killed since all its processes together used too much memory.
    MemoryLimit {
        /// The limit.
        bytes: u64,
    },
    /// It was killed since it had too many processes and threads.
    ProcessLimit {
        /// The limit.
        processes: u32,
    },
    /// It was killed since its writable layer grew too large.
    LayerLimit {
        /// The limit.
        bytes: u64,
    },
    /// It was killed since the caller asked for it.
    Cancelled,
}

impl Status {
    /// Whether it ended by itself with code 0.
    pub fn success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Signalled(signal) => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("killed: it took too long"),
            Self::Idle { after } => write!(f, "killed: no output for {} s", after.as_secs_f64()),
            Self::MemoryLimit { bytes } => {
                write!(f, "killed: memory limit of {} reached", size_words(*bytes))
            }
            Self::ProcessLimit { processes } => {
                write!(f, "killed: process limit of {processes} reached")
            }
            Self::LayerLimit { bytes } => {
                write!(
                    f,
                    "killed: limit of {} for written files reached",
                    size_words(*bytes)
                )
            }
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// What became of a program.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: Status,
    /// What it wrote, up to the limit.
    pub stdout: Vec<u8>,
    /// What it wrote as errors, up to the limit.
    pub stderr: Vec<u8>,
    /// Whether something was beyond the limit.
    pub truncated: bool,
    /// What the machine did not allow and was done in another way, and what else is to be known of the run.
    pub notes: Vec<String>,
    /// What it used.
    pub usage: Usage,
}

/// What a program and all that it started used, as far as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// From the first process to the last one's end.
    pub wall: Duration,
    /// The most memory that was seen at one time, in bytes. 0 where nobody looked: it ended too soon, or no limit of
    /// memory or processes was set.
    pub memory: u64,
    /// The most processes and threads that were seen at one time.
    pub processes: u32,
}
