//! Images under QEMU: a throw-away guest with firmware, a serial console, ssh and a cloud-init seed.
//!
//! The image itself is never written: the guest's disk is an overlay in a temporary folder. [`Guest::start`] runs one in
//! the background, for tests; [`run_on_terminal`] gives a person its console.

mod emulator;
mod firmware;
mod guest;
mod seed;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

pub use emulator::{Accelerator, Emulator};
pub use firmware::Firmware;
pub use guest::{Guest, SshOutput};
pub use seed::{Seed, SshKey};

use crate::build::Format;
use crate::{Error, Result};

/// How the guest sees its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiskInterface {
    /// virtio-blk.
    #[default]
    Virtio,
    /// NVMe.
    Nvme,
    /// virtio-scsi.
    Scsi,
}

/// What a guest shall be like.
#[derive(Debug, Clone)]
pub struct GuestSettings {
    /// The image.
    pub image: PathBuf,
    /// Its format.
    pub format: Format,
    /// QEMU.
    pub emulator: Emulator,
    /// KVM or TCG: what [`Emulator::probe`] found.
    pub accelerator: Accelerator,
    /// Firmware.
    pub firmware: Firmware,
    /// Memory in MiB.
    pub memory: u32,
    /// Processors.
    pub cpus: u32,
    /// How the disk is attached.
    pub disk: DiskInterface,
    /// Bytes of the guest's disk; the image's own size where that is larger.
    pub disk_size: u64,
    /// The cloud-init seed; none to see what happens without.
    pub seed: Option<Seed>,
    /// Name of the user that [`Guest::ssh`] logs in as.
    pub user: String,
    /// The private key for [`Guest::ssh`].
    pub private_key: Option<PathBuf>,
    /// TCP ports of the guest, beside 22, that get a port on the host's loopback.
    pub forward: Vec<u16>,
    /// Words to add to the kernel's command line, through systemd-stub; for tests.
    pub kernel_arguments: Vec<String>,
    /// More arguments of QEMU.
    pub extra: Vec<String>,
}

