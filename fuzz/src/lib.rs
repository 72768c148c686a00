//! What random bytes are thrown at: one function for each kind of input that strangers can hand us.
//!
//! Each must end soon, within its memory, without a panic; and where a value can be written again, reading what was
//! written must give the same value. Two drivers call them: libFuzzer (`make fuzz`, with the programs in
//! `fuzz_targets/`), and the test of this crate, which runs every seed and every input that was once a finding.

use lazuli_deb::{Changelog, Copyright, Deb, License, Limits, Version};
use lazuli_repodata::{Repomd, filelists, other, primary as primary_xml, updateinfo};
use lazuli_rpm::{Dependency, Evr, Metadata, Package, RichDependency};
use std::io::{self, Read};
use std::path::Path;

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was understood to its end.
    Accepted,
    /// It was refused, with an error.
    Refused,
}

impl Verdict {
    fn of(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Refused }
    }
}

/// A function that takes any bytes.
pub type Target = fn(&[u8]) -> Verdict;

/// All targets, by name.
pub const TARGETS: [(&str, Target); 5] = [
    ("catalog", catalog),
    ("deb", deb),
    ("primary", primary),
    ("rpm", rpm),
    ("text", text),
];

/// Bytes to which an input may unfold here. The limits of the parsers themselves are for the largest real packages: an
/// input that uses them up takes seconds, which libFuzzer would call a hang.
const UNFOLDED: u64 = 16 << 20;
/// Memory of a decompressor, in bytes.
const DECOMPRESSOR: u64 = 64 << 20;
/// Entries of an archive.
const ENTRIES: usize = 10_000;
/// Entries of a changelog.
const CHANGES: usize = 100;

/// A `.deb`: its control archive, and a walk through all its files.
pub fn deb(data: &[u8]) -> Verdict {
    let limits = Limits {
        control_bytes: UNFOLDED,
        data_bytes: UNFOLDED,
        entries: ENTRIES,
        decompressor_memory: DECOMPRESSOR,
    };
    let Ok(deb) = Deb::parse(data, limits) else {
        return Verdict::Refused;
    };
    let walked = deb.visit_files(|_, content| io::copy(content, &mut io::sink()).map(|_| ()));
    Verdict::of(walked.is_ok())
}

/// An `.rpm`: headers, metadata, digests and payload.
pub fn rpm(data: &[u8]) -> Verdict {
    let Ok(package) = Package::parse(data) else {
        return Verdict::Refused;
    };
    let digests = package.verify_digests().is_ok();
    let Ok(metadata) = package.metadata() else {
        return Verdict::Refused;
    };
    let installed = metadata
        .files
        .iter()
        .map(|file| file.size)
        .fold(0, u64::saturating_add);
    if installed > UNFOLDED {
        return Verdict::Refused;
    }
    Verdict::of(digests && unpack(&package, &metadata).is_ok())
}

fn unpack(package: &Package<'_>, metadata: &Metadata) -> Result<(), lazuli_rpm::PackageError> {
    let mut payload = package.payload(metadata)?;
    while let Some(mut entry) = payload.next_entry()? {
        // Every other file is left unread, as a caller may.
        if entry.index() % 2 == 0 {
            entry.read_content()?;
        }
    }
    Ok(())
}

/// Any file of rpm-md; packages are written and read again.
pub fn primary(data: &[u8]) -> Verdict {
    let mut accepted = Repomd::parse(data).is_ok();
    if let Ok(packages) = primary_xml::parse(data) {
        accepted = true;
        let written = primary_xml::write(&packages);
        if is_plain(data) {
            let again = primary_xml::parse(&written).unwrap_or_default();
            assert_eq!(again.len(), packages.len(), "what was written can be read");
            assert!(primary_xml::write(&again) == written, "it is written as before");
        }
    }
    if let Ok(lists) = filelists::parse(data) {
        accepted = true;
        filelists::attach(&mut primary_xml::parse(data).unwrap_or_default(), lists);
    }
    accepted |= other::parse(data).is_ok();
    if let Ok(advisories) = updateinfo::parse(data) {
        accepted = true;
        let written = updateinfo::write(&advisories);
        if is_plain(data) {
            assert!(
                updateinfo::parse(&written).is_ok(),
                "what was written can be read"
            );
        }
    }
    Verdict::of(accepted)
}

/// Whether XML has nothing that XML cannot say: control characters are left out when it is written again.
fn is_plain(data: &[u8]) -> bool {
    let forbidden = |byte: &u8| *byte < b' ' && !b"\t\n".contains(byte);
    let reference = data.windows(2).any(|pair| pair == b"&#");
    let noncharacter = data
        .windows(3)
        .any(|three| three == "\u{fffe}".as_bytes() || three == "\u{ffff}".as_bytes());
    !reference && !noncharacter && !data.iter().any(forbidden)
}

/// A configuration file, and a lock, which is written and read again.
pub fn catalog(data: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(data) else {
        return Verdict::Refused;
    };
    let config = lazuli_catalog::parse_config(Path::new("fuzz.toml"), text);
    let lock = lazuli_catalog::LockFile::parse(text);
    if let Ok(lock) = &lock {
        let again = lazuli_catalog::LockFile::parse(&lock.to_string());
        assert_eq!(
            again.ok().as_ref(),
            Some(lock),
            "a lock that was written is the same"
        );
    }
    if let Err(problems) = &config {
        // Messages point into the text: they must be able to.
        let _ = problems.to_string();
    }
    Verdict::of(config.is_ok() || lock.is_ok())
}

/// Small grammars: versions, relations, licences, changelogs, dependencies. What is understood is written and read again.
pub fn text(data: &[u8]) -> Verdict {
    let mut accepted = Changelog::parse(data, CHANGES).problem.is_none();
    let Ok(text) = std::str::from_utf8(data) else {
        return Verdict::of(accepted);
    };
    if let Ok(relations) = lazuli_deb::parse_relations(text) {
        accepted = true;
        for relation in relations.iter().flatten() {
            let again = lazuli_deb::parse_relation(&relation.to_string());
            assert_eq!(again.as_ref(), Ok(relation));
        }
    }
    accepted |= lazuli_deb::parse_paragraphs(text).all(|paragraph| paragraph.is_ok());
    if let Ok(copyright) = Copyright::parse(text) {
        let licences = copyright
            .files
            .iter()
            .map(|files| &files.license)
            .chain(&copyright.licenses);
        let _ = licences
            .filter_map(|licence: &License| licence.expression().ok())
            .count();
    }
    if let Ok(rich) = RichDependency::parse(text) {
        accepted = true;
        let written = rich.to_string();
        assert_eq!(RichDependency::parse(&written).as_ref(), Ok(&rich), "{written}");
    }
    if let Ok(dependency) = Dependency::parse(text) {
        assert!(dependency.overlaps(&dependency), "{dependency}");
    }
    accepted |= versions(text);
    Verdict::of(accepted)
}

/// Two lines as versions: whichever is newer, the other is older.
fn versions(text: &str) -> bool {
    let mut lines = text.lines();
    let (Some(left), Some(right)) = (lines.next(), lines.next()) else {
        return false;
    };
    let debian = match (Version::parse(left), Version::parse(right)) {
        (Ok(left), Ok(right)) => {
            assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
            true
        }
        _ => false,
    };
    let rpm = match (Evr::parse(left), Evr::parse(right)) {
        (Ok(left), Ok(right)) => {
            assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
            assert_eq!(left.compare(&right), right.compare(&left).reverse());
            true
        }
        _ => false,
    };
    debian || rpm
}
