//! What a package's list of files says.

use super::finding::{Allowances, Finding, FindingKind, Severity, is_allowed};
use lazuli_rpm::{FileEntry, Metadata};

/// Where packages may have files.
const INSIDE: [&str; 4] = ["/usr", "/etc", "/var", "/boot"];

/// And where not, though it is inside: the administrator's, and what is empty on a booted machine.
const NOT_INSIDE: [&str; 3] = ["/usr/local", "/var/run", "/var/tmp"];

/// Folders of the root that are links to others of the same name below `/usr`.
const LINKS: [&str; 5] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"];

/// What the build's user is called, and what rpm writes where it knows none.
const STRANGERS: [&str; 2] = ["builder", "nobody"];

const SETUID_OR_SETGID: u16 = 0o6000;
const OTHERS_WRITE: u16 = 0o002;

/// Checks paths, modes and owners, and that there is no scriptlet.
pub(super) fn check(metadata: &Metadata, allowances: &Allowances) -> Vec<Finding> {
    let mut findings: Vec<Finding> = metadata
        .scriptlets
        .iter()
        .map(|scriptlet| Finding {
            severity: Severity::Error,
            package: metadata.nevra.name.clone(),
            path: None,
            kind: FindingKind::Scriptlet {
                name: format!("{:?}", scriptlet.kind).to_lowercase(),
            },
        })
        .collect();
    for file in &metadata.files {
        let path = String::from_utf8_lossy(&file.path).into_owned();
        let found = of_file(file, &path, allowances);
        findings.extend(found.into_iter().map(|(severity, kind)| Finding {
            severity,
            package: metadata.nevra.name.clone(),
            path: Some(path.clone()),
            kind,
        }));
    }
    findings
}

fn of_file(file: &FileEntry, path: &str, allowances: &Allowances) -> Vec<(Severity, FindingKind)> {
    let mut found = Vec::new();
    if let Some(severity) = outside(path).filter(|_| !is_allowed(&allowances.outside, path)) {
        found.push((severity, FindingKind::Outside));
    }
    let mode = format!("{:04o}", file.mode & 0o7777);
    // The mode of a link means nothing.
    if !file.is_symlink() {
        if file.mode & SETUID_OR_SETGID != 0 && !is_allowed(&allowances.setuid, path) {
            let severity = if file.is_directory() {
                Severity::Warning
            } else {
                Severity::Error
            };
            found.push((severity, FindingKind::SetId { mode: mode.clone() }));
        }
        if file.mode & OTHERS_WRITE != 0 && !is_allowed(&allowances.world_writable, path) {
            found.push((Severity::Error, FindingKind::WorldWritable { mode }));
        }
    }
    if !file.capabilities.is_empty() && !is_allowed(&allowances.capabilities, path) {
        let text = file.capabilities.clone();
        found.push((Severity::Error, FindingKind::Capabilities { text }));
    }
    let is_strange = |name: &str| STRANGERS.contains(&name) || name.bytes().all(|b| b.is_ascii_digit());
    if is_strange(&file.user) || is_strange(&file.group) {
        let owner = format!("{}:{}", file.user, file.group);
        found.push((Severity::Error, FindingKind::Owner { owner }));
    }
    found
}

fn outside(path: &str) -> Option<Severity> {
    let is_below = |folder: &&str| {
        path.strip_prefix(*folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if LINKS.iter().any(&is_below) {
        return Some(Severity::Warning);
    }
    let is_inside = INSIDE.iter().any(&is_below) && !NOT_INSIDE.iter().any(is_below);
    (!is_inside).then_some(Severity::Error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use lazuli_rpm::{Evr, Nevra, Scriptlet, ScriptletKind};

    fn check_files(files: Vec<FileEntry>, allowances: &Allowances, expected: Expect) {
        let mut metadata = Metadata::new(Nevra {
            name: "p".to_owned(),
            evr: Evr::new(0, "1", "1"),
            arch: "x86_64".to_owned(),
        });
        metadata.files = files;
        let lines: Vec<String> = check(&metadata, allowances)
            .iter()
            .map(ToString::to_string)
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    fn files() -> Vec<FileEntry> {
        vec![
            FileEntry::regular("/usr/bin/su", 0o4755, 0, None),
            FileEntry::directory("/var/lib/x", 0o2775),
            FileEntry::directory("/var/spool/x", 0o1777),
            FileEntry::regular("/usr/local/bin/x", 0o755, 0, None),
            FileEntry::regular("/lib/x", 0o644, 0, None),
            FileEntry::regular("/builddir/x", 0o644, 0, None),
            FileEntry::symlink("/usr/bin/link", "x"),
            FileEntry {
                capabilities: "cap_net_raw=ep".to_owned(),
                user: "1000".to_owned(),
                ..FileEntry::regular("/usr/bin/ping", 0o755, 0, None)
            },
        ]
    }

    #[test]
    fn what_needs_a_word() {
        check_files(
            files(),
            &Allowances::default(),
            expect![[r#"
                error: p: /usr/bin/su: setuid or setgid (mode 4755), and the component does not allow it
                warning: p: /var/lib/x: setuid or setgid (mode 2775), and the component does not allow it
                error: p: /var/spool/x: everybody may write to it (mode 1777), and the component does not allow it
                error: p: /usr/local/bin/x: no package may have this path
                warning: p: /lib/x: no package may have this path
                error: p: /builddir/x: no package may have this path
                error: p: /usr/bin/ping: it has the file capabilities cap_net_raw=ep, and the component does not allow it
                error: p: /usr/bin/ping: its owner 1000:root is a user of the build, or a number"#]],
        );
    }

    #[test]
    fn with_a_word() {
        let set = |paths: &[&str]| paths.iter().map(|p| (*p).to_owned()).collect();
        let allowances = Allowances {
            setuid: set(&["/usr/bin/su", "/var/lib/"]),
            world_writable: set(&["/var/spool/x"]),
            capabilities: set(&["/usr/bin/ping"]),
            outside: set(&["/usr/local/", "/lib/x", "/builddir/x"]),
            ..Allowances::default()
        };
        check_files(
            files(),
            &allowances,
            expect!["error: p: /usr/bin/ping: its owner 1000:root is a user of the build, or a number"],
        );
    }

    #[test]
    fn scriptlets_are_refused() {
        let mut metadata = Metadata::new(Nevra {
            name: "p".to_owned(),
            evr: Evr::new(0, "1", "1"),
            arch: "noarch".to_owned(),
        });
        metadata.scriptlets = vec![Scriptlet {
            kind: ScriptletKind::Post,
            interpreter: vec!["/bin/sh".to_owned()],
            body: "ldconfig".to_owned(),
        }];
        let found = check(&metadata, &Allowances::default());
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(Finding::is_error));
    }
}
