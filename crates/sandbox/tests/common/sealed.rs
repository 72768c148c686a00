//! Roots for builds, and what must hold in each of them.
#![allow(dead_code)]

use lazuli_sandbox::{Limits, Options, Overlay, mount_overlay, run_in_root};
use std::num::NonZeroU32;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

/// A root of one static program, and a place that the build's user may write to.
pub(crate) fn root() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    dir
}

pub(crate) fn fill(root: &Path) {
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755)).unwrap();
    for folder in ["bin", "etc", "build", "proc", "dev", "tmp", "run", "sys"] {
        std::fs::create_dir(root.join(folder)).unwrap();
    }
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).expect("the package busybox-static is installed");
    for applet in [
        "sh", "cat", "ls", "id", "env", "nproc", "stat", "sleep", "setsid", "yes", "head", "hostname",
        "find", "grep", "wc", "ps", "touch", "dd", "uname", "readlink", "sort", "kill", "mkdir", "test",
        "nc", "ping", "tr",
    ] {
        symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    std::fs::write(
        root.join("etc/passwd"),
        "root:x:0:0::/root:/bin/sh\nmock:x:1000:1000::/build:/bin/sh\n",
    )
    .unwrap();
    std::fs::write(root.join("etc/machine-id"), "of the root\n").unwrap();
    std::fs::write(root.join("secret"), "only for root\n").unwrap();
    std::fs::set_permissions(root.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    chown(root.join("build"), Some(1000), Some(1000)).unwrap();
}

/// What a script writes, run as a build.
pub(crate) fn said(root: &Path, script: &str, options: &Options) -> String {
    let output = run_in_root(root, &super::shell(script), options).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}: {text} {:?}",
        output.status,
        output.notes
    );
    text
}

/// What every build sees, whoever started it.
pub(crate) fn check_view(root: &Path) {
    let options = Options {
        environment: vec![("SOURCE_DATE_EPOCH".to_owned(), "5".to_owned())],
        cpus: NonZeroU32::new(2),
        limits: Limits {
            memory: Some(3 << 30),
            ..Limits::build()
        },
        working_directory: "/build".into(),
        ..Options::build()
    };
    let said = |script: &str| said(root, script, &options);
    let mut wrong = Vec::new();
    let mut check = |script: &str, expected: &str| {
        let text = said(script);
        if text.trim_end() != expected {
            wrong.push(format!("`{script}` says:\n{text}\nand not:\n{expected}"));
        }
    };
    check(
        "env | grep -v -E '^(PWD|SHLVL)=' | sort",
        "HOME=/build\nLC_ALL=C.UTF-8\nLOGNAME=mock\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
         SOURCE_DATE_EPOCH=5\nTZ=UTC\nUSER=mock",
    );
    check("id", "uid=1000(mock) gid=1000");
    check("hostname; umask; pwd", "localhost\n0022\n/build");
    check("nproc; grep -c ^processor /proc/cpuinfo", "2\n2");
    check("grep -c ^cpu /proc/stat", "3");
    check("grep MemTotal /proc/meminfo", "MemTotal:        3145728 kB");
    check("cat /etc/machine-id", "00000000000040008000000000000001");
    check(
        "cat /proc/sys/kernel/random/boot_id",
        "00000000-0000-4000-8000-000000000002",
    );
    check(
        "cd /proc; for f in [a-z]*; do case $f in cpuinfo|filesystems|loadavg|meminfo|stat|sys|sysvipc|uptime|version) \
         continue;; esac; test -h $f && continue; test -d $f && ls -A $f || cat $f; done; test -e cmdline && echo there",
        "there",
    );
    // Machines that run tests are up for longer than a run takes to get to this.
    check(
        "read up rest < /proc/uptime; test ${up%.*} -lt 60 && echo fresh",
        "fresh",
    );
    check(
        "ls -A /sys /tmp; test -e /proc/1 || echo hidden",
        "/sys:\n\n/tmp:\nhidden",
    );
    check(
        "ls -A /dev /dev/pts",
        "/dev:\nfd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n\n/dev/pts:\nptmx",
    );
    check("cat /proc/self/cgroup | grep -v :/$ | wc -l", "0");
    check(
        "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status | tr -d '\\t'",
        "CapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\nCapBnd:0000000000000000\n\
         CapAmb:0000000000000000\nNoNewPrivs:1\nSeccomp:2",
    );
    check(
        "touch mine /tmp/mine /dev/shm/mine && stat -c %U:%a mine",
        "mock:644",
    );
    check(
        "for f in /x /etc/x /run/x /dev/x /secret; do touch $f 2>/dev/null; cat $f 2>/dev/null; done; true",
        "",
    );
    // Only the loopback, and no way out of it.
    check("grep -c : /proc/net/dev; cat /proc/net/route | wc -l", "1\n1");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    std::fs::remove_file(root.join("build/mine")).unwrap();
}

/// A build on layers: what it writes is in the upper one, with its owner, and it learns no path of the machine.
pub(crate) fn check_on_layers() {
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    };
    let overlay = Overlay {
        lower: vec![folder("lower")],
        upper: folder("upper"),
        work: folder("work"),
    };
    let [lower] = overlay.lower.as_slice() else {
        unreachable!()
    };
    fill(lower);
    std::fs::write(lower.join("build/given"), "given").unwrap();
    chown(lower.join("build/given"), Some(1000), Some(1000)).unwrap();
    // The upper folder becomes the root's folder: it has the mode that one wants.
    std::fs::set_permissions(&overlay.upper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let before = super::listing(lower);
    let mounted = mount_overlay(&overlay, &folder("root")).unwrap();
    let hidden = dir.path().file_name().unwrap().to_str().unwrap();
    let script = format!(
        "cd /build && mkdir made && echo x > made/file && rm given && chmod 4755 made/file && \
         grep {hidden} /proc/self/mountinfo /proc/mounts /proc/self/maps; ls -A /build"
    );
    assert_eq!(said(mounted.path(), &script, &Options::build()), "made\n");
    mounted.unmount().unwrap();
    assert_eq!(super::listing(lower), before);
    let made = overlay.upper.join("build/made/file").metadata().unwrap();
    assert_eq!(
        (made.uid(), made.gid(), made.mode() & 0o7777),
        (1000, 1000, 0o4755)
    );
    let gone = overlay.upper.join("build/given").symlink_metadata().unwrap();
    assert!(gone.file_type().is_char_device());
    // Mount points that the root lacked are not left in the layer.
    let names: Vec<_> = std::fs::read_dir(&overlay.upper)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["build"]);
}
