//! Becoming root of a user namespace.
//!
//! The kernel wants the process to have one thread, and wants the map of many ids to be written from outside by a
//! privileged program. So a helper process is forked first; it waits until this process has left its namespace,
//! calls `newuidmap` and `newgidmap` on it, says how that went through a pipe, and ends.
#![allow(unsafe_code)]

use crate::error::SandboxError;
use crate::ids::{self, MapLine};
use rustix::io::Errno;
use rustix::mount::MountPropagationFlags;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Command;

/// What the namespace is to be like.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many ids it has, the caller's own included. 65536 holds every id that a package may name.
    pub ids: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ids: 65_536 }
    }
}

/// Who the process is, as far as owners of files are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Root of the machine, or of a container that looks like one: every id is mapped to itself.
    Root,
    /// Root of a user namespace; `ids` are mapped.
    Inside {
        /// How many ids the namespace has.
        ids: u64,
    },
    /// Anyone else.
    OrdinaryUser,
}

/// Longest message taken from the mapping programs.
const MAX_MESSAGE: u64 = 4096;

/// Who the process is.
pub fn standing() -> Result<Standing, SandboxError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Standing::OrdinaryUser);
    }
    let path = "/proc/self/uid_map";
    let text = std::fs::read_to_string(path).map_err(|e| SandboxError::io("reading", path, e))?;
    let (ids, identity) = ids::read_map(&text);
    Ok(if identity {
        Standing::Root
    } else {
        Standing::Inside { ids }
    })
}

/// Whether the process is root of a user namespace.
pub fn already_inside() -> bool {
    matches!(standing(), Ok(Standing::Inside { .. }))
}

/// Makes the process root: of a new user namespace with a mount namespace of its own if it is an ordinary user's;
/// else it is root already and nothing is done. Answers where it stands afterwards.
///
/// Call it before any thread is started. The process keeps its id, its terminal and its files.
pub fn enter(settings: Settings) -> Result<Standing, SandboxError> {
    match standing()? {
        Standing::Root => return Ok(Standing::Root),
        Standing::Inside { ids } if ids >= u64::from(settings.ids) => return Ok(Standing::Inside { ids }),
        Standing::Inside { ids } => {
            return Err(SandboxError::NarrowNamespace {
                found: ids,
                wanted: settings.ids,
            });
        }
        Standing::OrdinaryUser => {}
    }
    let threads = count_threads()?;
    if threads != 1 {
        return Err(SandboxError::Threads { threads });
    }
    let uid = rustix::process::getuid().as_raw();
    let gid = rustix::process::getgid().as_raw();
    let user = std::fs::read_to_string("/etc/passwd")
        .ok()
        .and_then(|text| ids::user_name(&text, uid));
    let user = user.unwrap_or_default();
    let uids = map_from("/etc/subuid", &user, uid, uid, settings.ids)?;
    let gids = map_from("/etc/subgid", &user, uid, gid, settings.ids)?;
    unshare_with_maps(&uids, &gids)?;
    // Mounts made from here on must not travel to the namespace of the machine.
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|e| SandboxError::io("making private the mounts below", "/", e))?;
    Ok(Standing::Inside {
        ids: u64::from(settings.ids),
    })
}

fn count_threads() -> Result<usize, SandboxError> {
    let path = "/proc/self/task";
    Ok(std::fs::read_dir(path)
        .map_err(|e| SandboxError::io("reading", path, e))?
        .count())
}

fn map_from(
    file: &'static str,
    user: &str,
    uid: u32,
    own: u32,
    total: u32,
) -> Result<Vec<MapLine>, SandboxError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(SandboxError::io("reading", file, e)),
    };
    ids::build_map(own, &ids::subordinate_ranges(&text, user, uid), total).map_err(|found| {
        let user = if user.is_empty() {
            uid.to_string()
        } else {
            user.to_owned()
        };
        SandboxError::NoSubordinateIds {
            user,
            file,
            found,
            wanted: total - 1,
        }
    })
}

fn unshare_with_maps(uids: &[MapLine], gids: &[MapLine]) -> Result<(), SandboxError> {
    let pipe = || {
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .map_err(|e| SandboxError::io("making", "a pipe", e))
    };
    let (go_read, go_write) = pipe()?;
    let (said_read, said_write) = pipe()?;
    let target = rustix::process::getpid().as_raw_pid();
    // SAFETY: the process has one thread (checked by the caller), so no lock is held by another one, and the child
    // may do all that a process may.
    let helper = unsafe { libc::fork() };
    if helper < 0 {
        return Err(SandboxError::io(
            "forking",
            "the helper that maps ids",
            std::io::Error::last_os_error(),
        ));
    }
    if helper == 0 {
        drop((go_write, said_read));
        help(go_read, said_write, target, uids, gids);
    }
    drop((go_read, said_write));
    // SAFETY: `CLONE_FILES` is not among the flags, so no file descriptor changes its meaning.
    let unshared = unsafe {
        rustix::thread::unshare_unsafe(
            rustix::thread::UnshareFlags::NEWUSER | rustix::thread::UnshareFlags::NEWNS,
        )
    };
    let mut go = File::from(go_write);
    if unshared.is_ok() {
        // A helper that is gone says so below.
        let _gone = go.write_all(b"!");
    }
    drop(go);
    let mut said = Vec::new();
    let read = File::from(said_read).take(MAX_MESSAGE).read_to_end(&mut said);
    let ended = wait(helper);
    unshared.map_err(|e| SandboxError::Refused { source: e.into() })?;
    read.map_err(|e| SandboxError::io("reading", "the answer of the helper that maps ids", e))?;
    let message = String::from_utf8_lossy(&said).trim().to_owned();
    match (message.strip_prefix("missing "), message.is_empty(), ended) {
        (Some("newuidmap"), ..) => Err(SandboxError::NoMapper { program: "newuidmap" }),
        (Some(_), ..) => Err(SandboxError::NoMapper { program: "newgidmap" }),
        (None, true, Ok(0)) => Ok(()),
        (None, true, _) => Err(SandboxError::Mapper {
            message: "the helper ended early".to_owned(),
        }),
        (None, false, _) => Err(SandboxError::Mapper { message }),
    }
}

fn wait(pid: libc::pid_t) -> Result<i32, Errno> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        if unsafe { libc::waitpid(pid, &raw mut status, 0) } == pid {
            return Ok(status);
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::CHILD));
        }
    }
}

/// The helper process: waits for the word, maps, tells, ends.
fn help(go: OwnedFd, said: OwnedFd, target: i32, uids: &[MapLine], gids: &[MapLine]) -> ! {
    let mut byte = [0u8];
    if matches!(File::from(go).read(&mut byte), Ok(1)) {
        let outcome = map_with("newuidmap", target, uids).and_then(|()| map_with("newgidmap", target, gids));
        if let Err(message) = outcome {
            let _unread = File::from(said).write_all(message.as_bytes());
        }
    }
    // SAFETY: ends the process at once; nothing of the parent's state may be flushed twice.
    unsafe { libc::_exit(0) }
}

fn map_with(program: &'static str, target: i32, map: &[MapLine]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.arg(target.to_string());
    for line in map {
        command.args([
            line.inside.to_string(),
            line.outside.to_string(),
            line.count.to_string(),
        ]);
    }
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(format!("missing {program}")),
        Err(e) => Err(format!("{program}: {e}")),
    }
}
