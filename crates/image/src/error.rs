//! What can go wrong between a root tree and a running guest.

use std::io;
use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The root lacks a file that an image cannot do without.
    #[error("the root has no `{path}`, which {purpose} needs")]
    Missing {
        /// Absolute path inside the root.
        path: String,
        /// What needs it.
        purpose: &'static str,
    },
    /// The root has something else where a file or folder was expected.
    #[error("`{path}` of the root is {found}, but {expected} was expected")]
    WrongKind {
        /// Absolute path inside the root.
        path: String,
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// Following symbolic links inside the root did not end.
    #[error("too many symbolic links while following `{path}` inside the root")]
    LinkLoop {
        /// The path that was being followed.
        path: String,
    },
    /// An ELF file is damaged.
    #[error("failed to read the dynamic section of `{path}`: {problem}")]
    Elf {
        /// Absolute path inside the root.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A shared library is in none of the loader's folders.
    #[error("`{needed_by}` needs the library `{library}`, which the root does not have")]
    Library {
        /// The name in `DT_NEEDED`.
        library: String,
        /// Absolute path of the file that needs it.
        needed_by: String,
    },
    /// A kernel module that was asked for does not exist.
    #[error("kernel {kernel} has no module `{module}`")]
    Module {
        /// The module.
        module: String,
        /// The kernel's release.
        kernel: String,
    },
    /// A list of kernel modules is damaged.
    #[error("line {line} of `{path}`: {problem}")]
    ModuleList {
        /// Absolute path inside the root.
        path: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The root has no kernel, or more than one and none was chosen.
    #[error("the root has {}", if found.is_empty() { "no kernel".to_owned() } else { format!("more than one kernel: {}", found.join(", ")) })]
    Kernel {
        /// The releases found.
        found: Vec<String>,
    },
    /// A PE file (stub or kernel) is not what it should be.
    #[error("`{path}` is not a usable EFI program: {problem}")]
    Pe {
        /// Where it came from.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A setting cannot be honoured.
    #[error("the image's {setting} cannot be `{value}`: {problem}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        problem: &'static str,
    },
    /// Decompression of a file of the root failed.
    #[error("failed to decompress `{path}`: {problem}")]
    Decompress {
        /// Absolute path inside the root.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The virtual machine program is missing or too old.
    #[error("{program} {problem}")]
    Emulator {
        /// The program.
        program: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No UEFI firmware for guests was found.
    #[error("no UEFI firmware for guests was found in {}", searched.join(", "))]
    Firmware {
        /// The folders searched.
        searched: Vec<String>,
    },
    /// A guest did not do in time what was waited for.
    #[error("the guest did not print `{pattern}` within {seconds} s; its console ended with:\n{tail}")]
    GuestTimeout {
        /// What was waited for.
        pattern: String,
        /// The limit.
        seconds: u64,
        /// The last lines of the console.
        tail: String,
    },
    /// A guest ended while something was still expected of it.
    #[error("the guest ended ({status}) while {waiting}; its console ended with:\n{tail}")]
    GuestEnded {
        /// Exit status of the virtual machine.
        status: String,
        /// What was being done.
        waiting: String,
        /// The last lines of the console and of the machine's own messages.
        tail: String,
    },
    /// A helper program failed.
    #[error("`{command}` failed ({status}): {message}")]
    Command {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// Its last words.
        message: String,
    },
    /// Writing or reading disk contents failed.
    #[error(transparent)]
    Disk(#[from] lazuli_disk::Error),
    /// An operation on a host file failed.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// Wraps an error of the system.
    pub(crate) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source: source.into(),
        }
    }

    /// What the user can do about it, where that is known; one sentence without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Emulator { .. } => {
                "install QEMU 8.2 or newer (qemu-system-x86 from the backports of Debian 12 is enough)"
            }
            Self::Firmware { .. } => "install the package `ovmf`",
            Self::Kernel { found } if found.is_empty() => "add a kernel package to the image",
            Self::Kernel { .. } => "name one of them in the image's settings",
            Self::Missing { path, .. } if path.ends_with("modules.dep") => {
                "run depmod in the root: it is a finaliser of the kernel package"
            }
            Self::Missing { path, .. } if path.contains("/systemd/boot/efi/") => {
                "add the package `systemd-boot-efi` to the image"
            }
            _ => return None,
        })
    }
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
