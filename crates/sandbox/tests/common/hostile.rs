//! What a hostile program tries, and what it must be told.
#![allow(dead_code)]

use super::sealed;
use lazuli_sandbox::{Capabilities, LayerLimit, Options, Output, Status, User, run_in_root};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::Command;

const SOURCE: &str = include_str!("hostile.c");

/// Where the hostile program lies inside, and where a copy of it does that is root's and setuid.
const PROGRAM: &str = "/bin/hostile";
const SETUID: &str = "/bin/setuid";

/// A root for builds, with the hostile program in it.
pub(crate) fn root() -> tempfile::TempDir {
    let root = sealed::root();
    let source = root.path().join("hostile.c");
    let program = root.path().join(&PROGRAM[1..]);
    std::fs::write(&source, SOURCE).unwrap();
    let compiled = Command::new("gcc")
        .args(["-O1", "-w", "-static", "-o"])
        .args([&program, &source])
        .output()
        .unwrap();
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let setuid = root.path().join(&SETUID[1..]);
    std::fs::copy(&program, &setuid).unwrap();
    chown(&setuid, Some(0), Some(0)).unwrap();
    std::fs::set_permissions(&setuid, std::fs::Permissions::from_mode(0o6755)).unwrap();
    root
}

pub(crate) fn run(root: &Path, words: &[&str], options: &Options) -> Output {
    let argv: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    run_in_root(root, &argv, options).unwrap()
}

