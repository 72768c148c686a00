//! User and mount namespaces: work as root inside, as an ordinary user outside.
//!
//! Two things are done here, and nothing else:
//!
//! 1. [`enter`] makes the calling process root of a user namespace of its own, so that it may give files to any
//!    owner, set modes and mount. It is called first thing in `main`, before any thread is started.
//! 2. [`run_in_root`] runs one program inside a root tree, apart from the machine: own processes, mounts, host name,
//!    IPC, and by default no network. Nothing that it started outlives it, and no mount is left.
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
//! Not here, on purpose: cgroup limits (the machine may not offer them), seccomp filters, images and layers.

mod cancel;
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
