//! The virtual machine program: is it there, is it new enough, does KVM work.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// The oldest QEMU that is used. With 7.2, a guest under TCG came up one time in four.
const OLDEST: (u32, u32) = (8, 2);
/// How long the probe of KVM may take. Where KVM works it takes a tenth of a second.
const PROBE_LIMIT: Duration = Duration::from_secs(4);
/// How often a running program is looked at.
pub(super) const POLL: Duration = Duration::from_millis(20);
/// The value that the probe's program writes, and the exit status that QEMU makes of it.
const PROBE_VALUE: u8 = 0x2a;
const PROBE_STATUS: i32 = (PROBE_VALUE as i32) << 1 | 1;

/// How guests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// With the processor's help.
    Kvm,
    /// By translation: on every machine, and some twenty times slower.
    Tcg,
}

impl Accelerator {
    /// Its arguments.
    pub(super) fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Tcg => ["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }
}

impl std::fmt::Display for Accelerator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Kvm => "KVM",
            Self::Tcg => "TCG (emulation)",
        })
    }
}

/// A QEMU that can be used.
#[derive(Debug, Clone)]
pub struct Emulator {
    program: PathBuf,
    /// Its version.
    pub version: (u32, u32),
}

impl Emulator {
    /// Checks the program, for example `qemu-system-x86_64`, which is looked for in the path.
    pub fn find(program: &Path) -> Result<Self> {
        let fault = |problem: String| Error::Emulator {
            program: program.display().to_string(),
            problem,
        };
        let output = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|e| fault(format!("cannot be run: {e}")))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = parse_version(&text).ok_or_else(|| fault("does not tell its version".to_owned()))?;
        if version < OLDEST {
            let ((major, minor), (a, b)) = (version, OLDEST);
            return Err(fault(format!(
                "is version {major}.{minor}, but {a}.{b} is the oldest that runs guests reliably"
            )));
        }
        Ok(Self {
            program: program.to_owned(),
            version,
        })
    }

    /// A command for it.
    pub(super) fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// The accelerator that works here. For KVM it is not enough that `/dev/kvm` opens: on some machines guests hang
    /// or stop at their first floating-point instruction. So a tiny guest runs, with a limit.
    pub fn probe(&self) -> Accelerator {
        if std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .is_err()
        {
            return Accelerator::Tcg;
        }
        match self.runs_probe(Accelerator::Kvm, PROBE_LIMIT) {
            true => Accelerator::Kvm,
            false => Accelerator::Tcg,
        }
    }

    /// Whether the probe's guest does what it should within the limit.
    fn runs_probe(&self, accelerator: Accelerator, limit: Duration) -> bool {
        let Ok(folder) = tempfile::tempdir() else {
            return false;
        };
        let firmware = folder.path().join("probe.bin");
        if std::fs::write(&firmware, probe_firmware()).is_err() {
            return false;
        }
        let child = self
            .command()
            .args(accelerator.arguments())
            .args([
                "-machine",
                "q35",
                "-m",
                "16",
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-no-reboot",
            ])
            .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-bios"])
            .arg(&firmware)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else { return false };
        // A guest that KVM cannot run is stopped, not ended: QEMU's first word on stderr is the sign.
        let failed = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || stderr.read(&mut [0; 1]).is_ok_and(|read| read > 0))
        });
        let start = Instant::now();
        let mut status = None;
        while start.elapsed() < limit {
            status = child.try_wait().ok().flatten();
            if status.is_some() || failed.as_ref().is_some_and(std::thread::JoinHandle::is_finished) {
                break;
            }
            std::thread::sleep(POLL);
        }
        let status = status.or_else(|| {
            // Its end and the end of its stderr come at about the same time: give it a moment to be waited for.
            std::thread::sleep(POLL);
            child.try_wait().ok().flatten()
        });
        let _ = child.kill();
        let _ = child.wait();
        status.is_some_and(|status| status.code() == Some(PROBE_STATUS))
    }
}

/// `QEMU emulator version 10.0.2 (Debian …)` → (10, 0)
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text
        .split_once("version ")?
        .1
        .split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A firmware of 64 KiB for the probe, in 16-bit code: it does what simple hypervisors cannot do, a floating-point and
/// a vector instruction, and then ends the machine through the `isa-debug-exit` device.
fn probe_firmware() -> Vec<u8> {
    const SIZE: usize = 64 << 10;
    const START: usize = 0xff00;
    const RESET: usize = 0xfff0;
    #[rustfmt::skip]
    const CODE: &[u8] = &[
        0x9b, 0xdb, 0xe3,                   // finit
        0x0f, 0x20, 0xe0,                   // mov eax, cr4
        0x66, 0x0d, 0x00, 0x02, 0x00, 0x00, // or eax, 0x200 (OSFXSR)
        0x0f, 0x22, 0xe0,                   // mov cr4, eax
        0x0f, 0x57, 0xc0,                   // xorps xmm0, xmm0
        0xb0, PROBE_VALUE,                  // mov al, value
        0xe6, 0xf4,                         // out 0xf4, al
        0xf4, 0xeb, 0xfd,                   // hlt; jmp to hlt
    ];
    // 0xf4 everywhere else: wherever the processor strays, it halts.
    let mut image = vec![0xf4; SIZE];
    image[START..START + CODE.len()].copy_from_slice(CODE);
    // jmp START, relative to the end of the three bytes
    let distance = (START as u16).wrapping_sub(RESET as u16 + 3).to_le_bytes();
    image[RESET..RESET + 3].copy_from_slice(&[0xe9, distance[0], distance[1]]);
    image
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stderr)]
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(
            parse_version("QEMU emulator version 10.0.2 (Debian 1:10)\nCopyright"),
            Some((10, 0))
        );
        assert_eq!(parse_version("QEMU emulator version 7.2.19\n"), Some((7, 2)));
        assert_eq!(parse_version("version x"), None);
        assert_eq!(parse_version(""), None);
    }

    #[test]
    fn an_old_or_missing_program_is_named() {
        let error = Emulator::find(Path::new("/nonexistent/qemu")).unwrap_err();
        assert!(
            error.to_string().starts_with("/nonexistent/qemu cannot be run"),
            "{error}"
        );
        assert!(error.hint().is_some());
    }

    /// The probe's program is right: TCG runs it. (Whether KVM does depends on the machine.)
    #[test]
    fn the_probe_runs_under_tcg() {
        let Ok(emulator) = Emulator::find(Path::new("qemu-system-x86_64")) else {
            eprintln!("SKIPPED: qemu-system-x86_64 is missing or too old");
            return;
        };
        assert!(emulator.runs_probe(Accelerator::Tcg, Duration::from_secs(30)));
        assert!(
            !emulator.runs_probe(Accelerator::Tcg, Duration::ZERO),
            "the limit is kept"
        );
    }
}
