//! Paths: the move of everything into `/usr`, and the directories that every system has.

/// Folders of the root that are links into `/usr`.
pub(crate) const MERGED: [&str; 7] = ["bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"];

/// Directories that the base package brings. Others do not own them, so that modes never disagree.
pub(crate) const BASE_DIRECTORIES: [&str; 100] = [
    "/",
    "/boot",
    "/dev",
    "/etc",
    "/etc/X11",
    "/etc/alternatives",
    "/etc/apparmor.d",
    "/etc/apparmor.d/local",
    "/etc/bash_completion.d",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
    "/etc/default",
    "/etc/init.d",
    "/etc/ld.so.conf.d",
    "/etc/logrotate.d",
    "/etc/modprobe.d",
    "/etc/modules-load.d",
    "/etc/opt",
    "/etc/pam.d",
    "/etc/profile.d",
    "/etc/security",
    "/etc/skel",
    "/etc/sysctl.d",
    "/etc/systemd",
    "/etc/systemd/system",
    "/etc/systemd/user",
    "/etc/tmpfiles.d",
    "/etc/udev",
    "/etc/udev/rules.d",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/run",
    "/srv",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/games",
    "/usr/include",
    "/usr/lib",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/debug",
    "/usr/lib/modprobe.d",
    "/usr/lib/modules",
    "/usr/lib/modules-load.d",
    "/usr/lib/python3",
    "/usr/lib/python3/dist-packages",
    "/usr/lib/sysctl.d",
    "/usr/lib/systemd",
    "/usr/lib/systemd/system",
    "/usr/lib/systemd/user",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/usr/lib/udev",
    "/usr/lib/udev/rules.d",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/sbin",
    "/usr/share",
    "/usr/share/apport",
    "/usr/share/bash-completion",
    "/usr/share/bash-completion/completions",
    "/usr/share/bug",
    "/usr/share/common-licenses",
    "/usr/share/dict",
    "/usr/share/doc",
    "/usr/share/doc-base",
    "/usr/share/icons",
    "/usr/share/info",
    "/usr/share/initramfs-tools",
    "/usr/share/lintian",
    "/usr/share/lintian/overrides",
    "/usr/share/locale",
    "/usr/share/man",
    "/usr/share/man/man1",
    "/usr/share/man/man2",
    "/usr/share/man/man3",
    "/usr/share/man/man4",
    "/usr/share/man/man5",
    "/usr/share/man/man6",
    "/usr/share/man/man7",
    "/usr/share/man/man8",
    "/usr/share/misc",
    "/usr/share/zsh",
    "/usr/share/zsh/vendor-completions",
    "/usr/src",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/local",
    "/var/log",
    "/var/opt",
    "/var/spool",
];

/// An absolute path without empty or `.` parts, after the move to `/usr`. `None` if it is relative or climbs.
pub(crate) fn merged_path(path: &str) -> Option<String> {
    String::from_utf8(merged_bytes(path.as_bytes())?).ok()
}

/// The same of bytes.
pub(crate) fn merged_bytes(path: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.strip_prefix(b"/")?.split(|c| *c == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return None,
            part => parts.push(part),
        }
    }
    merge(&mut parts);
    Some(join(&parts))
}

fn merge(parts: &mut Vec<&[u8]>) {
    match parts.as_slice() {
        [first, ..] if MERGED.iter().any(|m| m.as_bytes() == *first) => parts.insert(0, b"usr"),
        [b"var", b"run", ..] => drop(parts.remove(0)),
        _ => {}
    }
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut path = vec![b'/'];
    path.extend(parts.join(&b'/'));
    path
}

/// Whether a path is one of the links into `/usr`.
pub(crate) fn is_alias(path: &[u8]) -> bool {
    path.strip_prefix(b"/")
        .is_some_and(|name| MERGED.iter().any(|m| m.as_bytes() == name))
}

/// The target of a symbolic link after its link has moved from `old` to `new`: the same file must be meant.
///
/// Both are absolute. A target that is absolute, or means the same from both places, stays as it is.
pub(crate) fn moved_target(old: &[u8], new: &[u8], target: &[u8]) -> Vec<u8> {
    if target.starts_with(b"/") || old == new {
        return target.to_vec();
    }
    let (Some(before), Some(after)) = (resolve(old, target), resolve(new, target)) else {
        return target.to_vec();
    };
    if before == after {
        return target.to_vec();
    }
    // From the new folder up to what both have in common, and down to the file.
    let folder: Vec<&[u8]> = parts(new)
        .into_iter()
        .rev()
        .skip(1)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let file = parts(&before);
    let common = folder.iter().zip(&file).take_while(|(a, b)| a == b).count();
    let mut relative: Vec<&[u8]> = vec![b".."; folder.len() - common];
    relative.extend(&file[common..]);
    relative.join(&b'/')
}

fn parts(path: &[u8]) -> Vec<&[u8]> {
    path.split(|c| *c == b'/').filter(|p| !p.is_empty()).collect()
}

/// What a relative target means from a link's place, after the move to `/usr`; above the root is the root.
fn resolve(link: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    let mut all = parts(link);
    all.pop()?;
    for part in target.split(|c| *c == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(all.pop()),
            part => all.push(part),
        }
    }
    merge(&mut all);
    Some(join(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging() {
        for (path, expected) in [
            ("/bin/ls", Some("/usr/bin/ls")),
            ("/lib64/ld.so", Some("/usr/lib64/ld.so")),
            ("/library/x", Some("/library/x")),
            ("//usr/./bin//x/", Some("/usr/bin/x")),
            ("/var/run/x", Some("/run/x")),
            ("/", Some("/")),
            ("bin/ls", None),
            ("/a/../b", None),
        ] {
            assert_eq!(merged_path(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn targets() {
        for (old, new, target, expected) in [
            ("/lib/a/b", "/usr/lib/a/b", "../c", "../c"),
            (
                "/lib64/ld.so",
                "/usr/lib64/ld.so",
                "../lib/x/ld.so",
                "../lib/x/ld.so",
            ),
            (
                "/lib/firmware/x",
                "/usr/lib/firmware/x",
                "../../usr/share/x",
                "../../share/x",
            ),
            (
                "/bin/x",
                "/usr/bin/x",
                "../etc/alternatives/x",
                "../../etc/alternatives/x",
            ),
            (
                "/bin/x",
                "/usr/bin/x",
                "/etc/alternatives/x",
                "/etc/alternatives/x",
            ),
            ("/sbin/x", "/usr/sbin/x", "../../../bin/y", "../../../bin/y"),
            ("/usr/bin/x", "/usr/bin/x", "../../bin/y", "../../bin/y"),
        ] {
            let moved = moved_target(old.as_bytes(), new.as_bytes(), target.as_bytes());
            assert_eq!(String::from_utf8_lossy(&moved), expected, "{old} -> {target}");
        }
    }

    #[test]
    fn base_directories_are_sorted_and_merged() {
        assert!(BASE_DIRECTORIES.is_sorted());
        assert!(
            BASE_DIRECTORIES
                .iter()
                .all(|d| merged_path(d).as_deref() == Some(*d))
        );
    }
}
