//! Damaged packages: never a panic, never a wrong byte taken for a right one.

#![allow(clippy::unwrap_used)]

mod support;

use lazuli_rpm::{
    Compression, Dependency, Evr, FileEntry, FileState, Header, HeaderKind, InstallFacts, Metadata, Package,
    PackageBuilder, PackageError, RichDependency, installed_header, parse_headers,
};
use proptest::prelude::*;
use std::io::Read as _;
use support::{build, empty, everything};

/// Largest amount that a damaged package may make us unpack, against endless loops.
const UNPACKED_MAX: u64 = 64 << 20;

/// All that can be done with bytes that claim to be a package.
fn use_all(bytes: &[u8]) -> Result<Vec<Vec<u8>>, PackageError> {
    let package = Package::parse(bytes)?;
    let metadata = package.metadata()?;
    let _ = metadata.installed_size();
    for dependency in metadata.requires.iter().filter(|d| d.is_rich()) {
        let _ = RichDependency::parse(&dependency.name);
    }
    let states = vec![FileState::Normal; metadata.files.len()];
    let facts = InstallFacts {
        install_time: 1,
        install_tid: 1,
        install_color: 0,
        file_states: states,
    };
    if let Ok(blob) = installed_header(package.signature(), package.header(), &facts) {
        Metadata::from_header(&Header::from_blob(&blob).unwrap()).unwrap();
    }
    let unpacked = unpack(&package, &metadata);
    package.verify_all_digests()?;
    unpacked
}

fn unpack(package: &Package<'_>, metadata: &Metadata) -> Result<Vec<Vec<u8>>, PackageError> {
    let mut contents = Vec::new();
    let mut payload = package.payload(metadata)?;
    while let Some(entry) = payload.next_entry()? {
        let mut content = Vec::new();
        let read = entry
            .take(UNPACKED_MAX)
            .read_to_end(&mut content)
            .map_err(PackageError::from_io)?;
        assert!((read as u64) < UNPACKED_MAX);
        contents.push(content);
    }
    Ok(contents)
}

/// A small package with several kinds of files, not compressed so that flips reach the archive.
fn small(compression: Compression) -> Vec<u8> {
    let (mut metadata, contents) = everything();
    metadata.files.retain(|file| file.size < 5_000);
    let built = PackageBuilder::new(metadata)
        .compression(compression)
        .build(&contents, None)
        .unwrap();
    built.to_bytes()
}

#[test]
fn every_truncation_is_an_error() {
    for compression in [Compression::None, Compression::DEFAULT] {
        let bytes = small(compression);
        assert!(use_all(&bytes).is_ok());
        let payload = parse_headers(&bytes).unwrap().header_range.end;
        for length in (0..payload).chain((payload..bytes.len()).step_by(7)) {
            assert!(
                use_all(&bytes[..length]).is_err(),
                "cut to {length} of {} bytes",
                bytes.len()
            );
            assert_eq!(parse_headers(&bytes[..length]).is_ok(), length >= payload);
        }
    }
}

/// Whether a changed byte is in what digests cover: all but lead, signature header and its padding.
#[test]
fn every_flip_is_found() {
    for compression in [Compression::None, Compression::DEFAULT] {
        let bytes = small(compression);
        let range = parse_headers(&bytes).unwrap().header_range;
        let good = use_all(&bytes).unwrap();
        let mut bytes = bytes;
        for at in 0..bytes.len() {
            let bit = 1 << (at * 5 % 8);
            bytes[at] ^= bit;
            match use_all(&bytes) {
                Err(_) => {}
                Ok(unpacked) => {
                    assert!(
                        at < range.start,
                        "a flip at {at} in the covered range was not found"
                    );
                    assert_eq!(unpacked, good);
                }
            }
            bytes[at] ^= bit;
        }
    }
}

/// Damage in the payload is found by the file's own digest too, without the payload's.
#[test]
fn files_are_checked_while_they_are_read() {
    let (metadata, contents) = everything();
    let built = PackageBuilder::new(metadata)
        .compression(Compression::None)
        .build(&contents, None)
        .unwrap();
    let mut bytes = built.to_bytes();
    for needle in [&b"key = value\n"[..], b"one inode, three names", b"setuid"] {
        let start = built.head.len();
        let at = start
            + bytes[start..]
                .windows(needle.len())
                .position(|w| w == needle)
                .unwrap();
        bytes[at] ^= 0x20;
        let package = Package::parse(&bytes).unwrap();
        let error = unpack(&package, &built.metadata).unwrap_err();
        assert!(
            matches!(error, PackageError::FileDigestMismatch { .. }),
            "{error}"
        );
        bytes[at] ^= 0x20;
    }
    let package = Package::parse(&bytes).unwrap();
    assert!(unpack(&package, &built.metadata).is_ok());
}

