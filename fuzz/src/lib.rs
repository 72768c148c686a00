//! What random bytes are thrown at: one function for each kind of input that strangers can hand us.
//!
//! Each must end soon, within its memory, without a panic; and where a value can be written again, reading what was
//! written must give the same value. Two drivers call them: libFuzzer (`make fuzz`, with the programs in
//! `fuzz_targets/`), and the test of this crate, which runs every seed and every input that was once a finding.

use lazuli_deb::{Changelog, Copyright, Deb, Limits, Version};
use lazuli_repodata::{Repomd, filelists, other, primary as primary_xml, updateinfo};
use lazuli_rpm::{Dependency, Evr, Metadata, Package, RichDependency};
use lazuli_spec::{Document, Macros, ReadOptions, Settings, Spec};
use std::io;
use std::path::Path;

/// What became of an input: understood to its end, or why it was refused.
pub type Verdict = Result<(), String>;

/// A function that takes any bytes.
pub type Target = fn(&[u8]) -> Verdict;

/// All targets, by name.
pub const TARGETS: [(&str, Target); 6] = [
    ("catalog", catalog),
    ("deb", deb),
    ("primary", primary),
    ("rpm", rpm),
    ("spec", spec),
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
    let deb = Deb::parse(data, limits).map_err(text_of)?;
    deb.visit_files(|_, content| io::copy(content, &mut io::sink()).map(|_| ()))
        .map_err(text_of)
}

/// An error with its causes: writing them must be possible too.
fn text_of(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        text = format!("{text}: {one}");
        cause = one.source();
    }
    text
}

/// An `.rpm`: headers, metadata, digests and payload.
pub fn rpm(data: &[u8]) -> Verdict {
    let package = Package::parse(data).map_err(text_of)?;
    let digests = package.verify_digests();
    let metadata = package.metadata().map_err(text_of)?;
    let sizes = metadata.files.iter().map(|file| file.size);
    if sizes.fold(0, u64::saturating_add) > UNFOLDED {
        return Err("it is too large to be unpacked here".to_owned());
    }
    unpack(&package, &metadata).map_err(text_of)?;
    digests.map_err(text_of)
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

/// Any file of rpm-md; packages and advisories are written and read again.
pub fn primary(data: &[u8]) -> Verdict {
    let plain = is_plain(data);
    let packages = primary_xml::parse(data).map_err(text_of).inspect(|packages| {
        let written = primary_xml::write(packages);
        if plain {
            let again = primary_xml::parse(&written).unwrap_or_default();
            assert_eq!(again.len(), packages.len(), "what was written can be read");
            assert!(primary_xml::write(&again) == written, "it is written as before");
        }
    });
    let lists = filelists::parse(data).map_err(text_of).map(|lists| {
        filelists::attach(&mut packages.clone().unwrap_or_default(), lists);
    });
    let advisories = updateinfo::parse(data).map_err(text_of).map(|advisories| {
        let written = updateinfo::write(&advisories);
        assert!(
            !plain || updateinfo::parse(&written).is_ok(),
            "what was written can be read"
        );
    });
    let index = Repomd::parse(data).map(|_| ()).map_err(text_of);
    let changelogs = other::parse(data).map(|_| ()).map_err(text_of);
    packages
        .map(|_| ())
        .or(lists)
        .or(advisories)
        .or(index)
        .or(changelogs)
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
    let text = std::str::from_utf8(data).map_err(text_of)?;
    let lock = lazuli_catalog::LockFile::parse(text);
    if let Ok(lock) = &lock {
        let again = lazuli_catalog::LockFile::parse(&lock.to_string());
        assert_eq!(
            again.ok().as_ref(),
            Some(lock),
            "a lock that was written is the same"
        );
    }
    let config = lazuli_catalog::parse_config(Path::new("fuzz.toml"), text).map_err(text_of);
    lock.map(|_| ()).or(config.map(|_| ()))
}

/// A spec file: edited as text, and read with all its macros, Lua included.
pub fn spec(data: &[u8]) -> Verdict {
    assert!(
        Document::parse(data).to_bytes() == data,
        "a document is its lines"
    );
    let settings = Settings {
        limits: lazuli_spec::Limits {
            output: 1 << 20,
            calls: 20_000,
            definitions: 16 << 20,
            lua_instructions: 100_000,
            lua_memory: 8 << 20,
            ..lazuli_spec::Limits::default()
        },
        ..Settings::default()
    };
    Spec::read(data, Macros::new(settings), &ReadOptions::for_file("fuzz.spec"))
        .map(drop)
        .map_err(text_of)
}

/// Small grammars: versions, relations, licences, changelogs, dependencies. What is understood is written and read again.
pub fn text(data: &[u8]) -> Verdict {
    let problem = Changelog::parse(data, CHANGES).problem;
    let changelog = problem.map_or(Ok(()), |problem| Err(text_of(problem)));
    let text = std::str::from_utf8(data).map_err(text_of)?;
    let relations = relations(text);
    let rich = rich(text);
    let versions = versions(text);
    let copyright = Copyright::parse(text).map_err(text_of).map(|copyright| {
        let files = copyright.files.iter().map(|files| &files.license);
        let licences = files.chain(&copyright.licenses);
        let _ = licences.filter_map(|licence| licence.expression().ok()).count();
    });
    changelog.or(relations).or(rich).or(copyright).or(versions)
}

fn relations(text: &str) -> Verdict {
    let relations = lazuli_deb::parse_relations(text).map_err(text_of)?;
    for relation in relations.iter().flatten() {
        let again = lazuli_deb::parse_relation(&relation.to_string());
        assert_eq!(again.as_ref(), Ok(relation));
    }
    Ok(())
}

fn rich(text: &str) -> Verdict {
    if let Ok(dependency) = Dependency::parse(text) {
        assert!(dependency.overlaps(&dependency), "{dependency}");
    }
    let rich = RichDependency::parse(text).map_err(text_of)?;
    let written = rich.to_string();
    assert_eq!(RichDependency::parse(&written).as_ref(), Ok(&rich), "{written}");
    Ok(())
}

/// Two lines as versions: whichever is newer, the other is older.
fn versions(text: &str) -> Verdict {
    let mut lines = text.lines();
    let (Some(left), Some(right)) = (lines.next(), lines.next()) else {
        return Err("these are not two lines".to_owned());
    };
    if let (Ok(left), Ok(right)) = (Version::parse(left), Version::parse(right)) {
        assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
    }
    let (left, right) = (
        Evr::parse(left).map_err(text_of)?,
        Evr::parse(right).map_err(text_of)?,
    );
    assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
    assert_eq!(left.compare(&right), right.compare(&left).reverse());
    Ok(())
}
