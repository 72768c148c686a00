//! Where the contents of two files differ: by section of ELF files, by member of archives, else by the first byte.

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection};
use std::collections::BTreeMap;

/// Most places of one file that are named.
const PLACES_MAX: usize = 20;

/// Where two contents differ, in words. At least one place, if they do.
pub(super) fn differences(first: &[u8], second: &[u8]) -> Vec<String> {
    if first == second {
        return Vec::new();
    }
    let mut found = parts(first)
        .zip(parts(second))
        .map(|(first, second)| by_part(&first, &second))
        .unwrap_or_default();
    if found.len() > PLACES_MAX {
        let more = found.len() - PLACES_MAX;
        found.truncate(PLACES_MAX);
        found.push(format!("{more} more"));
    }
    if found.is_empty() {
        let at = first.iter().zip(second).position(|(a, b)| a != b);
        found.push(format!(
            "content from byte {}",
            at.unwrap_or(first.len().min(second.len()))
        ));
    }
    found
}

/// The named parts of a file.
type Parts<'a> = BTreeMap<String, &'a [u8]>;

fn parts(content: &[u8]) -> Option<Parts<'_>> {
    if content.starts_with(b"\x7fELF") {
        return sections(content);
    }
    if content.starts_with(b"!<arch>\n") {
        return members(content);
    }
    None
}

fn sections(content: &[u8]) -> Option<Parts<'_>> {
    let file = object::File::parse(content).ok()?;
    let mut found = Parts::new();
    for section in file.sections() {
        let name = section.name().ok()?;
        found.insert(format!("section {name}"), section.data().unwrap_or_default());
    }
    Some(found)
}

fn members(content: &[u8]) -> Option<Parts<'_>> {
    let archive = ArchiveFile::parse(content).ok()?;
    let mut found = Parts::new();
    for (position, member) in archive.members().enumerate() {
        let member = member.ok()?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        // Names may repeat in an archive.
        let key = format!("member {name}");
        let key = if found.contains_key(&key) {
            format!("{key} (number {position})")
        } else {
            key
        };
        found.insert(key, member.data(content).ok()?);
    }
    Some(found)
}

fn by_part(first: &Parts<'_>, second: &Parts<'_>) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| match (first.get(name), second.get(name)) {
            (Some(a), Some(b)) if a == b => None,
            (Some(a), Some(b)) => Some(match deeper(a, b) {
                places if places.is_empty() => name.clone(),
                places => format!("{name} ({})", places.join(", ")),
            }),
            (Some(_), None) => Some(format!("{name} only in the first build")),
            (None, _) => Some(format!("{name} only in the second build")),
        })
        .collect()
}

/// The sections of an archive's member.
fn deeper(first: &[u8], second: &[u8]) -> Vec<String> {
    match (parts(first), parts(second)) {
        (Some(first), Some(second)) => by_part(&first, &second),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_differs_from_a_byte() {
        assert!(differences(b"same", b"same").is_empty());
        assert_eq!(differences(b"same", b"sane"), ["content from byte 2"]);
        assert_eq!(differences(b"same", b"sam"), ["content from byte 3"]);
    }

    #[test]
    fn programs_differ_by_section() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let file = object::File::parse(own.as_slice()).unwrap();
        let (start, size) = file.section_by_name(".rodata").unwrap().file_range().unwrap();
        assert!(size > 0);
        let mut other = own.clone();
        other[start as usize] ^= 1;
        assert_eq!(differences(&own, &other), ["section .rodata"]);
        // What is in no section: the padding of the file header.
        let mut other = own.clone();
        other[15] ^= 1;
        assert_eq!(differences(&own, &other), ["content from byte 15"]);
    }
}