/// Writes a payload that does not fit the header, by cutting the archive apart and putting it together again.
#[test]
fn payload_must_fit_the_header() {
    let mut metadata = empty();
    let mut contents = support::Contents::new();
    for name in ["/a", "/b", "/c"] {
        metadata.files.push(FileEntry::regular(name, 0o644, 4, None));
        contents.insert(name.as_bytes().to_vec(), name.repeat(2).into_bytes());
    }
    metadata.files.push(FileEntry::symlink("/d", "a"));
    let built = PackageBuilder::new(metadata)
        .compression(Compression::None)
        .build(&contents, None)
        .unwrap();
    // Each entry: 110 bytes of header, a name of 4 with its zero, 2 of padding, 4 of content.
    let (entry, link, trailer) = (120, 120, 124);
    assert_eq!(built.payload.len(), 3 * entry + link + trailer);
    let part = |number: usize| &built.payload[number * entry..(number + 1) * entry];
    let end = &built.payload[3 * entry + link..];
    let check = |parts: &[&[u8]]| {
        let bytes = [&built.head, &parts.concat()[..]].concat();
        let package = Package::parse(&bytes).unwrap();
        unpack(&package, &built.metadata)
            .map(|contents| contents.len())
            .map_err(|error| error.to_string())
    };
    let renamed = |from: &[u8], name: &[u8]| {
        let mut part = from.to_vec();
        part[110..110 + name.len()].copy_from_slice(name);
        part
    };
    assert_eq!(check(&[part(0), part(1), part(2), part(3), end]), Ok(4));
    assert_eq!(
        check(&[part(3), part(2), part(0), part(1), end]),
        Ok(4),
        "the order is free"
    );
    assert_eq!(
        check(&[part(0), part(2), part(3), end]),
        Err("the payload lacks `/b`, which the header lists".into())
    );
    assert_eq!(
        check(&[part(0), part(1), part(1), part(2), part(3), end]),
        Err("the payload holds `/b` twice".into())
    );
    for name in [&b"./x\0"[..], b"../\0", b"./.\0", b"/..\0"] {
        let error = check(&[part(0), part(1), part(2), part(3), &renamed(part(0), name), end]).unwrap_err();
        assert!(error.ends_with("which the header does not list"), "{error}");
    }
    let directory = renamed(part(0), b"./a\0");
    let mut mode = directory.clone();
    mode[14..22].copy_from_slice(b"000041ed");
    let error = check(&[&mode, part(1), part(2), part(3), end]).unwrap_err();
    assert_eq!(
        error,
        "`/a` is not in the payload what it is in the header: its file type differs"
    );
    let mut size = directory;
    size[54..62].copy_from_slice(b"00000003");
    let error = check(&[&size, part(1), part(2), part(3), end]).unwrap_err();
    assert_eq!(error, "`/a` has 3 bytes in the payload, but 4 in the header");
    let mut target = part(3).to_vec();
    target[116] = b'b';
    let error = check(&[part(0), part(1), part(2), &target, end]).unwrap_err();
    assert_eq!(
        error,
        "`/d` is not in the payload what it is in the header: its link target differs"
    );
    let error = check(&[part(0), part(1), part(2), part(3), end, b"more"]).unwrap_err();
    assert_eq!(
        error,
        "the payload is damaged: something follows the end of the archive"
    );
    assert_eq!(
        check(&[part(0), part(1), part(2), part(3), end, &[0; 512]]),
        Ok(4),
        "padding of old cpio"
    );
    assert_eq!(
        check(&[part(0), part(1), part(2), part(3)]),
        Err("the payload is damaged: it ends early".into())
    );
}

/// A payload of a few bytes that unpacks to very many is refused at the size that the header says.
#[test]
fn payload_bomb_is_refused() {
    let mut metadata = empty();
    metadata.files.push(FileEntry::regular("/a", 0o644, 4, None));
    let contents = support::Contents::from([(b"/a".to_vec(), b"abcd".to_vec())]);
    let built = PackageBuilder::new(metadata).build(&contents, None).unwrap();
    let mut archive = zstd::decode_all(&*built.payload).unwrap();
    archive[54..62].copy_from_slice(b"f0000000");
    archive.extend(vec![0; 32 << 20]);
    let bomb = zstd::encode_all(&*archive, 3).unwrap();
    let bytes = [built.head.clone(), bomb].concat();
    let package = Package::parse(&bytes).unwrap();
    let error = unpack(&package, &built.metadata).unwrap_err();
    assert!(
        matches!(error, PackageError::SizeMismatch { expected: 4, .. }),
        "{error}"
    );
}

#[test]
fn unread_contents_are_skipped() {
    let (metadata, contents) = everything();
    let built = build(&metadata, &contents);
    let bytes = built.to_bytes();
    let package = Package::parse(&bytes).unwrap();
    let mut payload = package.payload(&built.metadata).unwrap();
    let mut entries = 0;
    while let Some(mut entry) = payload.next_entry().unwrap() {
        // Of every other file a part is read.
        if entries % 2 == 0 {
            let mut buffer = [0; 3];
            let _ = entry.read(&mut buffer).unwrap();
        }
        entries += 1;
    }
    let ghosts = built.metadata.files.iter().filter(|f| f.is_ghost()).count();
    // Two sets of hard links, of three names and of two.
    assert_eq!(entries, built.metadata.files.len() - ghosts - 2 - 1);
    assert!(payload.next_entry().unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Many changes at once, above all in the index of the headers.
    #[test]
    fn many_changes(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), near in 0..3_u8) {
        let mut bytes = small_once().clone();
        let range = parse_headers(&bytes).unwrap().header_range;
        let window = match near { 0 => 96..range.start, 1 => range.start..range.start + 1_200, _ => 0..bytes.len() };
        for (index, value) in changes {
            let at = window.start + index.index(window.len());
            bytes[at] = value;
        }
        let _ = use_all(&bytes);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), il in 0..20_u32, dl in 0..300_u32) {
        let _ = Package::parse(&bytes);
        let mut header = vec![0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
        header.extend(il.to_be_bytes());
        header.extend(dl.to_be_bytes());
        header.extend(&bytes);
        for kind in [HeaderKind::Main, HeaderKind::Signature, HeaderKind::Installed] {
            let _ = Header::parse(&header, kind);
        }
        let _ = Header::from_blob(&header[8..]);
    }

    #[test]
    fn any_text(text in "\\PC{0,40}") {
        let _ = Evr::parse(&text);
        let _ = Dependency::parse(&text);
    }
}

fn small_once() -> &'static Vec<u8> {
    static SMALL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    SMALL.get_or_init(|| small(Compression::None))
}
