//! The image in a guest: what an administrator was promised, asked over ssh and probed from outside.

use crate::command::{image_file, lazuli, out, project};
use lazuli_image::Format;
use lazuli_image::boot::{DiskInterface, Emulator, Firmware, Guest, GuestSettings, SshKey};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// Guests run one at a time: two under emulation on two cores take three times as long.
static ONE_GUEST: Mutex<()> = Mutex::new(());
/// Three times what a slow machine was seen to take.
const BOOT_LIMIT: Duration = Duration::from_secs(420);
/// A port of the guest on which the test lets something listen.
const CLOSED_PORT: u16 = 8080;

/// Lines of the journal at priority `err` that are known and harmless; each says why.
const REVIEWED: &[&str] = &[
    // The emulated clock is too uneven for the kernel's liking.
    "tsc: Unable to calibrate against PIT",
    "tsc: Fast TSC calibration failed",
    "APIC calibration not consistent with PM-Timer",
    "mtrr: your CPUs had inconsistent",
    // The emulated chipset has no such device.
    "i8042: Can't read CTR while initializing i8042",
];

fn settings(image: &Path, format: Format) -> GuestSettings {
    let emulator = Emulator::find(Path::new("qemu-system-x86_64")).unwrap();
    let accelerator = emulator.probe();
    GuestSettings::new(image, format, emulator, accelerator, Firmware::find().unwrap())
}

/// Runs a command that must succeed in the guest.
fn run(guest: &Guest, command: &str) -> String {
    let output = guest.ssh(command).unwrap();
    assert!(
        output.success(),
        "{command}: {:?}\n{}\n{}",
        output.code,
        output.stdout,
        output.stderr
    );
    output.stdout.trim().to_owned()
}

/// A process that is ended when the test ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The project's repository over HTTP on a free port of the loopback.
fn serve() -> (Ended, u16) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lazuli"))
        .args(["repo", "serve", "--listen", "127.0.0.1:0", "--project"])
        .arg(project())
        .arg("--out")
        .arg(out())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let port = line
        .trim()
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .expect(&line);
    // Its log must be read on, or it would block.
    std::thread::spawn(move || lines.lines().count());
    (Ended(child), port)
}

#[test]
fn server_keeps_its_promises() {
    let _guard = ONE_GUEST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let image = image_file(".qcow2");
    let keys = tempfile::tempdir().unwrap();
    let key = SshKey::find_or_make(keys.path()).unwrap();
    let mut settings = settings(&image, Format::Qcow2).with_key(&key);
    settings.disk_size = 10 << 30;
    settings.forward = vec![CLOSED_PORT];
    let mut guest = Guest::start(&settings).unwrap();
    guest.wait_for("login:", BOOT_LIMIT).unwrap();
    guest.wait_for_ssh(BOOT_LIMIT).unwrap();

    system_is_well(&guest);
    only_the_key_gets_in(&guest);
    firewall_holds(&guest);
    packages_verify(&guest);
    package_manager_installs(&guest);

    let boot = run(&guest, "cat /proc/sys/kernel/random/boot_id");
    let _ = guest.ssh("sudo systemctl reboot");
    guest.wait_for("login:", BOOT_LIMIT).unwrap();
    guest.wait_for_ssh(BOOT_LIMIT).unwrap();
    assert_ne!(run(&guest, "cat /proc/sys/kernel/random/boot_id"), boot);
    assert_eq!(
        run(&guest, "systemctl is-system-running --wait"),
        "running",
        "after a reboot"
    );
    let _ = guest.ssh("sudo systemctl poweroff");
    guest
        .wait_for_end(Duration::from_secs(180), "powering off")
        .unwrap();
}

fn system_is_well(guest: &Guest) {
    let state = guest.ssh("systemctl is-system-running --wait").unwrap();
    let failed = run(guest, "systemctl --failed --no-legend --plain");
    assert_eq!((state.stdout.trim(), failed.as_str()), ("running", ""));
    assert!(run(guest, "cat /etc/os-release").contains("ID=lazuli"));
    for unit in [
        "ssh",
        "systemd-networkd",
        "systemd-resolved",
        "systemd-oomd",
        "chrony",
        "nftables",
        "auditd",
    ] {
        assert_eq!(
            run(guest, &format!("systemctl is-active {unit}")),
            "active",
            "{unit}"
        );
    }
    assert!(
        run(guest, "networkctl --no-legend list").contains("routable"),
        "the network is up"
    );
    let size: u64 = run(guest, "findmnt -bno SIZE /").parse().unwrap();
    assert!(
        size > 8 << 30,
        "the root file system grew to {size} bytes of a 10 GiB disk"
    );
    assert!(run(guest, "cloud-init status --wait").contains("done"));
    assert!(run(guest, "hostnamectl hostname").contains("lazuli"));
    let journal = run(guest, "sudo journalctl -b -p err -o cat --no-pager");
    let unknown: Vec<&str> = journal
        .lines()
        .filter(|line| !REVIEWED.iter().any(|known| line.contains(known)))
        .collect();
    assert!(unknown.is_empty(), "errors in the journal: {unknown:#?}");
}

