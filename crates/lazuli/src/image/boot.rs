//! `lazuli image boot`: a guest with a throw-away disk and the caller's key.

use super::manifest;
use crate::cli::{BootArgs, DiskBus, Format as CliFormat};
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_image::Format;
use lazuli_image::boot::{
    Accelerator, DiskInterface, Emulator, Firmware, Guest, GuestSettings, SshKey, run_on_terminal,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a login prompt on a serial console ends with.
const PROMPT: &str = "login:";
/// How long a guest may take to power off.
const SHUTDOWN: Duration = Duration::from_secs(120);

/// Boots, and either gives the terminal to the guest or proves the prompt.
pub fn run(workspace: &Workspace, arguments: &BootArgs) -> Result<()> {
    let settings = settings(workspace, arguments)?;
    let terminal = &workspace.terminal;
    if !arguments.check {
        let key = settings.private_key.clone();
        run_on_terminal(&settings, &|port| terminal.note(invitation(port, key.as_deref())))
            .or_fail(Kind::Environment)?;
        return Ok(());
    }
    let mut guest = Guest::start(&settings).or_fail(Kind::Environment)?;
    let limit = Duration::from_secs(arguments.limit);
    let prompt = guest.wait_for(PROMPT, limit).map_err(|error| {
        let console = guest.console();
        let last: Vec<&str> = console.lines().rev().take(20).collect();
        for line in last.iter().rev() {
            terminal.note(format!("  | {line}"));
        }
        Failure::new(Kind::Failed, error)
    })?;
    terminal.note(format!("login prompt after {:.1} s", prompt.as_secs_f64()));
    let ssh = guest.wait_for_ssh(limit)?;
    let state = guest.ssh("systemctl is-system-running --wait")?;
    terminal.note(format!(
        "ssh after {:.1} s more; the system is {}",
        ssh.as_secs_f64(),
        state.stdout.trim()
    ));
    if !state.success() {
        let why = guest.ssh("systemctl --failed --no-legend --plain; sudo journalctl -b -p warning -o short-monotonic --no-pager")?;
        for line in why.stdout.lines() {
            terminal.note(format!("  | {line}"));
        }
    }
    guest.ssh("sudo systemctl poweroff").ok();
    guest.wait_for_end(SHUTDOWN, "powering off")?;
    terminal.facts(
        &serde_json::json!({ "prompt-seconds": prompt.as_secs_f64(), "state": state.stdout.trim() }),
        || format!("{}: login prompt proved, powered off\n", arguments.name),
    )?;
    if state.success() {
        return Ok(());
    }
    Err(Failure::message(
        Kind::Failed,
        format!("the system is not well: {}", state.stdout.trim()),
    ))
}

/// What a person needs to know before the console begins.
fn invitation(port: u16, key: Option<&Path>) -> String {
    let key = key
        .map(|key| format!("-i {} ", key.display()))
        .unwrap_or_default();
    format!(
        "log in from another terminal:\n  ssh {key}-p {port} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no lazuli@127.0.0.1\n\
         this terminal is the serial console; Ctrl-A X ends the guest, whose disk is thrown away\n"
    )
}

fn settings(workspace: &Workspace, arguments: &BootArgs) -> Result<GuestSettings> {
    let format = match arguments.format {
        CliFormat::Raw => Format::Raw,
        CliFormat::Qcow2 => Format::Qcow2,
        CliFormat::Vhd => Format::Vhd,
    };
    let image = image_file(workspace, &arguments.name, format)?;
    let emulator = Emulator::find(Path::new("qemu-system-x86_64")).or_fail(Kind::Environment)?;
    let accelerator = emulator.probe();
    match &accelerator {
        Accelerator::Kvm => {}
        other => workspace.terminal.note(format!(
            "no working KVM here, the guest is emulated and slower: {other}"
        )),
    }
    let firmware = Firmware::find().or_fail(Kind::Environment)?;
    let key = ssh_key(workspace, arguments)?;
    let mut settings = GuestSettings::new(&image, format, emulator, accelerator, firmware).with_key(&key);
    settings.memory = arguments.memory;
    settings.cpus = arguments.cpus;
    settings.disk_size = u64::from(arguments.disk_size) << 30;
    settings.disk = match arguments.disk_bus {
        DiskBus::Virtio => DiskInterface::Virtio,
        DiskBus::Nvme => DiskInterface::Nvme,
        DiskBus::Scsi => DiskInterface::Scsi,
    };
    Ok(settings)
}

fn ssh_key(workspace: &Workspace, arguments: &BootArgs) -> Result<SshKey> {
    if let Some(path) = &arguments.ssh_key {
        return SshKey::read(path).or_fail(Kind::Environment);
    }
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".ssh"));
    match home.and_then(|folder| SshKey::find_in(&folder)) {
        Some(key) if key.private.is_some() => Ok(key),
        _ => SshKey::find_or_make(&workspace.out.join("keys")).or_fail(Kind::Environment),
    }
}

fn image_file(workspace: &Workspace, name: &str, format: Format) -> Result<PathBuf> {
    let missing = || {
        Failure::message(
            Kind::Failed,
            format!("the image `{name}` is not built as {}", format.suffix()),
        )
        .hint(format!("run `lazuli image build {name}`"))
    };
    let (path, manifest) = manifest(workspace, name)?.ok_or_else(missing)?;
    let suffix = format!(".{}", format.suffix());
    let file = manifest
        .artefacts
        .iter()
        .map(|artefact| &artefact.file)
        .find(|file| file.ends_with(&suffix));
    Ok(path.with_file_name(file.ok_or_else(missing)?))
}