impl GuestSettings {
    /// Two processors, 2 GiB of memory, a disk of 8 GiB, no seed.
    pub fn new(
        image: &Path,
        format: Format,
        emulator: Emulator,
        accelerator: Accelerator,
        firmware: Firmware,
    ) -> Self {
        Self {
            image: image.to_owned(),
            format,
            emulator,
            accelerator,
            firmware,
            memory: 2048,
            cpus: 2,
            disk: DiskInterface::default(),
            disk_size: 8 << 30,
            seed: None,
            user: "lazuli".to_owned(),
            private_key: None,
            forward: Vec::new(),
            kernel_arguments: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// Adds a seed with a key, and the key for [`Guest::ssh`].
    pub fn with_key(mut self, key: &SshKey) -> Self {
        self.private_key = key.private.clone();
        self.seed = Some(Seed {
            instance_id: "i-lazuli".to_owned(),
            hostname: "lazuli".to_owned(),
            keys: vec![key.public.clone()],
            more: serde_json::Map::new(),
        });
        self
    }
}

/// Where the guest's serial console goes.
enum Console {
    /// To this process's terminal, with QEMU's monitor behind Ctrl-A C.
    Terminal,
    /// To a log and a socket in the guest's folder.
    Files,
}

/// A guest's temporary folder, its forwarded ports, and the command that starts it.
struct Prepared {
    folder: tempfile::TempDir,
    /// Pairs of guest port and host port.
    ports: Vec<(u16, u16)>,
    command: Command,
}

/// Runs a guest on this process's terminal until it ends. `started` is told the host's port of the guest's ssh.
pub fn run_on_terminal(settings: &GuestSettings, started: &dyn Fn(u16)) -> Result<ExitStatus> {
    let mut prepared = prepare(settings, Console::Terminal)?;
    started(prepared.ports.first().map_or(0, |(_, host)| *host));
    let status = prepared.command.status();
    status.map_err(|e| Error::io("run the virtual machine of", &settings.image, e))
}

/// Makes overlay, seed and the copy of the firmware's variables, and puts the command together.
fn prepare(settings: &GuestSettings, console: Console) -> Result<Prepared> {
    let folder = tempfile::Builder::new()
        .prefix("lazuli-guest-")
        .tempdir()
        .map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), e))?;
    let here = |name: &str| folder.path().join(name);
    let variables = here("variables.fd");
    std::fs::copy(&settings.firmware.variables, &variables)
        .map_err(|e| Error::io("copy", &settings.firmware.variables, e))?;
    let overlay = here("overlay.qcow2");
    make_overlay(settings, &overlay)?;
    let mut ports = Vec::new();
    for guest in std::iter::once(22).chain(settings.forward.iter().copied()) {
        ports.push((guest, free_port()?));
    }
    let mut command = settings.emulator.command();
    command
        .args(settings.accelerator.arguments())
        .args([
            "-machine",
            "q35",
            "-display",
            "none",
            "-nodefaults",
            "-no-user-config",
        ])
        .args([
            "-smp",
            &settings.cpus.to_string(),
            "-m",
            &settings.memory.to_string(),
        ]);
    let code = format!(
        "if=pflash,format=raw,unit=0,readonly=on,file={}",
        escape(&settings.firmware.code)
    );
    command.args(["-drive", &code]);
    command.args([
        "-drive",
        &format!("if=pflash,format=raw,unit=1,file={}", escape(&variables)),
    ]);
    // Nobody needs this disk after a crash of the host: no flushes.
    let drive = format!(
        "if=none,id=root,format=qcow2,cache=unsafe,discard=unmap,file={}",
        escape(&overlay)
    );
    command.args(["-drive", &drive]);
    command.args(match settings.disk {
        DiskInterface::Virtio => &["-device", "virtio-blk-pci,drive=root,bootindex=0"][..],
        DiskInterface::Nvme => &["-device", "nvme,drive=root,serial=root,bootindex=0"],
        DiskInterface::Scsi => &[
            "-device",
            "virtio-scsi-pci",
            "-device",
            "scsi-hd,drive=root,bootindex=0",
        ],
    });
    if let Some(seed) = &settings.seed {
        let path = here("seed.img");
        seed.write(&path)?;
        command.args([
            "-drive",
            &format!("if=virtio,format=raw,readonly=on,file={}", escape(&path)),
        ]);
    }
    let forwards: String = ports
        .iter()
        .map(|(guest, host)| format!(",hostfwd=tcp:127.0.0.1:{host}-:{guest}"))
        .collect();
    command.args([
        "-netdev",
        &format!("user,id=net{forwards}"),
        "-device",
        "virtio-net-pci,netdev=net,romfile=",
    ]);
    command.args(["-device", "virtio-rng-pci"]);
    if !settings.kernel_arguments.is_empty() {
        let words = settings.kernel_arguments.join(" ").replace(',', ",,");
        command.args([
            "-smbios",
            &format!("type=11,value=io.systemd.stub.kernel-cmdline-extra={words}"),
        ]);
    }
    match console {
        Console::Terminal => command.args(["-serial", "mon:stdio"]),
        Console::Files => {
            let log = escape(&here(guest::CONSOLE_LOG));
            let socket = escape(&here(guest::CONSOLE_SOCKET));
            command.args([
                "-chardev",
                &format!("socket,id=console,server=on,wait=off,logfile={log},path={socket}"),
            ]);
            command.args(["-serial", "chardev:console"]);
            command.args([
                "-qmp",
                &format!("unix:{},server=on,wait=off", escape(&here(guest::CONTROL_SOCKET))),
            ]);
            let messages = here(guest::MESSAGES);
            let file = std::fs::File::create(&messages).map_err(|e| Error::io("create", &messages, e))?;
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file)
        }
    };
    command.args(&settings.extra);
    Ok(Prepared {
        folder,
        ports,
        command,
    })
}

/// A path as a value of QEMU's options, where a comma is written twice.
fn escape(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

fn make_overlay(settings: &GuestSettings, overlay: &Path) -> Result<()> {
    let image = settings
        .image
        .canonicalize()
        .map_err(|e| Error::io("find", &settings.image, e))?;
    let (name, size) = match settings.format {
        Format::Raw => ("raw", file_size(&image)?),
        // The size in a qcow2 header: a big-endian number at offset 24 (QEMU's docs/interop/qcow2).
        Format::Qcow2 => ("qcow2", number_at(&image, 24)?),
        // A fixed VHD is the disk and a footer of 512 bytes.
        Format::Vhd => ("vpc", file_size(&image)?.saturating_sub(512)),
    };
    let output = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", name, "-b"])
        .arg(&image)
        .arg(overlay)
        .arg(size.max(settings.disk_size).to_string())
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Error::Emulator {
            program: "qemu-img".to_owned(),
            problem: format!("cannot be run: {e}"),
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Command {
        command: "qemu-img create".to_owned(),
        status: output.status.to_string(),
        message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

fn file_size(path: &Path) -> Result<u64> {
    Ok(std::fs::metadata(path)
        .map_err(|e| Error::io("read the size of", path, e))?
        .len())
}

fn number_at(path: &Path, offset: u64) -> Result<u64> {
    let fault = |e| Error::io("read the header of", path, e);
    let file = std::fs::File::open(path).map_err(fault)?;
    let mut bytes = [0; 8];
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, offset).map_err(fault)?;
    Ok(u64::from_be_bytes(bytes))
}

/// A TCP port of the loopback that is free now.
fn free_port() -> Result<u16> {
    let place = Path::new("127.0.0.1");
    let listener =
        TcpListener::bind(("127.0.0.1", 0)).map_err(|e| Error::io("find a free port of", place, e))?;
    Ok(listener
        .local_addr()
        .map_err(|e| Error::io("find a free port of", place, e))?
        .port())
}
