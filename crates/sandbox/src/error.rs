//! What can go wrong, and what the caller can do about it.

use crate::report::Step;
use std::io;
use std::path::PathBuf;

/// Why a namespace could not be entered or a program not be run in a root.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The process has threads already; a user namespace takes a process of one thread.
    #[error("cannot enter a user namespace: the process already has {threads} threads")]
    Threads {
        /// How many there are.
        threads: usize,
    },
    /// The caller has no or too few subordinate ids.
    #[error("user {user} has {found} subordinate ids in {file}, {wanted} are needed")]
    NoSubordinateIds {
        /// The caller.
        user: String,
        /// `/etc/subuid` or `/etc/subgid`.
        file: &'static str,
        /// How many ids the file gives the caller.
        found: u64,
        /// How many are needed.
        wanted: u32,
    },
    /// The namespace the process is root of maps too few ids to give files to their owners.
    #[error("this process is root of a user namespace of {found} ids, {wanted} are needed")]
    NarrowNamespace {
        /// How many ids are mapped.
        found: u64,
        /// How many are needed.
        wanted: u32,
    },
    /// `newuidmap` or `newgidmap` is missing.
    #[error("`{program}` is not installed")]
    NoMapper {
        /// Which.
        program: &'static str,
    },
    /// `newuidmap` or `newgidmap` refused the map.
    #[error("the id maps could not be written: {message}")]
    Mapper {
        /// What the program said.
        message: String,
    },
    /// The kernel refused a user namespace.
    #[error("the kernel refused a new user namespace: {source}")]
    Refused {
        /// Its answer.
        source: io::Error,
    },
    /// `run_in_root` was called by a process that is not root of anything.
    #[error("cannot run `{program}` in {}: the process is not root of a namespace", root.display())]
    NotRoot {
        /// What was to be run.
        program: String,
        /// Where.
        root: PathBuf,
    },
    /// What is asked for makes no sense.
    #[error("cannot run in {}: {reason}", root.display())]
    BadRequest {
        /// Where.
        root: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Setting up the sandbox failed.
    #[error("cannot run `{program}` in {}: {step}: {source}", root.display())]
    Setup {
        /// What was to be run.
        program: String,
        /// Where.
        root: PathBuf,
        /// What failed.
        step: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The file system of an overlay's upper folder keeps no `user.` attributes.
    #[error("cannot write into an overlay at {}: its file system keeps no attributes of users", path.display())]
    NoAttributes {
        /// The folder.
        path: PathBuf,
    },
    /// Reading or writing something failed.
    #[error("{action} {} failed: {source}", path.display())]
    Io {
        /// Such as `reading`.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
}

impl SandboxError {
    /// What the user can do about it, if that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSubordinateIds { user, file, .. } => {
                let flag = if file.ends_with("subuid") { "--add-subuids" } else { "--add-subgids" };
                Some(format!("as root: usermod {flag} 100000-165535 {user}"))
            }
            Self::NarrowNamespace { .. } => {
                Some("start it outside of that namespace, or map 65536 ids (unshare --map-auto)".to_owned())
            }
            Self::NoMapper { .. } => Some("install the package that has it: `uidmap` or `shadow-utils`".to_owned()),
            Self::Refused { .. } => Some(
                "unprivileged user namespaces may be switched off: see the sysctls kernel.unprivileged_userns_clone, \
                 user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns"
                    .to_owned(),
            ),
            Self::NotRoot { .. } => Some("call sandbox::enter() at the start of the program".to_owned()),
            Self::Setup { step, source, .. }
                if *step == Step::Proc.words() && source.kind() == io::ErrorKind::PermissionDenied => Some(
                "parts of /proc are covered here, as containers do: start the container with \
                 `--security-opt systempaths=unconfined`, or in Kubernetes with `procMount: Unmasked`"
                    .to_owned(),
            ),
            Self::NoAttributes { .. } => Some(
                "take a folder on ext4, xfs or btrfs; memory keeps them since Linux 6.6 (CONFIG_TMPFS_XATTR)".to_owned(),
            ),
            _ => None,
        }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Io {
            action,
            path: path.into(),
            source: source.into(),
        }
    }
}