/// Everything that is refused at once.
pub(crate) fn check_refusals(root: &Path) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let abstract_name = format!("lazuli-sandbox-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
    let _abstract = UnixListener::bind_addr(&address).unwrap();
    let own = std::process::id().to_string();
    let own_environment = format!("/proc/{own}/environ");
    let call = |number: i64| number.to_string();
    let (keyctl, add_key, uring) = (
        call(libc::SYS_keyctl),
        call(libc::SYS_add_key),
        call(libc::SYS_io_uring_setup),
    );
    let (bpf, perf, fault) = (
        call(libc::SYS_bpf),
        call(libc::SYS_perf_event_open),
        call(libc::SYS_userfaultfd),
    );
    let (memfd, module, reboot) = (
        call(libc::SYS_memfd_create),
        call(libc::SYS_init_module),
        call(libc::SYS_reboot),
    );
    let (swap, kexec, log, x32) = (
        call(libc::SYS_swapon),
        call(libc::SYS_kexec_load),
        call(libc::SYS_syslog),
        call(0x4000_0000 | libc::SYS_getppid),
    );
    let (vsock, alg, packet) = (
        libc::AF_VSOCK.to_string(),
        libc::AF_ALG.to_string(),
        libc::AF_PACKET.to_string(),
    );
    let (user, mounts) = (libc::CLONE_NEWUSER.to_string(), libc::CLONE_NEWNS.to_string());
    #[rustfmt::skip]
    let table: &[(&[&str], &str)] = &[
        // The network.
        (&["connect"], "ENETUNREACH"),
        (&["dns"], "ENETUNREACH"),
        (&["host-loopback", &port], "ECONNREFUSED"),
        (&["abstract", &abstract_name], "ECONNREFUSED"),
        (&["raw"], "EPERM"),
        (&["family", &packet], "EAFNOSUPPORT"),
        (&["family", &vsock], "EAFNOSUPPORT"),
        (&["family", &alg], "EAFNOSUPPORT"),
        // The machine's processes, and its files.
        (&["kill", &own], "ESRCH"),
        (&["kill", "1"], "EPERM"),
        (&["read", &own_environment], "ENOENT"),
        (&["read", "/proc/1/environ"], "ENOENT"),
        (&["read", "/proc/1/root/etc/shadow"], "ENOENT"),
        (&["read", "/secret"], "EACCES"),
        (&["read", "/dev/mem"], "ENOENT"),
        (&["read", "/dev/kmsg"], "ENOENT"),
        (&["climb"], "EPERM"),
        (&["handle"], "EPERM"),
        (&["by-handle"], "EPERM"),
        (&["write", "/proc/sys/kernel/core_pattern"], "EACCES"),
        (&["write", "/proc/sys/vm/drop_caches"], "EACCES"),
        (&["write", "/proc/sys/kernel/hostname"], "EACCES"),
        (&["write", "/proc/sys/user/max_user_namespaces"], "EACCES"),
        (&["write", "/etc/passwd"], "EACCES"),
        // The tree that is seen.
        (&["mount"], "EPERM"),
        (&["umount"], "EPERM"),
        (&["pivot"], "EPERM"),
        (&["chroot"], "EPERM"),
        (&["open-tree"], "EPERM"),
        (&["fsopen"], "EPERM"),
        (&["mount-setattr"], "EPERM"),
        (&["unshare", &user], "EPERM"),
        (&["unshare", &mounts], "EPERM"),
        (&["clone"], "EPERM"),
        (&["clone3"], "ENOSYS"),
        (&["setns"], "EPERM"),
        (&["mknod"], "EPERM"),
        // Others' memory, others' identity.
        (&["ptrace"], "EPERM"),
        (&["read-memory"], "EPERM"),
        (&["setuid"], "EPERM"),
        (&["chown", "/build"], "EPERM"),
        // The kernel.
        (&["call", &keyctl], "ENOSYS"),
        (&["call", &add_key], "ENOSYS"),
        (&["call", &uring], "ENOSYS"),
        (&["call", &bpf], "ENOSYS"),
        (&["call", &perf], "ENOSYS"),
        (&["call", &fault], "ENOSYS"),
        (&["call", &memfd], "ENOSYS"),
        (&["call", &x32], "ENOSYS"),
        (&["call", &module], "EPERM"),
        (&["call", &reboot], "EPERM"),
        (&["call", &swap], "EPERM"),
        (&["call", &kexec], "EPERM"),
        (&["call", &log], "EPERM"),
        (&["clock"], "EPERM"),
        (&["adjust"], "EPERM"),
        (&["name"], "EPERM"),
        (&["type"], "EPERM"),
    ];
    let mut wrong = Vec::new();
    for (words, errno) in table {
        let words: Vec<&str> = [PROGRAM].iter().chain(*words).copied().collect();
        let output = run(root, &words, &Options::build());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said != format!("refused: {errno}\n") || !output.status.success() {
            wrong.push(format!("{words:?}: {said:?}, {}, not {errno}", output.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    check_root(root, &own_environment);
    check_effects(root);
    check_tricks(root);
}

/// The tricks do work where nothing is refused: else their refusal would say nothing.
fn check_tricks(root: &Path) {
    let options = Options {
        capabilities: Capabilities::All,
        ..Options::default()
    };
    let user = libc::CLONE_NEWUSER.to_string();
    for words in [
        ["mount", ""],
        ["fsopen", ""],
        ["chroot", ""],
        ["unshare", user.as_str()],
        ["clone", ""],
        ["clone3", ""],
        ["ptrace", ""],
        ["read-memory", ""],
        ["name", ""],
        ["handle", ""],
        ["raw", ""],
        ["read", "/secret"],
    ] {
        let output = run(root, &[PROGRAM, words[0], words[1]], &options);
        assert_eq!(output.stdout, b"SUCCEEDED\n", "{words:?}: {output:?}");
    }
}

fn check_root(root: &Path, own_environment: &str) {
    // Root inside is root of its namespaces only, and sees no more.
    let options = Options {
        user: User::Root,
        ..Options::build()
    };
    for (words, errno) in [
        (["write", "/proc/sys/net/ipv4/ip_forward"], "EROFS EACCES"),
        (["read", "/proc/1/environ"], "ENOENT"),
        (["read", "/proc/1/root"], "ENOENT"),
        (["read", own_environment], "ENOENT"),
        (["read", "/dev/kmsg"], "ENOENT"),
        (["mount", ""], "EPERM"),
        (["chroot", ""], "EPERM"),
        (["mknod", ""], "EPERM"),
        (["clock", ""], "EPERM"),
    ] {
        let output = run(root, &[PROGRAM, words[0], words[1]], &options);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // The order of the kernel's checks depends on whose root it is.
        let expected = errno
            .split(' ')
            .any(|errno| said == format!("refused: {errno}\n"));
        assert!(expected, "{words:?} as root: {said}, not {errno}: {output:?}");
    }
}

/// What is not refused, and has no effect; and what ends at once.
fn check_effects(root: &Path) {
    for (words, expected) in [
        (["self", "127.0.0.1"], "SUCCEEDED\n"),
        (["self", "127.1.2.3"], "SUCCEEDED\n"),
        (["self", "192.0.2.1"], "refused: EADDRNOTAVAIL\n"),
    ] {
        let output = run(root, &[PROGRAM, words[0], words[1]], &Options::build());
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{words:?}");
    }
    let output = run(root, &[SETUID, "who"], &Options::build());
    assert_eq!(output.stdout, b"1000 1000 1000\n", "{output:?}");
    let output = run(root, &[PROGRAM, "int80"], &Options::build());
    assert_eq!(output.status, Status::Signalled(libc::SIGSYS), "{output:?}");
    let output = run(root, &[PROGRAM, "daemon"], &Options::build());
    assert_eq!(output.stdout, b"left\n");
    assert!(!super::process_with("sleep\u{0}7193553"));
}

/// Everything that uses something up.
pub(crate) fn check_limits(root: &Path) {
    let mut options = Options::build();
    options.limits.memory = Some(96 << 20);
    let ends_with = |trick: &str, options: &Options, status: Status, words: &str| {
        let output = run(root, &[PROGRAM, trick, "/build"], options);
        assert_eq!(output.status, status, "{trick}: {output:?}");
        assert_eq!(output.status.to_string(), words);
        assert!(!super::process_with(&format!("{PROGRAM}\u{0}{trick}")), "{trick}");
        output
    };
    let status = Status::MemoryLimit { bytes: 96 << 20 };
    for trick in ["memory", "shared", "segments", "tables"] {
        let output = ends_with(trick, &options, status, "killed: memory limit of 96 MiB reached");
        assert!(output.usage.memory > 90 << 20, "{:?}", output.usage);
        // How much it had when it was noticed: 2 GiB would be a look every second.
        assert!(output.usage.memory < 2 << 30, "{:?}", output.usage);
    }
    let output = run(root, &[PROGRAM, "share"], &options);
    assert_eq!(output.stdout, b"shared\n", "{output:?}");
    assert!(output.usage.processes >= 9, "{:?}", output.usage);

    let mut options = Options::build();
    options.limits.processes = Some(64);
    let status = Status::ProcessLimit { processes: 64 };
    let output = ends_with("forks", &options, status, "killed: process limit of 64 reached");
    assert_eq!(output.usage.processes, 64, "no more than the kernel lets it have");

    options.limits.layer = Some(LayerLimit {
        path: root.join("build"),
        bytes: 40 << 20,
    });
    let status = Status::LayerLimit { bytes: 40 << 20 };
    ends_with(
        "files",
        &options,
        status,
        "killed: limit of 40 MiB for written files reached",
    );
    let folder = root.join("build");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    chown(&folder, Some(1000), Some(1000)).unwrap();

    let mut options = Options::build();
    options.limits.scratch = Some(8 << 20);
    options.limits.open_files = Some(32);
    for (words, errno) in [
        (["files", "/tmp"], "ENOSPC"),
        (["files", "/dev/shm"], "ENOSPC"),
        (["descriptors", ""], "EMFILE"),
        (["large", ""], "EFBIG"),
    ] {
        let output = run(root, &[PROGRAM, words[0], words[1]], &options);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said, format!("refused: {errno}\n"), "{words:?}: {output:?}");
    }
}
