//! What the new processes tell the caller: where setting up failed, what was done in another way, how it ended.

use rustix::io::Errno;

/// All reports of one run are shorter than this.
pub(crate) const MAX_REPORT: usize = 4096;

/// What was being done. The number goes through the report pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    Clone = 1,
    Private,
    Root,
    Proc,
    Dev,
    Scratch,
    Bind,
    Pivot,
    Name,
    Streams,
    Capabilities,
    Directory,
    Exec,
    Worker,
    Maps,
    Clock,
    Veil,
    Loopback,
    Watch,
    Limits,
    User,
    Terminal,
    Filter,
}

const STEPS: &[Step] = &[
    Step::Clone,
    Step::Private,
    Step::Root,
    Step::Proc,
    Step::Dev,
    Step::Scratch,
    Step::Bind,
    Step::Pivot,
    Step::Name,
    Step::Streams,
    Step::Capabilities,
    Step::Directory,
    Step::Exec,
    Step::Worker,
    Step::Maps,
    Step::Clock,
    Step::Veil,
    Step::Loopback,
    Step::Watch,
    Step::Limits,
    Step::User,
    Step::Terminal,
    Step::Filter,
];

impl Step {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Clone => "starting a process in new namespaces",
            Self::Private => "making the mounts private",
            Self::Root => "mounting the root on itself",
            Self::Proc => "mounting /proc",
            Self::Dev => "making /dev",
            Self::Scratch => "mounting the empty folders",
            Self::Bind => "binding a folder of the machine",
            Self::Pivot => "changing the root",
            Self::Name => "setting the host name",
            Self::Streams => "connecting input and output",
            Self::Capabilities => "giving up capabilities",
            Self::Directory => "changing to the working directory",
            Self::Exec => "starting the program",
            Self::Worker => "starting the second process",
            Self::Maps => "mapping the ids",
            Self::Clock => "counting the time since boot from the start",
            Self::Veil => "covering what /proc tells of the machine",
            Self::Loopback => "switching on the loopback",
            Self::Watch => "handing out a view of the processes",
            Self::Limits => "setting limits",
            Self::User => "changing to the user",
            Self::Terminal => "taking the terminal",
            Self::Filter => "setting the filter of system calls",
        }
    }
}

/// A step that did not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) step: Step,
    pub(crate) errno: i32,
}

impl Failure {
    pub(crate) fn source(self) -> std::io::Error {
        std::io::Error::from_raw_os_error(self.errno)
    }
}

pub(crate) fn at(step: Step) -> impl Fn(Errno) -> Failure {
    move |errno| Failure {
        step,
        errno: errno.raw_os_error(),
    }
}

/// What comes through the report pipe: eight bytes each, kind, step, two zeros, value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Failed(Failure),
    Degraded(Failure),
    Ended(i32),
}

impl Message {
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        let (kind, step, value) = match self {
            Self::Failed(f) => (0, f.step as u8, f.errno),
            Self::Degraded(f) => (1, f.step as u8, f.errno),
            Self::Ended(status) => (2, 0, status),
        };
        let [a, b, c, d] = value.to_ne_bytes();
        [kind, step, 0, 0, a, b, c, d]
    }

    pub(crate) fn parse_all(bytes: &[u8]) -> impl Iterator<Item = Self> + '_ {
        bytes.chunks_exact(8).filter_map(|chunk| {
            let [kind, step, _, _, a, b, c, d] = *chunk else {
                return None;
            };
            let value = i32::from_ne_bytes([a, b, c, d]);
            let step = STEPS.iter().find(|s| **s as u8 == step);
            match (kind, step) {
                (0, Some(&step)) => Some(Self::Failed(Failure { step, errno: value })),
                (1, Some(&step)) => Some(Self::Degraded(Failure { step, errno: value })),
                (2, _) => Some(Self::Ended(value)),
                _ => None,
            }
        })
    }
}
