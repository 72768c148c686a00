//! User and mount namespaces: work as root inside, as an ordinary user outside; and a sandbox for strangers' builds.
//!
//! Three things are done here, and nothing else:
//!
//! 1. [`enter`] makes the calling process root of a user namespace of its own, so that it may give files to any
//!    owner, set modes and mount. It is called first thing in `main`, before any thread is started.
//! 2. [`mount_overlay`] lays folders over one another.
//! 3. [`run_in_root`] and [`run_streaming`] run one program inside a root tree, apart from the machine: own processes,
//!    mounts, host name, IPC, and by default no network. Nothing that it started outlives it, and no mount is left.
//!
//! Who the caller is decides what `enter` does:
//!
//! | caller | what happens |
//! |---|---|
//! | ordinary user | a user namespace: 0 is the caller, 1 to 65535 are the caller's subordinate ids (`/etc/subuid`) |
//! | root of the machine | nothing: there is no user namespace, owners are real ones |
//! | root of a namespace with enough ids | nothing: it is inside already |
//!
//! `run_in_root` needs no more than root of some namespace, so both ways end alike.
//!
//! # Builds
//!
//! [`Options::default`] is for programs that we trust and that work as root, such as finalisers. [`Options::build`] is for
//! programs that we do not trust. What keeps them in, each behind the other:
//!
//! | what | how |
//! |---|---|
//! | identity | an ordinary user without capabilities, none to be had: [`User::Unprivileged`] |
//! | namespaces | user, pid, mount, network, IPC, host name, control group, time: each run has its own |
//! | files | the root is `nosuid` and `nodev`; nothing of the machine is mounted but what [`Options::binds`] names |
//! | the kernel | the filter below |
//! | what is seen | [`View::Sealed`] |
//! | what is used up | [`Limits`]; and who passes one is ended with a [`Status`] that says so |
//! | the end | number 1 of the pid namespace ends, and the kernel kills all others; it ends with the caller, too |
//!
//! # The filter
//!
//! [`Filter::Build`] refuses, with `EPERM`: mounts, `chroot`, `pivot_root`; new namespaces and those of others; `ptrace`
//! and all else that reaches into other processes; files by their handles; the clock, the host name, the kernel's log,
//! accounting, quotas, swap, modules, kexec, reboot; device nodes; typing on behalf of a terminal; personalities that
//! weaken. With `ENOSYS`: `clone3` (its flags cannot be seen; the C library takes `clone`), io_uring, BPF, perf,
//! userfaultfd, keyrings, `memfd_create` (memory that no limit sees), and every call that is newer than Linux 6.17. Sockets
//! are local ones, TCP, UDP and ping, and questions for interfaces; others get `EAFNOSUPPORT`. A 32-bit program dies of
//! `SIGSYS`. `chmod` may set setuid bits, which packages have: they are without effect here.
//!
//! # What is not hidden, and not limited
//!
//! - The time, the kernel's release, what the CPU says of itself (`cpuid`), how much memory there is (`sysinfo`).
//! - The CPUs: [`Options::cpus`] is what a program sees, and may widen. A control group with `cpu` enforces it.
//! - Without a control group, what grows between two looks (a tenth of a second), and shared memory that a process has
//!   filled and let go of: the kernel is told to take a build's processes first, should the machine run out.
//!
//! Not here, on purpose: images, what a buildroot is made of, and what is built in it.

mod cancel;
mod cgroup;
mod child;
mod cpus;
mod devices;
mod enter;
mod error;
mod filter;
mod identity;
mod ids;
mod layer;
mod limits;
mod mounts;
mod options;
mod output;
mod overlay;
mod plan;
mod points;
mod prepared;
mod report;
mod run;
mod scratch;
mod session;
mod streams;
mod terminal;
mod veil;
mod watch;

pub use cancel::Cancel;
pub use enter::{Settings, Standing, already_inside, enter, standing};
pub use error::SandboxError;
pub use limits::{LayerLimit, Limits};
pub use options::{
    Access, BUILD_CPUS, BUILD_ID, BUILD_OUTPUT_LIMIT, Bind, Capabilities, DEFAULT_OUTPUT_LIMIT,
    DEFAULT_TIMEOUT, Filter, Network, Options, Stdin, Streams, User, View,
};
pub use output::{Output, Status, Usage};
pub use overlay::{MAX_LAYERS, Mounted, Overlay, mount_overlay};
pub use run::{run_in_root, run_streaming};
pub use scratch::{Scratch, private_mounts};

/// The version of what a program sees inside with [`Options::build`], for fingerprints of builds.
///
/// Raise it with every change here that can change what a build produces: a device, a masked file or its text, a
/// variable of the environment, a system call that is refused or no longer is, a default limit. Do not raise it for
/// faster, tidier or better explained ways to the same view: that would rebuild everything for nothing.
pub const VERSION: u32 = 1;

/// How long after [`Cancel::cancel`] the processes are killed at the latest.
pub const CANCEL_LATENCY: std::time::Duration = std::time::Duration::from_millis(50);
