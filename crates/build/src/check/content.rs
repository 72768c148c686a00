//! What a package's files hold.

use super::finding::{Allowances, Finding, FindingKind, Severity, is_allowed};
use crate::run::TOP;
use lazuli_rpm::{Metadata, Package, PackageError};
use memchr::memmem::Finder;
use object::read::elf::{ElfFile32, ElfFile64};
use object::{Endianness, Object, ObjectKind};

/// Largest file that is looked into; larger ones hold no program.
const SIZE_MAX: u64 = 1 << 30;

/// How much of a path is shown.
const SHOWN_MAX: usize = 120;

/// Reads all files and looks for ELF files without a build-id, and for paths of the build.
pub(super) fn check(
    package: &Package<'_>,
    metadata: &Metadata,
    allowances: &Allowances,
) -> Result<Vec<Finding>, PackageError> {
    let finder = Finder::new(TOP.as_bytes());
    let mut findings = Vec::new();
    let mut payload = package.payload(metadata)?;
    while let Some(mut entry) = payload.next_entry()? {
        let Some(file) = metadata.files.get(entry.index()) else {
            continue;
        };
        if !file.is_regular() || entry.size() > SIZE_MAX {
            continue;
        }
        let path = String::from_utf8_lossy(&file.path).into_owned();
        let content = entry.read_content()?;
        let mut found = Vec::new();
        if let Some(kind) = build_id(&content)
            && !is_allowed(&allowances.without_build_id, &path)
        {
            found.push((Severity::Error, kind));
        }
        if let Some((severity, kind)) = build_path(&content, &finder)
            && !is_allowed(&allowances.build_paths, &path)
        {
            found.push((severity, kind));
        }
        findings.extend(found.into_iter().map(|(severity, kind)| Finding {
            severity,
            package: metadata.nevra.name.clone(),
            path: Some(path.clone()),
            kind,
        }));
    }
    Ok(findings)
}

/// Programs and libraries need a build-id: crash reports and debuggers find their way by it.
fn build_id(content: &[u8]) -> Option<FindingKind> {
    if !content.starts_with(b"\x7fELF") {
        return None;
    }
    let facts = match content.get(4) {
        Some(1) => ElfFile32::<Endianness>::parse(content).map(|file| facts(&file)),
        _ => ElfFile64::<Endianness>::parse(content).map(|file| facts(&file)),
    };
    match facts {
        Ok((ObjectKind::Executable | ObjectKind::Dynamic, false)) => Some(FindingKind::NoBuildId),
        Ok(_) => None,
        Err(error) => Some(FindingKind::Unreadable {
            reason: error.to_string(),
        }),
    }
}

fn facts<'d>(file: &impl Object<'d>) -> (ObjectKind, bool) {
    (file.kind(), matches!(file.build_id(), Ok(Some(_))))
}

fn build_path(content: &[u8], finder: &Finder<'_>) -> Option<(Severity, FindingKind)> {
    let mut first = None;
    for at in finder.find_iter(content) {
        // `/other/builddir` and `/builddirectory` are something else.
        let before = at.checked_sub(1).and_then(|at| content.get(at));
        let after = content.get(at + TOP.len());
        let is_word =
            |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b"._-".contains(b));
        if is_word(before) || is_word(after) {
            continue;
        }
        let text = shown(content.get(at..).unwrap_or_default());
        if text.contains("/BUILDROOT") {
            return Some((Severity::Error, FindingKind::BuildPath { text }));
        }
        first.get_or_insert((Severity::Warning, FindingKind::BuildPath { text }));
    }
    first
}

fn shown(bytes: &[u8]) -> String {
    let is_end = |byte: &u8| !byte.is_ascii_graphic() || b"\"':;,<>()".contains(byte);
    let end = bytes
        .iter()
        .position(is_end)
        .unwrap_or(bytes.len())
        .min(SHOWN_MAX);
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_of_the_build_are_found() {
        let look = |content: &str| build_path(content.as_bytes(), &Finder::new(TOP.as_bytes()));
        let text = |path: &str| FindingKind::BuildPath {
            text: path.to_owned(),
        };
        assert_eq!(look("x /usr/builddir-x /my/xbuilddir"), None);
        assert_eq!(look("/builddirectory and a/builddir"), None);
        let (severity, kind) = look("-I\"/builddir/BUILD/x-1-build/x\" y").unwrap();
        assert_eq!(
            (severity, kind),
            (Severity::Warning, text("/builddir/BUILD/x-1-build/x"))
        );
        let (severity, kind) = look("/builddir/BUILD/a /builddir/BUILD/x/BUILDROOT/usr\n").unwrap();
        assert_eq!(
            (severity, kind),
            (Severity::Error, text("/builddir/BUILD/x/BUILDROOT/usr"))
        );
    }

    #[test]
    fn a_damaged_elf_file_is_told() {
        assert_eq!(build_id(b"#!/bin/sh"), None);
        assert!(matches!(
            build_id(b"\x7fELF\x02"),
            Some(FindingKind::Unreadable { .. })
        ));
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(build_id(&own), None, "the test itself has one");
    }
}
