//! Relations that are read from the files themselves.

use std::collections::BTreeSet;

use lazuli_rpm::{Dependency, Sense};

use crate::elf::{MissingSoname, elf_dependencies, interpreter};
use crate::lint::Finding;
use crate::paths::merged_path;
use crate::tree::{Kind, Tree, parent, shown};

/// Where the dynamic linker looks: what lies here is a library even without a soname.
const LIBRARY_FOLDERS: [&str; 4] = [
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
];

/// Where executables count: scripts elsewhere (examples, helpers of editors) may need what no system has.
const EXECUTABLE_FOLDERS: [&str; 5] = ["/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/etc/"];

/// Programs that other packages know by their place before the move to `/usr`.
const ALIASES: [(&str, &str); 8] = [
    ("/usr/bin/sh", "/bin/sh"),
    ("/usr/bin/bash", "/bin/bash"),
    ("/usr/bin/ksh", "/bin/ksh"),
    ("/usr/bin/zsh", "/bin/zsh"),
    ("/usr/bin/tcsh", "/bin/tcsh"),
    ("/usr/sbin/ldconfig", "/sbin/ldconfig"),
    ("/usr/sbin/nologin", "/sbin/nologin"),
    ("/usr/sbin/modprobe", "/sbin/modprobe"),
];

/// What files provide and require.
pub(crate) struct Automatic {
    pub(crate) provides: Vec<Dependency>,
    pub(crate) requires: Vec<Dependency>,
}

pub(crate) fn automatic(tree: &Tree, findings: &mut Vec<Finding>) -> Automatic {
    let mut provides = BTreeSet::new();
    let mut requires = BTreeSet::new();
    for (path, node) in &tree.nodes {
        for (_, alias) in ALIASES
            .iter()
            .filter(|(file, _)| file.as_bytes() == path.as_slice())
        {
            provides.insert((*alias).to_owned());
        }
        let Kind::Regular { content, .. } = &node.kind else {
            continue;
        };
        if content.starts_with(b"\x7fELF") {
            if path.starts_with(b"/usr/lib/debug/") {
                continue;
            }
            let folder = parent(path).unwrap_or_default();
            let in_library_folder = LIBRARY_FOLDERS.iter().any(|f| f.as_bytes() == folder.as_slice());
            let missing = if in_library_folder {
                MissingSoname::FileName
            } else {
                MissingSoname::Nothing
            };
            let name = path.rsplit(|c| *c == b'/').next().unwrap_or_default();
            match elf_dependencies(content, &String::from_utf8_lossy(name), missing) {
                Ok(Some(found)) => {
                    provides.extend(found.provides);
                    requires.extend(found.requires);
                }
                Ok(None) => {}
                Err(error) => {
                    findings.push(Finding::BadElf {
                        path: shown(path),
                        reason: error.to_string(),
                    });
                }
            }
        } else if node.mode & 0o111 != 0
            && EXECUTABLE_FOLDERS
                .iter()
                .any(|folder| path.starts_with(folder.as_bytes()))
            && let Some(program) = interpreter(content).and_then(merged_path)
            && tree.get(&program).is_none()
        {
            requires.insert(program);
        }
    }
    // What brings the dynamic linker understands all hash tables, as glibc's package says of itself in rpm's world.
    if provides
        .iter()
        .any(|name| name.starts_with("ld-linux") || name.starts_with("ld64.so"))
    {
        provides.insert("rtld(GNU_HASH)".to_owned());
    }
    let with = |names: BTreeSet<String>, sense: Sense| {
        names
            .into_iter()
            .map(|name| Dependency {
                sense,
                ..Dependency::any(name)
            })
            .collect()
    };
    Automatic {
        provides: with(provides, Sense::FIND_PROVIDES),
        requires: with(requires, Sense::FIND_REQUIRES),
    }
}