fn only_the_key_gets_in(guest: &Guest) {
    for user in ["lazuli", "root"] {
        let other = guest.ssh_as(user, None, "true").unwrap();
        assert_eq!(other.code, Some(255), "{user} without a key: {other:?}");
    }
    let methods = Command::new("ssh")
        .args([
            "-F",
            "none",
            "-p",
            &guest.ssh_port().to_string(),
            "-o",
            "StrictHostKeyChecking=no",
        ])
        .args([
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "PreferredAuthentications=none",
            "-o",
            "BatchMode=yes",
        ])
        .args(["lazuli@127.0.0.1", "true"])
        .output()
        .unwrap();
    let refusal = String::from_utf8_lossy(&methods.stderr);
    assert!(
        refusal.contains("Permission denied (publickey)."),
        "keys are the only way: {refusal}"
    );
    let open = run(guest, "sudo awk -F: '$2 !~ /^[!*]/ { print $1 }' /etc/shadow");
    assert_eq!(open, "", "no account has a password");
}

/// Something listens in the guest and says what it hears: a knock from outside is not heard, a later one from inside is.
fn firewall_holds(guest: &Guest) {
    run(
        guest,
        &format!("sudo systemd-run --quiet --unit=listener nc -lk 0.0.0.0 {CLOSED_PORT}"),
    );
    let outside = guest.port(CLOSED_PORT).unwrap();
    // QEMU accepts by itself; a guest that does not answer gives neither bytes nor an end, or a reset.
    let stream = TcpStream::connect(("127.0.0.1", outside)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    std::io::Write::write_all(&mut &stream, b"from outside\n").ok();
    // Waits for an end or the time-out, so that a knock that gets through has time to be heard.
    let _ = std::io::Read::read(&mut &stream, &mut [0; 1]);
    let heard = "sudo journalctl -u listener -o cat --no-pager";
    run(
        guest,
        &format!(
            "for i in $(seq 50); do echo from inside | nc -N -w 2 127.0.0.1 {CLOSED_PORT}; \
             {heard} | grep -q 'from inside' && exit 0; sleep 0.2; done; exit 1"
        ),
    );
    let heard = run(guest, heard);
    assert!(
        !heard.contains("from outside"),
        "the firewall let a connection through: {heard}"
    );
    assert!(run(guest, "sudo nft list ruleset").contains("policy drop"));
    run(guest, "sudo systemctl stop listener");
}

fn packages_verify(guest: &Guest) {
    let verified = guest.ssh("sudo rpm -Va").unwrap();
    assert_eq!(verified.stdout.trim(), "", "rpm -Va is silent");
    assert!(run(guest, "rpm -qa | wc -l").parse::<u32>().unwrap() > 200);
    assert_eq!(run(guest, "rpm -qf /usr/bin/bash --qf '%{NAME}'"), "bash");
}

fn package_manager_installs(guest: &Guest) {
    let (_server, port) = serve();
    assert!(
        guest.ssh("tree --version").unwrap().code != Some(0),
        "tree is not in the image"
    );
    let repository = format!("http://10.0.2.2:{port}/2/x86_64");
    run(
        guest,
        &format!(
            "sudo lz --repo-path test={repository} --repo test --gpg-key /etc/pki/rpm-gpg/RPM-GPG-KEY-lazuli install --assume-yes tree"
        ),
    );
    assert!(run(guest, "tree --version").starts_with("tree v"));
    assert_eq!(run(guest, "rpm -q tree --qf '%{NAME}'"), "tree");
    assert_eq!(run(guest, "sudo rpm -V tree"), "");
}

/// The fixed VHD, on the disk bus that Azure's newer sizes have, through the firmware to a login.
#[test]
fn vhd_boots_from_nvme() {
    let _guard = ONE_GUEST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut settings = settings(&image_file(".vhd"), Format::Vhd);
    settings.disk = DiskInterface::Nvme;
    let mut guest = Guest::start(&settings).unwrap();
    guest.wait_for("Linux version", BOOT_LIMIT).unwrap();
    guest.wait_for("login:", BOOT_LIMIT).unwrap();
    guest.cut_power().unwrap();
}

#[test]
fn list_shows_what_is_built() {
    image_file(".manifest.json");
    let listed = lazuli(&["image", "list", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .any(|row| row["name"] == "server" && row["manifest"].is_string()),
        "{rows}"
    );
}
